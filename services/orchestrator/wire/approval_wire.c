#include "wire/approval_wire.h"

#include <string.h>

#include "cs/base/text.h"
#include "wire/plan_wire.h"

#define STATE(word) CALLSHEET__V1__APPROVAL_STATE__APPROVAL_STATE_##word
#define DEFAULT(word) CALLSHEET__V1__APPROVAL_DEFAULT__APPROVAL_DEFAULT_##word

/* ---- rules ---- */

enum cs_status orc_approval_check(const Callsheet__V1__ApprovalRule *rule, struct cs_err *err) {
    if (rule == NULL) {
        return CS_OK;
    }
    if (rule->timeout_ms < 0 || rule->timeout_ms > ORC_TIMEOUT_MS_MAX) {
        return cs_fail_at(err, "requiresApproval.timeoutMs", "bad_timeout",
                          "an approval is awaited for 1 to %lld ms, or 0 for as long as the execution may take",
                          (long long)ORC_TIMEOUT_MS_MAX);
    }
    if ((unsigned)rule->on_timeout > (unsigned)DEFAULT(REJECT)) {
        return cs_fail_at(err, "requiresApproval.onTimeout", "bad_on_timeout",
                          "no answer in time can approve or reject");
    }
    if (rule->on_timeout != DEFAULT(UNSPECIFIED) && rule->timeout_ms == 0) {
        return cs_fail_at(err, "requiresApproval.onTimeout", "bad_on_timeout",
                          "what no answer in time means needs a timeoutMs");
    }
    if (strlen(rule->prompt) > ORC_APPROVAL_PROMPT_BYTES_MAX) {
        return cs_fail_at(err, "requiresApproval.prompt", "bad_prompt", "a prompt has at most %d bytes",
                          ORC_APPROVAL_PROMPT_BYTES_MAX);
    }
    return CS_OK;
}

const struct orc_approval_rule *orc_approval_rule_from(const Callsheet__V1__ApprovalRule *rule,
                                                       struct cs_arena *arena) {
    if (rule == NULL) {
        return NULL;
    }
    const struct orc_approval_rule read = {
        .timeout_ms = rule->timeout_ms, .approves = rule->on_timeout == DEFAULT(APPROVE), .prompt = rule->prompt};
    return orc_approval_rule_copy(&read, arena);
}

/* ---- decisions ---- */

enum cs_status orc_decision_check(const Callsheet__V1__DecideApprovalRequest *request, struct cs_err *err) {
    if (strlen(request->by) > ORC_APPROVER_BYTES_MAX || cs_str_eq(request->by, ORC_BY_DEADLINE)) {
        return cs_fail_at(err, "by", "bad_by", "who decides has at most %d bytes, and is not \"%s\"",
                          ORC_APPROVER_BYTES_MAX, ORC_BY_DEADLINE);
    }
    if (strlen(request->comment) > ORC_APPROVAL_COMMENT_BYTES_MAX) {
        return cs_fail_at(err, "comment", "bad_comment", "a comment has at most %d bytes",
                          ORC_APPROVAL_COMMENT_BYTES_MAX);
    }
    return CS_OK;
}

/* ---- status ---- */

static Callsheet__V1__Approval *status_of(const struct orc_approval_rule *rule, const struct orc_decision *decision,
                                          Callsheet__V1__ApprovalState undecided, int64_t deadline_ms,
                                          struct cs_arena *arena) {
    Callsheet__V1__Approval *status = cs_arena_alloc(arena, sizeof(*status));
    callsheet__v1__approval__init(status);
    status->prompt = (char *)rule->prompt;
    status->on_timeout = rule->timeout_ms == 0 ? DEFAULT(UNSPECIFIED)
                         : rule->approves      ? DEFAULT(APPROVE)
                                               : DEFAULT(REJECT);
    status->state = undecided;
    status->deadline_ms = undecided == STATE(AWAITED) ? deadline_ms : 0;
    if (decision != NULL) {
        status->state = decision->approved ? STATE(APPROVED) : STATE(REJECTED);
        status->deadline_ms = 0;
        status->by = decision->by;
        status->comment = decision->comment;
        status->decided_at_ms = decision->at_ms;
    }
    return status;
}

Callsheet__V1__Approval *orc_approval_of_job(const struct orc_execution *execution, uint32_t index,
                                             struct cs_arena *arena) {
    const struct orc_approval_rule *rule = execution->plan->jobs[index].approval;
    const struct orc_job *job = &execution->jobs[index];
    if (rule == NULL) {
        return NULL;
    }
    Callsheet__V1__ApprovalState undecided = job->state == ORC_JOB_AWAITING_APPROVAL ? STATE(AWAITED)
                                             : orc_job_terminal(job)                 ? STATE(DROPPED)
                                                                                     : STATE(NOT_ASKED);
    return status_of(rule, job->decision, undecided, job->deadline_ms, arena);
}

Callsheet__V1__Approval *orc_approval_of_whole(const struct orc_execution *execution, struct cs_arena *arena) {
    const struct orc_approval_rule *rule = execution->plan->approval;
    if (rule == NULL) {
        return NULL;
    }
    int64_t due_ms = orc_execution_approval_due_ms(execution);
    return status_of(rule, execution->decision,
                     orc_execution_awaits_approval(execution) ? STATE(AWAITED) : STATE(DROPPED),
                     due_ms != INT64_MAX ? due_ms : 0, arena);
}
