#include "vendor/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/crypto.h"
#include "cs/rpc.h"

enum {
    DIR_MODE = 0700,
    FILE_MODE = 0600,
    INPUTS_MAX = 64,
    RECORD_BYTES_MAX = 1 << 20,
    COPY_BYTES = 1 << 20,
    ID_HEX_BYTES = 16,
};

static const char output_making[] = "output.part";

struct prv_ledger {
    int tmp;
    int predictions;
};

/* ---- files ---- */

static enum cs_status write_all(int fd, const void *bytes, size_t size, struct cs_err *err) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return cs_fail_errno(err, errno, "writing the ledger");
        }
        at += written;
        size -= (size_t)written;
    }
    return CS_OK;
}

static enum cs_status sync_fd(int fd, struct cs_err *err) {
    return fsync(fd) == 0 ? CS_OK : cs_fail_errno(err, errno, "syncing the ledger");
}

static enum cs_status write_file(int dir, const char *name, const void *bytes, size_t size, struct cs_err *err) {
    CS_AUTO_FD int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return cs_fail_errno(err, errno, "creating %s in the ledger", name);
    }
    CS_TRY(write_all(fd, bytes, size, err));
    return sync_fd(fd, err);
}

/* Whole, or not at all, and only the first one counts. */
static enum cs_status write_once(int dir, const char *name, const void *bytes, size_t size, struct cs_err *err) {
    char part[CS_ID_SIZE + 8];
    char id[CS_ID_SIZE];
    cs_id_make(id);
    (void)snprintf(part, sizeof(part), "part-%s", id);
    CS_TRY(write_file(dir, part, bytes, size, err));
    int code = linkat(dir, part, dir, name, 0) == 0 || errno == EEXIST ? 0 : errno;
    (void)unlinkat(dir, part, 0);
    return code == 0 ? sync_fd(dir, err) : cs_fail_errno(err, code, "writing %s to the ledger", name);
}

static enum cs_status read_file(int dir, const char *name, struct cs_buf *out, struct cs_err *err) {
    CS_AUTO_FD int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return cs_fail_errno(err, errno, "reading %s of the ledger", name);
    }
    char bytes[16 * 1024];
    ssize_t got = 0;
    while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
        if (out->size + (size_t)got > RECORD_BYTES_MAX) {
            return cs_fail(err, CS_OUT_OF_RANGE, "too_big", "%s of the ledger is too big", name);
        }
        cs_buf_put(out, bytes, (size_t)got);
    }
    return got == 0 ? CS_OK : cs_fail_errno(err, errno, "reading %s of the ledger", name);
}

static enum cs_status copy_in(int dir, const char *name, int from, struct cs_err *err) {
    CS_AUTO_FD int to = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (to < 0) {
        return cs_fail_errno(err, errno, "creating %s in the ledger", name);
    }
    CS_AUTO_FREE char *bytes = cs_alloc(COPY_BYTES);
    off_t offset = 0;
    for (;;) {
        ssize_t got = pread(from, bytes, COPY_BYTES, offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return cs_fail_errno(err, errno, "reading an input");
        }
        if (got == 0) {
            return sync_fd(to, err);
        }
        CS_TRY(write_all(to, bytes, (size_t)got, err));
        offset += got;
    }
}

static void remove_dir(int parent, const char *name) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        (void)unlinkat(fd, entry->d_name, 0);
    }
    if (dir != NULL) {
        (void)closedir(dir);
    } else if (fd >= 0) {
        (void)close(fd);
    }
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

/* ---- open ---- */

static bool is_old(int parent, const char *name, const char *file) {
    char path[512];
    struct stat facts;
    (void)snprintf(path, sizeof(path), "%s/%s", name, file);
    return fstatat(parent, path, &facts, 0) == 0 && time(NULL) - facts.st_mtime > PRV_LEDGER_KEPT_S;
}

/* Old ends, and what a crash left of submissions in the making. */
static void sweep(int parent, bool making) {
    int copy = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;
        bool dots = name[0] == '.';
        bool old =
            making ? is_old(parent, name, ".")
                   : is_old(parent, name, "done") || is_old(parent, name, "failed") || is_old(parent, name, "canceled");
        if (!dots && old) {
            remove_dir(parent, name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

static enum cs_status open_dir(int parent, const char *path, int *ret_fd, struct cs_err *err) {
    if (mkdirat(parent, path, DIR_MODE) != 0 && errno != EEXIST) {
        return cs_fail_errno(err, errno, "making the ledger's directory %s", path);
    }
    *ret_fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd >= 0 ? CS_OK : cs_fail_errno(err, errno, "opening the ledger's directory %s", path);
}

enum cs_status prv_ledger_open(const char *dir, struct prv_ledger **ret_ledger, struct cs_err *err) {
    CS_AUTO_FD int root = -1;
    CS_TRY(open_dir(AT_FDCWD, dir, &root, err));
    CS_AUTO(prv_ledger) *ledger = cs_alloc(sizeof(*ledger));
    *ledger = (struct prv_ledger){.tmp = -1, .predictions = -1};
    CS_TRY(open_dir(root, "tmp", &ledger->tmp, err));
    CS_TRY(open_dir(root, "predictions", &ledger->predictions, err));
    CS_TRY(sync_fd(root, err));
    sweep(ledger->tmp, true);
    sweep(ledger->predictions, false);
    *ret_ledger = cs_steal(&ledger);
    return CS_OK;
}

void prv_ledger_close(struct prv_ledger *ledger) {
    if (ledger == NULL) {
        return;
    }
    if (ledger->tmp >= 0) {
        (void)close(ledger->tmp);
    }
    if (ledger->predictions >= 0) {
        (void)close(ledger->predictions);
    }
    free(ledger);
}

/* ---- submissions ---- */

void prv_ledger_id(const char *key, char ret_id[PRV_LEDGER_ID_SIZE]) {
    unsigned char digest[CS_SHA256_BYTES];
    cs_sha256_of(key, strlen(key), digest);
    char hex[2 * ID_HEX_BYTES + 1];
    cs_hex_format(digest, ID_HEX_BYTES, hex);
    (void)snprintf(ret_id, PRV_LEDGER_ID_SIZE, "loc_%s", hex);
}

static enum cs_status fill(int dir, const char *key, const void *request, size_t request_size, const int *fds,
                           size_t fd_count, struct cs_err *err) {
    CS_TRY(write_file(dir, "key", key, strlen(key), err));
    CS_TRY(write_file(dir, "request", request, request_size, err));
    for (size_t i = 0; i < fd_count; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "input-%zu", i + 1);
        CS_TRY(copy_in(dir, name, fds[i], err));
    }
    return sync_fd(dir, err);
}

static enum cs_status publish(struct prv_ledger *ledger, const char *making, const char *id, bool *ret_fresh,
                              struct cs_err *err) {
    if (renameat2(ledger->tmp, making, ledger->predictions, id, RENAME_NOREPLACE) == 0) {
        *ret_fresh = true;
        return sync_fd(ledger->predictions, err);
    }
    int code = errno;
    remove_dir(ledger->tmp, making);
    if (code != EEXIST && code != ENOTEMPTY) {
        return cs_fail_errno(err, code, "recording a submission");
    }
    *ret_fresh = false;
    return CS_OK;
}

enum cs_status prv_ledger_add(struct prv_ledger *ledger, const char *key, const void *request, size_t request_size,
                              const int *fds, size_t fd_count, char ret_id[PRV_LEDGER_ID_SIZE], bool *ret_fresh,
                              struct cs_err *err) {
    char making[CS_ID_SIZE];
    if (fd_count > INPUTS_MAX || request_size > RECORD_BYTES_MAX) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "too_big", "a local prediction has at most %d inputs", INPUTS_MAX);
    }
    prv_ledger_id(key, ret_id);
    if (faccessat(ledger->predictions, ret_id, F_OK, 0) == 0) {
        *ret_fresh = false;
        return CS_OK;
    }
    cs_id_make(making);
    CS_AUTO_FD int dir = -1;
    CS_TRY(open_dir(ledger->tmp, making, &dir, err));
    enum cs_status status = fill(dir, key, request, request_size, fds, fd_count, err);
    if (status != CS_OK) {
        remove_dir(ledger->tmp, making);
        return status;
    }
    return publish(ledger, making, ret_id, ret_fresh, err);
}

/* ---- looking ---- */

static enum cs_status open_prediction(struct prv_ledger *ledger, const char *id, int *ret_dir, struct cs_err *err) {
    bool ours =
        strnlen(id, PRV_LEDGER_ID_SIZE) < PRV_LEDGER_ID_SIZE && cs_str_starts(id, "loc_") && strchr(id, '/') == NULL;
    *ret_dir = ours ? openat(ledger->predictions, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (*ret_dir >= 0) {
        return CS_OK;
    }
    if (ours && errno != ENOENT) {
        return cs_fail_errno(err, errno, "opening a prediction");
    }
    return cs_fail(err, CS_NOT_FOUND, "no_such_prediction", "there is no such prediction");
}

static bool exists(int dir, const char *name) {
    return faccessat(dir, name, F_OK, 0) == 0;
}

static enum cs_status read_failed(int dir, struct cs_arena *arena, struct prv_ledger_entry *entry, struct cs_err *err) {
    CS_AUTO_BUF bytes = {0};
    ProtobufCMessage *message = NULL;
    CS_TRY(read_file(dir, "failed", &bytes, err));
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__failed__descriptor, bytes.data != NULL ? bytes.data : "",
                                       bytes.size, arena, &message, err));
    entry->failed = (Callsheet__V1__Failed *)message;
    return CS_OK;
}

enum cs_status prv_ledger_get(struct prv_ledger *ledger, const char *id, struct cs_arena *arena,
                              struct prv_ledger_entry *ret_entry, struct cs_err *err) {
    CS_AUTO_FD int dir = -1;
    CS_TRY(open_prediction(ledger, id, &dir, err));
    struct prv_ledger_entry entry = {0};
    struct stat begun;
    entry.begun = fstatat(dir, "begun", &begun, 0) == 0 ? (int)begun.st_size : 0;
    if (exists(dir, "canceled")) {
        entry.state = PRV_LEDGER_CANCELED;
    } else if (exists(dir, "done")) {
        entry.state = PRV_LEDGER_DONE;
    } else if (exists(dir, "failed")) {
        entry.state = PRV_LEDGER_FAILED;
        CS_TRY(read_failed(dir, arena, &entry, err));
    }
    *ret_entry = entry;
    return CS_OK;
}

/* ---- rendering ---- */

void prv_rendering_fini(struct prv_rendering *rendering) {
    for (size_t i = 0; i < rendering->fd_count; i++) {
        (void)close(rendering->fds[i]);
    }
    if (rendering->lock_fd >= 0) {
        (void)close(rendering->lock_fd);
    }
    free(rendering->fds);
    *rendering = (struct prv_rendering){.lock_fd = -1};
}

static enum cs_status lock(int dir, int *ret_fd, struct cs_err *err) {
    *ret_fd = openat(dir, "begun", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, FILE_MODE);
    if (*ret_fd < 0) {
        return cs_fail_errno(err, errno, "opening a prediction");
    }
    if (flock(*ret_fd, LOCK_EX | LOCK_NB) != 0) {
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "rendering_elsewhere", "another process renders this prediction");
    }
    return CS_OK;
}

static enum cs_status add_fd(struct prv_rendering *rendering, int dir, const char *name, int flags,
                             struct cs_err *err) {
    int fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0) {
        return cs_fail_errno(err, errno, "opening %s of a prediction", name);
    }
    rendering->fds[rendering->fd_count++] = fd;
    return CS_OK;
}

static enum cs_status load(struct prv_rendering *rendering, int dir, struct cs_arena *arena, struct cs_err *err) {
    CS_AUTO_BUF bytes = {0};
    ProtobufCMessage *message = NULL;
    char name[32];
    CS_TRY(lock(dir, &rendering->lock_fd, err));
    if (exists(dir, "done") || exists(dir, "failed") || exists(dir, "canceled")) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "ended", "the prediction has ended");
    }
    CS_TRY(read_file(dir, "request", &bytes, err));
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__operation__descriptor, bytes.data != NULL ? bytes.data : "",
                                       bytes.size, arena, &message, err));
    rendering->operation = (Callsheet__V1__Operation *)message;
    rendering->fds = cs_alloc_array(INPUTS_MAX + 1, sizeof(*rendering->fds));
    for (int i = 1; i <= INPUTS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "input-%d", i);
        if (!exists(dir, name)) {
            break;
        }
        CS_TRY(add_fd(rendering, dir, name, O_RDONLY, err));
    }
    (void)unlinkat(dir, output_making, 0); /* of an earlier rendering; a dying child may still hold it */
    CS_TRY(add_fd(rendering, dir, output_making, O_RDWR | O_CREAT | O_EXCL, err));
    return write_all(rendering->lock_fd, ".", 1, err);
}

enum cs_status prv_ledger_begin(struct prv_ledger *ledger, const char *id, struct cs_arena *arena,
                                struct prv_rendering *ret_rendering, struct cs_err *err) {
    CS_AUTO_FD int dir = -1;
    struct prv_rendering rendering = {.lock_fd = -1};
    CS_TRY(open_prediction(ledger, id, &dir, err));
    enum cs_status status = load(&rendering, dir, arena, err);
    if (status != CS_OK) {
        prv_rendering_fini(&rendering);
        return status;
    }
    *ret_rendering = rendering;
    return CS_OK;
}

static enum cs_status keep_output(int dir, struct cs_err *err) {
    CS_AUTO_FD int fd = openat(dir, output_making, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fsync(fd) != 0 || renameat(dir, output_making, dir, "output") != 0) {
        return cs_fail_errno(err, errno, "keeping the output of a prediction");
    }
    return write_once(dir, "done", "", 0, err);
}

enum cs_status prv_ledger_end(struct prv_ledger *ledger, const char *id, const Callsheet__V1__Failed *failed,
                              struct cs_err *err) {
    CS_AUTO_FD int dir = -1;
    CS_TRY(open_prediction(ledger, id, &dir, err));
    if (failed == NULL) {
        return keep_output(dir, err);
    }
    size_t size = callsheet__v1__failed__get_packed_size(failed);
    CS_AUTO_FREE uint8_t *bytes = cs_alloc(size + 1);
    (void)callsheet__v1__failed__pack(failed, bytes);
    return write_once(dir, "failed", bytes, size, err);
}

enum cs_status prv_ledger_cancel(struct prv_ledger *ledger, const char *id, struct cs_err *err) {
    CS_AUTO_FD int dir = -1;
    CS_TRY(open_prediction(ledger, id, &dir, err));
    if (exists(dir, "done") || exists(dir, "failed")) {
        return CS_OK;
    }
    return write_once(dir, "canceled", "", 0, err);
}

enum cs_status prv_ledger_output(struct prv_ledger *ledger, const char *id, int *ret_fd, struct cs_err *err) {
    CS_AUTO_FD int dir = -1;
    CS_TRY(open_prediction(ledger, id, &dir, err));
    if (!exists(dir, "done")) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "not_done", "the prediction has no output yet");
    }
    *ret_fd = openat(dir, "output", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return *ret_fd >= 0 ? CS_OK : cs_fail_errno(err, errno, "opening the output of a prediction");
}
