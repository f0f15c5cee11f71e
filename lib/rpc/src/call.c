#include "call.h"

#include <grpc/byte_buffer.h>
#include <stdlib.h>

#include "codec.h"
#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "metrics.h"
#include "server.h"

/* References: the handler while it runs, the answer until it has left, the wait for the end of the call. */
enum { REFERENCES = 3 };

struct cs_rpc_call {
    struct rpc_work work;
    struct rpc_incoming *in;
    struct rpc_metrics *metrics;
    struct rpc_tag closed;
    struct rpc_tag answered;
    struct rpc_trailers trailers;
    grpc_byte_buffer *reply;
    int closed_by_peer; /* written by the core */
    _Atomic int references;
    atomic_bool cancelled;
    atomic_bool has_answer;
    atomic_bool deferred;
};

static void unref(struct cs_rpc_call *call) {
    if (atomic_fetch_sub(&call->references, 1) != 1) {
        return;
    }
    if (call->reply != NULL) {
        grpc_byte_buffer_destroy(call->reply);
    }
    rpc_trailers_fini(&call->trailers);
    struct rpc_incoming *in = call->in;
    free(call);
    rpc_incoming_leave(in);
    rpc_incoming_destroy(in);
}

/* ---- answering ---- */

static bool is_ours(enum cs_status status) {
    return status == CS_INTERNAL || status == CS_UNKNOWN || status == CS_DATA_LOSS;
}

static void log_answer(const struct cs_rpc_call *call, const struct cs_err *err, enum cs_status seen) {
    char trace_id[CS_TRACE_ID_HEX_SIZE];
    cs_trace_id_hex(&call->in->trace, trace_id);
    double took_ms = (double)(cs_clock_mono_ns() - call->in->arrived_ns) / 1e6;
    if (err == NULL) {
        cs_log_debug("rpc served", CS_KV("method", call->in->row->path), CS_KV("status", cs_status_name(seen)),
                     CS_KVF("took_ms", took_ms), CS_KV("trace", trace_id));
        return;
    }
    cs_log_write(is_ours(err->status) ? CS_LOG_INFO : CS_LOG_DEBUG, "rpc failed",
                 (const struct cs_kv[]){CS_KV("method", call->in->row->path), CS_KV("status", cs_status_name(seen)),
                                        CS_KVF("took_ms", took_ms), CS_KV("trace", trace_id), CS_KVE(err)},
                 5);
}

/* What the caller saw: an answer that comes after the end is not seen. */
static enum cs_status seen_status(const struct cs_rpc_call *call, const struct cs_err *err) {
    if (atomic_load(&call->cancelled)) {
        return rpc_incoming_left_ms(call->in) == 0 ? CS_DEADLINE_EXCEEDED : CS_CANCELLED;
    }
    return err != NULL ? err->status : CS_OK;
}

static void answer_left(struct rpc_tag *tag, bool ok) {
    (void)ok; /* when it could not be sent, nobody is there to be told */
    unref(RPC_OWNER(tag, struct cs_rpc_call, answered));
}

/* Sends the one answer; later ones are dropped. Takes reply. */
static void answer(struct cs_rpc_call *call, grpc_byte_buffer *reply, const struct cs_err *err) {
    if (atomic_exchange(&call->has_answer, true)) {
        cs_log_error("rpc answered twice", CS_KV("method", call->in->row->path));
        if (reply != NULL) {
            grpc_byte_buffer_destroy(reply);
        }
        return;
    }
    enum cs_status seen = seen_status(call, err);
    rpc_metrics_done(call->metrics, RPC_SERVER, call->in->row->method, seen, call->in->arrived_ns);
    log_answer(call, err, seen);

    call->reply = reply;
    rpc_trailers_init(&call->trailers, err);
    grpc_op ops[3] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}, rpc_trailers_op(&call->trailers)};
    size_t op_count = 2;
    if (reply != NULL) {
        ops[op_count++] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = reply};
    }
    rpc_batch(call->in->call, ops, op_count, &call->answered);
}

void cs_rpc_reply(struct cs_rpc_call *call, const ProtobufCMessage *reply) {
    grpc_byte_buffer *packed = NULL;
    size_t size = 0;
    struct cs_err err;
    if (rpc_pack(reply, &packed, &size, &err) != CS_OK) {
        answer(call, NULL, &err);
        return;
    }
    answer(call, packed, NULL);
}

void cs_rpc_refuse(struct cs_rpc_call *call, const struct cs_err *err) {
    answer(call, NULL, err);
}

void cs_rpc_defer(struct cs_rpc_call *call) {
    atomic_store(&call->deferred, true);
}

/* ---- serving ---- */

static void handle(struct cs_rpc_call *call) {
    struct rpc_incoming *in = call->in;
    struct cs_err err = {0};
    ProtobufCMessage *request = NULL;
    enum cs_status status = CS_OK;
    if (atomic_load(&call->cancelled)) {
        status = cs_fail(&err, CS_CANCELLED, "cancelled", "the caller left before the call was served");
    } else if ((status = rpc_incoming_message(in, &request, &err)) == CS_OK) {
        status = in->row->unary(call, request, in->row->ctx, &err);
    }
    if (status == CS_OK && !atomic_load(&call->deferred) && !atomic_load(&call->has_answer)) {
        status = cs_fail(&err, CS_INTERNAL, "no_reply", "the handler gave no reply");
    }
    if (status != CS_OK) {
        answer(call, NULL, &err);
    }
    unref(call);
}

static void handle_work(struct rpc_work *work) {
    struct cs_rpc_call *call = RPC_OWNER(work, struct cs_rpc_call, work);
    rpc_server_dequeued(call->in->server);
    handle(call);
}

static void call_closed(struct rpc_tag *tag, bool ok) {
    (void)ok;
    struct cs_rpc_call *call = RPC_OWNER(tag, struct cs_rpc_call, closed);
    if (call->closed_by_peer != 0) {
        atomic_store(&call->cancelled, true);
    }
    unref(call);
}

void rpc_call_serve(struct rpc_incoming *in) {
    struct cs_err err;
    if (!in->row->on_poller && rpc_server_enqueued(in->server, &err) != CS_OK) {
        rpc_incoming_refuse(in, &err);
        return;
    }
    struct cs_rpc_call *call = cs_alloc(sizeof(*call));
    call->in = in;
    call->metrics = rpc_server_metrics(in->server);
    call->work.fn = handle_work;
    call->closed.fn = call_closed;
    call->answered.fn = answer_left;
    atomic_init(&call->references, REFERENCES);

    /* The only way to see early that the caller has gone. */
    grpc_op close_op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                        .data.recv_close_on_server.cancelled = &call->closed_by_peer};
    rpc_batch(in->call, &close_op, 1, &call->closed);
    if (in->row->on_poller) {
        handle(call);
    } else {
        rpc_run(rpc_server_runtime(in->server), &call->work);
    }
}

/* ---- questions ---- */

struct cs_arena *cs_rpc_call_arena(struct cs_rpc_call *call) {
    return call->in->arena;
}

const struct cs_trace *cs_rpc_call_trace(const struct cs_rpc_call *call) {
    return &call->in->trace;
}

int64_t cs_rpc_call_left_ms(const struct cs_rpc_call *call) {
    return rpc_incoming_left_ms(call->in);
}

bool cs_rpc_call_cancelled(const struct cs_rpc_call *call) {
    return atomic_load(&call->cancelled);
}

const char *cs_rpc_call_metadata(const struct cs_rpc_call *call, const char *key) {
    return rpc_incoming_header(call->in, key);
}
