#include "server.h"

#include <assert.h>
#include <ctype.h>
#include <grpc/byte_buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "call.h"
#include "credentials.h"
#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "health.h"
#include "reflection.h"
#include "stream.h"

enum {
    /* Requests that wait in the core for each kind of method; not a limit on calls. */
    POSTED_UNARY = 32,
    POSTED_STREAM = 8,
    POSTED_UNKNOWN = 4,
    GOODBYE_MS = 500, /* for health watchers to hear that we stop */
    ADDRESS_SIZE = 300,
};

struct cs_rpc_server {
    struct cs_rpc *rpc;
    grpc_server *core;
    struct rpc_row *rows;
    size_t row_count;
    enum cs_status (*authorize)(const char *authorization, const char *method, void *ctx, struct cs_err *err);
    void *authorize_ctx;
    struct rpc_health *health;
    struct rpc_reflection *reflection;
    uint16_t port;
    char address[ADDRESS_SIZE];
    struct rpc_tag stopped_tag;
    _Atomic int waiting;
    atomic_bool draining; /* new calls are refused */
    atomic_bool stopping; /* no new requests are posted */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    size_t posted_count; /* in the core, waiting for a call or being one */
    size_t open_count;   /* calls of services, not of what is built in */
    size_t built_in_count;
    bool stopped;
    bool drained;
};

/* ---- small questions ---- */

struct cs_rpc *rpc_server_runtime(const struct cs_rpc_server *server) {
    return server->rpc;
}

struct rpc_metrics *rpc_server_metrics(const struct cs_rpc_server *server) {
    return server->rpc->metrics;
}

uint16_t cs_rpc_server_port(const struct cs_rpc_server *server) {
    return server->port;
}

const char *cs_rpc_server_address(const struct cs_rpc_server *server) {
    return server->address;
}

void cs_rpc_server_set_serving(struct cs_rpc_server *server, const char *service, bool serving) {
    rpc_health_set(server->health, service, serving);
}

/* ---- counting ---- */

enum cs_status rpc_server_enqueued(struct cs_rpc_server *server, struct cs_err *err) {
    if (atomic_fetch_add(&server->waiting, 1) >= CS_RPC_QUEUE_MAX) {
        atomic_fetch_sub(&server->waiting, 1);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "overloaded", "%d calls are waiting already", CS_RPC_QUEUE_MAX);
    }
    rpc_metrics_waiting(server->rpc->metrics, 1);
    return CS_OK;
}

void rpc_server_dequeued(struct cs_rpc_server *server) {
    atomic_fetch_sub(&server->waiting, 1);
    rpc_metrics_waiting(server->rpc->metrics, -1);
}

static size_t *count_of(struct cs_rpc_server *server, const struct rpc_row *row) {
    return row != NULL && row->built_in ? &server->built_in_count : &server->open_count;
}

static void entered(struct cs_rpc_server *server, const struct rpc_row *row) {
    pthread_mutex_lock(&server->lock);
    ++*count_of(server, row);
    pthread_mutex_unlock(&server->lock);
}

void rpc_server_left(struct cs_rpc_server *server, const struct rpc_row *row) {
    pthread_mutex_lock(&server->lock);
    --*count_of(server, row);
    server->posted_count--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

/* ---- arrival ---- */

static void arrived(struct rpc_tag *tag, bool ok);

/* Lets the core deliver one more call of this method. */
static void post(struct cs_rpc_server *server, const struct rpc_row *row) {
    pthread_mutex_lock(&server->lock);
    server->posted_count++;
    pthread_mutex_unlock(&server->lock);
    struct rpc_incoming *in = rpc_incoming_create(server, row);
    in->arrived.fn = arrived;
    rpc_tag_arm(&in->arrived);
    grpc_completion_queue *cq = server->rpc->cq;
    if (row == NULL) {
        rpc_check(grpc_server_request_call(server->core, &in->call, &in->details, &in->metadata, cq, cq, &in->arrived),
                  "request_call");
        return;
    }
    grpc_byte_buffer **payload = row->method->client_streams ? NULL : &in->payload;
    rpc_check(grpc_server_request_registered_call(server->core, row->registered, &in->call, &in->deadline,
                                                  &in->metadata, payload, cq, cq, &in->arrived),
              "request_registered_call");
}

static enum cs_status admit(struct rpc_incoming *in, struct cs_err *err) {
    struct cs_rpc_server *server = in->server;
    if (in->row == NULL) {
        char path[CS_ERR_PATH_MAX];
        rpc_slice_copy(in->details.method, path, sizeof(path));
        return cs_fail(err, CS_UNIMPLEMENTED, "unknown_method", "no method %s", path);
    }
    if (atomic_load(&server->draining) && !in->row->built_in) {
        return cs_fail(err, CS_UNAVAILABLE, "draining", "the server is about to stop");
    }
    if (in->row->built_in && in->payload != NULL && grpc_byte_buffer_length(in->payload) > CS_RPC_BUILT_IN_BYTES_MAX) {
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "message_too_large", "%s takes at most %d bytes", in->row->path,
                       CS_RPC_BUILT_IN_BYTES_MAX);
    }
    if (server->authorize != NULL && !in->row->built_in) {
        const char *authorization = rpc_incoming_header(in, "authorization");
        return server->authorize(authorization != NULL ? authorization : "", in->row->path, server->authorize_ctx, err);
    }
    return CS_OK;
}

static void arrived(struct rpc_tag *tag, bool ok) {
    struct rpc_incoming *in = RPC_OWNER(tag, struct rpc_incoming, arrived);
    struct cs_rpc_server *server = in->server;
    if (!ok) { /* the server stops */
        rpc_incoming_destroy(in);
        pthread_mutex_lock(&server->lock);
        server->posted_count--;
        pthread_cond_broadcast(&server->changed);
        pthread_mutex_unlock(&server->lock);
        return;
    }
    entered(server, in->row);
    if (!atomic_load(&server->stopping)) {
        post(server, in->row);
    }
    rpc_incoming_accept(in);
    rpc_metrics_open(server->rpc->metrics, RPC_SERVER, in->row != NULL ? in->row->method : NULL);
    struct cs_err err = {0};
    if (admit(in, &err) != CS_OK) {
        rpc_incoming_refuse(in, &err);
        return;
    }
    assert(in->row != NULL); /* unknown methods are not admitted */
    if (in->row->stream != NULL) {
        rpc_stream_serve(in);
    } else {
        rpc_call_serve(in);
    }
}

/* ---- rows ---- */

static struct rpc_row *row_add(struct cs_rpc_server *server) {
    server->rows = cs_realloc(server->rows, (server->row_count + 1) * sizeof(*server->rows));
    struct rpc_row *row = &server->rows[server->row_count++];
    *row = (struct rpc_row){0};
    return row;
}

static const struct cs_rpc_method *row_of_method(const struct cs_rpc_service *service, const char *name) {
    for (size_t i = 0; i < service->method_count; i++) {
        if (cs_str_eq(service->methods[i].name, name)) {
            return &service->methods[i];
        }
    }
    return NULL;
}

static enum cs_status add_method(struct cs_rpc_server *server, const struct cs_rpc_service *service,
                                 const ProtobufCMethodDescriptor *proto, bool built_in, struct cs_err *err) {
    const char *service_name = service->descriptor->name;
    const struct rpc_method *method = rpc_method_find(service_name, proto->name);
    const struct cs_rpc_method *given = row_of_method(service, proto->name);
    if (method == NULL) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "bad_service", "%s.%s is not in the embedded descriptors",
                       service_name, proto->name);
    }
    if (given == NULL) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "bad_service", "%s.%s has no handler", service_name, proto->name);
    }
    bool streams = method->client_streams || method->server_streams;
    if (streams ? given->stream == NULL : given->unary == NULL) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "bad_service", "%s.%s %s a stream", service_name, proto->name,
                       streams ? "is" : "is not");
    }
    *row_add(server) = (struct rpc_row){
        .path = method->path,
        .method = method,
        .input = proto->input,
        .unary = streams ? NULL : given->unary,
        .stream = streams ? given->stream : NULL,
        .ctx = service->ctx,
        .on_poller = built_in,
        .built_in = built_in,
    };
    return CS_OK;
}

static enum cs_status add_service(struct cs_rpc_server *server, const struct cs_rpc_service *service, bool built_in,
                                  struct cs_err *err) {
    for (unsigned i = 0; i < service->descriptor->n_methods; i++) {
        CS_TRY(add_method(server, service, &service->descriptor->methods[i], built_in, err));
    }
    rpc_health_add(server->health, service->descriptor->name);
    rpc_reflection_add(server->reflection, service->descriptor->name);
    return CS_OK;
}

static enum cs_status add_services(struct cs_rpc_server *server, const struct cs_rpc_server_config *config,
                                   struct cs_err *err) {
    for (size_t i = 0; i < config->service_count; i++) {
        CS_TRY(add_service(server, &config->services[i], false, err));
    }
    struct cs_rpc_service health = rpc_health_service(server->health);
    struct cs_rpc_service reflection = rpc_reflection_service(server->reflection);
    CS_TRY(add_service(server, &health, true, err));
    CS_TRY(add_service(server, &reflection, true, err));
    /* The younger name of the same contract. */
    struct rpc_row *alias = row_add(server);
    *alias = server->rows[server->row_count - 2];
    alias->path = rpc_reflection_path_v1;
    return CS_OK;
}

/* ---- listening ---- */

/* Splits "host:port"; host keeps its brackets. */
static enum cs_status parse_listen(const char *listen, char *ret_host, size_t host_size, struct cs_err *err) {
    const char *colon = listen != NULL ? strrchr(listen, ':') : NULL;
    int64_t port = 0;
    if (colon == NULL || colon == listen || (size_t)(colon - listen) >= host_size ||
        !cs_parse_i64(colon + 1, 0, UINT16_MAX, &port)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_address", "\"%s\" is not HOST:PORT",
                       listen != NULL ? listen : "");
    }
    memcpy(ret_host, listen, (size_t)(colon - listen));
    ret_host[colon - listen] = '\0';
    return CS_OK;
}

static enum cs_status bind_address(struct cs_rpc_server *server, const struct cs_rpc_server_config *config,
                                   struct cs_err *err) {
    char host[ADDRESS_SIZE - 8];
    CS_TRY(parse_listen(config->listen, host, sizeof(host), err));
    grpc_server_credentials *credentials = NULL;
    CS_TRY(rpc_server_credentials(&config->tls, &credentials, err));
    if (credentials == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_tls", "the certificate, its key or the CA cannot be used");
    }
    int port = grpc_server_add_http2_port(server->core, config->listen, credentials);
    grpc_server_credentials_release(credentials);
    if (port <= 0) {
        return cs_fail(err, CS_UNAVAILABLE, "address_unavailable",
                       "cannot listen on %s: the address is taken or not ours%s", config->listen,
                       cs_str_empty(config->tls.cert_file) ? "" : ", or the certificate and its key do not fit");
    }
    server->port = (uint16_t)port;
    (void)snprintf(server->address, sizeof(server->address), "%s:%u", host, (unsigned)server->port);
    return CS_OK;
}

static void register_rows(struct cs_rpc_server *server) {
    for (size_t i = 0; i < server->row_count; i++) {
        struct rpc_row *row = &server->rows[i];
        row->registered = grpc_server_register_method(
            server->core, row->path, NULL,
            row->method->client_streams ? GRPC_SRM_PAYLOAD_NONE : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
    }
}

static void post_all(struct cs_rpc_server *server) {
    for (size_t i = 0; i < server->row_count; i++) {
        int count = server->rows[i].stream != NULL ? POSTED_STREAM : POSTED_UNARY;
        for (int k = 0; k < count; k++) {
            post(server, &server->rows[i]);
        }
    }
    /* Without these, calls of unknown methods would hang until their deadline. */
    for (int k = 0; k < POSTED_UNKNOWN; k++) {
        post(server, NULL);
    }
}

static void stopped(struct rpc_tag *tag, bool ok) {
    (void)ok;
    struct cs_rpc_server *server = RPC_OWNER(tag, struct cs_rpc_server, stopped_tag);
    pthread_mutex_lock(&server->lock);
    server->stopped = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static enum cs_status server_open(struct cs_rpc_server *server, const struct cs_rpc_server_config *config,
                                  struct cs_err *err) {
    register_rows(server);
    CS_TRY(bind_address(server, config, err));
    grpc_server_start(server->core);
    post_all(server);
    return CS_OK;
}

enum cs_status cs_rpc_server_start(struct cs_rpc *rpc, const struct cs_rpc_server_config *config,
                                   struct cs_rpc_server **ret_server, struct cs_err *err) {
    CS_AUTO(cs_rpc_server) *server = cs_alloc(sizeof(*server));
    server->rpc = rpc;
    server->authorize = config->authorize;
    server->authorize_ctx = config->authorize_ctx;
    server->stopped_tag.fn = stopped;
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    server->core = grpc_server_create(rpc_server_args(), NULL);
    grpc_server_register_completion_queue(server->core, rpc->cq, NULL);
    server->health = rpc_health_create();
    server->reflection = rpc_reflection_create();
    CS_TRY(add_services(server, config, err));
    CS_TRY(server_open(server, config, err));
    *ret_server = cs_steal(&server);
    return CS_OK;
}

/* ---- stopping ---- */

/* Waits until *count is 0 or timeout_ms have passed; holds the lock. */
static void wait_zero(struct cs_rpc_server *server, const size_t *count, int64_t timeout_ms) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (*count != 0 && pthread_cond_timedwait(&server->changed, &server->lock, &until) == 0) {
    }
}

/* Nothing new comes in; what is still there is cancelled; returns when it has ended. */
static void stop(struct cs_rpc_server *server) {
    atomic_store(&server->stopping, true);
    rpc_tag_arm(&server->stopped_tag);
    grpc_server_shutdown_and_notify(server->core, server->rpc->cq, &server->stopped_tag);
    grpc_server_cancel_all_calls(server->core);
    pthread_mutex_lock(&server->lock);
    while (server->posted_count != 0 || !server->stopped) {
        pthread_cond_wait(&server->changed, &server->lock);
    }
    server->drained = true;
    pthread_mutex_unlock(&server->lock);
}

void cs_rpc_server_drain(struct cs_rpc_server *server, int64_t grace_ms) {
    pthread_mutex_lock(&server->lock);
    bool drained = server->drained;
    pthread_mutex_unlock(&server->lock);
    if (drained) {
        return;
    }
    atomic_store(&server->draining, true);
    rpc_health_set_all(server->health, false);
    pthread_mutex_lock(&server->lock);
    wait_zero(server, &server->open_count, grace_ms > 0 ? grace_ms : 0);
    pthread_mutex_unlock(&server->lock);

    rpc_health_close(server->health);
    rpc_reflection_close(server->reflection);
    pthread_mutex_lock(&server->lock);
    wait_zero(server, &server->built_in_count, GOODBYE_MS);
    pthread_mutex_unlock(&server->lock);
    stop(server);
}

void cs_rpc_server_destroy(struct cs_rpc_server *server) {
    if (server == NULL) {
        return;
    }
    cs_rpc_server_drain(server, 0);
    grpc_server_destroy(server->core);
    rpc_health_destroy(server->health);
    rpc_reflection_destroy(server->reflection);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server->rows);
    free(server);
}
