/*
 * disk: whether there is room before work begins that would fill it.
 *
 * Fails    RESOURCE_EXHAUSTED "disk_full", as a write to a full disk does.
 */
#ifndef CS_BASE_DISK_H
#define CS_BASE_DISK_H

#include <stdint.h>

#include "cs/base/err.h"

/* That size_bytes are free for us on the file system of an open file or directory. */
enum cs_status cs_disk_need(int fd, uint64_t size_bytes, struct cs_err *err) CS_MUST_USE;

#endif
