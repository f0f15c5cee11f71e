/* What is written together, and what happens only after it was. */
#include <string.h>

#include "engine/internal.h"
#include "engine/tests/harness.h"

static const char *const one[] = {"a"};
static const char *const pair[] = {"a", "b<a"};

TEST(many_submissions_share_few_commits) {
    fake_store_hold();
    struct answer *answers[200];
    answers[0] = SUBMIT(one);
    fake_store_await_held();
    for (size_t i = 1; i < CS_COUNT(answers); i++) {
        answers[i] = SUBMIT(one);
    }
    fake_store_let_go();
    for (size_t i = 0; i < CS_COUNT(answers); i++) {
        harness_await(answers[i]);
        assert_int_equal(answers[i]->status, CS_OK);
    }
    assert_in_range(fake_store_commits(), 3, 5); /* the first one, the others while it was under way, a few apart */
}

/* What was put before has been looked at. */
static void await_turn(void) {
    harness_await(harness_get("acme", "nosuch"));
}

TEST(a_small_submission_does_not_wait_for_the_commit_under_way) {
    fake_link_up(1, harness_noop, 4);
    fake_store_hold_one();
    struct answer *held = SUBMIT(one, .tenant = "globex");
    fake_store_await_held();
    const char *id = CREATE(pair);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    assert_string_equal(a->assign->execution, id);
    fake_report_succeeded(1, a); /* what follows goes with everything else */
    await_turn();
    assert_int_equal(fake_store_events(id, ORC_EVENT_SUCCEEDED), 0);
    assert_int_equal(fake_link_waiting(1), 0);
    assert_false(harness_done(held));
    fake_store_let_go();
    harness_await(held);
    fake_report_succeeded(1, fake_link_assigned(1));
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(id, CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED);
    assert_int_equal(fake_store_events(id, ORC_EVENT_SUCCEEDED), 2);
}

TEST(a_tenant_with_much_open_waits_for_the_commit_under_way) {
    for (int i = 1; i < ORC_EXPRESS_OPEN_MAX; i++) {
        (void)CREATE(one);
    }
    fake_store_hold_one();
    struct answer *held = SUBMIT(one, .tenant = "globex");
    fake_store_await_held();
    (void)CREATE(one); /* the last that is not much */
    struct answer *answer = SUBMIT(one);
    (void)CREATE(one, .tenant = "initech"); /* comes behind it */
    assert_false(harness_done(answer));
    fake_store_let_go();
    harness_await(held);
    harness_await(answer);
}

TEST(a_large_plan_waits_for_the_commit_under_way) {
    const char *lines[ORC_EXPRESS_JOBS_MAX + 1];
    for (size_t i = 0; i < CS_COUNT(lines); i++) {
        lines[i] = cs_arena_sprintf(harness.arena, "j%zu", i);
    }
    fake_store_hold_one();
    struct answer *held = SUBMIT(one);
    fake_store_await_held();
    struct answer *answer = SUBMIT(lines);
    (void)harness_create(lines, ORC_EXPRESS_JOBS_MAX, (struct submit_options){0}); /* comes behind it */
    assert_false(harness_done(answer));
    fake_store_let_go();
    harness_await(held);
    harness_await(answer);
}

TEST(a_key_that_is_on_both_ways_at_once_gives_one_execution) {
    fake_link_up(1, harness_noop, 4);
    fake_store_hold_one();
    struct answer *first = SUBMIT(one, .key = "k");
    fake_store_await_held();
    struct answer *second = SUBMIT(one, .key = "k");
    harness_await(second); /* it was faster */
    assert_false(second->existing);
    assert_string_equal(fake_link_assigned(1)->assign->execution, second->id);
    fake_store_let_go();
    harness_await(first);
    assert_int_equal(first->status, CS_OK);
    assert_true(first->existing);
    assert_string_equal(first->id, second->id);
    assert_int_equal((int)harness_metric("callsheet_executions_open"), 1);
    assert_int_equal(fake_link_waiting(1), 0);
}

TEST(what_a_base_has_comes_with_a_submission_that_does_not_wait) {
    fake_link_up(1, harness_noop, 4);
    const char *base = CREATE(one);
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(base, CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED);
    fake_store_hold_one();
    struct answer *held = SUBMIT(one, .tenant = "globex");
    fake_store_await_held();
    const char *id = harness_create_on_base(pair, CS_COUNT(pair), base);
    assert_int_equal(fake_store_events(id, ORC_EVENT_REUSED), 1);
    assert_string_equal(fake_link_assigned(1)->assign->job, "b");
    assert_false(harness_done(held));
    fake_store_let_go();
    harness_await(held);
}

/* Of the only execution of that tenant: its client has not heard of it yet, but a list of rows may show it. */
static const char *id_of(const char *tenant) {
    const struct orc_entry *entry = harness.engine->entries;
    while (strcmp(entry->execution->tenant, tenant) != 0) {
        entry = entry->hh.next;
    }
    return cs_arena_strdup(harness.arena, entry->execution->id);
}

TEST(what_happens_to_an_execution_before_its_row_is_there_is_stored_behind_it) {
    fake_link_up(1, harness_noop, 4);
    fake_store_hold();
    struct answer *busy = SUBMIT(one, .tenant = "globex");
    fake_store_await_held();
    struct answer *answer = SUBMIT(pair);
    await_turn();
    const char *id = id_of("acme");
    struct answer *cancel = harness_cancel(id);
    await_turn();
    assert_false(harness_done(cancel));
    fake_store_let_go();
    harness_await(busy);
    harness_await(answer);
    assert_string_equal(answer->id, id);
    harness_await(cancel);
    assert_int_equal(cancel->status, CS_OK);
    assert_int_equal(cancel->execution->state, CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_CANCELLED);
    assert_int_equal(fake_store_state(id), CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_CANCELLED);
    assert_int_equal(fake_store_events(id, 0), 1);
    assert_string_not_equal(fake_link_assigned(1)->assign->execution, id);
    assert_int_equal(fake_link_waiting(1), 0);
}

TEST(a_submission_is_answered_after_its_commit) {
    fake_store_hold();
    struct answer *answer = SUBMIT(one);
    fake_store_await_held();
    assert_false(harness_done(answer));
    fake_store_let_go();
    harness_await(answer);
    assert_int_equal(fake_store_state(answer->id), 1);
}

TEST(w5_w9_an_assignment_leaves_only_after_the_commit_that_released_it) {
    fake_link_up(1, harness_noop, 4);
    fake_store_hold();
    struct answer *answer = SUBMIT(pair);
    fake_store_await_held();
    assert_int_equal(fake_link_waiting(1), 0);
    fake_store_let_go();
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    harness_await(answer);
    assert_string_equal(a->assign->job, "a");
    assert_string_equal(a->assign->execution, answer->id);
    assert_int_equal(a->fence.len, ORC_FENCE_BYTES);
    fake_store_hold();
    fake_report_succeeded(1, a);
    fake_store_await_held();
    assert_int_equal(fake_link_waiting(1), 0);
    fake_store_let_go();
    assert_string_equal(fake_link_assigned(1)->assign->job, "b");
    assert_int_equal(fake_store_events(answer->id, ORC_EVENT_SUCCEEDED), 1);
}

TEST(e4_cheap_jobs_leave_no_started_event_and_paid_ones_do_before_they_leave) {
    static const char *const mixed[] = {"a", "gen"};
    const char *id = CREATE(mixed);
    fake_store_hold();
    fake_link_up(1, harness_every, 4);
    fake_store_await_held(); /* the commit of gen's start */
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    assert_string_equal(a->assign->job, "a");
    assert_int_equal(fake_link_waiting(1), 0);
    fake_store_let_go();
    const Callsheet__V1__WorkCommand *gen = fake_link_assigned(1);
    assert_string_equal(gen->assign->job, "gen");
    assert_int_equal(fake_store_events(id, ORC_EVENT_STARTED), 1);
    assert_int_equal(fake_store_events(id, 0), 1);
}

TEST(reads_see_only_what_is_committed) {
    fake_link_up(1, harness_noop, 4);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    fake_store_hold();
    fake_report_succeeded(1, a);
    fake_store_await_held();
    struct answer *read = harness_get("acme", id);
    struct answer *other = SUBMIT(one); /* queued behind the read; its commit comes after the one that is held */
    struct answer *missing = harness_get("acme", "nosuch");
    harness_await(missing); /* the read has been looked at by now */
    assert_false(harness_done(read));
    fake_store_let_go();
    harness_await(read);
    assert_int_equal(read->execution->state, CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED);
    harness_await(other);
}

TEST(a_checkpoint_is_acknowledged_after_its_commit) {
    static const char *const gen[] = {"gen"};
    fake_link_up(1, harness_every, 4);
    (void)CREATE(gen);
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(1);
    fake_store_hold();
    fake_report_checkpoint(1, assigned, 7, "submitted:42", 12);
    fake_store_await_held();
    assert_int_equal(fake_link_waiting(1), 0);
    fake_store_let_go();
    const Callsheet__V1__WorkCommand *saved = fake_link_next(1);
    assert_int_equal(saved->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CHECKPOINT_SAVED);
    assert_int_equal(saved->checkpoint_saved->sequence, 7);
    assert_memory_equal(saved->fence.data, assigned->fence.data, ORC_FENCE_BYTES);
}

TEST(an_idempotency_key_gives_one_execution) {
    struct answer *first = SUBMIT(one, .key = "k1");
    harness_await(first);
    struct answer *again = SUBMIT(one, .key = "k1");
    harness_await(again);
    assert_int_equal(again->status, CS_OK);
    assert_true(again->existing);
    assert_string_equal(again->id, first->id);
    struct answer *other_plan = SUBMIT(pair, .key = "k1");
    harness_await(other_plan);
    assert_int_equal(other_plan->status, CS_ALREADY_EXISTS);
    assert_string_equal(other_plan->reason, "idempotency_key_reused");
    struct answer *other_tenant = SUBMIT(one, .key = "k1", .tenant = "globex");
    harness_await(other_tenant);
    assert_false(other_tenant->existing);
    assert_int_equal((int)harness_metric("callsheet_executions_open"), 2);
}

TEST(a_key_that_is_used_twice_in_one_batch_gives_one_execution) {
    fake_link_up(1, harness_noop, 100);
    fake_store_hold();
    struct answer *blocker = SUBMIT(one);
    fake_store_await_held();
    struct answer *answers[20];
    for (size_t i = 0; i < CS_COUNT(answers); i++) {
        answers[i] = SUBMIT(one, .key = "twice");
    }
    fake_store_let_go();
    harness_await(blocker);
    int existing = 0;
    for (size_t i = 0; i < CS_COUNT(answers); i++) {
        harness_await(answers[i]);
        assert_string_equal(answers[i]->id, answers[0]->id);
        existing += answers[i]->existing;
    }
    assert_int_equal(existing, CS_COUNT(answers) - 1);
    (void)fake_link_assigned(1);
    (void)fake_link_assigned(1);
    (void)harness_read(answers[0]->id);
    assert_int_equal(fake_link_waiting(1), 0); /* two executions, two assignments */
}

TEST(an_empty_plan_completes_without_a_worker) {
    struct answer *answer = harness_submit(NULL, 0, (struct submit_options){0});
    harness_await(answer);
    const Callsheet__V1__Execution *execution = harness_read(answer->id);
    assert_int_equal(execution->state, CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED);
    assert_int_equal(fake_store_state(answer->id), CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED);
    assert_false(fake_store_is_open(answer->id));
}

TEST(a_finished_execution_is_read_from_its_row) {
    fake_link_up(1, harness_noop, 4);
    const char *id = CREATE(pair);
    fake_report_succeeded(1, fake_link_assigned(1));
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(id, CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED);
    const Callsheet__V1__Execution *execution = harness_read(id);
    assert_int_equal((int)harness_metric("callsheet_executions_open"), 0);
    assert_int_equal(execution->n_jobs, 2);
    assert_string_equal(execution->result_job_id, "b");
    assert_int_equal(execution->jobs[1]->n_outputs, 1);
    assert_false(fake_store_is_open(id));
    struct answer *cancel = harness_cancel(id);
    harness_await(cancel);
    assert_int_equal(cancel->status, CS_FAILED_PRECONDITION);
    struct answer *stranger = harness_get("globex", id);
    harness_await(stranger);
    assert_int_equal(stranger->status, CS_NOT_FOUND);
}

TEST(x1_sy_146_another_tenant_sees_nothing_of_an_open_execution) {
    const char *id = CREATE(one);
    struct answer *stranger = harness_get("globex", id);
    harness_await(stranger);
    assert_int_equal(stranger->status, CS_NOT_FOUND);
    assert_string_equal(stranger->reason, "no_such_execution");
}

TEST(more_requests_than_the_limit_are_refused_at_once) {
    const char *id = CREATE(one);
    fake_link_up(1, harness_noop, 1);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    fake_store_hold();
    fake_report_failed(1, a, CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT, "bad", 0);
    fake_store_await_held();
    struct answer **reads = cs_alloc_array(ORC_ENGINE_QUEUE_MAX, sizeof(struct answer *));
    for (size_t i = 0; i < ORC_ENGINE_QUEUE_MAX; i++) {
        reads[i] = harness_get("acme", id);
    }
    struct answer *read = harness_get("acme", id);
    assert_true(harness_done(read));
    assert_int_equal(read->status, CS_RESOURCE_EXHAUSTED);
    struct answer *submit = SUBMIT(one);
    assert_true(harness_done(submit));
    assert_string_equal(submit->reason, "overloaded");
    fake_store_let_go();
    for (size_t i = 0; i < ORC_ENGINE_QUEUE_MAX; i++) {
        harness_await(reads[i]);
        assert_int_equal(reads[i]->status, CS_OK);
    }
    free(reads);
    harness_await(SUBMIT(one));
}

TEST(plans_beyond_the_limit_of_bytes_are_refused_at_once) {
    atomic_size_t *bytes = &harness.engine->counters.waiting_bytes;
    atomic_store(bytes, ORC_ENGINE_QUEUE_BYTES_MAX - 1);
    struct answer *refused = SUBMIT(one);
    assert_true(harness_done(refused));
    assert_int_equal(refused->status, CS_RESOURCE_EXHAUSTED);
    assert_int_equal(atomic_load(bytes), ORC_ENGINE_QUEUE_BYTES_MAX - 1);
    atomic_store(bytes, 0);
    fake_store_hold();
    struct answer *taken = SUBMIT(one, .key = "k");
    struct answer *repeated = SUBMIT(one, .key = "k");
    assert_true(atomic_load(bytes) > 0);
    fake_store_let_go();
    harness_await(taken);
    harness_await(repeated);
    fake_store_fail(FAKE_DOUBT_LOST, 1);
    harness_await(SUBMIT(one));
    assert_int_equal(atomic_load(bytes), 0);
}

TEST(w20_sy_033_a_long_first_job_shows_in_the_row_of_its_execution) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    (void)fake_link_assigned(1);
    assert_int_equal(fake_store_state(id), CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_PENDING);
    harness_advance(1000);
    (void)harness_read(id); /* may come in the turn that looks at the clock */
    (void)harness_read(id); /* comes behind the commit of that turn */
    assert_int_equal(fake_store_state(id), CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_PROCESSING);
    assert_int_equal(fake_store_open_without_wakeup(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(many_submissions_share_few_commits),
        ENGINE_TEST(a_small_submission_does_not_wait_for_the_commit_under_way),
        ENGINE_TEST(a_tenant_with_much_open_waits_for_the_commit_under_way),
        ENGINE_TEST(a_large_plan_waits_for_the_commit_under_way),
        ENGINE_TEST(a_key_that_is_on_both_ways_at_once_gives_one_execution),
        ENGINE_TEST(what_a_base_has_comes_with_a_submission_that_does_not_wait),
        ENGINE_TEST(what_happens_to_an_execution_before_its_row_is_there_is_stored_behind_it),
        ENGINE_TEST(a_submission_is_answered_after_its_commit),
        ENGINE_TEST(w5_w9_an_assignment_leaves_only_after_the_commit_that_released_it),
        ENGINE_TEST(e4_cheap_jobs_leave_no_started_event_and_paid_ones_do_before_they_leave),
        ENGINE_TEST(reads_see_only_what_is_committed),
        ENGINE_TEST(a_checkpoint_is_acknowledged_after_its_commit),
        ENGINE_TEST(an_idempotency_key_gives_one_execution),
        ENGINE_TEST(a_key_that_is_used_twice_in_one_batch_gives_one_execution),
        ENGINE_TEST(an_empty_plan_completes_without_a_worker),
        ENGINE_TEST(a_finished_execution_is_read_from_its_row),
        ENGINE_TEST(x1_sy_146_another_tenant_sees_nothing_of_an_open_execution),
        ENGINE_TEST(more_requests_than_the_limit_are_refused_at_once),
        ENGINE_TEST(plans_beyond_the_limit_of_bytes_are_refused_at_once),
        ENGINE_TEST(w20_sy_033_a_long_first_job_shows_in_the_row_of_its_execution),
    };
    return cmocka_run_group_tests_name("engine: commits", tests, NULL, NULL);
}
