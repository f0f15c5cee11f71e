/*
 * local: objects as files of a directory.
 *
 *     ROOT/{key}         the objects
 *     ROOT/~tmp/{id}     what is being written; "~" cannot be in a key
 *
 * A commit is: sync the file, rename it to its key, sync the directory. What a crash left in ~tmp is removed at open
 * once nothing has been written to it for LEFTOVER_AGE_S.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "cs/base/disk.h"
#include "cs/base/id.h"
#include "local_digest.h"
#include "local_path.h"

enum { LEFTOVER_AGE_S = 24 * 3600, ROOT_MODE = 0750, TEMPORARY_MODE = 0700, OBJECT_MODE = 0640 };

static const char temporary_name[] = "~tmp";

struct local {
    struct cs_storage base;
    int root;
    int temporary;
    struct cs_local_digests *digests;
};

struct local_writer {
    struct cs_storage_writer base;
    struct local *local;
    char *key;
    char name[CS_ID_SIZE]; /* in ~tmp */
    int fd;
    struct cs_sha256 *hash; /* NULL once the descriptor was given out */
};

static struct local *local_of(struct cs_storage *storage) {
    return (struct local *)storage;
}

/* ---- writing ---- */

static void writer_free(struct local_writer *writer) {
    (void)close(writer->fd);
    cs_sha256_destroy(writer->hash);
    free(writer->key);
    free(writer);
}

static void writer_abort(struct cs_storage_writer *base) {
    struct local_writer *writer = (struct local_writer *)base;
    (void)unlinkat(writer->local->temporary, writer->name, 0);
    writer_free(writer);
}

static enum cs_status writer_write(struct cs_storage_writer *base, const void *bytes, size_t size_bytes,
                                   struct cs_err *err) {
    struct local_writer *writer = (struct local_writer *)base;
    const char *at = bytes;
    for (size_t left = size_bytes; left > 0;) {
        ssize_t put = write(writer->fd, at, left);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return cs_fail_errno(err, errno, "writing to storage");
        }
        at += put;
        left -= (size_t)put;
    }
    if (writer->hash != NULL) {
        cs_sha256_update(writer->hash, bytes, size_bytes);
    }
    return CS_OK;
}

static enum cs_status writer_fd(struct cs_storage_writer *base, int *ret_fd, struct cs_err *err) {
    (void)err;
    struct local_writer *writer = (struct local_writer *)base;
    cs_sha256_destroy(cs_steal(&writer->hash));
    *ret_fd = writer->fd;
    return CS_OK;
}

static enum cs_status writer_digest(struct local_writer *writer, struct cs_object_info *info, struct cs_err *err) {
    if (writer->hash == NULL) {
        CS_TRY(cs_local_digest_compute(writer->fd, info->sha256, &info->size_bytes, err));
    } else {
        unsigned char digest[CS_SHA256_BYTES];
        cs_sha256_final(writer->hash, digest);
        cs_hex_format(digest, sizeof(digest), info->sha256);
        info->size_bytes = writer->base.written_bytes;
    }
    if (info->size_bytes > writer->base.size_max) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_big", "the object is larger than %llu bytes",
                       (unsigned long long)writer->base.size_max);
    }
    return CS_OK;
}

static enum cs_status publish(struct local_writer *writer, struct cs_err *err) {
    CS_AUTO_FD int dir = -1;
    const char *name = writer->key;
    CS_TRY(cs_local_walk(writer->local->root, writer->key, true, &dir, &name, err));
    if (renameat(writer->local->temporary, writer->name, dir, name) != 0) {
        if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST) {
            return cs_fail(err, CS_FAILED_PRECONDITION, "key_conflict", "the key is a directory of storage");
        }
        return cs_fail_errno(err, errno, "naming an object");
    }
    return fsync(dir) == 0 ? CS_OK : cs_fail_errno(err, errno, "syncing a directory of storage");
}

static enum cs_status writer_finish(struct local_writer *writer, struct cs_object_info *ret_info, struct cs_err *err) {
    struct cs_object_info info = {0};
    CS_TRY(writer_digest(writer, &info, err));
    cs_local_digest_keep(writer->fd, info.size_bytes, info.sha256);
    struct stat facts;
    if (fsync(writer->fd) != 0 || fstat(writer->fd, &facts) != 0) {
        return cs_fail_errno(err, errno, "syncing an object");
    }
    CS_TRY(publish(writer, err));
    info.modified_unix_ms = (int64_t)facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1000000;
    if (ret_info != NULL) {
        *ret_info = info;
    }
    return CS_OK;
}

static enum cs_status writer_commit(struct cs_storage_writer *base, struct cs_object_info *ret_info,
                                    struct cs_err *err) {
    enum cs_status status = writer_finish((struct local_writer *)base, ret_info, err);
    if (status != CS_OK) {
        writer_abort(base);
    } else {
        writer_free((struct local_writer *)base);
    }
    return status;
}

static const struct cs_storage_writer_ops writer_ops = {
    .write = writer_write, .fd = writer_fd, .commit = writer_commit, .abort = writer_abort};

static enum cs_status local_put_start(struct cs_storage *storage, const char *key,
                                      struct cs_storage_writer **ret_writer, struct cs_err *err) {
    struct local *local = local_of(storage);
    char name[CS_ID_SIZE];
    cs_id_make(name);
    int fd = openat(local->temporary, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OBJECT_MODE);
    if (fd < 0) {
        return cs_fail_errno(err, errno, "starting an object");
    }
    struct local_writer *writer = cs_alloc(sizeof(*writer));
    writer->base.ops = &writer_ops;
    writer->local = local;
    writer->key = cs_strdup(key);
    memcpy(writer->name, name, sizeof(name));
    writer->fd = fd;
    writer->hash = cs_sha256_create();
    *ret_writer = &writer->base;
    return CS_OK;
}

/* ---- reading ---- */

static enum cs_status local_open_fd(struct cs_storage *storage, const char *key, int *ret_fd,
                                    struct cs_object_info *ret_info, struct cs_err *err) {
    struct local *local = local_of(storage);
    CS_AUTO_FD int fd = -1;
    CS_TRY(cs_local_open_object(local->root, key, &fd, err));
    if (ret_info != NULL) {
        CS_TRY(cs_local_digest_info(local->digests, fd, ret_info, err));
    }
    *ret_fd = cs_steal_fd(&fd);
    return CS_OK;
}

static enum cs_status local_stat(struct cs_storage *storage, const char *key, struct cs_object_info *ret_info,
                                 struct cs_err *err) {
    CS_AUTO_FD int fd = -1;
    return local_open_fd(storage, key, &fd, ret_info, err);
}

static enum cs_status local_get_range(struct cs_storage *storage, const char *key, uint64_t offset, size_t size_bytes,
                                      void *ret_bytes, struct cs_err *err) {
    CS_AUTO_FD int fd = -1;
    CS_TRY(cs_local_open_object(local_of(storage)->root, key, &fd, err));
    struct stat facts;
    if (fstat(fd, &facts) != 0) {
        return cs_fail_errno(err, errno, "reading facts of an object");
    }
    uint64_t size = (uint64_t)facts.st_size;
    if (offset > size || size_bytes > size - offset) {
        return cs_fail(err, CS_OUT_OF_RANGE, "bad_range", "the range is not inside the object's %llu bytes",
                       (unsigned long long)size);
    }
    for (size_t done = 0; done < size_bytes;) {
        ssize_t got = pread(fd, (char *)ret_bytes + done, size_bytes - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return cs_fail_errno(err, got < 0 ? errno : EIO, "reading an object of storage");
        }
        done += (size_t)got;
    }
    return CS_OK;
}

static enum cs_status local_remove(struct cs_storage *storage, const char *key, struct cs_err *err) {
    CS_AUTO_FD int dir = -1;
    const char *name = key;
    CS_TRY(cs_local_walk(local_of(storage)->root, key, false, &dir, &name, err));
    if (unlinkat(dir, name, 0) != 0) {
        return errno == ENOENT || errno == EISDIR ? cs_local_no_object(err)
                                                  : cs_fail_errno(err, errno, "deleting an object");
    }
    return fsync(dir) == 0 ? CS_OK : cs_fail_errno(err, errno, "syncing a directory of storage");
}

static enum cs_status local_need_room(struct cs_storage *storage, uint64_t size_bytes, struct cs_err *err) {
    return cs_disk_need(local_of(storage)->temporary, size_bytes, err);
}

/* ---- life ---- */

static void local_close(struct cs_storage *storage) {
    struct local *local = local_of(storage);
    (void)close(local->temporary);
    (void)close(local->root);
    cs_local_digests_destroy(local->digests);
    free(local);
}

static const struct cs_storage_ops local_ops = {
    .close = local_close,
    .put_start = local_put_start,
    .stat = local_stat,
    .open_fd = local_open_fd,
    .get_range = local_get_range,
    .need_room = local_need_room,
    .remove = local_remove,
};

static void remove_leftovers(int temporary) {
    CS_AUTO_FD int own = fcntl(temporary, F_DUPFD_CLOEXEC, 0);
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;
    if (dir == NULL) {
        return;
    }
    (void)cs_steal_fd(&own); /* closedir closes it */
    time_t newest = time(NULL) - LEFTOVER_AGE_S;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct stat facts;
        if (fstatat(temporary, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(facts.st_mode) &&
            facts.st_mtime < newest) {
            (void)unlinkat(temporary, entry->d_name, 0);
        }
    }
    (void)closedir(dir);
}

/* mkdir -p; what went wrong shows at open. True when the last one is new. */
static bool make_root(const char *root) {
    CS_AUTO_FREE char *path = cs_strdup(root);
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            (void)mkdir(path, ROOT_MODE);
            *at = '/';
        }
    }
    return mkdir(path, ROOT_MODE) == 0;
}

enum cs_status cs_storage_local_open(const char *root, struct cs_storage **ret_storage, struct cs_err *err) {
    bool created = make_root(root);
    CS_AUTO_FD int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return cs_fail_errno(err, errno, "opening storage at \"%s\"", root);
    }
    if (mkdirat(dir, temporary_name, TEMPORARY_MODE) != 0 && errno != EEXIST) {
        return cs_fail_errno(err, errno, "making a directory in storage at \"%s\"", root);
    }
    int temporary = openat(dir, temporary_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (temporary < 0) {
        return cs_fail_errno(err, errno, "opening storage at \"%s\"", root);
    }
    if (created) {
        (void)syncfs(temporary); /* the root's own name */
    }
    remove_leftovers(temporary);
    struct local *local = cs_alloc(sizeof(*local));
    local->base.ops = &local_ops;
    local->root = cs_steal_fd(&dir);
    local->temporary = temporary;
    local->digests = cs_local_digests_create();
    *ret_storage = &local->base;
    return CS_OK;
}
