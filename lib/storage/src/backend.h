/*
 * backend: what a place for objects must be able to do. storage.c checks keys and sizes before it calls here.
 *
 * Owns     a backend and a writer embed the structs below as their first member and free themselves in close, commit,
 *          abort.
 * Fails    as in cs/storage.h; a missing object is NOT_FOUND "no_such_object".
 */
#ifndef CS_STORAGE_BACKEND_H
#define CS_STORAGE_BACKEND_H

#include "cs/storage.h"

struct cs_storage_ops {
    void (*close)(struct cs_storage *storage);
    enum cs_status (*put_start)(struct cs_storage *storage, const char *key, struct cs_storage_writer **ret_writer,
                                struct cs_err *err);
    enum cs_status (*stat)(struct cs_storage *storage, const char *key, struct cs_object_info *ret_info,
                           struct cs_err *err);
    enum cs_status (*open_fd)(struct cs_storage *storage, const char *key, int *ret_fd, struct cs_object_info *ret_info,
                              struct cs_err *err);
    enum cs_status (*get_range)(struct cs_storage *storage, const char *key, uint64_t offset, size_t size_bytes,
                                void *ret_bytes, struct cs_err *err);
    enum cs_status (*need_room)(struct cs_storage *storage, uint64_t size_bytes, struct cs_err *err);
    enum cs_status (*remove)(struct cs_storage *storage, const char *key, struct cs_err *err);
};

struct cs_storage {
    const struct cs_storage_ops *ops;
};

struct cs_storage_writer_ops {
    enum cs_status (*write)(struct cs_storage_writer *writer, const void *bytes, size_t size_bytes, struct cs_err *err);
    enum cs_status (*fd)(struct cs_storage_writer *writer, int *ret_fd, struct cs_err *err);
    enum cs_status (*commit)(struct cs_storage_writer *writer, struct cs_object_info *ret_info, struct cs_err *err);
    void (*abort)(struct cs_storage_writer *writer);
};

struct cs_storage_writer {
    const struct cs_storage_writer_ops *ops;
    uint64_t size_max;
    uint64_t written_bytes; /* through write */
    bool failed;            /* a write did: nothing to commit */
};

/* root is an absolute or relative directory; it is created when missing. */
enum cs_status cs_storage_local_open(const char *root, struct cs_storage **ret_storage, struct cs_err *err);

#endif
