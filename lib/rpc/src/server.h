/*
 * server: what call.c, stream.c and incoming.c need of the server that they serve.
 */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include "incoming.h"
#include "metrics.h"

struct cs_rpc *rpc_server_runtime(const struct cs_rpc_server *server);
struct rpc_metrics *rpc_server_metrics(const struct cs_rpc_server *server);

/* A place among the waiting handlers: RESOURCE_EXHAUSTED "overloaded" when all are taken. */
enum cs_status rpc_server_enqueued(struct cs_rpc_server *server, struct cs_err *err) CS_MUST_USE;
void rpc_server_dequeued(struct cs_rpc_server *server);

/* A call has left the core. The server may be destroyed as soon as the last one has. */
void rpc_server_left(struct cs_rpc_server *server, const struct rpc_row *row);

#endif
