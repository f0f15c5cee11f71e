/* Attempts under way, by their fence. */
#include <string.h>
#include <utlist.h>

#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/internal.h"
#include "wire/assign_wire.h"

/* ---- records ---- */

struct orc_assignment *orc_assignment_find(struct orc_engine *engine, const unsigned char *fence) {
    struct orc_assignment *assignment = NULL;
    HASH_FIND(hh, engine->dispatch.assignments, fence, ORC_FENCE_BYTES, assignment);
    return assignment;
}

struct orc_assignment *orc_assignment_open(struct orc_engine *engine, struct orc_peer *peer,
                                           const unsigned char *fence) {
    struct orc_assignment *assignment = cs_alloc(sizeof(*assignment));
    memcpy(assignment->fence, fence, ORC_FENCE_BYTES);
    assignment->peer = peer;
    HASH_ADD(hh, engine->dispatch.assignments, fence, ORC_FENCE_BYTES, assignment);
    DL_APPEND(peer->assignments, assignment);
    peer->open++;
    atomic_fetch_add(&engine->counters.running, 1);
    return assignment;
}

static struct orc_assignment *add(struct orc_engine *engine, struct orc_seat *seat, struct orc_peer *peer,
                                  const struct orc_pass *pass, const unsigned char *fence) {
    struct orc_assignment *assignment = orc_assignment_open(engine, peer, fence);
    assignment->pass = *pass;
    assignment->entry = seat->entry;
    assignment->job = seat->job;
    struct orc_dispatch *dispatch = &engine->dispatch;
    struct orc_station *station = &dispatch->stations[orc_station_of_seat(dispatch, seat)];
    assignment->holder = orc_headroom_enter(&station->holders, seat->entry->execution->tenant);
    seat->assignment = assignment;
    seat->link = peer->link;
    return assignment;
}

void orc_assignment_give_up(struct orc_engine *engine, struct orc_assignment *assignment) {
    orc_spread_end(engine, assignment);
    if (assignment->entry != NULL) {
        orc_entry_seat(assignment->entry, assignment->job)->assignment = NULL;
        assignment->entry = NULL;
    }
}

void orc_assignment_remove(struct orc_engine *engine, struct orc_assignment *assignment) {
    orc_assignment_give_up(engine, assignment);
    orc_share_leave(engine, assignment);
    HASH_DEL(engine->dispatch.assignments, assignment);
    DL_DELETE(assignment->peer->assignments, assignment); // NOLINT(clang-analyzer-core.NullDereference): it is in it
    assignment->peer->open--;
    if (assignment->holder != NULL) {
        orc_headroom_leave(assignment->holder);
    }
    atomic_fetch_sub(&engine->counters.running, 1);
    orc_gates_leave(engine, &assignment->pass);
    free(assignment);
}

/* ---- giving a seat to a worker ---- */

static void assign_delivery(struct orc_engine *engine, struct orc_seat *seat, struct orc_peer *peer,
                            const struct orc_pass *pass) {
    struct orc_event event = {.kind = ORC_EVENT_DELIVERY_ASSIGNED};
    cs_random_bytes(event.fence, sizeof(event.fence));
    orc_engine_must_step(engine, seat->entry, &event);
    struct orc_assignment *assignment = add(engine, seat, peer, pass, event.fence);
    assignment->attempt = seat->entry->execution->delivery.tries + 1;
    orc_assignment_send(engine, assignment);
}

/* The start of paid work goes into the log before the worker hears of it. */
static void record_start(struct orc_engine *engine, struct orc_assignment *assignment) {
    struct orc_event event = {
        .kind = ORC_EVENT_STARTED,
        .job = assignment->job,
        .attempt = assignment->attempt,
        .payload = assignment->fence,
        .payload_size = ORC_FENCE_BYTES,
    };
    orc_engine_must_step(engine, assignment->entry, &event);
    struct orc_effect effect = {.kind = ORC_EFFECT_SEND, .entry = assignment->entry};
    memcpy(effect.attempt.fence, assignment->fence, ORC_FENCE_BYTES);
    orc_engine_after_commit(engine, &effect);
}

static void assign_job(struct orc_engine *engine, struct orc_seat *seat, struct orc_peer *peer,
                       const struct orc_pass *pass) {
    const struct orc_execution *execution = seat->entry->execution;
    struct orc_event event = {.kind = ORC_EVENT_ASSIGNED, .job = seat->job, .cache_miss = orc_cache_miss_of(seat)};
    struct orc_pass whole = *pass;
    cs_random_bytes(event.fence, sizeof(event.fence));
    orc_fusion_choose(engine, seat, peer, &whole, &event.chain);
    orc_engine_must_step(engine, seat->entry, &event);
    struct orc_assignment *assignment = add(engine, seat, peer, &whole, event.fence);
    for (uint32_t i = 1; i < event.chain.count; i++) {
        orc_entry_seat(seat->entry, event.chain.jobs[i])->link = peer->link;
    }
    assignment->attempt = execution->jobs[seat->job].attempt;
    if (execution->plan->jobs[seat->job].operation->paid) {
        record_start(engine, assignment);
    } else {
        orc_assignment_send(engine, assignment);
    }
}

void orc_assign(struct orc_engine *engine, struct orc_seat *seat, struct orc_peer *peer, const struct orc_pass *pass) {
    if (orc_seat_is_delivery(seat)) {
        assign_delivery(engine, seat, peer, pass);
    } else {
        assign_job(engine, seat, peer, pass);
    }
}

/* ---- telling the worker ---- */

/* The attempt cannot even be described: it fails without having left. */
static void fail_unsent(struct orc_engine *engine, struct orc_assignment *assignment, const struct cs_err *err) {
    struct orc_entry *entry = assignment->entry;
    struct orc_event event = {
        .kind = orc_fusion_failure(engine, entry, assignment->job),
        .job = assignment->job,
        .attempt = assignment->attempt,
        .failure_class = err->status == CS_INVALID_ARGUMENT ? ORC_FAILURE_INVALID_INPUT : ORC_FAILURE_INTERNAL,
        .code = err->reason,
        .message = err->message,
        .chance = (uint32_t)cs_random_u64(),
    };
    orc_assignment_remove(engine, assignment);
    orc_engine_must_step(engine, entry, &event);
}

static void say_assigned(const struct orc_assignment *assignment, const char *job) {
    cs_log_debug("job assigned", CS_KV("execution", assignment->entry->execution->id), CS_KV("job", job),
                 CS_KVI("attempt", assignment->attempt), CS_KV("worker", assignment->peer->worker),
                 CS_KV("trace", assignment->entry->trace_id));
}

void orc_assignment_send(struct orc_engine *engine, struct orc_assignment *assignment) {
    struct orc_entry *entry = assignment->entry;
    const struct orc_assign_context context = {.environment = engine->environment, .traceparent = entry->traceparent};
    Callsheet__V1__WorkCommand *command = NULL;
    if (orc_seat_is_delivery(orc_entry_seat(entry, assignment->job))) {
        command = orc_assign_delivery(entry->execution, entry->envelope->webhook, entry->webhook_body,
                                      entry->webhook_body_size, &context, engine->scratch);
    } else {
        struct cs_err err = {0};
        if (orc_assign_job(entry->execution, assignment->job, &context, engine->scratch, &command, &err) != CS_OK) {
            fail_unsent(engine, assignment, &err);
            return;
        }
    }
    assignment->sent = true;
    assignment->sent_ms = assignment->heard_ms = assignment->moved_ms = engine->now_ms;
    if (!orc_seat_is_delivery(orc_entry_seat(entry, assignment->job))) {
        orc_engine_guard(engine, assignment);
    }
    say_assigned(assignment, command->assign->job);
    orc_peer_post(engine, assignment->peer, command);
}

static Callsheet__V1__WorkCommand *new_command(struct orc_engine *engine, const struct orc_assignment *assignment) {
    Callsheet__V1__WorkCommand *command = cs_arena_alloc(engine->scratch, sizeof(*command));
    callsheet__v1__work_command__init(command);
    command->fence.data = cs_arena_copy(engine->scratch, assignment->fence, ORC_FENCE_BYTES);
    command->fence.len = ORC_FENCE_BYTES;
    return command;
}

void orc_assignment_post_news(struct orc_engine *engine, struct orc_assignment *assignment, uint32_t chunk,
                              Callsheet__V1__ChunkState state) {
    Callsheet__V1__WorkCommand *command = new_command(engine, assignment);
    command->command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_CHUNK_NEWS;
    command->chunk_news = cs_arena_alloc(engine->scratch, sizeof(*command->chunk_news));
    callsheet__v1__chunk_news__init(command->chunk_news);
    command->chunk_news->chunk = chunk;
    command->chunk_news->state = state;
    orc_peer_post(engine, assignment->peer, command);
}

void orc_assignment_post_saved(struct orc_engine *engine, struct orc_assignment *assignment, uint64_t sequence) {
    if (assignment->entry == NULL && !assignment->cancelled) {
        assignment->owed = true;
        assignment->owed_sequence = sequence;
        return;
    }
    Callsheet__V1__WorkCommand *command = new_command(engine, assignment);
    command->command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_CHECKPOINT_SAVED;
    command->checkpoint_saved = cs_arena_alloc(engine->scratch, sizeof(*command->checkpoint_saved));
    callsheet__v1__checkpoint_saved__init(command->checkpoint_saved);
    command->checkpoint_saved->sequence = sequence;
    orc_peer_post(engine, assignment->peer, command);
}

static void post_cancel(struct orc_engine *engine, struct orc_assignment *assignment, const char *reason,
                        bool for_good) {
    Callsheet__V1__WorkCommand *command = new_command(engine, assignment);
    command->command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL;
    command->cancel = cs_arena_alloc(engine->scratch, sizeof(*command->cancel));
    callsheet__v1__cancel__init(command->cancel);
    command->cancel->reason = cs_arena_strdup(engine->scratch, reason);
    command->cancel->for_good = for_good;
    orc_peer_post(engine, assignment->peer, command);
    assignment->cancelled = true;
    if (assignment->owed) {
        assignment->owed = false;
        orc_assignment_post_saved(engine, assignment, assignment->owed_sequence);
    }
}

void orc_assignment_post_cancel(struct orc_engine *engine, struct orc_assignment *assignment, const char *reason) {
    post_cancel(engine, assignment, reason, false);
}

void orc_assignment_post_end(struct orc_engine *engine, struct orc_assignment *assignment, const char *reason) {
    post_cancel(engine, assignment, reason, true);
}
