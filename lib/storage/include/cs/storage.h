/*
 * storage: immutable objects under keys. A local directory now; the same interface holds for S3.
 *
 * Keys     {env}/{tenant}/{execution}/{job}/{attempt}/{name}: 1 … 1,024 bytes, segments of 1 … 255 bytes of
 *          [A-Za-z0-9_.:@ -] parted by "/", none "." or ".."; checked on every call: INVALID_ARGUMENT "bad_key".
 * Threads  a store may be used by many threads; a writer or reader by one at a time.
 * Fails    NOT_FOUND "no_such_object"; RESOURCE_EXHAUSTED "disk_full".
 * Durable  after put's commit returned, the object and its name survive a crash (file and directory are synced).
 *          An aborted or crashed put leaves nothing visible under the key.
 */
#ifndef CS_STORAGE_H
#define CS_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "cs/crypto.h"

enum { CS_STORAGE_KEY_MAX = 1024 };

struct cs_storage;
struct cs_storage_writer;

struct cs_object_info {
    uint64_t size_bytes;
    char sha256[CS_SHA256_HEX_SIZE]; /* lower-case hex; kept beside the object when it was written */
    int64_t modified_unix_ms;
};

/* Creates the directory when missing. url: "file:/path" or a path. */
enum cs_status cs_storage_open(const char *url, struct cs_storage **ret_storage, struct cs_err *err) CS_MUST_USE;
void cs_storage_close(struct cs_storage *storage);
CS_DEFINE_AUTO(cs_storage, cs_storage_close)

bool cs_storage_key_valid(const char *key);

/* Before work whose output goes here: RESOURCE_EXHAUSTED "disk_full" unless so many bytes are free now. */
enum cs_status cs_storage_need_room(struct cs_storage *storage, uint64_t size_bytes, struct cs_err *err) CS_MUST_USE;

/* ---- writing: start, write …, commit or abort. sha256 is computed while writing. ---- */
enum cs_status cs_storage_put_start(struct cs_storage *storage, const char *key, uint64_t size_max,
                                    struct cs_storage_writer **ret_writer, struct cs_err *err) CS_MUST_USE;
/* OUT_OF_RANGE "too_big" beyond size_max. */
enum cs_status cs_storage_write(struct cs_storage_writer *writer, const void *bytes, size_t size_bytes,
                                struct cs_err *err) CS_MUST_USE;
/* A descriptor to write to instead (a sandboxed child fills it; local stores give the temporary file itself). With it
 * the digest is computed at commit. */
enum cs_status cs_storage_writer_fd(struct cs_storage_writer *writer, int *ret_fd, struct cs_err *err) CS_MUST_USE;
/* Frees the writer in every case. FAILED_PRECONDITION "write_failed" after a write that failed. */
enum cs_status cs_storage_put_commit(struct cs_storage_writer *writer, struct cs_object_info *ret_info,
                                     struct cs_err *err) CS_MUST_USE;
void cs_storage_put_abort(struct cs_storage_writer *writer); /* NULL is fine */

/* Whole objects. */
enum cs_status cs_storage_put(struct cs_storage *storage, const char *key, const void *bytes, size_t size_bytes,
                              struct cs_object_info *ret_info, struct cs_err *err) CS_MUST_USE;
/* Moves (or copies) a finished file in. */
enum cs_status cs_storage_put_fd(struct cs_storage *storage, const char *key, int fd, struct cs_object_info *ret_info,
                                 struct cs_err *err) CS_MUST_USE;

/* ---- reading ---- */
enum cs_status cs_storage_stat(struct cs_storage *storage, const char *key, struct cs_object_info *ret_info,
                               struct cs_err *err) CS_MUST_USE;
/* A seekable, read-only descriptor of the object (S3: of a local copy). Caller closes. */
enum cs_status cs_storage_open_fd(struct cs_storage *storage, const char *key, int *ret_fd,
                                  struct cs_object_info *ret_info, struct cs_err *err) CS_MUST_USE;
/* [offset, offset + size) into ret_bytes; OUT_OF_RANGE when it is not inside the object. */
enum cs_status cs_storage_get_range(struct cs_storage *storage, const char *key, uint64_t offset, size_t size_bytes,
                                    void *ret_bytes, struct cs_err *err) CS_MUST_USE;
enum cs_status cs_storage_delete(struct cs_storage *storage, const char *key, struct cs_err *err) CS_MUST_USE;

#endif
