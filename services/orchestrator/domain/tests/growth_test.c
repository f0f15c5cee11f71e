/* Plans that change under way: appended, edited and removed jobs; maps and their items. */
#include "domain/tests/script.h"

static struct orc_job_draft draft(const char *id, const char *const *parents, uint32_t count) {
    return (struct orc_job_draft){.id = id,
                                  .output = "",
                                  .operation = &fixture_merge,
                                  .params = "",
                                  .depends_on = parents,
                                  .depends_on_count = count};
}

#define PARENTS(...) ((const char *const[]){__VA_ARGS__})
#define AFTER(id, ...) draft(id, PARENTS(__VA_ARGS__), sizeof(PARENTS(__VA_ARGS__)) / sizeof(char *))
#define APPENDED(...)                                                                                                  \
    .kind = ORC_EVENT_APPENDED, .addition = &(struct orc_addition) {                                                   \
        .drafts = (struct orc_job_draft[]){__VA_ARGS__},                                                               \
        .count = sizeof((struct orc_job_draft[]){__VA_ARGS__}) / sizeof(struct orc_job_draft), .size_bytes = 10        \
    }

static struct orc_job_draft item(const char *owner, const char *id, uint32_t index) {
    struct orc_job_draft made = draft(id, NULL, 0);
    made.owner = owner;
    made.item = index;
    return made;
}

static void start(struct script *s, const char *const *lines, size_t count) {
    script_start(s, lines, count, false);
}

static uint32_t index_of(const struct script *s, const char *id) {
    int32_t index = orc_plan_find(s->execution->plan, id);
    assert_true(index >= 0);
    return (uint32_t)index;
}

/* ---- append ---- */

TEST(appended_jobs_get_the_next_indices_and_run_when_their_parents_have) {
    struct script s;
    start(&s, (const char *const[]){"a", "b<a"}, 2);
    script_begin(&s);
    script_succeed(&s, 0);
    script_do(&s, APPENDED(AFTER("c", "a"), AFTER("d", "b", "c"), draft("e", NULL, 0)));
    assert_int_equal(s.execution->plan->job_count, 5);
    assert_int_equal(index_of(&s, "c"), 2);
    assert_int_equal(script_state(&s, 2), ORC_JOB_READY); /* its parent has completed */
    assert_int_equal(script_state(&s, 3), ORC_JOB_WAITING);
    assert_int_equal(script_state(&s, 4), ORC_JOB_READY);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, -1), 2);
    script_succeed(&s, 1);
    script_succeed(&s, 2);
    assert_int_equal(script_state(&s, 3), ORC_JOB_READY);
    script_succeed(&s, 4);
    script_succeed(&s, 3);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    assert_int_equal(s.execution->result_job, 3); /* the leaf that completed last */
    script_end(&s);
}

TEST(a_bad_append_changes_nothing) {
    struct script s;
    start(&s, (const char *const[]){"a", "b<a"}, 2);
    script_begin(&s);
    CS_AUTO_BUF before = {0};
    CS_AUTO_BUF after = {0};
    fixture_print(s.execution, false, &before);
    static const char *const reasons[] = {"duplicate_id", "unknown_dependency", "cycle", "not_a_dependency"};
    struct orc_job_draft optional = AFTER("x", "a");
    optional.optional = PARENTS("b");
    optional.optional_count = 1;
    struct orc_job_draft bad[][2] = {{draft("ok", NULL, 0), draft("a", NULL, 0)},
                                     {AFTER("x", "a"), AFTER("y", "nobody")},
                                     {AFTER("x", "y"), AFTER("y", "x", "b")},
                                     {draft("ok", NULL, 0), optional}};
    for (size_t i = 0; i < 4; i++) {
        struct cs_err err = {0};
        struct orc_addition addition = {.drafts = bad[i], .count = 2, .size_bytes = 10};
        struct orc_event event = {.kind = ORC_EVENT_APPENDED, .addition = &addition};
        assert_fails(script_try(&s, event, &err), &err, CS_INVALID_ARGUMENT, reasons[i]);
    }
    fixture_print(s.execution, false, &after);
    assert_string_equal(before.data, after.data);
    script_succeed(&s, 0);
    script_succeed(&s, 1);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    script_end(&s);
}

TEST(limits_hold_for_the_sum_of_all_appends) {
    struct script s;
    start(&s, (const char *const[]){"a"}, 1);
    script_begin(&s);
    struct orc_job_draft *drafts = cs_arena_array(s.arena, ORC_PLAN_JOBS_MAX, sizeof(*drafts));
    for (uint32_t i = 0; i < ORC_PLAN_JOBS_MAX; i++) {
        drafts[i] = draft(cs_arena_sprintf(s.arena, "n%u", i), NULL, 0);
    }
    struct orc_addition addition = {.drafts = drafts, .count = ORC_PLAN_JOBS_MAX, .size_bytes = 10};
    struct orc_event event = {.kind = ORC_EVENT_APPENDED, .addition = &addition};
    struct cs_err err = {0};
    assert_fails(script_try(&s, event, &err), &err, CS_INVALID_ARGUMENT, "too_many_jobs");
    addition.count = ORC_PLAN_JOBS_MAX - 1;
    addition.size_bytes = ORC_PLAN_APPENDED_BYTES_MAX + 1;
    assert_fails(script_try(&s, event, &err), &err, CS_INVALID_ARGUMENT, "appended_too_much");
    addition.size_bytes = 10;
    assert_ok(script_try(&s, event, &err), &err);
    addition.count = 1;
    drafts[0].id = "one more";
    assert_fails(script_try(&s, event, &err), &err, CS_INVALID_ARGUMENT, "too_many_jobs");
    script_end(&s);
}

TEST(nothing_is_appended_to_what_has_ended) {
    struct script s;
    start(&s, (const char *const[]){"a"}, 1);
    script_begin(&s);
    script_succeed(&s, 0);
    script_refused(&s, "already_ended", APPENDED(AFTER("b", "a")));
    script_end(&s);
}

TEST(what_cannot_run_any_more_is_skipped_at_once) {
    struct script s;
    start(&s, (const char *const[]){"a", "b"}, 2);
    script_begin(&s);
    script_fail(&s, 0, ORC_FAILURE_INVALID_INPUT, "bad");
    struct orc_job_draft any = AFTER("any", "a", "b");
    any.policy = ORC_DEPENDENCY_ANY;
    script_do(&s, APPENDED(AFTER("c", "a"), AFTER("d", "c"), any));
    assert_int_equal(script_state(&s, index_of(&s, "c")), ORC_JOB_SKIPPED);
    assert_int_equal(script_state(&s, index_of(&s, "d")), ORC_JOB_SKIPPED);
    assert_int_equal(script_state(&s, index_of(&s, "any")), ORC_JOB_WAITING);
    script_succeed(&s, 1);
    script_succeed(&s, index_of(&s, "any"));
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    script_end(&s);
}

TEST(a_dependent_that_comes_later_can_make_a_failure_good) {
    struct script s;
    start(&s, (const char *const[]){"a", "b"}, 2);
    script_begin(&s);
    script_fail(&s, 0, ORC_FAILURE_INVALID_INPUT, "bad");
    assert_true(s.execution->doomed);
    struct orc_job_draft along = AFTER("c", "a", "b");
    along.optional = PARENTS("a");
    along.optional_count = 1;
    script_do(&s, APPENDED(along));
    assert_false(s.execution->doomed);
    script_succeed(&s, 1);
    script_succeed(&s, 2);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    script_end(&s);
}

/* ---- edit and remove ---- */

TEST(e12_parameters_change_until_a_job_has_started) {
    struct script s;
    start(&s, (const char *const[]){"a", "b<a"}, 2);
    script_begin(&s);
    struct orc_job_draft params = draft("", NULL, 0);
    params.params = "new";
    params.params_size = 3;
    struct orc_addition addition = {.drafts = &params, .count = 1, .size_bytes = 10};
    script_do(&s, .kind = ORC_EVENT_EDITED, .job = 1, .addition = &addition);
    assert_memory_equal(s.execution->plan->jobs[1].params, "new", 3);
    script_do(&s, .kind = ORC_EVENT_EDITED, .job = 0, .addition = &addition);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 0), 1); /* ready: it waits anew */
    script_assign(&s, 0);
    script_refused(&s, "already_started", .kind = ORC_EVENT_EDITED, .job = 0, .addition = &addition);
    struct orc_input input = {.job = -1};
    params.inputs = &input;
    params.input_count = 1;
    params.input_jobs = PARENTS("b");
    params.input_paths = PARENTS("jobs[0].params.video");
    struct cs_err err = {0};
    struct orc_event event = {.kind = ORC_EVENT_EDITED, .job = 1, .addition = &addition};
    assert_fails(script_try(&s, event, &err), &err, CS_INVALID_ARGUMENT, "not_a_dependency");
    params.input_jobs = PARENTS("a");
    assert_ok(script_try(&s, event, &err), &err);
    assert_int_equal(s.execution->plan->jobs[1].inputs[0].job, 0);
    script_end(&s);
}

TEST(a_removed_job_is_skipped_and_is_no_failure) {
    struct script s;
    start(&s, (const char *const[]){"a", "b", "c<a,b?", "d<b"}, 4);
    script_begin(&s);
    script_refused(&s, "has_dependents", .kind = ORC_EVENT_REMOVED, .job = 1);
    script_do(&s, .kind = ORC_EVENT_REMOVED, .job = 3);
    script_do(&s, .kind = ORC_EVENT_REMOVED, .job = 1); /* c gets along without it */
    assert_int_equal(script_state(&s, 1), ORC_JOB_SKIPPED);
    assert_string_equal(s.execution->jobs[1].error_code, "removed");
    script_succeed(&s, 0);
    script_succeed(&s, 2);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    script_end(&s);
}

TEST(a_cascade_takes_away_what_cannot_run_without_it) {
    struct script s;
    start(&s, (const char *const[]){"a", "b<a", "c<b", "d"}, 4);
    script_begin(&s);
    script_do(&s, .kind = ORC_EVENT_REMOVED, .job = 1, .cascade = true);
    assert_int_equal(script_state(&s, 2), ORC_JOB_SKIPPED);
    assert_string_equal(s.execution->jobs[2].error_code, "removed");
    script_succeed(&s, 0);
    script_succeed(&s, 3);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    script_end(&s);
}

TEST(an_execution_whose_last_open_job_is_removed_ends) {
    struct script s;
    start(&s, (const char *const[]){"a"}, 1);
    script_begin(&s);
    script_do(&s, .kind = ORC_EVENT_REMOVED, .job = 0);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    assert_int_equal(script_commands(&s, ORC_COMMAND_FINISHED, -1), 1);
    script_end(&s);
}

TEST(sy_040_without_a_failure_of_its_own_an_execution_says_that_dependencies_failed) {
    struct script s;
    start(&s, (const char *const[]){"a", "b"}, 2);
    script_begin(&s);
    script_do(&s, .kind = ORC_EVENT_REMOVED, .job = 0);
    script_do(&s, APPENDED(AFTER("c", "a"), AFTER("d", "c"))); /* what they need was taken away before */
    for (uint32_t job = 2; job <= 3; job++) {
        assert_int_equal(script_state(&s, job), ORC_JOB_SKIPPED);
        assert_string_equal(s.execution->jobs[job].error_message, "Dependency job failed");
    }
    script_succeed(&s, 1);
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    assert_string_equal(s.execution->error, "Execution failed due to dependency errors");
    script_end(&s);
}

/* ---- maps ---- */

static void start_map(struct script *s, enum orc_map_kind kind) {
    start(s, (const char *const[]){"m", "join<m"}, 2);
    fixture_mutable(s->execution->plan)->jobs[0].map = (uint8_t)kind;
    script_begin(s);
    script_assign(s, 0);
    script_do(s, APPENDED(item("m", "m.0", 0), item("m", "m.1", 1), item("m", "m.2", 2)), .job = 0);
    assert_int_equal(s->execution->jobs[0].items_open, 3);
}

TEST(ex_024_e7_a_failed_item_of_a_map_that_skips_leaves_the_others_alone) {
    struct script s;
    start_map(&s, ORC_MAP_SKIP);
    script_fail(&s, 3, ORC_FAILURE_INVALID_INPUT, "bad");
    assert_int_equal(script_commands(&s, ORC_COMMAND_GATHER, -1), 0);
    assert_false(s.execution->doomed);
    script_succeed(&s, 2);
    script_succeed(&s, 4);
    assert_int_equal(script_commands(&s, ORC_COMMAND_GATHER, 0), 1);
    script_do(&s, .kind = ORC_EVENT_SUCCEEDED, .job = 0, .attempt = 1, .payload = "ok", .payload_size = 2);
    script_succeed(&s, 1);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    assert_int_equal(s.execution->result_job, 1);
    script_end(&s);
}

TEST(e3_the_last_item_is_told_once) {
    struct script s;
    start_map(&s, ORC_MAP_SKIP);
    script_succeed(&s, 2);
    script_succeed(&s, 3);
    script_succeed(&s, 4);
    assert_int_equal(script_commands(&s, ORC_COMMAND_GATHER, 0), 1);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_SUCCEEDED, .job = 4, .attempt = 1);
    script_end(&s);
}

TEST(a_map_that_fails_stops_its_items) {
    struct script s;
    start_map(&s, ORC_MAP_FAIL);
    script_assign(&s, 2);
    script_fail(&s, 3, ORC_FAILURE_INVALID_INPUT, "bad");
    assert_int_equal(script_commands(&s, ORC_COMMAND_GATHER, 0), 1);
    script_do(&s, .kind = ORC_EVENT_FAILED, .job = 0, .attempt = 1, .failure_class = ORC_FAILURE_INVALID_INPUT,
              .code = "item_failed", .message = "item 1: bad");
    assert_int_equal(script_commands(&s, ORC_COMMAND_STOP, 2), 1);
    assert_int_equal(script_state(&s, 4), ORC_JOB_CANCELLED);
    assert_int_equal(script_state(&s, 1), ORC_JOB_SKIPPED);
    assert_int_equal(s.execution->state, ORC_EXECUTION_FAILED);
    script_end(&s);
}

TEST(a_recovered_map_is_ready_again_and_keeps_its_items) {
    struct script s;
    start_map(&s, ORC_MAP_SKIP);
    script_succeed(&s, 2);
    s.commands.count = 0;
    orc_execution_recovered(s.execution, ++s.now_ms, &s.commands);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 0), 1);
    assert_true(s.execution->plan->jobs[0].expanded);
    script_succeed(&s, 3);
    script_succeed(&s, 4);
    assert_int_equal(script_commands(&s, ORC_COMMAND_GATHER, -1), 0); /* it is not at work: it looks when it is */
    assert_int_equal(s.execution->jobs[0].items_open, 0);
    script_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_jobs_get_the_next_indices_and_run_when_their_parents_have),
        cmocka_unit_test(a_bad_append_changes_nothing),
        cmocka_unit_test(limits_hold_for_the_sum_of_all_appends),
        cmocka_unit_test(nothing_is_appended_to_what_has_ended),
        cmocka_unit_test(what_cannot_run_any_more_is_skipped_at_once),
        cmocka_unit_test(a_dependent_that_comes_later_can_make_a_failure_good),
        cmocka_unit_test(e12_parameters_change_until_a_job_has_started),
        cmocka_unit_test(a_removed_job_is_skipped_and_is_no_failure),
        cmocka_unit_test(a_cascade_takes_away_what_cannot_run_without_it),
        cmocka_unit_test(an_execution_whose_last_open_job_is_removed_ends),
        cmocka_unit_test(sy_040_without_a_failure_of_its_own_an_execution_says_that_dependencies_failed),
        cmocka_unit_test(ex_024_e7_a_failed_item_of_a_map_that_skips_leaves_the_others_alone),
        cmocka_unit_test(e3_the_last_item_is_told_once),
        cmocka_unit_test(a_map_that_fails_stops_its_items),
        cmocka_unit_test(a_recovered_map_is_ready_again_and_keeps_its_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
