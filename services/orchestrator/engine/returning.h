/*
 * returning: what we own comes back to memory while we serve.
 *
 * After a start, or a fall, the keeper reads it in batches. Until the last of them new work goes on as ever, reads are
 * answered from the log, watches are told to come again, and who wants to change an execution that is on its way back
 * waits for it: no longer than it takes to read all. Whatever else is asked for does not wait.
 *
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_RETURNING_H
#define ORC_ENGINE_RETURNING_H

#include <stdbool.h>
#include <stddef.h>

struct orc_engine;
struct orc_item;
struct orc_expected;

struct orc_returning {
    struct orc_expected *all;       /* one block */
    struct orc_expected *left;      /* of them, by id: not back yet */
    struct orc_item *waiting;       /* for one of these, in order of arrival */
    struct orc_item **waiting_end;  /* NULL: nothing is on its way */
    struct orc_item *released;      /* wait no more */
    struct orc_item **released_end; /* NULL: as if empty */
};

/* These executions are on their way. */
void orc_returning_begin(struct orc_engine *engine, const char *const *ids, size_t count);
/* True: the item waits, and is released later. */
bool orc_returning_keep(struct orc_engine *engine, struct orc_item *item);
/* That one is here. */
void orc_returning_note(struct orc_engine *engine, const char *id);
/* A batch has been adopted: who waited for one of it is released. */
void orc_returning_look(struct orc_engine *engine);
/* All is here, or never will be: everybody is released. */
void orc_returning_end(struct orc_engine *engine);
/* The released, in order of arrival, before the items that have come since: they were here first, and no timer fires
 * before they have been taken. */
struct orc_item *orc_returning_before(struct orc_engine *engine, struct orc_item *items);

#endif
