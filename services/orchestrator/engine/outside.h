/*
 * outside: an attempt of an external job that is under way.
 *
 * Owns     by the seat of its job, from the start of the attempt (or the recovery of its execution) to its end.
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_OUTSIDE_H
#define ORC_ENGINE_OUTSIDE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "engine/report.h"

struct orc_outside {
    int64_t heard_ms;
    int64_t silence_ms; /* something must be heard of it that often; 0: need not */
    bool has_progress;
    struct orc_progress progress;
};

struct orc_engine;
struct orc_entry;
struct orc_seat;

/* The job is ready: it is under way from now on. Or it was already, before a recovery: it is listened to. */
void orc_outside_take(struct orc_engine *engine, struct orc_entry *entry, uint32_t job);
/* When its job does not run any more, or its execution goes. */
void orc_outside_leave(struct orc_engine *engine, struct orc_seat *seat);
/* When it has been silent for too long; INT64_MAX never. */
int64_t orc_outside_silent_at(const struct orc_outside *outside);
/* For who asked for the execution: the token, and what it waits for. */
void orc_outside_explain(const struct orc_engine *engine, const struct orc_entry *entry, uint32_t job,
                         Callsheet__V1__JobStatus *status, struct cs_arena *arena);

#endif
