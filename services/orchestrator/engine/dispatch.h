/*
 * dispatch: ready jobs on one side, workers with free slots on the other.
 *
 * Each operation has a hall where tenants take turns (hall.h), so a tenant with many jobs delays another by one job,
 * not by all of them, and some slots are kept for who holds few (headroom.h). Whose turn it is may have to wait at a
 * gate instead (gates.h). Among the workers that offer the
 * operation and have a free slot one that made an input of the job gets it, else the one with the largest free share of
 * its credits. Commands for one worker leave in one message a turn.
 *
 * An assignment holds a slot from the moment it is made until the worker's final report, even when nobody wants its
 * result any more (entry is NULL then). What slots nobody needs may go to chunks of long jobs (sharing.h).
 *
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_DISPATCH_H
#define ORC_ENGINE_DISPATCH_H

#include "cs/base/hash.h"

#include "engine/entry.h"
#include "engine/gates.h"
#include "engine/headroom.h"
#include "engine/report.h"

enum { ORC_MESSAGE_COMMANDS_MAX = 256, ORC_MESSAGE_BYTES_MAX = 4 << 20 };

struct orc_engine;
struct orc_spread;
struct orc_share;

/* An operation. */
struct orc_station {
    const struct orc_operation *operation;
    struct orc_hall hall;       /* those that only wait for a worker */
    struct orc_holder *holders; /* by tenant */
    size_t ready;               /* with those that wait at gates */
    uint64_t succeeded, failed; /* attempts that ended so, of jobs and deliveries */
    int64_t run_ms;             /* of all of them, from the assignment to the report, or until we gave them up */
};

struct orc_peer {
    UT_hash_handle hh; /* by link */
    uint64_t link;
    char worker[ORC_WORKER_NAME_SIZE];
    int64_t silence_ms;     /* it must be heard of that often about each attempt; 0: it never promised */
    bool *offers;           /* one for each station */
    uint32_t limit;         /* assignments that may be open at once */
    uint32_t fused_jobs;    /* how many jobs an assignment may be made of */
    bool shares;            /* it makes chunks of others' jobs */
    int64_t rests_until_ms; /* from that */
    uint32_t open;
    struct orc_assignment *assignments;
    Callsheet__V1__WorkCommand **outbox;
    size_t outbox_count;
    size_t outbox_capacity;
    size_t outbox_bytes;
};

struct orc_assignment {
    UT_hash_handle hh; /* by fence */
    unsigned char fence[ORC_FENCE_BYTES];
    struct orc_entry *entry; /* NULL: given up, only the slot is still taken; or a share */
    uint32_t job;
    uint32_t attempt;
    bool sent;
    bool cancelled; /* the worker was told to stop */
    bool owed;      /* … and will be told then that its checkpoint is saved */
    uint64_t owed_sequence;
    struct orc_peer *peer;
    struct orc_assignment *prev;
    struct orc_assignment *next;
    struct orc_spread *spread; /* what others may do of it; or NULL */
    struct orc_share *share;   /* that it is, instead of an attempt; or NULL */
    struct orc_holder *holder; /* NULL: a share */
    struct orc_pass pass;
    struct orc_progress progress;
    bool has_progress;
    int64_t sent_ms;
    int64_t heard_ms; /* once sent: when its worker last said something about it */
    int64_t moved_ms; /* … and when its progress last changed */
};

struct orc_dispatch {
    struct orc_station *stations;
    size_t station_count;
    struct orc_peer *peers;             /* by link */
    struct orc_assignment *assignments; /* by fence */
    struct orc_spread *spreads;
    struct orc_gates gates;
    uint32_t headroom_share;
    uint64_t next_ticket;
};

/* Takes over the limits. headroom_share: as in headroom.h. */
void orc_dispatch_init(struct orc_dispatch *dispatch, struct orc_limits *limits, uint32_t headroom_share);
void orc_dispatch_fini(struct orc_dispatch *dispatch);

/* ---- the queues ---- */
void orc_seat_enqueue(struct orc_engine *engine, struct orc_seat *seat);
void orc_seat_dequeue(struct orc_engine *engine, struct orc_seat *seat); /* when it is in a lane */
size_t orc_station_of_seat(const struct orc_dispatch *dispatch, const struct orc_seat *seat);
size_t orc_station_index(const struct orc_dispatch *dispatch, const struct orc_station *station);
struct orc_room orc_station_room(const struct orc_dispatch *dispatch, size_t station);
/* Gives ready jobs to free slots, as far as both go. */
void orc_dispatch_run(struct orc_engine *engine);

/* For the metrics: an attempt that was sent has ended, so long after it was. */
void orc_station_count(struct orc_engine *engine, const struct orc_seat *seat, int64_t ran_ms, bool succeeded);

/* ---- workers ---- */
void orc_peer_add(struct orc_engine *engine, uint64_t link, const struct orc_hello *hello);
struct orc_peer *orc_peer_find(struct orc_engine *engine, uint64_t link);
/* After its assignments are gone. */
void orc_peer_remove(struct orc_engine *engine, struct orc_peer *peer);
/* Queues a command for the worker; it lives at least until the next flush. */
void orc_peer_post(struct orc_engine *engine, struct orc_peer *peer, Callsheet__V1__WorkCommand *command);
void orc_peers_flush(struct orc_engine *engine);

/* ---- assignments ---- */
/* Begins an attempt (or a try of the delivery) of a ready seat. */
void orc_assign(struct orc_engine *engine, struct orc_seat *seat, struct orc_peer *peer, const struct orc_pass *pass);
/* A slot of the worker is taken, for nothing yet. */
struct orc_assignment *orc_assignment_open(struct orc_engine *engine, struct orc_peer *peer,
                                           const unsigned char *fence);
struct orc_assignment *orc_assignment_find(struct orc_engine *engine, const unsigned char *fence);
/* Sends it to its worker; the start of paid work has been committed by now. */
void orc_assignment_send(struct orc_engine *engine, struct orc_assignment *assignment);
/* Nobody wants its result any more; the slot stays taken until the worker says so. Who helps with it is told to stop.
 */
void orc_assignment_give_up(struct orc_engine *engine, struct orc_assignment *assignment);
/* Frees the slot. */
void orc_assignment_remove(struct orc_engine *engine, struct orc_assignment *assignment);
void orc_assignment_post_cancel(struct orc_engine *engine, struct orc_assignment *assignment, const char *reason);
/* The same when no other attempt of the job will follow. */
void orc_assignment_post_end(struct orc_engine *engine, struct orc_assignment *assignment, const char *reason);
void orc_assignment_post_news(struct orc_engine *engine, struct orc_assignment *assignment, uint32_t chunk,
                              Callsheet__V1__ChunkState state);
/* Says that a checkpoint is saved. To an attempt that was given up only after its cancel, and whether or not it is: the
 * worker waits for the answer (to one at a time), could not end without it, and must not go on with it. */
void orc_assignment_post_saved(struct orc_engine *engine, struct orc_assignment *assignment, uint64_t sequence);

#endif
