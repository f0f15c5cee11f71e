#include "domain/moves.h"
#include "domain/tests/script.h"

static void start_finished(struct script *s) {
    static const char *const lines[] = {"a"};
    script_start(s, lines, 1, true);
    script_begin(s);
    script_succeed(s, 0);
}

static void deliver(struct script *s) {
    script_do(s, .kind = ORC_EVENT_DELIVERY_ASSIGNED, .fence = {9});
}

TEST(sy_107_sy_119_w7_a_terminal_state_asks_for_the_webhook_and_keeps_the_execution_open) {
    struct script s;
    start_finished(&s);
    assert_int_equal(script_commands(&s, ORC_COMMAND_FINISHED, -1), 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DELIVER, -1), 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_CLOSED, -1), 0);
    assert_true(orc_execution_terminal(s.execution));
    assert_false(orc_execution_closed(s.execution));
    assert_int_equal(orc_execution_wake_at(s.execution), s.now_ms);
    deliver(&s);
    assert_int_equal(orc_execution_wake_at(s.execution), s.now_ms + ORC_DELIVERY_TIMEOUT_MS + ORC_ATTEMPT_GRACE_MS);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_DELIVERY_ASSIGNED);
    script_do(&s, .kind = ORC_EVENT_DELIVERED, .attempt = 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_CLOSED, -1), 1);
    assert_int_equal(s.execution->delivery.state, ORC_DELIVERY_DELIVERED);
    assert_int_equal(s.execution->delivery.delivered_at_ms, s.now_ms);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_DELIVERY_FAILED, .attempt = 2);
    script_refused(&s, "stale_attempt", .kind = ORC_EVENT_DELIVERED, .attempt = 1);
    script_end(&s);
}

TEST(sy_010_a_webhook_is_a_delivery_after_all_jobs_and_none_without_a_url) {
    static const char *const lines[] = {"a", "b<a", "c"};
    for (int webhook = 0; webhook < 2; webhook++) {
        struct script s;
        script_start(&s, lines, 3, webhook == 1);
        script_begin(&s);
        for (uint32_t job = 0; job < 3; job++) {
            script_succeed(&s, job);
            assert_int_equal(script_commands(&s, ORC_COMMAND_DELIVER, -1), webhook == 1 && job == 2);
        }
        assert_int_equal(orc_execution_closed(s.execution), webhook == 0);
        script_end(&s);
    }
}

TEST(w6_failures_and_cancellations_are_told_too) {
    static const char *const lines[] = {"a"};
    struct script s;
    script_start(&s, lines, 1, true);
    script_begin(&s);
    script_do(&s, .kind = ORC_EVENT_CANCEL);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DELIVER, -1), 1);
    script_end(&s);
    script_start(&s, lines, 1, true);
    script_begin(&s);
    script_fail(&s, 0, ORC_FAILURE_INVALID_INPUT, "");
    assert_int_equal(script_commands(&s, ORC_COMMAND_DELIVER, -1), 1);
    script_end(&s);
}

TEST(w26_t15_the_schedule_is_followed_to_its_end) {
    static const int64_t delays_s[] = {5, 60, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
    struct script s;
    start_finished(&s);
    for (uint32_t try = 1; try <= ORC_DELIVERY_TRIES_MAX; try++) {
        deliver(&s);
        script_do(&s, .kind = ORC_EVENT_DELIVERY_FAILED, .attempt = try, .message = "HTTP 503",
                  .chance = UINT32_MAX / 2);
        assert_string_equal(s.execution->delivery.last_error, "HTTP 503");
        if (try < ORC_DELIVERY_TRIES_MAX) {
            int64_t delay = s.execution->delivery.next_try_at_ms - s.now_ms;
            assert_in_range(delay, delays_s[try - 1] * 999, delays_s[try - 1] * 1001);
            assert_int_equal(script_commands(&s, ORC_COMMAND_DELIVER, -1), 1);
        }
    }
    assert_int_equal(s.execution->delivery.state, ORC_DELIVERY_ABANDONED);
    assert_int_equal(script_commands(&s, ORC_COMMAND_CLOSED, -1), 1);
    script_end(&s);
}

TEST(the_schedule_has_ten_percent_of_jitter) {
    assert_int_equal(orc_delivery_retry_at(1, 0, 0), 4500);
    assert_int_equal(orc_delivery_retry_at(1, UINT32_MAX, 0), 5500);
    assert_int_equal(orc_delivery_retry_at(ORC_DELIVERY_TRIES_MAX, 0, 5), 0);
}

TEST(a_final_answer_ends_the_tries) {
    struct script s;
    start_finished(&s);
    deliver(&s);
    script_do(&s, .kind = ORC_EVENT_DELIVERY_FAILED, .attempt = 1, .code = "gone", .message = "", .final = true);
    assert_int_equal(s.execution->delivery.state, ORC_DELIVERY_ABANDONED);
    assert_string_equal(s.execution->delivery.last_error, "gone");
    script_end(&s);
}

TEST(a_lost_worker_is_no_try) {
    struct script s;
    start_finished(&s);
    for (int64_t loss = 0; loss < 3; loss++) {
        deliver(&s);
        script_do(&s, .kind = ORC_EVENT_DELIVERY_LOST);
        assert_int_equal(s.execution->delivery.tries, 0);
        assert_int_equal(s.execution->delivery.next_try_at_ms, s.now_ms + loss * 1000);
    }
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_DELIVERY_LOST);
    script_end(&s);
}

TEST(deliveries_of_an_open_execution_are_refused) {
    static const char *const lines[] = {"a"};
    struct script s;
    script_start(&s, lines, 1, true);
    script_begin(&s);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_DELIVERY_ASSIGNED);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_DELIVERED, .attempt = 1);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_DELIVERY_FAILED, .attempt = 1);
    script_end(&s);
}

TEST(backoff_doubles_up_to_its_cap) {
    const struct orc_retry_policy policy = {.attempts_max = 100, .base_ms = 1000, .cap_ms = 60000};
    assert_int_equal(orc_retry_at(&policy, 1, 0, UINT32_MAX, 0), 1000);
    assert_int_equal(orc_retry_at(&policy, 5, 0, UINT32_MAX, 0), 16000);
    assert_int_equal(orc_retry_at(&policy, 7, 0, UINT32_MAX, 0), 60000);
    assert_int_equal(orc_retry_at(&policy, 99, 0, UINT32_MAX, 0), 60000);
    assert_int_equal(orc_retry_at(&policy, 100, 0, UINT32_MAX, 0), 0);
    assert_int_equal(orc_retry_at(&policy, 1, 0, 0, 77), 77); /* full jitter: from nothing */
}

TEST_MAIN(CS_TEST(sy_107_sy_119_w7_a_terminal_state_asks_for_the_webhook_and_keeps_the_execution_open),
          CS_TEST(sy_010_a_webhook_is_a_delivery_after_all_jobs_and_none_without_a_url),
          CS_TEST(w6_failures_and_cancellations_are_told_too), CS_TEST(w26_t15_the_schedule_is_followed_to_its_end),
          CS_TEST(the_schedule_has_ten_percent_of_jitter), CS_TEST(a_final_answer_ends_the_tries),
          CS_TEST(a_lost_worker_is_no_try), CS_TEST(deliveries_of_an_open_execution_are_refused),
          CS_TEST(backoff_doubles_up_to_its_cap))
