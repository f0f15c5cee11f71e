/*
 * stream: a server- or bidirectional stream, on either side. The public side is in cs/rpc.h.
 */
#ifndef RPC_STREAM_H
#define RPC_STREAM_H

#include "incoming.h"

/* Takes the incoming and serves it. On a polling thread. */
void rpc_stream_serve(struct rpc_incoming *in);

#endif
