/*
 * watcher: one client of an event stream, and the list of all.
 *
 * Owns     counted: a watcher is held by its answer (the stream, or the parked request before it) and by each of its
 *          attempts; an attempt by whoever opens it and by its stream.
 * Threads  any; the fields say which lock guards them.
 */
#ifndef GW_API_WATCHER_H
#define GW_API_WATCHER_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/api.h"
#include "http/stream.h"

/* One try to watch. */
struct attempt {
    struct watcher *watcher;
    atomic_int references;
    /* below: guarded by the watcher's lock */
    struct cs_rpc_stream *stream;
};

/* One client. */
struct watcher {
    struct gw_api *api;
    struct watcher *next; /* guarded by the registry's lock, as previous is */
    struct watcher *previous;
    atomic_int references;
    struct gw_stream *stream;
    char *tenant;
    char *id;
    char *request_id;
    struct cs_trace trace;
    int64_t opened_ms;
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct gw_request *request; /* parked until the first message; then NULL */
    struct attempt *attempt;    /* the one that counts; NULL none */
    bool lagging;               /* opened again when the client has read all */
    bool ended;
    int64_t reopen_ms; /* 0: not planned */
    int64_t broken_ms; /* since when; 0: it is not */
    int64_t sent_ms;
};

/* In the registry, with two references: the answer's and the caller's. events are the stream's. */
struct watcher *watcher_create(struct gw_api *api, struct gw_request *request, const char *id,
                               const struct gw_stream_events *events);
void watcher_ref(struct watcher *watcher);
void watcher_unref(struct watcher *watcher);
/* With two references and one of the watcher's. */
struct attempt *attempt_create(struct watcher *watcher);
void attempt_unref(struct attempt *attempt);

void registry_remove(struct gw_events *events, struct watcher *watcher);
/* All watchers, each with a reference; the caller frees the array. */
struct watcher **registry_list(struct gw_events *events, size_t *ret_count);

#endif
