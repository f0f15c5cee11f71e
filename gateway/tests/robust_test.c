#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "http/listen.h"
#include "tests/world.h"

TEST(ambiguous_framing_is_refused_and_the_connection_closed) {
    static const char *const requests[] = {
        "POST /api/execute HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/execute HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "POST /api/execute HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        "POST /api/execute HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "GET /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: a\r\n\r\n0\r\n\r\n",
        "POST /api/execute HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /api/execute HTTP/1.1\r\nHost: a\r\nContent-Length : 2\r\n\r\n{}",
        "POST /api/execute HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}",
        "POST /api/execute HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\n{}",
        "GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /health/live HTTP/1.1\r\n\r\n",
    };
    struct world world;
    world_up(&world);
    for (size_t i = 0; i < CS_COUNT(requests); i++) {
        struct client client;
        struct answer answer;
        client_open(&client, world.address);
        client_puts(&client, requests[i]);
        /* would be answered if the server took the body's end from the other header */
        client_puts(&client, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
        client_read(&client, &answer, false);
        if (answer.status != 400 && answer.status != 0) {
            fail_msg("%s: %d", requests[i], answer.status);
        }
        assert_true(client_await_end(&client));
        assert_null(client.unread.data != NULL ? strstr(client.unread.data, "HTTP/1.1 200") : NULL);
        answer_fini(&answer);
        client_close(&client);
    }
    world_stop(&world);
}

TEST(pipelined_requests_are_answered_in_order) {
    struct world world;
    struct client client;
    world_up(&world);
    client_open(&client, world.address);
    client_puts(&client, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/executions/e1 HTTP/1.1\r\nHost: a\r\n\r\n"
                         "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
    static const int want[] = {200, 200, 404};
    for (size_t i = 0; i < CS_COUNT(want); i++) {
        struct answer answer;
        client_read(&client, &answer, false);
        assert_int_equal(answer.status, want[i]);
        answer_fini(&answer);
    }
    client_close(&client);
    world_stop(&world);
}

/* A plan of size bytes, by length or in chunks. */
static int post_big(struct world *world, size_t size, bool chunked) {
    struct client client;
    struct answer answer;
    enum { PIECE = 64 * 1024 };
    CS_AUTO_FREE char *piece = cs_alloc(PIECE + 1);
    CS_AUTO_FREE char *length = cs_sprintf("Content-Length: %zu", size);
    CS_AUTO_FREE char *head =
        cs_sprintf("POST /api/execute HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n%s\r\n\r\n",
                   chunked ? "Transfer-Encoding: chunked" : length);
    memset(piece, ' ', PIECE);
    client_open(&client, world->address);
    client_puts(&client, head);
    for (size_t sent = 0; sent < size;) {
        size_t part = size - sent < PIECE ? size - sent : PIECE;
        CS_AUTO_FREE char *chunk = cs_sprintf("%zx\r\n", part);
        client_puts(&client, chunked ? chunk : "");
        client_send(&client, piece, part);
        client_puts(&client, chunked ? "\r\n" : "");
        sent += part;
    }
    client_puts(&client, chunked ? "0\r\n\r\n" : "");
    client_read(&client, &answer, false);
    int status = answer.status;
    answer_fini(&answer);
    client_close(&client);
    return status;
}

TEST(bodies_over_four_mebibytes_are_too_large) {
    struct world world;
    world_up(&world);
    assert_int_equal(post_big(&world, 4 << 20, false), 400); /* read, and no JSON */
    assert_int_equal(post_big(&world, 4 << 20, true), 400);
    assert_int_equal(post_big(&world, (4 << 20) + 1, false), 413);
    assert_int_equal(post_big(&world, (4 << 20) + 1, true), 413);
    assert_int_equal(post_big(&world, 6 << 20, true), 413);
    struct client client;
    struct answer answer;
    client_open(&client, world.address); /* one that only claims to be huge is not waited for */
    client_puts(&client, "POST /api/execute HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n");
    client_read(&client, &answer, false);
    assert_int_equal(answer.status, 413);
    assert_true(answer.closes);
    answer_fini(&answer);
    client_close(&client);
    world_stop(&world);
}

TEST(headers_over_their_limit_are_refused) {
    struct world world;
    struct answer answer;
    world_up(&world);
    CS_AUTO_FREE char *filler = cs_alloc(40001);
    memset(filler, 'a', 40000);
    CS_AUTO_FREE char *header = cs_sprintf("X-Filler: %s\r\n", filler);
    http(world.address, "GET", "/health/live", header, NULL, &answer);
    assert_int_equal(answer.status, 431);
    answer_fini(&answer);
    world_stop(&world);
}

TEST(a_slow_header_and_a_slow_body_are_cut) {
    static const char *const starts[] = {
        "", "GET /health/live HTTP/1.1\r\nX-Slow: ",
        "POST /api/execute HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"};
    struct world world;
    world_init(&world);
    world.config.header_timeout_ms = 300;
    world.config.body_timeout_ms = 300;
    world.config.idle_timeout_ms = 10000;
    world_start(&world);
    for (size_t i = 0; i < CS_COUNT(starts); i++) {
        struct client client;
        client_open(&client, world.address);
        client_puts(&client, starts[i]);
        assert_true(client_trickle(&client, 'a'));
        client_close(&client);
    }
    json_decref(ask(&world, "GET", "/health/live", "", NULL, 200));
    world_stop(&world);
}

TEST(an_address_has_its_share_of_connections) {
    struct world world;
    struct client clients[3];
    world_init(&world);
    world.config.threads = 1;
    world.config.connections_per_address_max = 2;
    world_start(&world);
    for (size_t i = 0; i < 2; i++) {
        struct answer answer;
        client_open(&clients[i], world.address);
        client_puts(&clients[i], "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
        client_read(&clients[i], &answer, false);
        assert_int_equal(answer.status, 200);
        answer_fini(&answer);
    }
    client_open(&clients[2], world.address);
    assert_true(client_await_end(&clients[2]));
    for (size_t i = 0; i < 3; i++) {
        client_close(&clients[i]);
    }
    world_stop(&world);
}

/* How many descriptors we may have from now on: room more than there are. Returns the limit before. */
static struct rlimit limit_descriptors(int room) {
    struct rlimit limit;
    int next = dup(STDIN_FILENO);
    assert_true(next >= 0);
    (void)close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit low = {.rlim_cur = (rlim_t)next + (rlim_t)room, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    return limit;
}

TEST(a_storage_that_fails_says_nothing_of_its_place) {
    struct world world;
    struct client client;
    struct answer answer;
    world_up(&world);
    client_open(&client, world.address);
    client_puts(&client, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
    client_read(&client, &answer, false);
    answer_fini(&answer);
    const struct rlimit limit = limit_descriptors(0);
    client_puts(&client, "GET /artifacts/dev/default/e1/m/1/merged.mp4 HTTP/1.1\r\nHost: a\r\n\r\n");
    client_read(&client, &answer, false);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body.data, "storage_failed"));
    assert_null(strstr(answer.body.data, "/"));
    answer_fini(&answer);
    client_close(&client);
    world_stop(&world);
}

TEST(a_gateway_that_runs_out_of_descriptors_says_so) {
    enum { ROOM = 60 }; /* enough to get as far as the HTTP server, too few for its threads */
    struct world world;
    struct gw_app *app = NULL;
    struct cs_err err = {0};
    world_init(&world);
    world.config.threads = 64;
    const struct rlimit limit = limit_descriptors(ROOM);
    assert_fails(gw_app_create(&world.config, &app, &err), &err, CS_UNAVAILABLE, "http_server");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    world_stop(&world);
}

TEST(calls_that_take_too_long_end_in_a_timeout) {
    struct world world;
    world_init(&world);
    world.config.call_timeout_ms = 200;
    world_start(&world);
    CS_AUTO_JSON *body = ask(&world, "GET", "/v1/executions/hang", "", NULL, 504);
    assert_string_equal(text_at(body, "error"), "Timeout");
    world_stop(&world);
}

TEST(a_client_that_leaves_while_it_waits_harms_nobody) {
    struct world world;
    struct client client;
    world_init(&world);
    world.config.call_timeout_ms = 300;
    world_start(&world);
    client_open(&client, world.address);
    client_puts(&client, "GET /v1/executions/hang HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(fake_await_hanging(&world.fake, 1));
    client_close(&client);
    json_decref(ask(&world, "GET", "/v1/executions/hang", "", NULL, 504));
    world_stop(&world);
}

TEST(draining_ends_streams_waits_for_requests_and_cuts_the_rest) {
    struct world world;
    struct client waiting;
    struct client stream;
    struct answer answer;
    world_init(&world);
    world.config.drain_timeout_ms = 200;
    world_start(&world);
    client_open(&waiting, world.address);
    client_puts(&waiting, "GET /v1/executions/hang HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(fake_await_hanging(&world.fake, 1));
    client_open(&stream, world.address);
    client_puts(&stream, "GET /v1/executions/e1/events HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(fake_await_watches(&world.fake, 1));
    assert_true(fake_send(&world.fake, true, CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_PROCESSING, 1, 0));
    assert_true(client_await(&stream, "event: snapshot"));

    gw_app_drain(world.app);
    assert_true(client_await(&stream, ": draining"));
    assert_true(client_await(&stream, "0\r\n\r\n")); /* the end of the chunks, not a cut */
    gw_app_destroy(cs_steal(&world.app));
    client_read(&waiting, &answer, false);
    assert_int_equal(answer.status, 503);
    answer_fini(&answer);
    client_close(&waiting);
    client_close(&stream);
    world_stop(&world);
}

TEST(a_socket_of_the_supervisor_outlives_the_gateway) {
    struct world world;
    int fd = -1;
    struct cs_err err = {0};
    char address[GW_ADDRESS_SIZE];
    assert_ok(gw_listen("127.0.0.1:0", &fd, &err), &err);
    gw_listen_address(fd, address);
    world_init(&world);
    world.config.listen_fd = fd;
    world_start(&world);
    assert_string_equal(world.address, address);
    json_decref(ask(&world, "GET", "/health/live", "", NULL, 200));
    gw_app_drain(world.app);
    gw_app_destroy(cs_steal(&world.app));
    struct client between;
    client_open(&between, address); /* waits in the queue */
    assert_true(between.fd >= 0);
    client_puts(&between, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
    world_start(&world);
    struct answer answer;
    client_read(&between, &answer, false);
    assert_int_equal(answer.status, 200);
    answer_fini(&answer);
    client_close(&between);
    world_stop(&world);
    (void)close(fd);
    struct gw_app *app = NULL;
    world_init(&world);
    world.config.listen_fd = 0;
    assert_fails(gw_app_create(&world.config, &app, &err), &err, CS_INVALID_ARGUMENT, "bad_listen_fd");
    world_stop(&world);
}

const struct CMUnitTest robust_tests[] = {
    CS_TEST(ambiguous_framing_is_refused_and_the_connection_closed),
    CS_TEST(pipelined_requests_are_answered_in_order),
    CS_TEST(bodies_over_four_mebibytes_are_too_large),
    CS_TEST(headers_over_their_limit_are_refused),
    CS_TEST(a_slow_header_and_a_slow_body_are_cut),
    CS_TEST(an_address_has_its_share_of_connections),
    CS_TEST(a_storage_that_fails_says_nothing_of_its_place),
    CS_TEST(a_gateway_that_runs_out_of_descriptors_says_so),
    CS_TEST(calls_that_take_too_long_end_in_a_timeout),
    CS_TEST(a_client_that_leaves_while_it_waits_harms_nobody),
    CS_TEST(draining_ends_streams_waits_for_requests_and_cuts_the_rest),
    CS_TEST(a_socket_of_the_supervisor_outlives_the_gateway),
};
const size_t robust_test_count = CS_COUNT(robust_tests);
