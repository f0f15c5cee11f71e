/*
 * server: HTTP/1.1 on libmicrohttpd, which nobody else touches.
 *
 * It refuses ambiguous framing, oversized headers, targets and bodies, cuts slow clients, parks requests that wait for
 * others, and drains: no new connections, open requests end, then the rest is cut.
 *
 * Limits   in struct gw_server_config; a request's target has at most GW_TARGET_BYTES_MAX, its header section about
 *          GW_HEADER_BYTES_MAX.
 * Threads  events run on the server's threads and must not block.
 */
#ifndef GW_HTTP_SERVER_H
#define GW_HTTP_SERVER_H

#include "cs/base/err.h"
#include "http/request.h"

enum {
    GW_TARGET_BYTES_MAX = 8 * 1024,
    GW_HEADER_BYTES_MAX = 32 * 1024,
};

struct gw_server;

struct gw_server_events {
    /* The header section is here, a body is not read yet. Answering now refuses it. */
    void (*arrived)(struct gw_request *request, void *ctx);
    /* All of it is here. */
    void (*complete)(struct gw_request *request, void *ctx);
    /* It could not be served: err is "bad_framing", "target_too_long", "bad_target" or "too_big". Must answer. */
    void (*refused)(struct gw_request *request, const struct cs_err *err, void *ctx);
    /* Answered, or the client has gone. Last. */
    void (*finished)(struct gw_request *request, void *ctx);
    /* Every GW_TICK_MS, on a thread of its own. */
    void (*tick)(int64_t now_ms, void *ctx);
};
enum { GW_TICK_MS = 250 };

struct gw_server_config {
    const char *listen; /* HOST:PORT */
    int listen_fd;      /* >= 0: an open listening socket, which stays the caller's */
    unsigned threads;
    unsigned connections_max;
    unsigned connections_per_address_max; /* 0: no limit */
    uint64_t body_bytes_max;
    int64_t header_timeout_ms; /* until the header section is complete */
    int64_t body_timeout_ms;   /* until the body is */
    int64_t idle_timeout_ms;   /* between requests, and without any progress */
    const struct gw_server_events *events;
    void *ctx;
};

/* Opens the socket: the address is known, nothing is served yet. */
enum cs_status gw_server_create(const struct gw_server_config *config, struct gw_server **ret_server,
                                struct cs_err *err) CS_MUST_USE;
/* Once. */
enum cs_status gw_server_start(struct gw_server *server, struct cs_err *err) CS_MUST_USE;
const char *gw_server_address(const struct gw_server *server); /* "127.0.0.1:8080" */
size_t gw_server_connections(struct gw_server *server);
size_t gw_server_open_requests(struct gw_server *server);
uint64_t gw_server_reaped(struct gw_server *server); /* slow connections cut so far */
/* No new connections; answers close theirs. Waits until no request is open or timeout_ms has passed; false then. */
bool gw_server_drain(struct gw_server *server, int64_t timeout_ms);
/* No parked request and no sleeping stream may be left. NULL is fine. */
void gw_server_destroy(struct gw_server *server);
CS_DEFINE_AUTO(gw_server, gw_server_destroy)

#endif
