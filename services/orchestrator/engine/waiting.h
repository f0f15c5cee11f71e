/*
 * waiting: why a job is not running yet, made when somebody asks.
 *
 * Costs    the jobs and edges of the execution, and a look at no more than ORC_WAITING_PLACES_MAX seats of each queue
 * that one of its jobs is in.
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_WAITING_H
#define ORC_ENGINE_WAITING_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/mem.h"
#include "engine/entry.h"

enum { ORC_WAITING_PLACES_MAX = 1000, ORC_WAITING_DEPENDENCIES_MAX = 5 };

struct orc_engine;

/* Sets JobStatus.waiting of each job that has not begun or will begin again; message shows all jobs of the entry, and
 * what is added lives in the arena. */
void orc_waiting_explain(struct orc_engine *engine, struct orc_entry *entry, Callsheet__V1__Execution *message,
                         struct cs_arena *arena);

#endif
