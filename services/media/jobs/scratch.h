/*
 * scratch: files without a name, for fetched inputs. They vanish with their last descriptor, also when we crash.
 *
 * Threads  any.
 */
#ifndef MED_SCRATCH_H
#define MED_SCRATCH_H

#include "cs/base/disk.h"

struct med_scratch;

/* Makes the directory when only its last part is missing, and removes what a crash left there. It must be ours alone:
 * FAILED_PRECONDITION "scratch_not_ours". */
enum cs_status med_scratch_open(const char *dir, struct med_scratch **ret_scratch, struct cs_err *err) CS_MUST_USE;
void med_scratch_close(struct med_scratch *scratch);

/* RESOURCE_EXHAUSTED "disk_full" unless so many bytes are free now. */
enum cs_status med_scratch_need_room(struct med_scratch *scratch, uint64_t size_bytes, struct cs_err *err) CS_MUST_USE;

/* An empty file, read-write. Caller closes. */
enum cs_status med_scratch_file(struct med_scratch *scratch, int *ret_fd, struct cs_err *err) CS_MUST_USE;

#endif
