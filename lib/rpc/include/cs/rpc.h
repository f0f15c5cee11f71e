/*
 * rpc: gRPC for the rest of the project. The only module that touches the gRPC C core.
 *
 * A runtime owns the polling threads and the handler pool of a process; servers, channels and streams live in it.
 * Messages are protobuf-c structs. One dispatcher does, for every call: message limits, UTF-8 and nesting checks ahead
 * of unpacking, deadline, trace context, log line, metrics and the mapping of struct cs_err to status and trailers:
 *
 *     grpc-status, grpc-message    err->status, err->message
 *     cs-reason, cs-path           err->reason, err->path
 *     cs-retryable                 "1" when set
 *     cs-retry-after-ms            when > 0
 *
 * Clients get the same cs_err back. Which methods stream comes from the embedded descriptors.
 *
 * Threads  every function may be called from any thread. Callbacks of one stream never overlap; they run on polling
 *          threads and must not block. Unary handlers run in the pool and may block.
 * Limits   CS_RPC_MESSAGE_BYTES_MAX per message, CS_RPC_QUEUE_MAX waiting handlers per server (beyond:
 *          RESOURCE_EXHAUSTED at once), CS_RPC_STREAM_BYTES_MAX of unsent messages per stream.
 * Trust    a peer can say anything: malformed messages are INVALID_ARGUMENT, unknown methods UNIMPLEMENTED.
 */
#ifndef CS_RPC_H
#define CS_RPC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "cs/trace.h"

enum {
    CS_RPC_MESSAGE_BYTES_MAX = 16 << 20,
    CS_RPC_QUEUE_MAX = 4096,
    CS_RPC_STREAM_BYTES_MAX = 64 << 20,
    CS_RPC_NESTING_MAX = 64,
    /* of health and reflection, which serve strangers: */
    CS_RPC_BUILT_IN_BYTES_MAX = 64 << 10, /* per message */
    CS_RPC_WATCHERS_MAX = 1024,
    CS_RPC_REFLECTIONS_MAX = 64,
};

/* ---- runtime ---- */

struct cs_rpc;
struct cs_rpc_config {
    int poll_threads;    /* 0: 2, which is also the minimum (one alone starves) */
    int handler_threads; /* 0: 8 */
};

enum cs_status cs_rpc_create(const struct cs_rpc_config *config, struct cs_rpc **ret_rpc,
                             struct cs_err *err) CS_MUST_USE;
/* After its servers, channels and streams are gone. NULL is fine. */
void cs_rpc_destroy(struct cs_rpc *rpc);
CS_DEFINE_AUTO(cs_rpc, cs_rpc_destroy)

/* PEM files. On a server ca_file turns on mutual TLS; on a client cert_file and key_file are its identity.
 * All empty or NULL: no TLS. */
struct cs_rpc_tls {
    const char *ca_file;
    const char *cert_file;
    const char *key_file;
};

/* ---- server ---- */

struct cs_rpc_server;
struct cs_rpc_call;   /* a unary call being served */
struct cs_rpc_stream; /* a server- or bidirectional stream, on either side */

/* Serves one unary call. Either cs_rpc_reply and CS_OK; or a failure; or cs_rpc_defer, then CS_OK, and later exactly
 * one cs_rpc_reply or cs_rpc_refuse from any thread. request lives until the call is answered. */
typedef enum cs_status cs_rpc_unary_fn(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx,
                                       struct cs_err *err);

/* Events of a stream. user is what cs_rpc_stream_set_user or cs_rpc_stream_open gave. Any may be NULL. */
struct cs_rpc_stream_events {
    /* Server only, first. request is NULL for a bidirectional stream. ctx is the service's. A failure ends the stream.
     */
    enum cs_status (*opened)(struct cs_rpc_stream *stream, const ProtobufCMessage *request, void *ctx,
                             struct cs_err *err);
    /* A message of the peer; it is freed when this returns. The next one is read only then. */
    void (*message)(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user);
    /* The peer will send no more (bidirectional, server side). Default: finish OK. */
    void (*half_closed)(struct cs_rpc_stream *stream, void *user);
    /* Everything that was queued has left. */
    void (*drained)(struct cs_rpc_stream *stream, void *user);
    /* Last event, exactly once if opened succeeded. On a client err tells how it ended (CS_OK: the server finished); on
     * a server CS_CANCELLED when the peer or the connection went away. */
    void (*closed)(struct cs_rpc_stream *stream, const struct cs_err *err, void *user);
};

struct cs_rpc_method {
    const char *name;       /* as in the proto */
    cs_rpc_unary_fn *unary; /* one of the two */
    const struct cs_rpc_stream_events *stream;
};

struct cs_rpc_service {
    const ProtobufCServiceDescriptor *descriptor;
    const struct cs_rpc_method *methods; /* one for each method of the proto, or the server does not start */
    size_t method_count;
    void *ctx;
};

struct cs_rpc_server_config {
    const char *listen; /* "127.0.0.1:0" */
    struct cs_rpc_tls tls;
    const struct cs_rpc_service *services;
    size_t service_count; /* health and reflection are added */
    /* Checks the caller before any handler; NULL lets everybody in. authorization: the header's value or "". Health and
     * reflection are open: probes and tools have no token, and neither tells more than the proto files do. What they
     * take of a stranger has narrow limits: RESOURCE_EXHAUSTED beyond. */
    enum cs_status (*authorize)(const char *authorization, const char *method, void *ctx, struct cs_err *err);
    void *authorize_ctx;
};

/* Listens and serves; health is SERVING. services and their rows must outlive the server. UNAVAILABLE when the address
 * is taken. */
enum cs_status cs_rpc_server_start(struct cs_rpc *rpc, const struct cs_rpc_server_config *config,
                                   struct cs_rpc_server **ret_server, struct cs_err *err) CS_MUST_USE;
uint16_t cs_rpc_server_port(const struct cs_rpc_server *server);
const char *cs_rpc_server_address(const struct cs_rpc_server *server); /* "127.0.0.1:41235" */
/* Sets the health of one service ("" the whole server); watchers are told. */
void cs_rpc_server_set_serving(struct cs_rpc_server *server, const char *service, bool serving);
/* Health becomes NOT_SERVING, new calls are refused, calls in progress may end within grace_ms and are cancelled then;
 * returns when all have ended. Open streams get no warning but `closed`; end them yourself before if you want better.
 */
void cs_rpc_server_drain(struct cs_rpc_server *server, int64_t grace_ms);
/* Drains with no grace when that was not done. NULL is fine. */
void cs_rpc_server_destroy(struct cs_rpc_server *server);
CS_DEFINE_AUTO(cs_rpc_server, cs_rpc_server_destroy)

/* Counters and latency histograms of all calls of the runtime in Prometheus text. */
void cs_rpc_metrics(struct cs_rpc *rpc, struct cs_buf *out);

/* ---- a call being served ---- */

struct cs_arena *cs_rpc_call_arena(struct cs_rpc_call *call); /* freed with the call */
const struct cs_trace *cs_rpc_call_trace(const struct cs_rpc_call *call);
int64_t cs_rpc_call_left_ms(const struct cs_rpc_call *call); /* until the deadline; INT64_MAX without one */
bool cs_rpc_call_cancelled(const struct cs_rpc_call *call);
const char *cs_rpc_call_metadata(const struct cs_rpc_call *call, const char *key); /* or NULL */
void cs_rpc_reply(struct cs_rpc_call *call, const ProtobufCMessage *reply);        /* packed before it returns */
void cs_rpc_defer(struct cs_rpc_call *call);
void cs_rpc_refuse(struct cs_rpc_call *call, const struct cs_err *err);

/* ---- streams, both sides ---- */

/* Counted; a callback's stream is valid during the callback. Keep it longer with ref. */
struct cs_rpc_stream *cs_rpc_stream_ref(struct cs_rpc_stream *stream);
void cs_rpc_stream_unref(struct cs_rpc_stream *stream);
void cs_rpc_stream_set_user(struct cs_rpc_stream *stream, void *user);
void *cs_rpc_stream_user(const struct cs_rpc_stream *stream);
const struct cs_trace *cs_rpc_stream_trace(const struct cs_rpc_stream *stream);
const char *cs_rpc_stream_metadata(const struct cs_rpc_stream *stream, const char *key); /* server side */
/* Packs and queues. CANCELLED once the stream has ended, RESOURCE_EXHAUSTED beyond CS_RPC_STREAM_BYTES_MAX. Messages
 * leave in order, one write at a time, never interleaved. */
enum cs_status cs_rpc_stream_send(struct cs_rpc_stream *stream, const ProtobufCMessage *message, struct cs_err *err);
/* The same for a message that is packed already (a batch that grew while the last one was on its way). */
enum cs_status cs_rpc_stream_send_packed(struct cs_rpc_stream *stream, const void *bytes, size_t size_bytes,
                                         struct cs_err *err);
size_t cs_rpc_stream_queued_bytes(const struct cs_rpc_stream *stream);
/* Server: ends the stream after what is queued; err NULL or CS_OK ends it well. Client: no more messages from here. */
void cs_rpc_stream_finish(struct cs_rpc_stream *stream, const struct cs_err *err);
/* Ends it now, dropping what is queued. `closed` follows. */
void cs_rpc_stream_cancel(struct cs_rpc_stream *stream);

/* ---- client ---- */

struct cs_rpc_channel;

struct cs_rpc_spread {
    const ProtobufCServiceDescriptor *service;
    const char *const *repeatable; /* names of methods */
    size_t repeatable_count;
};

struct cs_rpc_channel_config {
    const char *target; /* "127.0.0.1:41235", "dns:///media:50051", "unix:path" */
    struct cs_rpc_tls tls;
    const char *authorization; /* header value sent with every call, or NULL */
    /* Many servers behind the target ("ipv4:127.0.0.1:7000,127.0.0.1:7001", or a name with several addresses) take
     * turns: those that are healthy. NULL: one is used. What fails UNAVAILABLE is tried again, on others, by these
     * methods of the service, which must be safe to repeat. */
    const struct cs_rpc_spread *spread;
    bool own_connection; /* do not share a connection with channels of the same target (long streams) */
};

enum cs_status cs_rpc_channel_create(struct cs_rpc *rpc, const struct cs_rpc_channel_config *config,
                                     struct cs_rpc_channel **ret_channel, struct cs_err *err) CS_MUST_USE;
/* Cancels its calls and streams and waits until they have ended: never from one of their callbacks. */
void cs_rpc_channel_destroy(struct cs_rpc_channel *channel);
CS_DEFINE_AUTO(cs_rpc_channel, cs_rpc_channel_destroy)

/* Metadata of a call; key and value are ours, ASCII, and the key static and in lower case. */
struct cs_rpc_header {
    const char *key;
    const char *value;
};

struct cs_rpc_options {
    int64_t timeout_ms;                 /* <= 0: none (streams), 30 s (unary) */
    const struct cs_trace *trace;       /* parent span, or NULL for a new root */
    bool wait_for_ready;                /* wait for a connection instead of failing at once */
    const struct cs_rpc_header *header; /* one more, or NULL */
};

/* Calls and waits (not in callbacks, which run on polling threads). *ret_reply is freed with cs_rpc_message_free.
 * options may be NULL. */
enum cs_status cs_rpc_invoke(struct cs_rpc_channel *channel, const ProtobufCServiceDescriptor *service,
                             const char *method, const ProtobufCMessage *request, const struct cs_rpc_options *options,
                             ProtobufCMessage **ret_reply, struct cs_err *err) CS_MUST_USE;

/* Calls without waiting. done runs once on a polling thread: reply is NULL and err set, or the reverse; both are freed
 * when it returns. */
typedef void cs_rpc_done_fn(const ProtobufCMessage *reply, const struct cs_err *err, void *user);
void cs_rpc_invoke_async(struct cs_rpc_channel *channel, const ProtobufCServiceDescriptor *service, const char *method,
                         const ProtobufCMessage *request, const struct cs_rpc_options *options, cs_rpc_done_fn *done,
                         void *user);

/* Opens a stream. request is the request of a server stream, NULL for a bidirectional one. The caller gets one
 * reference; `closed` comes in every case after CS_OK. */
enum cs_status cs_rpc_stream_open(struct cs_rpc_channel *channel, const ProtobufCServiceDescriptor *service,
                                  const char *method, const ProtobufCMessage *request,
                                  const struct cs_rpc_options *options, const struct cs_rpc_stream_events *events,
                                  void *user, struct cs_rpc_stream **ret_stream, struct cs_err *err) CS_MUST_USE;

/* ---- messages ---- */

void cs_rpc_message_free(ProtobufCMessage *message); /* NULL is fine */
/* Checks nesting and UTF-8, then unpacks. For bytes from files and rows too. INVALID_ARGUMENT "malformed_message". */
enum cs_status cs_rpc_message_unpack(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t size_bytes,
                                     ProtobufCMessage **ret_message, struct cs_err *err) CS_MUST_USE;
/* The same into an arena: nothing to free. */
enum cs_status cs_rpc_message_unpack_arena(const ProtobufCMessageDescriptor *descriptor, const void *bytes,
                                           size_t size_bytes, struct cs_arena *arena, ProtobufCMessage **ret_message,
                                           struct cs_err *err) CS_MUST_USE;

/* The embedded FileDescriptorSet of proto/ (for reflection, JSON names, documentation). */
void cs_rpc_descriptor_set(const void **ret_bytes, size_t *ret_size);

#endif
