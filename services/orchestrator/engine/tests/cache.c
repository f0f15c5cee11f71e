/* Work that was done before, or is being done, in the engine. */
#include <stdio.h>
#include <string.h>

#include "engine/cache.h"
#include "engine/tests/fake_cache.h"
#include "engine/tests/harness.h"

#define FAILURE(name) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##name
#define JOB(name) CALLSHEET__V1__JOB_STATE__JOB_STATE_##name
#define EXECUTION(name) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##name
#define CACHE(name) CALLSHEET__V1__CACHE_MODE__CACHE_MODE_##name

static const char *const one[] = {"g"};
static const char *const other[] = {"g2"};

static void as_usual(Callsheet__V1__Plan *plan) {
    plan->cache = CACHE(UNSPECIFIED);
}

static const char *run(Callsheet__V1__CacheMode mode) {
    const char *id = CREATE(one, .cache = mode);
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    return id;
}

static void assert_hit(const Callsheet__V1__Execution *execution, const char *source) {
    const Callsheet__V1__JobStatus *job = execution->jobs[0];
    assert_int_equal(job->state, JOB(COMPLETED));
    assert_int_equal(job->attempt, 0);
    assert_string_equal(job->cache->outcome, "hit");
    assert_string_equal(job->reused->reason, "cache");
    assert_string_equal(job->reused->execution_id, source);
    assert_string_equal(job->reused->job_id, "g");
}

static void assert_miss(const char *id, const char *reason) {
    const Callsheet__V1__JobStatus *job = harness_read(id)->jobs[0];
    assert_string_equal(job->cache->outcome, "miss");
    assert_string_equal(job->cache->reason, reason);
    assert_null(job->reused);
}

/* Reads are refused while the log is read again. */
static const Callsheet__V1__Execution *read_completed(const char *tenant, const char *id) {
    for (;;) {
        const struct answer *answer = harness_get(tenant, id);
        harness_await(answer);
        if (answer->execution != NULL && answer->execution->state == EXECUTION(COMPLETED)) {
            return answer->execution;
        }
    }
}

/* ---- one after the other ---- */

TEST(sy_138_paid_work_that_was_done_is_not_done_again) {
    fake_link_up(1, harness_every, 4);
    const char *first = CREATE(one, .edit = as_usual);
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(first, EXECUTION(COMPLETED));
    assert_miss(first, "never_seen");
    const char *second = CREATE(other, .edit = as_usual);
    assert_hit(harness_read_state(second, EXECUTION(COMPLETED)), first);
    assert_int_equal(fake_link_waiting(1), 0);
    assert_int_equal(fake_store_events(second, ORC_EVENT_REUSED), 1);
    assert_int_equal((int)harness_metric("callsheet_cache_hits_total"), 1);
    assert_int_equal((int)harness_metric("callsheet_cache_misses_total"), 1);
}

TEST(work_whose_mode_is_off_is_never_looked_up) {
    fake_link_up(1, harness_every, 4);
    (void)run(CACHE(OFF));
    const char *second = run(CACHE(OFF));
    assert_null(harness_read(second)->jobs[0]->cache);
    assert_int_equal(fake_cache_asks(), 0);
    assert_int_equal(fake_cache_results(), 0);
}

TEST(work_that_is_not_paid_for_is_looked_up_only_when_asked_for) {
    static const char *const cheap[] = {"a"};
    fake_link_up(1, harness_every, 4);
    const char *first = CREATE(cheap, .edit = as_usual);
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(first, EXECUTION(COMPLETED));
    assert_int_equal(fake_cache_asks(), 0);
    const char *second = CREATE(cheap, .cache = CACHE(ON));
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(second, EXECUTION(COMPLETED));
    const char *third = CREATE(cheap, .cache = CACHE(ON));
    assert_string_equal(harness_read_state(third, EXECUTION(COMPLETED))->jobs[0]->reused->execution_id, second);
}

TEST(sy_138_refresh_does_it_anew_and_keeps_the_new_result) {
    fake_link_up(1, harness_every, 4);
    (void)run(CACHE(ON));
    int asks = fake_cache_asks();
    const char *second = run(CACHE(REFRESH));
    assert_miss(second, "refresh");
    assert_int_equal(fake_cache_asks(), asks);
    assert_hit(harness_read_state(CREATE(other, .cache = CACHE(ON)), EXECUTION(COMPLETED)), second);
    assert_int_equal(fake_cache_results(), 1);
}

TEST(sy_138_a_result_is_kept_for_seven_days) {
    fake_link_up(1, harness_every, 4);
    const char *first = run(CACHE(ON));
    harness_advance(INT64_C(7) * 24 * 3600 * 1000 - 1);
    assert_hit(harness_read_state(CREATE(one, .cache = CACHE(ON)), EXECUTION(COMPLETED)), first);
    harness_advance(1);
    assert_miss(run(CACHE(ON)), "expired");
}

TEST(w24_a_result_of_one_tenant_is_none_for_another) {
    fake_link_up(1, harness_every, 4);
    (void)run(CACHE(ON));
    const char *second = CREATE(one, .cache = CACHE(ON), .tenant = "other");
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)read_completed("other", second);
    assert_int_equal(fake_cache_results(), 2);
}

/* ---- at the same time ---- */

static void say_different_things(Callsheet__V1__Plan *plan) {
    static char prompts[8][32];
    plan->cache = CACHE(ON);
    for (size_t i = 0; i < plan->n_jobs; i++) {
        (void)snprintf(prompts[i], sizeof(prompts[i]), "dog %zu", i);
        plan->jobs[i]->operation->generate_video->prompt = prompts[i];
    }
}

TEST(all_that_want_to_know_are_answered_by_one_statement) {
    static const char *const lines[] = {"g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7"};
    fake_link_up(1, harness_every, 8);
    (void)CREATE(lines, .edit = say_different_things);
    for (size_t i = 0; i < CS_COUNT(lines); i++) {
        (void)fake_link_assigned(1);
    }
    assert_int_equal(fake_cache_asks(), 1);
    assert_int_equal(fake_cache_questions(), 8);
}

TEST(sy_138_of_jobs_that_do_the_same_work_at_once_one_is_done) {
    fake_link_up(1, harness_every, 4);
    const char *first = CREATE(one, .cache = CACHE(ON));
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    const char *second = CREATE(other, .cache = CACHE(ON));
    const Callsheet__V1__Waiting *waiting = harness_read(second)->jobs[0]->waiting;
    assert_string_equal(waiting->reason, "same_work");
    assert_string_equal(waiting->same_execution_id, first);
    assert_string_equal(waiting->same_job_id, "g");
    fake_report_succeeded(1, work);
    assert_hit(harness_read_state(second, EXECUTION(COMPLETED)), first);
    (void)harness_read_state(first, EXECUTION(COMPLETED));
    assert_int_equal(fake_link_waiting(1), 0);
    assert_int_equal((int)harness_metric("callsheet_cache_waits_total"), 1);
    assert_int_equal(fake_cache_asks(), 1);
}

TEST(one_plan_may_want_the_same_work_twice) {
    static const char *const twins[] = {"g", "g2", "join<g,g2"};
    fake_link_up(1, harness_every, 4);
    const char *id = CREATE(twins, .edit = as_usual);
    fake_report_succeeded(1, fake_link_assigned(1));
    const Callsheet__V1__WorkCommand *join = fake_link_assigned(1);
    assert_string_equal(join->assign->job, "join");
    fake_report_succeeded(1, join);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    assert_int_equal(fake_store_events(id, ORC_EVENT_REUSED), 1);
}

TEST(who_leads_goes_on_leading_while_it_is_tried_again) {
    fake_link_up(1, harness_every, 4);
    const char *first = CREATE(one, .cache = CACHE(ON));
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    const char *second = CREATE(one, .cache = CACHE(ON));
    fake_report_failed(1, work, FAILURE(TRANSIENT), "http_503", 1000);
    (void)harness_read(first);
    assert_string_equal(harness_read(second)->jobs[0]->waiting->reason, "same_work");
    harness_advance(3600 * 1000);
    work = fake_link_assigned(1);
    assert_string_equal(work->assign->execution, first);
    fake_report_succeeded(1, work);
    assert_hit(harness_read_state(second, EXECUTION(COMPLETED)), first);
}

TEST(when_the_leader_fails_the_next_one_leads) {
    fake_link_up(1, harness_every, 4);
    const char *first = CREATE(one, .cache = CACHE(ON));
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    const char *second = CREATE(one, .cache = CACHE(ON));
    const char *third = CREATE(one, .cache = CACHE(ON));
    (void)harness_read(third);
    fake_report_failed(1, work, FAILURE(BILLING), "no_credit", 0);
    work = fake_link_assigned(1);
    assert_string_equal(work->assign->execution, second);
    (void)harness_read_state(first, EXECUTION(FAILED));
    assert_int_equal(fake_cache_leaders(), 1);
    fake_report_succeeded(1, work);
    assert_hit(harness_read_state(third, EXECUTION(COMPLETED)), second);
    assert_int_equal(fake_cache_leaders(), 0);
}

TEST(when_the_leader_is_cancelled_the_next_one_leads_or_nobody) {
    fake_link_up(1, harness_every, 1);
    const char *first = CREATE(one, .cache = CACHE(ON));
    (void)fake_link_assigned(1);
    const char *second = CREATE(one, .cache = CACHE(ON));
    harness_await(harness_cancel(first));
    assert_int_equal(fake_cache_leaders(), 1);
    assert_string_equal(harness_read(second)->jobs[0]->waiting->reason, "no_slot");
    harness_await(harness_cancel(second));
    assert_int_equal(fake_cache_leaders(), 0);
}

/* The last job becomes a map over two items. */
static void map_two(Callsheet__V1__Plan *plan) {
    static char *items[] = {(char *)"\"a fox\"", (char *)"\"a hen\""};
    static Callsheet__V1__Map map;
    Callsheet__V1__Operation *operation = plan->jobs[plan->n_jobs - 1]->operation;
    callsheet__v1__map__init(&map);
    map.items = items;
    map.n_items = CS_COUNT(items);
    map.job = (char *)"{\"operation\":{\"generateVideo\":{\"prompt\":\"{{item}}\",\"provider\":\"local\"}}}";
    operation->params_case = CALLSHEET__V1__OPERATION__PARAMS_MAP;
    operation->map = &map;
}

TEST(when_a_map_fails_others_do_the_work_of_the_items_that_are_cancelled) {
    static const char *const open[] = {"a", "m"};
    static const char *const mapped[] = {"m"};
    fake_link_up(1, harness_every, 8);
    (void)CREATE(open, .cache = CACHE(ON), .edit = map_two);
    (void)fake_link_assigned(1); /* "a", which keeps the execution open */
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    (void)fake_link_assigned(1);
    const char *second = CREATE(mapped, .cache = CACHE(ON), .edit = map_two);
    (void)harness_read(second);
    fake_report_failed(1, work, FAILURE(INVALID_INPUT), "bad_prompt", 0);
    int assigned = 0;
    for (int i = 0; i < 3; i++) { /* one item is stopped, both are given out again */
        const Callsheet__V1__WorkCommand *command = fake_link_next(1);
        if (command->command_case == CALLSHEET__V1__WORK_COMMAND__COMMAND_ASSIGN) {
            assert_string_equal(command->assign->execution, second);
            fake_report_succeeded(1, command);
            assigned++;
        }
    }
    assert_int_equal(assigned, 2);
    (void)harness_read_state(second, EXECUTION(COMPLETED));
}

TEST(who_waited_for_a_leader_may_be_cancelled) {
    fake_link_up(1, harness_every, 4);
    const char *first = CREATE(one, .cache = CACHE(ON));
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    const char *second = CREATE(one, .cache = CACHE(ON));
    harness_await(harness_cancel(second));
    fake_report_succeeded(1, work);
    (void)harness_read_state(first, EXECUTION(COMPLETED));
    assert_int_equal(fake_store_state(second), ORC_EXECUTION_CANCELLED);
}

TEST(work_that_is_done_elsewhere_is_asked_for_once_a_second) {
    fake_link_up(1, harness_every, 4);
    fake_cache_hold(true);
    const char *id = CREATE(one, .cache = CACHE(ON));
    const Callsheet__V1__JobStatus *job = harness_read(id)->jobs[0];
    while (strcmp(job->waiting->reason, "same_work") != 0) { /* the answer is on its way */
        job = harness_read(id)->jobs[0];
    }
    assert_string_equal(job->waiting->same_execution_id, "elsewhere");
    harness_advance(ORC_CACHE_POLL_MS - 1);
    (void)harness_read(id);
    assert_int_equal(fake_cache_asks(), 1);
    fake_cache_hold(false);
    harness_advance(1);
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    assert_int_equal(fake_cache_asks(), 2);
}

/* ---- restarts ---- */

TEST(e1_after_a_restart_the_leader_goes_on_and_the_others_wait_for_it) {
    fake_link_up(1, harness_every, 4);
    const char *first = CREATE(one, .cache = CACHE(ON));
    fake_report_checkpoint(1, fake_link_assigned(1), 1, "submitted", 9);
    const char *second = CREATE(one, .cache = CACHE(ON));
    (void)harness_read(second);
    assert_int_equal(fake_store_events(first, ORC_EVENT_CHECKPOINT), 1);
    harness_stop();
    harness_start();
    fake_link_up(2, harness_every, 4);
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(2);
    assert_string_equal(work->assign->execution, first);
    assert_int_equal(work->assign->checkpoint.len, 9);
    assert_miss(first, "never_seen");
    fake_report_succeeded(2, work);
    assert_hit(harness_read_state(second, EXECUTION(COMPLETED)), first);
    assert_int_equal(fake_link_waiting(2), 0);
}

TEST(e1_a_leader_that_had_not_begun_leads_again_after_a_restart) {
    const char *first = CREATE(one, .cache = CACHE(ON)); /* there is no worker */
    while (fake_cache_leaders() == 0) {
        (void)harness_read(first);
    }
    const char *second = CREATE(one, .cache = CACHE(ON));
    (void)harness_read(second);
    harness_stop();
    harness_start();
    fake_link_up(1, harness_every, 4);
    const Callsheet__V1__WorkCommand *work = fake_link_assigned(1);
    assert_string_equal(work->assign->execution, first);
    fake_report_succeeded(1, work);
    assert_hit(harness_read_state(second, EXECUTION(COMPLETED)), first);
}

TEST(e1_a_success_and_its_kept_result_are_in_one_commit) {
    static const enum fake_failure failures[] = {FAKE_DOUBT_LOST, FAKE_DOUBT_WRITTEN};
    for (size_t i = 0; i < CS_COUNT(failures); i++) {
        bool written = failures[i] == FAKE_DOUBT_WRITTEN;
        uint64_t link = 10 + i;
        fake_cache_reset();
        fake_link_up(link, harness_every, 4);
        const char *first = CREATE(one, .cache = CACHE(ON));
        const Callsheet__V1__WorkCommand *work = fake_link_assigned(link);
        const char *second = CREATE(one, .cache = CACHE(ON));
        (void)harness_read(second);
        fake_store_fail(failures[i], 1);
        fake_report_succeeded(link, work);
        if (!written) {
            const Callsheet__V1__WorkCommand *again = fake_link_assigned(link);
            assert_int_equal(fake_cache_results(), 0);
            assert_string_equal(again->assign->execution, first);
            fake_report_succeeded(link, again);
        }
        assert_hit(read_completed("acme", second), first);
        assert_int_equal(fake_store_state(first), ORC_EXECUTION_COMPLETED);
        assert_int_equal(fake_cache_results(), 1);
        fake_link_down(link);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(sy_138_paid_work_that_was_done_is_not_done_again),
        ENGINE_TEST(work_whose_mode_is_off_is_never_looked_up),
        ENGINE_TEST(work_that_is_not_paid_for_is_looked_up_only_when_asked_for),
        ENGINE_TEST(sy_138_refresh_does_it_anew_and_keeps_the_new_result),
        ENGINE_TEST(sy_138_a_result_is_kept_for_seven_days),
        ENGINE_TEST(w24_a_result_of_one_tenant_is_none_for_another),
        ENGINE_TEST(all_that_want_to_know_are_answered_by_one_statement),
        ENGINE_TEST(sy_138_of_jobs_that_do_the_same_work_at_once_one_is_done),
        ENGINE_TEST(one_plan_may_want_the_same_work_twice),
        ENGINE_TEST(who_leads_goes_on_leading_while_it_is_tried_again),
        ENGINE_TEST(when_the_leader_fails_the_next_one_leads),
        ENGINE_TEST(when_the_leader_is_cancelled_the_next_one_leads_or_nobody),
        ENGINE_TEST(when_a_map_fails_others_do_the_work_of_the_items_that_are_cancelled),
        ENGINE_TEST(who_waited_for_a_leader_may_be_cancelled),
        ENGINE_TEST(work_that_is_done_elsewhere_is_asked_for_once_a_second),
        ENGINE_TEST(e1_after_a_restart_the_leader_goes_on_and_the_others_wait_for_it),
        ENGINE_TEST(e1_a_leader_that_had_not_begun_leads_again_after_a_restart),
        ENGINE_TEST(e1_a_success_and_its_kept_result_are_in_one_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
