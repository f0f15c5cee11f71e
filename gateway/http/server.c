#include "http/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "http/accept.h"
#include "http/connections.h"
#include "http/listen.h"
#include "http/request_internal.h"

enum { MS_PER_S = 1000 };

/* A body over its limit is read and dropped up to this, so that a client which sends first and reads later gets its
 * 413. */
static const uint64_t DISCARD_BYTES_MAX = 16 << 20;

struct gw_server {
    struct gw_server_config config;
    struct MHD_Daemon *daemon;
    int fd;
    char address[GW_ADDRESS_SIZE];
    struct gw_acceptor *acceptor;
    struct gw_connections *connections;
    pthread_t ticker;
    bool ticking;
    atomic_bool draining;
    atomic_ullong reaped;
    pthread_mutex_t lock;
    pthread_cond_t request_ended;
    pthread_cond_t stop;
    /* below: guarded by lock */
    size_t open_requests;
    bool stopping;
};

/* ---- connections ---- */

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code) {
    struct gw_server *server = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = gw_connections_add(server->connections, info->connect_fd,
                                             cs_clock_mono_ms() + server->config.header_timeout_ms);
    } else if (*socket_context != NULL) {
        gw_connections_remove(server->connections, *socket_context);
        *socket_context = NULL;
        gw_acceptor_closed(server->acceptor);
    }
}

static bool on_accepted(int fd, const struct sockaddr *address, socklen_t address_size, void *ctx) {
    const struct gw_server *server = ctx;
    return MHD_add_connection(server->daemon, fd, address, address_size) == MHD_YES;
}

static void set_deadline(struct gw_server *server, struct MHD_Connection *connection, int64_t deadline_ms) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info != NULL && info->socket_context != NULL) {
        gw_connections_set_deadline(server->connections, info->socket_context, deadline_ms);
    }
}

/* ---- requests ---- */

static void *on_target(void *cls, const char *raw_target, struct MHD_Connection *connection) {
    struct gw_server *server = cls;
    (void)pthread_mutex_lock(&server->lock);
    server->open_requests++;
    (void)pthread_mutex_unlock(&server->lock);
    return gw_request_create(server, connection, raw_target);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         __attribute__((unused)) enum MHD_RequestTerminationCode reason) {
    struct gw_server *server = cls;
    struct gw_request *request = *con_cls;
    if (request == NULL) {
        return;
    }
    *con_cls = NULL;
    const struct gw_server_config *config = &server->config;
    set_deadline(server, connection, cs_clock_mono_ms() + config->idle_timeout_ms + config->header_timeout_ms);
    if (request->arrived) {
        config->events->finished(request, config->ctx);
    }
    gw_request_destroy(request);
    (void)pthread_mutex_lock(&server->lock);
    server->open_requests--;
    (void)pthread_cond_broadcast(&server->request_ended);
    (void)pthread_mutex_unlock(&server->lock);
}

static void refuse(struct gw_server *server, struct gw_request *request, const struct cs_err *err) {
    gw_answer_close(request);
    server->config.events->refused(request, err, server->config.ctx);
}

static enum cs_status check_arrived(const struct gw_server *server, const struct gw_request *request,
                                    struct cs_err *err) {
    if (request->target_too_long) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "target_too_long", "the request's target has more than %d bytes",
                       GW_TARGET_BYTES_MAX);
    }
    if (request->bad_target) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_target", "the request's target has a NUL");
    }
    CS_TRY(gw_framing_check(&request->framing, err));
    if (request->framing.body_bytes > server->config.body_bytes_max + DISCARD_BYTES_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_big", "the body has more than %llu bytes",
                       (unsigned long long)server->config.body_bytes_max);
    }
    return CS_OK;
}

static void arrive(struct gw_server *server, struct gw_request *request, const char *method, const char *path) {
    struct cs_err err = {0};
    request->arrived = true;
    gw_request_begin(request, method, path);
    set_deadline(server, request->connection, cs_clock_mono_ms() + server->config.body_timeout_ms);
    if (check_arrived(server, request, &err) != CS_OK) {
        refuse(server, request, &err);
        return;
    }
    server->config.events->arrived(request, server->config.ctx);
}

static bool is_answered(const struct gw_request *request) {
    return request->answer.kind != ANSWER_NONE;
}

static enum MHD_Result take_body(struct gw_server *server, struct gw_request *request, const char *bytes,
                                 size_t *size_bytes) {
    request->discarding =
        request->discarding || is_answered(request) || request->body.size + *size_bytes > server->config.body_bytes_max;
    if (request->discarding) {
        request->discarded_bytes += *size_bytes;
    } else {
        cs_buf_put(&request->body, bytes, *size_bytes);
    }
    *size_bytes = 0;
    return request->discarded_bytes > DISCARD_BYTES_MAX ? MHD_NO : MHD_YES;
}

static void complete(struct gw_server *server, struct gw_request *request) {
    request->complete = true;
    set_deadline(server, request->connection, INT64_MAX);
    if (request->discarding) {
        struct cs_err err = {0};
        (void)cs_fail(&err, CS_OUT_OF_RANGE, "too_big", "the body has more than %llu bytes",
                      (unsigned long long)server->config.body_bytes_max);
        refuse(server, request, &err);
        return;
    }
    server->config.events->complete(request, server->config.ctx);
}

/* libmicrohttpd calls with the header section, then for each piece of the body, then with nothing; again when a parked
 * request was answered. */
static enum MHD_Result on_access(void *cls, __attribute__((unused)) struct MHD_Connection *connection, const char *url,
                                 const char *method, __attribute__((unused)) const char *version,
                                 const char *upload_data, size_t *upload_data_size, void **con_cls) {
    struct gw_server *server = cls;
    struct gw_request *request = *con_cls;
    if (!request->arrived) {
        arrive(server, request, method, url);
        /* A refusal waits for the end of the body, so that it is not lost with an early end of the connection; but
         * where the body ends is not known when its framing is bad. */
        bool waits = gw_request_has_body(request) && !request->answer.close;
        if (!is_answered(request) || waits) {
            return MHD_YES;
        }
    } else if (*upload_data_size != 0) {
        return take_body(server, request, upload_data, upload_data_size);
    } else if (!request->complete && !is_answered(request)) {
        complete(server, request);
        if (request->parked) {
            return MHD_YES; /* from here on it may be answered at any time, and we come back */
        }
    }
    return gw_request_queue(request, atomic_load(&server->draining));
}

/* ---- life ---- */

static struct timespec in_ms(int64_t ms) {
    const int64_t until_ns = cs_clock_mono_ns() + ms * 1000000;
    return (struct timespec){.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
}

static void *tick(void *arg) {
    struct gw_server *server = arg;
    (void)pthread_mutex_lock(&server->lock);
    while (!server->stopping) {
        const struct timespec until = in_ms(GW_TICK_MS);
        (void)pthread_cond_timedwait(&server->stop, &server->lock, &until);
        (void)pthread_mutex_unlock(&server->lock);
        size_t reaped = gw_connections_reap(server->connections, cs_clock_mono_ms());
        atomic_fetch_add(&server->reaped, reaped);
        server->config.events->tick(cs_clock_mono_ms(), server->config.ctx);
        (void)pthread_mutex_lock(&server->lock);
    }
    (void)pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void on_log(__attribute__((unused)) void *cls, const char *fmt, va_list args) {
    CS_AUTO_BUF text = {0};
    cs_buf_vprintf(&text, fmt, args);
    while (text.size > 0 && text.data[text.size - 1] == '\n') {
        text.data[--text.size] = '\0';
    }
    cs_log_debug("http", CS_KV("message", text.data));
}

static void on_panic(__attribute__((unused)) void *cls, const char *file, unsigned line, const char *reason) {
    cs_log_error("libmicrohttpd gave up", CS_KV("reason", reason), CS_KV("file", file), CS_KVI("line", line));
    abort();
}

static enum cs_status start_daemon(struct gw_server *server, struct cs_err *err) {
    const struct gw_server_config *config = &server->config;
    const unsigned flags = MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                           MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
    const unsigned idle_s = (unsigned)((config->idle_timeout_ms + MS_PER_S - 1) / MS_PER_S);
    struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)config->threads, NULL},
                                    {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem *more = config->threads > 1 ? pool : pool + 1; /* a pool of one is refused */
    /* The acceptor keeps to the limit; any of the pool's threads may have all of them. */
    const unsigned connections_max = config->connections_max * config->threads;
    MHD_set_panic_func(on_panic, NULL);
    server->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_access, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
                                      MHD_OPTION_CONNECTION_LIMIT, connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                      config->connections_per_address_max, MHD_OPTION_CONNECTION_TIMEOUT, idle_s,
                                      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)GW_HEADER_BYTES_MAX,
                                      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
                                      MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
                                      on_connection, server, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
    if (server->daemon == NULL) {
        return cs_fail(err, CS_UNAVAILABLE, "http_server", "the HTTP server does not start on %s", server->address);
    }
    return CS_OK;
}

static enum cs_status open_socket(struct gw_server *server, struct cs_err *err) {
    const struct gw_server_config *config = &server->config;
    if (config->listen_fd >= 0) {
        CS_TRY(gw_listen_take(config->listen_fd, &server->fd, err));
    } else {
        CS_TRY(gw_listen(config->listen, &server->fd, err));
    }
    gw_listen_address(server->fd, server->address);
    return CS_OK;
}

enum cs_status gw_server_start(struct gw_server *server, struct cs_err *err) {
    if (pthread_create(&server->ticker, NULL, tick, server) != 0) {
        return cs_fail_errno(err, errno, "starting a thread");
    }
    server->ticking = true;
    CS_TRY(start_daemon(server, err));
    return gw_acceptor_start(server->acceptor, err);
}

enum cs_status gw_server_create(const struct gw_server_config *config, struct gw_server **ret_server,
                                struct cs_err *err) {
    CS_AUTO(gw_server) *server = cs_alloc(sizeof(*server));
    pthread_condattr_t monotonic;
    server->config = *config;
    server->fd = -1;
    server->connections = gw_connections_create();
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->request_ended, &monotonic);
    (void)pthread_cond_init(&server->stop, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    CS_TRY(open_socket(server, err));
    const struct gw_acceptor_config accept = {
        .fd = server->fd, .connections_max = config->connections_max, .accepted = on_accepted, .ctx = server};
    CS_TRY(gw_acceptor_create(&accept, &server->acceptor, err));
    *ret_server = cs_steal(&server);
    return CS_OK;
}

const char *gw_server_address(const struct gw_server *server) {
    return server->address;
}

size_t gw_server_connections(struct gw_server *server) {
    return gw_connections_count(server->connections);
}

size_t gw_server_open_requests(struct gw_server *server) {
    (void)pthread_mutex_lock(&server->lock);
    size_t count = server->open_requests;
    (void)pthread_mutex_unlock(&server->lock);
    return count;
}

uint64_t gw_server_reaped(struct gw_server *server) {
    return atomic_load(&server->reaped);
}

bool gw_server_drain(struct gw_server *server, int64_t timeout_ms) {
    atomic_store(&server->draining, true);
    gw_acceptor_stop(server->acceptor);
    const struct timespec until = in_ms(timeout_ms);
    (void)pthread_mutex_lock(&server->lock);
    int waited = 0;
    while (server->open_requests != 0 && waited == 0) {
        waited = pthread_cond_timedwait(&server->request_ended, &server->lock, &until);
    }
    bool drained = server->open_requests == 0;
    (void)pthread_mutex_unlock(&server->lock);
    return drained;
}

static void stop_ticker(struct gw_server *server) {
    if (!server->ticking) {
        return;
    }
    (void)pthread_mutex_lock(&server->lock);
    server->stopping = true;
    (void)pthread_cond_broadcast(&server->stop);
    (void)pthread_mutex_unlock(&server->lock);
    (void)pthread_join(server->ticker, NULL);
}

void gw_server_destroy(struct gw_server *server) {
    if (server == NULL) {
        return;
    }
    stop_ticker(server);
    if (server->acceptor != NULL) {
        gw_acceptor_stop(server->acceptor);
    }
    if (server->daemon != NULL) {
        MHD_stop_daemon(server->daemon);
    }
    gw_acceptor_destroy(server->acceptor);
    if (server->fd >= 0) {
        (void)close(server->fd);
    }
    gw_connections_destroy(server->connections);
    (void)pthread_cond_destroy(&server->stop);
    (void)pthread_cond_destroy(&server->request_ended);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}
