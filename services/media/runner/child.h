/*
 * child: the life of a forked child: into the sandbox, run the job, report, end. Its inputs can only be read.
 */
#ifndef MED_CHILD_H
#define MED_CHILD_H

#include "callsheet/v1/runner.pb-c.h"
#include "sandbox.h"

/* fds: the job's inputs, its outputs, and the pipe for reports. Never returns. */
_Noreturn void med_child_run(const struct med_sandbox *sandbox, pid_t parent, const Callsheet__V1__RunnerJob *job,
                             const int *fds, size_t fd_count);

#endif
