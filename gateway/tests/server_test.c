#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "cs/test.h"
#include "http/listen.h"
#include "http/server.h"
#include "tests/http_client.h"

#define REQUEST "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static void on_any(__attribute__((unused)) struct gw_request *request, __attribute__((unused)) void *ctx) {
}

static void on_complete(struct gw_request *request, __attribute__((unused)) void *ctx) {
    gw_answer_text(request, 200, "text/plain", "yes");
}

static void on_refused(struct gw_request *request, __attribute__((unused)) const struct cs_err *err,
                       __attribute__((unused)) void *ctx) {
    gw_answer_empty(request, 400);
}

static void on_tick(__attribute__((unused)) int64_t now_ms, __attribute__((unused)) void *ctx) {
}

static const struct gw_server_events events = {
    .arrived = on_any, .complete = on_complete, .refused = on_refused, .finished = on_any, .tick = on_tick};

static struct gw_server *start(int listen_fd, unsigned connections_max) {
    const struct gw_server_config config = {
        .listen = "127.0.0.1:0",
        .listen_fd = listen_fd,
        .threads = 2,
        .connections_max = connections_max,
        .body_bytes_max = 1024,
        .header_timeout_ms = 20000,
        .body_timeout_ms = 20000,
        .idle_timeout_ms = 20000,
        .events = &events,
    };
    struct gw_server *server = NULL;
    struct cs_err err = {0};
    assert_ok(gw_server_create(&config, &server, &err), &err);
    assert_ok(gw_server_start(server, &err), &err);
    return server;
}

static int status_of(struct client *client) {
    struct answer answer;
    client_read(client, &answer, false);
    int status = answer.status;
    answer_fini(&answer);
    return status;
}

TEST(connections_over_the_limit_wait_until_one_ends) {
    enum { MAX = 2, CLIENTS = 5 };
    struct gw_server *server = start(-1, MAX);
    struct client clients[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++) {
        client_open(&clients[i], gw_server_address(server));
        client_puts(&clients[i], REQUEST);
    }
    for (size_t i = 0; i < CLIENTS; i++) { /* the queue is served in its order, each when an earlier one left */
        assert_int_equal(status_of(&clients[i]), 200);
        assert_true(gw_server_connections(server) <= MAX);
        client_close(&clients[i]);
    }
    gw_server_destroy(server);
}

struct crowd {
    char address[GW_ADDRESS_SIZE];
    atomic_bool done;
};

static void *come_and_go(void *arg) {
    struct crowd *crowd = arg;
    while (!atomic_load(&crowd->done)) {
        struct client client;
        client_open(&client, crowd->address);
        client_puts(&client, REQUEST);
        client_close(&client);
    }
    return NULL;
}

TEST(a_server_drains_while_clients_connect_as_often_as_asked) {
    enum { TIMES = 300, CLIENTS = 2 };
    struct crowd crowd = {0};
    pthread_t clients[CLIENTS];
    struct cs_err err = {0};
    int fd = -1;
    assert_ok(gw_listen("127.0.0.1:0", &fd, &err), &err);
    gw_listen_address(fd, crowd.address);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_create(&clients[i], NULL, come_and_go, &crowd), 0);
    }
    for (size_t i = 0; i < TIMES; i++) {
        struct gw_server *server = start(fd, 100);
        assert_true(gw_server_drain(server, 20000));
        gw_server_destroy(server);
    }
    struct gw_server *server = start(fd, 100); /* first: a client may stand before a queue that is full */
    atomic_store(&crowd.done, true);
    for (size_t i = 0; i < CLIENTS; i++) {
        (void)pthread_join(clients[i], NULL);
    }
    struct client last; /* the socket still takes clients for the next server */
    client_open(&last, crowd.address);
    client_puts(&last, REQUEST);
    assert_int_equal(status_of(&last), 200);
    client_close(&last);
    gw_server_destroy(server);
    (void)close(fd);
}

TEST_MAIN(CS_TEST(connections_over_the_limit_wait_until_one_ends),
          CS_TEST(a_server_drains_while_clients_connect_as_often_as_asked))
