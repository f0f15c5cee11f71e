/* Who gets what, and what becomes of it. */
#include <string.h>

#include "engine/tests/harness.h"

#define FAILURE(name) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##name
#define JOB(name) CALLSHEET__V1__JOB_STATE__JOB_STATE_##name
#define EXECUTION(name) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##name

static const char *const one[] = {"a"};
static const char *const gen[] = {"gen"};

TEST(slots_bound_what_a_worker_gets) {
    static const char *const five[] = {"a", "b", "c", "d", "e"};
    fake_link_up(1, harness_noop, 2);
    const char *id = CREATE(five);
    const Callsheet__V1__WorkCommand *first = fake_link_assigned(1);
    (void)fake_link_assigned(1);
    (void)harness_read(id);
    assert_int_equal(fake_link_waiting(1), 0);
    fake_report_succeeded(1, first);
    (void)fake_link_assigned(1);
    fake_link_credits(1, 4);
    (void)fake_link_assigned(1);
    (void)fake_link_assigned(1);
}

TEST(sy_046_w1_w3_jobs_that_wait_hold_no_slot_and_those_that_do_not_run_together) {
    static const char *const jobs[] = {"a", "b", "wait1<a", "wait2<a,b", "wait3<wait2", "wait4<wait3"};
    fake_link_up(1, harness_noop, 3);
    (void)CREATE(jobs);
    const Callsheet__V1__WorkCommand *first = fake_link_assigned(1);
    const Callsheet__V1__WorkCommand *second = fake_link_assigned(1);
    const char *other = CREATE(one); /* four jobs wait, and the third slot is free */
    const Callsheet__V1__WorkCommand *third = fake_link_assigned(1);
    assert_string_equal(third->assign->execution, other);
    fake_report_succeeded(1, strcmp(first->assign->job, "a") == 0 ? first : second);
    assert_string_equal(fake_link_assigned(1)->assign->job, "wait1");
}

TEST(sy_051_w2_a_join_is_released_however_long_ago_its_first_parent_ended) {
    static const char *const jobs[] = {"quick", "slow", "join<quick,slow"};
    fake_link_up(1, harness_noop, 1);
    (void)CREATE(jobs);
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)fake_link_assigned(1);
    fake_link_down(1);
    harness_advance(3600 * 1000);
    fake_link_up(2, harness_noop, 1);
    fake_report_succeeded(2, fake_link_assigned(2));
    assert_string_equal(fake_link_assigned(2)->assign->job, "join");
}

TEST(w18_jobs_of_one_id_in_two_executions_do_not_touch) {
    fake_link_up(1, harness_noop, 2);
    const char *failing = CREATE(one);
    const Callsheet__V1__WorkCommand *first = fake_link_assigned(1);
    const char *going_on = CREATE(one);
    const Callsheet__V1__WorkCommand *second = fake_link_assigned(1);
    assert_string_equal(first->assign->job, second->assign->job);
    assert_string_not_equal(first->assign->output_prefix, second->assign->output_prefix);
    fake_report_failed(1, first, FAILURE(INVALID_INPUT), "bad", 0);
    (void)harness_read_state(failing, EXECUTION(FAILED));
    assert_int_equal(harness_read(going_on)->jobs[0]->state, JOB(RUNNING));
    fake_report_succeeded(1, second);
    (void)harness_read_state(going_on, EXECUTION(COMPLETED));
    (void)harness_read_state(failing, EXECUTION(FAILED));
}

TEST(work_goes_to_the_least_loaded_worker_that_can_do_it) {
    static const char *const six[] = {"a", "b", "c", "d", "e", "f"};
    static const char *const webhooks[] = {"deliverWebhook", NULL};
    fake_link_up(1, harness_noop, 8);
    fake_link_up(2, harness_noop, 4);
    fake_link_up(3, webhooks, 100);
    const char *id = CREATE(six);
    (void)harness_read(id);
    assert_int_equal(fake_link_waiting(1), 4); /* two thirds of the slots, two thirds of the jobs */
    assert_int_equal(fake_link_waiting(2), 2);
    assert_int_equal(fake_link_waiting(3), 0);
}

TEST(w23_a_tenant_with_many_jobs_delays_another_by_one_job) {
    static const char *const many[] = {"a", "b", "c", "d", "e", "f", "g0", "h"};
    fake_link_up(1, harness_noop, 1);
    (void)CREATE(many);
    const Callsheet__V1__WorkCommand *running = fake_link_assigned(1);
    const char *other = CREATE(one, .tenant = "globex");
    fake_report_succeeded(1, running);
    const Callsheet__V1__WorkCommand *next = fake_link_assigned(1);
    fake_report_succeeded(1, next);
    const Callsheet__V1__WorkCommand *after = fake_link_assigned(1);
    assert_true(strcmp(next->assign->execution, other) == 0 || strcmp(after->assign->execution, other) == 0);
}

TEST(a_link_that_goes_down_gives_its_jobs_to_another_worker) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *lost = fake_link_assigned(1);
    fake_link_up(2, harness_noop, 1);
    fake_link_down(1);
    const Callsheet__V1__WorkCommand *again = fake_link_assigned(2);
    assert_int_equal(lost->assign->attempt, 1);
    assert_int_equal(again->assign->attempt, 2);
    assert_memory_not_equal(lost->fence.data, again->fence.data, ORC_FENCE_BYTES);
    assert_string_not_equal(lost->assign->output_prefix, again->assign->output_prefix);
    assert_int_equal(fake_store_events(id, ORC_EVENT_LOST), 1);
    fake_report_succeeded(2, again);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

TEST(a_job_waits_for_its_worker_to_come_back) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    (void)fake_link_assigned(1);
    fake_link_down(1);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(READY));
    fake_link_up(2, harness_noop, 1);
    assert_int_equal(fake_link_assigned(2)->assign->attempt, 2);
}

TEST(a_report_with_a_fence_of_nobody_is_dropped) {
    fake_link_up(1, harness_noop, 1);
    fake_link_up(2, harness_noop, 1);
    const char *id = CREATE(one);
    (void)harness_read(id);
    uint64_t link = fake_link_waiting(1) != 0 ? 1 : 2;
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(link);
    fake_report_succeeded(3 - link, assigned); /* of another worker */
    unsigned char invented[ORC_FENCE_BYTES] = {1, 2, 3};
    Callsheet__V1__WorkCommand forged = *assigned;
    forged.fence.data = invented;
    fake_report_succeeded(link, &forged);
    forged.fence.len = 3;
    fake_report_succeeded(link, &forged);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RUNNING));
    assert_int_equal((int)harness_metric("callsheet_reports_dropped_total"), 2); /* a short fence is no report at all */
    fake_report_succeeded(link, assigned);
    fake_report_succeeded(link, assigned); /* twice is once */
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    assert_int_equal(fake_store_events(id, ORC_EVENT_SUCCEEDED), 1);
}

TEST(sy_139_a_failure_is_retried_with_backoff_and_then_succeeds) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    fake_report_failed(1, fake_link_assigned(1), FAILURE(RATE_LIMITED), "http_429", 5000);
    const Callsheet__V1__Execution *execution = harness_read(id);
    assert_int_equal(execution->jobs[0]->state, JOB(RETRYING));
    assert_string_equal(execution->jobs[0]->error->code, "http_429");
    assert_true(execution->jobs[0]->wake_at_ms >= HARNESS_START_MS + 5000);
    harness_advance(4999);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RETRYING));
    harness_advance(60 * 60 * 1000);
    const Callsheet__V1__WorkCommand *again = fake_link_assigned(1);
    assert_int_equal(again->assign->attempt, 2);
    fake_report_succeeded(1, again);
    execution = harness_read_state(id, EXECUTION(COMPLETED));
    assert_null(execution->jobs[0]->error);
}

TEST(a_failure_for_good_fails_the_execution_with_a_sentence) {
    static const char *const chain[] = {"a", "b<a"};
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(chain);
    fake_report_failed(1, fake_link_assigned(1), FAILURE(INVALID_INPUT), "bad_clip", 0);
    const Callsheet__V1__Execution *execution = harness_read_state(id, EXECUTION(FAILED));
    assert_string_equal(execution->error, "Job 'noop' failed: as the test wants");
    assert_int_equal(execution->jobs[1]->state, JOB(SKIPPED));
    assert_string_equal(execution->jobs[1]->error->message, "Dependency job failed");
}

TEST(a_worker_without_a_slot_gives_the_job_back) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    fake_report_failed(1, fake_link_assigned(1), FAILURE(TRANSIENT), "no_slot", 0);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RETRYING));
    assert_int_equal(fake_store_events(id, 0), 0); /* nothing happened that anybody must know */
    harness_advance(ORC_RETURN_DELAY_MS);
    assert_int_equal(fake_link_assigned(1)->assign->attempt, 2);
}

TEST(a_clock_that_is_set_back_stops_nothing) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(1);
    harness_advance(-HARNESS_START_MS / 2);
    fake_report_failed(1, assigned, FAILURE(TRANSIENT), "no_slot", 0);
    assert_string_equal(fake_link_assigned(1)->assign->execution, id); /* in a moment, not when it has caught up */
}

TEST(work_that_a_draining_worker_stops_runs_elsewhere) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(1);
    fake_link_credits(1, 0);
    fake_link_up(2, harness_noop, 1);
    fake_report_failed(1, assigned, FAILURE(TRANSIENT), "draining", 0);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RETRYING));
    harness_advance(ORC_RETURN_DELAY_MS);
    assert_int_equal(fake_link_assigned(2)->assign->attempt, 2);
    assert_int_equal(fake_store_events(id, 0), 0); /* it costs the job nothing */
}

TEST(sy_054_w15_w23_e14_cancel_reaches_the_worker_and_its_late_answer_is_dropped) {
    static const char *const wide[] = {"a", "b", "c<a,b"};
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(wide);
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(1);
    fake_store_hold();
    struct answer *cancel = harness_cancel(id);
    fake_store_await_held();
    assert_false(harness_done(cancel)); /* a decision is told when it is durable */
    fake_store_let_go();
    harness_await(cancel);
    assert_int_equal(cancel->execution->state, EXECUTION(CANCELLED));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(cancel->execution->jobs[i]->state, JOB(CANCELLED));
    }
    const Callsheet__V1__WorkCommand *stop = fake_link_next(1);
    assert_int_equal(stop->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL);
    assert_memory_equal(stop->fence.data, assigned->fence.data, ORC_FENCE_BYTES);
    assert_true(stop->cancel->for_good);
    const char *next = CREATE(one); /* waits: the slot is taken until the worker says that it stopped */
    (void)harness_read(next);
    assert_int_equal(fake_link_waiting(1), 0);
    fake_report_succeeded(1, assigned);
    assert_string_equal(fake_link_assigned(1)->assign->execution, next);
    assert_int_equal(harness_read(id)->state, EXECUTION(CANCELLED));
    assert_int_equal(fake_store_events(id, ORC_EVENT_SUCCEEDED), 0);
    struct answer *again = harness_cancel(id);
    harness_await(again);
    assert_int_equal(again->status, CS_OK); /* cancelling what is cancelled answers it */
}

static void assert_cancelled_then_answered(const Callsheet__V1__WorkCommand *assigned, uint64_t sequence) {
    const Callsheet__V1__WorkCommand *stop = fake_link_next(1);
    assert_int_equal(stop->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL);
    const Callsheet__V1__WorkCommand *saved = fake_link_next(1);
    assert_int_equal(saved->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CHECKPOINT_SAVED);
    assert_int_equal(saved->checkpoint_saved->sequence, sequence);
    assert_memory_equal(saved->fence.data, assigned->fence.data, ORC_FENCE_BYTES);
}

/* It cannot end before it has its answer, and must not go on as if nothing had happened. */
TEST(a_checkpoint_of_an_attempt_that_was_cancelled_is_answered_after_the_cancel) {
    fake_link_up(1, harness_every, 1);
    const char *id = CREATE(gen);
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(1);
    fake_store_hold();
    struct answer *cancel = harness_cancel(id);
    fake_store_await_held();
    fake_report_checkpoint(1, assigned, 1, "intent", 6);
    fake_store_let_go();
    harness_await(cancel);
    assert_cancelled_then_answered(assigned, 1);
    fake_report_checkpoint(1, assigned, 2, "id", 2); /* sent before it heard of the cancel */
    assert_int_equal(fake_link_next(1)->checkpoint_saved->sequence, 2);
    assert_int_equal(fake_store_events(id, ORC_EVENT_CHECKPOINT), 0);
}

TEST(a_checkpoint_that_is_durable_while_its_attempt_is_cancelled_is_answered_after_the_cancel) {
    fake_link_up(1, harness_every, 1);
    const char *id = CREATE(gen);
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(1);
    fake_store_hold();
    fake_report_checkpoint(1, assigned, 1, "intent", 6);
    fake_store_await_held();
    struct answer *cancel = harness_cancel(id);
    fake_store_let_go();
    harness_await(cancel);
    assert_cancelled_then_answered(assigned, 1);
}

TEST(what_was_cancelled_while_it_waited_for_a_slot_never_leaves) {
    static const char *const two[] = {"gen1", "gen2"};
    fake_link_up(1, harness_every, 1);
    const char *id = CREATE(two, .webhook = true);
    const Callsheet__V1__WorkCommand *first = fake_link_assigned(1);
    harness_await(harness_cancel(id));
    assert_int_equal(fake_link_next(1)->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL);
    fake_report_failed(1, first, FAILURE(CANCELLED), "cancelled", 0);
    const Callsheet__V1__WorkCommand *webhook = fake_link_assigned(1); /* the execution stays open for it */
    assert_string_equal(webhook->assign->job, "@webhook");
    fake_report_succeeded(1, webhook);
    (void)harness_read(id);
    assert_int_equal(fake_store_events(id, ORC_EVENT_STARTED), 1);
    assert_int_equal((int)harness_metric("callsheet_assignments"), 0);
}

TEST(paid_work_that_was_cancelled_before_its_start_was_durable_never_leaves) {
    const char *id = CREATE(gen);
    fake_store_hold();
    fake_link_up(1, harness_every, 1);
    fake_store_await_held(); /* the commit of its start */
    struct answer *cancel = harness_cancel(id);
    fake_store_let_go();
    harness_await(cancel);
    assert_int_equal(cancel->execution->state, EXECUTION(CANCELLED));
    (void)harness_read(id);
    assert_int_equal(fake_link_waiting(1), 0);
    (void)CREATE(one); /* its slot is free again */
    assert_string_equal(fake_link_assigned(1)->assign->job, "a");
}

TEST(sy_140_an_attempt_that_takes_too_long_is_stopped_and_tried_again) {
    fake_link_up(1, harness_noop, 2);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *slow = fake_link_assigned(1);
    int64_t allowed_ms = slow->assign->deadline_ms - HARNESS_START_MS;
    assert_true(allowed_ms > 0);
    harness_advance(allowed_ms); /* the worker may still say so itself */
    (void)harness_read(id);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RUNNING));
    harness_advance(ORC_ATTEMPT_GRACE_MS);
    const Callsheet__V1__WorkCommand *stop = fake_link_next(1);
    assert_int_equal(stop->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL);
    assert_false(stop->cancel->for_good); /* another attempt may go on from what it kept */
    int64_t wake_ms = harness_read(id)->jobs[0]->wake_at_ms;
    harness_advance(wake_ms != 0 ? wake_ms - harness.now_ms : 0); /* 0: chance gave it no delay */
    const Callsheet__V1__WorkCommand *again = fake_link_assigned(1);
    assert_int_equal(again->assign->attempt, 2);
    fake_report_succeeded(1, slow); /* too late */
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RUNNING));
    fake_report_succeeded(1, again);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

TEST(w12_w13_the_deadline_of_an_execution_ends_it) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one, .timeout_ms = 10000);
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(1);
    assert_int_equal(assigned->assign->deadline_ms, HARNESS_START_MS + 10000);
    harness_advance(10000);
    assert_int_equal(fake_link_next(1)->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL);
    const Callsheet__V1__Execution *execution = harness_read(id);
    assert_int_equal(execution->state, EXECUTION(FAILED));
    assert_non_null(strstr(execution->error, "ran out of time"));
}

TEST(a_checkpoint_that_is_too_big_fails_the_attempt) {
    fake_link_up(1, harness_every, 2);
    const char *id = CREATE(gen);
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(1);
    CS_AUTO_FREE char *big = cs_alloc(ORC_CHECKPOINT_BYTES_MAX * 2);
    fake_report_checkpoint(1, assigned, 1, big, ORC_CHECKPOINT_BYTES_MAX * 2);
    assert_int_equal(fake_link_next(1)->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL);
    const Callsheet__V1__Execution *execution = harness_read(id);
    assert_string_equal(execution->jobs[0]->error->code, "checkpoint_too_big");
}

TEST(ex_008_e6_progress_shows_and_never_falls) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(1);
    fake_report_progress(1, assigned, "rendering", 0.5);
    fake_report_progress(1, assigned, "uploading", 0.25);
    const Callsheet__V1__Execution *execution = harness_read(id);
    assert_string_equal(execution->jobs[0]->progress->stage, "uploading");
    assert_true(execution->jobs[0]->progress->fraction == 0.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(slots_bound_what_a_worker_gets),
        ENGINE_TEST(sy_046_w1_w3_jobs_that_wait_hold_no_slot_and_those_that_do_not_run_together),
        ENGINE_TEST(sy_051_w2_a_join_is_released_however_long_ago_its_first_parent_ended),
        ENGINE_TEST(w18_jobs_of_one_id_in_two_executions_do_not_touch),
        ENGINE_TEST(work_goes_to_the_least_loaded_worker_that_can_do_it),
        ENGINE_TEST(w23_a_tenant_with_many_jobs_delays_another_by_one_job),
        ENGINE_TEST(a_link_that_goes_down_gives_its_jobs_to_another_worker),
        ENGINE_TEST(a_job_waits_for_its_worker_to_come_back),
        ENGINE_TEST(a_report_with_a_fence_of_nobody_is_dropped),
        ENGINE_TEST(sy_139_a_failure_is_retried_with_backoff_and_then_succeeds),
        ENGINE_TEST(a_failure_for_good_fails_the_execution_with_a_sentence),
        ENGINE_TEST(a_worker_without_a_slot_gives_the_job_back),
        ENGINE_TEST(a_clock_that_is_set_back_stops_nothing),
        ENGINE_TEST(work_that_a_draining_worker_stops_runs_elsewhere),
        ENGINE_TEST(sy_054_w15_w23_e14_cancel_reaches_the_worker_and_its_late_answer_is_dropped),
        ENGINE_TEST(a_checkpoint_of_an_attempt_that_was_cancelled_is_answered_after_the_cancel),
        ENGINE_TEST(a_checkpoint_that_is_durable_while_its_attempt_is_cancelled_is_answered_after_the_cancel),
        ENGINE_TEST(what_was_cancelled_while_it_waited_for_a_slot_never_leaves),
        ENGINE_TEST(paid_work_that_was_cancelled_before_its_start_was_durable_never_leaves),
        ENGINE_TEST(sy_140_an_attempt_that_takes_too_long_is_stopped_and_tried_again),
        ENGINE_TEST(w12_w13_the_deadline_of_an_execution_ends_it),
        ENGINE_TEST(a_checkpoint_that_is_too_big_fails_the_attempt),
        ENGINE_TEST(ex_008_e6_progress_shows_and_never_falls),
    };
    return cmocka_run_group_tests_name("engine: workers", tests, NULL, NULL);
}
