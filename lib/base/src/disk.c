#include "cs/base/disk.h"

#include <errno.h>
#include <sys/statvfs.h>

enum cs_status cs_disk_need(int fd, uint64_t size_bytes, struct cs_err *err) {
    struct statvfs facts;
    if (fstatvfs(fd, &facts) != 0) {
        return cs_fail_errno(err, errno, "looking for room on a disk");
    }
    uint64_t block = facts.f_frsize != 0 ? facts.f_frsize : 1;
    if (facts.f_bavail < size_bytes / block + (size_bytes % block != 0)) { /* no product that could overflow */
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "disk_full", "the disk has less than %llu bytes free",
                       (unsigned long long)size_bytes);
    }
    return CS_OK;
}
