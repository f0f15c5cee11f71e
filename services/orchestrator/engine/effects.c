/* What happens after a commit. */
#include "cs/base/crash.h"
#include "cs/base/log.h"
#include "domain/fsm.h"
#include "engine/internal.h"

static const char *state_name(const struct orc_execution *execution) {
    return orc_execution_fsm.state_names[execution->state];
}

static void begin(struct orc_engine *engine, const struct orc_batch *batch, const struct orc_effect *effect) {
    struct orc_entry *entry = effect->entry;
    orc_engine_bytes_taken(engine, batch->created[effect->created.row].request_size);
    if (batch->duplicates[effect->created.row]) {
        orc_engine_answer_duplicate(engine, &batch->created[effect->created.row], effect);
        return;
    }
    free(cs_steal(&entry->request));
    atomic_fetch_add(&engine->counters.executions_created, 1);
    cs_log_info("execution accepted", CS_KV("execution", entry->execution->id),
                CS_KV("tenant", entry->execution->tenant), CS_KVI("jobs", entry->execution->plan->job_count),
                CS_KV("trace", entry->trace_id));
    Callsheet__V1__CreateExecutionReply reply = CALLSHEET__V1__CREATE_EXECUTION_REPLY__INIT;
    reply.execution_id = entry->execution->id;
    reply.state = (Callsheet__V1__ExecutionState)entry->execution->state;
    reply.created_at_ms = entry->execution->created_at_ms;
    reply.retry_of = entry->envelope->retry_of;
    orc_engine_answered(engine);
    cs_crash_at(CS_CRASH_ORCHESTRATOR_BEFORE_ANSWER);
    effect->created.done(&reply, NULL, effect->created.ctx);
    if (entry->execution->state == ORC_EXECUTION_PENDING) { /* unless somebody saw the row and cancelled it already */
        struct orc_event event = {.kind = ORC_EVENT_BEGIN};
        orc_engine_must_step(engine, entry, &event);
    }
}

void orc_engine_start_job(struct orc_engine *engine, struct orc_entry *entry, uint32_t job) {
    const struct orc_plan_job *planned = &entry->execution->plan->jobs[job];
    struct orc_seat *seat = orc_entry_seat(entry, job);
    if (planned->operation->external) {
        orc_outside_take(engine, entry, job);
        return;
    }
    /* It may have been cancelled while the batch was under way. */
    if (entry->execution->jobs[job].state != ORC_JOB_READY || seat->lane != NULL) {
        return;
    }
    if (planned->map != ORC_MAP_NONE) {
        orc_map_begin(engine, entry, job);
    } else if (planned->cache != ORC_CACHE_OFF) {
        orc_cache_admit(engine, seat);
    } else {
        orc_seat_enqueue(engine, seat);
    }
}

/* What has a result in the base waits for it, whoever would do the work. */
static void dispatch(struct orc_engine *engine, const struct orc_effect *effect) {
    const struct orc_execution *execution = effect->entry->execution;
    bool ready = execution->jobs[effect->job].state == ORC_JOB_READY;
    if (ready && execution->plan->jobs[effect->job].base_job != NULL) {
        if (orc_entry_seat(effect->entry, effect->job)->lane == NULL) {
            orc_bases_wait(engine, effect->entry);
        }
    } else {
        orc_engine_start_job(engine, effect->entry, effect->job);
    }
}

static void send(struct orc_engine *engine, const struct orc_effect *effect) {
    struct orc_assignment *assignment = orc_assignment_find(engine, effect->attempt.fence);
    if (assignment == NULL) {
        return; /* its link went down meanwhile */
    }
    if (assignment->entry == NULL) {
        orc_assignment_remove(engine, assignment); /* given up before the worker heard of it */
    } else {
        orc_assignment_send(engine, assignment);
    }
}

static void stop(struct orc_engine *engine, const struct orc_effect *effect) {
    struct orc_assignment *assignment = orc_assignment_find(engine, effect->attempt.fence);
    if (assignment == NULL || !assignment->sent) {
        return;
    }
    if (effect->attempt.for_good) { /* the entry may be gone */
        orc_assignment_post_end(engine, assignment, "the job has ended");
    } else {
        orc_assignment_post_cancel(engine, assignment, "another attempt takes its place");
    }
}

static void acknowledge(struct orc_engine *engine, const struct orc_effect *effect) {
    struct orc_assignment *assignment = orc_assignment_find(engine, effect->attempt.fence);
    if (assignment != NULL) {
        cs_crash_at(CS_CRASH_ORCHESTRATOR_BEFORE_SAVED);
        orc_assignment_post_saved(engine, assignment, effect->attempt.sequence);
    }
}

static void say_finished(struct orc_engine *engine, const struct orc_entry *entry) {
    const struct orc_execution *execution = entry->execution;
    atomic_fetch_add(&engine->counters.executions_ended, 1);
    cs_log_info("execution ended", CS_KV("execution", execution->id), CS_KV("tenant", execution->tenant),
                CS_KV("state", state_name(execution)), CS_KV("error", execution->error),
                CS_KVI("took_ms", execution->completed_at_ms - execution->created_at_ms),
                CS_KV("trace", entry->trace_id));
}

void orc_engine_run_effect(struct orc_engine *engine, const struct orc_batch *batch, const struct orc_effect *effect) {
    switch (effect->kind) {
    case ORC_EFFECT_CREATED:
        begin(engine, batch, effect);
        break;
    case ORC_EFFECT_READ:
        orc_engine_answered(engine);
        effect->read.done(effect->read.execution, effect->read.err, effect->read.ctx);
        break;
    case ORC_EFFECT_SEND:
        send(engine, effect);
        break;
    case ORC_EFFECT_SAVED:
        acknowledge(engine, effect);
        break;
    case ORC_EFFECT_STOP:
        stop(engine, effect);
        break;
    case ORC_EFFECT_DISPATCH:
        dispatch(engine, effect);
        break;
    case ORC_EFFECT_GATHER:
        orc_map_gather(engine, effect->entry, effect->job);
        break;
    case ORC_EFFECT_DELIVER:
        orc_engine_deliver(engine, effect->entry);
        break;
    case ORC_EFFECT_FINISHED:
        say_finished(engine, effect->entry);
        orc_bases_ended(engine, effect->entry);
        break;
    case ORC_EFFECT_UPDATE:
        orc_watch_tell(engine, effect->entry, effect->watch.update);
        break;
    case ORC_EFFECT_SNAPSHOT:
        orc_watch_tell_snapshot(engine, effect->watch.watch, effect->watch.update);
        break;
    case ORC_EFFECT_CLOSED:
        orc_engine_forget(engine, effect->entry);
        break;
    }
}

/* Those that end an entry come after all others of the batch, which may still speak of it. What was not created after
 * all has no other effects. */
static void run_effects(struct orc_engine *engine, const struct orc_batch *batch) {
    for (size_t i = 0; i < batch->effect_count; i++) {
        const struct orc_effect *effect = &batch->effects[i];
        if (effect->kind != ORC_EFFECT_CLOSED && !effect->entry->unwanted) {
            orc_engine_run_effect(engine, batch, effect);
        }
    }
    for (size_t i = 0; i < batch->effect_count; i++) {
        const struct orc_effect *effect = &batch->effects[i];
        if (effect->kind == ORC_EFFECT_CLOSED && !effect->entry->unwanted) {
            orc_engine_run_effect(engine, batch, effect);
        }
    }
    for (size_t i = 0; i < batch->effect_count; i++) {
        const struct orc_effect *effect = &batch->effects[i];
        if (effect->kind == ORC_EFFECT_CREATED && batch->duplicates[effect->created.row]) {
            orc_engine_forget(engine, effect->entry);
        }
    }
}

static bool is_committing(const struct orc_engine *engine) {
    bool any = false;
    for (size_t i = 0; i < ORC_TRACKS; i++) {
        any = any || (engine->tracks[i].committing != NULL && !engine->tracks[i].failed);
    }
    return any;
}

void orc_engine_fall(struct orc_engine *engine) {
    engine->falling = is_committing(engine);
    if (!engine->falling) {
        orc_engine_drop_all(engine);
        return;
    }
    for (size_t i = 0; i < ORC_TRACKS; i++) {
        orc_committer_abandon(&engine->tracks[i]);
    }
}

static void take_failure(struct orc_engine *engine, struct orc_track *track, const struct cs_err *err) {
    cs_log_error("commit failed, starting again from the database", CS_KVI("events", track->committing->event_count),
                 CS_KVE(err));
    atomic_fetch_add(&engine->counters.commit_failures, 1);
    track->failed = true;
    engine->falling = true;
}

static void take_success(struct orc_engine *engine, struct orc_track *track) {
    struct orc_batch *batch = cs_steal(&track->committing);
    atomic_fetch_add(&engine->counters.commits, 1);
    atomic_fetch_add(&engine->counters.events, batch->event_count);
    run_effects(engine, batch);
    orc_peers_flush(engine); /* before anything steps again: commands point into executions */
    orc_batch_clear(batch);
}

void orc_engine_committed(struct orc_engine *engine, const struct orc_item *item) {
    if (item->committed.ok) {
        take_success(engine, item->committed.track);
    } else {
        take_failure(engine, item->committed.track, &item->committed.err);
    }
    if (engine->falling) {
        orc_engine_fall(engine);
    }
}

/* Its attempt is about to be cancelled. */
static void owe(struct orc_engine *engine, const struct orc_effect *effect) {
    struct orc_assignment *assignment = orc_assignment_find(engine, effect->attempt.fence);
    if (assignment != NULL) {
        orc_assignment_give_up(engine, assignment);
        orc_assignment_post_saved(engine, assignment, effect->attempt.sequence);
    }
}

void orc_engine_fail_batch(struct orc_engine *engine, struct orc_batch *batch) {
    struct cs_err told = {0};
    (void)cs_fail(&told, CS_UNAVAILABLE, "not_committed", "the database did not take it; try again");
    for (size_t i = 0; i < batch->effect_count; i++) {
        const struct orc_effect *effect = &batch->effects[i];
        if (effect->kind == ORC_EFFECT_CREATED) {
            orc_engine_bytes_taken(engine, batch->created[effect->created.row].request_size);
            orc_engine_answered(engine);
            effect->created.done(NULL, &told, effect->created.ctx);
        } else if (effect->kind == ORC_EFFECT_READ) {
            orc_engine_answered(engine);
            effect->read.done(NULL, &told, effect->read.ctx);
        } else if (effect->kind == ORC_EFFECT_SAVED) {
            owe(engine, effect);
        }
    }
    orc_batch_clear(batch);
}
