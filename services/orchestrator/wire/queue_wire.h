/*
 * queue_wire: what a plan says of the order of its jobs: priorities, concurrency keys, providers.
 *
 * Fails    INVALID_ARGUMENT "bad_priority" at "priority", "bad_concurrency" at "concurrencyKey" or "concurrencyLimit".
 * Limits   ORC_PRIORITIES, ORC_CONCURRENCY_KEY_BYTES_MAX, ORC_CONCURRENCY_LIMIT_MAX.
 * Threads  pure.
 */
#ifndef ORC_WIRE_QUEUE_WIRE_H
#define ORC_WIRE_QUEUE_WIRE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "domain/plan.h"

enum cs_status orc_plan_queueing_check(const Callsheet__V1__Plan *plan, struct cs_err *err) CS_MUST_USE;
enum cs_status orc_job_queueing_check(const Callsheet__V1__Job *job, struct cs_err *err) CS_MUST_USE;
/* Into the draft, whose strings then point into the job. */
void orc_job_queueing(const Callsheet__V1__Plan *plan, const Callsheet__V1__Job *job, struct orc_job_draft *draft);

#endif
