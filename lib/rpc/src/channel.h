/*
 * channel: what streams need of the channel that they were opened on.
 */
#ifndef RPC_CHANNEL_H
#define RPC_CHANNEL_H

#include <grpc/grpc.h>

#include "descriptors.h"
#include "runtime.h"

/* A call in the channel's list: cancelled and waited for when the channel is destroyed. */
struct rpc_member {
    struct rpc_member *next;
    struct rpc_member **link;
    void (*cancel)(struct rpc_member *member); /* under the channel's lock */
};

enum { RPC_CLIENT_HEADERS_MAX = 3 };

/* A call that has been made but not started. */
struct rpc_outgoing {
    struct cs_rpc_channel *channel;
    const struct rpc_method *method;
    const ProtobufCMessageDescriptor *output;
    grpc_call *call;
    struct cs_trace trace;
    grpc_metadata headers[RPC_CLIENT_HEADERS_MAX];
    size_t header_count;
    bool wait_for_ready;
    int64_t started_ns;
    struct rpc_member member;
    /* filled by the core */
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code status;
    grpc_slice details;
};

enum cs_status rpc_outgoing_init(struct rpc_outgoing *out, struct cs_rpc_channel *channel,
                                 const ProtobufCServiceDescriptor *service, const char *method,
                                 const struct cs_rpc_options *options, int64_t default_timeout_ms,
                                 struct cs_err *err) CS_MUST_USE;
/* Joins the channel's list. */
void rpc_outgoing_enter(struct rpc_outgoing *out, void (*cancel)(struct rpc_member *member));
/* Gives the call back to the core and leaves the list; the channel may be gone right after. */
void rpc_outgoing_leave(struct rpc_outgoing *out);
void rpc_outgoing_err(const struct rpc_outgoing *out, struct cs_err *ret_err);

grpc_op rpc_outgoing_start_op(struct rpc_outgoing *out);
grpc_op rpc_outgoing_status_op(struct rpc_outgoing *out);

struct cs_rpc *rpc_channel_runtime(const struct cs_rpc_channel *channel);

#endif
