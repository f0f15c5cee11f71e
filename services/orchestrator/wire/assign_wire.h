/*
 * assign_wire: what a worker is sent to do one job or one delivery.
 *
 * Owns     the command lives in the arena and may point into the execution: pack it before the execution takes another
 *          step.
 * Threads  pure.
 */
#ifndef ORC_WIRE_ASSIGN_WIRE_H
#define ORC_WIRE_ASSIGN_WIRE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"

/* Assign.job of a delivery: no job of a plan can have this id. */
#define ORC_DELIVERY_JOB "@webhook"

struct orc_assign_context {
    const char *environment; /* first segment of storage keys */
    const char *traceparent;
};

/* The job's current attempt (fence, attempt, deadline_ms, checkpoint), with inputs resolved from its parents' results;
 * of a run of several jobs that of all of them (fusion_wire.h).
 * INVALID_ARGUMENT "input_missing" when a parent gave no output of a fitting type; the message names it. */
enum cs_status orc_assign_job(const struct orc_execution *execution, uint32_t job,
                              const struct orc_assign_context *context, struct cs_arena *arena,
                              Callsheet__V1__WorkCommand **ret_command, struct cs_err *err) CS_MUST_USE;

/* Only what it does: sets operation and inputs. An input that is a step of the same run has no source. */
enum cs_status orc_assign_work(const struct orc_execution *execution, uint32_t job, struct cs_arena *arena,
                               Callsheet__V1__Assign *assign, struct cs_err *err) CS_MUST_USE;

/* Try number delivery.tries + 1 of the webhook (delivery.fence, delivery.deadline_ms), with the body that was frozen at
 * the terminal commit. */
Callsheet__V1__WorkCommand *orc_assign_delivery(const struct orc_execution *execution,
                                                const Callsheet__V1__WebhookTarget *webhook, const void *body,
                                                size_t body_size, const struct orc_assign_context *context,
                                                struct cs_arena *arena);

/* "evt_<execution id>": the same for every try. */
void orc_event_id(const struct orc_execution *execution, char ret_id[ORC_EVENT_ID_SIZE]);

#endif
