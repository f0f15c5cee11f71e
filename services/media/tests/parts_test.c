/* COVERS jobs/fetch_wire.c jobs/failure_wire.c jobs/scratch.c jobs/stop.c runner/verdict.c */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cs/base/text.h"
#include "cs/test.h"
#include "jobs/failure_wire.h"
#include "jobs/fetch_wire.h"
#include "jobs/scratch.h"
#include "jobs/stop.h"
#include "runner/verdict.h"

#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

TEST(answers_of_an_inputs_server_become_failures) {
    static const struct {
        int http;
        enum cs_status status;
        const char *code;
    } rows[] = {
        {206, CS_INVALID_ARGUMENT, "http_206"},
        {302, CS_INVALID_ARGUMENT, "input_redirects"},
        {400, CS_INVALID_ARGUMENT, "http_400"},
        {403, CS_INVALID_ARGUMENT, "input_forbidden"},
        {404, CS_INVALID_ARGUMENT, "input_not_found"},
        {410, CS_INVALID_ARGUMENT, "input_not_found"},
        {408, CS_UNAVAILABLE, "http_408"},
        {429, CS_RESOURCE_EXHAUSTED, "http_429"},
        {500, CS_UNAVAILABLE, "http_500"},
        {503, CS_UNAVAILABLE, "http_503"},
    };
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        const struct cs_http_answer answer = {.status = rows[i].http};
        struct cs_err err = {0};
        assert_fails(med_fetch_result(&answer, NULL, &err), &err, rows[i].status, rows[i].code);
    }
    const struct cs_http_answer good = {.status = 200};
    struct cs_err err = {0};
    assert_ok(med_fetch_result(&good, NULL, &err), &err);
    const struct cs_http_answer later = {.status = 429, .retry_after_ms = 7000};
    assert_int_equal(med_fetch_result(&later, NULL, &err), CS_RESOURCE_EXHAUSTED);
    assert_int_equal(err.retry_after_ms, 7000);
}

TEST(fetches_without_an_answer_become_failures) {
    static const struct {
        enum cs_status http_status;
        const char *reason;
        const char *code;
        enum cs_status status;
    } rows[] = {
        {CS_PERMISSION_DENIED, "target_not_allowed", "target_not_allowed", CS_INVALID_ARGUMENT},
        {CS_INVALID_ARGUMENT, "bad_url", "bad_url", CS_INVALID_ARGUMENT},
        {CS_OUT_OF_RANGE, "too_big", "input_too_big", CS_INVALID_ARGUMENT},
        {CS_DEADLINE_EXCEEDED, "timeout", "input_timeout", CS_UNAVAILABLE},
        {CS_RESOURCE_EXHAUSTED, "disk_full", "disk_full", CS_UNAVAILABLE},
        {CS_UNAVAILABLE, "connect_failed", "connect_failed", CS_UNAVAILABLE},
        {CS_CANCELLED, "cancelled", "cancelled", CS_CANCELLED},
    };
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        const struct cs_http_answer none = {0};
        struct cs_err cause;
        struct cs_err err = {0};
        (void)cs_fail(&cause, rows[i].http_status, rows[i].reason, "a sentence");
        assert_fails(med_fetch_result(&none, &cause, &err), &err, rows[i].status, rows[i].code);
    }
}

TEST(failures_of_the_runner_become_errors_of_their_class) {
    static const struct {
        Callsheet__V1__FailureClass failure_class;
        enum cs_status status;
    } rows[] = {
        {CLASS(INVALID_INPUT), CS_INVALID_ARGUMENT},
        {CLASS(TRANSIENT), CS_UNAVAILABLE},
        {CLASS(CODEC_UNSUPPORTED), CS_UNIMPLEMENTED},
        {CLASS(CANCELLED), CS_CANCELLED},
        {CLASS(TIMEOUT), CS_DEADLINE_EXCEEDED},
        {CLASS(INTERNAL), CS_INTERNAL},
        {99, CS_INTERNAL},
    };
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
        failed.failure_class = rows[i].failure_class;
        failed.code = (char *)"some_code";
        failed.message = (char *)"a sentence";
        struct cs_err err = {0};
        assert_fails(med_failure_from_wire(&failed, &err), &err, rows[i].status, "some_code");
        assert_string_equal(err.message, "a sentence");
    }
}

TEST(failing_storage_is_worth_another_try) {
    struct cs_err err = {0};
    (void)cs_fail_errno(&err, EACCES, "writing");
    assert_int_equal(med_failure_of_storage(&err), CS_UNAVAILABLE);
    (void)cs_fail_errno(&err, ENOSPC, "writing");
    assert_int_equal(med_failure_of_storage(&err), CS_RESOURCE_EXHAUSTED);
    (void)cs_fail(&err, CS_OUT_OF_RANGE, "too_big", "too big");
    assert_int_equal(med_failure_of_storage(&err), CS_OUT_OF_RANGE);
}

TEST(ends_of_a_child_become_failures) {
    static const struct {
        int wait_status;
        bool killed;
        const char *code;
        Callsheet__V1__FailureClass failure_class;
    } rows[] = {
        {SIGSYS, false, "sandbox_violation", CLASS(INTERNAL)},
        {SIGKILL, true, "killed", CLASS(CANCELLED)},
        {SIGKILL, false, "resource_limit", CLASS(TRANSIENT)},
        {SIGXCPU, false, "resource_limit", CLASS(INVALID_INPUT)},
        {SIGSEGV, false, "decoder_crashed", CLASS(INVALID_INPUT)},
        {SIGSEGV, true, "decoder_crashed", CLASS(INVALID_INPUT)},
        {SIGABRT, false, "decoder_crashed", CLASS(INVALID_INPUT)},
        {SIGTERM, false, "child_lost", CLASS(INTERNAL)},
        {1 << 8, false, "child_lost", CLASS(INTERNAL)},
    };
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        Callsheet__V1__Failed failed;
        assert_false(med_verdict(rows[i].wait_status, rows[i].killed, &failed));
        assert_string_equal(failed.code, rows[i].code);
        assert_int_equal(failed.failure_class, rows[i].failure_class);
    }
    Callsheet__V1__Failed failed;
    assert_true(med_verdict(0, false, &failed));
    assert_true(med_verdict(0, true, &failed)); /* it had ended before the kill came */
}

TEST(scratch_is_ours_alone_and_cleaned_at_start) {
    char dir[] = "/tmp/med_scratch_XXXXXX";
    assert_non_null(mkdtemp(dir));
    CS_AUTO_FREE char *inner = cs_sprintf("%s/scratch", dir);
    CS_AUTO_FREE char *leftover = cs_sprintf("%s/input-abc", inner);
    CS_AUTO_FREE char *other = cs_sprintf("%s/other", inner);
    assert_int_equal(mkdir(inner, 0700), 0);
    (void)close(open(leftover, O_CREAT | O_WRONLY, 0600));
    (void)close(open(other, O_CREAT | O_WRONLY, 0600));
    struct cs_err err = {0};
    struct med_scratch *scratch = NULL;
    assert_ok(med_scratch_open(inner, &scratch, &err), &err);
    assert_int_equal(access(leftover, F_OK), -1);
    assert_int_equal(access(other, F_OK), 0);
    int fd = -1;
    assert_ok(med_scratch_file(scratch, &fd, &err), &err);
    struct stat facts;
    assert_int_equal(fstat(fd, &facts), 0);
    assert_int_equal(facts.st_nlink, 0);
    (void)close(fd);
    med_scratch_close(scratch);
    assert_int_equal(chmod(inner, 0777), 0);
    assert_fails(med_scratch_open(inner, &scratch, &err), &err, CS_FAILED_PRECONDITION, "scratch_not_ours");
    CS_AUTO_FREE char *command = cs_sprintf("rm -rf -- '%s'", dir);
    assert_int_equal(system(command), 0);
}

static void *request_stop(void *stop) {
    med_stop_request(stop);
    return NULL;
}

TEST(stop_ends_a_wait_by_wish_or_by_deadline) {
    struct cs_err err = {0};
    struct med_stop wished;
    med_stop_init(&wished, INT64_MAX);
    assert_ok(med_stop_check(&wished, &err), &err);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, request_stop, &wished), 0);
    med_stop_lock(&wished);
    while (med_stop_wait(&wished)) {
    }
    med_stop_unlock(&wished);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_fails(med_stop_check(&wished, &err), &err, CS_CANCELLED, "cancelled");
    med_stop_fini(&wished);
    struct med_stop expired;
    med_stop_init(&expired, 10);
    med_stop_lock(&expired);
    while (med_stop_wait(&expired)) {
    }
    med_stop_unlock(&expired);
    assert_fails(med_stop_check(&expired, &err), &err, CS_DEADLINE_EXCEEDED, "deadline");
    assert_int_equal(med_stop_left_ms(&expired), 0);
    med_stop_fini(&expired);
}

TEST_MAIN(CS_TEST(answers_of_an_inputs_server_become_failures), CS_TEST(fetches_without_an_answer_become_failures),
          CS_TEST(failures_of_the_runner_become_errors_of_their_class), CS_TEST(failing_storage_is_worth_another_try),
          CS_TEST(ends_of_a_child_become_failures), CS_TEST(scratch_is_ours_alone_and_cleaned_at_start),
          CS_TEST(stop_ends_a_wait_by_wish_or_by_deadline))
