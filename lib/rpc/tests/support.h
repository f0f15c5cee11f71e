/*
 * support: a runtime, a server of Webhooks, Worker and Orchestrator on port 0, and a channel to it; and a latch to wait
 * on.
 */
#ifndef RPC_TEST_SUPPORT_H
#define RPC_TEST_SUPPORT_H

#include <pthread.h>

#include "callsheet/v1/orchestrator.pb-c.h"
#include "callsheet/v1/webhooks.pb-c.h"
#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/clock.h"
#include "cs/rpc.h"
#include "cs/test.h"

enum { PATIENCE_MS = 20 * 1000 };

/* Counts up; waits until it has reached a number. */
struct latch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    int count;
};
#define LATCH_INIT                                                                                                     \
    { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 }

void latch_add(struct latch *latch);
bool latch_wait(struct latch *latch, int count); /* false after PATIENCE_MS */
bool latch_wait_ms(struct latch *latch, int count, int64_t timeout_ms);
int latch_count(struct latch *latch);

/* What a test wants of the services; NULL rows answer UNIMPLEMENTED. */
struct fixture {
    cs_rpc_unary_fn *sign;                    /* Webhooks.Sign */
    cs_rpc_unary_fn *verify;                  /* Webhooks.Verify */
    const struct cs_rpc_stream_events *work;  /* Worker.Work */
    const struct cs_rpc_stream_events *watch; /* Orchestrator.WatchExecution */
    void *ctx;
    int handler_threads;
    struct cs_rpc_tls server_tls;
    enum cs_status (*authorize)(const char *authorization, const char *method, void *ctx, struct cs_err *err);
    /* made by setup */
    struct cs_rpc *rpc;
    struct cs_rpc_server *server;
    struct cs_rpc_channel *channel;
    struct cs_rpc_method methods[32];
    struct cs_rpc_service services[3];
};

void setup(struct fixture *fixture);
void teardown(struct fixture *fixture);

/* Webhooks.Sign of a secret and a body; *ret_text is the reply's webhook_signature (caller frees). */
enum cs_status call_sign(struct cs_rpc_channel *channel, const char *secret, const struct cs_rpc_options *options,
                         char **ret_text, struct cs_err *err);
/* A handler of Sign that replies with the secret. */
enum cs_status echo_sign(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err);

#endif
