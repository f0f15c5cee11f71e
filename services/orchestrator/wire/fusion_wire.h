/*
 * fusion_wire: jobs that are done in one run, between proto and domain: what a plan says about outputs that only
 * another job takes, and an assignment of several jobs.
 *
 * Fails    INVALID_ARGUMENT "bad_intermediates" at "intermediates".
 * Threads  pure.
 */
#ifndef ORC_WIRE_FUSION_WIRE_H
#define ORC_WIRE_FUSION_WIRE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"
#include "domain/plan.h"

enum cs_status orc_intermediates_check(const Callsheet__V1__Plan *plan, struct cs_err *err) CS_MUST_USE;
bool orc_plan_discards(const Callsheet__V1__Plan *plan);
/* Fills in `fusible`, `ends_run` and `discards` of the drafts, one for each job of the plan. */
void orc_fusion_read(const Callsheet__V1__Plan *plan, struct cs_arena *scratch, struct orc_job_draft *drafts);

/* A run of more than one job: operation, inputs and steps_before; MediaRefs to a job before it become steps. */
enum cs_status orc_assign_chain(const struct orc_execution *execution, const struct orc_chain *chain,
                                struct cs_arena *arena, Callsheet__V1__Assign *assign, struct cs_err *err) CS_MUST_USE;
/* What such a run gave, packed as a Succeeded for each of its `count` jobs, in the arena: all but the last without
 * outputs. */
struct orc_packed {
    const void *bytes;
    size_t size_bytes;
};
enum cs_status orc_chain_results(const void *succeeded, size_t size_bytes, uint32_t count, struct cs_arena *arena,
                                 struct orc_packed *ret_results, struct cs_err *err) CS_MUST_USE;

#endif
