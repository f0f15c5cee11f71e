/* Watching executions, for tests. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cs/base/clock.h"
#include "world.h"

struct noted {
    struct noted *next;
    Callsheet__V1__ExecutionUpdate *update;
};

struct watch {
    struct world *world;
    struct cs_rpc *rpc; /* of its own: a slow reader holds a thread of it */
    struct cs_rpc_channel *channel;
    struct cs_rpc_stream *stream;
    pthread_mutex_t lock;
    /* below: guarded by lock */
    pthread_cond_t changed;
    bool reading;
    bool ended;
    struct cs_err end;
    struct noted *first;
};

static struct timespec patience(void) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CS_TEST_PATIENCE_MS / 1000;
    return until;
}

static void on_message(__attribute__((unused)) struct cs_rpc_stream *stream, const ProtobufCMessage *message,
                       void *user) {
    struct watch *watch = user;
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = cs_alloc(size + 1);
    (void)protobuf_c_message_pack(message, bytes);
    struct noted *noted = cs_alloc(sizeof(*noted));
    noted->update = callsheet__v1__execution_update__unpack(NULL, size, bytes);
    free(bytes);
    pthread_mutex_lock(&watch->lock);
    while (!watch->reading) {
        (void)pthread_cond_wait(&watch->changed, &watch->lock);
    }
    struct noted **last = &watch->first;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = noted;
    (void)pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

static void on_closed(__attribute__((unused)) struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    struct watch *watch = user;
    pthread_mutex_lock(&watch->lock);
    watch->ended = true;
    if (err != NULL) {
        watch->end = *err;
    }
    (void)pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

static const struct cs_rpc_stream_events events = {.message = on_message, .closed = on_closed};

struct watch *watch_start(struct world *world, const char *tenant, const char *id, bool slow) {
    struct watch *watch = cs_alloc(sizeof(*watch));
    struct cs_err err = {0};
    watch->world = world;
    watch->reading = !slow;
    (void)pthread_mutex_init(&watch->lock, NULL);
    (void)pthread_cond_init(&watch->changed, NULL);
    assert_ok(cs_rpc_create(&(struct cs_rpc_config){0}, &watch->rpc, &err), &err);
    char authorization[128];
    (void)snprintf(authorization, sizeof(authorization), "Bearer %s", world->config.service_token);
    const struct cs_rpc_channel_config config = {
        .target = world->address, .authorization = authorization, .own_connection = true};
    assert_ok(cs_rpc_channel_create(watch->rpc, &config, &watch->channel, &err), &err);
    Callsheet__V1__WatchExecutionRequest request = CALLSHEET__V1__WATCH_EXECUTION_REQUEST__INIT;
    request.tenant = (char *)tenant;
    request.execution_id = (char *)id;
    const struct cs_rpc_options options = {.wait_for_ready = true};
    assert_ok(cs_rpc_stream_open(watch->channel, &callsheet__v1__orchestrator__descriptor, "WatchExecution",
                                 &request.base, &options, &events, watch, &watch->stream, &err),
              &err);
    return watch;
}

void watch_go(struct watch *watch) {
    pthread_mutex_lock(&watch->lock);
    watch->reading = true;
    (void)pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

const Callsheet__V1__ExecutionUpdate *watch_next(struct watch *watch) {
    struct timespec until = patience();
    pthread_mutex_lock(&watch->lock);
    int waited = 0;
    while (watch->first == NULL && !watch->ended && waited == 0) {
        waited = pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
    }
    struct noted *noted = watch->first;
    if (noted != NULL) {
        watch->first = noted->next;
    }
    pthread_mutex_unlock(&watch->lock);
    if (waited != 0) {
        fail_msg("a watch waited in vain for an update");
    }
    if (noted == NULL) {
        return NULL;
    }
    /* Into the arena, which belongs to this thread. */
    size_t size = protobuf_c_message_get_packed_size(&noted->update->base);
    uint8_t *bytes = cs_arena_alloc(watch->world->arena, size + 1);
    (void)protobuf_c_message_pack(&noted->update->base, bytes);
    callsheet__v1__execution_update__free_unpacked(noted->update, NULL);
    free(noted);
    ProtobufCMessage *copy = NULL;
    struct cs_err err = {0};
    assert_ok(cs_rpc_message_unpack_arena(&callsheet__v1__execution_update__descriptor, bytes, size,
                                          watch->world->arena, &copy, &err),
              &err);
    return (const Callsheet__V1__ExecutionUpdate *)copy;
}

const struct cs_err *watch_end(const struct watch *watch) {
    return &watch->end;
}

void watch_stop(struct watch *watch) {
    watch_go(watch);
    cs_rpc_stream_cancel(watch->stream);
    cs_rpc_channel_destroy(watch->channel); /* waits for `closed` */
    cs_rpc_stream_unref(watch->stream);
    cs_rpc_destroy(watch->rpc);
    while (watch->first != NULL) {
        struct noted *noted = watch->first;
        watch->first = noted->next;
        callsheet__v1__execution_update__free_unpacked(noted->update, NULL);
        free(noted);
    }
    (void)pthread_cond_destroy(&watch->changed);
    (void)pthread_mutex_destroy(&watch->lock);
    free(watch);
}

static bool is_terminal(const Callsheet__V1__Execution *execution) {
    return execution->state >= CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED;
}

/* Watches to the end; *ret_last is the last state seen, or NULL. */
static struct cs_err watch_out(struct world *world, const char *id, const Callsheet__V1__Execution **ret_last) {
    struct watch *watch = watch_start(world, "acme", id, false);
    for (const Callsheet__V1__ExecutionUpdate *update = NULL; (update = watch_next(watch)) != NULL;) {
        *ret_last = update->execution;
    }
    struct cs_err err = *watch_end(watch);
    watch_stop(watch);
    return err;
}

const Callsheet__V1__Execution *world_await(struct world *world, const char *id) {
    const Callsheet__V1__Execution *last = NULL;
    int64_t until_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;
    struct cs_err err = watch_out(world, id, &last);
    while (err.status == CS_UNAVAILABLE && cs_clock_mono_ms() < until_ms) { /* "try again" */
        err = watch_out(world, id, &last);
    }
    assert_ok(err.status, &err);
    assert_true(last != NULL && is_terminal(last));
    return world_get(world, id);
}
