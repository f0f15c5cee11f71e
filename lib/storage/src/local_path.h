/*
 * local_path: walks a key below a directory, segment by segment, following no symbolic link.
 *
 * Trust    keys are valid (no "..", no empty segment); what lies on the disk may be anything.
 */
#ifndef CS_STORAGE_LOCAL_PATH_H
#define CS_STORAGE_LOCAL_PATH_H

#include <stdbool.h>

#include "cs/base/err.h"

/* The directory that holds key's last segment, which *ret_name points at (inside key). With create, missing directories
 * are made, and all on the way are synced. Caller closes *ret_dir. NOT_FOUND "no_such_object"; FAILED_PRECONDITION
 * "key_conflict" when a part of the key is an object itself. */
enum cs_status cs_local_walk(int root, const char *key, bool create, int *ret_dir, const char **ret_name,
                             struct cs_err *err) CS_MUST_USE;

/* Opens the object: a regular file. Caller closes. */
enum cs_status cs_local_open_object(int root, const char *key, int *ret_fd, struct cs_err *err) CS_MUST_USE;

enum cs_status cs_local_no_object(struct cs_err *err);

#endif
