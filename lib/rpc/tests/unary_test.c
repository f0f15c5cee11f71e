#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "callsheet/v1/providers.pb-c.h"
#include "support.h"

/* ---- answers ---- */

TEST(reply_reaches_the_caller) {
    struct fixture f = {.sign = echo_sign};
    setup(&f);
    struct cs_err err = {0};
    CS_AUTO_FREE char *text = NULL;
    assert_ok(call_sign(f.channel, "grün", NULL, &text, &err), &err);
    assert_string_equal(text, "grün");
    teardown(&f);
}

static enum cs_status fail_fully(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx,
                                 struct cs_err *err) {
    (void)call;
    (void)request;
    (void)ctx;
    (void)cs_fail_at(err, "jobs[2].d\xC3\xBC \"x\"%41", "bad_job", "100%% wrong: \xE2\x82\xAC\n2nd line");
    err->retryable = true;
    err->retry_after_ms = 1234;
    return err->status;
}

TEST(failure_reaches_the_caller_with_reason_path_and_retry) {
    struct fixture f = {.sign = fail_fully};
    setup(&f);
    struct cs_err err = {0};
    assert_fails(call_sign(f.channel, "", NULL, NULL, &err), &err, CS_INVALID_ARGUMENT, "bad_job");
    assert_string_equal(err.path, "jobs[2].d\xC3\xBC \"x\"%41");
    assert_string_equal(err.message, "100% wrong: \xE2\x82\xAC\n2nd line");
    assert_true(err.retryable);
    assert_int_equal(err.retry_after_ms, 1234);
    teardown(&f);
}

static enum cs_status forget(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    (void)call;
    (void)request;
    (void)ctx;
    (void)err;
    return CS_OK;
}

TEST(handler_that_gives_no_reply_is_an_internal_error) {
    struct fixture f = {.sign = forget};
    setup(&f);
    struct cs_err err = {0};
    assert_fails(call_sign(f.channel, "", NULL, NULL, &err), &err, CS_INTERNAL, "no_reply");
    teardown(&f);
}

static enum cs_status tell_metadata(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx,
                                    struct cs_err *err) {
    (void)request;
    (void)ctx;
    (void)err;
    char trace_id[CS_TRACE_ID_HEX_SIZE];
    cs_trace_id_hex(cs_rpc_call_trace(call), trace_id);
    assert_null(cs_rpc_call_metadata(call, "no-such-header"));
    Callsheet__V1__SignReply reply = CALLSHEET__V1__SIGN_REPLY__INIT;
    reply.webhook_signature =
        cs_arena_sprintf(cs_rpc_call_arena(call), "%s %s %s", trace_id, cs_rpc_call_metadata(call, "authorization"),
                         cs_rpc_call_metadata(call, "x-test"));
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

TEST(trace_authorization_and_a_header_travel_with_the_call) {
    struct fixture f = {.sign = tell_metadata};
    setup(&f);
    struct cs_err err = {0};
    struct cs_rpc_channel_config config = {.target = cs_rpc_server_address(f.server), .authorization = "Bearer k"};
    CS_AUTO(cs_rpc_channel) *channel = NULL;
    assert_ok(cs_rpc_channel_create(f.rpc, &config, &channel, &err), &err);
    struct cs_trace trace = cs_trace_root();
    const struct cs_rpc_header header = {"x-test", "seen"};
    struct cs_rpc_options options = {.trace = &trace, .header = &header};
    CS_AUTO_FREE char *text = NULL;
    assert_ok(call_sign(channel, "", &options, &text, &err), &err);
    char trace_id[CS_TRACE_ID_HEX_SIZE];
    cs_trace_id_hex(&trace, trace_id);
    assert_memory_equal(text, trace_id, CS_TRACE_ID_HEX_SIZE - 1);
    assert_string_equal(text + CS_TRACE_ID_HEX_SIZE - 1, " Bearer k seen");
    cs_rpc_channel_destroy(cs_steal(&channel));
    teardown(&f);
}

/* ---- time ---- */

struct held {
    struct latch arrived;
    struct latch left;
    struct cs_rpc_call *call;
    int64_t left_ms;
};

static enum cs_status hold_until_cancelled(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx,
                                           struct cs_err *err) {
    (void)request;
    struct held *held = ctx;
    held->left_ms = cs_rpc_call_left_ms(call);
    latch_add(&held->arrived);
    int64_t patience_ms = cs_clock_mono_ms() + PATIENCE_MS;
    while (!cs_rpc_call_cancelled(call) && cs_clock_mono_ms() < patience_ms) {
        (void)sched_yield();
    }
    bool cancelled = cs_rpc_call_cancelled(call);
    latch_add(&held->left);
    return cs_fail(err, cancelled ? CS_CANCELLED : CS_INTERNAL, "held", "held");
}

TEST(deadline_ends_the_call_on_both_sides) {
    struct held held = {.arrived = LATCH_INIT, .left = LATCH_INIT};
    struct fixture f = {.sign = hold_until_cancelled, .ctx = &held};
    setup(&f);
    struct cs_err err = {0};
    struct cs_rpc_options options = {.timeout_ms = 200};
    assert_fails(call_sign(f.channel, "", &options, NULL, &err), &err, CS_DEADLINE_EXCEEDED, "deadline_exceeded");
    assert_true(latch_wait(&held.left, 1));
    assert_in_range(held.left_ms, 1, 200);
    teardown(&f);
}

struct outcome {
    struct latch done;
    enum cs_status status;
    char text[CS_ERR_MESSAGE_MAX];
};

static void note_outcome(const ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct outcome *outcome = user;
    outcome->status = err != NULL ? err->status : CS_OK;
    (void)snprintf(outcome->text, sizeof(outcome->text), "%s",
                   reply != NULL ? ((const Callsheet__V1__SignReply *)reply)->webhook_signature : err->reason);
    latch_add(&outcome->done);
}

static void sign_async(struct cs_rpc_channel *channel, const char *secret, struct outcome *outcome) {
    Callsheet__V1__SignRequest request = CALLSHEET__V1__SIGN_REQUEST__INIT;
    request.secret = (char *)secret;
    cs_rpc_invoke_async(channel, &callsheet__v1__webhooks__descriptor, "Sign", &request.base, NULL, note_outcome,
                        outcome);
}

TEST(destroying_the_channel_cancels_its_calls_and_the_server_sees_it) {
    struct held held = {.arrived = LATCH_INIT, .left = LATCH_INIT};
    struct fixture f = {.sign = hold_until_cancelled, .ctx = &held};
    setup(&f);
    struct outcome outcome = {.done = LATCH_INIT};
    sign_async(f.channel, "", &outcome);
    assert_true(latch_wait(&held.arrived, 1));
    assert_int_equal(held.left_ms / 1000 <= 30, 1); /* unary calls have a deadline even when none was given */
    cs_rpc_channel_destroy(cs_steal(&f.channel));
    assert_int_equal(latch_count(&outcome.done), 1);
    assert_int_equal(outcome.status, CS_CANCELLED);
    assert_true(latch_wait(&held.left, 1));
    teardown(&f);
}

/* ---- deferred ---- */

static enum cs_status defer(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    (void)request;
    (void)err;
    struct held *held = ctx;
    cs_rpc_defer(call);
    held->call = call;
    latch_add(&held->arrived);
    return CS_OK;
}

TEST(deferred_call_is_answered_later_from_another_thread) {
    struct held held = {.arrived = LATCH_INIT, .left = LATCH_INIT};
    struct fixture f = {.sign = defer, .ctx = &held};
    setup(&f);
    struct outcome replied = {.done = LATCH_INIT};
    sign_async(f.channel, "", &replied);
    assert_true(latch_wait(&held.arrived, 1));
    Callsheet__V1__SignReply reply = CALLSHEET__V1__SIGN_REPLY__INIT;
    reply.webhook_signature = "late";
    cs_rpc_reply(held.call, &reply.base);
    assert_true(latch_wait(&replied.done, 1));
    assert_string_equal(replied.text, "late");

    struct outcome refused = {.done = LATCH_INIT};
    sign_async(f.channel, "", &refused);
    assert_true(latch_wait(&held.arrived, 2));
    struct cs_err err;
    (void)cs_fail(&err, CS_ABORTED, "changed_my_mind", "no");
    cs_rpc_refuse(held.call, &err);
    assert_true(latch_wait(&refused.done, 1));
    assert_int_equal(refused.status, CS_ABORTED);
    assert_string_equal(refused.text, "changed_my_mind");
    teardown(&f);
}

/* ---- what cannot be served ---- */

TEST(unknown_method_is_unimplemented_at_once) {
    struct fixture f = {0};
    setup(&f);
    struct cs_err err = {0};
    ProtobufCMessage *reply = NULL;
    Callsheet__V1__ListModelsRequest request = CALLSHEET__V1__LIST_MODELS_REQUEST__INIT;
    assert_fails(cs_rpc_invoke(f.channel, &callsheet__v1__providers__descriptor, "ListModels", &request.base, NULL,
                               &reply, &err),
                 &err, CS_UNIMPLEMENTED, "unknown_method");
    assert_non_null(strstr(err.message, "/callsheet.v1.Providers/ListModels"));
    assert_fails(
        cs_rpc_invoke(f.channel, &callsheet__v1__providers__descriptor, "NoSuch", &request.base, NULL, &reply, &err),
        &err, CS_UNIMPLEMENTED, "unknown_method");
    teardown(&f);
}

TEST(nobody_listening_is_unavailable_and_may_be_tried_again) {
    struct fixture f = {0};
    setup(&f);
    cs_rpc_server_destroy(cs_steal(&f.server));
    struct cs_err err = {0};
    assert_int_equal(call_sign(f.channel, "", NULL, NULL, &err), CS_UNAVAILABLE);
    assert_true(err.retryable);
    teardown(&f);
}

TEST_MAIN(CS_TEST(reply_reaches_the_caller), CS_TEST(failure_reaches_the_caller_with_reason_path_and_retry),
          CS_TEST(handler_that_gives_no_reply_is_an_internal_error),
          CS_TEST(trace_authorization_and_a_header_travel_with_the_call), CS_TEST(deadline_ends_the_call_on_both_sides),
          CS_TEST(destroying_the_channel_cancels_its_calls_and_the_server_sees_it),
          CS_TEST(deferred_call_is_answered_later_from_another_thread),
          CS_TEST(unknown_method_is_unimplemented_at_once),
          CS_TEST(nobody_listening_is_unavailable_and_may_be_tried_again))
