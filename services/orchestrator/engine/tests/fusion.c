/* Chains of jobs that are done in one run. */
#include <string.h>

#include "cs/base/text.h"
#include "engine/tests/harness.h"

#define FAILURE(name) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##name
#define JOB(name) CALLSHEET__V1__JOB_STATE__JOB_STATE_##name
#define EXECUTION(name) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##name

static const char *const studio[] = {"generateVideo", "reframe", "noop", NULL};
static const char *const chain[] = {"gen", "V1<gen", "V2<V1", "V3<V2"};

static void discard(Callsheet__V1__Plan *plan) {
    plan->intermediates = CALLSHEET__V1__INTERMEDIATES__INTERMEDIATES_DISCARD;
}

/* The chain, up to where its first job has made a clip; returns what goes to the worker next. */
static const Callsheet__V1__WorkCommand *begin(const char **ret_id, void (*edit)(Callsheet__V1__Plan *plan)) {
    fake_link_up_fusing(1, studio, 4, 16);
    *ret_id = CREATE(chain, .edit = edit, .webhook = true);
    fake_report_succeeded(1, fake_link_assigned(1));
    return fake_link_assigned(1);
}

static void expect_alone(const Callsheet__V1__WorkCommand *command, const char *job) {
    assert_string_equal(command->assign->job, job);
    assert_int_equal(command->assign->n_steps_before, 0);
    assert_int_equal(command->assign->operation->reframe->video->input, 1);
    assert_int_equal(command->assign->operation->reframe->video->step, 0);
    assert_int_equal(command->assign->n_inputs, 1);
}

static void expect_run_of_three(const Callsheet__V1__WorkCommand *command) {
    const Callsheet__V1__Assign *assign = command->assign;
    assert_string_equal(assign->job, "V3");
    assert_int_equal(assign->n_steps_before, 2);
    assert_string_equal(assign->steps_before[0]->job, "V1");
    assert_string_equal(assign->steps_before[1]->job, "V2");
    assert_int_equal(assign->n_inputs, 1);
    assert_int_equal(assign->steps_before[0]->operation->reframe->video->input, 1);
    assert_int_equal(assign->steps_before[1]->operation->reframe->video->step, 1);
    assert_int_equal(assign->operation->reframe->video->step, 2);
    assert_int_equal(assign->operation->reframe->video->input, 0);
}

static void expect_jobs(const Callsheet__V1__Execution *execution, Callsheet__V1__JobState v1,
                        Callsheet__V1__JobState v2, Callsheet__V1__JobState v3) {
    assert_int_equal(execution->jobs[1]->state, v1);
    assert_int_equal(execution->jobs[2]->state, v2);
    assert_int_equal(execution->jobs[3]->state, v3);
}

TEST(a_chain_goes_to_a_worker_as_one_assignment) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *command = begin(&id, discard);
    expect_run_of_three(command);
    assert_true(strstr(command->assign->output_prefix, "/V3/1-") != NULL);
    assert_int_equal(fake_link_waiting(1), 0);
    fake_report_progress(1, command, "rendering", 0.5);
    const Callsheet__V1__Execution *execution = harness_read(id);
    expect_jobs(execution, JOB(RUNNING), JOB(RUNNING), JOB(RUNNING));
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(execution->jobs[i]->attempt, 1);
        assert_true(execution->jobs[i]->progress->fraction == 0.5);
        assert_string_equal(execution->jobs[i]->fused_into, i < 3 ? "V3" : "");
    }
    fake_report_succeeded(1, command);
    execution = harness_read_state(id, EXECUTION(COMPLETED));
    expect_jobs(execution, JOB(COMPLETED), JOB(COMPLETED), JOB(COMPLETED));
    assert_string_equal(execution->result_job_id, "V3");
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(execution->jobs[i]->n_outputs, 0);
        assert_string_equal(execution->jobs[i]->fused_into, "V3");
        assert_true(execution->jobs[i]->metrics[0]->value == (double)i);
    }
    assert_int_equal(execution->jobs[3]->n_outputs, 1);
    assert_int_equal(fake_store_events(id, ORC_EVENT_FUSED), 2);
    assert_true(harness_metric("callsheet_fused_runs_total") == 1);
    assert_true(harness_metric("callsheet_fused_jobs_total") == 3);
    assert_true(harness_metric("callsheet_assignments") == 0);
}

TEST(the_webhook_says_what_was_done_in_one_run) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *command = begin(&id, discard);
    fake_report_succeeded(1, command);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    CS_AUTO_FREE char *body = fake_store_webhook_body(id);
    assert_true(strstr(body, "\"fusedInto\":{\"V1\":\"V3\",\"V2\":\"V3\"}") != NULL);
    assert_true(strstr(body, "\"V1\":{\"url\"") == NULL);
    assert_true(strstr(body, "\"V3\":{\"url\"") != NULL);
}

TEST(a_plan_that_says_nothing_keeps_every_output) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *command = begin(&id, NULL);
    expect_alone(command, "V1");
    fake_report_succeeded(1, command);
    expect_alone(fake_link_assigned(1), "V2");
    assert_int_equal(fake_store_events(id, ORC_EVENT_FUSED), 0);
}

static void keep_second(Callsheet__V1__Plan *plan) {
    discard(plan);
    plan->jobs[2]->keep_output = true;
}

static void label_second(Callsheet__V1__Plan *plan) {
    discard(plan);
    plan->jobs[2]->output = (char *)"middle";
}

static void root_second(Callsheet__V1__Plan *plan) {
    static char *roots[] = {(char *)"V2"};
    discard(plan);
    plan->root_job_ids = roots;
    plan->n_root_job_ids = 1;
}

static void cache_second(Callsheet__V1__Plan *plan) {
    discard(plan);
    plan->jobs[2]->cache = CALLSHEET__V1__CACHE_MODE__CACHE_MODE_ON;
}

static void expect_kept(void (*edit)(Callsheet__V1__Plan *plan), const char *first) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *command = begin(&id, edit);
    assert_string_equal(command->assign->job, first);
    fake_report_succeeded(1, command);
    while (strcmp((command = fake_link_assigned(1))->assign->job, "V3") != 0) {
        fake_report_succeeded(1, command);
    }
    expect_alone(command, "V3");
    assert_int_equal(harness_read(id)->jobs[2]->n_outputs, 1);
}

TEST(an_output_that_the_job_asks_to_keep_is_kept) {
    expect_kept(keep_second, "V2");
}

TEST(an_output_with_a_label_is_kept) {
    expect_kept(label_second, "V2");
}

TEST(an_output_of_a_root_job_is_kept) {
    expect_kept(root_second, "V2");
}

TEST(what_takes_part_in_the_cache_is_done_by_itself) {
    expect_kept(cache_second, "V1");
}

TEST(a_worker_that_does_one_job_at_a_time_gets_one) {
    fake_link_up(1, studio, 4);
    (void)CREATE(chain, .edit = discard);
    fake_report_succeeded(1, fake_link_assigned(1));
    expect_alone(fake_link_assigned(1), "V1");
}

TEST(a_worker_gets_no_more_jobs_in_a_run_than_it_takes) {
    fake_link_up_fusing(1, studio, 4, 2);
    const char *id = CREATE(chain, .edit = discard);
    fake_report_succeeded(1, fake_link_assigned(1));
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    assert_string_equal(command->assign->job, "V2");
    assert_int_equal(command->assign->n_steps_before, 1);
    fake_report_succeeded(1, command);
    expect_alone(fake_link_assigned(1), "V3");
    assert_string_equal(harness_read(id)->jobs[1]->fused_into, "V2");
}

/* ---- what goes wrong ---- */

TEST(a_run_that_fails_is_done_one_by_one_and_names_the_culprit) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *command = begin(&id, discard);
    fake_report_failed(1, command, FAILURE(INVALID_INPUT), "corrupt_input", 0);
    command = fake_link_assigned(1);
    expect_alone(command, "V1");
    assert_int_equal(command->assign->attempt, 2);
    expect_jobs(harness_read(id), JOB(RUNNING), JOB(WAITING), JOB(WAITING));
    fake_report_succeeded(1, command);
    command = fake_link_assigned(1);
    expect_alone(command, "V2");
    fake_report_failed(1, command, FAILURE(INVALID_INPUT), "corrupt_input", 0);
    const Callsheet__V1__Execution *execution = harness_read_state(id, EXECUTION(FAILED));
    expect_jobs(execution, JOB(COMPLETED), JOB(FAILED), JOB(SKIPPED));
    assert_string_equal(execution->jobs[2]->error->code, "corrupt_input");
    assert_int_equal(execution->jobs[1]->n_outputs, 1);
    assert_int_equal(fake_store_events(id, ORC_EVENT_SPLIT), 1);
    assert_int_equal(fake_store_events(id, ORC_EVENT_FAILED), 1);
    assert_true(harness_metric("callsheet_split_runs_total") == 1);
}

TEST(a_split_is_remembered_over_a_restart) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *command = begin(&id, discard);
    fake_report_failed(1, command, FAILURE(INTERNAL), "boom", 0);
    expect_alone(fake_link_assigned(1), "V1");
    harness_stop();
    harness_start();
    fake_link_up_fusing(2, studio, 4, 16);
    command = fake_link_assigned(2);
    expect_alone(command, "V1");
    fake_report_succeeded(2, command);
    command = fake_link_assigned(2);
    expect_alone(command, "V2");
    fake_report_succeeded(2, command);
    fake_report_succeeded(2, fake_link_assigned(2));
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

TEST(a_run_that_is_lost_goes_to_another_worker_as_a_whole) {
    const char *id = NULL;
    (void)begin(&id, discard);
    fake_link_up_fusing(2, studio, 4, 16);
    fake_link_down(1);
    const Callsheet__V1__WorkCommand *again = fake_link_assigned(2);
    expect_run_of_three(again);
    fake_report_succeeded(2, again);
    expect_jobs(harness_read_state(id, EXECUTION(COMPLETED)), JOB(COMPLETED), JOB(COMPLETED), JOB(COMPLETED));
}

TEST(a_run_under_which_workers_die_again_and_again_is_split) {
    const char *id = NULL;
    (void)begin(&id, discard);
    for (uint64_t link = 1; link <= ORC_FUSED_LOSSES_MAX; link++) {
        fake_link_down(link);
        fake_link_up_fusing(link + 1, studio, 4, 16);
        const Callsheet__V1__WorkCommand *command = fake_link_assigned(link + 1);
        if (link < ORC_FUSED_LOSSES_MAX) {
            expect_run_of_three(command);
        } else {
            expect_alone(command, "V1");
        }
    }
    assert_int_equal(fake_store_events(id, ORC_EVENT_SPLIT), 1);
}

TEST(a_run_under_way_at_a_restart_is_given_out_again) {
    const char *id = NULL;
    (void)begin(&id, discard);
    harness_stop();
    harness_start();
    expect_jobs(harness_read(id), JOB(READY), JOB(WAITING), JOB(WAITING));
    fake_link_up_fusing(2, studio, 4, 16);
    const Callsheet__V1__WorkCommand *again = fake_link_assigned(2);
    expect_run_of_three(again);
    fake_report_succeeded(2, again);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    harness_stop();
    harness_start(); /* what the log says of it is the same */
    const Callsheet__V1__Execution *execution = harness_read(id);
    assert_string_equal(execution->jobs[1]->fused_into, "V3");
    assert_int_equal(execution->jobs[3]->n_outputs, 1);
}

TEST(a_run_has_the_time_of_all_its_jobs_and_is_split_after_it) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *command = begin(&id, discard);
    int64_t one_ms = 60 * 60 * 1000;
    assert_int_equal(command->assign->deadline_ms, harness.now_ms + 3 * one_ms);
    for (int i = 0; i < 8; i++) { /* it must get further now and then */
        fake_report_progress(1, command, "rendering", 0.1 * i);
        (void)harness_read(id);
        harness_advance(10 * 60 * 1000);
    }
    expect_jobs(harness_read(id), JOB(RUNNING), JOB(RUNNING), JOB(RUNNING)); /* longer than one may take */
    harness_advance(3 * one_ms);
    assert_int_equal(fake_link_next(1)->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL);
    expect_alone(fake_link_assigned(1), "V1");
    assert_int_equal(fake_store_events(id, ORC_EVENT_SPLIT), 1);
}

TEST(a_cancel_stops_the_run_once) {
    const char *id = NULL;
    (void)begin(&id, discard);
    harness_await(harness_cancel(id));
    assert_int_equal(fake_link_next(1)->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL);
    expect_jobs(harness_read_state(id, EXECUTION(CANCELLED)), JOB(CANCELLED), JOB(CANCELLED), JOB(CANCELLED));
    assert_int_equal(fake_link_waiting(1), 0);
}

TEST(a_checkpoint_of_a_run_is_answered_and_not_kept) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *command = begin(&id, discard);
    fake_report_checkpoint(1, command, 7, "half", 4);
    const Callsheet__V1__WorkCommand *saved = fake_link_next(1);
    assert_int_equal(saved->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CHECKPOINT_SAVED);
    assert_int_equal(saved->checkpoint_saved->sequence, 7);
    fake_report_failed(1, command, FAILURE(INTERNAL), "boom", 0);
    command = fake_link_assigned(1);
    assert_int_equal(command->assign->checkpoint.len, 0);
    assert_int_equal(fake_store_events(id, ORC_EVENT_CHECKPOINT), 0);
}

TEST(a_run_that_is_given_back_is_offered_again) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *command = begin(&id, discard);
    fake_report_failed(1, command, FAILURE(TRANSIENT), "no_slot", 0);
    expect_jobs(harness_read(id), JOB(RETRYING), JOB(WAITING), JOB(WAITING));
    harness_advance(ORC_RETURN_DELAY_MS);
    expect_run_of_three(fake_link_assigned(1));
}

/* ---- limits ---- */

TEST(a_run_takes_the_permits_of_all_its_jobs) {
    static const char *const keyed[] = {"gen", "V1<gen", "V2#gpu:1<V1", "other#gpu:1"};
    fake_link_up_fusing(1, studio, 4, 16);
    (void)CREATE(keyed, .edit = discard);
    const Callsheet__V1__WorkCommand *first = fake_link_assigned(1);
    const Callsheet__V1__WorkCommand *second = fake_link_assigned(1);
    const Callsheet__V1__WorkCommand *gen = first->assign->job[0] == 'g' ? first : second;
    const Callsheet__V1__WorkCommand *other = gen == first ? second : first;
    fake_report_succeeded(1, gen);
    expect_alone(fake_link_assigned(1), "V1"); /* the key is taken: the run ends before it */
    fake_report_succeeded(1, other);
    const char *again = CREATE(keyed, .edit = discard);
    (void)again;
}

TEST(a_key_that_a_run_has_is_free_again_after_it) {
    static const char *const keyed[] = {"gen", "V1#gpu:1<gen", "V2#gpu:1<V1"};
    static const char *const one[] = {"other#gpu:1"};
    fake_link_up_fusing(1, studio, 4, 16);
    const char *id = CREATE(keyed, .edit = discard);
    fake_report_succeeded(1, fake_link_assigned(1));
    const Callsheet__V1__WorkCommand *run = fake_link_assigned(1);
    assert_int_equal(run->assign->n_steps_before, 1); /* what the run has already counts for all of it */
    const char *waits = CREATE(one);
    assert_string_equal(harness_read(waits)->jobs[0]->waiting->reason, "limit");
    fake_report_succeeded(1, run);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    assert_string_equal(fake_link_assigned(1)->assign->job, "other");
}

/* ---- bases ---- */

TEST(what_a_base_did_not_keep_is_taken_as_done_where_nobody_needs_it) {
    static const char *const more[] = {"gen", "V1<gen", "V2<V1", "V3<V2", "V4<V3"};
    const char *id = NULL;
    fake_report_succeeded(1, begin(&id, discard));
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    const char *next = harness_create_on_base(more, CS_COUNT(more), id);
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    expect_alone(command, "V4");
    fake_report_succeeded(1, command);
    const Callsheet__V1__Execution *execution = harness_read_state(next, EXECUTION(COMPLETED));
    expect_jobs(execution, JOB(COMPLETED), JOB(COMPLETED), JOB(COMPLETED));
    assert_string_equal(execution->jobs[1]->reused->reason, "base");
    assert_string_equal(execution->jobs[1]->fused_into, "V3");
    assert_string_equal(execution->jobs[3]->fused_into, "");
    assert_int_equal(execution->jobs[1]->attempt, 0);
}

TEST(what_a_base_did_not_keep_is_done_again_for_who_needs_it) {
    static const char *const branch[] = {"gen", "V1<gen", "V2<V1", "V9<V2"};
    const char *id = NULL;
    fake_report_succeeded(1, begin(&id, discard));
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    const char *next = harness_create_on_base(branch, CS_COUNT(branch), id);
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    expect_alone(command, "V1"); /* the new plan keeps all */
    fake_report_succeeded(1, command);
    fake_report_succeeded(1, fake_link_assigned(1));
    command = fake_link_assigned(1);
    expect_alone(command, "V9");
    fake_report_succeeded(1, command);
    const Callsheet__V1__Execution *execution = harness_read_state(next, EXECUTION(COMPLETED));
    assert_string_equal(execution->jobs[0]->reused->reason, "base");
    assert_null(execution->jobs[1]->reused);
}

TEST(a_job_of_a_base_that_was_not_kept_is_done_again_when_it_is_named) {
    static const char *const naming[] = {"V9<V2"};
    const char *id = NULL;
    fake_report_succeeded(1, begin(&id, discard));
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    const char *next = harness_create_on_base(naming, CS_COUNT(naming), id);
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    expect_alone(command, "V1");
    fake_report_succeeded(1, command);
    fake_report_succeeded(1, fake_link_assigned(1));
    command = fake_link_assigned(1);
    expect_alone(command, "V9");
    fake_report_succeeded(1, command);
    const Callsheet__V1__Execution *execution = harness_read_state(next, EXECUTION(COMPLETED));
    assert_int_equal(execution->n_jobs, 3);
    assert_string_equal(execution->result_job_id, "V9");
}

/* V2 is named by a job that does not run, and is no job of the plan. */
static void expect_only_v4(const char *id) {
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    expect_alone(command, "V4");
    fake_report_succeeded(1, command);
    const Callsheet__V1__Execution *execution = harness_read_state(id, EXECUTION(COMPLETED));
    assert_int_equal(execution->n_jobs, 2);
    assert_string_equal(execution->jobs[0]->reused->reason, "base");
    assert_string_equal(execution->jobs[0]->fused_into, "");
    assert_int_equal(fake_store_events(id, ORC_EVENT_REUSED), 2);
    assert_int_equal(fake_store_events(id, ORC_EVENT_FAILED), 0);
    assert_int_equal(fake_link_waiting(1), 0);
}

TEST(nothing_is_done_again_for_a_job_of_a_base_that_has_its_result) {
    static const char *const naming[] = {"V3<V2", "V4<V3"};
    const char *id = NULL;
    fake_report_succeeded(1, begin(&id, discard));
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    expect_only_v4(harness_create_on_base(naming, CS_COUNT(naming), id));
}

TEST(nor_fails_what_a_running_base_does_not_keep_when_nobody_needs_it) {
    static const char *const naming[] = {"V3<V2", "V4<V3"};
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *run = begin(&id, discard);
    const char *next = harness_create_on_base(naming, CS_COUNT(naming), id);
    (void)harness_read(next);
    fake_report_succeeded(1, run);
    expect_only_v4(next);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(a_chain_goes_to_a_worker_as_one_assignment),
        ENGINE_TEST(the_webhook_says_what_was_done_in_one_run),
        ENGINE_TEST(a_plan_that_says_nothing_keeps_every_output),
        ENGINE_TEST(an_output_that_the_job_asks_to_keep_is_kept),
        ENGINE_TEST(an_output_with_a_label_is_kept),
        ENGINE_TEST(an_output_of_a_root_job_is_kept),
        ENGINE_TEST(what_takes_part_in_the_cache_is_done_by_itself),
        ENGINE_TEST(a_worker_that_does_one_job_at_a_time_gets_one),
        ENGINE_TEST(a_worker_gets_no_more_jobs_in_a_run_than_it_takes),
        ENGINE_TEST(a_run_that_fails_is_done_one_by_one_and_names_the_culprit),
        ENGINE_TEST(a_split_is_remembered_over_a_restart),
        ENGINE_TEST(a_run_that_is_lost_goes_to_another_worker_as_a_whole),
        ENGINE_TEST(a_run_under_which_workers_die_again_and_again_is_split),
        ENGINE_TEST(a_run_under_way_at_a_restart_is_given_out_again),
        ENGINE_TEST(a_run_has_the_time_of_all_its_jobs_and_is_split_after_it),
        ENGINE_TEST(a_cancel_stops_the_run_once),
        ENGINE_TEST(a_checkpoint_of_a_run_is_answered_and_not_kept),
        ENGINE_TEST(a_run_that_is_given_back_is_offered_again),
        ENGINE_TEST(a_run_takes_the_permits_of_all_its_jobs),
        ENGINE_TEST(a_key_that_a_run_has_is_free_again_after_it),
        ENGINE_TEST(what_a_base_did_not_keep_is_taken_as_done_where_nobody_needs_it),
        ENGINE_TEST(what_a_base_did_not_keep_is_done_again_for_who_needs_it),
        ENGINE_TEST(a_job_of_a_base_that_was_not_kept_is_done_again_when_it_is_named),
        ENGINE_TEST(nothing_is_done_again_for_a_job_of_a_base_that_has_its_result),
        ENGINE_TEST(nor_fails_what_a_running_base_does_not_keep_when_nobody_needs_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
