/* The threads that write batches; that of the main track joins again after a failure. */
#include <time.h>

#include "cs/base/crash.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/internal.h"

enum { BACKOFF_MS_MIN = 50, BACKOFF_MS_MAX = 1000 };

/* Waits before the next try; false when there shall be none. */
static bool back_off(struct orc_committer *committer, int64_t *backoff_ms) {
    int64_t until_ns = cs_clock_mono_ns() + *backoff_ms * INT64_C(1000000);
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    *backoff_ms = *backoff_ms * 2 < BACKOFF_MS_MAX ? *backoff_ms * 2 : BACKOFF_MS_MAX;
    pthread_mutex_lock(&committer->lock);
    while (!committer->hurry && !committer->abandoned && cs_clock_mono_ns() < until_ns) {
        (void)pthread_cond_timedwait(&committer->changed, &committer->lock, &until);
    }
    bool again = !committer->hurry && !committer->abandoned;
    pthread_mutex_unlock(&committer->lock);
    return again;
}

/* Until the database took it, or it is not known whether it did, or somebody else runs under our name. */
static enum cs_status commit(struct orc_track *track, struct cs_err *err) {
    struct orc_counters *counters = &track->engine->counters;
    const struct orc_batch *batch = track->committing;
    const struct orc_commit rows = {
        .created = batch->created,
        .created_count = batch->created_count,
        .events = batch->events,
        .event_count = batch->event_count,
        .heads = batch->heads,
        .head_count = batch->head_count,
        .kept = batch->kept,
        .kept_count = batch->kept_count,
    };
    int64_t backoff_ms = BACKOFF_MS_MIN;
    for (;;) {
        int64_t start_ns = cs_clock_mono_ns();
        cs_crash_at(CS_CRASH_ORCHESTRATOR_BEFORE_COMMIT);
        enum cs_status status = orc_store_commit(track->committer.store, &rows, batch->duplicates, err);
        atomic_fetch_add(&counters->commit_us, (uint64_t)((cs_clock_mono_ns() - start_ns) / 1000));
        if (status == CS_OK) {
            cs_crash_at(CS_CRASH_ORCHESTRATOR_AFTER_COMMIT);
        }
        if (status == CS_OK || !err->retryable) {
            return status;
        }
        cs_log_warn("commit failed, trying again", CS_KVI("events", batch->event_count), CS_KVI("wait_ms", backoff_ms),
                    CS_KVE(err));
        atomic_fetch_add(&counters->commit_failures, 1);
        if (!back_off(&track->committer, &backoff_ms)) {
            return status;
        }
    }
}

static enum cs_status recover(struct orc_engine *engine, struct orc_owned **ret_owned, struct cs_err *err) {
    int64_t backoff_ms = BACKOFF_MS_MIN;
    for (;;) {
        enum cs_status status = orc_engine_join(engine, ret_owned, err);
        if (status == CS_OK) {
            return CS_OK;
        }
        if (cs_str_eq(err->reason, "replica_taken")) {
            cs_log_error("this replica cannot go on", CS_KVE(err));
            if (engine->failed != NULL) {
                engine->failed(err, engine->failed_ctx);
            }
            return status;
        }
        cs_log_warn("recovery failed, trying again", CS_KVI("wait_ms", backoff_ms), CS_KVE(err));
        if (!back_off(&engine->tracks[ORC_TRACK_MAIN].committer, &backoff_ms)) {
            return status;
        }
    }
}

static void work(struct orc_track *track, enum orc_committer_task task) {
    struct orc_engine *engine = track->engine;
    struct cs_err err = {0};
    struct orc_item *item = NULL;
    if (task == ORC_TASK_COMMIT) {
        item = orc_item_create(ORC_ITEM_COMMITTED);
        item->committed.track = track;
        item->committed.ok = commit(track, &err) == CS_OK;
        item->committed.err = err;
    } else {
        struct orc_owned *owned = NULL;
        bool ok = recover(engine, &owned, &err) == CS_OK;
        item = orc_item_create(ok ? ORC_ITEM_JOINED : ORC_ITEM_POKE);
        item->owned = owned;
    }
    if (!orc_queue_put(&engine->queue, item)) { /* the engine has stopped while this was joining */
        orc_owned_destroy(item->kind == ORC_ITEM_JOINED ? item->owned : NULL);
        free(item);
    }
}

static void *run(void *arg) {
    struct orc_track *track = arg;
    struct orc_committer *committer = &track->committer;
    pthread_mutex_lock(&committer->lock);
    for (;;) {
        while (committer->task == ORC_TASK_NONE && !committer->stopping) {
            (void)pthread_cond_wait(&committer->changed, &committer->lock);
        }
        enum orc_committer_task task = committer->task;
        if (task == ORC_TASK_NONE) {
            break;
        }
        committer->task = ORC_TASK_NONE;
        pthread_mutex_unlock(&committer->lock);
        work(track, task);
        pthread_mutex_lock(&committer->lock);
    }
    pthread_mutex_unlock(&committer->lock);
    return NULL;
}

enum cs_status orc_committer_start(struct orc_track *track, struct cs_err *err) {
    struct orc_committer *committer = &track->committer;
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&committer->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&committer->lock, NULL);
    if (pthread_create(&committer->thread, NULL, run, track) != 0) {
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for the committer");
    }
    return CS_OK;
}

void orc_committer_give(struct orc_track *track, enum orc_committer_task task) {
    pthread_mutex_lock(&track->committer.lock);
    track->committer.task = task;
    track->committer.abandoned = false;
    (void)pthread_cond_signal(&track->committer.changed);
    pthread_mutex_unlock(&track->committer.lock);
}

void orc_committer_abandon(struct orc_track *track) {
    pthread_mutex_lock(&track->committer.lock);
    track->committer.abandoned = true;
    (void)pthread_cond_signal(&track->committer.changed);
    pthread_mutex_unlock(&track->committer.lock);
}

void orc_committer_hurry(struct orc_track *track) {
    pthread_mutex_lock(&track->committer.lock);
    track->committer.hurry = true;
    (void)pthread_cond_signal(&track->committer.changed);
    pthread_mutex_unlock(&track->committer.lock);
    orc_store_interrupt(track->committer.store);
}

void orc_committer_stop(struct orc_track *track) {
    orc_committer_hurry(track); /* nothing is left to commit; a recovery that still tries shall end */
    pthread_mutex_lock(&track->committer.lock);
    track->committer.stopping = true;
    (void)pthread_cond_signal(&track->committer.changed);
    pthread_mutex_unlock(&track->committer.lock);
    (void)pthread_join(track->committer.thread, NULL);
    (void)pthread_cond_destroy(&track->committer.changed);
    (void)pthread_mutex_destroy(&track->committer.lock);
}
