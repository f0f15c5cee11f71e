/* COVERS client.c transfer.c hop.c: the client against a peer that behaves and misbehaves. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "cs/test.h"
#include "peer.h"

enum { WAIT_S = 10 };

static const struct cs_http_policy development = {.allow_http = true, .allow_private = true};
static const struct cs_http_policy following = {.allow_http = true, .allow_private = true, .redirects_max = 3};

/* What done was told. */
struct got {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int done;
    int status;
    char body[4096];
    struct cs_err err;
    bool sent;
    int64_t retry_after_ms;
    char address[64];
    char type[64];
    char x[64];
    uint64_t progress;
    uint64_t expected;
    int pieces;
    uint64_t received; /* in pieces */
};

#define GOT                                                                                                            \
    { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER }

static void on_done(const struct cs_http_answer *answer, const struct cs_err *err, void *user) {
    struct got *got = user;
    (void)pthread_mutex_lock(&got->lock);
    got->done++;
    got->status = answer->status;
    cs_str_copy(got->body, sizeof(got->body), answer->body);
    cs_str_copy(got->address, sizeof(got->address), answer->address);
    cs_str_copy(got->type, sizeof(got->type), answer->content_type);
    const char *x = answer->header(answer, "X-Test");
    cs_str_copy(got->x, sizeof(got->x), x != NULL ? x : "(none)");
    got->retry_after_ms = answer->retry_after_ms;
    got->sent = answer->request_sent;
    if (err != NULL) {
        got->err = *err;
    }
    (void)pthread_cond_broadcast(&got->changed);
    (void)pthread_mutex_unlock(&got->lock);
}

static void wait_until(struct got *got, const int *number, int value) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    (void)pthread_mutex_lock(&got->lock);
    int code = 0;
    while (*number < value && code == 0) {
        code = pthread_cond_timedwait(&got->changed, &got->lock, &until);
    }
    (void)pthread_mutex_unlock(&got->lock);
    assert_int_equal(code, 0);
}

static void wait_done(struct got *got) {
    wait_until(got, &got->done, 1);
}

static struct cs_http *client(void) {
    struct cs_http *http = NULL;
    struct cs_err err = {0};
    assert_ok(cs_http_create(&http, &err), &err);
    return http;
}

/* One request, waited for. */
static void run(struct cs_http *http, const struct cs_http_request *request, struct got *got) {
    (void)cs_http_start(http, request, on_done, got);
    wait_done(got);
    assert_int_equal(got->done, 1);
}

static void assert_err(const struct got *got, enum cs_status status, const char *reason) {
    if (got->err.status != status || strcmp(got->err.reason, reason) != 0) {
        fail_msg("%s %s (%s) instead of %s", cs_status_name(got->err.status), got->err.reason, got->err.message,
                 reason);
    }
    assert_int_equal(got->status, 0);
}

/* ---- the peer's behaviours, chosen by path ---- */

static bool behave(struct peer_conn *conn, const struct peer_request *request, void *ctx) {
    char value[256];
    (void)ctx;
    if (strcmp(request->path, "/hello") == 0) {
        peer_reply(conn, 200, "Content-Type: text/plain\r\nX-Test: yes\r\n", "hello");
    } else if (strcmp(request->path, "/echo") == 0) {
        char *text = cs_sprintf("%s|%s|%s|%s|%s|%s", request->method, request->body,
                                peer_header(request, "content-type", value, sizeof(value)),
                                strstr(request->head, "User-Agent: Callsheet/") != NULL ? "ua" : "",
                                strstr(request->head, "traceparent: 00-") != NULL ? "trace" : "",
                                strstr(request->head, "Expect") != NULL ? "expect" : "");
        peer_reply(conn, 201, "", text);
        free(text);
    } else if (strcmp(request->path, "/later") == 0) {
        peer_reply(conn, 429, "Retry-After: 7\r\n", "");
    } else if (strcmp(request->path, "/hang") == 0) {
        peer_hang(conn);
        return false;
    } else if (strcmp(request->path, "/stall") == 0) {
        peer_send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart", 44);
        peer_hang(conn);
        return false;
    } else if (strcmp(request->path, "/short") == 0) {
        peer_send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart", 44);
        return false;
    } else if (strcmp(request->path, "/reset") == 0) {
        peer_reset(conn);
        return false;
    } else if (strcmp(request->path, "/babble") == 0) {
        peer_send(conn, "220 smtp ready\r\n", 16);
        return false;
    } else if (strcmp(request->path, "/header") == 0) {
        peer_send(conn, "HTTP/1.1 200 OK\r\n", 17);
        for (int i = 0; i < 40; i++) {
            char line[1024];
            memset(line, 'a', sizeof(line));
            memcpy(line, "X-Filler: ", 10);
            memcpy(line + sizeof(line) - 2, "\r\n", 2);
            peer_send(conn, line, sizeof(line));
        }
        return false;
    } else if (strcmp(request->path, "/endless") == 0) {
        char piece[4096];
        memset(piece, 'x', sizeof(piece));
        peer_send(conn, "HTTP/1.1 200 OK\r\n\r\n", 19);
        for (int i = 0; i < 1000; i++) {
            peer_send(conn, piece, sizeof(piece));
        }
        return false;
    } else if (strncmp(request->path, "/to?", 4) == 0) {
        char *headers = cs_sprintf("Location: %s\r\n", request->path + 4);
        peer_reply(conn, 302, headers, "moved");
        free(headers);
    } else if (strcmp(request->path, "/key") == 0) {
        peer_reply(conn, 200, "", peer_header(request, "x-api-key", value, sizeof(value)));
    } else if (strcmp(request->path, "/host") == 0) {
        peer_reply(conn, 200, "", peer_header(request, "host", value, sizeof(value)));
    } else if (strcmp(request->path, "/events") == 0) {
        peer_send(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n", 64);
        peer_hang(conn);
        return false;
    } else {
        peer_reply(conn, 404, "", "");
    }
    return true;
}

struct pair {
    struct peer *peer;
    struct cs_http *http;
    char url[256];
};

static struct pair pair_start(void) {
    return (struct pair){.peer = peer_start(behave, NULL), .http = client()};
}

static void pair_stop(struct pair *pair) {
    cs_http_destroy(pair->http);
    peer_stop(pair->peer);
}

/* ---- plain answers ---- */

TEST(an_answer_has_status_body_and_headers) {
    struct pair pair = pair_start();
    struct got got = GOT;
    run(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/hello", pair.url)}, &got);
    assert_int_equal(got.status, 200);
    assert_string_equal(got.body, "hello");
    assert_string_equal(got.type, "text/plain");
    assert_string_equal(got.x, "yes");
    assert_string_equal(got.address, "127.0.0.1");
    assert_true(got.sent);
    pair_stop(&pair);
}

TEST(a_request_carries_method_body_and_headers) {
    struct pair pair = pair_start();
    struct got got = GOT;
    struct cs_trace trace = cs_trace_root();
    struct cs_http_header headers[] = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
    char *body = malloc(4);
    memcpy(body, "{1}", 4);
    struct cs_http_request request = {.method = "POST",
                                      .url = peer_url(pair.peer, "/echo", pair.url),
                                      .headers = headers,
                                      .header_count = 2,
                                      .body = body,
                                      .body_size = 3,
                                      .trace = &trace};
    (void)cs_http_start(pair.http, &request, on_done, &got);
    memset(body, 'x', 4);
    free(body);
    wait_done(&got);
    assert_int_equal(got.status, 201);
    assert_string_equal(got.body, "POST|{1}|application/json|ua|trace|");
    pair_stop(&pair);
}

TEST(other_methods_and_empty_bodies_work) {
    struct pair pair = pair_start();
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "GET"};
    for (size_t i = 0; i < CS_COUNT(methods); i++) {
        struct got got = GOT;
        char want[64];
        (void)snprintf(want, sizeof(want), "%s|||ua||", methods[i]);
        run(pair.http, &(struct cs_http_request){.method = methods[i], .url = peer_url(pair.peer, "/echo", pair.url)},
            &got);
        assert_string_equal(got.body, want);
    }
    struct got head = GOT;
    run(pair.http, &(struct cs_http_request){.method = "HEAD", .url = peer_url(pair.peer, "/missing", pair.url)},
        &head);
    assert_int_equal(head.status, 404);
    pair_stop(&pair);
}

TEST(malformed_requests_are_refused_without_a_connection) {
    struct pair pair = pair_start();
    struct cs_http_header smuggled = {"X-A", "b\r\nX-Evil: yes"};
    struct cs_http_header unnamed = {"X A", "b"};
    (void)peer_url(pair.peer, "/hello", pair.url);
    const struct cs_http_request requests[] = {
        {.url = pair.url, .headers = &smuggled, .header_count = 1},
        {.url = pair.url, .headers = &unnamed, .header_count = 1},
        {.url = pair.url, .method = "GET / HTTP/1.1\r\nX: "},
        {.url = pair.url, .method = ""},
    };
    for (size_t i = 0; i < CS_COUNT(requests); i++) {
        struct got got = GOT;
        run(pair.http, &requests[i], &got);
        assert_err(&got, CS_INVALID_ARGUMENT, "bad_request");
        assert_false(got.sent);
    }
    struct got got = GOT;
    run(pair.http, &(struct cs_http_request){.url = "ftp://example.com/"}, &got);
    assert_err(&got, CS_INVALID_ARGUMENT, "bad_url");
    assert_int_equal(peer_connections(pair.peer), 0);
    pair_stop(&pair);
}

TEST(a_wish_to_retry_later_is_read) {
    struct pair pair = pair_start();
    struct got got = GOT;
    run(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/later", pair.url)}, &got);
    assert_int_equal(got.status, 429);
    assert_int_equal(got.retry_after_ms, 7000);
    pair_stop(&pair);
}

TEST(fetch_waits_for_the_answer) {
    struct pair pair = pair_start();
    CS_AUTO_BUF body = {0};
    struct cs_err err = {0};
    int status = 0;
    struct cs_http_request request = {.url = peer_url(pair.peer, "/hello", pair.url)};
    assert_ok(cs_http_fetch(pair.http, &request, &status, &body, &err), &err);
    assert_int_equal(status, 200);
    assert_string_equal(body.data, "hello");
    request.url = "https://";
    assert_fails(cs_http_fetch(pair.http, &request, &status, &body, &err), &err, CS_INVALID_ARGUMENT, "bad_url");
    pair_stop(&pair);
}

/* ---- limits and faults ---- */

TEST(an_answer_beyond_the_limit_is_too_big_or_cut) {
    struct pair pair = pair_start();
    struct got big = GOT;
    struct got declared = GOT;
    struct got header = GOT;
    struct got cut = GOT;
    struct cs_http_request request = {.url = peer_url(pair.peer, "/endless", pair.url), .answer_bytes_max = 10000};
    run(pair.http, &request, &big);
    assert_err(&big, CS_OUT_OF_RANGE, "too_big");
    request.answer_bytes_max = 2048;
    request.answer_may_be_cut = true;
    run(pair.http, &request, &cut);
    assert_int_equal(cut.status, 200);
    assert_int_equal(strlen(cut.body), 2048);
    request = (struct cs_http_request){.url = peer_url(pair.peer, "/short", pair.url), .answer_bytes_max = 99};
    run(pair.http, &request, &declared);
    assert_err(&declared, CS_OUT_OF_RANGE, "too_big");
    request.url = peer_url(pair.peer, "/header", pair.url);
    run(pair.http, &request, &header);
    assert_err(&header, CS_OUT_OF_RANGE, "too_big");
    pair_stop(&pair);
}

TEST(slow_answers_time_out) {
    struct pair pair = pair_start();
    struct got whole = GOT;
    struct got idle = GOT;
    run(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/hang", pair.url), .timeout_ms = 100}, &whole);
    assert_err(&whole, CS_DEADLINE_EXCEEDED, "timeout");
    assert_true(whole.sent);
    run(pair.http,
        &(struct cs_http_request){
            .url = peer_url(pair.peer, "/stall", pair.url), .timeout_ms = -1, .idle_timeout_ms = 100},
        &idle);
    assert_err(&idle, CS_DEADLINE_EXCEEDED, "timeout");
    pair_stop(&pair);
}

TEST(cut_and_nonsense_answers_are_told_apart) {
    struct pair pair = pair_start();
    struct got cut = GOT;
    struct got reset = GOT;
    struct got babble = GOT;
    struct got tls = GOT;
    run(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/short", pair.url)}, &cut);
    assert_err(&cut, CS_UNAVAILABLE, "connection_lost");
    run(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/reset", pair.url), .method = "POST"}, &reset);
    assert_err(&reset, CS_UNAVAILABLE, "connection_lost");
    assert_true(reset.sent);
    run(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/babble", pair.url)}, &babble);
    assert_err(&babble, CS_UNAVAILABLE, "bad_answer");
    char url[64];
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", peer_port(pair.peer));
    run(pair.http, &(struct cs_http_request){.url = url}, &tls);
    assert_err(&tls, CS_UNAVAILABLE, "tls_failed");
    assert_false(tls.sent);
    pair_stop(&pair);
}

TEST(a_refused_connection_sent_nothing) {
    struct pair pair = pair_start();
    struct got got = GOT;
    (void)peer_url(pair.peer, "/hello?secret=1", pair.url);
    peer_stop(pair.peer);
    run(pair.http, &(struct cs_http_request){.url = pair.url}, &got);
    assert_err(&got, CS_UNAVAILABLE, "connect_failed");
    assert_false(got.sent);
    assert_true(got.err.retryable);
    assert_null(strstr(got.err.message, "secret"));
    cs_http_destroy(pair.http);
}

/* ---- connections ---- */

static bool close_after_one(struct peer_conn *conn, const struct peer_request *request, void *ctx) {
    (void)request;
    (void)ctx;
    peer_reply(conn, 200, "", "ok");
    return false; /* though it did not say so */
}

TEST(reads_share_a_connection_and_writes_never_ride_on_a_kept_one) {
    struct pair pair = pair_start();
    for (int i = 0; i < 3; i++) {
        struct got got = GOT;
        run(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/hello", pair.url)}, &got);
    }
    assert_int_equal(peer_connections(pair.peer), 1);
    struct got got = GOT;
    run(pair.http, &(struct cs_http_request){.method = "POST", .url = peer_url(pair.peer, "/echo", pair.url)}, &got);
    assert_int_equal(peer_connections(pair.peer), 2);
    pair_stop(&pair);
}

TEST(a_write_reaches_the_peer_once_when_kept_connections_die) {
    struct peer *peer = peer_start(close_after_one, NULL);
    struct cs_http *http = client();
    char url[256];
    for (int i = 0; i < 10; i++) {
        struct got got = GOT;
        run(http, &(struct cs_http_request){.method = "POST", .url = peer_url(peer, "/", url)}, &got);
        assert_int_equal(got.status, 200);
    }
    assert_int_equal(peer_requests(peer), 10);
    cs_http_destroy(http);
    peer_stop(peer);
}

/* ---- redirects ---- */

static void go(struct pair *pair, const char *path, const struct cs_http_policy *guard, struct got *got) {
    struct cs_http_header key = {"X-Api-Key", "sesame"};
    run(pair->http,
        &(struct cs_http_request){
            .url = peer_url(pair->peer, path, pair->url), .guard = guard, .headers = &key, .header_count = 1},
        got);
}

TEST(redirects_are_answers_unless_the_policy_follows_them) {
    struct pair pair = pair_start();
    struct got stays = GOT;
    struct got goes = GOT;
    struct got posted = GOT;
    go(&pair, "/to?/hello", &development, &stays);
    assert_int_equal(stays.status, 302);
    assert_string_equal(stays.body, "moved");
    go(&pair, "/to?/hello", &following, &goes);
    assert_int_equal(goes.status, 200);
    assert_string_equal(goes.body, "hello");
    run(pair.http,
        &(struct cs_http_request){
            .method = "POST", .url = peer_url(pair.peer, "/to?/hello", pair.url), .guard = &following},
        &posted);
    assert_int_equal(posted.status, 302);
    pair_stop(&pair);
}

TEST(each_redirect_is_judged_again) {
    struct pair pair = pair_start();
    static const char *const bad[] = {"/to?http://169.254.169.254/latest/",
                                      "/to?http://2130706433/",
                                      "/to?file:///etc/passwd",
                                      "/to?gopher://127.0.0.1/",
                                      "/to?http://user:pw@127.0.0.1/",
                                      "/to?http://[::ffff:a9fe:1]/",
                                      "/to?//169.254.1.1/x"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct got got = GOT;
        go(&pair, bad[i], &following, &got);
        assert_err(&got, CS_PERMISSION_DENIED, "target_not_allowed");
    }
    pair_stop(&pair);
}

TEST(redirects_end_after_the_limit) {
    struct pair pair = pair_start();
    struct got three = GOT;
    struct got four = GOT;
    go(&pair, "/to?/to?/to?/hello", &following, &three);
    assert_int_equal(three.status, 200);
    go(&pair, "/to?/to?/to?/to?/hello", &following, &four);
    assert_int_equal(four.status, 302);
    pair_stop(&pair);
}

TEST(secrets_stay_with_the_first_host) {
    struct pair pair = pair_start();
    struct peer *other = peer_start(behave, NULL);
    struct got same = GOT;
    struct got moved = GOT;
    char path[300];
    char url[256];
    go(&pair, "/to?/key", &following, &same);
    assert_string_equal(same.body, "sesame");
    (void)snprintf(path, sizeof(path), "/to?%s", peer_url(other, "/key", url));
    go(&pair, path, &following, &moved);
    assert_int_equal(moved.status, 200);
    assert_string_equal(moved.body, "");
    peer_stop(other);
    pair_stop(&pair);
}

/* ---- names ---- */

struct names {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int lookups;
    bool stuck;
    const char *first[4]; /* the first answer, then … */
    const char *later[4];
};

#define NAMES .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER

static enum cs_status look_up(const char *host, struct cs_addresses *ret_addresses, void *ctx, struct cs_err *err) {
    struct names *names = ctx;
    (void)pthread_mutex_lock(&names->lock);
    while (names->stuck && strcmp(host, "stuck.test") == 0) {
        (void)pthread_cond_wait(&names->changed, &names->lock);
    }
    const char *const *answer = names->lookups++ == 0 ? names->first : names->later;
    (void)pthread_mutex_unlock(&names->lock);
    for (size_t i = 0; i < 4 && answer[i] != NULL; i++) {
        cs_str_copy(ret_addresses->text[ret_addresses->count++], CS_ADDRESS_SIZE, answer[i]);
    }
    return ret_addresses->count > 0 ? CS_OK
                                    : cs_fail(err, CS_UNAVAILABLE, "dns_failed", "resolving %s: no address", host);
}

static struct cs_http *client_with(struct names *names) {
    struct cs_http *http = NULL;
    struct cs_err err = {0};
    assert_ok(cs_http_create_with(look_up, names, &http, &err), &err);
    return http;
}

TEST(x5_a_name_is_looked_up_once_and_the_connection_goes_to_that_address) {
    struct peer *peer = peer_start(behave, NULL);
    struct names names = {NAMES, .first = {"127.0.0.1"}, .later = {"169.254.169.254"}};
    struct cs_http *http = client_with(&names);
    struct got got = GOT;
    char url[96];
    char host[64];
    (void)snprintf(host, sizeof(host), "rebind.test:%u", peer_port(peer));
    (void)snprintf(url, sizeof(url), "http://%s/host", host);
    run(http, &(struct cs_http_request){.url = url, .guard = &development}, &got);
    assert_int_equal(got.status, 200);
    assert_string_equal(got.body, host);
    assert_string_equal(got.address, "127.0.0.1");
    assert_int_equal(names.lookups, 1);

    struct got again = GOT;
    run(http, &(struct cs_http_request){.url = url, .guard = &development}, &again);
    assert_err(&again, CS_PERMISSION_DENIED, "target_not_allowed");
    assert_int_equal(peer_connections(peer), 1);
    cs_http_destroy(http);
    peer_stop(peer);
}

TEST(x5_a_name_that_turns_bad_between_hops_is_refused) {
    struct peer *peer = peer_start(behave, NULL);
    struct names names = {NAMES, .first = {"127.0.0.1"}, .later = {"127.0.0.1", "169.254.169.254"}};
    struct cs_http *http = client_with(&names);
    struct got got = GOT;
    char url[64];
    (void)snprintf(url, sizeof(url), "http://rebind.test:%u/to?/hello", peer_port(peer));
    run(http, &(struct cs_http_request){.url = url, .guard = &following}, &got);
    assert_err(&got, CS_PERMISSION_DENIED, "target_not_allowed");
    assert_int_equal(names.lookups, 2);
    assert_int_equal(peer_requests(peer), 1);
    cs_http_destroy(http);
    peer_stop(peer);
}

TEST(one_forbidden_address_among_many_refuses_them_all) {
    struct peer *peer = peer_start(behave, NULL);
    struct cs_http_policy tenant = {.allow_http = true, .redirects_max = 3};
    static const char *const sets[][3] = {{"127.0.0.1"},
                                          {"93.184.216.34", "10.0.0.1"},
                                          {"2606:4700::1", "::1"},
                                          {"::ffff:8.8.8.8"},
                                          {"8.8.8.8", "2002:7f00:1::"}};
    for (size_t i = 0; i < CS_COUNT(sets); i++) {
        struct names names = {NAMES, .first = {sets[i][0], sets[i][1]}};
        struct cs_http *http = client_with(&names);
        struct got got = GOT;
        run(http, &(struct cs_http_request){.url = "http://mixed.example.com/", .guard = &tenant}, &got);
        assert_err(&got, CS_PERMISSION_DENIED, "target_not_allowed");
        assert_false(got.sent);
        cs_http_destroy(http);
    }
    peer_stop(peer);
}

TEST(the_next_address_is_tried_when_one_does_not_answer) {
    struct peer *peer = peer_start(behave, NULL);
    struct names names = {NAMES, .first = {"127.0.0.2", "127.0.0.1"}};
    struct cs_http *http = client_with(&names);
    struct got got = GOT;
    char url[64];
    (void)snprintf(url, sizeof(url), "http://two.test:%u/hello", peer_port(peer));
    run(http, &(struct cs_http_request){.url = url, .guard = &development}, &got);
    assert_int_equal(got.status, 200);
    cs_http_destroy(http);
    peer_stop(peer);
}

TEST(a_slow_lookup_times_out_and_holds_up_nobody) {
    struct peer *peer = peer_start(behave, NULL);
    static struct names names = {NAMES, .stuck = true, .first = {"127.0.0.1"}, .later = {"127.0.0.1"}};
    struct cs_http *http = client_with(&names);
    struct got slow = GOT;
    struct got quick = GOT;
    char url[256];
    (void)cs_http_start(http, &(struct cs_http_request){.url = "http://stuck.test/", .connect_timeout_ms = 300},
                        on_done, &slow);
    run(http, &(struct cs_http_request){.url = peer_url(peer, "/hello", url)}, &quick);
    assert_int_equal(quick.status, 200);
    wait_done(&slow);
    assert_err(&slow, CS_DEADLINE_EXCEEDED, "timeout");
    assert_false(slow.sent);
    cs_http_destroy(http);
    (void)pthread_mutex_lock(&names.lock);
    names.stuck = false;
    (void)pthread_cond_broadcast(&names.changed);
    (void)pthread_mutex_unlock(&names.lock);
    peer_stop(peer);
}

TEST(a_name_without_address_is_told) {
    struct names names = {NAMES};
    struct cs_http *http = client_with(&names);
    struct got got = GOT;
    run(http, &(struct cs_http_request){.url = "http://nowhere.test/"}, &got);
    assert_err(&got, CS_UNAVAILABLE, "dns_failed");
    cs_http_destroy(http);
}

/* ---- bodies that go elsewhere ---- */

static void on_progress(uint64_t received, uint64_t expected, void *user) {
    struct got *got = user;
    got->progress = received;
    got->expected = expected;
}

TEST(m4_a_body_can_go_to_a_file) {
    struct pair pair = pair_start();
    struct got got = GOT;
    CS_AUTO_FD int fd = memfd_create("answer", MFD_CLOEXEC);
    char text[16] = "";
    run(pair.http,
        &(struct cs_http_request){.url = peer_url(pair.peer, "/to?/hello", pair.url),
                                  .guard = &following,
                                  .answer_fd = fd,
                                  .progress = on_progress},
        &got);
    assert_int_equal(got.status, 200);
    assert_string_equal(got.body, "");
    assert_int_equal(pread(fd, text, sizeof(text), 0), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(got.progress, 5);
    assert_int_equal(got.expected, 5);
    pair_stop(&pair);
}

TEST(a_file_that_cannot_take_the_body_fails_the_request) {
    struct pair pair = pair_start();
    struct got got = GOT;
    CS_AUTO_FD int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    run(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/hello", pair.url), .answer_fd = fd}, &got);
    assert_err(&got, CS_RESOURCE_EXHAUSTED, "disk_full");
    pair_stop(&pair);
}

static bool on_piece(const void *bytes, size_t size, void *user) {
    struct got *got = user;
    (void)pthread_mutex_lock(&got->lock);
    got->pieces++;
    got->received += size;
    bool more = !(size >= 9 && memcmp(bytes, "data: one", 9) == 0 && got->x[0] == '!');
    (void)pthread_cond_broadcast(&got->changed);
    (void)pthread_mutex_unlock(&got->lock);
    return more;
}

TEST(a_stream_is_given_piece_by_piece_until_cancelled) {
    struct pair pair = pair_start();
    struct got got = GOT;
    struct cs_http_request request = {
        .url = peer_url(pair.peer, "/events", pair.url), .data = on_piece, .timeout_ms = -1};
    uint64_t handle = cs_http_start(pair.http, &request, on_done, &got);
    wait_until(&got, &got.pieces, 1);
    cs_http_cancel(pair.http, handle);
    wait_done(&got);
    assert_err(&got, CS_CANCELLED, "cancelled");
    struct got stopped = GOT;
    stopped.x[0] = '!';
    run(pair.http, &request, &stopped);
    assert_err(&stopped, CS_CANCELLED, "cancelled");
    pair_stop(&pair);
}

TEST(m4_a_stream_may_be_longer_than_an_answer_in_memory) {
    struct pair pair = pair_start();
    struct got got = GOT;
    run(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/endless", pair.url), .data = on_piece}, &got);
    assert_int_equal(got.err.status, CS_OK);
    assert_int_equal(got.received, 1000 * 4096);
    pair_stop(&pair);
}

/* ---- ends ---- */

TEST(cancel_ends_a_request_once_and_late_cancels_do_nothing) {
    struct pair pair = pair_start();
    struct got got = GOT;
    uint64_t handle = cs_http_start(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/hang", pair.url)},
                                    on_done, &got);
    assert_true(peer_wait_requests(pair.peer, 1));
    cs_http_cancel(pair.http, handle);
    wait_done(&got);
    assert_err(&got, CS_CANCELLED, "cancelled");
    cs_http_cancel(pair.http, handle);
    cs_http_cancel(pair.http, 12345);
    struct got next = GOT;
    run(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/hello", pair.url)}, &next);
    assert_int_equal(got.done, 1);
    pair_stop(&pair);
}

TEST(destroy_ends_what_is_open) {
    struct pair pair = pair_start();
    static struct got got[8];
    for (int i = 0; i < 8; i++) {
        got[i] = (struct got)GOT;
        (void)cs_http_start(pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, "/hang", pair.url)},
                            on_done, &got[i]);
    }
    assert_true(peer_wait_requests(pair.peer, 4));
    pair_stop(&pair);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(got[i].done, 1);
        assert_err(&got[i], CS_CANCELLED, "cancelled");
    }
}

TEST(many_requests_wait_at_once_in_one_thread) {
    struct pair pair = pair_start();
    enum { MANY = 200 };
    static struct got got[MANY];
    for (int i = 0; i < MANY; i++) {
        got[i] = (struct got)GOT;
        (void)cs_http_start(
            pair.http, &(struct cs_http_request){.url = peer_url(pair.peer, i % 2 == 0 ? "/hello" : "/echo", pair.url)},
            on_done, &got[i]);
    }
    for (int i = 0; i < MANY; i++) {
        wait_done(&got[i]);
        assert_int_equal(got[i].status, i % 2 == 0 ? 200 : 201);
    }
    pair_stop(&pair);
}

static void tick(void *ctx) {
    struct got *got = ctx;
    (void)pthread_mutex_lock(&got->lock);
    got->pieces++;
    (void)pthread_cond_broadcast(&got->changed);
    (void)pthread_mutex_unlock(&got->lock);
}

static void drop_mark(void *ctx) {
    ++*(int *)ctx;
}

TEST(functions_run_on_the_loop_after_their_delay) {
    struct cs_http *http = client();
    struct got got = GOT;
    int64_t started = cs_clock_mono_ms();
    static int dropped;
    cs_http_after(http, 60000, tick, &got);
    cs_http_after_or(http, 60000, tick, &dropped, drop_mark);
    cs_http_after(http, 50, tick, &got);
    cs_http_after(http, 0, tick, &got);
    wait_until(&got, &got.pieces, 2);
    assert_true(cs_clock_mono_ms() - started >= 50);
    cs_http_destroy(http);
    assert_int_equal(got.pieces, 2);
    assert_int_equal(dropped, 1);
}

TEST_MAIN(CS_TEST(an_answer_has_status_body_and_headers), CS_TEST(a_request_carries_method_body_and_headers),
          CS_TEST(other_methods_and_empty_bodies_work), CS_TEST(malformed_requests_are_refused_without_a_connection),
          CS_TEST(a_wish_to_retry_later_is_read), CS_TEST(fetch_waits_for_the_answer),
          CS_TEST(an_answer_beyond_the_limit_is_too_big_or_cut), CS_TEST(slow_answers_time_out),
          CS_TEST(cut_and_nonsense_answers_are_told_apart), CS_TEST(a_refused_connection_sent_nothing),
          CS_TEST(reads_share_a_connection_and_writes_never_ride_on_a_kept_one),
          CS_TEST(a_write_reaches_the_peer_once_when_kept_connections_die),
          CS_TEST(redirects_are_answers_unless_the_policy_follows_them), CS_TEST(each_redirect_is_judged_again),
          CS_TEST(redirects_end_after_the_limit), CS_TEST(secrets_stay_with_the_first_host),
          CS_TEST(x5_a_name_is_looked_up_once_and_the_connection_goes_to_that_address),
          CS_TEST(x5_a_name_that_turns_bad_between_hops_is_refused),
          CS_TEST(one_forbidden_address_among_many_refuses_them_all),
          CS_TEST(the_next_address_is_tried_when_one_does_not_answer),
          CS_TEST(a_slow_lookup_times_out_and_holds_up_nobody), CS_TEST(a_name_without_address_is_told),
          CS_TEST(m4_a_body_can_go_to_a_file), CS_TEST(a_file_that_cannot_take_the_body_fails_the_request),
          CS_TEST(a_stream_is_given_piece_by_piece_until_cancelled),
          CS_TEST(m4_a_stream_may_be_longer_than_an_answer_in_memory),
          CS_TEST(cancel_ends_a_request_once_and_late_cancels_do_nothing), CS_TEST(destroy_ends_what_is_open),
          CS_TEST(many_requests_wait_at_once_in_one_thread), CS_TEST(functions_run_on_the_loop_after_their_delay))
