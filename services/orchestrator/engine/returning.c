#include "engine/returning.h"

#include "cs/base/log.h"
#include "engine/internal.h"

void orc_returning_begin(struct orc_engine *engine, size_t count) {
    engine->returning = (struct orc_returning){.under_way = count != 0};
    engine->returning.end = &engine->returning.first;
    atomic_store(&engine->counters.left, count);
}

/* Only an owner with the execution in memory can do these. */
static bool changes(const struct orc_item *item) {
    return item->kind == ORC_ITEM_CANCEL || item->kind == ORC_ITEM_CHANGE || item->kind == ORC_ITEM_DECIDE ||
           item->kind == ORC_ITEM_OUTSIDE;
}

bool orc_returning_keep(struct orc_engine *engine, struct orc_item *item) {
    struct orc_returning *returning = &engine->returning;
    if (!returning->under_way || !changes(item) || orc_engine_find(engine, item->id) != NULL) {
        return false;
    }
    item->next = NULL;
    *returning->end = item;
    returning->end = &item->next;
    return true;
}

/* In order; they are taken in the next turn. */
static void let_go(struct orc_engine *engine, bool all) {
    struct orc_returning *returning = &engine->returning;
    struct orc_item *item = returning->first;
    returning->first = NULL;
    returning->end = &returning->first;
    while (item != NULL) {
        struct orc_item *next = item->next;
        if (all || orc_engine_find(engine, item->id) != NULL) {
            orc_engine_put(engine, item);
        } else {
            (void)orc_returning_keep(engine, item);
        }
        item = next;
    }
}

void orc_returning_look(struct orc_engine *engine) {
    let_go(engine, false);
}

void orc_returning_end(struct orc_engine *engine) {
    engine->returning.under_way = false;
    let_go(engine, true);
}
