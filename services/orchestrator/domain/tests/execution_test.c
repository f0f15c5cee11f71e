#include "domain/tests/script.h"

TEST(sy_050_roots_are_dispatched_at_the_beginning_and_only_once) {
    static const char *const lines[] = {"a", "b", "join<a,b"};
    struct script s;
    script_start(&s, lines, 3, false);
    script_begin(&s);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, -1), 2);
    assert_int_equal(script_state(&s, 2), ORC_JOB_WAITING);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_SUCCEEDED, .job = 0, .payload = "", .payload_size = 0);
    script_assign(&s, 0);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_BEGIN);
    script_end(&s);
}

TEST(sy_051_sy_053_w8_the_last_parent_releases_a_job_exactly_once) {
    static const char *const lines[] = {"join<a,b", "a", "b"};
    struct script s;
    script_start(&s, lines, 3, false);
    script_begin(&s);
    script_succeed(&s, 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, -1), 0);
    script_succeed(&s, 2);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 0), 1);
    assert_int_equal(s.commands.count, 1);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_SUCCEEDED, .job = 2, .attempt = 1, .payload = "",
                   .payload_size = 0);
    assert_int_equal(s.execution->seq, 2); /* assignments are not stored */
    script_end(&s);
}

TEST(sy_036_w19_an_execution_completes_with_its_last_leaf_as_result) {
    static const char *const lines[] = {"a", "left<a", "right<a"};
    struct script s;
    script_start(&s, lines, 3, false);
    script_begin(&s);
    assert_int_equal(s.execution->state, ORC_EXECUTION_PENDING);
    script_succeed(&s, 0);
    assert_int_equal(s.execution->state, ORC_EXECUTION_PROCESSING);
    assert_int_equal(s.execution->result_job, -1);
    script_succeed(&s, 2);
    script_succeed(&s, 1);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    assert_int_equal(s.execution->result_job, 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_FINISHED, -1), 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_CLOSED, -1), 1);
    assert_true(orc_execution_closed(s.execution));
    assert_true(s.execution->started_at_ms > CREATED_MS);
    assert_memory_equal(s.execution->jobs[1].result, "ok", 2);
    script_end(&s);
}

TEST(sy_018_w21_an_empty_plan_completes_at_once) {
    struct script s;
    script_start(&s, NULL, 0, false);
    assert_false(orc_execution_terminal(s.execution));
    script_begin(&s);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    assert_int_equal(s.execution->result_job, -1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_FINISHED, -1), 1);
    script_end(&s);
}

TEST(sy_038_sy_049_sy_052_w11_a_failure_for_good_skips_all_that_depend_on_it_in_one_step) {
    static const char *const lines[] = {"a", "b<a", "c<b", "d<c,other", "other"};
    struct script s;
    script_start(&s, lines, 5, false);
    script_begin(&s);
    script_fail(&s, 0, ORC_FAILURE_INVALID_INPUT, "no such clip");
    assert_int_equal(script_state(&s, 0), ORC_JOB_FAILED);
    for (uint32_t job = 1; job <= 3; job++) {
        assert_int_equal(script_state(&s, job), ORC_JOB_SKIPPED);
        assert_string_equal(s.execution->jobs[job].error_message, "Dependency job failed");
    }
    assert_int_equal(s.execution->state, ORC_EXECUTION_PROCESSING); /* the rest still runs */
    script_succeed(&s, 4);
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    assert_string_equal(s.execution->error, "Job 'merge' failed: no such clip");
    assert_int_equal(s.execution->result_job, -1);
    script_end(&s);
}

TEST(skipping_a_chain_of_ten_thousand_does_not_recurse) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const char **lines = cs_arena_array(arena, ORC_PLAN_JOBS_MAX, sizeof(*lines));
    lines[0] = "j0";
    for (uint32_t i = 1; i < ORC_PLAN_JOBS_MAX; i++) {
        lines[i] = cs_arena_sprintf(arena, "j%u<j%u", i, i - 1);
    }
    struct script s;
    script_start(&s, lines, ORC_PLAN_JOBS_MAX, false);
    script_begin(&s);
    script_fail(&s, 0, ORC_FAILURE_INVALID_INPUT, "");
    assert_int_equal(script_state(&s, ORC_PLAN_JOBS_MAX - 1), ORC_JOB_SKIPPED);
    assert_string_equal(s.execution->error, "Job 'merge' failed: boom"); /* without a sentence the code has to do */
    script_end(&s);
}

TEST(sy_039_several_failures_are_listed) {
    static const char *const lines[] = {"a", "gen", "c"};
    struct script s;
    script_start(&s, lines, 3, false);
    script_begin(&s);
    script_fail(&s, 1, ORC_FAILURE_BILLING, "no credit");
    script_fail(&s, 0, ORC_FAILURE_INVALID_INPUT, "bad clip");
    script_succeed(&s, 2);
    assert_string_equal(s.execution->error, "2 jobs failed: merge (bad clip), generateVideo (no credit)");
    script_end(&s);
}

TEST(sy_139_t17_a_class_that_may_be_retried_waits_with_growing_jitter_and_then_fails) {
    static const char *const lines[] = {"a"};
    struct script s;
    script_start(&s, lines, 1, false);
    script_begin(&s);
    static const int64_t delays[] = {1000, 2000};
    for (size_t i = 0; i < 2; i++) {
        script_fail(&s, 0, ORC_FAILURE_TRANSIENT, "later");
        assert_int_equal(script_state(&s, 0), ORC_JOB_RETRYING);
        assert_int_equal(s.execution->jobs[0].wake_at_ms, s.now_ms + delays[i]);
        assert_int_equal(orc_execution_wake_at(s.execution), s.now_ms + delays[i]);
        assert_string_equal(s.execution->jobs[0].error_code, "boom");
        script_do(&s, .kind = ORC_EVENT_RETRY_DUE, .job = 0);
        assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 0), 1);
    }
    script_fail(&s, 0, ORC_FAILURE_TRANSIENT, "too late");
    assert_int_equal(script_state(&s, 0), ORC_JOB_FAILED);
    assert_int_equal(s.execution->jobs[0].attempt, 3);
    assert_int_equal(s.execution->jobs[0].failures, 3);
    assert_string_equal(s.execution->error, "Job 'merge' failed: too late");
    script_end(&s);
}

TEST(a_wish_to_wait_is_honoured_within_limits) {
    static const char *const lines[] = {"a"};
    struct script s;
    script_start(&s, lines, 1, false);
    script_begin(&s);
    static const int64_t wishes[][2] = {{30000, 30000}, {INT64_MAX, ORC_RETRY_AFTER_MS_MAX}};
    for (size_t i = 0; i < 2; i++) {
        script_assign(&s, 0);
        script_do(&s, .kind = ORC_EVENT_FAILED, .job = 0, .attempt = s.execution->jobs[0].attempt,
                  .failure_class = ORC_FAILURE_RATE_LIMITED, .retry_after_ms = wishes[i][0], .chance = 0);
        assert_int_equal(s.execution->jobs[0].wake_at_ms, s.now_ms + wishes[i][1]);
        script_do(&s, .kind = ORC_EVENT_RETRY_DUE, .job = 0);
    }
    script_end(&s);
}

TEST(an_unknown_outcome_is_not_tried_again) {
    static const char *const lines[] = {"gen"};
    struct script s;
    script_start(&s, lines, 1, false);
    script_begin(&s);
    script_fail(&s, 0, ORC_FAILURE_OUTCOME_UNKNOWN, "the answer got lost");
    assert_int_equal(script_state(&s, 0), ORC_JOB_FAILED);
    script_end(&s);
}

TEST(a_failure_class_that_we_do_not_know_counts_as_unspecified) {
    static const char *const lines[] = {"a"};
    struct script s;
    script_start(&s, lines, 1, false);
    script_begin(&s);
    script_fail(&s, 0, (enum orc_failure_class)77, "from the future");
    assert_int_equal(script_state(&s, 0), ORC_JOB_RETRYING);
    assert_int_equal(s.execution->jobs[0].failure_class, ORC_FAILURE_UNSPECIFIED);
    script_end(&s);
}

TEST(ta_056_t15_a_lost_worker_is_no_failure_until_it_happens_too_often) {
    static const char *const lines[] = {"a"};
    struct script s;
    script_start(&s, lines, 1, false);
    script_begin(&s);
    for (uint32_t loss = 1; loss <= ORC_LOSSES_MAX; loss++) {
        script_assign(&s, 0);
        script_do(&s, .kind = ORC_EVENT_LOST, .job = 0, .attempt = loss);
        assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 0), loss < ORC_LOSSES_MAX);
        assert_int_equal(s.execution->jobs[0].failures, 0);
    }
    assert_int_equal(script_state(&s, 0), ORC_JOB_FAILED);
    assert_string_equal(s.execution->jobs[0].error_code, "worker_lost");
    script_end(&s);
}

TEST(a_job_that_was_given_back_is_offered_again_in_a_moment) {
    static const char *const lines[] = {"a"};
    struct script s;
    script_start(&s, lines, 1, false);
    script_begin(&s);
    script_assign(&s, 0);
    script_do(&s, .kind = ORC_EVENT_RETURNED, .job = 0, .attempt = 1);
    assert_int_equal(script_state(&s, 0), ORC_JOB_RETRYING);
    assert_int_equal(s.execution->jobs[0].wake_at_ms, s.now_ms + ORC_RETURN_DELAY_MS);
    assert_int_equal(s.execution->jobs[0].failures + s.execution->jobs[0].losses, 0);
    assert_int_equal(s.execution->seq, 0);
    script_end(&s);
}

TEST(sy_054_w9_reports_of_an_old_attempt_are_refused) {
    static const char *const lines[] = {"gen"};
    struct script s;
    script_start(&s, lines, 1, false);
    script_begin(&s);
    script_assign(&s, 0);
    script_do(&s, .kind = ORC_EVENT_LOST, .job = 0, .attempt = 1);
    script_assign(&s, 0);
    static const enum orc_event_kind reports[] = {ORC_EVENT_STARTED, ORC_EVENT_CHECKPOINT, ORC_EVENT_SUCCEEDED,
                                                  ORC_EVENT_FAILED,  ORC_EVENT_LOST,       ORC_EVENT_RETURNED};
    for (size_t i = 0; i < CS_COUNT(reports); i++) {
        script_refused(&s, "stale_attempt", .kind = reports[i], .job = 0, .attempt = 1);
        script_refused(&s, "stale_attempt", .kind = reports[i], .job = 0, .attempt = 3);
        script_refused(&s, "no_such_job", .kind = reports[i], .job = 1, .attempt = 2);
    }
    script_end(&s);
}

TEST(checkpoints_replace_each_other_and_are_bounded) {
    static const char *const lines[] = {"gen"};
    struct script s;
    script_start(&s, lines, 1, false);
    script_begin(&s);
    script_assign(&s, 0);
    script_do(&s, .kind = ORC_EVENT_STARTED, .job = 0, .attempt = 1, .payload = "0123456789abcdef", .payload_size = 16);
    script_do(&s, .kind = ORC_EVENT_CHECKPOINT, .job = 0, .attempt = 1, .payload = "first", .payload_size = 5);
    script_do(&s, .kind = ORC_EVENT_CHECKPOINT, .job = 0, .attempt = 1, .payload = "two", .payload_size = 3);
    assert_int_equal(script_commands(&s, ORC_COMMAND_SAVED, 0), 1);
    assert_memory_equal(s.commands.items[0].fence, "0123456789abcdef", ORC_FENCE_BYTES);
    assert_int_equal(s.execution->jobs[0].checkpoint_size, 3);
    assert_memory_equal(s.execution->jobs[0].checkpoint, "two", 3);
    CS_AUTO_FREE char *big = cs_alloc(ORC_CHECKPOINT_BYTES_MAX + 1);
    script_refused(&s, "checkpoint_too_big", .kind = ORC_EVENT_CHECKPOINT, .job = 0, .attempt = 1, .payload = big,
                   .payload_size = ORC_CHECKPOINT_BYTES_MAX + 1);
    assert_int_equal(s.execution->seq, 3);
    script_end(&s);
}

TEST(cancel_ends_every_open_job_and_stops_running_ones) {
    static const char *const lines[] = {"done", "running", "ready", "later", "waiting<later"};
    struct script s;
    script_start(&s, lines, 5, false);
    script_begin(&s);
    script_succeed(&s, 0);
    script_fail(&s, 3, ORC_FAILURE_TRANSIENT, "");
    script_assign(&s, 1);
    script_do(&s, .kind = ORC_EVENT_CANCEL, .message = "changed my mind");
    assert_int_equal(script_commands(&s, ORC_COMMAND_STOP, -1), 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_STOP, 1), 1);
    assert_memory_equal(s.commands.items[0].fence, s.execution->jobs[1].fence, ORC_FENCE_BYTES);
    assert_int_equal(script_state(&s, 0), ORC_JOB_COMPLETED);
    for (uint32_t job = 1; job <= 4; job++) {
        assert_int_equal(script_state(&s, job), ORC_JOB_CANCELLED);
    }
    assert_int_equal(s.execution->state, ORC_EXECUTION_CANCELLED);
    assert_string_equal(s.execution->error, "Execution cancelled: changed my mind");
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_CANCEL);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_DEADLINE);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_SUCCEEDED, .job = 1, .attempt = 1, .payload = "",
                   .payload_size = 0);
    script_end(&s);
}

TEST(w12_w13_the_deadline_fails_the_execution_and_tells_what_failed_before) {
    static const char *const lines[] = {"a", "gen"};
    struct script s;
    script_start(&s, lines, 2, false);
    script_begin(&s);
    script_fail(&s, 0, ORC_FAILURE_INVALID_INPUT, "bad clip");
    script_assign(&s, 1);
    assert_int_equal(orc_execution_wake_at(s.execution), s.now_ms + fixture_generate.timeout_ms + ORC_ATTEMPT_GRACE_MS);
    script_do(&s, .kind = ORC_EVENT_DEADLINE, .at_ms = CREATED_MS + TIME_LIMIT_MS);
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    assert_string_equal(s.execution->error, "Execution ran out of time after 86400000 ms; merge: bad clip");
    assert_int_equal(script_commands(&s, ORC_COMMAND_STOP, 1), 1);
    script_end(&s);
}

TEST(an_attempt_never_outlives_its_execution) {
    static const char *const lines[] = {"gen"};
    struct script s;
    script_start(&s, lines, 1, false);
    script_begin(&s);
    s.now_ms = CREATED_MS + TIME_LIMIT_MS - 10;
    script_assign(&s, 0);
    assert_int_equal(s.execution->jobs[0].deadline_ms, CREATED_MS + TIME_LIMIT_MS);
    script_end(&s);
}

/* ---- every event in every state of a job ---- */

/* Brings job 1 of "a", "gen<a" into a state. */
static void bring_into(struct script *s, enum orc_job_state state) {
    static const char *const lines[] = {"a", "gen<a"};
    static const struct orc_approval_rule rule = {.prompt = ""};
    script_start(s, lines, 2, false);
    fixture_mutable(s->execution->plan)->jobs[1].approval = state == ORC_JOB_AWAITING_APPROVAL ? &rule : NULL;
    script_begin(s);
    if (state == ORC_JOB_WAITING) {
        return;
    }
    if (state == ORC_JOB_SKIPPED) {
        script_fail(s, 0, ORC_FAILURE_INVALID_INPUT, "");
        return;
    }
    script_succeed(s, 0);
    if (state == ORC_JOB_RUNNING) {
        script_assign(s, 1);
    } else if (state == ORC_JOB_RETRYING) {
        script_fail(s, 1, ORC_FAILURE_TRANSIENT, "");
    } else if (state == ORC_JOB_COMPLETED) {
        script_succeed(s, 1);
    } else if (state == ORC_JOB_FAILED) {
        script_fail(s, 1, ORC_FAILURE_INVALID_INPUT, "");
    } else if (state == ORC_JOB_CANCELLED) {
        script_do(s, .kind = ORC_EVENT_CANCEL);
    }
}

static bool legal(enum orc_job_state state, enum orc_event_kind kind) {
    switch (kind) {
    case ORC_EVENT_ASSIGNED:
        return state == ORC_JOB_READY;
    case ORC_EVENT_RETRY_DUE:
        return state == ORC_JOB_RETRYING;
    case ORC_EVENT_CANCEL:
    case ORC_EVENT_DEADLINE:
        return (state >= ORC_JOB_WAITING && state <= ORC_JOB_RETRYING) || state == ORC_JOB_AWAITING_APPROVAL;
    case ORC_EVENT_APPROVED:
    case ORC_EVENT_REJECTED:
        return state == ORC_JOB_AWAITING_APPROVAL;
    default:
        return state == ORC_JOB_RUNNING;
    }
}

TEST(every_event_in_every_state_is_legal_as_the_table_says_or_changes_nothing) {
    static const enum orc_event_kind kinds[] = {ORC_EVENT_ASSIGNED,  ORC_EVENT_STARTED,   ORC_EVENT_CHECKPOINT,
                                                ORC_EVENT_SUCCEEDED, ORC_EVENT_FAILED,    ORC_EVENT_LOST,
                                                ORC_EVENT_RETURNED,  ORC_EVENT_RETRY_DUE, ORC_EVENT_CANCEL,
                                                ORC_EVENT_DEADLINE,  ORC_EVENT_APPROVED,  ORC_EVENT_REJECTED};
    for (int state = ORC_JOB_WAITING; state < ORC_JOB_STATES; state++) {
        for (size_t i = 0; i < CS_COUNT(kinds); i++) {
            struct script s;
            bring_into(&s, (enum orc_job_state)state);
            assert_int_equal(script_state(&s, 1), state);
            uint32_t attempt = s.execution->jobs[1].attempt;
            uint64_t seq = s.execution->seq;
            if (legal((enum orc_job_state)state, kinds[i])) {
                script_do(&s, .kind = kinds[i], .job = 1, .attempt = attempt, .payload = "x", .payload_size = 1);
                assert_int_equal(s.execution->seq, seq + orc_event_stored(kinds[i]));
            } else {
                bool decision = kinds[i] == ORC_EVENT_APPROVED || kinds[i] == ORC_EVENT_REJECTED;
                script_refused(&s, decision ? "not_awaiting_approval" : "illegal_transition", .kind = kinds[i],
                               .job = 1, .attempt = attempt, .payload = "x", .payload_size = 1);
            }
            script_end(&s);
        }
    }
}

TEST(an_unknown_kind_of_event_is_refused) {
    struct script s;
    static const char *const lines[] = {"a"};
    script_start(&s, lines, 1, false);
    script_refused(&s, "illegal_transition", .kind = (enum orc_event_kind)55);
    script_end(&s);
}

TEST_MAIN(CS_TEST(sy_050_roots_are_dispatched_at_the_beginning_and_only_once),
          CS_TEST(sy_051_sy_053_w8_the_last_parent_releases_a_job_exactly_once),
          CS_TEST(sy_036_w19_an_execution_completes_with_its_last_leaf_as_result),
          CS_TEST(sy_018_w21_an_empty_plan_completes_at_once),
          CS_TEST(sy_038_sy_049_sy_052_w11_a_failure_for_good_skips_all_that_depend_on_it_in_one_step),
          CS_TEST(skipping_a_chain_of_ten_thousand_does_not_recurse), CS_TEST(sy_039_several_failures_are_listed),
          CS_TEST(sy_139_t17_a_class_that_may_be_retried_waits_with_growing_jitter_and_then_fails),
          CS_TEST(a_wish_to_wait_is_honoured_within_limits), CS_TEST(an_unknown_outcome_is_not_tried_again),
          CS_TEST(a_failure_class_that_we_do_not_know_counts_as_unspecified),
          CS_TEST(ta_056_t15_a_lost_worker_is_no_failure_until_it_happens_too_often),
          CS_TEST(a_job_that_was_given_back_is_offered_again_in_a_moment),
          CS_TEST(sy_054_w9_reports_of_an_old_attempt_are_refused),
          CS_TEST(checkpoints_replace_each_other_and_are_bounded),
          CS_TEST(cancel_ends_every_open_job_and_stops_running_ones),
          CS_TEST(w12_w13_the_deadline_fails_the_execution_and_tells_what_failed_before),
          CS_TEST(an_attempt_never_outlives_its_execution),
          CS_TEST(every_event_in_every_state_is_legal_as_the_table_says_or_changes_nothing),
          CS_TEST(an_unknown_kind_of_event_is_refused))
