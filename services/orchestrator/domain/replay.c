#include <inttypes.h>
#include <string.h>

#include "cs/base/mem.h"
#include "domain/moves.h"

static bool of_attempt(enum orc_event_kind kind) {
    return (kind >= ORC_EVENT_STARTED && kind <= ORC_EVENT_LOST) || kind == ORC_EVENT_FUSED || kind == ORC_EVENT_SPLIT;
}

static enum cs_status supply(struct orc_execution *execution, struct orc_event event, struct cs_err *err) {
    struct orc_step step = {.execution = execution, .event = &event, .replaying = true};
    return orc_execution_apply(&step, err);
}

/* What the log leaves out before a report of an attempt: that the one before was given back or died with the
 * orchestrator, that its time to try again came, that it was assigned. */
static enum cs_status supply_attempt(struct orc_execution *execution, const struct orc_event *event,
                                     struct cs_err *err) {
    struct orc_job *job = &execution->jobs[event->job];
    if (event->attempt <= job->attempt && job->state == ORC_JOB_RUNNING) {
        return CS_OK;
    }
    if (event->attempt <= job->attempt) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "stale_attempt", "attempt %u after attempt %u", event->attempt,
                       job->attempt);
    }
    if (job->state == ORC_JOB_RUNNING) {
        CS_TRY(orc_job_move(execution, event->job, ORC_JOB_RECOVER, err));
    }
    /* The time of an external attempt goes on from its own start, not from that of the first one. */
    bool external = execution->plan->jobs[event->job].operation->external;
    bool now = event->started_at_ms == 0 || (external && event->kind == ORC_EVENT_STARTED);
    struct orc_event missing = {
        .job = event->job, .at_ms = now ? event->at_ms : event->started_at_ms, .cache_miss = event->cache_miss};
    if (job->state == ORC_JOB_RETRYING) {
        missing.kind = ORC_EVENT_RETRY_DUE;
        CS_TRY(supply(execution, missing, err));
    }
    missing.kind = ORC_EVENT_ASSIGNED;
    CS_TRY(supply(execution, missing, err));
    job->attempt = event->attempt;
    return CS_OK;
}

/* What the log leaves out before a wait in vain or a reuse: attempts that were given back, or died with the
 * orchestrator. */
static enum cs_status supply_wait(struct orc_execution *execution, const struct orc_event *event, struct cs_err *err) {
    struct orc_job *job = &execution->jobs[event->job];
    if (job->state == ORC_JOB_RUNNING) {
        CS_TRY(orc_job_move(execution, event->job, ORC_JOB_RECOVER, err));
    } else if (job->state == ORC_JOB_RETRYING) {
        struct orc_event due = {.kind = ORC_EVENT_RETRY_DUE, .job = event->job, .at_ms = event->at_ms};
        CS_TRY(supply(execution, due, err));
    }
    job->attempt = event->attempt;
    job->started_at_ms = event->started_at_ms;
    if (event->started_at_ms != 0) {
        orc_execution_started(execution, event->started_at_ms);
    }
    return CS_OK;
}

static enum cs_status replay(struct orc_execution *execution, const struct orc_event *event, struct cs_err *err) {
    if (!orc_event_stored(event->kind)) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "illegal_transition", "kind %d is never stored", (int)event->kind);
    }
    if (of_attempt(event->kind) || event->kind == ORC_EVENT_REUSED) {
        if (event->job >= execution->plan->job_count) {
            return cs_fail(err, CS_FAILED_PRECONDITION, "no_such_job", "the plan has no job number %u", event->job);
        }
        bool waited = event->unassigned || event->kind == ORC_EVENT_REUSED;
        CS_TRY((waited ? supply_wait : supply_attempt)(execution, event, err));
    }
    return supply(execution, *event, err);
}

enum cs_status orc_execution_replay(struct orc_execution *execution, const struct orc_event *event,
                                    struct cs_err *err) {
    struct cs_err why = {0};
    if (replay(execution, event, &why) != CS_OK) {
        return cs_fail(err, CS_DATA_LOSS, "bad_log", "event %" PRIu64 " of execution %s: %s", execution->seq + 1,
                       execution->id, why.message);
    }
    execution->seq++;
    return CS_OK;
}

void orc_execution_recovered(struct orc_execution *execution, int64_t now_ms, struct orc_commands *commands) {
    struct orc_step step = {.execution = execution, .commands = commands};
    struct cs_err err = {0};
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        bool external = execution->plan->jobs[i].operation->external;
        if (execution->jobs[i].state == ORC_JOB_RUNNING && external) {
            orc_emit(&step, ORC_COMMAND_DISPATCH, i, NULL);
        } else if (execution->jobs[i].state == ORC_JOB_RUNNING) {
            orc_must(orc_job_move(execution, i, ORC_JOB_RECOVER, &err), &err);
        }
        if (execution->jobs[i].state == ORC_JOB_READY) {
            orc_job_wait_for_worker(execution, i, now_ms);
            orc_emit(&step, ORC_COMMAND_DISPATCH, i, NULL);
        }
    }
    if (execution->delivery.state == ORC_DELIVERY_PENDING) {
        execution->delivery.in_flight = false;
        orc_emit(&step, ORC_COMMAND_DELIVER, 0, NULL);
    }
}
