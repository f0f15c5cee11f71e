/*
 * job: one started job on the client's side: the pipe of its child, what was said so far, and the events it owes.
 *
 * Owns     the pipe and the reports.
 * Threads  belongs to the reader thread once it is in the runner's list.
 */
#ifndef CS_RUNNER_JOB_H
#define CS_RUNNER_JOB_H

#include <stdbool.h>

#include "cs/runner.h"

struct cs_runner_job {
    struct cs_runner_job *next;
    uint64_t id;
    struct cs_runner_events events;
    void *user;
    int pipe; /* -1 once the child has closed it */
    struct cs_buf in;
    Callsheet__V1__RunnerReport *final;   /* the child's last word */
    Callsheet__V1__RunnerReport *verdict; /* the runner's: it has ended */
    bool lost;                            /* the runner died: no verdict will come */
    bool unreadable;                      /* the child said something unacceptable */
};

void cs_runner_job_free(struct cs_runner_job *job);
/* Takes what the pipe has and tells progress. */
void cs_runner_job_read(struct cs_runner_job *job);
/* Its child is known to be gone: told by the runner or by the runner's death, and the pipe is closed. */
bool cs_runner_job_is_over(const struct cs_runner_job *job);
/* Tells how it ended; once. */
void cs_runner_job_ended(struct cs_runner_job *job);

#endif
