/*
 * grown: the request of an execution as its log has changed it, so that it can be run again: with the jobs that came to
 * it, the parameters that were edited, and without what was removed.
 *
 * Owns     the message is changed in place; what is new lives in the arena.
 * Fails    DATA_LOSS "bad_event_row" when an event does not fit the plan.
 * Threads  pure.
 */
#ifndef ORC_WIRE_GROWN_H
#define ORC_WIRE_GROWN_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"

/* events: those of its log, or only those of the kinds APPENDED, EDITED and REMOVED. summary: tells what was removed.
 */
enum cs_status orc_request_grow(Callsheet__V1__CreateExecutionRequest *request, const struct orc_event *events,
                                size_t count, const Callsheet__V1__Execution *summary, struct cs_arena *arena,
                                struct cs_err *err) CS_MUST_USE;

/* Takes the marked jobs (one mark for each) out of the plan, and every mention of them. `keep_in_step` (or NULL) loses
 * the same places. */
void orc_plan_drop(Callsheet__V1__Plan *plan, const bool *drop, bool *keep_in_step, struct cs_arena *arena);

#endif
