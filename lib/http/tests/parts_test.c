/* COVERS answer.c timers.c resolver.c hop.c (the last line before a socket). */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "cs/test.h"
#include "resolver.h"
#include "timers.h"
#include "transfer.h"

static bool add(struct cs_fields *fields, const char *line) {
    return cs_fields_add(fields, line, strlen(line));
}

TEST(header_fields_are_found_by_any_case_and_start_over) {
    struct cs_fields fields = {0};
    assert_null(cs_fields_find(&fields, "x"));
    assert_true(add(&fields, "HTTP/1.1 100 Continue\r\n"));
    assert_true(add(&fields, "X-Early: gone\r\n"));
    assert_true(add(&fields, "HTTP/1.1 200 OK\r\n"));
    assert_true(add(&fields, "Content-Type:  text/plain \r\n"));
    assert_true(add(&fields, "Empty:\r\n"));
    assert_true(add(&fields, "content-type: second\r\n"));
    assert_true(add(&fields, "no colon\r\n"));
    assert_true(add(&fields, "\r\n"));
    assert_string_equal(cs_fields_find(&fields, "CONTENT-type"), "text/plain");
    assert_string_equal(cs_fields_find(&fields, "empty"), "");
    assert_null(cs_fields_find(&fields, "x-early"));
    cs_fields_fini(&fields);
}

TEST(header_section_has_a_limit) {
    struct cs_fields fields = {0};
    char line[1024];
    memset(line, 'a', sizeof(line));
    memcpy(line, "x-y: ", 5);
    for (int i = 0; i < CS_HTTP_HEADER_BYTES_MAX / (int)sizeof(line); i++) {
        assert_true(cs_fields_add(&fields, line, sizeof(line)));
    }
    assert_false(cs_fields_add(&fields, line, 1));
    cs_fields_fini(&fields);
}

TEST(retry_after_reads_seconds_dates_and_milliseconds) {
    const int64_t now = 1767225600000; /* 2026-01-01T00:00:00Z */
    assert_int_equal(cs_retry_after_ms("120", NULL, now), 120000);
    assert_int_equal(cs_retry_after_ms("0", NULL, now), 0);
    assert_int_equal(cs_retry_after_ms("Thu, 01 Jan 2026 00:00:30 GMT", NULL, now), 30000);
    assert_int_equal(cs_retry_after_ms("Wed, 31 Dec 2025 23:00:00 GMT", NULL, now), 0);
    assert_int_equal(cs_retry_after_ms("5", "250", now), 250);
    assert_int_equal(cs_retry_after_ms("999999999", NULL, now), CS_HTTP_RETRY_AFTER_MAX_MS);
    assert_int_equal(cs_retry_after_ms("-5", NULL, now), 0);
    assert_int_equal(cs_retry_after_ms("soon", NULL, now), 0);
    assert_int_equal(cs_retry_after_ms("nan", NULL, now), 0);
    assert_int_equal(cs_retry_after_ms(NULL, NULL, now), 0);
}

static void count(void *ctx) {
    ++*(int *)ctx;
}

TEST(timers_come_in_order_and_not_early) {
    struct cs_timers timers = {0};
    struct cs_timer timer = {0};
    static int marks[1000];
    for (int i = 0; i < 1000; i++) {
        cs_timers_add(&timers, (struct cs_timer){.due_ms = (i * 7919) % 500, .fn = count, .ctx = &marks[i]});
    }
    assert_int_equal(cs_timers_wait_ms(&timers, -5, 1000), 5);
    assert_int_equal(cs_timers_wait_ms(&timers, -5000, 1000), 1000);
    assert_false(cs_timers_take(&timers, -1, &timer));
    int64_t last = -1;
    uint64_t order = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(cs_timers_take(&timers, 500, &timer));
        assert_true(timer.due_ms > last || (timer.due_ms == last && timer.order > order));
        last = timer.due_ms;
        order = timer.order;
    }
    assert_int_equal(cs_timers_wait_ms(&timers, 0, 77), 77);
    cs_timers_add(&timers, (struct cs_timer){.due_ms = 1, .fn = count, .ctx = &marks[0], .drop = count});
    cs_timers_fini(&timers);
    assert_int_equal(marks[0], 1);
}

struct lookups {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    int answered;
    int failed;
};

static enum cs_status gated(const char *host, struct cs_addresses *ret_addresses, void *ctx, struct cs_err *err) {
    struct lookups *lookups = ctx;
    (void)pthread_mutex_lock(&lookups->lock);
    while (!lookups->open) {
        (void)pthread_cond_wait(&lookups->changed, &lookups->lock);
    }
    (void)pthread_mutex_unlock(&lookups->lock);
    if (strcmp(host, "bad") == 0) {
        return cs_fail(err, CS_UNAVAILABLE, "dns_failed", "no");
    }
    ret_addresses->count = 1;
    (void)snprintf(ret_addresses->text[0], CS_ADDRESS_SIZE, "192.0.2.1");
    return CS_OK;
}

static void on_answer(uint64_t id, const struct cs_addresses *addresses, const struct cs_err *err, void *ctx) {
    struct lookups *lookups = ctx;
    (void)id;
    (void)err;
    (void)pthread_mutex_lock(&lookups->lock);
    lookups->answered++;
    lookups->failed += addresses == NULL ? 1 : 0;
    (void)pthread_cond_broadcast(&lookups->changed);
    (void)pthread_mutex_unlock(&lookups->lock);
}

TEST(resolver_answers_many_and_survives_destroy_with_some_stuck) {
    static struct lookups lookups = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .open = true};
    struct cs_resolver *resolver = cs_resolver_create(gated, &lookups, on_answer, &lookups);
    struct cs_err err = {0};
    for (int i = 0; i < 200; i++) {
        assert_ok(cs_resolver_start(resolver, (uint64_t)i, i % 4 == 0 ? "bad" : "good", &err), &err);
    }
    (void)pthread_mutex_lock(&lookups.lock);
    while (lookups.answered < 200) {
        (void)pthread_cond_wait(&lookups.changed, &lookups.lock);
    }
    assert_int_equal(lookups.failed, 50);
    lookups.open = false;
    (void)pthread_mutex_unlock(&lookups.lock);
    for (int i = 0; i < 40; i++) {
        assert_ok(cs_resolver_start(resolver, (uint64_t)i, "good", &err), &err);
    }
    cs_resolver_destroy(resolver);
    (void)pthread_mutex_lock(&lookups.lock);
    assert_int_equal(lookups.answered, 200);
    lookups.open = true;
    (void)pthread_cond_broadcast(&lookups.changed);
    (void)pthread_mutex_unlock(&lookups.lock);
}

TEST(system_resolver_knows_localhost_and_refuses_nonsense) {
    struct cs_addresses addresses = {0};
    struct cs_err err = {0};
    assert_ok(cs_resolve_system("localhost", &addresses, NULL, &err), &err);
    assert_true(addresses.count >= 1);
    assert_fails(cs_resolve_system("does-not-exist.invalid", &addresses, NULL, &err), &err, CS_UNAVAILABLE,
                 "dns_failed");
}

static void no_answer(const struct cs_http_answer *answer, const struct cs_err *err, void *user) {
    (void)answer;
    (void)err;
    (void)user;
}

/* Were a wrong address to slip through everything before: no socket. */
TEST(no_socket_is_opened_to_a_forbidden_address) {
    struct cs_http_policy policy = {.allow_http = true};
    struct cs_http_request request = {.url = "http://example.com/", .guard = &policy};
    struct transfer *transfer = transfer_create(&request, no_answer, NULL);
    struct curl_sockaddr address = {.family = AF_INET, .socktype = SOCK_STREAM, .addrlen = sizeof(struct sockaddr_in)};
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&address.addr;
    v4->sin_family = AF_INET;
    (void)inet_pton(AF_INET, "8.8.8.8", &v4->sin_addr);
    curl_socket_t fd = transfer_open_socket(transfer, CURLSOCKTYPE_IPCXN, &address);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)inet_pton(AF_INET, "10.1.2.3", &v4->sin_addr);
    assert_int_equal(transfer_open_socket(transfer, CURLSOCKTYPE_IPCXN, &address), CURL_SOCKET_BAD);
    assert_string_equal(transfer->failed.reason, "target_not_allowed");
    transfer_destroy(transfer);
}

TEST_MAIN(CS_TEST(header_fields_are_found_by_any_case_and_start_over), CS_TEST(header_section_has_a_limit),
          CS_TEST(retry_after_reads_seconds_dates_and_milliseconds), CS_TEST(timers_come_in_order_and_not_early),
          CS_TEST(resolver_answers_many_and_survives_destroy_with_some_stuck),
          CS_TEST(system_resolver_knows_localhost_and_refuses_nonsense),
          CS_TEST(no_socket_is_opened_to_a_forbidden_address))
