/*
 * results: what the jobs of an execution gave that has ended, by their ids, from its summary; and what of it another
 * execution can do without running.
 *
 * Threads  pure; everything lives in the arena.
 */
#ifndef ORC_WIRE_RESULTS_H
#define ORC_WIRE_RESULTS_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/mem.h"
#include "domain/plan.h"

struct orc_results;

const struct orc_results *orc_results_of(const Callsheet__V1__Execution *summary, struct cs_arena *arena);
/* Of a job that completed and whose artifacts are known; NULL when there is no such job, also when it was done in one
 * run with a later one and has none. "" is the final result. */
const Callsheet__V1__JobStatus *orc_results_find(const struct orc_results *results, const char *id);
/* A job that completed like that; or NULL. */
const Callsheet__V1__JobStatus *orc_results_fused(const struct orc_results *results, const char *id);

/* A job that has its result before it could run. */
struct orc_reuse {
    uint32_t job;
    const char *source_job;
    int32_t fused_into;  /* without outputs: nobody runs that would need them, only the job that has them; else -1 */
    const void *payload; /* packed callsheet.v1.Succeeded */
    size_t payload_size;
};

struct orc_reuses {
    const char *execution; /* whose results they are */
    const char *reason;    /* as in an event */
    struct orc_reuse *items;
    size_t count;
};

/* The jobs of the plan that take a result of the base. */
struct orc_reuses orc_reuses_of_base(const struct orc_plan *plan, const Callsheet__V1__Execution *summary,
                                     struct cs_arena *arena);
/* The jobs of the plan that had completed when it was run as another execution, but those that are marked in `again`
 * (one for each job, or NULL). What it takes from its base is not among them: the base gives it again. */
struct orc_reuses orc_reuses_of_earlier(const struct orc_plan *plan, const Callsheet__V1__Execution *summary,
                                        const bool *again, const char *reason, struct cs_arena *arena);

#endif
