#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"

enum { LOG_TAIL_BYTES = 16384, LOOK_MS = 5 };

void support_fail(const char *what, const struct cs_err *err) {
    if (err != NULL) {
        fail_msg("%s: %s (%s)", what, err->message, err->reason);
    }
    fail_msg("%s", what);
}

int support_log_fd(void) {
    const char *verbose = getenv("CS_TEST_VERBOSE");
    return cs_str_empty(verbose) ? memfd_create("log", MFD_CLOEXEC) : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
}

void support_show_log(int log_fd) {
    char text[LOG_TAIL_BYTES];
    off_t end = lseek(log_fd, 0, SEEK_END);
    off_t from = end > LOG_TAIL_BYTES ? end - LOG_TAIL_BYTES : 0;
    ssize_t size = end > 0 ? pread(log_fd, text, sizeof(text), from) : 0;
    if (size > 0) {
        (void)fwrite(text, 1, (size_t)size, stderr);
    }
}

/* ---- directories ---- */

/* What a test that failed could not remove itself. */
enum { DIRS_MAX = 64 };
static char dirs[DIRS_MAX][CS_TEST_PATH_MAX];

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void remove_tree(char *path) {
    enum { FDS = 16 };
    if (cs_str_starts(path, "/tmp/callsheet-test-")) {
        (void)nftw(path, remove_one, FDS, FTW_DEPTH | FTW_PHYS);
    }
    path[0] = '\0';
}

static void remove_all(void) {
    for (size_t i = 0; i < DIRS_MAX; i++) {
        remove_tree(dirs[i]);
    }
}

static char *find_dir(const char *path) {
    for (size_t i = 0; i < DIRS_MAX; i++) {
        if (strcmp(dirs[i], path) == 0) {
            return dirs[i];
        }
    }
    return NULL;
}

void cs_test_dir_create(struct cs_test_dir *ret_dir) {
    static bool registered;
    (void)snprintf(ret_dir->path, sizeof(ret_dir->path), "/tmp/callsheet-test-XXXXXX");
    if (mkdtemp(ret_dir->path) == NULL) {
        support_fail("making a temporary directory", NULL);
    }
    if (!registered) {
        registered = true;
        (void)atexit(remove_all);
    }
    char *slot = find_dir("");
    if (slot != NULL) {
        cs_str_copy(slot, CS_TEST_PATH_MAX, ret_dir->path);
    }
}

void cs_test_dir_remove(struct cs_test_dir *dir) {
    char *slot = dir->path[0] != '\0' ? find_dir(dir->path) : NULL;
    if (slot != NULL) {
        slot[0] = '\0';
    }
    remove_tree(dir->path);
}

/* ---- processes ---- */

bool cs_test_pid_alive(pid_t pid) {
    char path[64];
    char line[512];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    bool got = fgets(line, sizeof(line), file) != NULL;
    (void)fclose(file);
    const char *name_end = got ? strrchr(line, ')') : NULL;
    return name_end != NULL && name_end[1] == ' ' && name_end[2] != 'Z' && name_end[2] != 'X';
}

void cs_test_await(bool (*condition)(void *ctx), void *ctx, const char *what) {
    int64_t deadline_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;
    while (!condition(ctx)) {
        if (cs_clock_mono_ms() > deadline_ms) {
            fail_msg("waited %d ms in vain: %s", CS_TEST_PATIENCE_MS, what);
        }
        (void)poll(NULL, 0, LOOK_MS);
    }
}
