#include "api/watcher.h"

#include <stdlib.h>

#include "api/events.h"
#include "cs/base/clock.h"

struct gw_events {
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct watcher *head;
    size_t count;
};

struct gw_events *gw_events_create(void) {
    struct gw_events *events = cs_alloc(sizeof(*events));
    (void)pthread_mutex_init(&events->lock, NULL);
    return events;
}

void gw_events_destroy(struct gw_events *events) {
    if (events != NULL) {
        (void)pthread_mutex_destroy(&events->lock);
        free(events);
    }
}

size_t gw_events_count(struct gw_events *events) {
    (void)pthread_mutex_lock(&events->lock);
    size_t count = events->count;
    (void)pthread_mutex_unlock(&events->lock);
    return count;
}

void watcher_unref(struct watcher *watcher) {
    if (atomic_fetch_sub(&watcher->references, 1) != 1) {
        return;
    }
    gw_stream_unref(watcher->stream);
    free(watcher->tenant);
    free(watcher->id);
    free(watcher->request_id);
    (void)pthread_mutex_destroy(&watcher->lock);
    free(watcher);
}

void watcher_ref(struct watcher *watcher) {
    atomic_fetch_add(&watcher->references, 1);
}

void attempt_unref(struct attempt *attempt) {
    if (atomic_fetch_sub(&attempt->references, 1) == 1) {
        watcher_unref(attempt->watcher);
        free(attempt);
    }
}

static void registry_add(struct gw_events *events, struct watcher *watcher) {
    (void)pthread_mutex_lock(&events->lock);
    watcher->next = events->head;
    if (events->head != NULL) {
        events->head->previous = watcher;
    }
    events->head = watcher;
    events->count++;
    (void)pthread_mutex_unlock(&events->lock);
}

void registry_remove(struct gw_events *events, struct watcher *watcher) {
    (void)pthread_mutex_lock(&events->lock);
    if (watcher->previous != NULL) {
        watcher->previous->next = watcher->next;
    } else {
        events->head = watcher->next;
    }
    if (watcher->next != NULL) {
        watcher->next->previous = watcher->previous;
    }
    events->count--;
    (void)pthread_mutex_unlock(&events->lock);
}

struct watcher *watcher_create(struct gw_api *api, struct gw_request *request, const char *id,
                               const struct gw_stream_events *events) {
    struct watcher *watcher = cs_alloc(sizeof(*watcher));
    watcher->api = api;
    watcher->stream = gw_stream_create(events, watcher);
    watcher->tenant = cs_strdup(gw_request_tenant(request));
    watcher->id = cs_strdup(id);
    watcher->request_id = cs_strdup(gw_request_id(request));
    watcher->trace = *gw_request_trace(request);
    watcher->opened_ms = cs_clock_mono_ms();
    watcher->sent_ms = watcher->opened_ms;
    watcher->request = request;
    atomic_init(&watcher->references, 2);
    (void)pthread_mutex_init(&watcher->lock, NULL);
    registry_add(api->events, watcher);
    return watcher;
}

struct attempt *attempt_create(struct watcher *watcher) {
    struct attempt *attempt = cs_alloc(sizeof(*attempt));
    watcher_ref(watcher);
    attempt->watcher = watcher;
    atomic_init(&attempt->references, 2);
    return attempt;
}

struct watcher **registry_list(struct gw_events *events, size_t *ret_count) {
    (void)pthread_mutex_lock(&events->lock);
    struct watcher **list = cs_alloc_array(events->count, sizeof(struct watcher *));
    size_t count = 0;
    for (struct watcher *at = events->head; at != NULL; at = at->next) {
        watcher_ref(at);
        list[count++] = at;
    }
    (void)pthread_mutex_unlock(&events->lock);
    *ret_count = count;
    return list;
}
