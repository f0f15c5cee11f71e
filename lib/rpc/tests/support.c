#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <time.h>

/* ---- latch ---- */

void latch_add(struct latch *latch) {
    pthread_mutex_lock(&latch->lock);
    latch->count++;
    pthread_cond_broadcast(&latch->changed);
    pthread_mutex_unlock(&latch->lock);
}

bool latch_wait_ms(struct latch *latch, int count, int64_t timeout_ms) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    pthread_mutex_lock(&latch->lock);
    int failed = 0;
    while (latch->count < count && failed == 0) {
        failed = pthread_cond_timedwait(&latch->changed, &latch->lock, &until);
    }
    bool reached = latch->count >= count;
    pthread_mutex_unlock(&latch->lock);
    return reached;
}

bool latch_wait(struct latch *latch, int count) {
    return latch_wait_ms(latch, count, PATIENCE_MS);
}

int latch_count(struct latch *latch) {
    pthread_mutex_lock(&latch->lock);
    int count = latch->count;
    pthread_mutex_unlock(&latch->lock);
    return count;
}

/* ---- fixture ---- */

static enum cs_status not_here(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx,
                               struct cs_err *err) {
    (void)call;
    (void)request;
    (void)ctx;
    return cs_fail(err, CS_UNIMPLEMENTED, "not_here", "this test does not serve it");
}

void setup(struct fixture *f) {
    static const struct cs_rpc_stream_events no_events;
    struct cs_err err = {0};
    struct cs_rpc_config runtime = {.handler_threads = f->handler_threads};
    assert_ok(cs_rpc_create(&runtime, &f->rpc, &err), &err);
    f->methods[0] = (struct cs_rpc_method){"Sign", f->sign != NULL ? f->sign : not_here, NULL};
    f->methods[1] = (struct cs_rpc_method){"Verify", f->verify != NULL ? f->verify : not_here, NULL};
    f->methods[2] = (struct cs_rpc_method){"Work", NULL, f->work != NULL ? f->work : &no_events};
    const ProtobufCServiceDescriptor *orchestrator = &callsheet__v1__orchestrator__descriptor;
    assert_true(orchestrator->n_methods <= CS_COUNT(f->methods) - 3);
    for (unsigned i = 0; i < orchestrator->n_methods; i++) {
        bool watch = strcmp(orchestrator->methods[i].name, "WatchExecution") == 0;
        f->methods[3 + i] = (struct cs_rpc_method){orchestrator->methods[i].name, watch ? NULL : not_here,
                                                   !watch             ? NULL
                                                   : f->watch != NULL ? f->watch
                                                                      : &no_events};
    }
    f->services[0] = (struct cs_rpc_service){&callsheet__v1__webhooks__descriptor, &f->methods[0], 2, f->ctx};
    f->services[1] = (struct cs_rpc_service){&callsheet__v1__worker__descriptor, &f->methods[2], 1, f->ctx};
    f->services[2] = (struct cs_rpc_service){orchestrator, &f->methods[3], orchestrator->n_methods, f->ctx};
    struct cs_rpc_server_config server = {
        .listen = "127.0.0.1:0",
        .tls = f->server_tls,
        .services = f->services,
        .service_count = CS_COUNT(f->services),
        .authorize = f->authorize,
        .authorize_ctx = f->ctx,
    };
    assert_ok(cs_rpc_server_start(f->rpc, &server, &f->server, &err), &err);
    struct cs_rpc_channel_config channel = {.target = cs_rpc_server_address(f->server)};
    assert_ok(cs_rpc_channel_create(f->rpc, &channel, &f->channel, &err), &err);
}

void teardown(struct fixture *f) {
    cs_rpc_channel_destroy(f->channel);
    cs_rpc_server_destroy(f->server);
    cs_rpc_destroy(f->rpc);
    f->channel = NULL;
    f->server = NULL;
    f->rpc = NULL;
}

/* ---- Webhooks.Sign ---- */

enum cs_status call_sign(struct cs_rpc_channel *channel, const char *secret, const struct cs_rpc_options *options,
                         char **ret_text, struct cs_err *err) {
    Callsheet__V1__SignRequest request = CALLSHEET__V1__SIGN_REQUEST__INIT;
    request.secret = (char *)secret;
    ProtobufCMessage *reply = NULL;
    CS_TRY(cs_rpc_invoke(channel, &callsheet__v1__webhooks__descriptor, "Sign", &request.base, options, &reply, err));
    if (ret_text != NULL) {
        *ret_text = cs_strdup(((Callsheet__V1__SignReply *)reply)->webhook_signature);
    }
    cs_rpc_message_free(reply);
    return CS_OK;
}

enum cs_status echo_sign(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    (void)ctx;
    (void)err;
    Callsheet__V1__SignReply reply = CALLSHEET__V1__SIGN_REPLY__INIT;
    reply.webhook_signature = ((const Callsheet__V1__SignRequest *)request)->secret;
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}
