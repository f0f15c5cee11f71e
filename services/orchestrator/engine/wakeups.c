/* Deadlines, limits, retries and deliveries whose time has come. */
#include <string.h>

#include "cs/base/id.h"
#include "cs/base/log.h"
#include "engine/internal.h"

void orc_engine_deliver(struct orc_engine *engine, struct orc_entry *entry) {
    const struct orc_delivery *delivery = &entry->execution->delivery;
    struct orc_seat *seat = orc_entry_delivery(entry);
    if (delivery->state == ORC_DELIVERY_PENDING && !delivery->in_flight && seat->lane == NULL &&
        delivery->next_try_at_ms <= engine->now_ms) {
        orc_seat_enqueue(engine, seat);
    }
    orc_engine_set_timer(engine, entry);
}

/* An attempt or a wait that took too long. */
struct overdue {
    uint32_t job;
    const char *code;
    const char *message;
};

static void say_overdue(const struct orc_entry *entry, const struct overdue *overdue) {
    cs_log_warn("job ran out of time", CS_KV("execution", entry->execution->id),
                CS_KV("job", entry->execution->plan->jobs[overdue->job].id),
                CS_KVI("attempt", entry->execution->jobs[overdue->job].attempt), CS_KV("code", overdue->code),
                CS_KV("trace", entry->trace_id));
}

static struct orc_event event_of(const struct orc_entry *entry, const struct overdue *overdue) {
    say_overdue(entry, overdue);
    return (struct orc_event){
        .kind = ORC_EVENT_FAILED,
        .job = overdue->job,
        .attempt = entry->execution->jobs[overdue->job].attempt,
        .failure_class = ORC_FAILURE_TIMEOUT,
        .code = overdue->code,
        .message = overdue->message,
        .chance = (uint32_t)cs_random_u64(),
    };
}

/* Nobody waits for its result any more; it may not have been sent yet. */
static void give_up(struct orc_engine *engine, const struct orc_seat *seat) {
    struct orc_assignment *assignment = seat->assignment;
    if (assignment != NULL && assignment->sent) {
        orc_station_count(engine, seat, engine->now_ms - assignment->sent_ms, false);
    }
    if (assignment != NULL) {
        orc_assignment_give_up(engine, assignment);
    }
}

/* The worker is told to stop; its slot stays taken until it says that it has. */
static void end_attempt(struct orc_engine *engine, struct orc_entry *entry, const struct overdue *found) {
    const struct overdue first = {orc_fusion_first(entry, found->job), found->code, found->message};
    const struct overdue *overdue = &first;
    struct orc_event event = event_of(entry, overdue);
    event.kind = orc_fusion_failure(engine, entry, overdue->job);
    struct orc_effect effect = {.kind = ORC_EFFECT_STOP, .entry = entry};
    memcpy(effect.attempt.fence, entry->execution->jobs[overdue->job].fence, ORC_FENCE_BYTES);
    give_up(engine, orc_entry_seat(entry, overdue->job));
    orc_engine_must_step(engine, entry, &event);
    effect.attempt.for_good = orc_job_terminal(&entry->execution->jobs[overdue->job]);
    orc_engine_after_commit(engine, &effect);
}

/* No worker took it within its limit. */
static void end_wait(struct orc_engine *engine, struct orc_entry *entry, uint32_t job) {
    const struct overdue overdue = {job, "queue_timeout", "no worker took the job within its time limit"};
    struct orc_event event = event_of(entry, &overdue);
    event.unassigned = true;
    if (orc_entry_seat(entry, job)->lane != NULL) {
        orc_seat_dequeue(engine, orc_entry_seat(entry, job));
    }
    orc_engine_must_step(engine, entry, &event);
}

/* The job of the list of timed jobs whose time has come, or -1. */
static int32_t next_due(const struct orc_engine *engine, const struct orc_execution *execution) {
    for (int32_t i = execution->timed_first; i >= 0; i = execution->jobs[i].timed_next) {
        if (orc_job_due_ms(&execution->jobs[i]) <= engine->now_ms) {
            return i;
        }
    }
    return -1;
}

static void fire_job(struct orc_engine *engine, struct orc_entry *entry, uint32_t job) {
    switch (entry->execution->jobs[job].state) {
    case ORC_JOB_RUNNING: /* the worker had its time and a grace to say so itself */
        end_attempt(engine, entry, &(struct overdue){job, "attempt_timeout", "the attempt took longer than it may"});
        break;
    case ORC_JOB_READY:
        end_wait(engine, entry, job);
        break;
    case ORC_JOB_AWAITING_APPROVAL:
        orc_engine_expire_approval(engine, entry, job);
        break;
    default: {
        struct orc_event event = {.kind = ORC_EVENT_RETRY_DUE, .job = job};
        orc_engine_must_step(engine, entry, &event);
        break;
    }
    }
}

/* Each step takes the job out of the list or moves its time on. */
static void fire_jobs(struct orc_engine *engine, struct orc_entry *entry) {
    for (int32_t job = next_due(engine, entry->execution); job >= 0; job = next_due(engine, entry->execution)) {
        fire_job(engine, entry, (uint32_t)job);
    }
}

/* ---- attempts that are silent or stuck ---- */

static int64_t silent_at(const struct orc_assignment *assignment) {
    int64_t limit_ms = assignment->peer->silence_ms;
    return limit_ms != 0 ? assignment->heard_ms + limit_ms : INT64_MAX;
}

static int64_t stuck_at(const struct orc_assignment *assignment) {
    int64_t limit_ms = assignment->entry->execution->plan->jobs[assignment->job].operation->no_progress_ms;
    return limit_ms != 0 ? assignment->moved_ms + limit_ms : INT64_MAX;
}

void orc_engine_guard(struct orc_engine *engine, struct orc_assignment *assignment) {
    struct orc_entry *entry = assignment->entry;
    int64_t silent_ms = silent_at(assignment);
    int64_t stuck_ms = stuck_at(assignment);
    int64_t at_ms = silent_ms < stuck_ms ? silent_ms : stuck_ms;
    if (at_ms < entry->guard_at_ms) {
        entry->guard_at_ms = at_ms;
        orc_engine_set_timer(engine, entry);
    }
}

/* NULL: no limit of this job has been passed; *next_ms is not after when one will be. */
static const struct overdue *overdue_of(const struct orc_engine *engine, const struct orc_seat *seat,
                                        int64_t *next_ms) {
    static const struct overdue outside = {0, "external_silent", "nothing has been heard of the work for too long"};
    static const struct overdue silent = {0, "worker_silent", "the worker has not been heard of for too long"};
    static const struct overdue stuck = {0, "no_progress", "the attempt has not got any further for too long"};
    const struct orc_assignment *assignment = seat->assignment;
    bool sent = assignment != NULL && assignment->sent;
    int64_t outside_ms = seat->outside != NULL ? orc_outside_silent_at(seat->outside) : INT64_MAX;
    int64_t silent_ms = sent ? silent_at(assignment) : INT64_MAX;
    int64_t stuck_ms = sent ? stuck_at(assignment) : INT64_MAX;
    int64_t at_ms = silent_ms < stuck_ms ? silent_ms : stuck_ms;
    at_ms = at_ms < outside_ms ? at_ms : outside_ms;
    *next_ms = at_ms < *next_ms ? at_ms : *next_ms;
    if (at_ms > engine->now_ms) {
        return NULL;
    }
    return outside_ms <= engine->now_ms ? &outside : silent_ms <= engine->now_ms ? &silent : &stuck;
}

/* The next attempt that has been silent or stuck for too long. Moves the entry's guard on when there is none. */
static bool find_guarded(const struct orc_engine *engine, struct orc_entry *entry, struct overdue *ret_overdue) {
    const struct orc_execution *execution = entry->execution;
    int64_t next_ms = INT64_MAX;
    for (int32_t i = execution->timed_first; i >= 0; i = execution->jobs[i].timed_next) {
        bool running = execution->jobs[i].state == ORC_JOB_RUNNING;
        const struct overdue *found = running ? overdue_of(engine, orc_entry_seat(entry, i), &next_ms) : NULL;
        if (found != NULL) {
            *ret_overdue = (struct overdue){(uint32_t)i, found->code, found->message};
            return true;
        }
    }
    entry->guard_at_ms = next_ms;
    return false;
}

/* Reports do not move the timer; it finds here how long ago the last one was. */
static void fire_guards(struct orc_engine *engine, struct orc_entry *entry) {
    struct overdue overdue;
    while (entry->guard_at_ms <= engine->now_ms && find_guarded(engine, entry, &overdue)) {
        end_attempt(engine, entry, &overdue);
    }
}

/* ---- all of an execution ---- */

static void fire_delivery(struct orc_engine *engine, struct orc_entry *entry) {
    if (!entry->execution->delivery.in_flight) {
        struct orc_effect effect = {.kind = ORC_EFFECT_DELIVER, .entry = entry};
        orc_timer_set(&engine->timers, &entry->timer, INT64_MAX); /* the effect sets it again */
        orc_engine_after_commit(engine, &effect);
        return;
    }
    struct orc_assignment *assignment = orc_entry_delivery(entry)->assignment;
    give_up(engine, orc_entry_delivery(entry));
    if (assignment != NULL && assignment->sent) {
        orc_assignment_post_cancel(engine, assignment, "the try took too long");
    }
    struct orc_event event = {
        .kind = ORC_EVENT_DELIVERY_FAILED,
        .attempt = entry->execution->delivery.tries + 1,
        .code = "attempt_timeout",
        .message = "the try took longer than it may",
        .chance = (uint32_t)cs_random_u64(),
    };
    orc_engine_must_step(engine, entry, &event);
}

static void fire(struct orc_engine *engine, struct orc_entry *entry) {
    if (orc_execution_terminal(entry->execution)) {
        fire_delivery(engine, entry);
        return;
    }
    if (entry->execution->deadline_ms <= engine->now_ms) {
        struct orc_event event = {.kind = ORC_EVENT_DEADLINE};
        orc_engine_must_step(engine, entry, &event);
        return;
    }
    if (orc_execution_approval_due_ms(entry->execution) <= engine->now_ms) {
        orc_engine_expire_approval_of_whole(engine, entry);
        return;
    }
    fire_jobs(engine, entry);
    fire_guards(engine, entry);
    if (orc_engine_start_unrecorded(entry) && entry->execution->started_at_ms + ORC_RECORD_START_MS <= engine->now_ms) {
        orc_engine_touch(engine, entry);
    }
    orc_engine_set_timer(engine, entry);
}

static struct orc_entry *entry_of(struct orc_timer *timer) {
    return (struct orc_entry *)((char *)timer - offsetof(struct orc_entry, timer));
}

void orc_engine_fire_timers(struct orc_engine *engine) {
    struct orc_timer *timer = NULL;
    while ((timer = orc_timers_first(&engine->timers)) != NULL && timer->at_ms <= engine->now_ms) {
        fire(engine, entry_of(timer));
    }
}
