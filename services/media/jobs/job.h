/*
 * job: one assignment's story: stage the inputs, render in the sandbox, put the output into storage. An assignment may
 * be made of several jobs: their operations are steps of one render, and only the last one's output is stored.
 */
#ifndef MED_JOB_H
#define MED_JOB_H

#include "cs/worker.h"
#include "stop.h"
#include "studio.h"

enum { MED_FUSED_JOBS_MAX = 16 }; /* of an assignment; the render itself takes more */

/* Runs to the end on the caller's thread. On success *ret_succeeded lives in the arena. */
enum cs_status med_job_run(const struct med_studio *studio, struct cs_assignment *assignment, struct med_stop *stop,
                           struct cs_arena *arena, Callsheet__V1__Succeeded *ret_succeeded,
                           struct cs_err *err) CS_MUST_USE;

#endif
