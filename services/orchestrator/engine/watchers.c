#include "engine/watchers.h"

#include <string.h>
#include <utlist.h>

#include "engine/internal.h"

/* ---- watchers ---- */

void orc_watcher_add(struct orc_engine *engine, uint64_t number, const struct orc_watcher_events *events, void *ctx) {
    struct orc_watcher *watcher = cs_alloc(sizeof(*watcher));
    watcher->number = number;
    watcher->events = events;
    watcher->ctx = ctx;
    HASH_ADD(hh, engine->watches.watchers, number, sizeof(watcher->number), watcher);
}

struct orc_watcher *orc_watcher_find(struct orc_engine *engine, uint64_t number) {
    struct orc_watcher *watcher = NULL;
    HASH_FIND(hh, engine->watches.watchers, &number, sizeof(number), watcher);
    return watcher;
}

static void unlist(struct orc_engine *engine, struct orc_watch *watch) {
    if (watch->listed) {
        DL_DELETE(engine->watches.dirty, watch);
        watch->listed = false;
    }
}

static void watch_free(struct orc_engine *engine, struct orc_watch *watch) {
    unlist(engine, watch);
    watch->entry->watch = NULL;
    free(watch->told);
    free(watch);
}

void orc_watcher_end(struct orc_engine *engine, struct orc_watcher *watcher, const struct cs_err *err) {
    struct orc_watch *watch = watcher->watch;
    HASH_DEL(engine->watches.watchers, watcher); // NOLINT(clang-analyzer-core.NullDereference): it is in it
    if (watch != NULL) {
        DL_DELETE(watch->watchers, watcher);
        if (watch->watchers == NULL) {
            watch_free(engine, watch);
        }
    }
    watcher->events->ended(err, watcher->ctx);
    free(watcher);
}

void orc_watchers_end_all(struct orc_engine *engine, const struct cs_err *err) {
    while (engine->watches.watchers != NULL) {
        orc_watcher_end(engine, engine->watches.watchers, err);
    }
}

void orc_watch_drop(struct orc_engine *engine, struct orc_entry *entry, const struct cs_err *err) {
    while (entry->watch != NULL) {
        orc_watcher_end(engine, entry->watch->watchers, err);
    }
}

/* ---- what changed ---- */

static struct orc_told now_of(const struct orc_entry *entry, uint32_t job) {
    const struct orc_job *state = &entry->execution->jobs[job];
    struct orc_told now = {.state = state->state, .attempt = state->attempt};
    const struct orc_progress *progress = orc_seat_progress(orc_entry_seat(entry, job));
    if (state->state == ORC_JOB_RUNNING && progress != NULL) {
        now.progress = *progress;
    }
    return now;
}

static bool same_progress(const struct orc_progress *a, const struct orc_progress *b) {
    return a->fraction == b->fraction && a->media_time_us == b->media_time_us &&
           a->media_duration_us == b->media_duration_us && a->speed == b->speed && strcmp(a->stage, b->stage) == 0;
}

static bool same(const struct orc_told *a, const struct orc_told *b) {
    return a->state == b->state && a->attempt == b->attempt && same_progress(&a->progress, &b->progress);
}

/* Remembers what is told now; fills ret_jobs with the jobs that differ. */
static size_t differences(struct orc_watch *watch, uint32_t *ret_jobs) {
    size_t count = 0;
    for (uint32_t i = 0; i < watch->entry->execution->plan->job_count; i++) {
        struct orc_told now = now_of(watch->entry, i);
        if (!same(&now, &watch->told[i])) {
            watch->told[i] = now;
            ret_jobs[count++] = i;
        }
    }
    return count;
}

void orc_watch_grow(struct orc_entry *entry, uint32_t before) {
    uint32_t count = entry->execution->plan->job_count;
    if (entry->watch != NULL) {
        entry->watch->told = cs_realloc(entry->watch->told, count * sizeof(*entry->watch->told));
        memset(&entry->watch->told[before], 0, (count - before) * sizeof(*entry->watch->told));
    }
}

static Callsheet__V1__ExecutionUpdate *new_update(struct orc_entry *entry, const uint32_t *jobs, size_t count,
                                                  struct cs_arena *arena) {
    Callsheet__V1__ExecutionUpdate *update = cs_arena_alloc(arena, sizeof(*update));
    callsheet__v1__execution_update__init(update);
    update->snapshot = jobs == NULL;
    update->execution = orc_engine_snapshot(entry, jobs, count, arena);
    return update;
}

const Callsheet__V1__ExecutionUpdate *orc_watch_update(struct orc_engine *engine, struct orc_entry *entry,
                                                       struct cs_arena *arena) {
    struct orc_watch *watch = entry->watch;
    if (watch == NULL) {
        return NULL;
    }
    uint32_t *jobs = cs_arena_array(arena, entry->execution->plan->job_count, sizeof(*jobs));
    size_t count = differences(watch, jobs);
    unlist(engine, watch);
    watch->changed = watch->progress = false;
    watch->told_at_ms = engine->now_ms;
    return new_update(entry, jobs, count, arena);
}

/* ---- telling ---- */

void orc_watcher_bind(struct orc_engine *engine, struct orc_watcher *watcher, struct orc_entry *entry) {
    if (entry->watch == NULL) {
        entry->watch = cs_alloc(sizeof(*entry->watch));
        entry->watch->entry = entry;
        entry->watch->told = cs_alloc_array(entry->execution->plan->job_count, sizeof(*entry->watch->told));
        uint32_t *jobs = cs_arena_array(engine->scratch, entry->execution->plan->job_count, sizeof(*jobs));
        (void)differences(entry->watch, jobs); /* the snapshot tells them */
    }
    watcher->watch = entry->watch;
    DL_APPEND(entry->watch->watchers, watcher);
    struct orc_batch *batch = orc_engine_batch_of(entry);
    struct cs_arena *arena = batch != NULL ? batch->arena : engine->scratch;
    struct orc_effect effect = {
        .kind = ORC_EFFECT_SNAPSHOT,
        .entry = entry,
        .watch = {.update = new_update(entry, NULL, 0, arena), .watch = watcher->number},
    };
    orc_engine_after_commit(engine, &effect);
}

void orc_watch_tell(struct orc_engine *engine, struct orc_entry *entry, const Callsheet__V1__ExecutionUpdate *update) {
    bool last = update->execution->state >= CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED;
    struct orc_watcher *watcher = entry->watch != NULL ? entry->watch->watchers : NULL;
    while (watcher != NULL) {
        struct orc_watcher *next = watcher->next;
        if (watcher->active) {
            watcher->events->update(update, watcher->ctx);
            if (last) {
                orc_watcher_end(engine, watcher, NULL); /* frees the watch with its last watcher */
            }
        }
        watcher = next;
    }
}

void orc_watch_tell_snapshot(struct orc_engine *engine, uint64_t number, const Callsheet__V1__ExecutionUpdate *update) {
    struct orc_watcher *watcher = orc_watcher_find(engine, number);
    if (watcher == NULL) {
        return; /* it left meanwhile */
    }
    watcher->active = true;
    watcher->events->update(update, watcher->ctx);
    if (update->execution->state >= CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED) {
        orc_watcher_end(engine, watcher, NULL);
    }
}

/* ---- changes that are not written ---- */

void orc_watch_note(struct orc_engine *engine, struct orc_entry *entry, bool progress) {
    struct orc_watch *watch = entry->watch;
    if (watch == NULL) {
        return;
    }
    watch->progress |= progress;
    watch->changed |= !progress;
    if (!watch->listed) {
        DL_APPEND(engine->watches.dirty, watch);
        watch->listed = true;
    }
}

int64_t orc_watches_flush(struct orc_engine *engine) {
    int64_t again_ms = INT64_MAX;
    struct orc_watch *watch = engine->watches.dirty;
    while (watch != NULL) {
        struct orc_watch *next = watch->next;
        int64_t due_ms = watch->changed ? engine->now_ms : watch->told_at_ms + ORC_PROGRESS_EVERY_MS;
        if (orc_engine_batch_of(watch->entry) != NULL) {
            watch = next; /* the commit tells it, or its end brings us here again */
            continue;
        }
        if (due_ms <= engine->now_ms) {
            struct orc_entry *entry = watch->entry;
            orc_watch_tell(engine, entry, orc_watch_update(engine, entry, engine->scratch));
        } else {
            again_ms = due_ms < again_ms ? due_ms : again_ms;
        }
        watch = next;
    }
    return again_ms;
}
