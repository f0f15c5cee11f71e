#include "up/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/crypto.h"
#include "cs/json.h"

/* ---- files ---- */

static enum cs_status make_with_parents(const char *path, struct cs_err *err) {
    CS_AUTO_FREE char *copy = cs_strdup(path);
    for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST) {
            return cs_fail_errno(err, errno, "making %s", copy);
        }
        *slash = '/';
    }
    if (mkdir(copy, 0700) != 0 && errno != EEXIST) {
        return cs_fail_errno(err, errno, "making %s", copy);
    }
    return CS_OK;
}

/* Whole or not at all, also when the machine stops. */
static enum cs_status replace(const char *path, const char *text, size_t size, bool durable, struct cs_err *err) {
    CS_AUTO_FREE char *fresh = cs_sprintf("%s.new", path);
    CS_AUTO_FD int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good =
        fd >= 0 && write(fd, text, size) == (ssize_t)size && (!durable || fsync(fd) == 0) && rename(fresh, path) == 0;
    return good ? CS_OK : cs_fail_errno(err, errno, "writing %s", path);
}

char *cli_data_dir_path(const struct cli_data_dir *dir, struct cs_arena *arena, const char *name) {
    return cs_arena_sprintf(arena, "%s/%s", dir->path, name);
}

enum cs_status cli_data_dir_make(const struct cli_data_dir *dir, struct cs_arena *arena, const char *name,
                                 char **ret_path, struct cs_err *err) {
    char *path = cli_data_dir_path(dir, arena, name);
    CS_TRY(make_with_parents(path, err));
    *ret_path = path;
    return CS_OK;
}

/* ---- the lock ---- */

static enum cs_status take_lock(struct cli_data_dir *dir, struct cs_err *err) {
    CS_AUTO_FREE char *path = cs_sprintf("%s/lock", dir->path);
    dir->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (dir->lock_fd < 0) {
        return cs_fail_errno(err, errno, "opening %s", path);
    }
    char pid[16] = "";
    if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t size = pread(dir->lock_fd, pid, sizeof(pid) - 1, 0);
        pid[size > 0 ? size : 0] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        return cs_fail(err, CS_FAILED_PRECONDITION, "already_running", "another `callsheet up` (process %s) runs on %s",
                       pid, dir->path);
    }
    int length = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    if (ftruncate(dir->lock_fd, 0) != 0 || pwrite(dir->lock_fd, pid, (size_t)length, 0) != length) {
        return cs_fail_errno(err, errno, "writing %s", path);
    }
    return CS_OK;
}

/* ---- secrets ---- */

static enum cs_status make_secret(const char *path, struct cs_err *err) {
    unsigned char bytes[(CLI_SECRET_SIZE - 1) / 2];
    char text[CLI_SECRET_SIZE + 1];
    cs_random_bytes(bytes, sizeof(bytes));
    cs_hex_format(bytes, sizeof(bytes), text);
    text[CLI_SECRET_SIZE - 1] = '\n';
    return replace(path, text, CLI_SECRET_SIZE, true, err);
}

static enum cs_status read_secret(const struct cli_data_dir *dir, const char *name, char *ret_text, size_t capacity,
                                  struct cs_err *err) {
    CS_AUTO_FREE char *path = cs_sprintf("%s/%s", dir->path, name);
    if (access(path, F_OK) != 0) {
        CS_TRY(make_secret(path, err));
    }
    CS_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return cs_fail_errno(err, errno, "reading %s", path);
    }
    ssize_t size = read(fd, ret_text, capacity - 1);
    ret_text[size > 0 ? size : 0] = '\0';
    ret_text[strcspn(ret_text, "\r\n")] = '\0';
    if (ret_text[0] == '\0') {
        return cs_fail(err, CS_FAILED_PRECONDITION, "bad_secret", "%s is empty: remove it to have a new one made",
                       path);
    }
    return CS_OK;
}

/* ---- life ---- */

enum cs_status cli_data_dir_open(const char *path, struct cli_data_dir *ret_dir, struct cs_err *err) {
    struct cli_data_dir dir = {.lock_fd = -1};
    CS_TRY(make_with_parents(path, err));
    dir.path = realpath(path, NULL);
    if (dir.path == NULL) {
        return cs_fail_errno(err, errno, "%s", path);
    }
    enum cs_status status = take_lock(&dir, err);
    if (status == CS_OK) {
        status = read_secret(&dir, "link-secret", dir.link_secret, sizeof(dir.link_secret), err);
    }
    if (status == CS_OK) {
        status = read_secret(&dir, "service-token", dir.service_token, sizeof(dir.service_token), err);
    }
    if (status != CS_OK) {
        cli_data_dir_close(&dir);
        return status;
    }
    *ret_dir = dir;
    return CS_OK;
}

void cli_data_dir_close(struct cli_data_dir *dir) {
    if (dir->path == NULL) {
        return;
    }
    free(dir->path);
    if (dir->lock_fd >= 0) {
        (void)close(dir->lock_fd);
    }
    *dir = (struct cli_data_dir){.lock_fd = -1};
}

/* ---- processes.json ---- */

static json_t *process_of(struct cli_member_view member) {
    json_t *object = json_object();
    (void)json_object_set_new(object, "name", json_string(member.name));
    (void)json_object_set_new(object, "pid", member.pid != 0 ? json_integer(member.pid) : json_null());
    (void)json_object_set_new(object, "address", json_string(member.address));
    (void)json_object_set_new(object, "state", json_string(member.state));
    (void)json_object_set_new(object, "restarts", json_integer(member.restarts));
    return object;
}

enum cs_status cli_data_dir_write_processes(const struct cli_data_dir *dir, const struct cli_sup *sup,
                                            struct cs_err *err) {
    CS_AUTO_JSON *list = json_array();
    for (size_t i = 0; i < cli_sup_count(sup); i++) {
        (void)json_array_append_new(list, process_of(cli_sup_member(sup, i)));
    }
    CS_AUTO_FREE char *text = json_dumps(list, JSON_INDENT(2));
    CS_AUTO_FREE char *path = cs_sprintf("%s/processes.json", dir->path);
    return text != NULL ? replace(path, text, strlen(text), false, err)
                        : cs_fail(err, CS_INTERNAL, "bad_text", "%s cannot be written as JSON", path);
}
