/*
 * names: jobs by their ids.
 *
 * Owns     entries live in the arena, the table of them until clear.
 * Threads  not thread-safe.
 */
#ifndef ORC_WIRE_NAMES_H
#define ORC_WIRE_NAMES_H

#include <stddef.h>

#include "cs/base/hash.h"
#include "cs/base/mem.h"

struct orc_named {
    const char *id;
    size_t index;
    UT_hash_handle hh;
};

/* NULL: there is none. names may be NULL, which has none. */
struct orc_named *orc_names_find(struct orc_named *names, const char *id);
/* The table with it. It must not be there yet. */
struct orc_named *orc_names_add(struct orc_named *names, const char *id, size_t index, struct cs_arena *arena);
void orc_names_clear(struct orc_named *names);

#endif
