#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cs/base/id.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"

/* A file has its name only between these two calls of med_scratch_file, so whatever bears it is a leftover, or about to
 * lose the name anyway. */
static const char prefix[] = "input-";

struct med_scratch {
    int dir;
};

static void remove_leftovers(int dir_fd) {
    DIR *dir = fdopendir(fcntl(dir_fd, F_DUPFD_CLOEXEC, 0));
    if (dir == NULL) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (cs_str_starts(entry->d_name, prefix)) {
            (void)unlinkat(dir_fd, entry->d_name, 0);
        }
    }
    (void)closedir(dir);
}

enum cs_status med_scratch_open(const char *dir, struct med_scratch **ret_scratch, struct cs_err *err) {
    (void)mkdir(dir, 0700); /* what went wrong shows at open */
    CS_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) != 0) {
        return cs_fail_errno(err, errno, "opening the scratch directory \"%s\"", dir);
    }
    if (facts.st_uid != geteuid() || (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "scratch_not_ours",
                       "the scratch directory \"%s\" belongs to somebody else or others may write to it", dir);
    }
    remove_leftovers(fd);
    struct med_scratch *scratch = cs_alloc(sizeof(*scratch));
    scratch->dir = cs_steal_fd(&fd);
    *ret_scratch = scratch;
    return CS_OK;
}

void med_scratch_close(struct med_scratch *scratch) {
    if (scratch != NULL) {
        (void)close(scratch->dir);
        free(scratch);
    }
}

enum cs_status med_scratch_need_room(struct med_scratch *scratch, uint64_t size_bytes, struct cs_err *err) {
    return cs_disk_need(scratch->dir, size_bytes, err);
}

enum cs_status med_scratch_file(struct med_scratch *scratch, int *ret_fd, struct cs_err *err) {
    char id[CS_ID_SIZE];
    cs_id_make(id);
    char name[sizeof(prefix) + CS_ID_SIZE];
    (void)snprintf(name, sizeof(name), "%s%s", prefix, id);
    int fd = openat(scratch->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return cs_fail_errno(err, errno, "making a scratch file");
    }
    (void)unlinkat(scratch->dir, name, 0);
    *ret_fd = fd;
    return CS_OK;
}
