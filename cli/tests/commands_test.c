/* The built command line against a gateway that follows a script. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/test.h"
#include "cs/test_support.h"
#include "peer.h"

#define SNAPSHOT(status, job)                                                                                          \
    "event: snapshot\ndata: {\"id\":\"e1\",\"status\":\"" status "\",\"resultJobId\":\"a\",\"jobs\":[{\"id\":\"a\","   \
    "\"operation\":\"merge\",\"status\":\"" job "\",\"outputs\":[{\"url\":\"http://x/y\"}]}]}\n\n"
#define UPDATE(status, job)                                                                                            \
    "event: update\ndata: {\"id\":\"e1\",\"status\":\"" status "\",\"resultJobId\":\"a\",\"jobs\":[{\"id\":\"a\","     \
    "\"operation\":\"merge\",\"status\":\"" job "\",\"outputs\":[{\"url\":\"http://x/y\"}]}]}\n\n"

/* What the gateway does with the n-th request for events. */
struct script {
    const char *const *streams;
    atomic_int next;
    char body[256]; /* of the last POST; read after the program has ended */
    char authorization[64];
};

static void reply_stream(struct peer_conn *conn, struct script *script) {
    const char *stream = script->streams[atomic_fetch_add(&script->next, 1)];
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    peer_send(conn, head, sizeof(head) - 1);
    peer_send(conn, stream, strlen(stream));
}

static bool gateway(struct peer_conn *conn, const struct peer_request *request, void *ctx) {
    struct script *script = ctx;
    (void)peer_header(request, "Authorization", script->authorization, sizeof(script->authorization));
    if (cs_str_eq(request->method, "POST")) {
        cs_str_copy(script->body, sizeof(script->body), request->body);
    }
    if (cs_str_eq(request->path, "/v1/executions/e1/events")) {
        reply_stream(conn, script);
        return false;
    }
    if (cs_str_eq(request->path, "/v1/executions/e1/approve") || cs_str_eq(request->path, "/v1/executions/e1/reject")) {
        peer_reply(conn, 200, "", "{\"id\":\"e1\",\"status\":\"pending\"}");
    } else if (cs_str_eq(request->path, "/v1/executions/e1/cancel")) {
        peer_reply(conn, 200, "", "{\"id\":\"e1\",\"status\":\"cancelled\"}");
    } else if (cs_str_eq(request->path, "/v1/executions/e1")) {
        peer_reply(conn, 200, "",
                   "{\"id\":\"e1\",\"status\":\"processing\",\"jobs\":[{\"id\":\"a\",\"status\":\"ready\","
                   "\"waiting\":{\"reason\":\"no_worker\",\"message\":\"no worker offers merge\"}}]}");
    } else if (cs_str_eq(request->path, "/v1/executions") && strstr(request->body, "cycle") != NULL) {
        peer_reply(conn, 400, "",
                   "{\"error\":\"Validation failed\",\"message\":\"job a depends on itself\\u001b[2J\","
                   "\"code\":\"cycle\",\"path\":\"jobs[0].dependsOn[0]\"}");
    } else if (cs_str_eq(request->path, "/v1/executions")) {
        peer_reply(conn, 202, "", "{\"id\":\"e1\",\"status\":\"pending\"}");
    } else {
        peer_reply(conn, 404, "", "{\"error\":\"Execution not found\",\"code\":\"not_found\"}");
    }
    return true;
}

struct run {
    int code;
    char out[4096];
    char err[4096];
};

static void take(int fd, char *ret_text, size_t capacity) {
    ssize_t size = pread(fd, ret_text, capacity - 1, 0);
    ret_text[size > 0 ? size : 0] = '\0';
    (void)close(fd);
}

/* Runs callsheet with words against the gateway; input is its plan file. */
static struct run callsheet(const struct peer *peer, const char *const *words, const char *plan) {
    struct run run = {0};
    char server[256];
    CS_AUTO_FREE char *variable = cs_sprintf("CALLSHEET_SERVER=%s", peer_url(peer, "/", server));
    const char *environment[] = {variable, "CALLSHEET_API_KEY=key-1", "LC_ALL=C", NULL};
    const char *argv[12] = {CS_BIN_DIR "/callsheet"};
    for (size_t i = 0; words[i] != NULL; i++) {
        argv[i + 1] = words[i];
    }
    int in = memfd_create("plan", MFD_CLOEXEC);
    assert_int_equal(write(in, plan, strlen(plan)), strlen(plan));
    assert_int_equal(lseek(in, 0, SEEK_SET), 0);
    int out = memfd_create("out", MFD_CLOEXEC);
    int errors = memfd_create("err", MFD_CLOEXEC);
    struct cs_process_spec spec = {
        .argv = argv, .environment = environment, .stdin_fd = in, .stdout_fd = out, .stderr_fd = errors};
    CS_AUTO_PROCESS process = {0};
    struct cs_err err = {0};
    assert_ok(cs_process_start(&spec, &process, &err), &err);
    assert_ok(cs_process_wait(&process, CS_TEST_PATIENCE_MS, &run.code, &err), &err);
    (void)close(in);
    take(out, run.out, sizeof(run.out));
    take(errors, run.err, sizeof(run.err));
    return run;
}

TEST(submit_sends_the_plan_as_it_is_and_prints_the_id) {
    struct script script = {0};
    struct peer *peer = peer_start(gateway, &script);
    struct run run = callsheet(peer, (const char *const[]){"submit", "-", NULL}, "{ \"jobs\" : [] }");
    peer_stop(peer);
    assert_string_equal(run.err, "");
    assert_string_equal(run.out, "submitted e1\n");
    assert_int_equal(run.code, 0);
    assert_string_equal(script.body, "{ \"jobs\" : [] }");
    assert_string_equal(script.authorization, "Bearer key-1");
}

TEST(errors_of_the_api_are_one_sentence_with_code_and_path) {
    struct script script = {0};
    struct peer *peer = peer_start(gateway, &script);
    struct run run = callsheet(peer, (const char *const[]){"submit", "-", NULL}, "cycle");
    assert_int_equal(run.code, 1);
    assert_string_equal(run.out, "");
    assert_string_equal(run.err, "callsheet submit: job a depends on itself [2J (cycle at jobs[0].dependsOn[0])\n");
    run = callsheet(peer, (const char *const[]){"status", "nobody", NULL}, "");
    peer_stop(peer);
    assert_int_equal(run.code, 1);
    assert_string_equal(run.err, "callsheet status: Execution not found (not_found)\n");
}

TEST(watch_follows_over_broken_streams_to_the_end) {
    static const char *const streams[] = {
        ": hello\n\n" SNAPSHOT("processing", "ready") UPDATE("processing", "running"),
        "", /* breaks at once */
        SNAPSHOT("processing", "running") UPDATE("completed", "completed") "event: end\ndata: {}\n\n",
    };
    struct script script = {.streams = streams};
    struct peer *peer = peer_start(gateway, &script);
    struct run run = callsheet(peer, (const char *const[]){"submit", "-", "--watch", NULL}, "{}");
    peer_stop(peer);
    assert_string_equal(run.err, "");
    assert_int_equal(run.code, 0);
    assert_int_equal(atomic_load(&script.next), 3);
    assert_true(cs_str_starts(run.out, "submitted e1\n"));
    assert_true(cs_str_ends(run.out, "a merge completed\ncompleted e1\nresult http://x/y\n"));
}

TEST(watch_of_a_failure_exits_with_1) {
    static const char *const failed[] = {SNAPSHOT("failed", "failed")};
    static const char *const cancelled[] = {SNAPSHOT("cancelled", "cancelled")};
    const char *const *const both[] = {failed, cancelled};
    for (size_t i = 0; i < CS_COUNT(both); i++) {
        struct script script = {.streams = both[i]};
        struct peer *peer = peer_start(gateway, &script);
        struct run run = callsheet(peer, (const char *const[]){"watch", "e1", NULL}, "");
        peer_stop(peer);
        assert_int_equal(run.code, 1);
        assert_string_equal(run.err, "");
    }
}

TEST(watch_of_nobody_is_told_and_not_retried) {
    struct script script = {0};
    struct peer *peer = peer_start(gateway, &script);
    struct run run = callsheet(peer, (const char *const[]){"watch", "nobody", NULL}, "");
    assert_int_equal(peer_requests(peer), 1);
    peer_stop(peer);
    assert_int_equal(run.code, 1);
    assert_string_equal(run.err, "callsheet watch: Execution not found (not_found)\n");
}

TEST(status_and_cancel_print_words_or_json) {
    struct script script = {0};
    struct peer *peer = peer_start(gateway, &script);
    struct run run = callsheet(peer, (const char *const[]){"status", "e1", NULL}, "");
    assert_int_equal(run.code, 0);
    assert_true(cs_str_starts(run.out, "e1  processing  0 of 1 jobs\n. a "));
    assert_non_null(strstr(run.out, "\n  a: no worker offers merge\n"));
    run = callsheet(peer, (const char *const[]){"status", "--json", "e1", NULL}, "");
    assert_non_null(strstr(run.out, "\"status\": \"processing\""));
    run = callsheet(peer, (const char *const[]){"cancel", "e1", NULL}, "");
    peer_stop(peer);
    assert_string_equal(run.out, "cancelled e1\n");
}

TEST(ex_001_approve_and_reject_send_what_was_decided) {
    struct script script = {0};
    struct peer *peer = peer_start(gateway, &script);
    struct run run = callsheet(peer, (const char *const[]){"approve", "e1", NULL}, "");
    assert_int_equal(run.code, 0);
    assert_string_equal(run.out, "approved e1\n");
    assert_string_equal(script.body, "{\"comment\":\"\"}");
    run = callsheet(peer, (const char *const[]){"reject", "--comment=blurred", "e1", "a", NULL}, "");
    peer_stop(peer);
    assert_string_equal(run.out, "rejected e1 a\n");
    assert_string_equal(script.body, "{\"comment\":\"blurred\",\"jobId\":\"a\"}");
}

TEST(wrong_usage_exits_with_2) {
    static const char *const bad[][3] = {{"watch"},
                                         {"watch", "a", "b"},
                                         {"status", "../x"},
                                         {"cancel", "--nope"},
                                         {"approve", "../x"},
                                         {"reject"},
                                         {"submit"},
                                         {"nonsense"},
                                         {"up"},
                                         {"watch", "--server=x", "a"}};
    struct script script = {0};
    struct peer *peer = peer_start(gateway, &script);
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        const char *const words[] = {bad[i][0], bad[i][1], bad[i][2], NULL};
        assert_int_equal(callsheet(peer, words, "").code, 2);
    }
    static const char *const all[] = {"up", "submit", "watch", "status", "cancel", "approve", "reject", "version"};
    for (size_t i = 0; i < CS_COUNT(all); i++) {
        struct run run = callsheet(peer, (const char *const[]){all[i], "--help", NULL}, "");
        assert_int_equal(run.code, 0);
        assert_non_null(strstr(run.out, "Usage: callsheet "));
    }
    assert_int_equal(peer_connections(peer), 0);
    peer_stop(peer);
}

TEST_MAIN(CS_TEST(submit_sends_the_plan_as_it_is_and_prints_the_id),
          CS_TEST(errors_of_the_api_are_one_sentence_with_code_and_path),
          CS_TEST(watch_follows_over_broken_streams_to_the_end), CS_TEST(watch_of_a_failure_exits_with_1),
          CS_TEST(watch_of_nobody_is_told_and_not_retried), CS_TEST(status_and_cancel_print_words_or_json),
          CS_TEST(ex_001_approve_and_reject_send_what_was_decided), CS_TEST(wrong_usage_exits_with_2))
