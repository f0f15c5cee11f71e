/*
 * job: one assignment's story: stage the inputs, render in the sandbox, put the output into storage. An assignment may
 * be made of several jobs: their operations are steps of one render, and only the last one's output is stored. Or it is
 * a chunk of a job that another node is at: that alone is rendered, and put where that node looks for it.
 */
#ifndef MED_JOB_H
#define MED_JOB_H

#include "cs/worker.h"
#include "division.h"
#include "hands.h"

enum { MED_FUSED_JOBS_MAX = 16 }; /* of an assignment; the render itself takes more */

struct med_job {
    const struct med_studio *studio;
    struct cs_assignment *assignment;
    struct med_stop *stop;
    struct med_hands *hands;
    struct cs_arena *arena;
    /* below: job.c's */
    const Callsheet__V1__Assign *assign;
    const struct cs_operation *operation;
    struct med_division division;
};

/* Runs to the end on the caller's thread. On success *ret_succeeded lives in the arena. */
enum cs_status med_job_run(struct med_job *job, Callsheet__V1__Succeeded *ret_succeeded,
                           struct cs_err *err) CS_MUST_USE;
/* Removes what was kept in storage for another attempt, once there will be none: not before the result was reported.
 * The assignment may be gone. */
void med_job_forget(const struct med_job *job);

#endif
