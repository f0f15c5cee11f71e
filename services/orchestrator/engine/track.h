/*
 * track: a way to the database: a committer with a connection of its own, and its two batches.
 *
 * Commits of the main track grow with the load. While one is under way, a small plan of a tenant that has little open
 * is created by the express track: it waits for its own commit only. What follows on its row goes by the main track.
 *
 * What of an execution is not committed yet is on one track, so its events are stored in order. When a commit fails for
 * good everything is dropped, once that of the other track has ended as well.
 *
 * Owns     its batches, the store, the thread.
 * Threads  the engine's; a committer's thread reads the batch that it was given, until it has put ORC_ITEM_COMMITTED.
 */
#ifndef ORC_ENGINE_TRACK_H
#define ORC_ENGINE_TRACK_H

#include <pthread.h>

#include "engine/batch.h"

enum orc_track_name { ORC_TRACK_MAIN, ORC_TRACK_EXPRESS, ORC_TRACKS };
enum { ORC_EXPRESS_JOBS_MAX = 100, ORC_EXPRESS_OPEN_MAX = 4 /* executions of its tenant, with it */ };

enum orc_committer_task { ORC_TASK_NONE, ORC_TASK_COMMIT, ORC_TASK_RECOVER /* of the main track's only */ };

/* The thread that writes. */
struct orc_committer {
    pthread_t thread;
    struct orc_store *store;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    enum orc_committer_task task;
    bool stopping;  /* end when nothing is left to do */
    bool hurry;     /* no more waiting for the database */
    bool abandoned; /* the same for the commit under way */
};

struct orc_track {
    struct orc_engine *engine;
    struct orc_committer committer;
    struct orc_batch batches[2];
    struct orc_batch *filling;
    struct orc_batch *committing; /* or NULL */
    bool failed;                  /* `committing` was not committed: it is dropped with everything else */
};

/* Without a store yet, which orc_track_fini closes; the committer has stopped by then. */
void orc_track_init(struct orc_track *track, struct orc_engine *engine);
void orc_track_fini(struct orc_track *track);
/* Gives the batch that was filled to the committer, if there is something in it and it is free. */
void orc_track_commit_if_free(struct orc_track *track);

enum cs_status orc_committer_start(struct orc_track *track, struct cs_err *err) CS_MUST_USE;
void orc_committer_give(struct orc_track *track, enum orc_committer_task task);
/* The commit under way is not tried again. */
void orc_committer_abandon(struct orc_track *track);
/* Whatever it does ends soon, and nothing works any more. */
void orc_committer_hurry(struct orc_track *track);
void orc_committer_stop(struct orc_track *track);

#endif
