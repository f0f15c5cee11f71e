#include "channel.h"

#include <grpc/byte_buffer.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "credentials.h"
#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "metrics.h"
#include "status.h"

enum { UNARY_TIMEOUT_MS = 30 * 1000 };

struct cs_rpc_channel {
    struct cs_rpc *rpc;
    grpc_channel *core;
    grpc_slice authorization; /* empty: none */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    struct rpc_member *members;
};

/* ---- life ---- */

struct cs_rpc *rpc_channel_runtime(const struct cs_rpc_channel *channel) {
    return channel->rpc;
}

static bool header_value_is_legal(const char *value) {
    grpc_slice slice = grpc_slice_from_static_string(value);
    return grpc_header_nonbin_value_is_legal(slice) != 0;
}

/* All servers take turns while their health is SERVING; the methods that may be are tried again. */
static char *service_config(const struct cs_rpc_spread *spread) {
    CS_AUTO_BUF names = {0};
    for (size_t i = 0; i < spread->repeatable_count; i++) {
        cs_buf_printf(&names, "%s{\"service\":\"%s\",\"method\":\"%s\"}", i > 0 ? "," : "", spread->service->name,
                      spread->repeatable[i]);
    }
    return cs_sprintf("{\"loadBalancingConfig\":[{\"round_robin\":{}}],\"healthCheckConfig\":{\"serviceName\":\"\"},"
                      "\"methodConfig\":[{\"name\":[%.*s],\"retryPolicy\":{\"maxAttempts\":3,"
                      "\"initialBackoff\":\"0.05s\",\"maxBackoff\":\"0.5s\",\"backoffMultiplier\":2,"
                      "\"retryableStatusCodes\":[\"UNAVAILABLE\"]}}]}",
                      (int)names.size, names.size > 0 ? names.data : "");
}

static grpc_channel *create_core(const struct cs_rpc_channel_config *config, grpc_channel_credentials *credentials) {
    const grpc_channel_args *args = rpc_channel_args(config->own_connection);
    if (config->spread == NULL) {
        return grpc_channel_create(config->target, credentials, args);
    }
    CS_AUTO_FREE char *json = service_config(config->spread);
    CS_AUTO_FREE grpc_arg *items = cs_alloc_array(args->num_args + 1, sizeof(*items));
    memcpy(items, args->args, args->num_args * sizeof(*items));
    for (size_t i = 0; i < args->num_args; i++) {
        if (strcmp(items[i].key, GRPC_ARG_ENABLE_RETRIES) == 0) {
            items[i].value.integer = 1;
        }
    }
    items[args->num_args] =
        (grpc_arg){.type = GRPC_ARG_STRING, .key = (char *)GRPC_ARG_SERVICE_CONFIG, .value.string = json};
    const grpc_channel_args more = {.num_args = args->num_args + 1, .args = items};
    return grpc_channel_create(config->target, credentials, &more); /* copies them */
}

enum cs_status cs_rpc_channel_create(struct cs_rpc *rpc, const struct cs_rpc_channel_config *config,
                                     struct cs_rpc_channel **ret_channel, struct cs_err *err) {
    if (cs_str_empty(config->target)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_address", "a channel needs the address of a server");
    }
    if (!cs_str_empty(config->authorization) && !header_value_is_legal(config->authorization)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_header",
                       "the authorization has bytes that a header cannot carry");
    }
    grpc_channel_credentials *credentials = NULL;
    CS_TRY(rpc_channel_credentials(&config->tls, &credentials, err));
    if (credentials == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_tls", "the certificate, its key or the CA cannot be used");
    }
    struct cs_rpc_channel *channel = cs_alloc(sizeof(*channel));
    channel->rpc = rpc;
    channel->authorization =
        cs_str_empty(config->authorization) ? grpc_empty_slice() : grpc_slice_from_copied_string(config->authorization);
    pthread_mutex_init(&channel->lock, NULL);
    pthread_cond_init(&channel->changed, NULL);
    channel->core = create_core(config, credentials);
    grpc_channel_credentials_release(credentials);
    *ret_channel = channel;
    return CS_OK;
}

void cs_rpc_channel_destroy(struct cs_rpc_channel *channel) {
    if (channel == NULL) {
        return;
    }
    pthread_mutex_lock(&channel->lock);
    for (struct rpc_member *member = channel->members; member != NULL; member = member->next) {
        member->cancel(member);
    }
    while (channel->members != NULL) {
        pthread_cond_wait(&channel->changed, &channel->lock);
    }
    pthread_mutex_unlock(&channel->lock);
    grpc_channel_destroy(channel->core);
    grpc_slice_unref(channel->authorization);
    pthread_cond_destroy(&channel->changed);
    pthread_mutex_destroy(&channel->lock);
    free(channel);
}

/* ---- outgoing calls ---- */

static void add_header(struct rpc_outgoing *out, const char *key, grpc_slice value) {
    out->headers[out->header_count++] = (grpc_metadata){.key = grpc_slice_from_static_string(key), .value = value};
}

static void add_headers(struct rpc_outgoing *out, const struct cs_rpc_header *header) {
    char traceparent[CS_TRACEPARENT_SIZE];
    cs_trace_format(&out->trace, traceparent);
    add_header(out, "traceparent", grpc_slice_from_copied_string(traceparent));
    if (GRPC_SLICE_LENGTH(out->channel->authorization) != 0) {
        add_header(out, "authorization", grpc_slice_ref(out->channel->authorization));
    }
    if (header != NULL) {
        add_header(out, header->key, grpc_slice_from_copied_string(header->value));
    }
}

static gpr_timespec deadline_after(int64_t timeout_ms) {
    return timeout_ms > 0 ? gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN))
                          : gpr_inf_future(GPR_CLOCK_MONOTONIC);
}

enum cs_status rpc_outgoing_init(struct rpc_outgoing *out, struct cs_rpc_channel *channel,
                                 const ProtobufCServiceDescriptor *service, const char *method,
                                 const struct cs_rpc_options *options, int64_t default_timeout_ms, struct cs_err *err) {
    const ProtobufCMethodDescriptor *proto = protobuf_c_service_descriptor_get_method_by_name(service, method);
    const struct rpc_method *known = rpc_method_find(service->name, method);
    if (proto == NULL || known == NULL) {
        return cs_fail(err, CS_UNIMPLEMENTED, "unknown_method", "no method /%s/%s", service->name, method);
    }
    static const struct cs_rpc_options no_options;
    const struct cs_rpc_options *given = options != NULL ? options : &no_options;
    out->channel = channel;
    out->method = known;
    out->output = proto->output;
    out->trace = given->trace != NULL ? cs_trace_child(given->trace) : cs_trace_root();
    out->wait_for_ready = given->wait_for_ready;
    out->started_ns = cs_clock_mono_ns();
    out->details = grpc_empty_slice();
    grpc_metadata_array_init(&out->initial);
    grpc_metadata_array_init(&out->trailing);
    add_headers(out, given->header);
    int64_t timeout_ms = given->timeout_ms > 0 ? given->timeout_ms : default_timeout_ms;
    out->call =
        grpc_channel_create_call(channel->core, NULL, GRPC_PROPAGATE_DEFAULTS, channel->rpc->cq,
                                 grpc_slice_from_static_string(known->path), NULL, deadline_after(timeout_ms), NULL);
    return CS_OK;
}

void rpc_outgoing_enter(struct rpc_outgoing *out, void (*cancel)(struct rpc_member *member)) {
    struct cs_rpc_channel *channel = out->channel;
    out->member.cancel = cancel;
    rpc_metrics_open(channel->rpc->metrics, RPC_CLIENT, out->method);
    pthread_mutex_lock(&channel->lock);
    out->member.next = channel->members;
    out->member.link = &channel->members;
    if (channel->members != NULL) {
        channel->members->link = &out->member.next;
    }
    channel->members = &out->member;
    pthread_mutex_unlock(&channel->lock);
}

void rpc_outgoing_leave(struct rpc_outgoing *out) {
    struct cs_rpc_channel *channel = out->channel;
    for (size_t i = 0; i < out->header_count; i++) {
        grpc_slice_unref(out->headers[i].value);
    }
    grpc_metadata_array_destroy(&out->initial);
    grpc_metadata_array_destroy(&out->trailing);
    grpc_slice_unref(out->details);
    pthread_mutex_lock(&channel->lock);
    *out->member.link = out->member.next;
    if (out->member.next != NULL) {
        out->member.next->link = out->member.link;
    }
    if (channel->members == NULL) {
        pthread_cond_broadcast(&channel->changed);
    }
    pthread_mutex_unlock(&channel->lock);
    grpc_call_unref(out->call); /* out of the list: nobody cancels it any more */
    out->call = NULL;
}

void rpc_outgoing_err(const struct rpc_outgoing *out, struct cs_err *ret_err) {
    rpc_err_from_wire(out->status, out->details, &out->trailing, ret_err);
}

grpc_op rpc_outgoing_start_op(struct rpc_outgoing *out) {
    return (grpc_op){
        .op = GRPC_OP_SEND_INITIAL_METADATA,
        .flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET |
                 (out->wait_for_ready ? GRPC_INITIAL_METADATA_WAIT_FOR_READY : 0),
        .data.send_initial_metadata = {.count = out->header_count, .metadata = out->headers},
    };
}

grpc_op rpc_outgoing_status_op(struct rpc_outgoing *out) {
    return (grpc_op){
        .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
        .data.recv_status_on_client =
            {
                .trailing_metadata = &out->trailing,
                .status = &out->status,
                .status_details = &out->details,
            },
    };
}

/* ---- unary calls ---- */

/* Takes reply (on the heap), which is NULL exactly when err is set. */
typedef void take_fn(ProtobufCMessage *reply, const struct cs_err *err, void *user);

struct invocation {
    struct rpc_tag tag;
    struct rpc_outgoing out;
    grpc_byte_buffer *request;
    grpc_byte_buffer *reply;
    struct cs_err failed; /* before anything was sent */
    take_fn *take;
    cs_rpc_done_fn *done;
    void *user;
};

static void cancel_invocation(struct rpc_member *member) {
    struct invocation *invocation = RPC_OWNER(member, struct invocation, out.member);
    (void)grpc_call_cancel(invocation->out.call, NULL);
}

static enum cs_status outcome(struct invocation *invocation, ProtobufCMessage **ret_reply, struct cs_err *err) {
    if (invocation->failed.status != CS_OK) {
        *err = invocation->failed;
        return err->status;
    }
    rpc_outgoing_err(&invocation->out, err);
    if (err->status != CS_OK) {
        return err->status;
    }
    if (invocation->reply == NULL) {
        return cs_fail(err, CS_INTERNAL, "no_reply", "%s answered without a message", invocation->out.method->path);
    }
    if (rpc_unpack(invocation->out.output, invocation->reply, NULL, ret_reply, err) != CS_OK) {
        err->status = CS_INTERNAL; /* the peer's fault, not that of our caller's input */
        return cs_wrap(err, "reply of %s", invocation->out.method->path);
    }
    return CS_OK;
}

static void invocation_ended(struct rpc_tag *tag, bool ok) {
    (void)ok; /* the status tells */
    struct invocation *invocation = RPC_OWNER(tag, struct invocation, tag);
    ProtobufCMessage *reply = NULL;
    struct cs_err err;
    enum cs_status status = outcome(invocation, &reply, &err);
    rpc_metrics_done(invocation->out.channel->rpc->metrics, RPC_CLIENT, invocation->out.method, status,
                     invocation->out.started_ns);
    if (invocation->request != NULL) {
        grpc_byte_buffer_destroy(invocation->request);
    }
    if (invocation->reply != NULL) {
        grpc_byte_buffer_destroy(invocation->reply);
    }
    invocation->take(reply, status != CS_OK ? &err : NULL, invocation);
    rpc_outgoing_leave(&invocation->out);
    free(invocation);
}

/* Starts the call. What fails here is told through take as well, on a polling thread. */
static enum cs_status start(struct cs_rpc_channel *channel, const ProtobufCServiceDescriptor *service,
                            const char *method, const ProtobufCMessage *request, const struct cs_rpc_options *options,
                            take_fn *take, cs_rpc_done_fn *done, void *user, struct cs_err *err) {
    struct invocation *invocation = cs_alloc(sizeof(*invocation));
    invocation->tag.fn = invocation_ended;
    invocation->take = take;
    invocation->done = done;
    invocation->user = user;
    struct rpc_outgoing *out = &invocation->out;
    enum cs_status status = rpc_outgoing_init(out, channel, service, method, options, UNARY_TIMEOUT_MS, err);
    if (status != CS_OK) {
        free(invocation);
        return status;
    }
    size_t size = 0;
    rpc_outgoing_enter(out, cancel_invocation);
    if (rpc_pack(request, &invocation->request, &size, &invocation->failed) != CS_OK) {
        rpc_batch(out->call, NULL, 0, &invocation->tag); /* ends at once */
        return CS_OK;
    }
    grpc_op ops[] = {
        rpc_outgoing_start_op(out),
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = invocation->request},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &out->initial},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &invocation->reply},
        rpc_outgoing_status_op(out),
    };
    rpc_batch(out->call, ops, CS_COUNT(ops), &invocation->tag);
    return CS_OK;
}

static void take_for_done(ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    const struct invocation *invocation = user;
    invocation->done(reply, err, invocation->user);
    cs_rpc_message_free(reply);
}

/* A method that does not exist has no call to end: its failure takes a handler thread. */
struct stillborn {
    struct rpc_work work;
    struct cs_err err;
    cs_rpc_done_fn *done;
    void *user;
};

static void tell_stillborn(struct rpc_work *work) {
    struct stillborn *stillborn = RPC_OWNER(work, struct stillborn, work);
    stillborn->done(NULL, &stillborn->err, stillborn->user);
    free(stillborn);
}

void cs_rpc_invoke_async(struct cs_rpc_channel *channel, const ProtobufCServiceDescriptor *service, const char *method,
                         const ProtobufCMessage *request, const struct cs_rpc_options *options, cs_rpc_done_fn *done,
                         void *user) {
    struct cs_err err;
    if (start(channel, service, method, request, options, take_for_done, done, user, &err) != CS_OK) {
        struct stillborn *stillborn = cs_alloc(sizeof(*stillborn));
        *stillborn = (struct stillborn){.work.fn = tell_stillborn, .err = err, .done = done, .user = user};
        rpc_run(channel->rpc, &stillborn->work);
    }
}

/* ---- waiting for one ---- */

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    /* below: guarded by lock */
    bool has_ended;
    ProtobufCMessage *reply;
    struct cs_err err;
};

static void take_for_waiter(ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct waiter *waiter = ((const struct invocation *)user)->user;
    pthread_mutex_lock(&waiter->lock);
    waiter->reply = reply;
    if (err != NULL) {
        waiter->err = *err;
    }
    waiter->has_ended = true;
    pthread_cond_signal(&waiter->ended);
    pthread_mutex_unlock(&waiter->lock);
}

enum cs_status cs_rpc_invoke(struct cs_rpc_channel *channel, const ProtobufCServiceDescriptor *service,
                             const char *method, const ProtobufCMessage *request, const struct cs_rpc_options *options,
                             ProtobufCMessage **ret_reply, struct cs_err *err) {
    struct waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
    CS_TRY(start(channel, service, method, request, options, take_for_waiter, NULL, &waiter, err));
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.has_ended) {
        pthread_cond_wait(&waiter.ended, &waiter.lock);
    }
    pthread_mutex_unlock(&waiter.lock);
    if (waiter.reply == NULL) {
        if (err != NULL) {
            *err = waiter.err;
        }
        return waiter.err.status;
    }
    *ret_reply = waiter.reply;
    return CS_OK;
}
