#include "wire/names.h"

#include <string.h>

struct orc_named *orc_names_find(struct orc_named *names, const char *id) {
    struct orc_named *named = NULL;
    HASH_FIND_STR(names, id, named);
    return named;
}

struct orc_named *orc_names_add(struct orc_named *names, const char *id, size_t index, struct cs_arena *arena) {
    struct orc_named *named = cs_arena_alloc(arena, sizeof(*named));
    named->id = id;
    named->index = index;
    HASH_ADD_KEYPTR(hh, names, named->id, strlen(named->id), named);
    return names;
}

void orc_names_clear(struct orc_named *names) {
    HASH_CLEAR(hh, names);
}
