#include "engine/dispatch.h"

#include <string.h>
#include <utlist.h>

#include "cs/base/crash.h"
#include "cs/base/log.h"
#include "cs/catalog.h"
#include "engine/internal.h"

enum { NEAR_INPUTS_MAX = 16 }; /* that are looked at */

/* ---- life ---- */

void orc_dispatch_init(struct orc_dispatch *dispatch, struct orc_limits *limits, uint32_t headroom_share) {
    *dispatch = (struct orc_dispatch){
        .station_count = cs_catalog_count(), .gates = {.limits = *limits}, .headroom_share = headroom_share};
    *limits = (struct orc_limits){0};
    dispatch->stations = cs_alloc_array(dispatch->station_count, sizeof(*dispatch->stations));
    for (size_t i = 0; i < dispatch->station_count; i++) {
        struct orc_station *station = &dispatch->stations[i];
        station->operation = orc_operation_by_name(cs_catalog_at(i)->name);
        station->hall = (struct orc_hall){.station = station, .limits = &dispatch->gates.limits};
    }
}

void orc_dispatch_fini(struct orc_dispatch *dispatch) {
    orc_gates_fini(&dispatch->gates);
    free(dispatch->stations);
    *dispatch = (struct orc_dispatch){0};
}

/* ---- the queues ---- */

static size_t station_of(const struct orc_dispatch *dispatch, const struct orc_operation *operation) {
    size_t i = 0;
    while (dispatch->stations[i].operation != operation) {
        i++; /* every operation of a plan comes from the table that the stations were made of */
    }
    return i;
}

size_t orc_station_index(const struct orc_dispatch *dispatch, const struct orc_station *station) {
    return (size_t)(station - dispatch->stations);
}

static const struct orc_operation *operation_of(const struct orc_seat *seat) {
    return orc_seat_is_delivery(seat) ? orc_operation_by_case(CALLSHEET__V1__OPERATION__PARAMS_DELIVER_WEBHOOK)
                                      : seat->entry->execution->plan->jobs[seat->job].operation;
}

size_t orc_station_of_seat(const struct orc_dispatch *dispatch, const struct orc_seat *seat) {
    return station_of(dispatch, operation_of(seat));
}

void orc_seat_enqueue(struct orc_engine *engine, struct orc_seat *seat) {
    struct orc_dispatch *dispatch = &engine->dispatch;
    struct orc_station *station = &dispatch->stations[orc_station_of_seat(dispatch, seat)];
    seat->ticket = ++dispatch->next_ticket;
    seat->ready_ms = engine->now_ms;
    orc_hall_put(&station->hall, seat);
    station->ready++;
    atomic_fetch_add(&engine->counters.ready, 1);
}

static void count_out(struct orc_engine *engine, struct orc_station *station) {
    station->ready--;
    atomic_fetch_sub(&engine->counters.ready, 1);
}

void orc_seat_dequeue(struct orc_engine *engine, struct orc_seat *seat) {
    count_out(engine, seat->lane->hall->station);
    orc_gates_forget(engine, seat);
}

/* ---- giving ---- */

/* The worker with the largest free share of its slots, or NULL. */
static struct orc_peer *best_peer(const struct orc_dispatch *dispatch, size_t station) {
    struct orc_peer *best = NULL;
    for (struct orc_peer *peer = dispatch->peers; peer != NULL; peer = peer->hh.next) {
        if (!peer->offers[station] || peer->open >= peer->limit) {
            continue;
        }
        /* open / limit, without dividing */
        if (best == NULL || (uint64_t)peer->open * best->limit < (uint64_t)best->open * peer->limit) {
            best = peer;
        }
    }
    return best;
}

/* A worker that made an input of the job, still lives and has a slot for it; or NULL. */
static struct orc_peer *near_peer(struct orc_engine *engine, const struct orc_seat *seat, size_t station) {
    if (orc_seat_is_delivery(seat)) {
        return NULL;
    }
    const struct orc_plan_job *job = &seat->entry->execution->plan->jobs[seat->job];
    uint32_t count = job->input_count < NEAR_INPUTS_MAX ? job->input_count : NEAR_INPUTS_MAX;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t link = job->inputs[i].job >= 0 ? orc_entry_seat(seat->entry, job->inputs[i].job)->link : 0;
        struct orc_peer *peer = link != 0 ? orc_peer_find(engine, link) : NULL;
        if (peer != NULL && peer->offers[station] && peer->open < peer->limit) {
            return peer;
        }
    }
    return NULL;
}

/* Most jobs have no gate to pass. */
static bool enter(struct orc_engine *engine, struct orc_station *station, struct orc_seat *seat,
                  struct orc_pass *ret_pass) {
    const struct orc_plan *plan = seat->entry->execution->plan;
    bool keyed = !orc_seat_is_delivery(seat) &&
                 (plan->jobs[seat->job].concurrency_key != NULL || plan->jobs[seat->job].owner >= 0);
    ret_pass->count = 0;
    return (engine->dispatch.gates.limits.count == 0 && !keyed) || orc_gates_enter(engine, station, seat, ret_pass);
}

struct orc_room orc_station_room(const struct orc_dispatch *dispatch, size_t station) {
    struct orc_room room = {0};
    for (const struct orc_peer *peer = dispatch->peers; peer != NULL; peer = peer->hh.next) {
        if (peer->offers[station]) {
            room.slots += peer->limit;
            room.free += peer->open < peer->limit ? peer->limit - peer->open : 0;
        }
    }
    return room;
}

struct last_slots {
    struct orc_room room;
    uint32_t share;
    struct orc_holder *holders;
};

static bool admits(const char *tenant, void *ctx) {
    const struct last_slots *last = ctx;
    return orc_headroom_admits(&last->room, last->share, last->holders, tenant);
}

/* Whose turn it is, while slots are plenty; else of those who hold few. */
static struct orc_seat *next_seat(struct orc_dispatch *dispatch, size_t index) {
    struct orc_station *station = &dispatch->stations[index];
    struct last_slots last = {
        .room = orc_station_room(dispatch, index), .share = dispatch->headroom_share, .holders = station->holders};
    return orc_headroom_is_scarce(&last.room, last.share) ? orc_hall_take_of(&station->hall, admits, &last)
                                                          : orc_hall_take(&station->hall);
}

static void serve(struct orc_engine *engine, size_t index) {
    struct orc_station *station = &engine->dispatch.stations[index];
    struct orc_peer *peer = NULL;
    while (station->hall.count != 0 && (peer = best_peer(&engine->dispatch, index)) != NULL) {
        struct orc_seat *seat = next_seat(&engine->dispatch, index);
        struct orc_pass pass;
        if (seat == NULL) {
            break;
        }
        if (enter(engine, station, seat, &pass)) {
            struct orc_peer *near = near_peer(engine, seat, index);
            count_out(engine, station);
            orc_assign(engine, seat, near != NULL ? near : peer, &pass);
        }
    }
}

/* Who was called by a gate meanwhile may belong to a station that has had its turn. */
void orc_dispatch_run(struct orc_engine *engine) {
    struct orc_dispatch *dispatch = &engine->dispatch;
    do {
        dispatch->gates.stirred = false;
        for (size_t i = 0; i < dispatch->station_count; i++) {
            serve(engine, i);
        }
    } while (dispatch->gates.stirred);
    orc_sharing_run(engine);
    orc_peers_flush(engine);
}

void orc_station_count(struct orc_engine *engine, const struct orc_seat *seat, int64_t ran_ms, bool succeeded) {
    struct orc_station *station = &engine->dispatch.stations[orc_station_of_seat(&engine->dispatch, seat)];
    station->succeeded += succeeded ? 1 : 0;
    station->failed += succeeded ? 0 : 1;
    station->run_ms += ran_ms > 0 ? ran_ms : 0; /* clocks are set */
}

/* ---- workers ---- */

void orc_peer_add(struct orc_engine *engine, uint64_t link, const struct orc_hello *hello) {
    struct orc_dispatch *dispatch = &engine->dispatch;
    struct orc_peer *peer = cs_alloc(sizeof(*peer));
    peer->link = link;
    memcpy(peer->worker, hello->worker, sizeof(peer->worker));
    peer->fused_jobs = hello->fused_jobs;
    peer->shares = hello->shares;
    peer->silence_ms = (int64_t)hello->heartbeat_ms * ORC_HEARTBEATS_MISSED_MAX;
    peer->offers = cs_alloc_array(dispatch->station_count, sizeof(*peer->offers));
    for (size_t i = 0; i < hello->operation_count; i++) {
        peer->offers[station_of(dispatch, hello->operations[i])] = true;
    }
    HASH_ADD(hh, dispatch->peers, link, sizeof(peer->link), peer);
    atomic_fetch_add(&engine->counters.links, 1);
}

struct orc_peer *orc_peer_find(struct orc_engine *engine, uint64_t link) {
    struct orc_peer *peer = NULL;
    HASH_FIND(hh, engine->dispatch.peers, &link, sizeof(link), peer);
    return peer;
}

void orc_peer_remove(struct orc_engine *engine, struct orc_peer *peer) {
    HASH_DEL(engine->dispatch.peers, peer);
    atomic_fetch_sub(&engine->counters.links, 1);
    free(peer->offers);
    free(peer->outbox);
    free(peer);
}

static void flush(struct orc_engine *engine, struct orc_peer *peer) {
    Callsheet__V1__WorkRequest request = CALLSHEET__V1__WORK_REQUEST__INIT;
    request.n_commands = peer->outbox_count;
    request.commands = peer->outbox;
    struct cs_err err = {0};
    if (orc_links_send(engine->links, peer->link, &request, &err) == CS_RESOURCE_EXHAUSTED) {
        cs_log_warn("worker does not read, dropping its link", CS_KV("worker", peer->worker), CS_KVE(&err));
        orc_links_drop(engine->links, peer->link);
    } /* any other failure: the link is down, and says so itself */
    cs_crash_at(CS_CRASH_ORCHESTRATOR_AFTER_ASSIGN);
    peer->outbox_count = 0;
    peer->outbox_bytes = 0;
}

void orc_peer_post(struct orc_engine *engine, struct orc_peer *peer, Callsheet__V1__WorkCommand *command) {
    if (peer->outbox_count == peer->outbox_capacity) {
        peer->outbox_capacity = peer->outbox_capacity != 0 ? 2 * peer->outbox_capacity : 16;
        peer->outbox = cs_realloc(peer->outbox, peer->outbox_capacity * sizeof(Callsheet__V1__WorkCommand *));
    }
    peer->outbox[peer->outbox_count++] = command;
    peer->outbox_bytes += protobuf_c_message_get_packed_size(&command->base);
    if (peer->outbox_count >= ORC_MESSAGE_COMMANDS_MAX || peer->outbox_bytes >= ORC_MESSAGE_BYTES_MAX) {
        flush(engine, peer);
    }
}

void orc_peers_flush(struct orc_engine *engine) {
    for (struct orc_peer *peer = engine->dispatch.peers; peer != NULL; peer = peer->hh.next) {
        if (peer->outbox_count != 0) {
            flush(engine, peer);
        }
    }
}
