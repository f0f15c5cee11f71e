/* A person, or a deadline, says whether a job or a whole execution may run. */
#include <stdlib.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "domain/moves.h"

const struct orc_approval_rule *orc_approval_rule_copy(const struct orc_approval_rule *rule, struct cs_arena *arena) {
    if (rule == NULL) {
        return NULL;
    }
    struct orc_approval_rule *copy = cs_arena_copy(arena, rule, sizeof(*rule));
    copy->prompt = cs_arena_strdup(arena, rule->prompt);
    return copy;
}

bool orc_execution_awaits_approval(const struct orc_execution *execution) {
    return execution->plan->approval != NULL && execution->decision == NULL && !orc_execution_terminal(execution);
}

int64_t orc_execution_approval_due_ms(const struct orc_execution *execution) {
    if (!orc_execution_awaits_approval(execution) || execution->plan->approval->timeout_ms == 0) {
        return INT64_MAX;
    }
    return execution->created_at_ms + execution->plan->approval->timeout_ms;
}

bool orc_approval_asked(const struct orc_step *step, uint32_t index) {
    const struct orc_approval_rule *approval = step->execution->plan->jobs[index].approval;
    struct orc_job *job = &step->execution->jobs[index];
    struct cs_err err = {0};
    if (approval == NULL || job->decision != NULL) {
        return false;
    }
    orc_must(orc_job_move(step->execution, index, ORC_JOB_ASK, &err), &err);
    job->deadline_ms = approval->timeout_ms != 0 ? step->event->at_ms + approval->timeout_ms : 0;
    return true;
}

/* ---- decisions ---- */

static struct orc_decision *decision_of(const struct orc_event *event) {
    struct orc_decision *decision = cs_alloc(sizeof(*decision));
    decision->approved = event->kind == ORC_EVENT_APPROVED;
    decision->at_ms = event->at_ms;
    decision->by = cs_strdup(event->by != NULL ? event->by : "");
    decision->comment = cs_strdup(event->message != NULL ? event->message : "");
    return decision;
}

void orc_decision_destroy(struct orc_decision *decision) {
    if (decision != NULL) {
        free(decision->by);
        free(decision->comment);
        free(decision);
    }
}

/* "rejected by ann: too expensive"; caller frees. */
static char *rejection(const char *subject, const struct orc_event *event) {
    const char *comment = event->message != NULL ? event->message : "";
    const char *separator = comment[0] != '\0' ? ": " : "";
    if (cs_str_eq(event->by, ORC_BY_DEADLINE)) {
        return cs_sprintf("%s: nobody approved it in time", subject);
    }
    if (cs_str_empty(event->by)) {
        return cs_sprintf("%s%s%s", subject, separator, comment);
    }
    return cs_sprintf("%s by %s%s%s", subject, event->by, separator, comment);
}

static enum cs_status fail_late(const char *what, const char *state, struct cs_err *err) {
    return cs_fail(err, CS_FAILED_PRECONDITION, "not_awaiting_approval", "%s does not await an approval: it is %s",
                   what, state);
}

/* ---- of a job ---- */

static enum cs_status decide_job(const struct orc_step *step, struct cs_err *err) {
    struct orc_execution *execution = step->execution;
    const struct orc_event *event = step->event;
    if (event->job >= execution->plan->job_count) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "no_such_job", "the plan has no job number %u", event->job);
    }
    struct orc_job *job = &execution->jobs[event->job];
    if (job->state != ORC_JOB_AWAITING_APPROVAL) {
        return fail_late("the job", orc_job_fsm.state_names[job->state], err);
    }
    bool approved = event->kind == ORC_EVENT_APPROVED;
    CS_TRY(orc_job_move(execution, event->job, approved ? ORC_JOB_APPROVE : ORC_JOB_REJECT, err));
    job->decision = decision_of(event);
    if (approved) {
        orc_job_offer(step, event->job);
        return CS_OK;
    }
    CS_AUTO_FREE char *sentence = rejection("Rejected", event);
    orc_job_set_error(job, ORC_FAILURE_CANCELLED, "rejected", sentence);
    orc_job_fail_for_good(step);
    return CS_OK;
}

/* ---- of the whole ---- */

/* What only that approval kept from being ready. */
static void release_held(const struct orc_step *step) {
    for (uint32_t i = 0; i < step->execution->plan->job_count; i++) {
        if (step->execution->jobs[i].state == ORC_JOB_WAITING && orc_verdict_of(step->execution, i) == ORC_RUNS) {
            orc_job_release(step, i);
        }
    }
}

static enum cs_status decide_whole(const struct orc_step *step, struct cs_err *err) {
    struct orc_execution *execution = step->execution;
    if (!orc_execution_awaits_approval(execution)) {
        return fail_late("the execution", orc_execution_fsm.state_names[execution->state], err);
    }
    if (step->event->kind == ORC_EVENT_REJECTED) {
        CS_TRY(orc_execution_reject(step, rejection("Execution rejected", step->event), err));
        execution->decision = decision_of(step->event);
        return CS_OK;
    }
    execution->decision = decision_of(step->event);
    if (execution->plan->job_count == 0) {
        orc_execution_finish(step);
    }
    release_held(step);
    return CS_OK;
}

enum cs_status orc_approval_event(const struct orc_step *step, struct cs_err *err) {
    return step->event->whole ? decide_whole(step, err) : decide_job(step, err);
}
