/*
 * hall: where seats wait for their turn.
 *
 * Tenants take turns round a ring; a tenant of weight w has w turns in a round. Within a tenant the highest priority is
 * first, and within a priority who became ready first. Putting and taking cost the same however many wait.
 *
 * Owns     its lanes; an empty lane goes, so that there are never more lanes than seats. A seat is in one hall at most.
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_HALL_H
#define ORC_ENGINE_HALL_H

#include "cs/base/hash.h"

#include "engine/entry.h"
#include "engine/limits.h"

struct orc_station;
struct orc_line;

/* The seats of a tenant, by priority. */
struct orc_lane {
    UT_hash_handle hh; /* by tenant */
    char *tenant;
    struct orc_hall *hall;
    struct orc_seat *ranks[ORC_PRIORITIES]; /* lists, in the order of tickets */
    uint32_t filled;                        /* bit n: ranks[n] is not empty */
    uint32_t weight;
    uint32_t turns; /* left in this round */
    struct orc_lane *prev;
    struct orc_lane *next;
};

struct orc_hall {
    struct orc_station *station;     /* where its seats go to work */
    struct orc_line *line;           /* of a gate, or NULL: the station's own */
    const struct orc_limits *limits; /* for weights */
    struct orc_lane *lanes;          /* by tenant */
    struct orc_lane *ring;           /* whose turn it is first */
    size_t count;
};

/* By the seat's ticket; a ticket is older than those of most who wait, or younger than all. */
void orc_hall_put(struct orc_hall *hall, struct orc_seat *seat);
/* Whose turn it is; NULL when empty. It takes the turn. */
struct orc_seat *orc_hall_take(struct orc_hall *hall);
/* The same among the tenants that `admits` lets through; NULL when it lets none. */
struct orc_seat *orc_hall_take_of(struct orc_hall *hall, bool (*admits)(const char *tenant, void *ctx), void *ctx);
/* Takes it out of the hall that it waits in. */
void orc_hall_remove(struct orc_seat *seat);
uint8_t orc_seat_priority(const struct orc_seat *seat);
/* The list with the highest priority. */
struct orc_seat *orc_lane_first(const struct orc_lane *lane);

#endif
