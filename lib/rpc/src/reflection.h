/*
 * reflection: grpc.reflection, from the embedded descriptors. Lists what this server serves.
 */
#ifndef RPC_REFLECTION_H
#define RPC_REFLECTION_H

#include "cs/rpc.h"

struct rpc_reflection;

extern const char rpc_reflection_path_v1[]; /* the same contract under its younger name */

struct rpc_reflection *rpc_reflection_create(void);
void rpc_reflection_destroy(struct rpc_reflection *reflection);
struct cs_rpc_service rpc_reflection_service(struct rpc_reflection *reflection);
void rpc_reflection_add(struct rpc_reflection *reflection, const char *service); /* before serving */
/* Ends every stream after what was answered, and refuses new ones. */
void rpc_reflection_close(struct rpc_reflection *reflection);

#endif
