/*
 * jobs: the threads that do assignments, one per slot, and the way to stop each.
 *
 * Threads  start and cancel come on rpc's polling threads and do not block; the work is done on threads of its own.
 */
#ifndef MED_JOBS_H
#define MED_JOBS_H

#include "cs/worker.h"
#include "studio.h"

struct med_jobs;

enum cs_status med_jobs_create(const struct med_studio *studio, uint32_t slots, struct med_jobs **ret_jobs,
                               struct cs_err *err) CS_MUST_USE;
/* After the worker is gone: no job is open then. NULL is fine. */
void med_jobs_destroy(struct med_jobs *jobs);
/* The worker that hands its assignments to jobs; points into jobs. */
struct cs_worker_config med_jobs_worker(struct med_jobs *jobs);

#endif
