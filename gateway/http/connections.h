/*
 * connections: the open sockets and how long each may take for what it is doing. libmicrohttpd's timeout counts
 * inactivity only, so a client that sends a byte now and then would hold a connection for ever.
 *
 * Threads  any.
 */
#ifndef GW_HTTP_CONNECTIONS_H
#define GW_HTTP_CONNECTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "cs/base/auto.h"

struct gw_connections;
struct gw_connection;

struct gw_connections *gw_connections_create(void);
void gw_connections_destroy(struct gw_connections *connections); /* when all are removed; NULL is fine */
CS_DEFINE_AUTO(gw_connections, gw_connections_destroy)

struct gw_connection *gw_connections_add(struct gw_connections *connections, int fd, int64_t deadline_ms);
void gw_connections_remove(struct gw_connections *connections, struct gw_connection *connection);
/* INT64_MAX: as long as it likes. */
void gw_connections_set_deadline(struct gw_connections *connections, struct gw_connection *connection,
                                 int64_t deadline_ms);
/* Shuts down those whose deadline has passed; returns how many. */
size_t gw_connections_reap(struct gw_connections *connections, int64_t now_ms);
size_t gw_connections_count(struct gw_connections *connections);

#endif
