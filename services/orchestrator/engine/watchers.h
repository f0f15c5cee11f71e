/*
 * watchers: who watches which execution.
 *
 * A watch knows what was last told of each job and tells what differs. Changes that are written are told after their
 * commit; changes that are not (a job was assigned, a retry is due) as soon as everything before them is committed;
 * progress at most every ORC_PROGRESS_EVERY_MS.
 *
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_WATCHERS_H
#define ORC_ENGINE_WATCHERS_H

#include "cs/base/hash.h"

#include "engine/batch.h"
#include "engine/report.h"

enum { ORC_PROGRESS_EVERY_MS = 200 };

struct orc_watcher {
    UT_hash_handle hh; /* by number */
    uint64_t number;
    const struct orc_watcher_events *events;
    void *ctx;
    struct orc_watch *watch; /* NULL while its execution is being read */
    bool active;             /* has had its snapshot */
    struct orc_watcher *prev;
    struct orc_watcher *next;
};

/* What was last told of a job. */
struct orc_told {
    uint8_t state;
    uint32_t attempt;
    struct orc_progress progress;
};

/* A watched execution. */
struct orc_watch {
    struct orc_entry *entry;
    struct orc_watcher *watchers;
    struct orc_told *told;
    bool changed; /* something that is not written */
    bool progress;
    int64_t told_at_ms;
    bool listed; /* in orc_watches.dirty */
    struct orc_watch *prev;
    struct orc_watch *next;
};

struct orc_watches {
    struct orc_watcher *watchers; /* by number */
    struct orc_watch *dirty;
};

struct orc_engine;

void orc_watcher_add(struct orc_engine *engine, uint64_t number, const struct orc_watcher_events *events, void *ctx);
struct orc_watcher *orc_watcher_find(struct orc_engine *engine, uint64_t number);
/* Tells `ended` and frees it. */
void orc_watcher_end(struct orc_engine *engine, struct orc_watcher *watcher, const struct cs_err *err);
void orc_watchers_end_all(struct orc_engine *engine, const struct cs_err *err);
/* Binds the watcher to an execution and arranges its snapshot. */
void orc_watcher_bind(struct orc_engine *engine, struct orc_watcher *watcher, struct orc_entry *entry);

/* The plan has grown from that many jobs: nothing was told of the new ones. */
void orc_watch_grow(struct orc_entry *entry, uint32_t before);
/* Something changed that is not written (progress: only that). */
void orc_watch_note(struct orc_engine *engine, struct orc_entry *entry, bool progress);
/* At the seal of a batch: what changed since the last update, or NULL. */
const Callsheet__V1__ExecutionUpdate *orc_watch_update(struct orc_engine *engine, struct orc_entry *entry,
                                                       struct cs_arena *arena);
/* Tells all active watchers; ends them after a terminal state. */
void orc_watch_tell(struct orc_engine *engine, struct orc_entry *entry, const Callsheet__V1__ExecutionUpdate *update);
void orc_watch_tell_snapshot(struct orc_engine *engine, uint64_t number, const Callsheet__V1__ExecutionUpdate *update);
/* Tells what is due of the unwritten changes. Returns when it has to be called again; INT64_MAX when there is no need.
 */
int64_t orc_watches_flush(struct orc_engine *engine);
/* Ends the watchers of an execution that goes. */
void orc_watch_drop(struct orc_engine *engine, struct orc_entry *entry, const struct cs_err *err);

#endif
