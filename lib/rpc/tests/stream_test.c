#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { MANY = 10000, BIG_BYTES = 64 * 1024 };

/* ---- a peer that notes what it sees ---- */

struct peer {
    struct latch opened;
    struct latch messages;
    struct latch drained;
    struct latch closed;
    struct cs_err how;
    struct cs_rpc_stream *stream; /* server side: a reference */
    size_t next;                  /* number expected in the next message */
    int out_of_order;
    _Atomic int inside; /* callbacks running */
    _Atomic int overlaps;
};
#define PEER_INIT                                                                                                      \
    { .opened = LATCH_INIT, .messages = LATCH_INIT, .drained = LATCH_INIT, .closed = LATCH_INIT }

static void enter(struct peer *peer) {
    if (peer->inside++ != 0) {
        peer->overlaps++;
    }
}

static void leave(struct peer *peer) {
    peer->inside--;
}

static void peer_closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    (void)stream;
    struct peer *peer = user;
    enter(peer);
    peer->how = *err;
    leave(peer);
    latch_add(&peer->closed);
}

static enum cs_status send_number(struct cs_rpc_stream *stream, uint32_t number) {
    Callsheet__V1__Credits credits = CALLSHEET__V1__CREDITS__INIT;
    credits.limit = number;
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    report.report_case = CALLSHEET__V1__REPORT__REPORT_CREDITS;
    report.credits = &credits;
    Callsheet__V1__Report *reports[] = {&report};
    Callsheet__V1__WorkReport message = CALLSHEET__V1__WORK_REPORT__INIT;
    message.n_reports = 1;
    message.reports = reports;
    struct cs_err err;
    return cs_rpc_stream_send(stream, &message.base, &err);
}

static enum cs_status send_command(struct cs_rpc_stream *stream, uint64_t number) {
    Callsheet__V1__CheckpointSaved saved = CALLSHEET__V1__CHECKPOINT_SAVED__INIT;
    saved.sequence = number;
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_CHECKPOINT_SAVED;
    command.checkpoint_saved = &saved;
    Callsheet__V1__WorkCommand *commands[] = {&command};
    Callsheet__V1__WorkRequest message = CALLSHEET__V1__WORK_REQUEST__INIT;
    message.n_commands = 1;
    message.commands = commands;
    struct cs_err err;
    return cs_rpc_stream_send(stream, &message.base, &err);
}

static void client_message(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    (void)stream;
    struct peer *peer = user;
    const Callsheet__V1__WorkReport *work = (const Callsheet__V1__WorkReport *)message;
    enter(peer);
    if (work->n_reports != 1 || work->reports[0]->credits->limit != peer->next++) {
        peer->out_of_order++;
    }
    leave(peer);
    latch_add(&peer->messages);
}

static void client_drained(struct cs_rpc_stream *stream, void *user) {
    (void)stream;
    latch_add(&((struct peer *)user)->drained);
}

static const struct cs_rpc_stream_events client_events = {
    .message = client_message, .drained = client_drained, .closed = peer_closed};

static struct cs_rpc_stream *open_work(struct fixture *f, struct peer *client) {
    struct cs_err err = {0};
    struct cs_rpc_stream *stream = NULL;
    assert_ok(cs_rpc_stream_open(f->channel, &callsheet__v1__worker__descriptor, "Work", NULL, NULL, &client_events,
                                 client, &stream, &err),
              &err);
    return stream;
}

/* ---- bidirectional ---- */

static enum cs_status remember(struct cs_rpc_stream *stream, const ProtobufCMessage *request, void *ctx,
                               struct cs_err *err) {
    (void)request;
    (void)err;
    struct peer *server = ctx;
    server->stream = cs_rpc_stream_ref(stream);
    cs_rpc_stream_set_user(stream, server);
    latch_add(&server->opened);
    return CS_OK;
}

static void echo(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    struct peer *server = user;
    enter(server);
    (void)send_number(stream,
                      (uint32_t)((const Callsheet__V1__WorkRequest *)message)->commands[0]->checkpoint_saved->sequence);
    leave(server);
    latch_add(&server->messages);
}

static const struct cs_rpc_stream_events echo_events = {.opened = remember, .message = echo, .closed = peer_closed};

TEST(ten_thousand_messages_come_back_in_order) {
    struct peer server = PEER_INIT;
    struct peer client = PEER_INIT;
    struct fixture f = {.work = &echo_events, .ctx = &server};
    setup(&f);
    struct cs_rpc_stream *stream = open_work(&f, &client);
    for (uint64_t i = 0; i < MANY; i++) {
        assert_int_equal(send_command(stream, i), CS_OK);
    }
    assert_true(latch_wait(&client.messages, MANY));
    cs_rpc_stream_finish(stream, NULL); /* the server finishes by default */
    assert_true(latch_wait(&client.closed, 1));
    assert_true(latch_wait(&server.closed, 1));
    assert_int_equal(client.how.status, CS_OK);
    assert_int_equal(server.how.status, CS_OK);
    assert_int_equal(client.out_of_order, 0);
    assert_int_equal(client.overlaps + server.overlaps, 0);
    assert_true(latch_count(&client.drained) > 0);
    assert_int_equal(cs_rpc_stream_queued_bytes(stream), 0);
    assert_int_equal(send_command(stream, 0), CS_CANCELLED);
    cs_rpc_stream_unref(stream);
    cs_rpc_stream_unref(server.stream);
    teardown(&f);
}

TEST(server_speaks_first_and_finishes_with_a_failure) {
    struct peer server = PEER_INIT;
    struct peer client = PEER_INIT;
    struct fixture f = {.work = &echo_events, .ctx = &server};
    setup(&f);
    struct cs_rpc_stream *stream = open_work(&f, &client);
    assert_true(latch_wait(&server.opened, 1));
    assert_int_equal(send_number(server.stream, 0), CS_OK);
    assert_true(latch_wait(&client.messages, 1));
    assert_int_equal(send_number(server.stream, 1), CS_OK);
    struct cs_err err;
    (void)cs_fail(&err, CS_FAILED_PRECONDITION, "had_enough", "enough");
    cs_rpc_stream_finish(server.stream, &err);
    assert_int_equal(send_number(server.stream, 2), CS_CANCELLED);
    assert_true(latch_wait(&client.closed, 1));
    assert_int_equal(latch_count(&client.messages), 2); /* what was queued left before the end */
    assert_int_equal(client.how.status, CS_FAILED_PRECONDITION);
    assert_string_equal(client.how.reason, "had_enough");
    assert_true(latch_wait(&server.closed, 1));
    assert_int_equal(server.how.status, CS_OK);
    cs_rpc_stream_unref(stream);
    cs_rpc_stream_unref(server.stream);
    teardown(&f);
}

static enum cs_status refuse_to_open(struct cs_rpc_stream *stream, const ProtobufCMessage *request, void *ctx,
                                     struct cs_err *err) {
    (void)stream;
    (void)request;
    (void)ctx;
    return cs_fail(err, CS_NOT_FOUND, "no_such_thing", "nothing of that name");
}

TEST(stream_that_is_not_opened_fails_with_the_reason_and_hears_no_closed) {
    static const struct cs_rpc_stream_events events = {.opened = refuse_to_open, .closed = peer_closed};
    struct peer server = PEER_INIT;
    struct peer client = PEER_INIT;
    struct fixture f = {.work = &events, .ctx = &server};
    setup(&f);
    struct cs_rpc_stream *stream = open_work(&f, &client);
    assert_true(latch_wait(&client.closed, 1));
    assert_int_equal(client.how.status, CS_NOT_FOUND);
    assert_string_equal(client.how.reason, "no_such_thing");
    cs_rpc_stream_unref(stream);
    teardown(&f);
    assert_int_equal(latch_count(&server.closed), 0);
}

TEST(cancel_by_the_client_closes_the_servers_side_as_cancelled) {
    struct peer server = PEER_INIT;
    struct peer client = PEER_INIT;
    struct fixture f = {.work = &echo_events, .ctx = &server};
    setup(&f);
    struct cs_rpc_stream *stream = open_work(&f, &client);
    assert_true(latch_wait(&server.opened, 1));
    cs_rpc_stream_cancel(stream);
    assert_true(latch_wait(&client.closed, 1));
    assert_true(latch_wait(&server.closed, 1));
    assert_int_equal(client.how.status, CS_CANCELLED);
    assert_int_equal(server.how.status, CS_CANCELLED);
    cs_rpc_stream_cancel(stream); /* after the end it does nothing */
    cs_rpc_stream_cancel(server.stream);
    cs_rpc_stream_finish(server.stream, NULL);
    cs_rpc_stream_unref(stream);
    cs_rpc_stream_unref(server.stream);
    teardown(&f);
}

TEST(cancel_by_the_server_closes_both_sides) {
    struct peer server = PEER_INIT;
    struct peer client = PEER_INIT;
    struct fixture f = {.work = &echo_events, .ctx = &server};
    setup(&f);
    struct cs_rpc_stream *stream = open_work(&f, &client);
    assert_true(latch_wait(&server.opened, 1));
    cs_rpc_stream_cancel(server.stream);
    assert_true(latch_wait(&client.closed, 1));
    assert_true(latch_wait(&server.closed, 1));
    assert_int_equal(client.how.status, CS_CANCELLED);
    assert_int_equal(server.how.status, CS_CANCELLED);
    cs_rpc_stream_unref(stream);
    cs_rpc_stream_unref(server.stream);
    teardown(&f);
}

TEST(destroying_a_server_with_open_streams_ends_them) {
    struct peer server = PEER_INIT;
    struct peer client = PEER_INIT;
    struct fixture f = {.work = &echo_events, .ctx = &server};
    setup(&f);
    struct cs_rpc_stream *stream = open_work(&f, &client);
    assert_true(latch_wait(&server.opened, 1));
    cs_rpc_server_destroy(cs_steal(&f.server));
    assert_int_equal(latch_count(&server.closed), 1);
    assert_int_equal(server.how.status, CS_CANCELLED);
    assert_true(latch_wait(&client.closed, 1));
    assert_int_not_equal(client.how.status, CS_OK);
    cs_rpc_stream_unref(stream);
    cs_rpc_stream_unref(server.stream);
    teardown(&f);
}

TEST(destroying_a_channel_with_open_streams_ends_them) {
    struct peer server = PEER_INIT;
    struct peer client = PEER_INIT;
    struct fixture f = {.work = &echo_events, .ctx = &server};
    setup(&f);
    struct cs_rpc_stream *stream = open_work(&f, &client);
    assert_true(latch_wait(&server.opened, 1));
    cs_rpc_channel_destroy(cs_steal(&f.channel));
    assert_int_equal(latch_count(&client.closed), 1);
    assert_true(latch_wait(&server.closed, 1));
    cs_rpc_stream_unref(stream);
    cs_rpc_stream_unref(server.stream);
    teardown(&f);
}

/* ---- everything at once ---- */

enum { STORM_THREADS = 4, STORM_STREAMS = 150 };

struct storm {
    struct fixture *f;
    struct latch client_closed;
    struct latch server_opened;
    struct latch server_closed;
    _Atomic unsigned messages;
};

static enum cs_status storm_opened(struct cs_rpc_stream *stream, const ProtobufCMessage *request, void *ctx,
                                   struct cs_err *err) {
    (void)request;
    (void)err;
    struct storm *storm = ctx;
    cs_rpc_stream_set_user(stream, storm);
    latch_add(&storm->server_opened);
    return CS_OK;
}

/* Every seventh message of the storm ends its stream, one way or the other. */
static void storm_message(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    (void)message;
    unsigned number = ((struct storm *)user)->messages++;
    (void)send_number(stream, number);
    if (number % 7 == 0) {
        cs_rpc_stream_finish(stream, NULL);
    } else if (number % 7 == 1) {
        cs_rpc_stream_cancel(stream);
    }
}

static void storm_server_closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    (void)stream;
    (void)err;
    latch_add(&((struct storm *)user)->server_closed);
}

static void storm_client_closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    (void)stream;
    (void)err;
    latch_add(&((struct storm *)user)->client_closed);
}

static void *storm_main(void *arg) {
    static const struct cs_rpc_stream_events events = {.closed = storm_client_closed};
    struct storm *storm = arg;
    for (unsigned i = 0; i < STORM_STREAMS; i++) {
        struct cs_rpc_stream *stream = NULL;
        struct cs_err err;
        if (cs_rpc_stream_open(storm->f->channel, &callsheet__v1__worker__descriptor, "Work", NULL, NULL, &events,
                               storm, &stream, &err) != CS_OK) {
            return NULL;
        }
        for (unsigned k = 0; k < i % 5; k++) {
            (void)send_command(stream, k);
        }
        if (i % 3 == 0) {
            cs_rpc_stream_cancel(stream);
        } else {
            cs_rpc_stream_finish(stream, NULL);
        }
        cs_rpc_stream_unref(stream);
    }
    return NULL;
}

TEST(every_stream_closes_once_whoever_ends_it_and_whenever) {
    static const struct cs_rpc_stream_events events = {
        .opened = storm_opened, .message = storm_message, .closed = storm_server_closed};
    struct storm storm = {.client_closed = LATCH_INIT, .server_opened = LATCH_INIT, .server_closed = LATCH_INIT};
    struct fixture f = {.work = &events, .ctx = &storm};
    storm.f = &f;
    setup(&f);
    pthread_t threads[STORM_THREADS];
    for (int i = 0; i < STORM_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, storm_main, &storm), 0);
    }
    for (int i = 0; i < STORM_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_true(latch_wait(&storm.client_closed, STORM_THREADS * STORM_STREAMS));
    teardown(&f);
    assert_int_equal(latch_count(&storm.client_closed), STORM_THREADS * STORM_STREAMS);
    assert_int_equal(latch_count(&storm.server_closed), latch_count(&storm.server_opened));
}

TEST_MAIN(CS_TEST(ten_thousand_messages_come_back_in_order), CS_TEST(server_speaks_first_and_finishes_with_a_failure),
          CS_TEST(stream_that_is_not_opened_fails_with_the_reason_and_hears_no_closed),
          CS_TEST(cancel_by_the_client_closes_the_servers_side_as_cancelled),
          CS_TEST(cancel_by_the_server_closes_both_sides), CS_TEST(destroying_a_server_with_open_streams_ends_them),
          CS_TEST(destroying_a_channel_with_open_streams_ends_them),
          CS_TEST(every_stream_closes_once_whoever_ends_it_and_whenever))
