/*
 * gates: what may not run too much at once, or begin too often.
 *
 * A job passes every gate that concerns it: its tenant, its operation, its provider, the rate of its provider, its
 * concurrency key. Where one is closed it waits in a line of that gate, one line for each operation, and is not looked
 * at again before a permit is free: then one of each line goes back to its station, before all that are younger. Who
 * was woken and does not use the permit (it waits at another gate now, or was cancelled) passes the call on.
 *
 * A permit is held from the assignment until the worker's last word, like the slot: an attempt that was given up still
 * runs somewhere. Nothing is stored: after a start nothing runs, and buckets are full.
 *
 * Owns     gates and lines; those that nobody needs go.
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_GATES_H
#define ORC_ENGINE_GATES_H

#include "engine/hall.h"
#include "engine/limits.h"
#include "engine/timers.h"

enum {
    ORC_GATES_MAX = ORC_LIMIT_KINDS + 1, /* two keys: its own, and that of the map whose item it is */
    ORC_PASS_MAX = 2 * ORC_GATES_MAX,    /* … and those of what is done in the same run */
};

#define ORC_MAP_GATE_PREFIX "map:"

struct orc_engine;
struct orc_station;
struct orc_gate;

/* Who waits at a gate for one operation. */
struct orc_line {
    struct orc_gate *gate;
    struct orc_hall hall;
    uint32_t woken; /* are back at the station and have not used their permit yet */
    struct orc_line *prev;
    struct orc_line *next;
};

struct orc_gate {
    UT_hash_handle hh; /* by name */
    char *name;        /* "tenant:acme", "rate:provider:replicate" */
    enum orc_limit_kind kind;
    uint32_t max;
    uint32_t running; /* permits that are out; not of a rate */
    int64_t
        period_ms; /* of a rate: a bucket of max tokens that fills in a period; level / period_ms of them are in it */
    int64_t level;
    int64_t level_ms; /* when it was so */
    struct orc_timer timer;
    struct orc_line *lines;
};

struct orc_gates {
    struct orc_limits limits;
    struct orc_gate *gates;   /* by name */
    struct orc_timers timers; /* of rates */
    bool stirred;             /* somebody was woken */
};

/* The permits of an assignment. */
struct orc_pass {
    struct orc_gate *gates[ORC_PASS_MAX];
    uint32_t count;
};

void orc_gates_fini(struct orc_gates *gates);
/* A seat that was just taken from its station: passes all its gates, or waits at one now. */
bool orc_gates_enter(struct orc_engine *engine, struct orc_station *station, struct orc_seat *seat,
                     struct orc_pass *ret_pass);
/* A job that is done in the run that has the pass: takes what it needs beside, or nothing (false) where a gate is
 * closed or the pass is full. What the run has already counts for all of it. */
bool orc_gates_join(struct orc_engine *engine, struct orc_station *station, const struct orc_seat *seat,
                    struct orc_pass *pass);
void orc_gates_leave(struct orc_engine *engine, struct orc_pass *pass);
/* A seat leaves the hall of a line, or of its station, for good. */
void orc_gates_forget(struct orc_engine *engine, struct orc_seat *seat);
/* Rates that have a token again. */
void orc_gates_fire(struct orc_engine *engine);
/* When the next token comes, Unix time; now when there is one. */
int64_t orc_gate_opens_ms(const struct orc_gate *gate, int64_t now_ms);

#endif
