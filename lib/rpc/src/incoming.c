#include "incoming.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <stdlib.h>

#include "codec.h"
#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "metrics.h"
#include "server.h"

struct rpc_incoming *rpc_incoming_create(struct cs_rpc_server *server, const struct rpc_row *row) {
    struct rpc_incoming *in = cs_alloc(sizeof(*in));
    in->server = server;
    in->row = row;
    grpc_metadata_array_init(&in->metadata);
    grpc_call_details_init(&in->details);
    return in;
}

static const char *slice_text(struct cs_arena *arena, grpc_slice slice) {
    return cs_arena_strndup(arena, (const char *)GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
}

void rpc_incoming_accept(struct rpc_incoming *in) {
    in->arrived_ns = cs_clock_mono_ns();
    in->arena = cs_arena_create();
    in->headers = cs_arena_array(in->arena, in->metadata.count, sizeof(*in->headers));
    for (size_t i = 0; i < in->metadata.count; i++) {
        const grpc_metadata *item = &in->metadata.metadata[i];
        in->headers[i] = (struct rpc_header){slice_text(in->arena, item->key), slice_text(in->arena, item->value)};
    }
    in->header_count = in->metadata.count;
    const char *traceparent = rpc_incoming_header(in, "traceparent");
    in->trace = cs_trace_continue(traceparent != NULL ? traceparent : "");
}

const char *rpc_incoming_header(const struct rpc_incoming *in, const char *key) {
    for (size_t i = 0; i < in->header_count; i++) {
        if (cs_str_eq(in->headers[i].key, key)) {
            return in->headers[i].value;
        }
    }
    return NULL;
}

int64_t rpc_incoming_left_ms(const struct rpc_incoming *in) {
    gpr_timespec never = gpr_inf_future(in->deadline.clock_type);
    if (gpr_time_cmp(in->deadline, never) >= 0) {
        return INT64_MAX;
    }
    int64_t left_ms = gpr_time_to_millis(gpr_time_sub(in->deadline, gpr_now(in->deadline.clock_type)));
    return left_ms > 0 ? left_ms : 0;
}

enum cs_status rpc_incoming_message(struct rpc_incoming *in, ProtobufCMessage **ret_message, struct cs_err *err) {
    if (in->payload == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "malformed_message", "%s: no message was sent", in->row->input->name);
    }
    return rpc_unpack(in->row->input, in->payload, in->arena, ret_message, err);
}

/* ---- refusing ---- */

struct refusal {
    struct rpc_tag tag;
    struct rpc_incoming *in;
    struct rpc_trailers trailers;
    int cancelled;
};

static void refused(struct rpc_tag *tag, bool ok) {
    (void)ok;
    struct refusal *refusal = RPC_OWNER(tag, struct refusal, tag);
    rpc_trailers_fini(&refusal->trailers);
    rpc_incoming_leave(refusal->in);
    rpc_incoming_destroy(refusal->in);
    free(refusal);
}

void rpc_incoming_refuse(struct rpc_incoming *in, const struct cs_err *err) {
    rpc_metrics_done(rpc_server_metrics(in->server), RPC_SERVER, in->row != NULL ? in->row->method : NULL, err->status,
                     in->arrived_ns);
    struct refusal *refusal = cs_alloc(sizeof(*refusal));
    refusal->tag.fn = refused;
    refusal->in = in;
    rpc_trailers_init(&refusal->trailers, err);
    grpc_op ops[] = {
        {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &refusal->cancelled},
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        rpc_trailers_op(&refusal->trailers),
    };
    rpc_batch(in->call, ops, CS_COUNT(ops), &refusal->tag);
}

/* ---- end ---- */

void rpc_incoming_leave(struct rpc_incoming *in) {
    grpc_call_unref(in->call);
    in->call = NULL;
    rpc_server_left(in->server, in->row);
    in->server = NULL;
}

void rpc_incoming_destroy(struct rpc_incoming *in) {
    if (in->payload != NULL) {
        grpc_byte_buffer_destroy(in->payload);
    }
    grpc_metadata_array_destroy(&in->metadata);
    grpc_call_details_destroy(&in->details);
    cs_arena_destroy(in->arena);
    free(in);
}
