/*
 * call: one unary call being served. The public side is in cs/rpc.h.
 */
#ifndef RPC_CALL_H
#define RPC_CALL_H

#include "incoming.h"

/* Takes the incoming and serves it, on a handler thread or at once. */
void rpc_call_serve(struct rpc_incoming *in);

#endif
