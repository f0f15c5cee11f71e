#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word

static void open_events(struct world *world, struct client *client, int watches) {
    client_open(client, world->address);
    client_puts(client, "GET /v1/executions/e1/events HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(fake_await_watches(&world->fake, watches));
}

TEST(ex_006_events_are_a_snapshot_changes_and_an_end) {
    struct world world;
    struct client client;
    world_up(&world);
    open_events(&world, &client, 1);
    assert_true(fake_send(&world.fake, true, STATE(PROCESSING), 1, 0));
    assert_true(client_await(&client, "\r\n\r\n"));
    assert_non_null(strstr(client.unread.data, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(client.unread.data, "Content-Type: text/event-stream\r\n"));
    assert_true(client_await(&client, "id: 1\nevent: snapshot\ndata: {\"id\":\"e1\",\"status\":\"processing\""));
    assert_true(client_await(&client, "\"totalJobs\":1"));
    assert_true(fake_send(&world.fake, false, STATE(PROCESSING), 2, 0));
    assert_true(client_await(&client, "id: 2\nevent: update\ndata: {\"id\":\"e1\""));
    assert_true(fake_send(&world.fake, false, STATE(COMPLETED), 3, 0));
    assert_true(client_await(&client, "event: end\ndata: {\"id\":\"e1\",\"status\":\"completed\"}\n\n"));
    assert_true(client_await(&client, "0\r\n\r\n"));
    client_close(&client);
    fake_end_watch(&world.fake, CS_OK);
    world_stop(&world);
}

TEST(an_execution_that_has_ended_gives_one_snapshot) {
    struct world world;
    struct client client;
    world_up(&world);
    open_events(&world, &client, 1);
    assert_true(fake_send(&world.fake, true, STATE(FAILED), 9, 0));
    fake_end_watch(&world.fake, CS_OK);
    assert_true(client_await(&client, "event: end\ndata: {\"id\":\"e1\",\"status\":\"failed\"}"));
    assert_true(client_await(&client, "0\r\n\r\n"));
    client_close(&client);
    world_stop(&world);
}

TEST(a_watch_that_breaks_is_opened_again_with_a_snapshot) {
    struct world world;
    struct client client;
    world_up(&world);
    open_events(&world, &client, 1);
    assert_true(fake_send(&world.fake, true, STATE(PROCESSING), 1, 0));
    assert_true(client_await(&client, "id: 1\n"));
    fake_end_watch(&world.fake, CS_UNAVAILABLE);
    assert_true(fake_await_watches(&world.fake, 2));
    assert_true(fake_send(&world.fake, true, STATE(COMPLETED), 5, 0));
    assert_true(client_await(&client, "id: 5\nevent: snapshot"));
    assert_true(client_await(&client, "event: end"));
    client_close(&client);
    world_stop(&world);
}

TEST(a_watch_that_is_refused_ends_with_an_error) {
    struct world world;
    struct client client;
    world_up(&world);
    open_events(&world, &client, 1);
    assert_true(fake_send(&world.fake, true, STATE(PROCESSING), 1, 0));
    assert_true(client_await(&client, "id: 1\n"));
    fake_end_watch(&world.fake, CS_NOT_FOUND);
    assert_true(client_await(&client, "event: error\ndata: {\"error\":\"Execution not found\""));
    assert_true(client_await(&client, "0\r\n\r\n"));
    client_close(&client);
    world_stop(&world);
}

TEST(a_watch_that_fails_before_its_first_message_is_an_http_error) {
    struct world world;
    struct client client;
    struct answer answer;
    world_up(&world);
    open_events(&world, &client, 1);
    fake_end_watch(&world.fake, CS_RESOURCE_EXHAUSTED);
    client_read(&client, &answer, false);
    assert_int_equal(answer.status, 429);
    answer_fini(&answer);
    client_close(&client);
    world_stop(&world);
}

TEST(a_watch_that_stays_silent_is_given_up) {
    struct world world;
    struct client client;
    struct answer answer;
    world_init(&world);
    world.config.call_timeout_ms = 100;
    world_start(&world);
    open_events(&world, &client, 1);
    client_read(&client, &answer, false);
    assert_int_equal(answer.status, 504);
    assert_true(fake_await_closed(&world.fake, 1));
    answer_fini(&answer);
    client_close(&client);
    world_stop(&world);
}

TEST(a_quiet_stream_says_that_it_lives_and_notices_when_the_client_has_gone) {
    struct world world;
    struct client client;
    world_init(&world);
    world.config.keep_alive_ms = 100;
    world_start(&world);
    open_events(&world, &client, 1);
    assert_true(fake_send(&world.fake, true, STATE(PROCESSING), 1, 0));
    assert_true(client_await(&client, ": keep-alive\n\n"));
    client_close(&client);
    assert_true(fake_await_closed(&world.fake, 1));
    world_stop(&world);
}

static void *read_to_the_end(void *arg) {
    return client_await(arg, "id: 1000\nevent: snapshot") ? arg : NULL;
}

TEST(a_client_that_does_not_read_is_not_buffered_without_bound) {
    struct world world;
    struct client client;
    uint64_t revision = 1;
    world_up(&world);
    open_events(&world, &client, 1);
    assert_true(fake_send(&world.fake, true, STATE(PROCESSING), revision, 0));
    assert_true(client_await(&client, "event: snapshot"));
    /* far more than sockets and queues hold: at some point the gateway drops the watch */
    while (revision < 400 && fake_send(&world.fake, false, STATE(PROCESSING), ++revision, 256 * 1024)) {
    }
    assert_true(fake_await_closed(&world.fake, 1));
    pthread_t reader; /* reading again opens it again */
    assert_int_equal(pthread_create(&reader, NULL, read_to_the_end, &client), 0);
    assert_true(fake_await_watches(&world.fake, 2));
    assert_true(fake_send(&world.fake, true, STATE(COMPLETED), 1000, 0));
    void *seen = NULL;
    (void)pthread_join(reader, &seen);
    assert_non_null(seen);
    client_close(&client);
    world_stop(&world);
}

const struct CMUnitTest events_tests[] = {
    CS_TEST(ex_006_events_are_a_snapshot_changes_and_an_end),
    CS_TEST(an_execution_that_has_ended_gives_one_snapshot),
    CS_TEST(a_watch_that_breaks_is_opened_again_with_a_snapshot),
    CS_TEST(a_watch_that_is_refused_ends_with_an_error),
    CS_TEST(a_watch_that_fails_before_its_first_message_is_an_http_error),
    CS_TEST(a_watch_that_stays_silent_is_given_up),
    CS_TEST(a_quiet_stream_says_that_it_lives_and_notices_when_the_client_has_gone),
    CS_TEST(a_client_that_does_not_read_is_not_buffered_without_bound),
};
const size_t events_test_count = CS_COUNT(events_tests);
