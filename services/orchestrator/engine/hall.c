#include "engine/hall.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

uint8_t orc_seat_priority(const struct orc_seat *seat) {
    return orc_seat_is_delivery(seat) ? ORC_PRIORITY_DEFAULT : seat->entry->execution->plan->jobs[seat->job].priority;
}

static struct orc_lane *lane_of(struct orc_hall *hall, const char *tenant) {
    struct orc_lane *lane = NULL;
    HASH_FIND_STR(hall->lanes, tenant, lane);
    if (lane == NULL) {
        lane = cs_alloc(sizeof(*lane));
        lane->tenant = cs_strdup(tenant);
        lane->hall = hall;
        lane->weight = lane->turns = orc_limits_weight(hall->limits, tenant);
        HASH_ADD_KEYPTR(hh, hall->lanes, lane->tenant, strlen(lane->tenant), lane);
        CDL_APPEND(hall->ring, lane);
    }
    return lane;
}

/* Newcomers go to the end; who comes back goes before all that are younger, past the few that came back before. */
static void insert(struct orc_seat **list, struct orc_seat *seat) {
    if (*list == NULL || (*list)->prev->ticket < seat->ticket) {
        DL_APPEND(*list, seat);
        return;
    }
    struct orc_seat *younger = *list;
    while (younger->ticket < seat->ticket) {
        younger = younger->next;
    }
    DL_PREPEND_ELEM(*list, younger, seat);
}

void orc_hall_put(struct orc_hall *hall, struct orc_seat *seat) {
    struct orc_lane *lane = lane_of(hall, seat->entry->execution->tenant);
    uint8_t priority = orc_seat_priority(seat);
    insert(&lane->ranks[priority], seat);
    lane->filled |= UINT32_C(1) << priority;
    seat->lane = lane;
    hall->count++;
}

static void remove_lane(struct orc_hall *hall, struct orc_lane *lane) {
    HASH_DEL(hall->lanes, lane);
    CDL_DELETE(hall->ring, lane);
    free(lane->tenant);
    free(lane);
}

void orc_hall_remove(struct orc_seat *seat) {
    struct orc_lane *lane = seat->lane;
    struct orc_hall *hall = lane->hall;
    uint8_t priority = orc_seat_priority(seat);
    DL_DELETE(lane->ranks[priority], seat);
    seat->lane = NULL;
    hall->count--;
    if (lane->ranks[priority] == NULL) {
        lane->filled &= ~(UINT32_C(1) << priority);
    }
    if (lane->filled == 0) {
        remove_lane(hall, lane);
    }
}

struct orc_seat *orc_lane_first(const struct orc_lane *lane) {
    return lane->ranks[31 - __builtin_clz(lane->filled)]; /* a lane is never empty */
}

static struct orc_seat *take_from(struct orc_hall *hall, struct orc_lane *lane) {
    struct orc_seat *seat = orc_lane_first(lane);
    if (--lane->turns == 0) {
        lane->turns = lane->weight;
        hall->ring = hall->ring == lane ? lane->next : hall->ring;
    }
    orc_hall_remove(seat);
    return seat;
}

struct orc_seat *orc_hall_take(struct orc_hall *hall) {
    return hall->ring != NULL ? take_from(hall, hall->ring) : NULL;
}

struct orc_seat *orc_hall_take_of(struct orc_hall *hall, bool (*admits)(const char *tenant, void *ctx), void *ctx) {
    struct orc_lane *lane = hall->ring;
    while (lane != NULL && !admits(lane->tenant, ctx)) {
        lane = lane->next != hall->ring ? lane->next : NULL;
    }
    return lane != NULL ? take_from(hall, lane) : NULL;
}
