/* Limits of time, and what a plan says about failure, in the engine. */
#include <string.h>

#include "engine/tests/harness.h"

#define FAILURE(name) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##name
#define JOB(name) CALLSHEET__V1__JOB_STATE__JOB_STATE_##name
#define EXECUTION(name) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##name
#define COMMAND(name) CALLSHEET__V1__WORK_COMMAND__COMMAND_##name

enum { STUCK_MS = 15 * 60 * 1000 }; /* of a merge, by the catalogue */

static const char *const one[] = {"a"};
static const char *const pair[] = {"a", "b<a"};
static const char *const media[] = {"merge", NULL};

static void assert_failed(const Callsheet__V1__Execution *execution, size_t job, const char *code) {
    assert_int_equal(execution->jobs[job]->state, JOB(FAILED));
    assert_int_equal(execution->jobs[job]->error->failure_class, FAILURE(TIMEOUT));
    assert_string_equal(execution->jobs[job]->error->code, code);
}

static void assert_retrying(const char *id, const char *code) {
    const Callsheet__V1__JobStatus *job = harness_read(id)->jobs[0];
    assert_int_equal(job->state, JOB(RETRYING));
    assert_int_equal(job->error->failure_class, FAILURE(TIMEOUT));
    assert_string_equal(job->error->code, code);
}

/* ---- the queue ---- */

static void wait_500(Callsheet__V1__Plan *plan) {
    plan->jobs[0]->queue_timeout_ms = 500;
}

TEST(w12_a_job_that_no_worker_takes_in_time_fails_with_queue_timeout) {
    const char *id = CREATE(pair, .edit = wait_500);
    harness_advance(499);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(READY));
    harness_advance(1);
    const Callsheet__V1__Execution *execution = harness_read_state(id, EXECUTION(FAILED));
    assert_failed(execution, 0, "queue_timeout");
    assert_int_equal(execution->jobs[1]->state, JOB(SKIPPED));
    assert_int_equal((int)harness_metric("callsheet_jobs_ready"), 0);
    fake_link_up(1, harness_noop, 1); /* nothing is left for it */
    (void)harness_read(id);
    assert_int_equal(fake_link_waiting(1), 0);
}

TEST(a_worker_that_comes_in_time_ends_the_wait) {
    const char *id = CREATE(one, .edit = wait_500);
    harness_advance(400);
    fake_link_up(1, harness_noop, 1);
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    harness_advance(5000);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RUNNING));
    fake_report_succeeded(1, work);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

TEST(a_wait_for_a_worker_is_counted_anew_after_a_restart) {
    const char *id = CREATE(one, .edit = wait_500);
    harness_advance(400);
    (void)harness_read(id);
    harness_stop();
    harness_start();
    harness_advance(499);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(READY));
    harness_advance(1);
    assert_failed(harness_read_state(id, EXECUTION(FAILED)), 0, "queue_timeout");
}

/* ---- the attempt ---- */

static void run_2000(Callsheet__V1__Plan *plan) {
    static Callsheet__V1__RetryPolicy once;
    callsheet__v1__retry_policy__init(&once);
    once.attempts = 1;
    plan->jobs[0]->timeout_ms = 2000;
    plan->jobs[0]->retry = &once;
}

TEST(a_plan_sets_the_time_of_an_attempt_and_how_often_it_is_tried) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one, .edit = run_2000);
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    assert_int_equal(work->assign->deadline_ms, HARNESS_START_MS + 2000);
    harness_advance(2000 + ORC_ATTEMPT_GRACE_MS);
    assert_failed(harness_read_state(id, EXECUTION(FAILED)), 0, "attempt_timeout");
    assert_int_equal(fake_link_next(1)->command_case, COMMAND(CANCEL));
}

TEST(a_worker_that_notices_the_deadline_first_gives_the_same_code) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one, .edit = run_2000);
    fake_report_failed(1, fake_link_assigned(1), FAILURE(TIMEOUT), "deadline", 0);
    assert_failed(harness_read_state(id, EXECUTION(FAILED)), 0, "attempt_timeout");
}

/* ---- silence ---- */

TEST(an_attempt_whose_worker_breaks_its_promise_to_be_heard_of_is_tried_again) {
    fake_link_up_beating(1, harness_noop, 1, 1000);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    for (int i = 0; i < 4; i++) {
        harness_advance(5000);
        assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RUNNING));
        fake_report_heartbeat(1, work);
    }
    (void)harness_read(id);
    harness_advance(5999);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RUNNING));
    harness_advance(1);
    assert_int_equal(fake_link_next(1)->command_case, COMMAND(CANCEL));
    assert_retrying(id, "worker_silent");
    fake_report_succeeded(1, work); /* too late: nobody wants it */
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RETRYING));
    const char *metrics = harness_metrics();
    assert_non_null(strstr(metrics, "callsheet_attempts_total{operation=\"noop\",outcome=\"succeeded\"} 0\n"));
    assert_non_null(strstr(metrics, "callsheet_attempts_total{operation=\"noop\",outcome=\"failed\"} 1\n"));
    assert_non_null(strstr(metrics, "callsheet_attempt_seconds_total{operation=\"noop\"} 26\n"));
}

TEST(a_worker_that_promised_nothing_may_be_silent) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    harness_advance(59000);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RUNNING));
    fake_report_succeeded(1, work);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

/* ---- progress ---- */

static void make_merge(Callsheet__V1__Plan *plan) {
    static Callsheet__V1__MediaRef ref;
    static Callsheet__V1__MergeItem item;
    static Callsheet__V1__MergeItem *items[] = {&item};
    static Callsheet__V1__Merge merge;
    callsheet__v1__media_ref__init(&ref);
    callsheet__v1__merge_item__init(&item);
    callsheet__v1__merge__init(&merge);
    ref.source_case = CALLSHEET__V1__MEDIA_REF__SOURCE_URL;
    ref.url = (char *)"https://example.com/v.mp4";
    item.media = &ref;
    merge.n_items = 1;
    merge.items = items;
    plan->jobs[0]->operation->params_case = CALLSHEET__V1__OPERATION__PARAMS_MERGE;
    plan->jobs[0]->operation->merge = &merge;
}

TEST(a_render_that_does_not_get_any_further_is_tried_again) {
    fake_link_up_beating(1, media, 1, 200000);
    const char *id = CREATE(one, .edit = make_merge);
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    fake_report_progress(1, work, "fetching", 0);
    (void)harness_read(id);
    harness_advance(STUCK_MS / 2);
    fake_report_progress(1, work, "rendering", 0.5);
    for (int i = 0; i < 4; i++) { /* it is heard of, but always the same */
        (void)harness_read(id);
        harness_advance(STUCK_MS / 4 - 1);
        fake_report_progress(1, work, "rendering", 0.5);
    }
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RUNNING));
    harness_advance(4);
    assert_int_equal(fake_link_next(1)->command_case, COMMAND(CANCEL));
    assert_retrying(id, "no_progress");
}

TEST(a_render_that_creeps_is_left_alone) {
    fake_link_up(1, media, 1);
    const char *id = CREATE(one, .edit = make_merge);
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    for (int i = 1; i <= 3; i++) {
        harness_advance(STUCK_MS - 1);
        fake_report_progress(1, work, "rendering", 0.001 * i);
        assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RUNNING));
    }
    fake_report_succeeded(1, work);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

/* ---- the whole plan ---- */

static void fail_fast(Callsheet__V1__Plan *plan) {
    plan->on_failure = CALLSHEET__V1__ON_FAILURE__ON_FAILURE_FAIL_FAST;
}

TEST(sy_038_fail_fast_stops_what_runs_and_survives_a_restart) {
    static const char *const lines[] = {"a", "b", "c", "join<b,c"};
    fake_link_up(1, harness_noop, 2);
    const char *id = CREATE(lines, .edit = fail_fast, .webhook = true);
    fake_report_failed(1, fake_link_assigned(1), FAILURE(INVALID_INPUT), "bad", 0);
    (void)fake_link_assigned(1);
    const Callsheet__V1__Execution *execution = harness_read_state(id, EXECUTION(FAILED));
    assert_int_equal(execution->jobs[0]->state, JOB(FAILED));
    assert_int_equal(execution->jobs[1]->state, JOB(CANCELLED));
    assert_int_equal(execution->jobs[2]->state, JOB(CANCELLED));
    assert_int_equal(execution->jobs[3]->state, JOB(SKIPPED));
    assert_string_equal(execution->jobs[3]->error->code, "failed_fast");
    assert_non_null(strstr(execution->error, "Job 'noop' failed: "));
    assert_int_equal(fake_link_next(1)->command_case, COMMAND(CANCEL));
    assert_int_equal((int)harness_metric("callsheet_jobs_ready"), 1); /* the delivery, which no worker offers */
    harness_stop();
    harness_start();
    const Callsheet__V1__Execution *again = harness_read(id);
    assert_string_equal(again->error, execution->error);
    assert_int_equal(again->started_at_ms, execution->started_at_ms);
    for (size_t i = 0; i < CS_COUNT(lines); i++) {
        assert_int_equal(again->jobs[i]->state, execution->jobs[i]->state);
    }
}

static void after_any(Callsheet__V1__Plan *plan) {
    plan->jobs[2]->dependency_policy = CALLSHEET__V1__DEPENDENCY_POLICY__DEPENDENCY_POLICY_ANY;
}

TEST(w8_two_parents_that_complete_together_release_a_job_after_any_once) {
    static const char *const lines[] = {"a", "b", "join<a,b"};
    fake_link_up(1, harness_noop, 3);
    const char *id = CREATE(lines, .edit = after_any);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    const Callsheet__V1__WorkCommand *b = fake_link_assigned(1);
    fake_report_succeeded(1, a);
    fake_report_succeeded(1, b);
    const Callsheet__V1__WorkCommand *join = fake_link_assigned(1);
    assert_string_equal(join->assign->job, "join");
    fake_report_succeeded(1, join);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    assert_int_equal(fake_link_waiting(1), 0);
    assert_int_equal(fake_store_events(id, ORC_EVENT_SUCCEEDED), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(w12_a_job_that_no_worker_takes_in_time_fails_with_queue_timeout),
        ENGINE_TEST(a_worker_that_comes_in_time_ends_the_wait),
        ENGINE_TEST(a_wait_for_a_worker_is_counted_anew_after_a_restart),
        ENGINE_TEST(a_plan_sets_the_time_of_an_attempt_and_how_often_it_is_tried),
        ENGINE_TEST(a_worker_that_notices_the_deadline_first_gives_the_same_code),
        ENGINE_TEST(an_attempt_whose_worker_breaks_its_promise_to_be_heard_of_is_tried_again),
        ENGINE_TEST(a_worker_that_promised_nothing_may_be_silent),
        ENGINE_TEST(a_render_that_does_not_get_any_further_is_tried_again),
        ENGINE_TEST(a_render_that_creeps_is_left_alone),
        ENGINE_TEST(sy_038_fail_fast_stops_what_runs_and_survives_a_restart),
        ENGINE_TEST(w8_two_parents_that_complete_together_release_a_job_after_any_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
