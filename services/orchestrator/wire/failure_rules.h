/*
 * failure_rules: what a job of a plan says about failure: dependency policy, timeouts, retries.
 *
 * Reasons  "bad_dependency_policy", "too_many_edges".
 * Threads  pure.
 */
#ifndef ORC_WIRE_FAILURE_RULES_H
#define ORC_WIRE_FAILURE_RULES_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "domain/plan.h"

/* For what clients send; paths are relative to the job. */
enum cs_status orc_failure_rules_check(const Callsheet__V1__Job *job, struct cs_err *err) CS_MUST_USE;
/* The draft points into the job. */
void orc_failure_rules_read(const Callsheet__V1__Job *job, struct orc_job_draft *draft);

#endif
