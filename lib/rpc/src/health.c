#include "health.h"

#include <pthread.h>
#include <stdlib.h>

#include "cs/base/text.h"
#include "grpc/health/v1/health.pb-c.h"

typedef Grpc__Health__V1__HealthCheckRequest Request;
typedef Grpc__Health__V1__HealthCheckResponse Response;
typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus Serving;
#define SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define SERVICE_UNKNOWN GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN

struct entry {
    char *service;
    Serving serving;
};

struct watcher {
    struct watcher *next;
    struct cs_rpc_stream *stream; /* a reference */
    char *service;
    Serving told;
};

struct rpc_health {
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct entry *entries;
    size_t entry_count;
    struct watcher *watchers;
    size_t watcher_count;
    bool closed;
};

struct rpc_health *rpc_health_create(void) {
    struct rpc_health *health = cs_alloc(sizeof(*health));
    pthread_mutex_init(&health->lock, NULL);
    rpc_health_add(health, "");
    return health;
}

void rpc_health_destroy(struct rpc_health *health) {
    if (health == NULL) {
        return;
    }
    for (size_t i = 0; i < health->entry_count; i++) {
        free(health->entries[i].service);
    }
    free(health->entries);
    pthread_mutex_destroy(&health->lock);
    free(health);
}

/* ---- state; under the lock ---- */

static struct entry *find(struct rpc_health *health, const char *service) {
    for (size_t i = 0; i < health->entry_count; i++) {
        if (cs_str_eq(health->entries[i].service, service)) {
            return &health->entries[i];
        }
    }
    return NULL;
}

static Serving serving_of(struct rpc_health *health, const char *service) {
    const struct entry *entry = find(health, service);
    return entry != NULL ? entry->serving : SERVICE_UNKNOWN;
}

/* Under the lock, so that the order on the wire is that of the changes; sending only queues. A watch that has ended
 * meanwhile is about to leave by itself. */
static void tell(struct watcher *watcher, Serving serving) {
    Response response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    response.status = serving;
    watcher->told = serving;
    (void)cs_rpc_stream_send(watcher->stream, &response.base, NULL);
}

static void tell_changes(struct rpc_health *health) {
    for (struct watcher *watcher = health->watchers; watcher != NULL; watcher = watcher->next) {
        Serving serving = serving_of(health, watcher->service);
        if (serving != watcher->told) {
            tell(watcher, serving);
        }
    }
}

/* ---- changes ---- */

void rpc_health_add(struct rpc_health *health, const char *service) {
    pthread_mutex_lock(&health->lock);
    if (find(health, service) == NULL) {
        health->entries = cs_realloc(health->entries, (health->entry_count + 1) * sizeof(*health->entries));
        health->entries[health->entry_count++] = (struct entry){cs_strdup(service), SERVING};
    }
    pthread_mutex_unlock(&health->lock);
}

void rpc_health_set(struct rpc_health *health, const char *service, bool serving) {
    pthread_mutex_lock(&health->lock);
    struct entry *entry = find(health, service);
    if (entry != NULL && !health->closed) {
        entry->serving = serving ? SERVING : NOT_SERVING;
        tell_changes(health);
    }
    pthread_mutex_unlock(&health->lock);
}

void rpc_health_set_all(struct rpc_health *health, bool serving) {
    pthread_mutex_lock(&health->lock);
    for (size_t i = 0; i < health->entry_count; i++) {
        health->entries[i].serving = serving ? SERVING : NOT_SERVING;
    }
    tell_changes(health);
    pthread_mutex_unlock(&health->lock);
}

static void end_watch(struct cs_rpc_stream *stream) {
    struct cs_err err;
    (void)cs_fail(&err, CS_UNAVAILABLE, "draining", "the server is about to stop");
    cs_rpc_stream_finish(stream, &err);
}

void rpc_health_close(struct rpc_health *health) {
    pthread_mutex_lock(&health->lock);
    health->closed = true;
    for (struct watcher *watcher = health->watchers; watcher != NULL; watcher = watcher->next) {
        end_watch(watcher->stream);
    }
    pthread_mutex_unlock(&health->lock);
}

/* ---- methods ---- */

static enum cs_status check(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    struct rpc_health *health = ctx;
    const char *service = ((const Request *)request)->service;
    Response response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    pthread_mutex_lock(&health->lock);
    response.status = serving_of(health, service);
    pthread_mutex_unlock(&health->lock);
    if (response.status == SERVICE_UNKNOWN) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_service", "no service \"%s\"", service);
    }
    cs_rpc_reply(call, &response.base);
    return CS_OK;
}

static enum cs_status watch_opened(struct cs_rpc_stream *stream, const ProtobufCMessage *request, void *ctx,
                                   struct cs_err *err) {
    struct rpc_health *health = ctx;
    pthread_mutex_lock(&health->lock);
    if (health->watcher_count == CS_RPC_WATCHERS_MAX) {
        pthread_mutex_unlock(&health->lock);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "too_many_watchers", "%d watch already", CS_RPC_WATCHERS_MAX);
    }
    health->watcher_count++;
    struct watcher *watcher = cs_alloc(sizeof(*watcher));
    watcher->stream = cs_rpc_stream_ref(stream);
    watcher->service = cs_strdup(((const Request *)request)->service);
    cs_rpc_stream_set_user(stream, health);
    watcher->next = health->watchers;
    health->watchers = watcher;
    tell(watcher, serving_of(health, watcher->service));
    if (health->closed) {
        end_watch(stream);
    }
    pthread_mutex_unlock(&health->lock);
    return CS_OK;
}

static void watch_closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    (void)err;
    struct rpc_health *health = user;
    pthread_mutex_lock(&health->lock);
    struct watcher **link = &health->watchers;
    while ((*link)->stream != stream) {
        link = &(*link)->next;
    }
    struct watcher *watcher = *link;
    *link = watcher->next;
    health->watcher_count--;
    pthread_mutex_unlock(&health->lock);
    cs_rpc_stream_unref(watcher->stream);
    free(watcher->service);
    free(watcher);
}

struct cs_rpc_service rpc_health_service(struct rpc_health *health) {
    static const struct cs_rpc_stream_events watch = {.opened = watch_opened, .closed = watch_closed};
    static const struct cs_rpc_method methods[] = {{"Check", check, NULL}, {"Watch", NULL, &watch}};
    return (struct cs_rpc_service){&grpc__health__v1__health__descriptor, methods, CS_COUNT(methods), health};
}
