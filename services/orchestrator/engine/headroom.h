/*
 * headroom: the last free slots of an operation are for tenants that hold few.
 *
 * Taking turns alone makes a newcomer wait until a job of somebody else ends, which may take minutes. So one of `share`
 * slots is kept: when no more than those are free, they go only to tenants that hold fewer than are kept. With fewer
 * than `share` slots none is kept, and with a share of 0 never.
 *
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_HEADROOM_H
#define ORC_ENGINE_HEADROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/hash.h"

enum { ORC_HEADROOM_SHARE_DEFAULT = 32 };

/* A tenant with slots of an operation. */
struct orc_holder {
    UT_hash_handle hh; /* by tenant */
    struct orc_holder **home;
    uint32_t slots;
    char tenant[];
};

/* Slots of an operation, over its workers. */
struct orc_room {
    uint64_t slots;
    uint64_t free;
};

/* A slot more. Lives until it has left as often. */
struct orc_holder *orc_headroom_enter(struct orc_holder **holders, const char *tenant);
void orc_headroom_leave(struct orc_holder *holder);

bool orc_headroom_is_scarce(const struct orc_room *room, uint32_t share);
/* Whether the tenant may have a slot when they are scarce. */
bool orc_headroom_admits(const struct orc_room *room, uint32_t share, struct orc_holder *holders, const char *tenant);

#endif
