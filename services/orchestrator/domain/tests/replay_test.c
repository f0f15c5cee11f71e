#include "domain/tests/script.h"

static enum cs_status replay(struct script *s, struct orc_event event, struct cs_err *err) {
    enum cs_status status = orc_execution_replay(s->execution, &event, err);
    orc_execution_check(s->execution);
    return status;
}

#define replay_do(s, ...)                                                                                              \
    do {                                                                                                               \
        struct cs_err replay_err = {0};                                                                                \
        assert_ok(replay(s, (struct orc_event){__VA_ARGS__}, &replay_err), &replay_err);                               \
    } while (0)

static void start(struct script *s) {
    static const char *const lines[] = {"gen", "cut<gen"};
    script_start(s, lines, 2, true);
    script_begin(s);
}

TEST(paid_work_comes_back_with_its_attempt_and_checkpoint) {
    struct script s;
    start(&s);
    replay_do(&s, .kind = ORC_EVENT_STARTED, .job = 0, .attempt = 1, .at_ms = 2000, .payload = "0123456789abcdef",
              .payload_size = 16);
    replay_do(&s, .kind = ORC_EVENT_CHECKPOINT, .job = 0, .attempt = 1, .at_ms = 2001, .payload = "id=7",
              .payload_size = 4);
    s.commands.count = 0;
    orc_execution_recovered(s.execution, s.now_ms, &s.commands);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 0), 1);
    assert_int_equal(script_state(&s, 0), ORC_JOB_READY);
    assert_int_equal(s.execution->jobs[0].attempt, 1);
    assert_memory_equal(s.execution->jobs[0].checkpoint, "id=7", 4);
    assert_int_equal(s.execution->seq, 2);
    script_assign(&s, 0);
    assert_int_equal(s.execution->jobs[0].attempt, 2);
    script_end(&s);
}

TEST(what_the_log_leaves_out_is_supplied) {
    struct script s;
    start(&s);
    replay_do(&s, .kind = ORC_EVENT_STARTED, .job = 0, .attempt = 1, .at_ms = 2000, .started_at_ms = 1999);
    replay_do(&s, .kind = ORC_EVENT_FAILED, .job = 0, .attempt = 1, .at_ms = 2010, .code = "http_503",
              .next_at_ms = 5000);
    assert_int_equal(s.execution->jobs[0].wake_at_ms, 5000);
    /* attempt 2 died with an earlier orchestrator before anything of it was stored */
    replay_do(&s, .kind = ORC_EVENT_SUCCEEDED, .job = 0, .attempt = 3, .at_ms = 9000, .payload = "clip",
              .payload_size = 4);
    assert_int_equal(s.execution->jobs[0].attempt, 3);
    assert_int_equal(s.execution->started_at_ms, 1999);
    replay_do(&s, .kind = ORC_EVENT_SUCCEEDED, .job = 1, .attempt = 1, .at_ms = 9500, .payload = "cut",
              .payload_size = 3);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    replay_do(&s, .kind = ORC_EVENT_DELIVERY_FAILED, .attempt = 1, .at_ms = 9600, .message = "HTTP 500",
              .next_at_ms = 14600);
    s.commands.count = 0;
    orc_execution_recovered(s.execution, s.now_ms, &s.commands);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DELIVER, -1), 1);
    assert_int_equal(s.commands.count, 1);
    assert_int_equal(orc_execution_wake_at(s.execution), 14600);
    script_end(&s);
}

TEST(a_wait_in_vain_replays_after_whatever_the_log_left_out) {
    struct script s;
    start(&s);
    replay_do(&s, .kind = ORC_EVENT_STARTED, .job = 0, .attempt = 1, .at_ms = 2000, .started_at_ms = 1999);
    /* it was given back, twice, and then nobody took it */
    replay_do(&s, .kind = ORC_EVENT_FAILED, .job = 0, .attempt = 3, .unassigned = true, .at_ms = 9000,
              .failure_class = ORC_FAILURE_TIMEOUT, .code = "queue_timeout", .message = "late", .started_at_ms = 1999,
              .execution_started_at_ms = 1500);
    assert_int_equal(script_state(&s, 0), ORC_JOB_FAILED);
    assert_int_equal(s.execution->jobs[0].attempt, 3);
    assert_int_equal(script_state(&s, 1), ORC_JOB_SKIPPED);
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    assert_int_equal(s.execution->started_at_ms, 1500);
    script_end(&s);
}

TEST(decisions_of_the_past_stand_whatever_the_policy_says_today) {
    struct script s;
    start(&s);
    replay_do(&s, .kind = ORC_EVENT_FAILED, .job = 0, .attempt = 1, .at_ms = 2000,
              .failure_class = ORC_FAILURE_INVALID_INPUT, .next_at_ms = 4000);
    assert_int_equal(script_state(&s, 0), ORC_JOB_RETRYING);
    replay_do(&s, .kind = ORC_EVENT_FAILED, .job = 0, .attempt = 2, .at_ms = 4100,
              .failure_class = ORC_FAILURE_TRANSIENT, .next_at_ms = 0);
    assert_int_equal(script_state(&s, 0), ORC_JOB_FAILED);
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    script_end(&s);
}

TEST(a_log_that_cannot_be_is_data_loss) {
    static const struct orc_event impossible[] = {
        {.kind = ORC_EVENT_SUCCEEDED, .job = 1, .attempt = 1}, /* before its parent */
        {.kind = ORC_EVENT_SUCCEEDED, .job = 2, .attempt = 1},
        {.kind = ORC_EVENT_SUCCEEDED, .job = 0, .attempt = 0},
        {.kind = ORC_EVENT_DELIVERED, .attempt = 1},
        {.kind = ORC_EVENT_BEGIN},
        {.kind = ORC_EVENT_ASSIGNED},
        {.kind = (enum orc_event_kind)44},
    };
    for (size_t i = 0; i < CS_COUNT(impossible); i++) {
        struct script s;
        start(&s);
        struct cs_err err = {0};
        assert_fails(replay(&s, impossible[i], &err), &err, CS_DATA_LOSS, "bad_log");
        assert_non_null(strstr(err.message, "event 1 of execution x1"));
        assert_int_equal(s.execution->seq, 0);
        script_end(&s);
    }
}

TEST_MAIN(CS_TEST(paid_work_comes_back_with_its_attempt_and_checkpoint), CS_TEST(what_the_log_leaves_out_is_supplied),
          CS_TEST(a_wait_in_vain_replays_after_whatever_the_log_left_out),
          CS_TEST(decisions_of_the_past_stand_whatever_the_policy_says_today),
          CS_TEST(a_log_that_cannot_be_is_data_loss))
