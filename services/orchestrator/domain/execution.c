#include "domain/execution.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "domain/moves.h"

/* ---- life ---- */

struct orc_execution *orc_execution_create(const char *id, const char *tenant, const struct orc_plan *plan,
                                           int64_t created_at_ms, int64_t deadline_ms, bool has_webhook) {
    struct orc_execution *execution = cs_alloc(sizeof(*execution));
    cs_str_copy(execution->id, sizeof(execution->id), id);
    execution->tenant = cs_strdup(tenant);
    execution->plan = plan;
    execution->state = ORC_EXECUTION_PENDING;
    execution->has_webhook = has_webhook;
    execution->open_jobs = plan->job_count;
    execution->created_at_ms = created_at_ms;
    execution->deadline_ms = deadline_ms;
    execution->result_job = -1;
    execution->timed_first = -1;
    execution->jobs = cs_alloc_array(plan->job_count, sizeof(*execution->jobs));
    for (uint32_t i = 0; i < plan->job_count; i++) {
        struct orc_job *job = &execution->jobs[i];
        job->state = ORC_JOB_WAITING;
        job->unmet = plan->jobs[i].parent_count;
        job->timed_prev = job->timed_next = -1;
        job->fused_prev = job->fused_next = job->fused_into = -1;
    }
    orc_items_count(execution, 0);
    return execution;
}

void orc_execution_destroy(struct orc_execution *execution) {
    if (execution == NULL) {
        return;
    }
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        free(execution->jobs[i].checkpoint);
        free(execution->jobs[i].result);
        free(execution->jobs[i].reused);
        orc_decision_destroy(execution->jobs[i].decision);
        free(execution->jobs[i].error_code);
        free(execution->jobs[i].error_message);
    }
    free(execution->jobs);
    free(execution->delivery.last_error);
    orc_decision_destroy(execution->decision);
    free(execution->error);
    free(execution->tenant);
    free(execution);
}

void orc_commands_fini(struct orc_commands *commands) {
    free(commands->items);
    *commands = (struct orc_commands){0};
}

void orc_emit(const struct orc_step *step, enum orc_command_kind kind, uint32_t job, const unsigned char *fence) {
    struct orc_commands *commands = step->commands;
    if (commands == NULL) {
        return;
    }
    if (commands->count == commands->capacity) {
        commands->capacity = commands->capacity != 0 ? commands->capacity * 2 : 16;
        commands->items = cs_realloc(commands->items, commands->capacity * sizeof(*commands->items));
    }
    struct orc_command *command = &commands->items[commands->count++];
    *command = (struct orc_command){.kind = kind, .job = job};
    if (fence != NULL) {
        memcpy(command->fence, fence, ORC_FENCE_BYTES);
    }
}

void orc_must(enum cs_status status, const struct cs_err *err) {
    if (status != CS_OK) {
        (void)fprintf(stderr, "{\"level\":\"error\",\"event\":\"broken rule of the domain\",\"error\":\"%s\"}\n",
                      err->message);
        abort();
    }
}

/* ---- the whole execution ---- */

static enum cs_status move(struct orc_execution *execution, enum orc_execution_move by, struct cs_err *err) {
    int state = execution->state;
    CS_TRY(cs_fsm_step(&orc_execution_fsm, &state, by, err));
    execution->state = (uint8_t)state;
    return CS_OK;
}

static void set_error(struct orc_execution *execution, char *sentence) {
    free(execution->error);
    execution->error = sentence;
}

void orc_execution_started(struct orc_execution *execution, int64_t at_ms) {
    if (execution->state == ORC_EXECUTION_PENDING) {
        struct cs_err err = {0};
        orc_must(move(execution, ORC_EXECUTION_START, &err), &err);
    }
    if (execution->started_at_ms == 0 ||
        at_ms < execution->started_at_ms) { /* the log is in order of ends, not of starts */
        execution->started_at_ms = at_ms;
    }
}

/* The log does not tell what ran when the whole execution was ended. */
static void keep_start(const struct orc_step *step) {
    if (step->replaying && step->event->started_at_ms != 0) {
        orc_execution_started(step->execution, step->event->started_at_ms);
    }
    step->event->started_at_ms = step->execution->started_at_ms;
}

/* After the state became terminal. */
static void close_up(const struct orc_step *step) {
    step->execution->completed_at_ms = step->event->at_ms;
    orc_emit(step, ORC_COMMAND_FINISHED, 0, NULL);
    orc_delivery_request(step);
}

/* The log does not tell of attempts that had no end of their own when this event ended everything. */
static void keep_execution_start(const struct orc_step *step) {
    if (step->replaying && step->event->execution_started_at_ms != 0) {
        orc_execution_started(step->execution, step->event->execution_started_at_ms);
    }
    step->event->execution_started_at_ms = step->execution->started_at_ms;
}

void orc_execution_finish(const struct orc_step *step) {
    keep_execution_start(step);
    bool good = !step->execution->doomed;
    struct cs_err err = {0};
    orc_must(move(step->execution, good ? ORC_EXECUTION_COMPLETE : ORC_EXECUTION_FAIL, &err), &err);
    if (!good) {
        set_error(step->execution, orc_failure_text(step->execution));
    }
    close_up(step);
}

static enum cs_status begin(const struct orc_step *step, struct cs_err *err) {
    struct orc_execution *execution = step->execution;
    if (execution->state != ORC_EXECUTION_PENDING) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "illegal_transition", "execution: it has begun already");
    }
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        if (execution->jobs[i].unmet == 0 && execution->jobs[i].state == ORC_JOB_WAITING) {
            orc_job_release(step, i);
        }
    }
    if (execution->plan->job_count == 0 && !orc_execution_awaits_approval(execution)) {
        orc_execution_finish(step);
    }
    return CS_OK;
}

static enum cs_status cancel(const struct orc_step *step, struct cs_err *err) {
    const char *reason = step->event->message;
    keep_start(step);
    CS_TRY(move(step->execution, ORC_EXECUTION_CANCEL, err));
    orc_jobs_cancel(step);
    set_error(step->execution,
              cs_str_empty(reason) ? cs_strdup("Execution cancelled") : cs_sprintf("Execution cancelled: %s", reason));
    close_up(step);
    return CS_OK;
}

static enum cs_status expire(const struct orc_step *step, struct cs_err *err) {
    keep_start(step);
    CS_TRY(move(step->execution, ORC_EXECUTION_EXPIRE, err));
    orc_jobs_cancel(step);
    CS_AUTO_FREE char *failures = orc_failure_list(step->execution);
    int64_t allowed = step->execution->deadline_ms - step->execution->created_at_ms;
    set_error(step->execution, cs_sprintf("Execution ran out of time after %" PRId64 " ms%s%s", allowed,
                                          failures != NULL ? "; " : "", failures != NULL ? failures : ""));
    close_up(step);
    return CS_OK;
}

enum cs_status orc_execution_reject(const struct orc_step *step, char *sentence, struct cs_err *err) {
    struct cs_err why = {0};
    if (move(step->execution, ORC_EXECUTION_REJECT, &why) != CS_OK) {
        free(sentence);
        *err = why;
        return why.status;
    }
    orc_jobs_cancel(step);
    set_error(step->execution, sentence);
    close_up(step);
    return CS_OK;
}

enum cs_status orc_execution_apply(const struct orc_step *step, struct cs_err *err) {
    switch (step->event->kind) {
    case ORC_EVENT_BEGIN:
        return begin(step, err);
    case ORC_EVENT_CANCEL:
        return cancel(step, err);
    case ORC_EVENT_DEADLINE:
        return expire(step, err);
    case ORC_EVENT_DELIVERY_ASSIGNED:
    case ORC_EVENT_DELIVERY_LOST:
    case ORC_EVENT_DELIVERED:
    case ORC_EVENT_DELIVERY_FAILED:
        return orc_delivery_event(step, err);
    case ORC_EVENT_APPROVED:
    case ORC_EVENT_REJECTED:
        return orc_approval_event(step, err);
    case ORC_EVENT_APPENDED:
    case ORC_EVENT_EDITED:
    case ORC_EVENT_REMOVED:
        return orc_change_event(step, err);
    case ORC_EVENT_STARTED:
    case ORC_EVENT_CHECKPOINT:
    case ORC_EVENT_SUCCEEDED:
    case ORC_EVENT_FAILED:
    case ORC_EVENT_LOST:
    case ORC_EVENT_REUSED:
    case ORC_EVENT_FUSED:
    case ORC_EVENT_SPLIT:
    case ORC_EVENT_ASSIGNED:
    case ORC_EVENT_RETRY_DUE:
    case ORC_EVENT_RETURNED:
        return orc_job_event(step, err);
    }
    return cs_fail(err, CS_FAILED_PRECONDITION, "illegal_transition", "there is no event of kind %d",
                   (int)step->event->kind);
}

enum cs_status orc_execution_step(struct orc_execution *execution, struct orc_event *event,
                                  struct orc_commands *commands, struct cs_err *err) {
    struct orc_step step = {.execution = execution, .event = event, .commands = commands};
    CS_TRY(orc_execution_apply(&step, err));
    execution->seq += orc_event_stored(event->kind);
    return CS_OK;
}

/* ---- questions ---- */

bool orc_event_stored(enum orc_event_kind kind) {
    return kind < ORC_EVENT_BEGIN;
}

bool orc_execution_terminal(const struct orc_execution *execution) {
    return execution->state >= ORC_EXECUTION_COMPLETED;
}

bool orc_execution_closed(const struct orc_execution *execution) {
    return orc_execution_terminal(execution) && execution->delivery.state != ORC_DELIVERY_PENDING;
}

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t orc_execution_wake_at(const struct orc_execution *execution) {
    if (orc_execution_closed(execution)) {
        return INT64_MAX;
    }
    if (orc_execution_terminal(execution)) {
        return execution->delivery.in_flight ? execution->delivery.deadline_ms + ORC_ATTEMPT_GRACE_MS
                                             : execution->delivery.next_try_at_ms;
    }
    int64_t at = earlier(execution->deadline_ms, orc_execution_approval_due_ms(execution));
    for (int32_t i = execution->timed_first; i >= 0; i = execution->jobs[i].timed_next) {
        at = earlier(at, orc_job_due_ms(&execution->jobs[i]));
    }
    return at;
}
