/*
 * failure_rules: what a plan says about failure: dependency policies, timeouts, retries, when to give up.
 *
 * Reasons  "bad_dependency_policy", "bad_on_failure", "bad_timeout", "bad_queue_timeout", "bad_retry",
 * "too_many_edges".
 * Limits   ORC_JOB_TIMEOUT_MS_MAX, ORC_TIMEOUT_MS_MAX (plan_wire.h) for the queue, ORC_RETRY_*_MAX.
 * Threads  pure.
 */
#ifndef ORC_WIRE_FAILURE_RULES_H
#define ORC_WIRE_FAILURE_RULES_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "domain/plan.h"

enum { ORC_RETRY_ATTEMPTS_MAX = 20, ORC_RETRY_BASE_MS_MAX = 3600 * 1000, ORC_RETRY_CAP_MS_MAX = 24 * 3600 * 1000 };
#define ORC_JOB_TIMEOUT_MS_MAX (INT64_C(7) * 24 * 60 * 60 * 1000)

/* For what clients send; paths are relative to the job, or to the plan. */
enum cs_status orc_failure_rules_check(const Callsheet__V1__Job *job, struct cs_err *err) CS_MUST_USE;
enum cs_status orc_failure_rules_check_plan(const Callsheet__V1__Plan *plan, struct cs_err *err) CS_MUST_USE;
/* The draft points into the job. */
void orc_failure_rules_read(const Callsheet__V1__Job *job, struct orc_job_draft *draft);

#endif
