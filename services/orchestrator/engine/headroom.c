#include "engine/headroom.h"

#include <stdlib.h>
#include <string.h>

#include "cs/base/mem.h"

static struct orc_holder *find(struct orc_holder *holders, const char *tenant) {
    struct orc_holder *holder = NULL;
    HASH_FIND_STR(holders, tenant, holder);
    return holder;
}

struct orc_holder *orc_headroom_enter(struct orc_holder **holders, const char *tenant) {
    struct orc_holder *holder = find(*holders, tenant);
    if (holder == NULL) {
        size_t length = strlen(tenant);
        holder = cs_alloc(sizeof(*holder) + length + 1);
        memcpy(holder->tenant, tenant, length + 1);
        holder->home = holders;
        HASH_ADD_KEYPTR(hh, *holders, holder->tenant, length, holder);
    }
    holder->slots++;
    return holder;
}

void orc_headroom_leave(struct orc_holder *holder) {
    if (--holder->slots == 0) {
        HASH_DEL(*holder->home, holder);
        free(holder);
    }
}

static uint64_t kept(const struct orc_room *room, uint32_t share) {
    return share != 0 ? room->slots / share : 0;
}

bool orc_headroom_is_scarce(const struct orc_room *room, uint32_t share) {
    return room->free <= kept(room, share);
}

bool orc_headroom_admits(const struct orc_room *room, uint32_t share, struct orc_holder *holders, const char *tenant) {
    const struct orc_holder *holder = find(holders, tenant);
    return holder == NULL || holder->slots < kept(room, share);
}
