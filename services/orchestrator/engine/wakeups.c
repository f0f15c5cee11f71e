/* Deadlines, retries and deliveries whose time has come. */
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

/* The worker had its time and a grace to say so itself. */
static void time_out(struct orc_engine *engine, struct orc_entry *entry, uint32_t job) {
    struct orc_event event = {
        .kind = ORC_EVENT_FAILED,
        .job = job,
        .attempt = entry->execution->jobs[job].attempt,
        .failure_class = ORC_FAILURE_TIMEOUT,
        .code = "attempt_timeout",
        .message = "the attempt took longer than it may",
        .chance = (uint32_t)cs_random_u64(),
    };
    struct orc_effect effect = {.kind = ORC_EFFECT_STOP, .entry = entry};
    memcpy(effect.attempt.fence, entry->execution->jobs[job].fence, ORC_FENCE_BYTES);
    cs_log_warn("attempt timed out", CS_KV("execution", entry->execution->id),
                CS_KV("job", entry->execution->plan->jobs[job].id), CS_KVI("attempt", event.attempt),
                CS_KV("trace", entry->trace_id));
    if (entry->seats[job].assignment != NULL) {
        orc_assignment_give_up(entry->seats[job].assignment);
    }
    orc_engine_must_step(engine, entry, &event);
    orc_engine_after_commit(engine, &effect);
}

/* The job at that place of the list of timed jobs whose time has come, or -1. */
static int32_t next_due(const struct orc_engine *engine, const struct orc_execution *execution) {
    for (int32_t i = execution->timed_first; i >= 0; i = execution->jobs[i].timed_next) {
        const struct orc_job *job = &execution->jobs[i];
        int64_t due_ms = job->state == ORC_JOB_RUNNING ? job->deadline_ms + ORC_ATTEMPT_GRACE_MS : job->wake_at_ms;
        if (due_ms <= engine->now_ms) {
            return i;
        }
    }
    return -1;
}

/* Each step takes the job out of the list or moves its time on. */
static void fire_jobs(struct orc_engine *engine, struct orc_entry *entry) {
    for (int32_t job = next_due(engine, entry->execution); job >= 0; job = next_due(engine, entry->execution)) {
        if (entry->execution->jobs[job].state == ORC_JOB_RUNNING) {
            time_out(engine, entry, (uint32_t)job);
        } else {
            struct orc_event event = {.kind = ORC_EVENT_RETRY_DUE, .job = (uint32_t)job};
            orc_engine_must_step(engine, entry, &event);
        }
    }
}

static void fire_delivery(struct orc_engine *engine, struct orc_entry *entry) {
    if (!entry->execution->delivery.in_flight) {
        struct orc_effect effect = {.kind = ORC_EFFECT_DELIVER, .entry = entry};
        orc_timer_set(&engine->timers, &entry->timer, INT64_MAX); /* the effect sets it again */
        orc_engine_after_commit(engine, &effect);
        return;
    }
    struct orc_assignment *assignment = orc_entry_delivery(entry)->assignment;
    if (assignment != NULL) {
        orc_assignment_give_up(assignment);
        if (assignment->sent) {
            orc_assignment_post_cancel(engine, assignment, "the try took too long");
        }
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
    fire_jobs(engine, entry);
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
