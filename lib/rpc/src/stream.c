/*
 * How a stream works
 *
 * Three operations of the core may be in flight: a read, a write, and the end of the call. Their completions only note
 * what happened and, still under the same lock, enter dispatch(), which runs the callbacks. One thread at a time
 * dispatches a stream, so callbacks never overlap; a completion that comes meanwhile leaves its note to that thread.
 * (Note and dispatch under one lock: between two, another thread could close and free the stream.)
 *
 *   reading    at most one message is read ahead; the next read is started when the callback has returned
 *   writing    the queue's head is in flight; its completion starts the next, then the finish that was asked for
 *   ending     the core reports the end of the call once; `closed` comes when the read and the write have ended too, so
 *              nothing of the core refers to the stream any more and the call is given back right after
 */
#include "stream.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "codec.h"
#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "metrics.h"
#include "queue.h"
#include "server.h"

/* writes that the core may hold back to fill a frame, then one that it may not */
enum { UNHINTED_EVERY = 32 };

struct cs_rpc_stream {
    _Atomic int references;
    void *_Atomic user;
    const struct cs_rpc_stream_events *events;
    struct rpc_metrics *metrics;
    const struct rpc_method *method;
    const ProtobufCMessageDescriptor *input; /* what the peer sends */
    grpc_call *call;                         /* until closed */
    struct rpc_incoming *in;                 /* on a server */
    struct rpc_outgoing out;                 /* on a client */
    struct cs_arena *arena;                  /* of the message being handled */
    struct cs_trace trace;
    int64_t started_ns;

    struct rpc_tag read_tag;
    grpc_byte_buffer *read_buffer; /* written by the core */
    struct rpc_tag write_tag;
    struct rpc_queued write_head; /* in flight */
    struct rpc_trailers trailers;
    struct rpc_tag end_tag;
    int cancelled_by_peer; /* written by the core, on a server */

    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct rpc_queue queue;
    size_t queued_bytes; /* with what is in flight */
    unsigned write_count;
    struct cs_err finish_err; /* of a server's finish; of a client's own complaint about the peer */
    bool has_started;         /* initial metadata has been sent */
    bool writing;
    bool finish_wanted;
    bool finish_sent;
    bool cancelled; /* by us */
    bool broken;    /* nothing more can be sent */
    bool read_ended;
    bool ended;
    /* notes for dispatch */
    bool dispatching;
    bool note_opened;
    bool note_message;
    bool note_half_closed;
    bool note_drained;
    bool silent; /* opened failed: no more callbacks */
    bool closed;
};

static void dispatch(struct cs_rpc_stream *stream);
static void write_next(struct cs_rpc_stream *stream);

static bool is_server(const struct cs_rpc_stream *stream) {
    return stream->in != NULL;
}

static enum rpc_side side_of(const struct cs_rpc_stream *stream) {
    return is_server(stream) ? RPC_SERVER : RPC_CLIENT;
}

/* ---- life ---- */

static void write_done(struct rpc_tag *tag, bool ok);
static void read_done(struct rpc_tag *tag, bool ok);
static void end_done(struct rpc_tag *tag, bool ok);

static struct cs_rpc_stream *stream_create(const struct cs_rpc_stream_events *events) {
    struct cs_rpc_stream *stream = cs_alloc(sizeof(*stream));
    atomic_init(&stream->references, 1);
    stream->events = events;
    stream->arena = cs_arena_create();
    stream->read_tag.fn = read_done;
    stream->write_tag.fn = write_done;
    stream->end_tag.fn = end_done;
    stream->trailers.message = grpc_empty_slice();
    pthread_mutex_init(&stream->lock, NULL);
    return stream;
}

struct cs_rpc_stream *cs_rpc_stream_ref(struct cs_rpc_stream *stream) {
    atomic_fetch_add_explicit(&stream->references, 1, memory_order_relaxed);
    return stream;
}

void cs_rpc_stream_unref(struct cs_rpc_stream *stream) {
    if (stream == NULL || atomic_fetch_sub(&stream->references, 1) != 1) {
        return;
    }
    if (stream->in != NULL) {
        rpc_incoming_destroy(stream->in);
    }
    cs_arena_destroy(stream->arena);
    pthread_mutex_destroy(&stream->lock);
    rpc_queue_fini(&stream->queue);
    free(stream);
}

/* ---- writing ---- */

/* Nothing more will leave. */
static void break_off(struct cs_rpc_stream *stream) {
    stream->broken = true;
    stream->queued_bytes -= rpc_queue_clear(&stream->queue);
}

/* Whether there is something to write, with no write in flight. */
static bool write_is_due(const struct cs_rpc_stream *stream) {
    return !stream->writing && !stream->broken && !stream->ended &&
           (stream->queue.count != 0 || (stream->finish_wanted && !stream->finish_sent));
}

/* A write may wait for the next one when there is a next one; never the first, which carries the headers. */
static uint32_t write_flags(struct cs_rpc_stream *stream) {
    bool may_wait = stream->has_started && stream->queue.count != 0 && ++stream->write_count % UNHINTED_EVERY != 0;
    return may_wait ? GRPC_WRITE_BUFFER_HINT : 0;
}

static grpc_op finish_op(struct cs_rpc_stream *stream) {
    stream->finish_sent = true;
    if (!is_server(stream)) {
        return (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
    }
    rpc_trailers_init(&stream->trailers, &stream->finish_err);
    return rpc_trailers_op(&stream->trailers);
}

/* Starts the write that is due. Entered with the lock, returns without it; `writing` keeps everybody else out. */
static void write_next(struct cs_rpc_stream *stream) {
    grpc_op ops[3];
    size_t op_count = 0;
    stream->writing = true;
    if (stream->queue.count != 0) {
        stream->write_head = rpc_queue_pop(&stream->queue);
        ops[op_count++] = (grpc_op){
            .op = GRPC_OP_SEND_MESSAGE,
            .flags = write_flags(stream),
            .data.send_message.send_message = stream->write_head.buffer,
        };
    }
    if (stream->queue.count == 0 && stream->finish_wanted) {
        ops[op_count++] = finish_op(stream);
    }
    if (!stream->has_started) { /* a client's start is a write of its own */
        stream->has_started = true;
        ops[op_count++] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    }
    pthread_mutex_unlock(&stream->lock);
    rpc_batch(stream->call, ops, op_count, &stream->write_tag);
}

static void write_done(struct rpc_tag *tag, bool ok) {
    struct cs_rpc_stream *stream = RPC_OWNER(tag, struct cs_rpc_stream, write_tag);
    bool was_message = stream->write_head.buffer != NULL;
    if (was_message) {
        grpc_byte_buffer_destroy(stream->write_head.buffer);
        stream->write_head.buffer = NULL;
    }
    pthread_mutex_lock(&stream->lock);
    stream->writing = false;
    stream->queued_bytes -= was_message ? stream->write_head.size_bytes : 0;
    if (!ok) {
        break_off(stream);
    }
    if (write_is_due(stream)) {
        write_next(stream);
        return;
    }
    stream->note_drained |= was_message && ok;
    dispatch(stream);
}

/* Takes the item. */
static enum cs_status enqueue(struct cs_rpc_stream *stream, struct rpc_queued item, struct cs_err *err) {
    pthread_mutex_lock(&stream->lock);
    bool over = stream->broken || stream->ended || stream->finish_wanted;
    bool full = stream->queued_bytes + item.size_bytes > CS_RPC_STREAM_BYTES_MAX;
    if (over || full) {
        pthread_mutex_unlock(&stream->lock);
        grpc_byte_buffer_destroy(item.buffer);
        return over ? cs_fail(err, CS_CANCELLED, "stream_ended", "the stream has ended")
                    : cs_fail(err, CS_RESOURCE_EXHAUSTED, "stream_full", "%d bytes wait to be sent",
                              CS_RPC_STREAM_BYTES_MAX);
    }
    rpc_metrics_message(stream->metrics, side_of(stream), stream->method, RPC_SENT);
    rpc_queue_push(&stream->queue, item);
    stream->queued_bytes += item.size_bytes;
    if (write_is_due(stream)) {
        write_next(stream);
        return CS_OK;
    }
    pthread_mutex_unlock(&stream->lock);
    return CS_OK;
}

enum cs_status cs_rpc_stream_send(struct cs_rpc_stream *stream, const ProtobufCMessage *message, struct cs_err *err) {
    struct rpc_queued item;
    CS_TRY(rpc_pack(message, &item.buffer, &item.size_bytes, err));
    return enqueue(stream, item, err);
}

enum cs_status cs_rpc_stream_send_packed(struct cs_rpc_stream *stream, const void *bytes, size_t size_bytes,
                                         struct cs_err *err) {
    struct rpc_queued item = {.size_bytes = size_bytes};
    CS_TRY(rpc_pack_bytes(bytes, size_bytes, &item.buffer, err));
    return enqueue(stream, item, err);
}

size_t cs_rpc_stream_queued_bytes(const struct cs_rpc_stream *stream) {
    struct cs_rpc_stream *mutable_stream = (struct cs_rpc_stream *)stream;
    pthread_mutex_lock(&mutable_stream->lock);
    size_t bytes = stream->queued_bytes;
    pthread_mutex_unlock(&mutable_stream->lock);
    return bytes;
}

void cs_rpc_stream_finish(struct cs_rpc_stream *stream, const struct cs_err *err) {
    pthread_mutex_lock(&stream->lock);
    if (!stream->finish_wanted && !stream->ended) {
        stream->finish_wanted = true;
        if (err != NULL && is_server(stream)) {
            stream->finish_err = *err;
        }
        if (write_is_due(stream)) {
            write_next(stream);
            return;
        }
    }
    pthread_mutex_unlock(&stream->lock);
}

/* Ends the call in the core; under the lock, because `closed` gives the call back. */
static void cancel_locked(struct cs_rpc_stream *stream) {
    break_off(stream);
    stream->cancelled = true;
    if (!stream->closed) {
        (void)grpc_call_cancel_with_status(stream->call, GRPC_STATUS_CANCELLED, "cancelled", NULL);
    }
}

void cs_rpc_stream_cancel(struct cs_rpc_stream *stream) {
    pthread_mutex_lock(&stream->lock);
    cancel_locked(stream);
    pthread_mutex_unlock(&stream->lock);
}

/* ---- reading ---- */

/* Without the lock: only the dispatching thread (or the one that opens) reads. */
static void read_next(struct cs_rpc_stream *stream, bool first) {
    grpc_op ops[2] = {{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &stream->read_buffer}};
    size_t op_count = 1;
    if (first && !is_server(stream)) {
        ops[op_count++] = (grpc_op){.op = GRPC_OP_RECV_INITIAL_METADATA,
                                    .data.recv_initial_metadata.recv_initial_metadata = &stream->out.initial};
    }
    rpc_batch(stream->call, ops, op_count, &stream->read_tag);
}

static void read_done(struct rpc_tag *tag, bool ok) {
    struct cs_rpc_stream *stream = RPC_OWNER(tag, struct cs_rpc_stream, read_tag);
    pthread_mutex_lock(&stream->lock);
    if (ok && stream->read_buffer != NULL) {
        stream->note_message = true;
    } else {
        stream->read_ended = true;
        stream->note_half_closed = ok && is_server(stream) && !grpc_call_failed_before_recv_message(stream->call);
    }
    dispatch(stream);
}

static void end_done(struct rpc_tag *tag, bool ok) {
    (void)ok; /* always succeeds */
    struct cs_rpc_stream *stream = RPC_OWNER(tag, struct cs_rpc_stream, end_tag);
    pthread_mutex_lock(&stream->lock);
    stream->ended = true;
    break_off(stream);
    dispatch(stream);
}

/* ---- callbacks; on the dispatching thread, without the lock ---- */

/* The peer sent something that cannot be read. */
static void complain(struct cs_rpc_stream *stream, const struct cs_err *err) {
    if (is_server(stream)) {
        cs_rpc_stream_finish(stream, err);
        return;
    }
    pthread_mutex_lock(&stream->lock);
    stream->finish_err = *err;
    stream->finish_err.status = CS_INTERNAL;
    cancel_locked(stream);
    pthread_mutex_unlock(&stream->lock);
}

static void on_opened(struct cs_rpc_stream *stream) {
    struct rpc_incoming *in = stream->in;
    struct cs_err err = {0};
    ProtobufCMessage *request = NULL;
    enum cs_status status = CS_OK;
    if (!stream->method->client_streams) {
        status = rpc_incoming_message(in, &request, &err);
    }
    if (status == CS_OK && stream->events->opened != NULL) {
        status = stream->events->opened(stream, request, in->row->ctx, &err);
    }
    if (status != CS_OK) {
        stream->silent = true; /* only read by this thread and its successors in dispatch */
        cs_rpc_stream_finish(stream, &err);
    }
}

static void on_message(struct cs_rpc_stream *stream, bool wanted) {
    struct cs_err err = {0};
    ProtobufCMessage *message = NULL;
    if (wanted && stream->events->message != NULL) {
        rpc_metrics_message(stream->metrics, side_of(stream), stream->method, RPC_RECEIVED);
        if (rpc_unpack(stream->input, stream->read_buffer, stream->arena, &message, &err) == CS_OK) {
            stream->events->message(stream, message, cs_rpc_stream_user(stream));
        } else {
            complain(stream, &err);
        }
        cs_arena_reset(stream->arena);
    }
    grpc_byte_buffer_destroy(stream->read_buffer);
    stream->read_buffer = NULL;
}

static void on_half_closed(struct cs_rpc_stream *stream, bool wanted) {
    if (wanted && stream->events->half_closed != NULL) {
        stream->events->half_closed(stream, cs_rpc_stream_user(stream));
    } else {
        cs_rpc_stream_finish(stream, NULL);
    }
}

static void on_drained(struct cs_rpc_stream *stream) {
    if (stream->events->drained != NULL && !stream->silent) {
        stream->events->drained(stream, cs_rpc_stream_user(stream));
    }
}

static void how_it_ended(const struct cs_rpc_stream *stream, struct cs_err *ret_err) {
    *ret_err = (struct cs_err){.status = CS_OK};
    if (is_server(stream)) {
        if (stream->cancelled_by_peer != 0) {
            (void)cs_fail(ret_err, CS_CANCELLED, "cancelled", "the caller or the connection went away");
        }
    } else if (stream->finish_err.status != CS_OK) {
        *ret_err = stream->finish_err;
    } else {
        rpc_outgoing_err(&stream->out, ret_err);
    }
}

/* Nothing is in flight any more, and no other thread gets here. */
static void on_closed(struct cs_rpc_stream *stream) {
    struct cs_err err;
    how_it_ended(stream, &err);
    enum cs_status counted = err.status == CS_OK && is_server(stream) ? stream->finish_err.status : err.status;
    rpc_metrics_done(stream->metrics, side_of(stream), stream->method, counted, stream->started_ns);
    char trace_id[CS_TRACE_ID_HEX_SIZE];
    cs_trace_id_hex(&stream->trace, trace_id);
    cs_log_debug("rpc stream closed", CS_KV("method", stream->method->path), CS_KV("status", cs_status_name(counted)),
                 CS_KV("trace", trace_id));
    if (stream->events->closed != NULL && !stream->silent) {
        stream->events->closed(stream, &err, cs_rpc_stream_user(stream));
    }
    rpc_trailers_fini(&stream->trailers);
    if (is_server(stream)) {
        rpc_incoming_leave(stream->in);
    } else {
        rpc_outgoing_leave(&stream->out);
    }
    cs_rpc_stream_unref(stream);
}

/* ---- dispatch ---- */

enum event { EVENT_NONE, EVENT_OPENED, EVENT_DRAINED, EVENT_MESSAGE, EVENT_HALF_CLOSED, EVENT_CLOSED };

static bool take(bool *note) {
    bool noted = *note;
    *note = false;
    return noted;
}

/* What to tell next; under the lock. */
static enum event next_event(struct cs_rpc_stream *stream) {
    if (take(&stream->note_opened)) {
        return EVENT_OPENED;
    }
    if (take(&stream->note_drained)) {
        return EVENT_DRAINED;
    }
    if (take(&stream->note_message)) {
        return EVENT_MESSAGE;
    }
    if (take(&stream->note_half_closed)) {
        return EVENT_HALF_CLOSED;
    }
    if (stream->ended && stream->read_ended && !stream->writing && !stream->closed) {
        stream->closed = true;
        return EVENT_CLOSED;
    }
    return EVENT_NONE;
}

/* Whether messages are to be delivered: not when we have ended the stream ourselves. */
static bool wants_messages(const struct cs_rpc_stream *stream) {
    bool over = stream->cancelled || (is_server(stream) && (stream->finish_wanted || stream->broken));
    return !over && !stream->silent;
}

static void run_event(struct cs_rpc_stream *stream, enum event event, bool wanted) {
    switch (event) {
    case EVENT_OPENED:
        on_opened(stream);
        break;
    case EVENT_DRAINED:
        on_drained(stream);
        break;
    case EVENT_MESSAGE:
        on_message(stream, wanted);
        break;
    case EVENT_HALF_CLOSED:
        on_half_closed(stream, wanted);
        break;
    case EVENT_CLOSED:
        on_closed(stream);
        return;
    case EVENT_NONE:
        return;
    }
    /* Reading goes on until the core says that there is nothing more, even when nobody listens: only then has it ended.
     */
    if (event == EVENT_MESSAGE || (event == EVENT_OPENED && stream->method->client_streams)) {
        read_next(stream, false);
    }
}

/* Entered with the lock, returns without it; the stream may be gone then. */
static void dispatch(struct cs_rpc_stream *stream) {
    enum event event = EVENT_NONE;
    if (!stream->dispatching) {
        stream->dispatching = true;
        while ((event = next_event(stream)) != EVENT_NONE) {
            bool wanted = wants_messages(stream);
            pthread_mutex_unlock(&stream->lock);
            run_event(stream, event, wanted);
            if (event == EVENT_CLOSED) {
                return;
            }
            pthread_mutex_lock(&stream->lock);
        }
        stream->dispatching = false;
    }
    pthread_mutex_unlock(&stream->lock);
}

/* ---- opening ---- */

void rpc_stream_serve(struct rpc_incoming *in) {
    struct cs_rpc_stream *stream = stream_create(in->row->stream);
    stream->in = in;
    stream->call = in->call;
    stream->method = in->row->method;
    stream->input = in->row->input;
    stream->metrics = rpc_server_metrics(in->server);
    stream->trace = in->trace;
    stream->started_ns = in->arrived_ns;
    stream->read_ended = !stream->method->client_streams;
    stream->note_opened = true;

    stream->dispatching = true; /* until the batch is started nobody else runs callbacks */
    grpc_op end_op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                      .data.recv_close_on_server.cancelled = &stream->cancelled_by_peer};
    rpc_batch(stream->call, &end_op, 1, &stream->end_tag);
    pthread_mutex_lock(&stream->lock);
    stream->dispatching = false;
    dispatch(stream);
}

static void cancel_member(struct rpc_member *member) {
    cs_rpc_stream_cancel(RPC_OWNER(member, struct cs_rpc_stream, out.member));
}

/* The first write: headers, and for a server stream the request and the close. */
static void start_client(struct cs_rpc_stream *stream, grpc_byte_buffer *request) {
    grpc_op ops[3] = {rpc_outgoing_start_op(&stream->out)};
    size_t op_count = 1;
    stream->has_started = true;
    stream->writing = true;
    if (request != NULL) {
        stream->write_head.buffer = request;
        stream->finish_wanted = true;
        stream->finish_sent = true;
        ops[op_count++] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request};
        ops[op_count++] = (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
    }
    grpc_op end_op = rpc_outgoing_status_op(&stream->out);
    rpc_batch(stream->call, &end_op, 1, &stream->end_tag);
    rpc_batch(stream->call, ops, op_count, &stream->write_tag);
    read_next(stream, true);
}

enum cs_status cs_rpc_stream_open(struct cs_rpc_channel *channel, const ProtobufCServiceDescriptor *service,
                                  const char *method, const ProtobufCMessage *request,
                                  const struct cs_rpc_options *options, const struct cs_rpc_stream_events *events,
                                  void *user, struct cs_rpc_stream **ret_stream, struct cs_err *err) {
    grpc_byte_buffer *packed = NULL;
    size_t size = 0;
    if (request != NULL) {
        CS_TRY(rpc_pack(request, &packed, &size, err));
    }
    struct cs_rpc_stream *stream = stream_create(events);
    cs_rpc_stream_set_user(stream, user);
    enum cs_status status = rpc_outgoing_init(&stream->out, channel, service, method, options, 0, err);
    if (status != CS_OK) {
        if (packed != NULL) {
            grpc_byte_buffer_destroy(packed);
        }
        cs_rpc_stream_unref(stream);
        return status;
    }
    stream->call = stream->out.call;
    stream->method = stream->out.method;
    stream->input = stream->out.output;
    stream->metrics = rpc_channel_runtime(channel)->metrics;
    stream->trace = stream->out.trace;
    stream->started_ns = stream->out.started_ns;
    *ret_stream = cs_rpc_stream_ref(stream);
    rpc_outgoing_enter(&stream->out, cancel_member);
    start_client(stream, packed);
    return CS_OK;
}

/* ---- questions ---- */

void cs_rpc_stream_set_user(struct cs_rpc_stream *stream, void *user) {
    atomic_store(&stream->user, user);
}

void *cs_rpc_stream_user(const struct cs_rpc_stream *stream) {
    return atomic_load(&((struct cs_rpc_stream *)stream)->user);
}

const struct cs_trace *cs_rpc_stream_trace(const struct cs_rpc_stream *stream) {
    return &stream->trace;
}

const char *cs_rpc_stream_metadata(const struct cs_rpc_stream *stream, const char *key) {
    return stream->in != NULL ? rpc_incoming_header(stream->in, key) : NULL;
}
