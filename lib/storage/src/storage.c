#include "cs/storage.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "cs/base/text.h"

enum { COPY_BYTES = 256 * 1024 };

enum cs_status cs_storage_open(const char *url, struct cs_storage **ret_storage, struct cs_err *err) {
    static const char scheme[] = "file:";
    bool is_url = cs_str_starts(url, scheme);
    const char *path = is_url ? url + sizeof(scheme) - 1 : url;
    if (is_url && cs_str_starts(path, "//")) {
        path += 2; /* file:///dir; what stands between would be a host */
        path = path[0] == '/' ? path : "";
    }
    if (path[0] == '\0' || strstr(path, "://") != NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_storage_url", "storage wants file:/directory or a path");
    }
    return cs_storage_local_open(path, ret_storage, err);
}

void cs_storage_close(struct cs_storage *storage) {
    if (storage != NULL) {
        storage->ops->close(storage);
    }
}

static enum cs_status check_key(const char *key, struct cs_err *err) {
    if (!cs_storage_key_valid(key)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_key",
                       "a storage key has 1 to %d bytes: segments of letters, digits, _ . : @ - and blank, parted by /",
                       CS_STORAGE_KEY_MAX);
    }
    return CS_OK;
}

/* ---- writing ---- */

enum cs_status cs_storage_put_start(struct cs_storage *storage, const char *key, uint64_t size_max,
                                    struct cs_storage_writer **ret_writer, struct cs_err *err) {
    CS_TRY(check_key(key, err));
    struct cs_storage_writer *writer = NULL;
    CS_TRY(storage->ops->put_start(storage, key, &writer, err));
    writer->size_max = size_max;
    *ret_writer = writer;
    return CS_OK;
}

enum cs_status cs_storage_write(struct cs_storage_writer *writer, const void *bytes, size_t size_bytes,
                                struct cs_err *err) {
    if (size_bytes > writer->size_max - writer->written_bytes) {
        writer->failed = true;
        return cs_fail(err, CS_OUT_OF_RANGE, "too_big", "the object is larger than %llu bytes",
                       (unsigned long long)writer->size_max);
    }
    enum cs_status status = writer->ops->write(writer, bytes, size_bytes, err);
    writer->failed = writer->failed || status != CS_OK;
    writer->written_bytes += status == CS_OK ? size_bytes : 0;
    return status;
}

enum cs_status cs_storage_writer_fd(struct cs_storage_writer *writer, int *ret_fd, struct cs_err *err) {
    return writer->ops->fd(writer, ret_fd, err);
}

enum cs_status cs_storage_put_commit(struct cs_storage_writer *writer, struct cs_object_info *ret_info,
                                     struct cs_err *err) {
    if (writer->failed) { /* part of what was refused may be in it */
        writer->ops->abort(writer);
        return cs_fail(err, CS_FAILED_PRECONDITION, "write_failed", "an object that was not written whole");
    }
    return writer->ops->commit(writer, ret_info, err);
}

void cs_storage_put_abort(struct cs_storage_writer *writer) {
    if (writer != NULL) {
        writer->ops->abort(writer);
    }
}

enum cs_status cs_storage_put(struct cs_storage *storage, const char *key, const void *bytes, size_t size_bytes,
                              struct cs_object_info *ret_info, struct cs_err *err) {
    struct cs_storage_writer *writer = NULL;
    CS_TRY(cs_storage_put_start(storage, key, size_bytes, &writer, err));
    enum cs_status status = cs_storage_write(writer, bytes, size_bytes, err);
    if (status != CS_OK) {
        cs_storage_put_abort(writer);
        return status;
    }
    return cs_storage_put_commit(writer, ret_info, err);
}

static enum cs_status copy_all(struct cs_storage_writer *writer, int fd, struct cs_err *err) {
    CS_AUTO_FREE char *block = cs_alloc(COPY_BYTES);
    for (off_t offset = 0;;) {
        ssize_t got = pread(fd, block, COPY_BYTES, offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return cs_fail_errno(err, errno, "reading a file for storage");
        }
        if (got == 0) {
            return CS_OK;
        }
        CS_TRY(cs_storage_write(writer, block, (size_t)got, err));
        offset += got;
    }
}

enum cs_status cs_storage_put_fd(struct cs_storage *storage, const char *key, int fd, struct cs_object_info *ret_info,
                                 struct cs_err *err) {
    struct cs_storage_writer *writer = NULL;
    CS_TRY(cs_storage_put_start(storage, key, UINT64_MAX, &writer, err));
    enum cs_status status = copy_all(writer, fd, err);
    if (status != CS_OK) {
        cs_storage_put_abort(writer);
        return status;
    }
    return cs_storage_put_commit(writer, ret_info, err);
}

/* ---- reading ---- */

enum cs_status cs_storage_stat(struct cs_storage *storage, const char *key, struct cs_object_info *ret_info,
                               struct cs_err *err) {
    CS_TRY(check_key(key, err));
    return storage->ops->stat(storage, key, ret_info, err);
}

enum cs_status cs_storage_open_fd(struct cs_storage *storage, const char *key, int *ret_fd,
                                  struct cs_object_info *ret_info, struct cs_err *err) {
    CS_TRY(check_key(key, err));
    return storage->ops->open_fd(storage, key, ret_fd, ret_info, err);
}

enum cs_status cs_storage_get_range(struct cs_storage *storage, const char *key, uint64_t offset, size_t size_bytes,
                                    void *ret_bytes, struct cs_err *err) {
    CS_TRY(check_key(key, err));
    return storage->ops->get_range(storage, key, offset, size_bytes, ret_bytes, err);
}

enum cs_status cs_storage_need_room(struct cs_storage *storage, uint64_t size_bytes, struct cs_err *err) {
    return storage->ops->need_room(storage, size_bytes, err);
}

enum cs_status cs_storage_delete(struct cs_storage *storage, const char *key, struct cs_err *err) {
    CS_TRY(check_key(key, err));
    return storage->ops->remove(storage, key, err);
}
