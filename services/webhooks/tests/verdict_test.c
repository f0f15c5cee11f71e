/* COVERS domain/verdict.c */
#include "cs/base/auto.h"
#include "cs/test.h"
#include "domain/verdict.h"

#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

TEST(sy_116_only_two_hundreds_are_delivered) {
    for (int status = 100; status < 600; status++) {
        assert_int_equal(whk_verdict_of_answer(status, 0).delivered, status >= 200 && status < 300);
    }
}

TEST(each_answer_has_its_class_and_code) {
    static const struct {
        int status;
        Callsheet__V1__FailureClass failure_class;
        const char *code;
    } rows[] = {
        {410, CLASS(INVALID_INPUT), "gone"}, {301, CLASS(TRANSIENT), "redirect"},
        {307, CLASS(TRANSIENT), "redirect"}, {429, CLASS(RATE_LIMITED), "http_429"},
        {404, CLASS(TRANSIENT), "http_404"}, {401, CLASS(TRANSIENT), "http_401"},
        {500, CLASS(TRANSIENT), "http_500"}, {503, CLASS(TRANSIENT), "http_503"},
        {101, CLASS(TRANSIENT), "http_101"},
    };
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        struct whk_verdict verdict = whk_verdict_of_answer(rows[i].status, 0);
        assert_int_equal(verdict.failure_class, rows[i].failure_class);
        assert_string_equal(verdict.code, rows[i].code);
        assert_true(verdict.sentence[0] != '\0');
    }
}

TEST(a_wish_to_wait_is_passed_on) {
    assert_int_equal(whk_verdict_of_answer(429, 7000).retry_after_ms, 7000);
    assert_int_equal(whk_verdict_of_answer(503, 9000).retry_after_ms, 9000);
    assert_int_equal(whk_verdict_of_answer(410, 9000).retry_after_ms, 0);
}

TEST(requests_without_an_answer_are_tried_again_unless_never_allowed) {
    static const struct {
        enum cs_status status;
        const char *reason;
        Callsheet__V1__FailureClass failure_class;
        const char *code;
    } rows[] = {
        {CS_DEADLINE_EXCEEDED, "timeout", CLASS(TRANSIENT), "timeout"},
        {CS_UNAVAILABLE, "connect_failed", CLASS(TRANSIENT), "connect_failed"},
        {CS_UNAVAILABLE, "tls_failed", CLASS(TRANSIENT), "tls_failed"},
        {CS_OUT_OF_RANGE, "too_big", CLASS(TRANSIENT), "bad_answer"},
        {CS_PERMISSION_DENIED, "target_not_allowed", CLASS(INVALID_INPUT), "target_not_allowed"},
        {CS_INVALID_ARGUMENT, "bad_url", CLASS(INVALID_INPUT), "bad_url"},
        {CS_CANCELLED, "cancelled", CLASS(CANCELLED), "cancelled"},
    };
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        struct cs_err err = {0};
        (void)cs_fail(&err, rows[i].status, rows[i].reason, "a sentence");
        struct whk_verdict verdict = whk_verdict_of_error(&err);
        assert_false(verdict.delivered);
        assert_int_equal(verdict.failure_class, rows[i].failure_class);
        assert_string_equal(verdict.code, rows[i].code);
    }
}

TEST_MAIN(CS_TEST(sy_116_only_two_hundreds_are_delivered), CS_TEST(each_answer_has_its_class_and_code),
          CS_TEST(a_wish_to_wait_is_passed_on),
          CS_TEST(requests_without_an_answer_are_tried_again_unless_never_allowed))
