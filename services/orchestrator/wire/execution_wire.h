/*
 * execution_wire: orc_execution -> callsheet.v1.Execution.
 *
 * Owns     the message lives in the arena; its strings may point into the execution, its plan and its envelope: pack it
 *          before the execution takes another step.
 * Fails    DATA_LOSS "bad_result" when a stored result does not unpack.
 * Threads  pure.
 */
#ifndef ORC_WIRE_EXECUTION_WIRE_H
#define ORC_WIRE_EXECUTION_WIRE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"

/* Live progress of a running job, or NULL. */
typedef const Callsheet__V1__Progress *orc_progress_fn(const struct orc_execution *execution, uint32_t job, void *ctx);

struct orc_execution_view {
    const struct orc_execution *execution;
    const Callsheet__V1__CreateExecutionRequest *envelope; /* for the labels; NULL none */
    bool all_jobs;
    const uint32_t *jobs; /* else only these, by index */
    size_t job_count;
    orc_progress_fn *progress; /* may be NULL */
    void *progress_ctx;
};

enum cs_status orc_execution_to_wire(const struct orc_execution_view *view, struct cs_arena *arena,
                                     Callsheet__V1__Execution **ret_execution, struct cs_err *err) CS_MUST_USE;

/* Whether an output of this callsheet.v1.MediaType can go where `accepts` is wanted (unspecified: picture or sound). */
bool orc_media_fits(int output, int accepts);
/* Whether one of the job's outputs can. */
bool orc_job_gives(const struct orc_plan_job *job, int accepts);
/* The first output whose type fits `accepts` (as in struct cs_media_slot); NULL when there is none. */
const Callsheet__V1__Artifact *orc_output_of_type(const Callsheet__V1__Succeeded *succeeded, int accepts);
/* A job's result, unpacked in the arena; *ret_succeeded is NULL while it has none. */
enum cs_status orc_job_result(const struct orc_job *job, struct cs_arena *arena,
                              const Callsheet__V1__Succeeded **ret_succeeded, struct cs_err *err) CS_MUST_USE;

#endif
