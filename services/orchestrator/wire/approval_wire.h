/*
 * approval_wire: who has to agree before something runs: rules of requests -> domain, decisions -> status.
 *
 * Reasons  "bad_timeout", "bad_on_timeout", "bad_prompt" at "requiresApproval.…".
 * Threads  pure.
 * Trust    rules come from clients.
 */
#ifndef ORC_WIRE_APPROVAL_WIRE_H
#define ORC_WIRE_APPROVAL_WIRE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"

enum {
    ORC_APPROVAL_PROMPT_BYTES_MAX = 2000,
    ORC_APPROVER_BYTES_MAX = 128,
    ORC_APPROVAL_COMMENT_BYTES_MAX = 1000,
};

/* NULL is fine in all of them. */
enum cs_status orc_approval_check(const Callsheet__V1__ApprovalRule *rule, struct cs_err *err) CS_MUST_USE;
const struct orc_approval_rule *orc_approval_rule_from(const Callsheet__V1__ApprovalRule *rule, struct cs_arena *arena);

/* What a decision may say: "bad_by", "bad_comment". */
enum cs_status orc_decision_check(const Callsheet__V1__DecideApprovalRequest *request, struct cs_err *err) CS_MUST_USE;

/* NULL when it needs none. Strings point into the execution and its plan. */
Callsheet__V1__Approval *orc_approval_of_job(const struct orc_execution *execution, uint32_t job,
                                             struct cs_arena *arena);
Callsheet__V1__Approval *orc_approval_of_whole(const struct orc_execution *execution, struct cs_arena *arena);

#endif
