/* What jobs ask of those they depend on, and what their ends mean for the execution. */
#include "domain/tests/script.h"

#define BAD ORC_FAILURE_INVALID_INPUT

TEST(a_job_after_any_runs_when_the_first_parent_completes) {
    static const char *const lines[] = {"a", "b", "join|a,b"};
    struct script s;
    script_start(&s, lines, 3, false);
    script_begin(&s);
    script_fail(&s, 0, BAD, "no");
    assert_int_equal(script_state(&s, 2), ORC_JOB_WAITING);
    script_succeed(&s, 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 2), 1);
    script_succeed(&s, 2);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED); /* the failure was made good */
    assert_null(s.execution->error);
    assert_int_equal(s.execution->result_job, 2);
    script_end(&s);
}

TEST(w8_a_job_after_any_is_released_once_and_the_other_parent_goes_on) {
    static const char *const lines[] = {"a", "b", "join|a,b"};
    struct script s;
    script_start(&s, lines, 3, false);
    script_begin(&s);
    script_assign(&s, 1);
    script_succeed(&s, 0);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 2), 1);
    script_succeed(&s, 2);
    assert_int_equal(s.execution->state, ORC_EXECUTION_PROCESSING);
    script_do(&s, .kind = ORC_EVENT_SUCCEEDED, .job = 1, .attempt = 1, .payload = "ok", .payload_size = 2);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, -1), 0);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    script_end(&s);
}

TEST(sy_039_a_job_after_any_is_skipped_when_none_can_complete_any_more) {
    static const char *const lines[] = {"a", "gen", "join|a,gen", "leaf<join"};
    struct script s;
    script_start(&s, lines, 4, false);
    script_begin(&s);
    script_fail(&s, 0, BAD, "no clip");
    script_fail(&s, 1, BAD, "no picture");
    assert_int_equal(script_state(&s, 2), ORC_JOB_SKIPPED);
    assert_int_equal(script_state(&s, 3), ORC_JOB_SKIPPED);
    assert_string_equal(s.execution->jobs[3].error_message, "Dependency job failed");
    assert_string_equal(s.execution->error, "2 jobs failed: merge (no clip), generateVideo (no picture)");
    script_end(&s);
}

TEST(an_always_job_runs_after_a_failure_that_it_does_not_make_good) {
    static const char *const lines[] = {"a", "b<a", "cleanup!a,b"};
    struct script s;
    script_start(&s, lines, 3, false);
    script_begin(&s);
    script_fail(&s, 0, BAD, "no");
    assert_int_equal(script_state(&s, 1), ORC_JOB_SKIPPED);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 2), 1); /* both have ended, in the same step */
    script_succeed(&s, 2);
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    assert_string_equal(s.execution->error, "Job 'merge' failed: no");
    script_end(&s);
}

TEST(the_result_is_that_of_the_work_not_of_what_cleans_up_after_it) {
    static const char *const lines[] = {"a", "render<a", "cleanup!render"};
    struct script s;
    script_start(&s, lines, 3, false);
    script_begin(&s);
    script_succeed(&s, 0);
    script_succeed(&s, 1);
    assert_int_equal(script_state(&s, 2), ORC_JOB_READY);
    script_succeed(&s, 2);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    assert_int_equal(s.execution->result_job, 1);
    script_end(&s);
}

TEST(ex_024_some_failed_scenes_leave_a_completed_execution) {
    static const char *const lines[] = {"s1", "s2", "s3", "stitch<s1?,s2?,s3?"};
    struct script s;
    script_start(&s, lines, 4, false);
    script_begin(&s);
    script_succeed(&s, 0);
    script_fail(&s, 1, BAD, "no");
    assert_int_equal(script_state(&s, 3), ORC_JOB_WAITING); /* for the third, however it ends */
    script_succeed(&s, 2);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 3), 1);
    script_succeed(&s, 3);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    assert_int_equal(script_state(&s, 1), ORC_JOB_FAILED);
    assert_null(s.execution->error);
    script_end(&s);
}

TEST(ex_024_what_a_failed_scene_skips_is_optional_too) {
    static const char *const lines[] = {"s1", "fit1<s1", "s2", "stitch<fit1?,s2?"};
    struct script s;
    script_start(&s, lines, 4, false);
    script_begin(&s);
    script_fail(&s, 0, BAD, "no");
    assert_int_equal(script_state(&s, 1), ORC_JOB_SKIPPED);
    script_succeed(&s, 2);
    script_succeed(&s, 3);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    script_end(&s);
}

TEST(ex_024_a_stitch_that_fails_fails_the_execution) {
    static const char *const lines[] = {"s1", "stitch<s1?"};
    struct script s;
    script_start(&s, lines, 2, false);
    script_begin(&s);
    script_fail(&s, 0, BAD, "no");
    script_fail(&s, 1, BAD, "nothing to stitch");
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    assert_string_equal(s.execution->error, "2 jobs failed: merge (no), merge (nothing to stitch)");
    script_end(&s);
}

TEST(w11_a_needed_parent_that_fails_skips_at_once_beside_optional_ones) {
    static const char *const lines[] = {"a", "b", "join<a,b?", "leaf<join"};
    struct script s;
    script_start(&s, lines, 4, false);
    script_begin(&s);
    script_fail(&s, 0, BAD, "no");
    assert_int_equal(script_state(&s, 2), ORC_JOB_SKIPPED);
    assert_int_equal(script_state(&s, 3), ORC_JOB_SKIPPED);
    script_succeed(&s, 1);
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    script_end(&s);
}

TEST(a_failure_that_one_dependent_needs_is_not_made_good_by_another) {
    static const char *const lines[] = {"a", "b", "any|a,b", "needs<a"};
    struct script s;
    script_start(&s, lines, 4, false);
    script_begin(&s);
    script_fail(&s, 0, BAD, "no");
    script_succeed(&s, 1);
    script_succeed(&s, 2);
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    script_end(&s);
}

/* ---- fail fast ---- */

TEST(sy_038_fail_fast_cancels_what_was_released_and_skips_what_waited) {
    static const char *const lines[] = {"a", "b", "c", "join<b,c", "child<a", "cleanup!a"};
    struct script s;
    script_start(&s, lines, 6, true);
    fixture_mutable(s.execution->plan)->fail_fast = true;
    script_begin(&s);
    script_assign(&s, 1);
    script_fail(&s, 0, BAD, "no");
    assert_int_equal(script_commands(&s, ORC_COMMAND_STOP, 1), 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_FINISHED, -1), 1);
    assert_int_equal(script_state(&s, 1), ORC_JOB_CANCELLED);
    assert_int_equal(script_state(&s, 2), ORC_JOB_CANCELLED);
    assert_int_equal(script_state(&s, 3), ORC_JOB_SKIPPED);
    assert_string_equal(s.execution->jobs[3].error_code, "failed_fast");
    assert_string_equal(s.execution->jobs[4].error_code, "dependency_failed");
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    assert_string_equal(s.execution->error, "Job 'merge' failed: no");
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_SUCCEEDED, .job = 1, .attempt = 1, .payload = "",
                   .payload_size = 0);
    script_end(&s);
}

TEST(fail_fast_lets_a_retry_and_an_optional_failure_pass) {
    static const char *const lines[] = {"s1", "s2", "stitch<s1?,s2?"};
    struct script s;
    script_start(&s, lines, 3, false);
    fixture_mutable(s.execution->plan)->fail_fast = true;
    script_begin(&s);
    script_fail(&s, 1, ORC_FAILURE_TRANSIENT, "later");
    assert_int_equal(script_state(&s, 1), ORC_JOB_RETRYING);
    script_fail(&s, 0, BAD, "no");
    assert_int_equal(s.execution->state, ORC_EXECUTION_PROCESSING);
    script_do(&s, .kind = ORC_EVENT_RETRY_DUE, .job = 1);
    script_succeed(&s, 1);
    script_succeed(&s, 2);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    script_end(&s);
}

/* ---- limits of time ---- */

TEST(w12_a_job_that_no_worker_takes_fails_and_so_does_what_needs_it) {
    static const char *const lines[] = {"a", "b<a"};
    struct script s;
    script_start(&s, lines, 2, false);
    fixture_mutable(s.execution->plan)->jobs[0].queue_timeout_ms = 500;
    script_begin(&s);
    assert_int_equal(orc_execution_wake_at(s.execution), s.now_ms + 500);
    script_do(&s, .kind = ORC_EVENT_FAILED, .job = 0, .unassigned = true, .failure_class = ORC_FAILURE_TIMEOUT,
              .code = "queue_timeout", .message = "nobody took it");
    assert_int_equal(script_state(&s, 0), ORC_JOB_FAILED);
    assert_int_equal(script_state(&s, 1), ORC_JOB_SKIPPED);
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    assert_string_equal(s.execution->error, "Job 'merge' failed: nobody took it");
    assert_int_equal(s.execution->started_at_ms, 0);
    script_end(&s);
}

TEST(the_wait_for_a_worker_ends_with_a_worker_and_is_counted_anew_after_a_retry) {
    static const char *const lines[] = {"a"};
    struct script s;
    script_start(&s, lines, 1, false);
    fixture_mutable(s.execution->plan)->jobs[0].queue_timeout_ms = 500;
    fixture_mutable(s.execution->plan)->jobs[0].timeout_ms = 9000;
    script_begin(&s);
    script_assign(&s, 0);
    assert_int_equal(s.execution->jobs[0].deadline_ms, s.now_ms + 9000);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_FAILED, .job = 0, .attempt = 1, .unassigned = true);
    script_do(&s, .kind = ORC_EVENT_LOST, .job = 0, .attempt = 1);
    assert_int_equal(s.execution->jobs[0].deadline_ms, s.now_ms + 500);
    script_fail(&s, 0, ORC_FAILURE_TRANSIENT, "later");
    s.now_ms += 100000;
    script_do(&s, .kind = ORC_EVENT_RETRY_DUE, .job = 0);
    assert_int_equal(s.execution->jobs[0].deadline_ms, s.now_ms + 500);
    orc_execution_recovered(s.execution, s.now_ms + 70, &s.commands);
    assert_int_equal(s.execution->jobs[0].deadline_ms, s.now_ms + 570);
    script_end(&s);
}

/* ---- retries of the plan ---- */

TEST(w13_a_plan_may_bound_its_retries_and_their_delays) {
    static const char *const lines[] = {"a"};
    struct script s;
    script_start(&s, lines, 1, false);
    fixture_mutable(s.execution->plan)->jobs[0].retry =
        (struct orc_retry_policy){.attempts_max = 4, .base_ms = 10, .cap_ms = 25};
    script_begin(&s);
    static const int64_t delays[] = {10, 20, 25};
    for (size_t i = 0; i < 3; i++) {
        script_fail(&s, 0, ORC_FAILURE_TRANSIENT, "later");
        assert_int_equal(s.execution->jobs[0].wake_at_ms, s.now_ms + delays[i]);
        s.now_ms += 25;
        script_do(&s, .kind = ORC_EVENT_RETRY_DUE, .job = 0);
    }
    script_fail(&s, 0, ORC_FAILURE_TRANSIENT, "later");
    assert_int_equal(script_state(&s, 0), ORC_JOB_FAILED);
    script_end(&s);
}

TEST(no_plan_makes_a_final_class_of_failure_be_tried_again) {
    static const enum orc_failure_class final[] = {ORC_FAILURE_INVALID_INPUT, ORC_FAILURE_OUTCOME_UNKNOWN,
                                                   ORC_FAILURE_AUTH, ORC_FAILURE_CONTENT_REJECTED};
    for (size_t i = 0; i < CS_COUNT(final); i++) {
        static const char *const lines[] = {"a"};
        struct script s;
        script_start(&s, lines, 1, false);
        fixture_mutable(s.execution->plan)->jobs[0].retry = (struct orc_retry_policy){.attempts_max = 9};
        script_begin(&s);
        script_fail(&s, 0, final[i], "no");
        assert_int_equal(script_state(&s, 0), ORC_JOB_FAILED);
        script_end(&s);
    }
}

TEST(a_plan_may_forbid_retries) {
    static const char *const lines[] = {"a"};
    struct script s;
    script_start(&s, lines, 1, false);
    fixture_mutable(s.execution->plan)->jobs[0].retry = (struct orc_retry_policy){.attempts_max = 1};
    script_begin(&s);
    script_fail(&s, 0, ORC_FAILURE_TRANSIENT, "no");
    assert_int_equal(script_state(&s, 0), ORC_JOB_FAILED);
    script_end(&s);
}

TEST(bad_optional_dependencies_are_refused_with_their_path) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    static const char *const parents[] = {"a"};
    static const char *const strangers[] = {"a", "c"};
    struct orc_job_draft drafts[] = {
        {.id = "a", .output = "", .operation = &fixture_merge, .params = ""},
        {.id = "b",
         .output = "",
         .operation = &fixture_merge,
         .params = "",
         .depends_on = parents,
         .depends_on_count = 1,
         .optional = strangers,
         .optional_count = 2},
        {.id = "c", .output = "", .operation = &fixture_merge, .params = ""},
    };
    struct orc_plan *plan = NULL;
    struct cs_err err = {0};
    assert_fails(orc_plan_build(drafts, 3, arena, &plan, &err), &err, CS_INVALID_ARGUMENT, "not_a_dependency");
    assert_string_equal(err.path, "jobs[1].optionalDependencies[1]");
    drafts[1].optional_count = 1;
    drafts[1].policy = ORC_DEPENDENCY_ANY;
    assert_fails(orc_plan_build(drafts, 3, arena, &plan, &err), &err, CS_INVALID_ARGUMENT, "optional_without_all");
    assert_string_equal(err.path, "jobs[1].optionalDependencies");
    drafts[1].policy = ORC_DEPENDENCY_ALL;
    assert_ok(orc_plan_build(drafts, 3, arena, &plan, &err), &err);
    assert_true(plan->jobs[1].optional[0]);
    assert_true(plan->jobs[0].optional_for[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(a_job_after_any_runs_when_the_first_parent_completes),
        CS_TEST(w8_a_job_after_any_is_released_once_and_the_other_parent_goes_on),
        CS_TEST(sy_039_a_job_after_any_is_skipped_when_none_can_complete_any_more),
        CS_TEST(an_always_job_runs_after_a_failure_that_it_does_not_make_good),
        CS_TEST(the_result_is_that_of_the_work_not_of_what_cleans_up_after_it),
        CS_TEST(ex_024_some_failed_scenes_leave_a_completed_execution),
        CS_TEST(ex_024_what_a_failed_scene_skips_is_optional_too),
        CS_TEST(ex_024_a_stitch_that_fails_fails_the_execution),
        CS_TEST(w11_a_needed_parent_that_fails_skips_at_once_beside_optional_ones),
        CS_TEST(a_failure_that_one_dependent_needs_is_not_made_good_by_another),
        CS_TEST(sy_038_fail_fast_cancels_what_was_released_and_skips_what_waited),
        CS_TEST(fail_fast_lets_a_retry_and_an_optional_failure_pass),
        CS_TEST(w12_a_job_that_no_worker_takes_fails_and_so_does_what_needs_it),
        CS_TEST(the_wait_for_a_worker_ends_with_a_worker_and_is_counted_anew_after_a_retry),
        CS_TEST(w13_a_plan_may_bound_its_retries_and_their_delays),
        CS_TEST(no_plan_makes_a_final_class_of_failure_be_tried_again),
        CS_TEST(a_plan_may_forbid_retries),
        CS_TEST(bad_optional_dependencies_are_refused_with_their_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
