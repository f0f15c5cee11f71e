/*
 * WatchExecution. What the engine tells is passed on as it comes while the watcher keeps up. When too much is waiting,
 * the changes are dropped and the watcher is `stale`; once everything has left, a fresh snapshot (a read through the
 * engine) takes their place.
 *
 *     current --queue full--> stale --queue empty--> fetching --snapshot sent--> current (or stale, or ended)
 */
#include <stdatomic.h>
#include <string.h>

#include "api/internal.h"
#include "cs/base/text.h"

struct orc_watcher {
    struct orc_api *api;
    struct cs_rpc_stream *stream; /* a reference */
    char *tenant;
    char *execution;
    struct orc_watcher *next; /* guarded by api->watchers_lock, like the place in the list */
    struct orc_watcher **link;
    bool forwarded;         /* another replica watches, for a client of its own */
    _Atomic int references; /* the stream until closed, the engine until ended, a fetch until answered */
    pthread_mutex_t lock;
    /* below: guarded by lock */
    uint64_t watch;                 /* 0: not known yet */
    struct cs_rpc_stream *upstream; /* at the replica that runs it, instead of the engine's watch; or NULL */
    bool stale;
    bool fetching;
    bool ended;    /* the engine has no more to tell */
    bool finished; /* the stream has been told to finish */
    bool closed;
};

/* ---- life ---- */

static void unref(struct orc_watcher *watcher) {
    if (atomic_fetch_sub(&watcher->references, 1) != 1) {
        return;
    }
    cs_rpc_stream_unref(watcher->stream);
    cs_rpc_stream_unref(watcher->upstream);
    (void)pthread_mutex_destroy(&watcher->lock);
    free(watcher->tenant);
    free(watcher->execution);
    free(watcher);
}

static void enlist(struct orc_watcher *watcher) {
    struct orc_api *api = watcher->api;
    pthread_mutex_lock(&api->watchers_lock);
    watcher->next = api->watchers;
    watcher->link = &api->watchers;
    if (api->watchers != NULL) {
        api->watchers->link = &watcher->next;
    }
    api->watchers = watcher;
    pthread_mutex_unlock(&api->watchers_lock);
}

static void unlist(struct orc_watcher *watcher) {
    struct orc_api *api = watcher->api;
    pthread_mutex_lock(&api->watchers_lock);
    *watcher->link = watcher->next;
    if (watcher->next != NULL) {
        watcher->next->link = watcher->link;
    }
    pthread_mutex_unlock(&api->watchers_lock);
}

static void finish(struct orc_watcher *watcher, const struct cs_err *err) {
    pthread_mutex_lock(&watcher->lock);
    bool first = !watcher->finished;
    watcher->finished = true;
    pthread_mutex_unlock(&watcher->lock);
    if (first) {
        cs_rpc_stream_finish(watcher->stream, err);
    }
}

/* ---- catching up ---- */

static void on_fresh(const Callsheet__V1__Execution *execution, const struct cs_err *err, void *ctx);

/* Fetches a snapshot when one is due and everything sent has left. */
static void catch_up(struct orc_watcher *watcher) {
    pthread_mutex_lock(&watcher->lock);
    bool due = watcher->stale && !watcher->fetching && !watcher->closed && !watcher->finished &&
               cs_rpc_stream_queued_bytes(watcher->stream) == 0;
    if (due) {
        watcher->stale = false;
        watcher->fetching = true;
    }
    pthread_mutex_unlock(&watcher->lock);
    if (!due) {
        return;
    }
    struct cs_err err = {0};
    if (orc_gate_enter(&watcher->api->gate, &err) != CS_OK) {
        finish(watcher, &err);
        return;
    }
    (void)atomic_fetch_add(&watcher->references, 1);
    orc_api_get(watcher->api, watcher->tenant, watcher->execution, watcher->forwarded, on_fresh, watcher);
    orc_gate_leave(&watcher->api->gate);
}

static void send_snapshot(struct orc_watcher *watcher, const Callsheet__V1__Execution *execution) {
    Callsheet__V1__ExecutionUpdate update = CALLSHEET__V1__EXECUTION_UPDATE__INIT;
    update.snapshot = true;
    update.execution = (Callsheet__V1__Execution *)execution;
    struct cs_err err = {0};
    if (cs_rpc_stream_send(watcher->stream, &update.base, &err) == CS_RESOURCE_EXHAUSTED) {
        finish(watcher, &err); /* one snapshot alone is too big to send */
    }
}

static void on_fresh(const Callsheet__V1__Execution *execution, const struct cs_err *err, void *ctx) {
    struct orc_watcher *watcher = ctx;
    if (execution != NULL) {
        send_snapshot(watcher, execution);
    } else {
        finish(watcher, err);
    }
    pthread_mutex_lock(&watcher->lock);
    watcher->fetching = false;
    bool last = watcher->ended && !watcher->stale;
    pthread_mutex_unlock(&watcher->lock);
    if (last) {
        finish(watcher, NULL);
    } else {
        catch_up(watcher);
    }
    unref(watcher);
}

/* ---- what the engine tells ---- */

static void on_update(const Callsheet__V1__ExecutionUpdate *update, void *ctx) {
    struct orc_watcher *watcher = ctx;
    bool full = cs_rpc_stream_queued_bytes(watcher->stream) >= ORC_WATCH_QUEUE_BYTES;
    pthread_mutex_lock(&watcher->lock);
    bool skip = watcher->closed || watcher->finished;
    bool drop = watcher->stale || watcher->fetching || full;
    watcher->stale = watcher->stale || (drop && !skip);
    pthread_mutex_unlock(&watcher->lock);
    if (skip) {
        return;
    }
    if (!drop && cs_rpc_stream_send(watcher->stream, &update->base, NULL) == CS_RESOURCE_EXHAUSTED) {
        pthread_mutex_lock(&watcher->lock);
        watcher->stale = true;
        pthread_mutex_unlock(&watcher->lock);
    }
    catch_up(watcher); /* the queue may have become empty before we called the watcher stale */
}

static void end_watch(struct orc_watcher *watcher, const struct cs_err *err) {
    pthread_mutex_lock(&watcher->lock);
    watcher->ended = true;
    bool now = err != NULL || (!watcher->stale && !watcher->fetching);
    pthread_mutex_unlock(&watcher->lock);
    if (now) {
        finish(watcher, err);
    }
    unref(watcher);
}

/* ---- watching at the replica that runs it ---- */

static void on_upstream_message(__attribute__((unused)) struct cs_rpc_stream *stream, const ProtobufCMessage *message,
                                void *user) {
    on_update((const Callsheet__V1__ExecutionUpdate *)message, user);
}

static void on_upstream_closed(__attribute__((unused)) struct cs_rpc_stream *stream, const struct cs_err *err,
                               void *user) {
    end_watch(user, err != NULL && err->status != CS_OK ? err : NULL);
}

static const struct cs_rpc_stream_events upstream_events = {.message = on_upstream_message,
                                                            .closed = on_upstream_closed};

/* The client may have left meanwhile. */
static void keep_upstream(struct orc_watcher *watcher, struct cs_rpc_stream *upstream) {
    pthread_mutex_lock(&watcher->lock);
    watcher->upstream = upstream;
    bool closed = watcher->closed;
    pthread_mutex_unlock(&watcher->lock);
    if (closed) {
        cs_rpc_stream_cancel(upstream);
    }
}

static void on_located(const char *address, __attribute__((unused)) const Callsheet__V1__Execution *execution,
                       const struct cs_err *err, void *ctx) {
    struct orc_watcher *watcher = ctx;
    struct cs_err why = {0};
    struct cs_rpc_stream *upstream = NULL;
    (void)atomic_fetch_add(&watcher->references, 1); /* upstream may end before this does */
    if (address == NULL) {
        if (err == NULL) {
            (void)orc_forward_elsewhere(&why);
        }
        end_watch(watcher, err != NULL ? err : &why);
    } else if (orc_forward_watch(watcher->api->forward, address, watcher->tenant, watcher->execution, &upstream_events,
                                 watcher, &upstream, &why) != CS_OK) {
        end_watch(watcher, &why);
    } else {
        keep_upstream(watcher, upstream);
    }
    unref(watcher); // NOLINT(clang-analyzer-unix.Malloc): counted references
}

/* The engine's reference goes on to the stream of the replica that runs it. */
static void on_ended(const struct cs_err *err, void *ctx) {
    struct orc_watcher *watcher = ctx;
    if (err != NULL && orc_is_elsewhere(err) && !watcher->forwarded) {
        orc_engine_locate(watcher->api->engine, watcher->tenant, watcher->execution, NULL, on_located, watcher);
    } else {
        end_watch(watcher, err);
    }
}

static const struct orc_watcher_events engine_events = {.update = on_update, .ended = on_ended};

/* ---- what the stream tells ---- */

static enum cs_status on_opened(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *ctx,
                                struct cs_err *err) {
    struct orc_api *api = ctx;
    const Callsheet__V1__WatchExecutionRequest *request = (const Callsheet__V1__WatchExecutionRequest *)message;
    CS_TRY(orc_target_check(request->tenant, request->execution_id, err));
    CS_TRY(orc_gate_enter(&api->gate, err));
    struct orc_watcher *watcher = cs_alloc(sizeof(*watcher));
    watcher->api = api;
    watcher->stream = cs_rpc_stream_ref(stream);
    watcher->tenant = cs_strdup(request->tenant);
    watcher->execution = cs_strdup(request->execution_id);
    watcher->forwarded = cs_rpc_stream_metadata(stream, ORC_FORWARDED_KEY) != NULL;
    atomic_init(&watcher->references, 2);
    (void)pthread_mutex_init(&watcher->lock, NULL);
    cs_rpc_stream_set_user(stream, watcher);
    enlist(watcher);
    uint64_t watch = orc_engine_watch(api->engine, request->tenant, request->execution_id, &engine_events, watcher);
    pthread_mutex_lock(&watcher->lock);
    watcher->watch = watch;
    pthread_mutex_unlock(&watcher->lock);
    orc_gate_leave(&api->gate);
    return CS_OK;
}

static void on_drained(__attribute__((unused)) struct cs_rpc_stream *stream, void *user) {
    catch_up(user);
}

static void on_closed(__attribute__((unused)) struct cs_rpc_stream *stream,
                      __attribute__((unused)) const struct cs_err *err, void *user) {
    struct orc_watcher *watcher = user;
    pthread_mutex_lock(&watcher->lock);
    watcher->closed = true;
    bool ended = watcher->ended;
    uint64_t watch = watcher->watch;
    struct cs_rpc_stream *upstream = watcher->upstream;
    pthread_mutex_unlock(&watcher->lock);
    if (upstream != NULL) {
        cs_rpc_stream_cancel(upstream);
    }
    /* When the gate is closed the engine is about to end all watches. */
    if (!ended && orc_gate_enter(&watcher->api->gate, NULL) == CS_OK) {
        orc_engine_unwatch(watcher->api->engine, watch);
        orc_gate_leave(&watcher->api->gate);
    }
    unlist(watcher);
    unref(watcher);
}

const struct cs_rpc_stream_events orc_watch_events = {.opened = on_opened, .drained = on_drained, .closed = on_closed};

/* References to all watchers. */
static struct orc_watcher **take_all(struct orc_api *api, size_t *ret_count) {
    pthread_mutex_lock(&api->watchers_lock);
    size_t count = 0;
    for (const struct orc_watcher *watcher = api->watchers; watcher != NULL; watcher = watcher->next) {
        count++;
    }
    struct orc_watcher **all = cs_alloc_array(count + 1, sizeof(struct orc_watcher *));
    count = 0;
    for (struct orc_watcher *watcher = api->watchers; watcher != NULL; watcher = watcher->next) {
        (void)atomic_fetch_add(&watcher->references, 1); /* listed, so its stream still holds one */
        all[count++] = watcher;
    }
    pthread_mutex_unlock(&api->watchers_lock);
    *ret_count = count;
    return all;
}

void orc_watchers_end(struct orc_api *api) {
    struct cs_err err = {0};
    (void)cs_fail(&err, CS_UNAVAILABLE, "draining", "the orchestrator is about to stop");
    size_t count = 0;
    struct orc_watcher **all = take_all(api, &count);
    for (size_t i = 0; i < count; i++) {
        finish(all[i], &err);
        unref(all[i]);
    }
    free(all);
}
