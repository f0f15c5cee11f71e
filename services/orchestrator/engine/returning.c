#include "engine/returning.h"

#include "cs/base/hash.h"
#include "cs/base/id.h"
#include "cs/base/text.h"
#include "engine/internal.h"

struct orc_expected {
    UT_hash_handle hh; /* by id */
    char id[CS_ID_SIZE];
};

static void say_left(struct orc_engine *engine) {
    atomic_store(&engine->counters.left, HASH_COUNT(engine->returning.left));
}

void orc_returning_begin(struct orc_engine *engine, const char *const *ids, size_t count) {
    struct orc_returning *returning = &engine->returning;
    orc_returning_end(engine);
    if (count != 0) {
        returning->all = cs_alloc_array(count, sizeof(*returning->all));
        returning->waiting_end = &returning->waiting;
    }
    for (size_t i = 0; i < count; i++) {
        struct orc_expected *expected = &returning->all[i];
        cs_str_copy(expected->id, sizeof(expected->id), ids[i]);
        HASH_ADD_STR(returning->left, id, expected);
    }
    say_left(engine);
}

static struct orc_expected *find(struct orc_engine *engine, const char *id) {
    struct orc_expected *found = NULL;
    HASH_FIND_STR(engine->returning.left, id, found);
    return found;
}

/* Only an owner with the execution in memory can do these. */
static bool changes(const struct orc_item *item) {
    return item->kind == ORC_ITEM_CANCEL || item->kind == ORC_ITEM_CHANGE || item->kind == ORC_ITEM_DECIDE ||
           item->kind == ORC_ITEM_OUTSIDE;
}

static void append(struct orc_item ***end, struct orc_item *item) {
    item->next = NULL;
    **end = item;
    *end = &item->next;
}

bool orc_returning_keep(struct orc_engine *engine, struct orc_item *item) {
    struct orc_returning *returning = &engine->returning;
    if (returning->waiting_end == NULL || !changes(item) || find(engine, item->id) == NULL) {
        return false;
    }
    append(&returning->waiting_end, item);
    return true;
}

void orc_returning_note(struct orc_engine *engine, const char *id) {
    struct orc_expected *here = find(engine, id);
    if (here != NULL) {
        HASH_DEL(engine->returning.left, here);
        say_left(engine);
    }
}

static void release(struct orc_returning *returning, struct orc_item *item) {
    if (returning->released == NULL) {
        returning->released_end = &returning->released;
    }
    append(&returning->released_end, item);
}

void orc_returning_look(struct orc_engine *engine) {
    struct orc_returning *returning = &engine->returning;
    struct orc_item *item = returning->waiting;
    returning->waiting = NULL;
    returning->waiting_end = returning->waiting_end != NULL ? &returning->waiting : NULL;
    while (item != NULL) {
        struct orc_item *next = item->next;
        if (!orc_returning_keep(engine, item)) {
            release(returning, item);
        }
        item = next;
    }
}

void orc_returning_end(struct orc_engine *engine) {
    struct orc_returning *returning = &engine->returning;
    HASH_CLEAR(hh, returning->left);
    free(cs_steal(&returning->all));
    orc_returning_look(engine); /* nobody has a reason left */
    returning->waiting_end = NULL;
    say_left(engine);
}

struct orc_item *orc_returning_before(struct orc_engine *engine, struct orc_item *items) {
    struct orc_returning *returning = &engine->returning;
    if (returning->released == NULL) {
        return items;
    }
    *returning->released_end = items;
    return cs_steal(&returning->released);
}
