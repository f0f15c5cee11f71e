/*
 * accept: takes connections from a listening socket and hands them on, no more at a time than a limit; the others wait
 * in the socket's queue.
 *
 * libmicrohttpd would listen itself, but 0.9.75 can't stop that safely: MHD_quiesce_daemon() and the daemon's own
 * threads both take the socket out of their epoll sets, and the one that comes second aborts the process.
 *
 * Owns     the listening socket stays the caller's.
 * Threads  one of its own, which calls accepted(); gw_acceptor_closed() from any.
 */
#ifndef GW_HTTP_ACCEPT_H
#define GW_HTTP_ACCEPT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "cs/base/auto.h"
#include "cs/base/err.h"

struct gw_acceptor;

struct gw_acceptor_config {
    int fd; /* non-blocking */
    unsigned connections_max;
    /* Owns fd, which is non-blocking. False: it is closed already, and gw_acceptor_closed() isn't called for it. */
    bool (*accepted)(int fd, const struct sockaddr *address, socklen_t address_size, void *ctx);
    void *ctx;
};

enum cs_status gw_acceptor_create(const struct gw_acceptor_config *config, struct gw_acceptor **ret_acceptor,
                                  struct cs_err *err) CS_MUST_USE;
/* Once. */
enum cs_status gw_acceptor_start(struct gw_acceptor *acceptor, struct cs_err *err) CS_MUST_USE;
/* One that was handed on has ended. */
void gw_acceptor_closed(struct gw_acceptor *acceptor);
/* When it returns, accepted() is not called any more. May be repeated, not at the same time. */
void gw_acceptor_stop(struct gw_acceptor *acceptor);
/* When all that were handed on have ended. NULL is fine. */
void gw_acceptor_destroy(struct gw_acceptor *acceptor);
CS_DEFINE_AUTO(gw_acceptor, gw_acceptor_destroy)

#endif
