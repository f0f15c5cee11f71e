#include "local_path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cs/base/auto.h"

enum { NAME_BYTES_MAX = 255, DIRECTORY_MODE = 0750 };

enum cs_status cs_local_no_object(struct cs_err *err) {
    return cs_fail(err, CS_NOT_FOUND, "no_such_object", "there is no such object in storage");
}

static enum cs_status fail_walk(int errnum, bool create, struct cs_err *err) {
    if (errnum == ENOENT || (errnum == ENOTDIR && !create)) {
        return cs_local_no_object(err);
    }
    if (errnum == ENOTDIR || errnum == ELOOP) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "key_conflict", "a part of the key is not a directory of storage");
    }
    return cs_fail_errno(err, errnum, "opening a directory of storage");
}

static enum cs_status make_directory(int parent, const char *name, struct cs_err *err) {
    if (mkdirat(parent, name, DIRECTORY_MODE) != 0 && errno != EEXIST) {
        return cs_fail_errno(err, errno, "making a directory of storage");
    }
    return CS_OK;
}

static enum cs_status enter(int parent, const char *name, bool create, int *ret_dir, struct cs_err *err) {
    static const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int dir = openat(parent, name, flags);
    if (dir < 0 && errno == ENOENT && create) {
        CS_TRY(make_directory(parent, name, err));
        dir = openat(parent, name, flags);
    }
    if (dir < 0) {
        return fail_walk(errno, create, err);
    }
    /* Also when it was there: another process may have made it and not have synced it yet. */
    if (create && fsync(parent) != 0) {
        int errnum = errno;
        (void)close(dir);
        return cs_fail_errno(err, errnum, "syncing a directory of storage");
    }
    *ret_dir = dir;
    return CS_OK;
}

enum cs_status cs_local_walk(int root, const char *key, bool create, int *ret_dir, const char **ret_name,
                             struct cs_err *err) {
    CS_AUTO_FD int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);
    if (dir < 0) {
        return cs_fail_errno(err, errno, "opening storage");
    }
    for (const char *slash; (slash = strchr(key, '/')) != NULL; key = slash + 1) {
        char name[NAME_BYTES_MAX + 1] = {0};
        memcpy(name, key, (size_t)(slash - key));
        int next = -1;
        CS_TRY(enter(dir, name, create, &next, err));
        (void)close(dir);
        dir = next;
    }
    *ret_dir = cs_steal_fd(&dir);
    *ret_name = key;
    return CS_OK;
}

enum cs_status cs_local_open_object(int root, const char *key, int *ret_fd, struct cs_err *err) {
    CS_AUTO_FD int dir = -1;
    const char *name = key;
    CS_TRY(cs_local_walk(root, key, false, &dir, &name, err));
    CS_AUTO_FD int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat facts;
    if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENXIO)) {
        return cs_local_no_object(err);
    }
    if (fd < 0 || fstat(fd, &facts) != 0) {
        return cs_fail_errno(err, errno, "opening an object of storage");
    }
    if (!S_ISREG(facts.st_mode)) {
        return cs_local_no_object(err);
    }
    *ret_fd = cs_steal_fd(&fd);
    return CS_OK;
}
