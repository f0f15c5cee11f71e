/* COVERS app.c config.c ops/deliver.c api/webhooks_api.c: the service in-process, an orchestrator by hand, real
 * receivers. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "callsheet/v1/webhooks.pb-c.h"
#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/crypto.h"
#include "cs/test.h"
#include "dialer.h"
#include "domain/signature.h"
#include "peer.h"

#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char body[] = "{\"executionId\":\"e1\", \"status\":\"completed\"}";

/* ---- the receiver ---- */

struct inbox {
    pthread_mutex_t lock;
    /* below: guarded by lock */
    int count;
    char id[4][128], timestamp[4][32], signature[4][128], sha256[4][128], synthome[4][128], type[4][64], agent[4][64],
        trace[4][64], length[4][16], body[4][256];
};

static void keep(struct inbox *inbox, const struct peer_request *request) {
    (void)pthread_mutex_lock(&inbox->lock);
    int at = inbox->count < 4 ? inbox->count : 3;
    inbox->count++;
    (void)peer_header(request, "webhook-id", inbox->id[at], 128);
    (void)peer_header(request, "webhook-timestamp", inbox->timestamp[at], 32);
    (void)peer_header(request, "webhook-signature", inbox->signature[at], 128);
    (void)peer_header(request, "x-webhook-signature", inbox->sha256[at], 128);
    (void)peer_header(request, "x-synthome-signature", inbox->synthome[at], 128);
    (void)peer_header(request, "content-type", inbox->type[at], 64);
    (void)peer_header(request, "user-agent", inbox->agent[at], 64);
    (void)peer_header(request, "traceparent", inbox->trace[at], 64);
    (void)peer_header(request, "content-length", inbox->length[at], 16);
    cs_str_copy(inbox->body[at], 256, request->body);
    (void)pthread_mutex_unlock(&inbox->lock);
}

static bool receive(struct peer_conn *conn, const struct peer_request *request, void *ctx) {
    keep(ctx, request);
    int status = atoi(request->path + 1);
    if (strcmp(request->path, "/hang") == 0) {
        peer_hang(conn);
        return false;
    }
    if (strcmp(request->path, "/reset") == 0) {
        peer_reset(conn);
        return false;
    }
    if (status == 302) {
        peer_reply(conn, status, "Location: /200\r\n", "");
    } else if (status == 299) { /* talks without end */
        char piece[4096];
        memset(piece, 'x', sizeof(piece));
        peer_send(conn, "HTTP/1.1 200 OK\r\n\r\n", 19);
        for (int i = 0; i < 1000; i++) {
            peer_send(conn, piece, sizeof(piece));
        }
        return false;
    } else {
        peer_reply(conn, status, status == 429 || status == 503 ? "Retry-After: 30\r\n" : "", "thanks");
    }
    return true;
}

/* ---- the whole ---- */

struct world {
    struct inbox inbox;
    struct peer *receiver;
    struct whk_config config;
    struct whk_app *app;
    struct dialer *dialer;
};

static void world_start(struct world *world, bool allow_private) {
    struct cs_err err = {0};
    *world = (struct world){.inbox = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    world->config = (struct whk_config){.listen = "127.0.0.1:0",
                                        .ready_fd = -1,
                                        .log_level = "info",
                                        .drain_timeout_ms = 500,
                                        .service_token = "sesame",
                                        .slots = 8,
                                        .allow_private_targets = allow_private};
    world->receiver = peer_start(receive, &world->inbox);
    assert_ok(whk_app_create(&world->config, &world->app, &err), &err);
    world->dialer = dialer_open(whk_app_address(world->app), "sesame");
}

static void world_stop(struct world *world) {
    dialer_close(world->dialer);
    whk_app_destroy(world->app);
    peer_stop(world->receiver);
}

static void deliver(struct world *world, const char *fence, const char *url, const char *with_secret, uint32_t tries) {
    Callsheet__V1__DeliverWebhook webhook = CALLSHEET__V1__DELIVER_WEBHOOK__INIT;
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
    Callsheet__V1__Assign assign = CALLSHEET__V1__ASSIGN__INIT;
    webhook.url = (char *)url;
    webhook.secret = (char *)with_secret;
    webhook.event_id = (char *)"evt_42";
    webhook.body = (ProtobufCBinaryData){.len = sizeof(body) - 1, .data = (uint8_t *)body};
    webhook.tries = tries;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_DELIVER_WEBHOOK;
    operation.deliver_webhook = &webhook;
    assign.tenant = (char *)"t1";
    assign.execution = (char *)"e1";
    assign.job = (char *)"webhook";
    assign.attempt = tries;
    assign.deadline_ms = cs_clock_unix_ms() + 60000;
    assign.operation = &operation;
    assign.traceparent = (char *)"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    dialer_assign(world->dialer, fence, &assign);
}

static const Callsheet__V1__Failed *failure(struct world *world, const char *fence) {
    const Callsheet__V1__Report *report = dialer_wait_final(world->dialer, fence);
    assert_int_equal(report->report_case, CALLSHEET__V1__REPORT__REPORT_FAILED);
    return report->failed;
}

static void assert_success(struct world *world, const char *fence) {
    const Callsheet__V1__Report *report = dialer_wait_final(world->dialer, fence);
    if (report->report_case != CALLSHEET__V1__REPORT__REPORT_SUCCEEDED) {
        fail_msg("%s: %s", report->failed->code, report->failed->message);
    }
}

/* ---- tests ---- */

TEST(sy_110_sy_111_x8_a_delivery_carries_the_frozen_body_and_signatures_that_verify) {
    struct world world;
    char url[256];
    world_start(&world, true);
    assert_int_equal(dialer_hello(world.dialer)->n_operations, 1);
    assert_string_equal(dialer_hello(world.dialer)->operations[0], "deliverWebhook");
    deliver(&world, "f1", peer_url(world.receiver, "/200", url), secret, 1);
    assert_success(&world, "f1");
    struct inbox *inbox = &world.inbox;
    assert_string_equal(inbox->body[0], body);
    assert_string_equal(inbox->id[0], "evt_42");
    assert_string_equal(inbox->type[0], "application/json");
    assert_string_equal(inbox->agent[0], "Callsheet/" CS_VERSION);
    assert_true(cs_str_starts(inbox->trace[0], "00-0af7651916cd43dd8448eb211c80319c-"));
    int64_t timestamp = 0;
    int64_t now = cs_clock_unix_ms() / 1000;
    assert_true(cs_parse_i64(inbox->timestamp[0], now - 60, now, &timestamp));
    struct whk_message message = {"evt_42", timestamp, body, sizeof(body) - 1};
    assert_string_equal(whk_verify(secret, &message, inbox->signature[0], now), "");
    struct whk_signatures signatures;
    struct cs_err err = {0};
    assert_ok(whk_sign(secret, &message, &signatures, &err), &err);
    assert_string_equal(inbox->sha256[0], signatures.sha256);
    assert_string_equal(inbox->synthome[0], signatures.synthome);
    world_stop(&world);
}

TEST(tries_share_the_event_id) {
    struct world world;
    char url[256];
    world_start(&world, true);
    deliver(&world, "f1", peer_url(world.receiver, "/500", url), secret, 1);
    assert_string_equal(failure(&world, "f1")->code, "http_500");
    deliver(&world, "f2", peer_url(world.receiver, "/200", url), secret, 2);
    assert_success(&world, "f2");
    assert_int_equal(world.inbox.count, 2);
    assert_string_equal(world.inbox.id[0], world.inbox.id[1]);
    world_stop(&world);
}

TEST(sy_112_without_a_secret_nothing_is_signed) {
    struct world world;
    char url[256];
    world_start(&world, true);
    deliver(&world, "f1", peer_url(world.receiver, "/204", url), "", 1);
    assert_success(&world, "f1");
    assert_string_equal(world.inbox.id[0], "evt_42");
    assert_string_equal(world.inbox.signature[0], "");
    assert_string_equal(world.inbox.sha256[0], "");
    assert_string_equal(world.inbox.synthome[0], "");
    world_stop(&world);
}

TEST(refusals_are_reported_by_class_and_code) {
    static const struct {
        const char *path;
        Callsheet__V1__FailureClass failure_class;
        const char *code;
        int64_t retry_after_ms;
    } rows[] = {
        {"/410", CLASS(INVALID_INPUT), "gone", 0},        {"/404", CLASS(TRANSIENT), "http_404", 0},
        {"/429", CLASS(RATE_LIMITED), "http_429", 30000}, {"/503", CLASS(TRANSIENT), "http_503", 30000},
        {"/302", CLASS(TRANSIENT), "redirect", 0},        {"/reset", CLASS(TRANSIENT), "connection_lost", 0},
    };
    struct world world;
    char url[256];
    world_start(&world, true);
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        deliver(&world, rows[i].path, peer_url(world.receiver, rows[i].path, url), secret, 1);
        const Callsheet__V1__Failed *failed = failure(&world, rows[i].path);
        assert_string_equal(failed->code, rows[i].code);
        assert_int_equal(failed->failure_class, rows[i].failure_class);
        assert_int_equal(failed->retry_after_ms, rows[i].retry_after_ms);
    }
    assert_int_equal(peer_requests(world.receiver), CS_COUNT(rows)); /* nothing was followed or repeated */
    world_stop(&world);
}

TEST(x5_a_receiver_that_talks_without_end_has_still_accepted) {
    struct world world;
    char url[256];
    world_start(&world, true);
    deliver(&world, "f1", peer_url(world.receiver, "/299", url), secret, 1);
    assert_success(&world, "f1");
    world_stop(&world);
}

TEST(sy_120_x5_private_targets_and_bad_input_are_refused_without_a_connection) {
    struct world world;
    char url[256];
    world_start(&world, false);
    deliver(&world, "f1", peer_url(world.receiver, "/200", url), secret, 1);
    assert_string_equal(failure(&world, "f1")->code, "target_not_allowed");
    assert_int_equal(failure(&world, "f1")->failure_class, CLASS(INVALID_INPUT));
    deliver(&world, "f2", "https://user:pw@example.com/", secret, 1);
    assert_string_equal(failure(&world, "f2")->code, "bad_url");
    deliver(&world, "f3", "https://example.com/", "whsec_%%%", 1);
    assert_string_equal(failure(&world, "f3")->code, "bad_secret");
    assert_null(strstr(failure(&world, "f3")->message, "%%"));
    Callsheet__V1__Assign assign = CALLSHEET__V1__ASSIGN__INIT;
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
    Callsheet__V1__Noop noop = CALLSHEET__V1__NOOP__INIT;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_NOOP;
    operation.noop = &noop;
    assign.operation = &operation;
    assign.deadline_ms = cs_clock_unix_ms() + 60000;
    dialer_assign(world.dialer, "f4", &assign);
    assert_int_equal(failure(&world, "f4")->failure_class, CLASS(INVALID_INPUT));
    assert_int_equal(peer_connections(world.receiver), 0);
    world_stop(&world);
}

TEST(a_cancelled_delivery_ends_and_frees_its_slot) {
    struct world world;
    char url[256];
    world_start(&world, true);
    deliver(&world, "f1", peer_url(world.receiver, "/hang", url), secret, 1);
    assert_true(peer_wait_requests(world.receiver, 1));
    dialer_cancel(world.dialer, "f1");
    assert_int_equal(failure(&world, "f1")->failure_class, CLASS(CANCELLED));
    world_stop(&world);
}

TEST(one_dead_receiver_holds_up_nobody) {
    struct world world;
    char url[256];
    world_start(&world, true);
    for (int i = 0; i < 4; i++) {
        char fence[16];
        (void)snprintf(fence, sizeof(fence), "hang%d", i);
        deliver(&world, fence, peer_url(world.receiver, "/hang", url), secret, 1);
    }
    assert_true(peer_wait_requests(world.receiver, 4));
    deliver(&world, "f1", peer_url(world.receiver, "/200", url), secret, 1);
    assert_success(&world, "f1");
    world_stop(&world);
}

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static void keep_line(const char *line, void *ctx) {
    (void)pthread_mutex_lock(&log_lock);
    cs_buf_puts(ctx, line);
    (void)pthread_mutex_unlock(&log_lock);
}

TEST(logs_name_the_ids_and_never_the_secret_or_the_query) {
    struct world world;
    char url[256];
    CS_AUTO_BUF log = {0};
    cs_log_capture(keep_line, &log);
    world_start(&world, true);
    deliver(&world, "f1", peer_url(world.receiver, "/200?key=hidden", url), secret, 1);
    assert_success(&world, "f1");
    world_stop(&world);
    cs_log_capture(NULL, NULL);
    assert_non_null(strstr(log.data, "webhook delivered"));
    assert_non_null(strstr(log.data, "\"execution\":\"e1\""));
    assert_non_null(strstr(log.data, "0af7651916cd43dd8448eb211c80319c"));
    assert_null(strstr(log.data, "hidden"));
    assert_null(strstr(log.data, "MfKQ9r8"));
}

static void call(struct world *world, const char *token, const char *method, const ProtobufCMessage *request,
                 ProtobufCMessage **ret_reply, struct cs_err *err) {
    CS_AUTO(cs_rpc) *rpc = NULL;
    CS_AUTO(cs_rpc_channel) *channel = NULL;
    assert_ok(cs_rpc_create(&(struct cs_rpc_config){0}, &rpc, err), err);
    struct cs_rpc_channel_config config = {.target = whk_app_address(world->app), .authorization = token};
    assert_ok(cs_rpc_channel_create(rpc, &config, &channel, err), err);
    if (cs_rpc_invoke(channel, &callsheet__v1__webhooks__descriptor, method, request, NULL, ret_reply, err) != CS_OK) {
        *ret_reply = NULL;
    }
}

TEST(sign_and_verify_agree_over_rpc_and_want_the_token) {
    struct world world;
    world_start(&world, true);
    Callsheet__V1__SignRequest sign = CALLSHEET__V1__SIGN_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    sign.secret = (char *)secret;
    sign.event_id = (char *)"msg_p5jXN8AQM9LWM0D4loKWxJek";
    sign.timestamp_s = 1614265330;
    sign.body = (ProtobufCBinaryData){.len = 20, .data = (uint8_t *)"{\"test\": 2432232314}"};
    call(&world, "Bearer wrong", "Sign", &sign.base, &reply, &err);
    assert_null(reply);
    assert_int_equal(err.status, CS_UNAUTHENTICATED);
    call(&world, "Bearer sesame", "Sign", &sign.base, &reply, &err);
    assert_non_null(reply);
    const Callsheet__V1__SignReply *signed_reply = (const Callsheet__V1__SignReply *)reply;
    assert_string_equal(signed_reply->webhook_signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    Callsheet__V1__VerifyRequest verify = CALLSHEET__V1__VERIFY_REQUEST__INIT;
    ProtobufCMessage *verified = NULL;
    verify.secret = sign.secret;
    verify.event_id = sign.event_id;
    verify.timestamp_s = sign.timestamp_s;
    verify.body = sign.body;
    verify.webhook_signature = signed_reply->webhook_signature;
    call(&world, "Bearer sesame", "Verify", &verify.base, &verified, &err);
    assert_non_null(verified);
    assert_false(((const Callsheet__V1__VerifyReply *)verified)->valid); /* the example is of 2021 */
    assert_string_equal(((const Callsheet__V1__VerifyReply *)verified)->reason, "timestamp_out_of_range");
    cs_rpc_message_free(verified);
    cs_rpc_message_free(reply);
    sign.secret = (char *)"";
    call(&world, "Bearer sesame", "Sign", &sign.base, &reply, &err);
    assert_null(reply);
    assert_string_equal(err.reason, "bad_secret");
    assert_string_equal(err.path, "secret");
    world_stop(&world);
}

TEST(drain_lets_open_deliveries_end_or_cancels_them) {
    struct world world;
    char url[256];
    world_start(&world, true);
    deliver(&world, "f1", peer_url(world.receiver, "/hang", url), secret, 1);
    assert_true(peer_wait_requests(world.receiver, 1));
    whk_app_drain(world.app);
    assert_int_equal(failure(&world, "f1")->failure_class, CLASS(TRANSIENT));
    assert_string_equal(failure(&world, "f1")->code, "draining");
    world_stop(&world);
}

TEST_MAIN(CS_TEST(sy_110_sy_111_x8_a_delivery_carries_the_frozen_body_and_signatures_that_verify),
          CS_TEST(tries_share_the_event_id), CS_TEST(sy_112_without_a_secret_nothing_is_signed),
          CS_TEST(refusals_are_reported_by_class_and_code),
          CS_TEST(x5_a_receiver_that_talks_without_end_has_still_accepted),
          CS_TEST(sy_120_x5_private_targets_and_bad_input_are_refused_without_a_connection),
          CS_TEST(a_cancelled_delivery_ends_and_frees_its_slot), CS_TEST(one_dead_receiver_holds_up_nobody),
          CS_TEST(logs_name_the_ids_and_never_the_secret_or_the_query),
          CS_TEST(sign_and_verify_agree_over_rpc_and_want_the_token),
          CS_TEST(drain_lets_open_deliveries_end_or_cancels_them))
