/* Peers that vanish or do not read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy.h"
#include "support.h"

enum { VANISHED_MS = 12 * 1000, CHUNK_BYTES = 64 * 1024 };

struct side {
    struct latch opened;
    struct latch messages;
    struct latch closed;
    struct cs_err how;
    struct cs_rpc_stream *stream;
};
#define SIDE_INIT                                                                                                      \
    { .opened = LATCH_INIT, .messages = LATCH_INIT, .closed = LATCH_INIT }

static enum cs_status opened(struct cs_rpc_stream *stream, const ProtobufCMessage *request, void *ctx,
                             struct cs_err *err) {
    (void)request;
    (void)err;
    struct side *side = ctx;
    side->stream = cs_rpc_stream_ref(stream);
    cs_rpc_stream_set_user(stream, side);
    latch_add(&side->opened);
    return CS_OK;
}

static void closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    (void)stream;
    struct side *side = user;
    side->how = *err;
    latch_add(&side->closed);
}

static void message(struct cs_rpc_stream *stream, const ProtobufCMessage *received, void *user) {
    (void)stream;
    (void)received;
    latch_add(&((struct side *)user)->messages);
}

static const struct cs_rpc_stream_events events = {.opened = opened, .message = message, .closed = closed};

/* ---- vanishing ---- */

static void vanish(void (*how)(struct proxy *proxy)) {
    struct side server = SIDE_INIT;
    struct side client = SIDE_INIT;
    struct fixture f = {.work = &events, .ctx = &server};
    setup(&f);
    struct proxy *proxy = proxy_start(cs_rpc_server_port(f.server));
    char target[32];
    (void)snprintf(target, sizeof(target), "127.0.0.1:%u", proxy_port(proxy));
    struct cs_rpc_channel_config config = {.target = target, .own_connection = true};
    struct cs_err err = {0};
    struct cs_rpc_channel *channel = NULL;
    assert_ok(cs_rpc_channel_create(f.rpc, &config, &channel, &err), &err);
    struct cs_rpc_stream *stream = NULL;
    assert_ok(cs_rpc_stream_open(channel, &callsheet__v1__worker__descriptor, "Work", NULL, NULL, &events, &client,
                                 &stream, &err),
              &err);
    assert_true(latch_wait(&server.opened, 1));
    how(proxy);
    assert_true(latch_wait_ms(&server.closed, 1, VANISHED_MS));
    assert_true(latch_wait_ms(&client.closed, 1, VANISHED_MS));
    assert_int_equal(server.how.status, CS_CANCELLED);
    assert_int_equal(client.how.status, CS_UNAVAILABLE);
    assert_true(client.how.retryable);
    cs_rpc_stream_unref(stream);
    cs_rpc_stream_unref(server.stream);
    cs_rpc_channel_destroy(channel);
    proxy_stop(proxy);
    teardown(&f);
}

TEST(connection_that_is_cut_closes_the_stream_on_both_sides) {
    vanish(proxy_cut);
}

TEST(connection_that_goes_silent_closes_the_stream_on_both_sides_within_seconds) {
    vanish(proxy_freeze);
}

TEST(idle_stream_on_a_healthy_connection_stays_open) {
    struct side server = SIDE_INIT;
    struct side client = SIDE_INIT;
    struct fixture f = {.work = &events, .ctx = &server};
    setup(&f);
    struct cs_err err = {0};
    struct cs_rpc_stream *stream = NULL;
    assert_ok(cs_rpc_stream_open(f.channel, &callsheet__v1__worker__descriptor, "Work", NULL, NULL, &events, &client,
                                 &stream, &err),
              &err);
    assert_true(latch_wait(&server.opened, 1));
    /* Longer than three rounds of keepalive: too many pings would have ended it. */
    assert_false(latch_wait_ms(&client.closed, 1, 8000));
    assert_int_equal(latch_count(&server.closed), 0);
    cs_rpc_stream_cancel(stream);
    cs_rpc_stream_unref(stream);
    assert_true(latch_wait(&server.closed, 1));
    cs_rpc_stream_unref(server.stream);
    teardown(&f);
}

/* ---- not reading ---- */

struct flood {
    struct latch opened;
    struct latch drained;
    struct latch received;
    struct latch may_read;
    struct latch closed;
    struct cs_rpc_stream *stream;
    int next;
    int out_of_order;
    struct cs_err how;
};

static enum cs_status flood_opened(struct cs_rpc_stream *stream, const ProtobufCMessage *request, void *ctx,
                                   struct cs_err *err) {
    struct flood *flood = ctx;
    if (strcmp(((const Callsheet__V1__WatchExecutionRequest *)request)->execution_id, "x1") != 0) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_execution", "no such execution");
    }
    flood->stream = cs_rpc_stream_ref(stream);
    cs_rpc_stream_set_user(stream, flood);
    latch_add(&flood->opened);
    return CS_OK;
}

static void flood_drained(struct cs_rpc_stream *stream, void *user) {
    (void)stream;
    latch_add(&((struct flood *)user)->drained);
}

static const struct cs_rpc_stream_events flood_events = {.opened = flood_opened, .drained = flood_drained};

static void reader_message(struct cs_rpc_stream *stream, const ProtobufCMessage *received, void *user) {
    (void)stream;
    struct flood *flood = user;
    (void)latch_wait(&flood->may_read, 1); /* blocks a polling thread: only a test may */
    const Callsheet__V1__ExecutionUpdate *update = (const Callsheet__V1__ExecutionUpdate *)received;
    flood->out_of_order += update->execution->created_at_ms != flood->next++;
    latch_add(&flood->received);
}

static void reader_closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    (void)stream;
    struct flood *flood = user;
    flood->how = *err;
    latch_add(&flood->closed);
}

static const struct cs_rpc_stream_events reader_events = {.message = reader_message, .closed = reader_closed};

static enum cs_status send_chunk(struct cs_rpc_stream *stream, int number, struct cs_err *err) {
    static char chunk[CHUNK_BYTES];
    memset(chunk, 'x', sizeof(chunk) - 1);
    Callsheet__V1__Execution execution = CALLSHEET__V1__EXECUTION__INIT;
    execution.id = chunk;
    execution.created_at_ms = number;
    Callsheet__V1__ExecutionUpdate update = CALLSHEET__V1__EXECUTION_UPDATE__INIT;
    update.execution = &execution;
    return cs_rpc_stream_send(stream, &update.base, err);
}

TEST(reader_that_stands_still_fills_the_queue_and_then_gets_everything) {
    struct flood flood = {.opened = LATCH_INIT,
                          .drained = LATCH_INIT,
                          .received = LATCH_INIT,
                          .may_read = LATCH_INIT,
                          .closed = LATCH_INIT};
    struct fixture f = {.watch = &flood_events, .ctx = &flood};
    setup(&f);
    Callsheet__V1__WatchExecutionRequest request = CALLSHEET__V1__WATCH_EXECUTION_REQUEST__INIT;
    request.execution_id = (char *)"x1";
    struct cs_err err = {0};
    struct cs_rpc_stream *stream = NULL;
    assert_ok(cs_rpc_stream_open(f.channel, &callsheet__v1__orchestrator__descriptor, "WatchExecution", &request.base,
                                 NULL, &reader_events, &flood, &stream, &err),
              &err);
    assert_true(latch_wait(&flood.opened, 1));
    int sent = 0;
    enum cs_status status = CS_OK;
    while ((status = send_chunk(flood.stream, sent, &err)) == CS_OK) {
        sent++;
        assert_in_range(sent, 1, 2 * CS_RPC_STREAM_BYTES_MAX / CHUNK_BYTES); /* it must fill */
    }
    assert_int_equal(status, CS_RESOURCE_EXHAUSTED);
    assert_string_equal(err.reason, "stream_full");
    assert_in_range(cs_rpc_stream_queued_bytes(flood.stream), CS_RPC_STREAM_BYTES_MAX / 2, CS_RPC_STREAM_BYTES_MAX);
    latch_add(&flood.may_read);
    assert_true(latch_wait(&flood.received, sent));
    assert_true(latch_wait(&flood.drained, 1));
    cs_rpc_stream_finish(flood.stream, NULL);
    assert_true(latch_wait(&flood.closed, 1)); /* the end leaves behind all that was queued */
    assert_int_equal(cs_rpc_stream_queued_bytes(flood.stream), 0);
    assert_int_equal(flood.how.status, CS_OK);
    assert_int_equal(flood.out_of_order, 0);
    assert_int_equal(latch_count(&flood.received), sent);
    cs_rpc_stream_unref(stream);
    cs_rpc_stream_unref(flood.stream);
    teardown(&f);
}

TEST_MAIN(CS_TEST(connection_that_is_cut_closes_the_stream_on_both_sides),
          CS_TEST(connection_that_goes_silent_closes_the_stream_on_both_sides_within_seconds),
          CS_TEST(idle_stream_on_a_healthy_connection_stays_open),
          CS_TEST(reader_that_stands_still_fills_the_queue_and_then_gets_everything))
