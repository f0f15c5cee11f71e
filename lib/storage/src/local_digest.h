/*
 * local_digest: the sha256 of an object, kept in an extended attribute of its file.
 *
 * The attribute is set before the file gets its name, so both appear together. It names the size that it was computed
 * for; where it is missing, of another size, or the file system has no attributes, the digest is computed from the
 * bytes and remembered in memory by inode, size and time.
 *
 * Threads  any.
 */
#ifndef CS_STORAGE_LOCAL_DIGEST_H
#define CS_STORAGE_LOCAL_DIGEST_H

#include "cs/storage.h"

struct cs_local_digests; /* the memory */

struct cs_local_digests *cs_local_digests_create(void);
void cs_local_digests_destroy(struct cs_local_digests *digests);

/* Best effort: a file system without attributes is fine. */
void cs_local_digest_keep(int fd, uint64_t size_bytes, const char sha256[CS_SHA256_HEX_SIZE]);

/* Size, digest and time of an open object. */
enum cs_status cs_local_digest_info(struct cs_local_digests *digests, int fd, struct cs_object_info *ret_info,
                                    struct cs_err *err) CS_MUST_USE;

/* Reads the whole file. */
enum cs_status cs_local_digest_compute(int fd, char ret_sha256[CS_SHA256_HEX_SIZE], uint64_t *ret_size_bytes,
                                       struct cs_err *err) CS_MUST_USE;

#endif
