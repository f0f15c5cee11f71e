/*
 * status: struct cs_err on the wire and back.
 *
 * The path is percent-encoded where HTTP/2 does not allow a byte, so any field name can be said.
 */
#ifndef RPC_STATUS_H
#define RPC_STATUS_H

#include <grpc/grpc.h>

#include "cs/rpc.h"

enum { RPC_TRAILERS_MAX = 4 };

struct rpc_trailers {
    grpc_metadata items[RPC_TRAILERS_MAX];
    size_t count;
    enum cs_status status;
    grpc_slice message;
};

/* err NULL means CS_OK. Lives until the operation has ended. */
void rpc_trailers_init(struct rpc_trailers *trailers, const struct cs_err *err);
void rpc_trailers_fini(struct rpc_trailers *trailers);
/* The operation that sends them. */
grpc_op rpc_trailers_op(struct rpc_trailers *trailers);

/* What a server answered; status CS_OK and no text when it went well. */
void rpc_err_from_wire(grpc_status_code code, grpc_slice message, const grpc_metadata_array *trailers,
                       struct cs_err *ret_err);

/* Text of a slice, cut to the capacity, always terminated and UTF-8. */
void rpc_slice_copy(grpc_slice slice, char *ret_text, size_t capacity);

#endif
