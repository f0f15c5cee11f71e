/* Jobs and executions that wait for a person, and external jobs. */
#include "domain/tests/script.h"

static const struct orc_operation external_operation = {
    .name = "external", .timeout_ms = 600000, .paid = true, .inside = true, .external = true, POLICIES};

static const struct orc_approval_rule without_deadline = {.prompt = "ok?"};
static const struct orc_approval_rule no_by_default = {.timeout_ms = 5000, .prompt = ""};

static void start(struct script *s, const char *const *lines, size_t count) {
    script_start(s, lines, count, false);
}

static void need_approval(struct script *s, uint32_t job, const struct orc_approval_rule *rule) {
    fixture_mutable(s->execution->plan)->jobs[job].approval = rule;
}

static void decide(struct script *s, bool approve, uint32_t job) {
    script_do(s, .kind = approve ? ORC_EVENT_APPROVED : ORC_EVENT_REJECTED, .job = job, .by = "ann", .message = "fine");
}

TEST(ex_001_a_job_that_is_approved_becomes_ready_and_not_before) {
    struct script s;
    static const char *const lines[] = {"a", "b<a"};
    start(&s, lines, 2);
    need_approval(&s, 1, &without_deadline);
    script_begin(&s);
    script_refused(&s, "not_awaiting_approval", .kind = ORC_EVENT_APPROVED, .job = 1);
    script_succeed(&s, 0);
    assert_int_equal(script_state(&s, 1), ORC_JOB_AWAITING_APPROVAL);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 1), 0);
    assert_int_equal(orc_execution_wake_at(s.execution), s.execution->deadline_ms);
    decide(&s, true, 1);
    assert_int_equal(script_state(&s, 1), ORC_JOB_READY);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 1), 1);
    const struct orc_decision *decision = s.execution->jobs[1].decision;
    assert_true(decision->approved);
    assert_string_equal(decision->by, "ann");
    assert_string_equal(decision->comment, "fine");
    assert_int_equal(decision->at_ms, s.now_ms);
    script_succeed(&s, 1);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    script_end(&s);
}

TEST(ex_002_of_two_decisions_the_second_changes_nothing) {
    struct script s;
    static const char *const lines[] = {"a"};
    start(&s, lines, 1);
    need_approval(&s, 0, &without_deadline);
    script_begin(&s);
    decide(&s, true, 0);
    script_refused(&s, "not_awaiting_approval", .kind = ORC_EVENT_APPROVED, .job = 0);
    script_refused(&s, "not_awaiting_approval", .kind = ORC_EVENT_REJECTED, .job = 0);
    script_refused(&s, "not_awaiting_approval", .kind = ORC_EVENT_APPROVED, .whole = true);
    script_refused(&s, "no_such_job", .kind = ORC_EVENT_APPROVED, .job = 7);
    script_end(&s);
}

TEST(a_rejection_is_a_failure_that_spreads) {
    struct script s;
    static const char *const lines[] = {"a", "b<a", "c<a?"};
    start(&s, lines, 3);
    need_approval(&s, 0, &without_deadline);
    script_begin(&s);
    decide(&s, false, 0);
    const struct orc_job *job = &s.execution->jobs[0];
    assert_int_equal(job->state, ORC_JOB_FAILED);
    assert_int_equal(job->failure_class, ORC_FAILURE_CANCELLED);
    assert_string_equal(job->error_code, "rejected");
    assert_string_equal(job->error_message, "Rejected by ann: fine");
    assert_false(job->decision->approved);
    assert_int_equal(script_state(&s, 1), ORC_JOB_SKIPPED);
    assert_int_equal(script_state(&s, 2), ORC_JOB_READY);
    script_succeed(&s, 2);
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    script_end(&s);
}

TEST(an_approval_with_a_deadline_has_a_wake_up_and_the_default_is_kept) {
    struct script s;
    static const char *const lines[] = {"a"};
    start(&s, lines, 1);
    need_approval(&s, 0, &no_by_default);
    script_begin(&s);
    assert_int_equal(orc_execution_wake_at(s.execution), s.now_ms + 5000);
    assert_int_equal(orc_job_due_ms(&s.execution->jobs[0]), s.now_ms + 5000);
    script_do(&s, .kind = ORC_EVENT_REJECTED, .job = 0, .by = ORC_BY_DEADLINE);
    assert_string_equal(s.execution->jobs[0].error_message, "Rejected: nobody approved it in time");
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    script_end(&s);
}

TEST(ex_005_nothing_of_an_execution_is_offered_before_it_is_approved) {
    struct script s;
    static const char *const lines[] = {"a", "b", "c<b", "d|b,a"};
    start(&s, lines, 4);
    fixture_mutable(s.execution->plan)->approval = &without_deadline;
    script_do(&s, .kind = ORC_EVENT_REUSED, .job = 1, .payload = "old", .payload_size = 3, .reason = "retry");
    script_begin(&s);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, -1), 0);
    assert_int_equal(s.execution->state, ORC_EXECUTION_PENDING);
    assert_true(orc_execution_awaits_approval(s.execution));
    script_do(&s, .kind = ORC_EVENT_APPROVED, .whole = true, .by = "ann");
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, -1), 3); /* a, and c and d, whose parent is there */
    assert_false(orc_execution_awaits_approval(s.execution));
    script_refused(&s, "not_awaiting_approval", .kind = ORC_EVENT_REJECTED, .whole = true);
    script_end(&s);
}

TEST(an_execution_that_is_rejected_fails_and_nothing_of_it_ran) {
    struct script s;
    static const char *const lines[] = {"a", "b<a"};
    script_start(&s, lines, 2, true);
    fixture_mutable(s.execution->plan)->approval = &no_by_default;
    script_begin(&s);
    assert_int_equal(orc_execution_wake_at(s.execution), CREATED_MS + 5000);
    script_do(&s, .kind = ORC_EVENT_REJECTED, .whole = true, .by = "ann", .message = "no budget");
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    assert_string_equal(s.execution->error, "Execution rejected by ann: no budget");
    assert_int_equal(s.execution->started_at_ms, 0);
    assert_int_equal(script_state(&s, 0), ORC_JOB_CANCELLED);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DELIVER, -1), 1);
    script_end(&s);
}

TEST(e14_an_execution_that_awaits_approval_can_be_cancelled) {
    struct script s;
    static const char *const lines[] = {"a", "b"};
    start(&s, lines, 2);
    need_approval(&s, 0, &no_by_default);
    script_begin(&s);
    script_do(&s, .kind = ORC_EVENT_CANCEL);
    assert_int_equal(script_state(&s, 0), ORC_JOB_CANCELLED);
    assert_int_equal(orc_execution_wake_at(s.execution), INT64_MAX);
    script_end(&s);
}

TEST(an_empty_plan_completes_when_it_is_approved) {
    struct script s;
    start(&s, NULL, 0);
    fixture_mutable(s.execution->plan)->approval = &without_deadline;
    script_begin(&s);
    assert_int_equal(s.execution->state, ORC_EXECUTION_PENDING);
    script_do(&s, .kind = ORC_EVENT_APPROVED, .whole = true);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    script_end(&s);
}

/* ---- the log ---- */

static struct orc_execution *replay_all(const struct script *s, const struct orc_event *events, size_t count) {
    struct orc_execution *again = orc_execution_create("x1", "acme", s->execution->plan, CREATED_MS,
                                                       CREATED_MS + TIME_LIMIT_MS, s->execution->has_webhook);
    struct orc_event begin = {.kind = ORC_EVENT_BEGIN, .at_ms = CREATED_MS};
    struct cs_err err = {0};
    assert_ok(orc_execution_step(again, &begin, NULL, &err), &err);
    for (size_t i = 0; i < count; i++) {
        assert_ok(orc_execution_replay(again, &events[i], &err), &err);
        orc_execution_check(again);
    }
    return again;
}

TEST(ex_007_decisions_are_the_same_after_a_replay) {
    struct script s;
    static const char *const lines[] = {"a", "b<a"};
    start(&s, lines, 2);
    fixture_mutable(s.execution->plan)->approval = &without_deadline;
    need_approval(&s, 0, &without_deadline);
    const struct orc_event events[] = {
        {.kind = ORC_EVENT_APPROVED, .whole = true, .by = "ann", .at_ms = 2000},
        {.kind = ORC_EVENT_REJECTED, .job = 0, .by = "bob", .message = "blurred", .at_ms = 3000},
    };
    struct orc_execution *again = replay_all(&s, events, 2);
    assert_int_equal(again->state, ORC_EXECUTION_FAILED);
    assert_string_equal(again->decision->by, "ann");
    assert_int_equal(again->jobs[0].decision->at_ms, 3000);
    assert_string_equal(again->jobs[0].error_message, "Rejected by bob: blurred");
    assert_int_equal(again->seq, 2);
    orc_execution_destroy(again);
    script_end(&s);
}

TEST(ex_007_external_work_goes_on_with_the_same_attempt_after_a_replay) {
    struct script s;
    static const char *const lines[] = {"a"};
    start(&s, lines, 1);
    fixture_mutable(s.execution->plan)->jobs[0].operation = &external_operation;
    fixture_mutable(s.execution->plan)->jobs[0].timeout_ms = 600000;
    const struct orc_event events[] = {
        {.kind = ORC_EVENT_STARTED, .attempt = 1, .at_ms = 2000, .started_at_ms = 2000},
        {.kind = ORC_EVENT_FAILED,
         .attempt = 1,
         .at_ms = 3000,
         .started_at_ms = 2000,
         .next_at_ms = 4000,
         .failure_class = ORC_FAILURE_TIMEOUT,
         .code = "external_silent"},
        {.kind = ORC_EVENT_STARTED, .attempt = 2, .at_ms = 4000, .started_at_ms = 2000},
    };
    struct orc_execution *again = replay_all(&s, events, 3);
    struct orc_commands commands = {0};
    orc_execution_recovered(again, 9000, &commands);
    assert_int_equal(again->jobs[0].state, ORC_JOB_RUNNING);
    assert_int_equal(again->jobs[0].attempt, 2);
    assert_int_equal(again->jobs[0].deadline_ms, 604000); /* of this attempt, not of the first one */
    assert_int_equal(commands.count, 1);
    assert_int_equal(commands.items[0].kind, ORC_COMMAND_DISPATCH);
    orc_commands_fini(&commands);
    orc_execution_destroy(again);
    script_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(ex_001_a_job_that_is_approved_becomes_ready_and_not_before),
        CS_TEST(ex_002_of_two_decisions_the_second_changes_nothing),
        CS_TEST(a_rejection_is_a_failure_that_spreads),
        CS_TEST(an_approval_with_a_deadline_has_a_wake_up_and_the_default_is_kept),
        CS_TEST(ex_005_nothing_of_an_execution_is_offered_before_it_is_approved),
        CS_TEST(an_execution_that_is_rejected_fails_and_nothing_of_it_ran),
        CS_TEST(e14_an_execution_that_awaits_approval_can_be_cancelled),
        CS_TEST(an_empty_plan_completes_when_it_is_approved),
        CS_TEST(ex_007_decisions_are_the_same_after_a_replay),
        CS_TEST(ex_007_external_work_goes_on_with_the_same_attempt_after_a_replay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
