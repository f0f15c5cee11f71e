/*
 * incoming: a call from the moment the server waits for it until it has left the core.
 *
 * Owns     the core's call, its metadata, the arena; call.c and stream.c own an incoming for as long as they serve it.
 */
#ifndef RPC_INCOMING_H
#define RPC_INCOMING_H

#include <grpc/grpc.h>

#include "descriptors.h"
#include "runtime.h"
#include "status.h"

/* A method being served. */
struct rpc_row {
    const char *path;
    const struct rpc_method *method;
    const ProtobufCMessageDescriptor *input;
    cs_rpc_unary_fn *unary;
    const struct cs_rpc_stream_events *stream;
    void *ctx;
    bool on_poller; /* unary, and so short that it needs no handler thread */
    bool built_in;  /* health and reflection: served while draining, and not waited for */
    void *registered;
};

struct rpc_header {
    const char *key;
    const char *value;
};

struct rpc_incoming {
    struct rpc_tag arrived;
    struct cs_rpc_server *server;
    const struct rpc_row *row; /* NULL for methods that nobody serves */
    /* filled by the core */
    grpc_call *call;
    gpr_timespec deadline;
    grpc_call_details details; /* of unknown methods only */
    grpc_metadata_array metadata;
    grpc_byte_buffer *payload; /* of methods whose client sends one message */
    /* filled on arrival */
    struct cs_arena *arena;
    struct rpc_header *headers;
    size_t header_count;
    struct cs_trace trace;
    int64_t arrived_ns;
};

struct rpc_incoming *rpc_incoming_create(struct cs_rpc_server *server, const struct rpc_row *row);
/* Copies what the core delivered into the arena. */
void rpc_incoming_accept(struct rpc_incoming *in);
/* NULL when the caller sent no such header. */
const char *rpc_incoming_header(const struct rpc_incoming *in, const char *key);
int64_t rpc_incoming_left_ms(const struct rpc_incoming *in); /* INT64_MAX without a deadline */
/* The one message of the client, into the arena. */
enum cs_status rpc_incoming_message(struct rpc_incoming *in, ProtobufCMessage **ret_message,
                                    struct cs_err *err) CS_MUST_USE;
/* Answers with a failure before anybody else has seen the call, and ends it. */
void rpc_incoming_refuse(struct rpc_incoming *in, const struct cs_err *err);
/* Gives the call back to the core and tells the server. Headers and trace stay. */
void rpc_incoming_leave(struct rpc_incoming *in);
void rpc_incoming_destroy(struct rpc_incoming *in);

#endif
