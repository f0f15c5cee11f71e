/*
 * metrics: calls by side, method and status, with their latency.
 *
 * Threads  any; counting takes no lock.
 */
#ifndef RPC_METRICS_H
#define RPC_METRICS_H

#include "cs/rpc.h"
#include "descriptors.h"

enum rpc_side { RPC_SERVER, RPC_CLIENT, RPC_SIDES };
enum rpc_direction { RPC_SENT, RPC_RECEIVED, RPC_DIRECTIONS };

struct rpc_metrics;

struct rpc_metrics *rpc_metrics_create(void);
void rpc_metrics_destroy(struct rpc_metrics *metrics);

/* method NULL: one that the descriptors do not know. */
void rpc_metrics_open(struct rpc_metrics *metrics, enum rpc_side side, const struct rpc_method *method);
void rpc_metrics_done(struct rpc_metrics *metrics, enum rpc_side side, const struct rpc_method *method,
                      enum cs_status status, int64_t started_ns);
void rpc_metrics_message(struct rpc_metrics *metrics, enum rpc_side side, const struct rpc_method *method,
                         enum rpc_direction direction);
void rpc_metrics_waiting(struct rpc_metrics *metrics, int change);

#endif
