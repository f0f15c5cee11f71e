/* Jobs that complete without having run. */
#include "domain/tests/script.h"

static void reuse(struct script *s, uint32_t job, const char *reason) {
    script_do(s, .kind = ORC_EVENT_REUSED, .job = job, .attempt = s->execution->jobs[job].attempt, .payload = "old",
              .payload_size = 3, .source_execution = "x0", .source_job = "j", .reason = reason);
}

TEST(a_reused_job_has_the_result_and_says_where_it_comes_from) {
    struct script s;
    static const char *const lines[] = {"a", "b<a"};
    script_start(&s, lines, 2, false);
    script_begin(&s);
    reuse(&s, 0, "cache");
    const struct orc_job *job = &s.execution->jobs[0];
    assert_int_equal(job->state, ORC_JOB_COMPLETED);
    assert_int_equal(job->attempt, 0);
    assert_memory_equal(job->result, "old", 3);
    assert_string_equal(job->reused->execution, "x0");
    assert_string_equal(job->reused->job, "j");
    assert_string_equal(job->reused->reason, "cache");
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 1), 1);
    assert_int_equal(s.execution->state, ORC_EXECUTION_PENDING);
    script_succeed(&s, 1);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    script_end(&s);
}

TEST(what_is_reused_before_the_beginning_is_not_offered) {
    struct script s;
    static const char *const lines[] = {"a", "b", "c<a,b", "d|b,c"};
    script_start(&s, lines, 4, false);
    reuse(&s, 1, "retry");
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 3), 1); /* any: its first parent is there */
    script_begin(&s);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 0), 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 1), 0);
    script_succeed(&s, 0);
    assert_int_equal(script_state(&s, 2), ORC_JOB_READY);
    script_end(&s);
}

TEST(an_execution_of_reused_jobs_alone_completes_without_a_start) {
    struct script s;
    static const char *const lines[] = {"a", "b<a"};
    script_start(&s, lines, 2, true);
    reuse(&s, 1, "rerun"); /* in any order: it does not depend on anything any more */
    reuse(&s, 0, "rerun");
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    assert_int_equal(s.execution->started_at_ms, 0);
    assert_int_equal(s.execution->result_job, 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DELIVER, -1), 1);
    script_end(&s);
}

TEST(a_job_under_way_or_ended_is_not_reused) {
    struct script s;
    static const char *const lines[] = {"a", "b<a"};
    script_start(&s, lines, 2, false);
    script_begin(&s);
    script_assign(&s, 0);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_REUSED, .job = 0, .attempt = 1, .payload = "old",
                   .payload_size = 3);
    script_do(&s, .kind = ORC_EVENT_SUCCEEDED, .job = 0, .attempt = 1, .payload = "ok", .payload_size = 2);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_REUSED, .job = 0, .attempt = 1, .payload = "old",
                   .payload_size = 3);
    script_end(&s);
}

TEST(a_reuse_replays_after_whatever_the_log_left_out) {
    struct script s;
    static const char *const lines[] = {"gen", "b<gen"};
    script_start(&s, lines, 2, false);
    script_begin(&s);
    struct cs_err err = {0};
    struct orc_event started = {.kind = ORC_EVENT_STARTED, .attempt = 1, .at_ms = 2000, .started_at_ms = 1999};
    assert_ok(orc_execution_replay(s.execution, &started, &err), &err);
    struct orc_event reused = {.kind = ORC_EVENT_REUSED,
                               .attempt = 1,
                               .at_ms = 3000,
                               .started_at_ms = 1999,
                               .source_execution = "x0",
                               .source_job = "gen",
                               .reason = "cache",
                               .payload = "old",
                               .payload_size = 3};
    assert_ok(orc_execution_replay(s.execution, &reused, &err), &err);
    orc_execution_check(s.execution);
    assert_string_equal(s.execution->jobs[0].reused->reason, "cache");
    assert_int_equal(script_state(&s, 1), ORC_JOB_READY);
    assert_int_equal(s.execution->seq, 2);
    script_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(a_reused_job_has_the_result_and_says_where_it_comes_from),
        CS_TEST(what_is_reused_before_the_beginning_is_not_offered),
        CS_TEST(an_execution_of_reused_jobs_alone_completes_without_a_start),
        CS_TEST(a_job_under_way_or_ended_is_not_reused),
        CS_TEST(a_reuse_replays_after_whatever_the_log_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
