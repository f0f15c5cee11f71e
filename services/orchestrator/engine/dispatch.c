#include "engine/dispatch.h"

#include <string.h>
#include <utlist.h>

#include "cs/base/log.h"
#include "cs/catalog.h"
#include "engine/internal.h"

/* ---- life ---- */

void orc_dispatch_init(struct orc_dispatch *dispatch) {
    *dispatch = (struct orc_dispatch){.station_count = cs_catalog_count()};
    dispatch->stations = cs_alloc_array(dispatch->station_count, sizeof(*dispatch->stations));
    for (size_t i = 0; i < dispatch->station_count; i++) {
        dispatch->stations[i].operation = orc_operation_by_name(cs_catalog_at(i)->name);
    }
}

void orc_dispatch_fini(struct orc_dispatch *dispatch) {
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

static const struct orc_operation *operation_of(const struct orc_seat *seat) {
    return orc_seat_is_delivery(seat) ? orc_operation_by_case(CALLSHEET__V1__OPERATION__PARAMS_DELIVER_WEBHOOK)
                                      : seat->entry->execution->plan->jobs[seat->job].operation;
}

static struct orc_lane *lane_of(struct orc_station *station, const char *tenant) {
    struct orc_lane *lane = NULL;
    HASH_FIND_STR(station->lanes, tenant, lane);
    if (lane == NULL) {
        lane = cs_alloc(sizeof(*lane));
        lane->tenant = cs_strdup(tenant);
        lane->station = station;
        HASH_ADD_KEYPTR(hh, station->lanes, lane->tenant, strlen(lane->tenant), lane);
        CDL_APPEND(station->ring, lane);
    }
    return lane;
}

void orc_seat_enqueue(struct orc_engine *engine, struct orc_seat *seat) {
    struct orc_dispatch *dispatch = &engine->dispatch;
    struct orc_station *station = &dispatch->stations[station_of(dispatch, operation_of(seat))];
    seat->lane = lane_of(station, seat->entry->execution->tenant);
    DL_APPEND(seat->lane->seats, seat);
    station->ready++;
    atomic_fetch_add(&engine->counters.ready, 1);
}

/* An empty lane goes, so that there are never more lanes than ready jobs. */
void orc_seat_dequeue(struct orc_engine *engine, struct orc_seat *seat) {
    struct orc_lane *lane = seat->lane;
    struct orc_station *station = lane->station;
    DL_DELETE(lane->seats, seat);
    seat->lane = NULL;
    station->ready--;
    atomic_fetch_sub(&engine->counters.ready, 1);
    if (lane->seats == NULL) {
        HASH_DEL(station->lanes, lane);
        CDL_DELETE(station->ring, lane);
        free(lane->tenant);
        free(lane);
    }
}

/* The next ready seat; the turn goes on to the next tenant. */
static struct orc_seat *take_next(struct orc_engine *engine, struct orc_station *station) {
    struct orc_seat *seat = station->ring->seats;
    station->ring = station->ring->next;
    orc_seat_dequeue(engine, seat);
    return seat;
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

void orc_dispatch_run(struct orc_engine *engine) {
    struct orc_dispatch *dispatch = &engine->dispatch;
    for (size_t i = 0; i < dispatch->station_count; i++) {
        struct orc_peer *peer = NULL;
        while (dispatch->stations[i].ready != 0 && (peer = best_peer(dispatch, i)) != NULL) {
            orc_assign(engine, take_next(engine, &dispatch->stations[i]), peer);
        }
    }
    orc_peers_flush(engine);
}

/* ---- workers ---- */

void orc_peer_add(struct orc_engine *engine, uint64_t link, const struct orc_hello *hello) {
    struct orc_dispatch *dispatch = &engine->dispatch;
    struct orc_peer *peer = cs_alloc(sizeof(*peer));
    peer->link = link;
    memcpy(peer->worker, hello->worker, sizeof(peer->worker));
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
