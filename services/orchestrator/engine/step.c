/* One event into one execution, and what follows from it. */
#include <string.h>

#include "cs/base/id.h"
#include "cs/base/log.h"
#include "engine/event_wire.h"
#include "engine/internal.h"
#include "wire/execution_wire.h"

/* ---- entries ---- */

struct orc_entry *orc_engine_find(struct orc_engine *engine, const char *id) {
    struct orc_entry *entry = NULL;
    HASH_FIND_STR(engine->entries, id, entry);
    return entry;
}

void orc_engine_add(struct orc_engine *engine, struct orc_entry *entry) {
    HASH_ADD_KEYPTR(hh, engine->entries, entry->execution->id, strlen(entry->execution->id), entry);
    entry->track = &engine->tracks[ORC_TRACK_MAIN];
    entry->holder = orc_headroom_enter(&engine->tenants, entry->execution->tenant);
    atomic_fetch_add(&engine->counters.open, 1);
}

static void leave_seat(struct orc_engine *engine, struct orc_seat *seat) {
    if (seat->lane != NULL) {
        orc_seat_dequeue(engine, seat);
    }
    if (seat->assignment != NULL) {
        orc_assignment_give_up(engine, seat->assignment);
    }
    orc_outside_leave(engine, seat);
    if (seat->flight != NULL) {
        orc_cache_leave(engine, seat);
    }
}

void orc_engine_forget(struct orc_engine *engine, struct orc_entry *entry) {
    for (uint32_t i = 0; i < entry->execution->plan->job_count; i++) {
        leave_seat(engine, orc_entry_seat(entry, i));
    }
    leave_seat(engine, orc_entry_delivery(entry));
    orc_watch_drop(engine, entry, NULL);
    orc_bases_leave(engine, entry);
    orc_timer_set(&engine->timers, &entry->timer, INT64_MAX);
    HASH_DEL(engine->entries, entry);
    orc_headroom_leave(entry->holder);
    atomic_fetch_sub(&engine->counters.open, 1);
    orc_entry_destroy(entry);
}

/* ---- batches ---- */

struct orc_batch *orc_engine_batch_of(const struct orc_entry *entry) {
    const struct orc_track *track = entry->track;
    if (entry->batch == track->filling->number) {
        return track->filling;
    }
    return track->committing != NULL && entry->batch == track->committing->number ? track->committing : NULL;
}

/* What follows on its row goes by the main track, once nothing of it is under way on the other. */
static void choose_track(struct orc_engine *engine, struct orc_entry *entry) {
    if (entry->request == NULL && orc_engine_batch_of(entry) == NULL) {
        entry->track = &engine->tracks[ORC_TRACK_MAIN];
    }
}

void orc_engine_touch(struct orc_engine *engine, struct orc_entry *entry) {
    if (!entry->dirty) {
        choose_track(engine, entry);
        entry->dirty = true;
        entry->batch = entry->track->filling->number;
        orc_batch_add_entry(entry->track->filling, entry);
    }
}

void orc_engine_after_commit(struct orc_engine *engine, const struct orc_effect *effect) {
    struct orc_batch *batch = orc_engine_batch_of(effect->entry);
    if (batch != NULL) {
        orc_batch_add_effect(batch, effect);
    } else {
        orc_engine_run_effect(engine, NULL, effect);
    }
}

/* ---- timers ---- */

/* Work that began is not written; lists read rows. So a long first job gets the head of its execution written. */
bool orc_engine_start_unrecorded(const struct orc_entry *entry) {
    return entry->execution->state == ORC_EXECUTION_PROCESSING && entry->recorded_state == ORC_EXECUTION_PENDING &&
           !entry->dirty;
}

/* A delivery that waits for a worker needs no timer: a worker will come, or a restart. */
void orc_engine_set_timer(struct orc_engine *engine, struct orc_entry *entry) {
    int64_t at_ms = orc_execution_wake_at(entry->execution);
    if (orc_engine_start_unrecorded(entry) && entry->execution->started_at_ms + ORC_RECORD_START_MS < at_ms) {
        at_ms = entry->execution->started_at_ms + ORC_RECORD_START_MS;
    }
    if (entry->guard_at_ms < at_ms && !orc_execution_terminal(entry->execution)) {
        at_ms = entry->guard_at_ms;
    }
    bool queued = orc_entry_delivery(entry)->lane != NULL;
    orc_timer_set(&engine->timers, &entry->timer, queued ? INT64_MAX : at_ms);
}

/* ---- the step ---- */

static void record(struct orc_engine *engine, struct orc_entry *entry, const struct orc_event *event) {
    orc_engine_touch(engine, entry);
    struct orc_batch *batch = entry->track->filling;
    struct orc_row_event *row = orc_batch_add_event(batch);
    orc_event_to_row(event, entry->execution->id, entry->execution->seq, batch->arena, row);
}

/* A worker's attempt that the domain has ended: its result is not wanted any more. */
static void detach(struct orc_engine *engine, struct orc_entry *entry, const unsigned char *fence) {
    struct orc_assignment *assignment = orc_assignment_find(engine, fence);
    if (assignment != NULL && assignment->entry == entry) {
        orc_assignment_give_up(engine, assignment);
    }
}

/* No job is ready any more: what waited for a worker, or for others of the same work, was cancelled. */
static void leave_lanes(struct orc_engine *engine, struct orc_entry *entry) {
    for (uint32_t i = 0; i < entry->execution->plan->job_count; i++) {
        struct orc_seat *seat = orc_entry_seat(entry, i);
        if (seat->lane != NULL) {
            orc_seat_dequeue(engine, seat);
        }
        if (seat->flight != NULL && entry->execution->jobs[i].state != ORC_JOB_COMPLETED) {
            orc_cache_leave(engine, seat);
        }
    }
}

static void follow(struct orc_engine *engine, struct orc_entry *entry, const struct orc_command *command) {
    struct orc_effect effect = {.entry = entry};
    switch (command->kind) {
    case ORC_COMMAND_DISPATCH:
        effect.kind = ORC_EFFECT_DISPATCH;
        effect.job = command->job;
        break;
    case ORC_COMMAND_STOP:
        detach(engine, entry, command->fence);
        orc_outside_leave(engine, orc_entry_seat(entry, command->job));
        effect.kind = ORC_EFFECT_STOP;
        memcpy(effect.attempt.fence, command->fence, ORC_FENCE_BYTES);
        effect.attempt.for_good = orc_job_terminal(&entry->execution->jobs[command->job]);
        break;
    case ORC_COMMAND_GATHER:
        effect.kind = ORC_EFFECT_GATHER;
        effect.job = command->job;
        break;
    case ORC_COMMAND_FINISHED:
        leave_lanes(engine, entry);
        effect.kind = ORC_EFFECT_FINISHED;
        break;
    case ORC_COMMAND_DELIVER:
        effect.kind = ORC_EFFECT_DELIVER;
        break;
    case ORC_COMMAND_CLOSED:
        effect.kind = ORC_EFFECT_CLOSED;
        break;
    case ORC_COMMAND_SAVED:
        return; /* the report's handler knows the sequence that the worker waits for */
    }
    orc_engine_after_commit(engine, &effect);
}

/* What is due at once (a map that is ready) may step again, and has commands of its own. */
static void follow_all(struct orc_engine *engine, struct orc_entry *entry) {
    struct orc_commands commands = engine->commands;
    engine->commands = (struct orc_commands){0};
    for (size_t i = 0; i < commands.count; i++) {
        follow(engine, entry, &commands.items[i]);
    }
    orc_commands_fini(&engine->commands);
    engine->commands = commands;
}

/* Of a job that may be ready: it need not wait for a worker any more, or has to do it anew. */
static bool ends_wait(enum orc_event_kind kind) {
    return kind == ORC_EVENT_REUSED || kind == ORC_EVENT_EDITED || kind == ORC_EVENT_REMOVED;
}

static bool ends_badly(const struct orc_event *event) {
    return event->kind == ORC_EVENT_FAILED || (event->kind == ORC_EVENT_REJECTED && !event->whole);
}

/* What the event means for others that want the same work. May step their executions. */
static void tell_others(struct orc_engine *engine, struct orc_entry *entry, const struct orc_event *event) {
    const struct orc_execution *execution = entry->execution;
    if (event->kind == ORC_EVENT_SUCCEEDED && execution->plan->jobs[event->job].cache != ORC_CACHE_OFF) {
        orc_cache_keep(engine, orc_entry_seat(entry, event->job));
    } else if (event->kind == ORC_EVENT_FAILED || event->kind == ORC_EVENT_LOST || ends_wait(event->kind)) {
        struct orc_seat *seat = orc_entry_seat(entry, event->job);
        bool over = orc_job_terminal(&execution->jobs[event->job]) || event->kind == ORC_EVENT_EDITED;
        if (seat->flight != NULL && over) {
            orc_cache_leave(engine, seat);
        }
    }
}

/* Most plans have no job and no external job at that place. */
static void end_outside(struct orc_engine *engine, const struct orc_entry *entry, const struct orc_event *event) {
    if (event->job < entry->execution->plan->job_count &&
        entry->execution->plan->jobs[event->job].operation->external &&
        entry->execution->jobs[event->job].state != ORC_JOB_RUNNING) {
        orc_outside_leave(engine, orc_entry_seat(entry, event->job));
    }
}

enum cs_status orc_engine_step(struct orc_engine *engine, struct orc_entry *entry, struct orc_event *event,
                               struct cs_err *err) {
    bool was_terminal = orc_execution_terminal(entry->execution);
    uint32_t jobs = entry->execution->plan->job_count;
    engine->commands.count = 0;
    event->at_ms = engine->now_ms;
    CS_TRY(orc_execution_step(entry->execution, event, &engine->commands, err));
    if (entry->execution->plan->job_count != jobs) {
        orc_entry_grow(entry);
        orc_watch_grow(entry, jobs);
    }
    if (orc_event_stored(event->kind)) {
        record(engine, entry, event);
    } else if (!was_terminal && orc_execution_terminal(entry->execution)) {
        orc_engine_touch(engine, entry); /* an empty plan ends without an event */
    } else {
        orc_watch_note(engine, entry, false);
    }
    if (ends_wait(event->kind) && orc_entry_seat(entry, event->job)->lane != NULL) {
        orc_seat_dequeue(engine, orc_entry_seat(entry, event->job)); /* it was ready */
    }
    if (ends_badly(event) && entry->execution->plan->jobs[event->job].map != ORC_MAP_NONE) {
        orc_map_leave(engine, entry, event->job);
    }
    end_outside(engine, entry, event);
    orc_engine_set_timer(engine, entry);
    follow_all(engine, entry);
    tell_others(engine, entry, event);
    return CS_OK;
}

void orc_engine_must_step(struct orc_engine *engine, struct orc_entry *entry, struct orc_event *event) {
    struct cs_err err = {0};
    if (orc_engine_step(engine, entry, event, &err) != CS_OK) {
        cs_log_error("event refused, ignored", CS_KV("execution", entry->execution->id), CS_KVI("kind", event->kind),
                     CS_KVI("job_index", event->job), CS_KVI("attempt", event->attempt),
                     CS_KV("trace", entry->trace_id), CS_KVE(&err));
    }
}

void orc_engine_reuse(struct orc_engine *engine, struct orc_entry *entry, const struct orc_reuses *reuses,
                      size_t index) {
    const struct orc_reuse *reuse = &reuses->items[index];
    struct orc_event event = {.kind = ORC_EVENT_REUSED,
                              .job = reuse->job,
                              .attempt = entry->execution->jobs[reuse->job].attempt,
                              .payload = reuse->payload,
                              .payload_size = reuse->payload_size,
                              .source_execution = reuses->execution,
                              .source_job = reuse->source_job,
                              .reason = reuses->reason};
    if (reuse->fused_into >= 0) {
        event.chain = (struct orc_chain){.count = 1, .jobs = {(uint32_t)reuse->fused_into}};
    }
    orc_engine_must_step(engine, entry, &event);
}

/* ---- the view ---- */

const struct orc_progress *orc_seat_progress(const struct orc_seat *seat) {
    if (!orc_seat_is_delivery(seat) && seat->entry->execution->jobs[seat->job].fused_prev >= 0) {
        return orc_seat_progress(orc_entry_seat(seat->entry, orc_fusion_first(seat->entry, seat->job)));
    }
    if (seat->assignment != NULL) {
        return seat->assignment->has_progress ? &seat->assignment->progress : NULL;
    }
    return seat->outside != NULL && seat->outside->has_progress ? &seat->outside->progress : NULL;
}

struct view_ctx {
    struct orc_entry *entry;
    struct cs_arena *arena;
};

static const Callsheet__V1__Progress *progress_of(__attribute__((unused)) const struct orc_execution *execution,
                                                  uint32_t job, void *ctx) {
    const struct view_ctx *view = ctx;
    const struct orc_progress *now = orc_seat_progress(orc_entry_seat(view->entry, job));
    if (now == NULL) {
        return NULL;
    }
    Callsheet__V1__Progress *progress = cs_arena_alloc(view->arena, sizeof(*progress));
    callsheet__v1__progress__init(progress);
    progress->stage = cs_arena_strdup(view->arena, now->stage);
    progress->fraction = now->fraction;
    progress->media_time_us = now->media_time_us;
    progress->media_duration_us = now->media_duration_us;
    progress->speed = now->speed;
    return progress;
}

Callsheet__V1__Execution *orc_engine_view(struct orc_entry *entry, const uint32_t *jobs, size_t job_count,
                                          struct cs_arena *arena) {
    struct view_ctx ctx = {entry, arena};
    struct orc_execution_view view = {
        .execution = entry->execution,
        .envelope = entry->envelope,
        .all_jobs = jobs == NULL,
        .jobs = jobs,
        .job_count = job_count,
        .progress = progress_of,
        .progress_ctx = &ctx,
    };
    Callsheet__V1__Execution *message = NULL;
    struct cs_err err = {0};
    if (orc_execution_to_wire(&view, arena, &message, &err) == CS_OK) {
        if (view.all_jobs && entry->ended != NULL) {
            message->jobs = entry->ended->jobs;
            message->n_jobs = entry->ended->n_jobs;
        }
        return message;
    }
    cs_log_error("an execution cannot be shown in full, only its state", CS_KV("execution", entry->execution->id),
                 CS_KVE(&err));
    message = cs_arena_alloc(arena, sizeof(*message));
    callsheet__v1__execution__init(message);
    message->id = entry->execution->id;
    message->tenant = entry->execution->tenant;
    message->state = (Callsheet__V1__ExecutionState)entry->execution->state;
    return message;
}

Callsheet__V1__Execution *orc_engine_snapshot(struct orc_entry *entry, const uint32_t *jobs, size_t job_count,
                                              struct cs_arena *arena) {
    const Callsheet__V1__Execution *message = orc_engine_view(entry, jobs, job_count, arena);
    size_t size = protobuf_c_message_get_packed_size(&message->base);
    uint8_t *bytes = cs_arena_alloc(arena, size);
    (void)protobuf_c_message_pack(&message->base, bytes);
    ProtobufCMessage *copy = NULL;
    struct cs_err err = {0};
    if (cs_rpc_message_unpack_arena(message->base.descriptor, bytes, size, arena, &copy, &err) != CS_OK) {
        cs_log_error("a message of ours does not unpack", CS_KVE(&err));
        copy = cs_arena_alloc(arena, sizeof(Callsheet__V1__Execution));
        callsheet__v1__execution__init((Callsheet__V1__Execution *)copy);
    }
    return (Callsheet__V1__Execution *)copy;
}
