/*
 * bases: executions whose end others wait for.
 *
 * An entry waits when a job of it that takes a result of its base became ready. It is put down first and the base is
 * looked at then, so an end in between is not missed: the end of an execution in memory tells those that wait at once,
 * after its commit; the rows of all others that are waited for are looked at once a second, with one statement. Nothing
 * of it is stored: after a start, or a takeover, the same jobs become ready again.
 *
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_BASES_H
#define ORC_ENGINE_BASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORC_BASES_LOOK_EVERY_MS = 1000 };

struct orc_awaited;
struct orc_engine;
struct orc_entry;
struct orc_item;

struct orc_bases {
    struct orc_awaited *awaited; /* by id */
    int64_t look_at_ms;          /* meaningful while something is awaited */
    bool looking;                /* an answer is on its way */
};

/* A job of the entry is ready that takes a result of the base. */
void orc_bases_wait(struct orc_engine *engine, struct orc_entry *entry);
/* The entry is about to be forgotten. */
void orc_bases_leave(struct orc_engine *engine, struct orc_entry *entry);
/* The end of an execution in memory is committed. */
void orc_bases_ended(struct orc_engine *engine, struct orc_entry *base);
/* When the next look is due; INT64_MAX: nothing is awaited, or an answer is on its way. */
int64_t orc_bases_due_ms(const struct orc_engine *engine);
/* Looks, when that is due. */
void orc_bases_look(struct orc_engine *engine);
/* The answer (ORC_ITEM_BASES). */
void orc_engine_take_bases(struct orc_engine *engine, struct orc_item *item);

#endif
