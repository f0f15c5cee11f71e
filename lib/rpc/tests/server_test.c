#include <stdlib.h>
#include <string.h>

#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1alpha/reflection.pb-c.h"
#include "raw.h"
#include "support.h"

#define SIGN_PATH "/callsheet.v1.Webhooks/Sign"

typedef Grpc__Health__V1__HealthCheckRequest HealthRequest;
typedef Grpc__Health__V1__HealthCheckResponse HealthResponse;
enum { SERVING = 1, NOT_SERVING = 2, SERVICE_UNKNOWN = 3 };

/* ---- what peers send ---- */

TEST(malformed_messages_are_invalid_arguments) {
    struct fixture f = {.sign = echo_sign};
    setup(&f);
    const char *address = cs_rpc_server_address(f.server);
    static const char *const bad[] = {"\x0A\x02\xC3\x28", "\x0A\x7F", "\x0B\x0C", "\x08\x01", "\xFF"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct raw_result result = raw_call(address, SIGN_PATH, bad[i], strlen(bad[i]));
        assert_int_equal(result.status, CS_INVALID_ARGUMENT);
        assert_string_equal(result.reason, "malformed_message");
    }
    struct raw_result none = raw_call(address, SIGN_PATH, NULL, 0);
    assert_int_not_equal(none.status, CS_OK);
    assert_int_not_equal(none.status, -1);
    struct raw_result fine = raw_call(address, SIGN_PATH, "\x0A\x01k", 3);
    assert_int_equal(fine.status, CS_OK);
    teardown(&f);
}

TEST(message_beyond_the_limit_is_resource_exhausted) {
    struct fixture f = {.sign = echo_sign};
    setup(&f);
    size_t size = CS_RPC_MESSAGE_BYTES_MAX + 1;
    CS_AUTO_FREE char *bytes = cs_alloc(size);
    struct raw_result result = raw_call(cs_rpc_server_address(f.server), SIGN_PATH, bytes, size);
    assert_int_equal(result.status, CS_RESOURCE_EXHAUSTED);

    /* Our own client does not even send it. */
    memset(bytes, 'x', size - 1);
    struct cs_err err = {0};
    assert_fails(call_sign(f.channel, bytes, NULL, NULL, &err), &err, CS_RESOURCE_EXHAUSTED, "message_too_large");
    CS_AUTO_FREE char *text = NULL;
    bytes[CS_RPC_MESSAGE_BYTES_MAX - 16] = '\0';
    assert_ok(call_sign(f.channel, bytes, NULL, &text, &err), &err);
    assert_int_equal(strlen(text), CS_RPC_MESSAGE_BYTES_MAX - 16);
    teardown(&f);
}

static enum cs_status reply_with_too_much(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx,
                                          struct cs_err *err) {
    (void)request;
    (void)ctx;
    (void)err;
    char *much = cs_arena_alloc(cs_rpc_call_arena(call), CS_RPC_MESSAGE_BYTES_MAX + 1);
    memset(much, 'x', CS_RPC_MESSAGE_BYTES_MAX);
    Callsheet__V1__SignReply reply = CALLSHEET__V1__SIGN_REPLY__INIT;
    reply.webhook_signature = much;
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

TEST(reply_beyond_the_limit_is_resource_exhausted) {
    struct fixture f = {.sign = reply_with_too_much};
    setup(&f);
    struct cs_err err = {0};
    assert_fails(call_sign(f.channel, "", NULL, NULL, &err), &err, CS_RESOURCE_EXHAUSTED, "message_too_large");
    teardown(&f);
}

/* ---- overload ---- */

struct gate {
    struct latch arrived;
    struct latch open;
    struct latch done;
    _Atomic int served;
    _Atomic int refused;
};

static enum cs_status wait_at_gate(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx,
                                   struct cs_err *err) {
    struct gate *gate = ctx;
    latch_add(&gate->arrived);
    if (!latch_wait(&gate->open, 1)) {
        return cs_fail(err, CS_INTERNAL, "gate", "never opened");
    }
    return echo_sign(call, request, ctx, err);
}

static void count_outcome(const ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct gate *gate = user;
    if (reply != NULL) {
        gate->served++;
    } else if (err->status == CS_RESOURCE_EXHAUSTED && strcmp(err->reason, "overloaded") == 0 && err->retryable) {
        gate->refused++;
    }
    latch_add(&gate->done);
}

TEST(full_queue_refuses_at_once_and_serves_what_it_took) {
    enum { EXTRA = 50 };
    struct gate gate = {.arrived = LATCH_INIT, .open = LATCH_INIT, .done = LATCH_INIT};
    struct fixture f = {.sign = wait_at_gate, .handler_threads = 1, .ctx = &gate};
    setup(&f);
    Callsheet__V1__SignRequest request = CALLSHEET__V1__SIGN_REQUEST__INIT;
    const ProtobufCServiceDescriptor *service = &callsheet__v1__webhooks__descriptor;
    cs_rpc_invoke_async(f.channel, service, "Sign", &request.base, NULL, count_outcome, &gate);
    assert_true(latch_wait(&gate.arrived, 1)); /* the only handler is taken */
    for (int i = 0; i < CS_RPC_QUEUE_MAX + EXTRA; i++) {
        cs_rpc_invoke_async(f.channel, service, "Sign", &request.base, NULL, count_outcome, &gate);
    }
    assert_true(latch_wait(&gate.done, EXTRA));
    assert_int_equal(gate.refused, EXTRA);
    latch_add(&gate.open);
    assert_true(latch_wait(&gate.done, 1 + CS_RPC_QUEUE_MAX + EXTRA));
    assert_int_equal(gate.served, 1 + CS_RPC_QUEUE_MAX);
    assert_int_equal(gate.refused, EXTRA);
    teardown(&f);
}

/* ---- authorization ---- */

static enum cs_status only_let_me_in(const char *authorization, const char *method, void *ctx, struct cs_err *err) {
    (void)ctx;
    assert_non_null(method);
    return strcmp(authorization, "Bearer let-me-in") == 0
               ? CS_OK
               : cs_fail(err, CS_UNAUTHENTICATED, "bad_token", "the token is not valid for %s", method);
}

TEST(caller_without_the_right_token_is_refused_before_any_handler) {
    struct fixture f = {.sign = echo_sign, .authorize = only_let_me_in};
    setup(&f);
    struct cs_err err = {0};
    assert_fails(call_sign(f.channel, "", NULL, NULL, &err), &err, CS_UNAUTHENTICATED, "bad_token");
    assert_non_null(strstr(err.message, SIGN_PATH));
    struct cs_rpc_channel_config config = {.target = cs_rpc_server_address(f.server),
                                           .authorization = "Bearer let-me-in"};
    struct cs_rpc_channel *channel = NULL;
    assert_ok(cs_rpc_channel_create(f.rpc, &config, &channel, &err), &err);
    assert_ok(call_sign(channel, "", NULL, NULL, &err), &err);
    cs_rpc_channel_destroy(channel);
    config.authorization = "two\nlines";
    assert_fails(cs_rpc_channel_create(f.rpc, &config, &channel, &err), &err, CS_INVALID_ARGUMENT, "bad_header");
    teardown(&f);
}

/* ---- starting ---- */

TEST(address_that_is_taken_is_unavailable) {
    struct fixture f = {0};
    setup(&f);
    struct cs_err err = {0};
    struct cs_rpc_server *second = NULL;
    struct cs_rpc_server_config config = {.listen = cs_rpc_server_address(f.server)};
    assert_fails(cs_rpc_server_start(f.rpc, &config, &second, &err), &err, CS_UNAVAILABLE, "address_unavailable");
    static const char *const bad[] = {"nowhere", ":80", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x", ""};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        config.listen = bad[i];
        assert_fails(cs_rpc_server_start(f.rpc, &config, &second, &err), &err, CS_INVALID_ARGUMENT, "bad_address");
    }
    config.listen = "[::1]:0";
    if (cs_rpc_server_start(f.rpc, &config, &second, &err) == CS_OK) { /* where there is IPv6 */
        assert_memory_equal(cs_rpc_server_address(second), "[::1]:", 6);
        cs_rpc_server_destroy(second);
    }
    teardown(&f);
}

TEST(method_without_a_handler_keeps_the_server_from_starting) {
    struct fixture f = {0};
    setup(&f);
    struct cs_err err = {0};
    struct cs_rpc_server *server = NULL;
    static const struct cs_rpc_method only_sign[] = {{"Sign", echo_sign, NULL}};
    struct cs_rpc_service service = {&callsheet__v1__webhooks__descriptor, only_sign, 1, NULL};
    struct cs_rpc_server_config config = {.listen = "127.0.0.1:0", .services = &service, .service_count = 1};
    assert_fails(cs_rpc_server_start(f.rpc, &config, &server, &err), &err, CS_FAILED_PRECONDITION, "bad_service");
    assert_non_null(strstr(err.message, "Verify"));
    static const struct cs_rpc_method work_as_unary[] = {{"Work", echo_sign, NULL}};
    service = (struct cs_rpc_service){&callsheet__v1__worker__descriptor, work_as_unary, 1, NULL};
    assert_fails(cs_rpc_server_start(f.rpc, &config, &server, &err), &err, CS_FAILED_PRECONDITION, "bad_service");
    teardown(&f);
}

/* ---- health ---- */

static int check(struct fixture *f, const char *service, struct cs_err *err) {
    HealthRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    request.service = (char *)service;
    ProtobufCMessage *reply = NULL;
    if (cs_rpc_invoke(f->channel, &grpc__health__v1__health__descriptor, "Check", &request.base, NULL, &reply, err) !=
        CS_OK) {
        return -1;
    }
    int status = (int)((HealthResponse *)reply)->status;
    cs_rpc_message_free(reply);
    return status;
}

TEST(health_answers_callers_without_a_token) {
    struct fixture f = {.sign = echo_sign, .authorize = only_let_me_in};
    setup(&f);
    struct cs_err err = {0};
    assert_int_equal(check(&f, "", &err), GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
    teardown(&f);
}

struct watch {
    struct latch told;
    struct latch closed;
    int statuses[8];
    enum cs_status how;
};

static void watch_told(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    (void)stream;
    struct watch *watch = user;
    int count = latch_count(&watch->told);
    watch->statuses[count < 8 ? count : 7] = (int)((const HealthResponse *)message)->status;
    latch_add(&watch->told);
}

static void watch_closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    (void)stream;
    struct watch *watch = user;
    watch->how = err->status;
    latch_add(&watch->closed);
}

static const struct cs_rpc_stream_events watch_events = {.message = watch_told, .closed = watch_closed};

static struct cs_rpc_stream *start_watch(struct fixture *f, const char *service, struct watch *watch) {
    HealthRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    request.service = (char *)service;
    struct cs_err err = {0};
    struct cs_rpc_stream *stream = NULL;
    assert_ok(cs_rpc_stream_open(f->channel, &grpc__health__v1__health__descriptor, "Watch", &request.base, NULL,
                                 &watch_events, watch, &stream, &err),
              &err);
    return stream;
}

static struct cs_rpc_stream *open_watch(struct fixture *f, const char *service, struct watch *watch) {
    struct cs_rpc_stream *stream = start_watch(f, service, watch);
    assert_true(latch_wait(&watch->told, 1));
    return stream;
}

TEST(health_tells_each_service_and_every_change) {
    struct fixture f = {0};
    setup(&f);
    struct cs_err err = {0};
    assert_int_equal(check(&f, "", &err), SERVING);
    assert_int_equal(check(&f, "callsheet.v1.Worker", &err), SERVING);
    assert_int_equal(check(&f, "no.such.Service", &err), -1);
    assert_int_equal(err.status, CS_NOT_FOUND);

    struct watch worker = {.told = LATCH_INIT, .closed = LATCH_INIT};
    struct watch unknown = {.told = LATCH_INIT, .closed = LATCH_INIT};
    struct cs_rpc_stream *streams[] = {open_watch(&f, "callsheet.v1.Worker", &worker),
                                       open_watch(&f, "no.such.Service", &unknown)};
    assert_int_equal(worker.statuses[0], SERVING);
    assert_int_equal(unknown.statuses[0], SERVICE_UNKNOWN);
    cs_rpc_server_set_serving(f.server, "callsheet.v1.Worker", false);
    cs_rpc_server_set_serving(f.server, "callsheet.v1.Worker", false); /* no change, nothing told */
    cs_rpc_server_set_serving(f.server, "callsheet.v1.Webhooks", false);
    cs_rpc_server_set_serving(f.server, "callsheet.v1.Worker", true);
    assert_true(latch_wait(&worker.told, 3));
    assert_int_equal(worker.statuses[1], NOT_SERVING);
    assert_int_equal(worker.statuses[2], SERVING);
    assert_int_equal(check(&f, "callsheet.v1.Webhooks", &err), NOT_SERVING);
    for (size_t i = 0; i < 2; i++) {
        cs_rpc_stream_cancel(streams[i]);
        cs_rpc_stream_unref(streams[i]);
    }
    assert_true(latch_wait(&worker.closed, 1));
    teardown(&f);
}

TEST(health_takes_no_more_of_strangers_than_it_needs) {
    struct fixture f = {.authorize = only_let_me_in};
    setup(&f);
    enum { LONG = 1 << 20 };
    CS_AUTO_FREE char *name = cs_alloc(LONG + 1);
    memset(name, 'x', LONG);
    struct cs_err err = {0};
    assert_int_equal(check(&f, name, &err), -1);
    assert_int_equal(err.status, CS_RESOURCE_EXHAUSTED);

    CS_AUTO_FREE struct watch *watches = cs_alloc_array(CS_RPC_WATCHERS_MAX, sizeof(*watches));
    struct cs_rpc_stream *streams[CS_RPC_WATCHERS_MAX];
    for (int i = 0; i < CS_RPC_WATCHERS_MAX; i++) {
        watches[i] = (struct watch){.told = LATCH_INIT, .closed = LATCH_INIT};
        streams[i] = open_watch(&f, "", &watches[i]);
    }
    struct watch refused = {.told = LATCH_INIT, .closed = LATCH_INIT};
    struct cs_rpc_stream *beyond = start_watch(&f, "", &refused);
    assert_true(latch_wait(&refused.closed, 1));
    assert_int_equal(refused.how, CS_RESOURCE_EXHAUSTED);
    cs_rpc_stream_unref(beyond);
    for (int i = 0; i < CS_RPC_WATCHERS_MAX; i++) {
        cs_rpc_stream_cancel(streams[i]);
        cs_rpc_stream_unref(streams[i]);
        assert_true(latch_wait(&watches[i].closed, 1));
    }
    cs_rpc_stream_unref(open_watch(&f, "", &refused)); /* there is room again */
    teardown(&f);
}

/* ---- draining ---- */

static void *drain_main(void *server) {
    cs_rpc_server_drain(server, PATIENCE_MS);
    return NULL;
}

static void *destroy_main(void *server) {
    cs_rpc_server_destroy(server);
    return NULL;
}

TEST(draining_tells_watchers_refuses_new_calls_and_lets_running_ones_end) {
    struct gate gate = {.arrived = LATCH_INIT, .open = LATCH_INIT, .done = LATCH_INIT};
    struct fixture f = {.sign = wait_at_gate, .ctx = &gate};
    setup(&f);
    struct watch watch = {.told = LATCH_INIT, .closed = LATCH_INIT};
    struct cs_rpc_stream *stream = open_watch(&f, "", &watch);
    Callsheet__V1__SignRequest request = CALLSHEET__V1__SIGN_REQUEST__INIT;
    cs_rpc_invoke_async(f.channel, &callsheet__v1__webhooks__descriptor, "Sign", &request.base, NULL, count_outcome,
                        &gate);
    assert_true(latch_wait(&gate.arrived, 1));

    pthread_t drainer;
    assert_int_equal(pthread_create(&drainer, NULL, drain_main, f.server), 0);
    assert_true(latch_wait(&watch.told, 2));
    assert_int_equal(watch.statuses[1], NOT_SERVING);
    struct cs_err err = {0};
    assert_int_equal(check(&f, "", &err), NOT_SERVING);
    assert_fails(call_sign(f.channel, "", NULL, NULL, &err), &err, CS_UNAVAILABLE, "draining");
    assert_true(err.retryable);
    assert_int_equal(latch_count(&gate.done), 0);
    latch_add(&gate.open);
    assert_true(latch_wait(&gate.done, 1));
    assert_int_equal(gate.served, 1);
    pthread_join(drainer, NULL);
    assert_true(latch_wait(&watch.closed, 1));
    assert_int_equal(watch.how, CS_UNAVAILABLE);
    cs_rpc_stream_unref(stream);
    teardown(&f);
}

TEST(call_that_outlives_the_grace_is_cancelled) {
    struct gate gate = {.arrived = LATCH_INIT, .open = LATCH_INIT, .done = LATCH_INIT};
    struct fixture f = {.sign = wait_at_gate, .ctx = &gate};
    setup(&f);
    Callsheet__V1__SignRequest request = CALLSHEET__V1__SIGN_REQUEST__INIT;
    cs_rpc_invoke_async(f.channel, &callsheet__v1__webhooks__descriptor, "Sign", &request.base, NULL, count_outcome,
                        &gate);
    assert_true(latch_wait(&gate.arrived, 1));
    pthread_t drainer;
    /* Its own thread: drain returns only when the handler has. */
    assert_int_equal(pthread_create(&drainer, NULL, destroy_main, cs_steal(&f.server)), 0);
    assert_true(latch_wait(&gate.done, 1)); /* the caller hears it before the handler is through */
    assert_int_equal(gate.served, 0);
    latch_add(&gate.open);
    pthread_join(drainer, NULL);
    teardown(&f);
}

TEST_MAIN(CS_TEST(malformed_messages_are_invalid_arguments), CS_TEST(message_beyond_the_limit_is_resource_exhausted),
          CS_TEST(reply_beyond_the_limit_is_resource_exhausted),
          CS_TEST(full_queue_refuses_at_once_and_serves_what_it_took),
          CS_TEST(caller_without_the_right_token_is_refused_before_any_handler),
          CS_TEST(address_that_is_taken_is_unavailable),
          CS_TEST(method_without_a_handler_keeps_the_server_from_starting),
          CS_TEST(health_answers_callers_without_a_token), CS_TEST(health_tells_each_service_and_every_change),
          CS_TEST(health_takes_no_more_of_strangers_than_it_needs),
          CS_TEST(draining_tells_watchers_refuses_new_calls_and_lets_running_ones_end),
          CS_TEST(call_that_outlives_the_grace_is_cancelled))
