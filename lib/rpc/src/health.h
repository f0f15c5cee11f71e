/*
 * health: grpc.health.v1, with live transitions for watchers.
 *
 * Threads  any. Watchers are told in the order of the changes.
 */
#ifndef RPC_HEALTH_H
#define RPC_HEALTH_H

#include "cs/rpc.h"

struct rpc_health;

struct rpc_health *rpc_health_create(void); /* knows "" (the whole server), SERVING */
void rpc_health_destroy(struct rpc_health *health);
struct cs_rpc_service rpc_health_service(struct rpc_health *health);

void rpc_health_add(struct rpc_health *health, const char *service); /* SERVING */
void rpc_health_set(struct rpc_health *health, const char *service, bool serving);
void rpc_health_set_all(struct rpc_health *health, bool serving);
/* Ends every watch after what was told, and refuses new ones. */
void rpc_health_close(struct rpc_health *health);

#endif
