#include "api/forward.h"

#include <pthread.h>
#include <string.h>

#include "cs/base/text.h"

enum {
    READ_TIMEOUT_MS = 3 * 1000, /* then the log answers */
    CANCEL_TIMEOUT_MS = 10 * 1000,
};

static const struct cs_rpc_header forwarded_header = {ORC_FORWARDED_KEY, "1"};

struct peer {
    char *address;
    struct cs_rpc_channel *channel;
};

struct orc_forward {
    struct orc_engine *engine;
    struct orc_peers_config config;
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct peer peers[ORC_PEERS_MAX];
    size_t peer_count;
    bool stopped;
};

/* ---- life ---- */

struct orc_forward *orc_forward_create(struct orc_engine *engine, const struct orc_peers_config *config) {
    struct orc_forward *forward = cs_alloc(sizeof(*forward));
    forward->engine = engine;
    forward->config = *config;
    (void)pthread_mutex_init(&forward->lock, NULL);
    return forward;
}

void orc_forward_stop(struct orc_forward *forward) {
    pthread_mutex_lock(&forward->lock);
    forward->stopped = true; /* the list does not change any more */
    pthread_mutex_unlock(&forward->lock);
    for (size_t i = 0; i < forward->peer_count; i++) {
        cs_rpc_channel_destroy(cs_steal(&forward->peers[i].channel));
    }
}

void orc_forward_destroy(struct orc_forward *forward) {
    if (forward == NULL) {
        return;
    }
    orc_forward_stop(forward);
    for (size_t i = 0; i < forward->peer_count; i++) {
        free(forward->peers[i].address);
    }
    (void)pthread_mutex_destroy(&forward->lock);
    free(forward);
}

/* ---- peers ---- */

bool orc_is_elsewhere(const struct cs_err *err) {
    return err->status == CS_UNAVAILABLE && cs_str_eq(err->reason, "elsewhere");
}

enum cs_status orc_forward_elsewhere(struct cs_err *err) {
    return cs_fail(err, CS_UNAVAILABLE, "elsewhere", "the orchestrator that runs this execution is away; try again");
}

/* With the lock. NULL and err: there is none. */
static struct cs_rpc_channel *channel_to(struct orc_forward *forward, const char *address, struct cs_err *err) {
    for (size_t i = 0; i < forward->peer_count; i++) {
        if (strcmp(forward->peers[i].address, address) == 0) {
            return forward->peers[i].channel;
        }
    }
    if (forward->peer_count == ORC_PEERS_MAX) {
        (void)orc_forward_elsewhere(err);
        return NULL;
    }
    struct peer *peer = &forward->peers[forward->peer_count];
    const struct cs_rpc_channel_config config = {
        .target = address, .tls = forward->config.tls, .authorization = forward->config.authorization};
    if (cs_rpc_channel_create(forward->config.rpc, &config, &peer->channel, err) != CS_OK) {
        return NULL;
    }
    peer->address = cs_strdup(address);
    forward->peer_count++;
    return peer->channel;
}

/* CS_OK keeps the lock: the channel lives until it is given back. */
static enum cs_status enter(struct orc_forward *forward, const char *address, struct cs_rpc_channel **ret_channel,
                            struct cs_err *err) {
    pthread_mutex_lock(&forward->lock);
    if (forward->stopped) {
        pthread_mutex_unlock(&forward->lock);
        return cs_fail(err, CS_UNAVAILABLE, "draining", "the orchestrator is about to stop");
    }
    *ret_channel = channel_to(forward, address, err);
    if (*ret_channel == NULL) {
        pthread_mutex_unlock(&forward->lock);
        return err->status;
    }
    return CS_OK;
}

/* ---- reads, cancels, changes ---- */

struct orc_asked {
    struct orc_forward *forward;
    ProtobufCMessage *request; /* in the arena */
    struct cs_arena *arena;
    bool forwarded;
    char *address; /* in the arena: where it was sent on, or NULL */
    orc_read_fn *done;
    void *ctx;
};

struct orc_asked *orc_asked_create(struct orc_forward *forward, const ProtobufCMessage *request, bool forwarded,
                                   orc_read_fn *done, void *ctx) {
    struct orc_asked *asked = cs_alloc(sizeof(*asked));
    *asked = (struct orc_asked){
        .forward = forward, .arena = cs_arena_create(), .forwarded = forwarded, .done = done, .ctx = ctx};
    size_t size = protobuf_c_message_get_packed_size(request);
    uint8_t *bytes = cs_arena_alloc(asked->arena, size + 1);
    (void)protobuf_c_message_pack(request, bytes);
    /* It was unpacked with the same checks: this fails for nobody. */
    (void)!cs_rpc_message_unpack_arena(request->descriptor, bytes, size, asked->arena, &asked->request, NULL);
    return asked;
}

static void answer(struct orc_asked *asked, const Callsheet__V1__Execution *execution, const struct cs_err *err) {
    asked->done(execution, err, asked->ctx);
    cs_arena_destroy(asked->arena);
    free(asked);
}

/* Requests that are sent on name an execution in fields of the same names. */
static const char *text_of(const ProtobufCMessage *request, const char *name) {
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(request->descriptor, name);
    return *(const char *const *)((const char *)request + field->offset);
}

static const char *method_of(const ProtobufCMessage *request) {
    const ProtobufCServiceDescriptor *service = &callsheet__v1__orchestrator__descriptor;
    unsigned i = 0;
    while (service->methods[i].input != request->descriptor) {
        i++;
    }
    return service->methods[i].name;
}

static bool is_read(const struct orc_asked *asked) {
    return asked->request->descriptor == &callsheet__v1__get_execution_request__descriptor;
}

static void on_located(const char *address, const Callsheet__V1__Execution *execution, const struct cs_err *err,
                       void *ctx);

static void locate(struct orc_asked *asked) {
    orc_engine_locate(asked->forward->engine, text_of(asked->request, "tenant"),
                      text_of(asked->request, "execution_id"), asked->address, on_located, asked);
}

static bool is_stopped(struct orc_forward *forward) {
    pthread_mutex_lock(&forward->lock);
    bool stopped = forward->stopped;
    pthread_mutex_unlock(&forward->lock);
    return stopped;
}

/* An owner that cannot be reached counts as dead for a read: its log is durable. */
static void on_reply(const ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct orc_asked *asked = user;
    bool away = err != NULL && (err->status == CS_UNAVAILABLE || err->status == CS_DEADLINE_EXCEEDED);
    if (away && is_read(asked) && !is_stopped(asked->forward)) {
        asked->forwarded = true;
        locate(asked);
    } else {
        answer(asked, (const Callsheet__V1__Execution *)reply, err);
    }
}

static enum cs_status ask(struct orc_asked *asked, const char *address, struct cs_err *err) {
    struct cs_rpc_channel *channel = NULL;
    CS_TRY(enter(asked->forward, address, &channel, err));
    pthread_mutex_t *lock = &asked->forward->lock;
    const struct cs_rpc_options options = {.timeout_ms = is_read(asked) ? READ_TIMEOUT_MS : CANCEL_TIMEOUT_MS,
                                           .header = &forwarded_header};
    asked->address = cs_arena_strdup(asked->arena, address);
    cs_rpc_invoke_async(channel, &callsheet__v1__orchestrator__descriptor, method_of(asked->request), asked->request,
                        &options, on_reply, asked);
    pthread_mutex_unlock(lock); /* asked may be gone */
    return CS_OK;
}

static void on_located(const char *address, const Callsheet__V1__Execution *execution, const struct cs_err *err,
                       void *ctx) {
    struct orc_asked *asked = ctx;
    struct cs_err why = {0};
    if (err != NULL) {
        answer(asked, NULL, err);
    } else if (address != NULL && !asked->forwarded) {
        if (ask(asked, address, &why) != CS_OK) {
            answer(asked, NULL, &why);
        }
    } else if (execution != NULL && is_read(asked)) {
        answer(asked, execution, NULL);
    } else {
        (void)orc_forward_elsewhere(&why);
        answer(asked, NULL, &why);
    }
}

void orc_asked_answer(const Callsheet__V1__Execution *execution, const struct cs_err *err, void *user) {
    struct orc_asked *asked = user;
    if (err == NULL || !orc_is_elsewhere(err)) {
        answer(asked, execution, err);
        return;
    }
    locate(asked);
}

/* ---- watches ---- */

enum cs_status orc_forward_watch(struct orc_forward *forward, const char *address, const char *tenant, const char *id,
                                 const struct cs_rpc_stream_events *events, void *user,
                                 struct cs_rpc_stream **ret_stream, struct cs_err *err) {
    Callsheet__V1__WatchExecutionRequest request = CALLSHEET__V1__WATCH_EXECUTION_REQUEST__INIT;
    request.tenant = (char *)tenant;
    request.execution_id = (char *)id;
    const struct cs_rpc_options options = {.header = &forwarded_header};
    struct cs_rpc_channel *channel = NULL;
    CS_TRY(enter(forward, address, &channel, err));
    enum cs_status status = cs_rpc_stream_open(channel, &callsheet__v1__orchestrator__descriptor, "WatchExecution",
                                               &request.base, &options, events, user, ret_stream, err);
    pthread_mutex_unlock(&forward->lock);
    return status;
}
