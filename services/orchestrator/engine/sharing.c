#include "engine/sharing.h"

#include <string.h>
#include <utlist.h>

#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/internal.h"
#include "wire/assign_wire.h"

#define CHUNK(word) CALLSHEET__V1__CHUNK_STATE__CHUNK_STATE_##word

/* ---- shares ---- */

static bool is_offered(const struct orc_spread *spread, uint32_t chunk) {
    for (uint32_t i = 0; i < spread->count; i++) {
        if (spread->chunks[i] == chunk) {
            return true;
        }
    }
    return false;
}

static bool may_be_given(const struct orc_spread *spread, uint32_t chunk) {
    const struct orc_share *share = NULL;
    DL_SEARCH_SCALAR(spread->shares, share, chunk, chunk);
    return share == NULL && !spread->settled[chunk];
}

/* From here on the spread knows nothing of it. */
static void detach(struct orc_share *share) {
    struct orc_spread *spread = share->spread;
    DL_DELETE(spread->shares, share); // NOLINT(clang-analyzer-core.NullDereference): it is in it
    spread->share_count--;
    share->spread = NULL;
}

static void cancel(struct orc_engine *engine, struct orc_share *share) {
    detach(share);
    orc_assignment_post_cancel(engine, share->assignment, "the chunk is not needed any more");
}

/* ---- what is on offer ---- */

static struct orc_spread *spread_of(struct orc_engine *engine, struct orc_assignment *assignment) {
    if (assignment->spread == NULL) {
        assignment->spread = cs_alloc(sizeof(*assignment->spread));
        assignment->spread->owner = assignment;
        DL_APPEND(engine->dispatch.spreads, assignment->spread);
    }
    return assignment->spread;
}

/* What is paid for is nothing to be done twice, and a delivery has no chunks. */
static bool may_spread(const struct orc_assignment *assignment) {
    return assignment->job != ORC_SEAT_OF_DELIVERY &&
           !assignment->entry->execution->plan->jobs[assignment->job].operation->paid;
}

static void cancel_unwanted(struct orc_engine *engine, struct orc_spread *spread, bool other_plan) {
    struct orc_share *share = NULL;
    struct orc_share *next = NULL;
    DL_FOREACH_SAFE(spread->shares, share, next) {
        if (other_plan || !is_offered(spread, share->chunk)) {
            cancel(engine, share);
        }
    }
}

static void take_chunks(struct orc_spread *spread, const struct orc_report *report) {
    const unsigned char *from = (const unsigned char *)report->payload + ORC_SPREAD_PLAN_BYTES;
    size_t count = (report->payload_size - ORC_SPREAD_PLAN_BYTES) / sizeof(uint32_t);
    spread->count = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t chunk = 0;
        memcpy(&chunk, from + i * sizeof(chunk), sizeof(chunk));
        if (chunk < ORC_SPREAD_CHUNKS_MAX) {
            spread->chunks[spread->count++] = chunk;
        }
    }
}

void orc_spread_take(struct orc_engine *engine, struct orc_assignment *assignment, const struct orc_report *report) {
    if (!may_spread(assignment)) {
        return;
    }
    struct orc_spread *spread = spread_of(engine, assignment);
    bool other_plan = memcmp(spread->plan, report->payload, ORC_SPREAD_PLAN_BYTES) != 0;
    if (other_plan) {
        memset(spread->settled, 0, sizeof(spread->settled));
    }
    memcpy(spread->plan, report->payload, ORC_SPREAD_PLAN_BYTES);
    take_chunks(spread, report);
    cancel_unwanted(engine, spread, other_plan);
}

void orc_spread_end(struct orc_engine *engine, struct orc_assignment *assignment) {
    struct orc_spread *spread = assignment->spread;
    if (spread == NULL) {
        return;
    }
    spread->count = 0;
    cancel_unwanted(engine, spread, false);
    DL_DELETE(engine->dispatch.spreads, spread);
    free(cs_steal(&assignment->spread));
}

/* ---- who helps ---- */

/* Somebody waits for a slot like those of the worker. */
static bool is_needed(const struct orc_dispatch *dispatch, const struct orc_peer *peer) {
    for (size_t i = 0; i < dispatch->station_count; i++) {
        if (peer->offers[i] && dispatch->stations[i].hall.count != 0) {
            return true;
        }
    }
    return false;
}

/* It does all that is done in the run. */
static bool can_do(const struct orc_dispatch *dispatch, const struct orc_peer *peer,
                   const struct orc_assignment *owner) {
    struct orc_chain chain;
    orc_chain_of(owner->entry->execution, owner->job, &chain);
    if (chain.count > 1 && chain.count > peer->fused_jobs) {
        return false;
    }
    for (uint32_t i = 0; i < chain.count; i++) {
        if (!peer->offers[orc_station_of_seat(dispatch, orc_entry_seat(owner->entry, chain.jobs[i]))]) {
            return false;
        }
    }
    return true;
}

static struct orc_peer *helper_for(const struct orc_engine *engine, const struct orc_spread *spread) {
    const struct orc_dispatch *dispatch = &engine->dispatch;
    struct orc_peer *best = NULL;
    for (struct orc_peer *peer = dispatch->peers; peer != NULL; peer = peer->hh.next) {
        bool idle = peer->shares && peer->open < peer->limit && peer->rests_until_ms <= engine->now_ms;
        if (idle && peer != spread->owner->peer &&
            (best == NULL || (uint64_t)peer->open * best->limit < (uint64_t)best->open * peer->limit) &&
            can_do(dispatch, peer, spread->owner) && !is_needed(dispatch, peer)) {
            best = peer;
        }
    }
    return best;
}

/* The last: the worker of the attempt begins with the first. */
static bool find_chunk(const struct orc_spread *spread, uint32_t *ret_chunk) {
    for (uint32_t i = spread->count; i-- > 0;) {
        if (may_be_given(spread, spread->chunks[i])) {
            *ret_chunk = spread->chunks[i];
            return true;
        }
    }
    return false;
}

/* ---- giving ---- */

static Callsheet__V1__WorkCommand *describe(struct orc_engine *engine, const struct orc_spread *spread, uint32_t chunk,
                                            struct cs_err *err) {
    const struct orc_entry *entry = spread->owner->entry;
    const struct orc_assign_context context = {.environment = engine->environment, .traceparent = entry->traceparent};
    Callsheet__V1__WorkCommand *command = NULL;
    if (orc_assign_job(entry->execution, spread->owner->job, &context, engine->scratch, &command, err) != CS_OK) {
        return NULL;
    }
    Callsheet__V1__Share *share = cs_arena_alloc(engine->scratch, sizeof(*share));
    callsheet__v1__share__init(share);
    share->plan.data = cs_arena_copy(engine->scratch, spread->plan, sizeof(spread->plan));
    share->plan.len = sizeof(spread->plan);
    share->chunk = chunk;
    command->assign->share = share;
    command->assign->checkpoint = (ProtobufCBinaryData){0};
    cs_random_bytes(command->fence.data, ORC_FENCE_BYTES); /* of its own */
    return command;
}

static void add_share(struct orc_spread *spread, struct orc_assignment *assignment, uint32_t chunk) {
    struct orc_share *share = cs_alloc(sizeof(*share));
    share->assignment = assignment;
    share->spread = spread;
    share->chunk = chunk;
    DL_APPEND(spread->shares, share);
    spread->share_count++;
    assignment->share = share;
}

static void give(struct orc_engine *engine, struct orc_spread *spread, struct orc_peer *peer, uint32_t chunk) {
    struct cs_err err = {0};
    Callsheet__V1__WorkCommand *command = describe(engine, spread, chunk, &err);
    if (command == NULL) {
        cs_log_error("chunks of an attempt cannot be described", CS_KV("worker", spread->owner->peer->worker),
                     CS_KVE(&err));
        spread->count = 0;
        return;
    }
    struct orc_assignment *assignment = orc_assignment_open(engine, peer, command->fence.data);
    assignment->job = spread->owner->job;
    assignment->sent = true;
    assignment->heard_ms = engine->now_ms;
    add_share(spread, assignment, chunk);
    orc_peer_post(engine, peer, command);
    orc_assignment_post_news(engine, spread->owner, chunk, CHUNK(BEGUN));
    atomic_fetch_add(&engine->counters.chunks_given, 1);
    cs_log_debug("chunk given to an idle slot", CS_KV("execution", command->assign->execution),
                 CS_KV("job", command->assign->job), CS_KVI("chunk", chunk), CS_KV("worker", peer->worker),
                 CS_KV("trace", spread->owner->entry->trace_id));
}

/* Who has the fewest helpers first. */
static bool give_one(struct orc_engine *engine) {
    struct orc_spread *best = NULL;
    struct orc_peer *helper = NULL;
    uint32_t best_chunk = 0;
    struct orc_spread *spread = NULL;
    DL_FOREACH(engine->dispatch.spreads, spread) {
        uint32_t chunk = 0;
        struct orc_peer *peer = NULL;
        if ((best == NULL || spread->share_count < best->share_count) && find_chunk(spread, &chunk) &&
            (peer = helper_for(engine, spread)) != NULL) {
            best = spread;
            best_chunk = chunk;
            helper = peer;
        }
    }
    if (best != NULL) {
        give(engine, best, helper, best_chunk);
    }
    return best != NULL;
}

void orc_sharing_run(struct orc_engine *engine) {
    while (engine->dispatch.spreads != NULL && give_one(engine)) {
    }
}

/* ---- what becomes of it ---- */

static void tell(struct orc_engine *engine, struct orc_share *share, Callsheet__V1__ChunkState state) {
    struct orc_assignment *owner = share->spread->owner;
    uint32_t chunk = share->chunk;
    share->spread->settled[chunk] = state != CHUNK(RETURNED);
    detach(share);
    orc_assignment_post_news(engine, owner, chunk, state);
}

static Callsheet__V1__ChunkState end_of(struct orc_engine *engine, struct orc_peer *peer,
                                        const struct orc_report *report) {
    if (report->kind == ORC_REPORT_SUCCEEDED) {
        atomic_fetch_add(&engine->counters.chunks_made, 1);
        return CHUNK(MADE);
    }
    bool refused = cs_str_eq(report->failed.code, "no_slot") || cs_str_eq(report->failed.code, "draining");
    peer->rests_until_ms = engine->now_ms + (refused ? ORC_SHARE_REFUSED_REST_MS : ORC_SHARE_FAILED_REST_MS);
    return refused ? CHUNK(RETURNED) : CHUNK(FAILED);
}

static int64_t silent_at(const struct orc_share *share) {
    int64_t limit_ms = share->assignment->peer->silence_ms;
    return limit_ms != 0 ? share->assignment->heard_ms + limit_ms : INT64_MAX;
}

static void look_at(struct orc_engine *engine, struct orc_share *share) {
    struct orc_assignment *assignment = share->assignment;
    if (silent_at(share) > engine->now_ms) {
        return;
    }
    cs_log_warn("a worker has not been heard of about a chunk for too long", CS_KV("worker", assignment->peer->worker),
                CS_KVI("chunk", share->chunk), CS_KV("trace", share->spread->owner->entry->trace_id));
    assignment->peer->rests_until_ms = engine->now_ms + ORC_SHARE_FAILED_REST_MS;
    tell(engine, share, CHUNK(RETURNED));
    orc_assignment_post_cancel(engine, assignment, "nothing has been heard of the chunk for too long");
}

void orc_sharing_look(struct orc_engine *engine) {
    struct orc_spread *spread = NULL;
    DL_FOREACH(engine->dispatch.spreads, spread) {
        struct orc_share *share = NULL;
        struct orc_share *next = NULL;
        DL_FOREACH_SAFE(spread->shares, share, next) {
            look_at(engine, share);
        }
    }
}

static int64_t rested_at(const struct orc_engine *engine) {
    int64_t at_ms = INT64_MAX;
    for (const struct orc_peer *peer = engine->dispatch.peers; peer != NULL; peer = peer->hh.next) {
        bool rests = peer->shares && peer->rests_until_ms > engine->now_ms;
        at_ms = rests && peer->rests_until_ms < at_ms ? peer->rests_until_ms : at_ms;
    }
    return at_ms;
}

int64_t orc_sharing_due_ms(const struct orc_engine *engine) {
    const struct orc_spread *spread = NULL;
    int64_t at_ms = engine->dispatch.spreads != NULL ? rested_at(engine) : INT64_MAX;
    DL_FOREACH(engine->dispatch.spreads, spread) {
        const struct orc_share *share = NULL;
        DL_FOREACH(spread->shares, share) {
            at_ms = silent_at(share) < at_ms ? silent_at(share) : at_ms;
        }
    }
    return at_ms;
}

void orc_share_report(struct orc_engine *engine, struct orc_assignment *assignment, const struct orc_report *report) {
    if (report->kind != ORC_REPORT_SUCCEEDED && report->kind != ORC_REPORT_FAILED) {
        return;
    }
    struct orc_share *share = assignment->share;
    if (share->spread != NULL) {
        Callsheet__V1__ChunkState state = end_of(engine, assignment->peer, report);
        if (report->kind == ORC_REPORT_FAILED) {
            cs_log_info("chunk not made", CS_KV("worker", assignment->peer->worker), CS_KVI("chunk", share->chunk),
                        CS_KV("code", report->failed.code), CS_KV("message", report->failed.message),
                        CS_KV("trace", share->spread->owner->entry->trace_id));
        }
        tell(engine, share, state);
    }
    orc_assignment_remove(engine, assignment);
}

void orc_share_leave(struct orc_engine *engine, struct orc_assignment *assignment) {
    if (assignment->share == NULL) {
        return;
    }
    if (assignment->share->spread != NULL) {
        tell(engine, assignment->share, CHUNK(RETURNED));
    }
    free(cs_steal(&assignment->share));
}
