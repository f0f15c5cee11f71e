/*
 * base: a plan on top of another execution, its base (CreateExecutionRequest.base_execution_id).
 *
 * What is decided here is written into the request, so that the stored row alone makes the same plan for ever: a job
 * that the base has already is marked as a reference, and each result of the base that other jobs use gets an Import
 * job behind the plan's own ones, with the id that the plan uses for it.
 *
 * A reference is a job with the id, the operation and the parameters of a job of the base, where whatever it refers to
 * is the same as well: a job of the base, or a job of the plan that is a reference itself. What it only waits for does
 * not matter.
 *
 * A job of the base that was done in one run with another, its output not kept, is done again in the new execution when
 * a job that runs needs it, with all of the base that it needs.
 *
 * Fails    NOT_FOUND "base_not_found", FAILED_PRECONDITION "base_not_completed", "base_output_discarded" (a job cannot
 *          be done again: what it took comes from the base's own base, or has another meaning in the new plan);
 *          DATA_LOSS when the row of the base makes no plan.
 * Threads  pure; everything lives in the arena.
 */
#ifndef ORC_WIRE_BASE_H
#define ORC_WIRE_BASE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"

/* The base as its row tells. */
struct orc_base {
    const char *id;
    enum orc_execution_state state;
    const Callsheet__V1__Plan *plan;         /* as accepted */
    const Callsheet__V1__Execution *summary; /* once it has ended; or NULL */
};

/* request_bytes: the base's packed request. */
enum cs_status orc_base_read(const char *id, enum orc_execution_state state, const void *request_bytes,
                             size_t request_size, const void *summary_bytes, size_t summary_size,
                             struct cs_arena *arena, struct orc_base *ret_base, struct cs_err *err) CS_MUST_USE;
/* Refuses a base that has failed or was cancelled. */
enum cs_status orc_base_check(const struct orc_base *base, struct cs_err *err) CS_MUST_USE;
/* Changes the request. What it names that neither plan nor base has is left for the plan's check to say. */
enum cs_status orc_base_resolve(Callsheet__V1__CreateExecutionRequest *request, const struct orc_base *base,
                                struct cs_arena *arena, struct cs_err *err) CS_MUST_USE;

/* "Base execution not found: <id>". */
enum cs_status orc_base_not_found(const char *id, struct cs_err *err);
/* "Base execution not completed: <id> (<status>)", in the arena. */
const char *orc_base_incomplete_text(const char *id, enum orc_execution_state state, struct cs_arena *arena);

#endif
