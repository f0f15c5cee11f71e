#include "client.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"

struct client {
    struct cs_rpc_channel *channel;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock; of the watch or the flood under way */
    uint32_t under_way;
    struct cs_err failure; /* the first */
    int64_t ended_ns;
    Callsheet__V1__ExecutionState state;
    bool closed;
};

#define SERVICE (&callsheet__v1__orchestrator__descriptor)

enum cs_status client_create(struct cs_rpc *rpc, const char *address, struct client **ret_client, struct cs_err *err) {
    struct client *client = cs_alloc(sizeof(*client));
    (void)pthread_mutex_init(&client->lock, NULL);
    (void)pthread_cond_init(&client->changed, NULL);
    const struct cs_rpc_channel_config config = {.target = address};
    if (cs_rpc_channel_create(rpc, &config, &client->channel, err) != CS_OK) {
        client_destroy(client);
        return err->status;
    }
    *ret_client = client;
    return CS_OK;
}

void client_destroy(struct client *client) {
    if (client != NULL) {
        cs_rpc_channel_destroy(client->channel);
        (void)pthread_cond_destroy(&client->changed);
        (void)pthread_mutex_destroy(&client->lock);
        free(client);
    }
}

/* ---- one execution ---- */

enum cs_status client_submit(struct client *client, const Callsheet__V1__CreateExecutionRequest *request,
                             char ret_id[CLIENT_ID_SIZE], struct cs_err *err) {
    ProtobufCMessage *message = NULL;
    CS_TRY(cs_rpc_invoke(client->channel, SERVICE, "CreateExecution", &request->base, NULL, &message, err));
    cs_str_copy(ret_id, CLIENT_ID_SIZE, ((const Callsheet__V1__CreateExecutionReply *)message)->execution_id);
    cs_rpc_message_free(message);
    return CS_OK;
}

static void on_update(__attribute__((unused)) struct cs_rpc_stream *stream, const ProtobufCMessage *message,
                      void *user) {
    struct client *client = user;
    const Callsheet__V1__ExecutionUpdate *update = (const Callsheet__V1__ExecutionUpdate *)message;
    int64_t now_ns = cs_clock_mono_ns();
    pthread_mutex_lock(&client->lock);
    client->state = update->execution->state;
    client->ended_ns = now_ns;
    pthread_mutex_unlock(&client->lock);
}

static void on_closed(__attribute__((unused)) struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    struct client *client = user;
    pthread_mutex_lock(&client->lock);
    client->failure = *err;
    client->closed = true;
    (void)pthread_cond_signal(&client->changed);
    pthread_mutex_unlock(&client->lock);
}

enum cs_status client_await(struct client *client, const char *tenant, const char *id, int64_t *ret_ns,
                            struct cs_err *err) {
    static const struct cs_rpc_stream_events events = {.message = on_update, .closed = on_closed};
    Callsheet__V1__WatchExecutionRequest request = CALLSHEET__V1__WATCH_EXECUTION_REQUEST__INIT;
    request.tenant = (char *)tenant;
    request.execution_id = (char *)id;
    client->closed = false;
    struct cs_rpc_stream *stream = NULL;
    CS_TRY(cs_rpc_stream_open(client->channel, SERVICE, "WatchExecution", &request.base, NULL, &events, client, &stream,
                              err));
    pthread_mutex_lock(&client->lock);
    while (!client->closed) {
        (void)pthread_cond_wait(&client->changed, &client->lock);
    }
    pthread_mutex_unlock(&client->lock);
    cs_rpc_stream_unref(stream);
    if (client->failure.status != CS_OK) {
        *err = client->failure;
        return err->status;
    }
    if (client->state != CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "not_completed", "execution %s ended in state %d", id,
                       (int)client->state);
    }
    *ret_ns = client->ended_ns;
    return CS_OK;
}

/* ---- many ---- */

static void on_created(__attribute__((unused)) const ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct client *client = user;
    pthread_mutex_lock(&client->lock);
    if (err != NULL && client->failure.status == CS_OK) {
        client->failure = *err;
    }
    client->under_way--;
    (void)pthread_cond_signal(&client->changed);
    pthread_mutex_unlock(&client->lock);
}

/* One more request, once fewer than `window` are under way. */
static void submit_async(struct client *client, const Callsheet__V1__CreateExecutionRequest *request, uint32_t window) {
    pthread_mutex_lock(&client->lock);
    while (client->under_way >= window) {
        (void)pthread_cond_wait(&client->changed, &client->lock);
    }
    client->under_way++;
    pthread_mutex_unlock(&client->lock);
    cs_rpc_invoke_async(client->channel, SERVICE, "CreateExecution", &request->base, NULL, on_created, client);
}

static enum cs_status await_answers(struct client *client, struct cs_err *err) {
    pthread_mutex_lock(&client->lock);
    while (client->under_way > 0) {
        (void)pthread_cond_wait(&client->changed, &client->lock);
    }
    pthread_mutex_unlock(&client->lock);
    if (client->failure.status != CS_OK) {
        *err = client->failure;
    }
    return client->failure.status;
}

enum cs_status client_flood(struct client *client, const Callsheet__V1__CreateExecutionRequest *request, uint32_t count,
                            uint32_t window, struct cs_err *err) {
    client->failure = (struct cs_err){0};
    for (uint32_t i = 0; i < count; i++) {
        submit_async(client, request, window);
    }
    return await_answers(client, err);
}

static void wait_until(int64_t at_ns) {
    struct timespec at = {.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

enum cs_status client_pace(struct client *client, const Callsheet__V1__CreateExecutionRequest *request,
                           double per_second, uint32_t window, const _Atomic bool *stop, uint64_t *ret_count,
                           struct cs_err *err) {
    client->failure = (struct cs_err){0};
    int64_t begin_ns = cs_clock_mono_ns();
    uint64_t count = 0;
    while (!*stop) {
        submit_async(client, request, window);
        count++;
        wait_until(begin_ns + (int64_t)((double)count * 1e9 / per_second));
    }
    *ret_count = count;
    return await_answers(client, err);
}

enum cs_status client_any_active(struct client *client, const char *tenant, bool *ret_any, struct cs_err *err) {
    Callsheet__V1__ListExecutionsRequest request = CALLSHEET__V1__LIST_EXECUTIONS_REQUEST__INIT;
    request.tenant = (char *)tenant;
    request.page_size = 1;
    request.active_only = true;
    ProtobufCMessage *message = NULL;
    CS_TRY(cs_rpc_invoke(client->channel, SERVICE, "ListExecutions", &request.base, NULL, &message, err));
    *ret_any = ((const Callsheet__V1__ListExecutionsReply *)message)->n_executions != 0;
    cs_rpc_message_free(message);
    return CS_OK;
}
