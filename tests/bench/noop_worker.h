/*
 * noop_worker: workers that do nothing, over the real contract, and note when.
 *
 * Jobs are named "j0", "j1" …: the number is the place of their stamps. Stamps are of one execution at a time; under
 * load only the count of ended jobs means something.
 *
 * Threads  any.
 */
#ifndef BENCH_NOOP_WORKER_H
#define BENCH_NOOP_WORKER_H

#include <stdint.h>

#include "cs/base/err.h"
#include "cs/rpc.h"

enum { NOOP_JOBS_MAX = 64, NOOP_WORKERS = 2, NOOP_SLOTS = 256 };

enum cs_status noop_workers_start(struct cs_rpc *rpc, struct cs_err *err) CS_MUST_USE;
void noop_workers_stop(void);
const char *noop_workers_addresses(void); /* for --workers */

/* Forgets all stamps and counts. */
void noop_reset(void);
/* Waits until so many jobs have been reported since the reset; DEADLINE_EXCEEDED after timeout_ms. */
enum cs_status noop_await(uint64_t jobs, int64_t timeout_ms, struct cs_err *err) CS_MUST_USE;
int64_t noop_started_ns(uint32_t job);  /* when it came */
int64_t noop_first_ns(void);            /* when any first came; 0 none did */
int64_t noop_reported_ns(uint32_t job); /* when its success was reported */

#endif
