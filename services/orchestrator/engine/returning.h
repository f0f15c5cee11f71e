/*
 * returning: what we own comes back to memory while we serve.
 *
 * After a start, or a fall, the keeper reads it in batches. Until the last of them new work goes on as ever, reads are
 * answered from the log, watches are told to come again, and who wants to change an execution that is not here yet
 * waits for it: no longer than it takes to read all.
 *
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_RETURNING_H
#define ORC_ENGINE_RETURNING_H

#include <stdbool.h>
#include <stddef.h>

struct orc_engine;
struct orc_item;

struct orc_returning {
    bool under_way;
    struct orc_item *first; /* those that wait, in order of arrival */
    struct orc_item **end;
};

/* So many executions are on their way. */
void orc_returning_begin(struct orc_engine *engine, size_t count);
/* True: the item waits, and is taken again later. */
bool orc_returning_keep(struct orc_engine *engine, struct orc_item *item);
/* A batch has been adopted: who waited for one of it is next. */
void orc_returning_look(struct orc_engine *engine);
/* All is here, or never will be: nobody waits any more. */
void orc_returning_end(struct orc_engine *engine);

#endif
