/* What survives: the database away, commits in doubt, a new process. */
#include <sched.h>
#include <string.h>

#include "engine/internal.h"
#include "engine/tests/harness.h"

#define FAILURE(name) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##name
#define JOB(name) CALLSHEET__V1__JOB_STATE__JOB_STATE_##name
#define EXECUTION(name) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##name

static const char *const one[] = {"a"};
static const char *const gen[] = {"gen"};

TEST(a_batch_waits_for_a_database_that_is_away) {
    fake_link_up(1, harness_noop, 1);
    fake_store_fail(FAKE_AWAY, 2);
    struct answer *answer = SUBMIT(one);
    harness_await(answer);
    assert_int_equal(answer->status, CS_OK);
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(answer->id, EXECUTION(COMPLETED));
    assert_int_equal((int)harness_metric("callsheet_commit_failures_total"), 2);
    assert_int_equal((int)harness_metric("callsheet_recoveries_total"), 0);
}

/* Reads are refused while memory is rebuilt. */
static const Callsheet__V1__Execution *read_after_recovery(const char *id) {
    for (;;) {
        struct answer *answer = harness_get("acme", id);
        harness_await(answer);
        if (answer->status == CS_OK) {
            return answer->execution;
        }
        assert_int_equal(answer->status, CS_UNAVAILABLE);
    }
}

static void doubt(enum fake_failure failure, bool written) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *first = fake_link_assigned(1);
    struct told *told = harness_watch(id);
    harness_await_updates(told, 1);
    fake_store_fail(failure, 1);
    fake_report_succeeded(1, first);
    harness_await_ended(told);
    assert_int_equal(told->status, CS_UNAVAILABLE);
    const Callsheet__V1__Execution *execution = read_after_recovery(id);
    if (written) {
        assert_int_equal(execution->state, EXECUTION(COMPLETED));
        return;
    }
    const Callsheet__V1__WorkCommand *again = fake_link_assigned(1);
    assert_memory_not_equal(first->fence.data, again->fence.data, ORC_FENCE_BYTES);
    fake_report_succeeded(1, again);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    assert_int_equal(fake_store_events(id, ORC_EVENT_SUCCEEDED), 1);
}

TEST(a_commit_in_doubt_that_was_written_is_found_in_the_log) {
    doubt(FAKE_DOUBT_WRITTEN, true);
}

TEST(a_commit_in_doubt_that_was_not_written_is_done_again) {
    doubt(FAKE_DOUBT_LOST, false);
}

TEST(a_fenced_replica_starts_again_as_a_new_epoch) {
    int64_t epoch = fake_store_epoch();
    doubt(FAKE_FENCED, false);
    assert_int_equal(fake_store_epoch(), epoch + 1);
}

TEST(a_commit_that_fails_waits_for_the_one_beside_it) {
    fake_store_hold_one();
    struct answer *held = SUBMIT(one, .tenant = "globex");
    fake_store_await_held();
    fake_store_fail(FAKE_DOUBT_LOST, 1);
    struct answer *lost = SUBMIT(one);
    while (harness_metric("callsheet_commit_failures_total") < 1) {
        harness_await(harness_get("acme", "nosuch"));
    }
    assert_false(harness_done(lost)); /* what is being written is still read from memory */
    fake_store_let_go();
    harness_await(held);
    assert_int_equal(held->status, CS_OK);
    harness_await(lost);
    assert_int_equal(lost->status, CS_UNAVAILABLE);
    fake_link_up(1, harness_noop, 4);
    assert_string_equal(fake_link_assigned(1)->assign->execution, held->id); /* from the log */
    assert_int_equal((int)harness_metric("callsheet_recoveries_total"), 1);
    fake_store_hold_one();
    struct answer *again = SUBMIT(one, .tenant = "globex");
    fake_store_await_held();
    (void)CREATE(one); /* the other way is open again, under the new epoch */
    fake_store_let_go();
    harness_await(again);
}

TEST(a_submission_in_doubt_is_told_so_and_may_be_repeated_with_its_key) {
    fake_store_fail(FAKE_DOUBT_WRITTEN, 1);
    struct answer *answer = SUBMIT(one, .key = "again");
    harness_await(answer);
    assert_int_equal(answer->status, CS_UNAVAILABLE);
    struct answer *again = NULL;
    do {
        again = SUBMIT(one, .key = "again");
        harness_await(again);
    } while (again->status == CS_UNAVAILABLE);
    assert_int_equal(again->status, CS_OK);
    assert_true(again->existing);
    fake_link_up(1, harness_noop, 10);
    assert_string_equal(fake_link_assigned(1)->assign->execution, again->id);
}

TEST(what_ran_during_a_drop_is_cancelled_and_its_slot_comes_back) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *old = fake_link_assigned(1);
    fake_store_fail(FAKE_FENCED, 1);
    struct answer *other = SUBMIT(one);
    harness_await(other);
    assert_int_equal(other->status, CS_UNAVAILABLE);
    const Callsheet__V1__WorkCommand *stop = fake_link_next(1);
    assert_int_equal(stop->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL);
    assert_memory_equal(stop->fence.data, old->fence.data, ORC_FENCE_BYTES);
    assert_string_equal(stop->cancel->reason, "stream ended"); /* a paid prediction goes on (see cs/worker.h) */
    (void)read_after_recovery(id);
    assert_int_equal(fake_link_waiting(1), 0); /* the only slot is still taken */
    fake_report_failed(1, old, FAILURE(CANCELLED), "cancelled", 0);
    assert_string_equal(fake_link_assigned(1)->assign->execution, id);
}

TEST(a_checkpoint_that_was_dropped_is_answered_after_the_cancel) {
    fake_link_up(1, harness_every, 1);
    (void)CREATE(gen);
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(1);
    fake_store_fail(FAKE_FENCED, 1);
    fake_report_checkpoint(1, assigned, 7, "intent", 6);
    assert_string_equal(fake_link_next(1)->cancel->reason, "stream ended");
    const Callsheet__V1__WorkCommand *saved = fake_link_next(1); /* the worker waits for it and could not end */
    assert_int_equal(saved->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CHECKPOINT_SAVED);
    assert_int_equal(saved->checkpoint_saved->sequence, 7);
}

TEST(ex_007_w22_a_new_process_goes_on_where_the_old_one_stopped) {
    static const char *const diamond[] = {"a", "b<a", "c<a", "d<b,c"};
    fake_link_up(1, harness_noop, 4);
    const char *id = CREATE(diamond);
    const char *waiting = CREATE(one);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    if (strcmp(a->assign->execution, id) != 0) {
        a = fake_link_assigned(1);
    }
    fake_report_succeeded(1, a);
    (void)harness_read(id);
    harness_stop();
    fake_links_reset();
    harness_start();
    const Callsheet__V1__Execution *execution = harness_read(id);
    assert_int_equal(execution->jobs[0]->state, JOB(COMPLETED));
    assert_int_equal(execution->jobs[1]->state, JOB(READY));
    fake_link_up(2, harness_noop, 4);
    for (int i = 0; i < 4; i++) {
        fake_report_succeeded(2, fake_link_assigned(2));
    }
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    (void)harness_read_state(waiting, EXECUTION(COMPLETED));
    assert_int_equal(fake_store_events(id, ORC_EVENT_SUCCEEDED), 4);
}

TEST(e4_w22_paid_work_goes_on_from_its_checkpoint_under_the_next_number) {
    fake_link_up(1, harness_every, 1);
    const char *id = CREATE(gen);
    const Callsheet__V1__WorkCommand *first = fake_link_assigned(1);
    fake_report_checkpoint(1, first, 1, "submitted:prediction-7", 22);
    assert_int_equal(fake_link_next(1)->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CHECKPOINT_SAVED);
    harness_stop();
    harness_start();
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(READY));
    fake_link_up(2, harness_every, 1);
    const Callsheet__V1__WorkCommand *second = fake_link_assigned(2);
    assert_int_equal(second->assign->attempt, 2);
    assert_int_equal(second->assign->checkpoint.len, 22);
    assert_memory_equal(second->assign->checkpoint.data, "submitted:prediction-7", 22);
    fake_report_succeeded(2, second);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

TEST(w22_retries_and_deadlines_survive_a_restart) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one, .timeout_ms = 600000);
    fake_report_failed(1, fake_link_assigned(1), FAILURE(RATE_LIMITED), "http_429", 30000);
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(RETRYING));
    int64_t wake_ms = harness_read(id)->jobs[0]->wake_at_ms;
    harness_stop();
    harness_start();
    assert_int_equal(harness_read(id)->jobs[0]->wake_at_ms, wake_ms);
    fake_link_up(2, harness_noop, 1);
    harness_advance(wake_ms - HARNESS_START_MS);
    assert_int_equal(fake_link_assigned(2)->assign->attempt, 2);
    harness_advance(600000);
    (void)harness_read_state(id, EXECUTION(FAILED));
}

TEST(what_clients_read_of_an_ended_execution_is_the_same_after_a_restart) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one, .webhook = true);
    (void)fake_link_assigned(1);
    harness_await(harness_cancel(id));
    const Callsheet__V1__Execution *before = harness_read(id);
    assert_int_equal(before->jobs[0]->attempt, 1);
    harness_stop();
    harness_start();
    const Callsheet__V1__Execution *after = harness_read(id);
    size_t size = protobuf_c_message_get_packed_size(&before->base);
    assert_int_equal(protobuf_c_message_get_packed_size(&after->base), size);
    CS_AUTO_FREE uint8_t *first = cs_alloc(size);
    CS_AUTO_FREE uint8_t *second = cs_alloc(size);
    (void)protobuf_c_message_pack(&before->base, first);
    (void)protobuf_c_message_pack(&after->base, second);
    assert_memory_equal(first, second, size);
}

TEST(stopping_commits_what_is_in_the_queue) {
    struct answer *answers[50];
    for (size_t i = 0; i < CS_COUNT(answers); i++) {
        answers[i] = SUBMIT(one);
    }
    harness_stop();
    for (size_t i = 0; i < CS_COUNT(answers); i++) {
        assert_true(harness_done(answers[i]));
        assert_int_equal(answers[i]->status, CS_OK);
        assert_true(fake_store_is_open(answers[i]->id));
    }
    harness_start();
    assert_int_equal((int)harness_metric("callsheet_executions_open"), CS_COUNT(answers));
}

TEST(stopping_without_a_database_answers_everybody) {
    const char *id = CREATE(one);
    fake_store_fail(FAKE_AWAY, 1000000);
    struct answer *answer = SUBMIT(one);
    struct told *told = harness_watch(id);
    harness_stop();
    assert_true(harness_done(answer));
    assert_int_equal(answer->status, CS_UNAVAILABLE);
    assert_true(told->ended);
    fake_store_fail(FAKE_AWAY, 0);
    harness_start();
}

static void *list(void *arg) {
    Callsheet__V1__ListExecutionsRequest request = CALLSHEET__V1__LIST_EXECUTIONS_REQUEST__INIT;
    request.tenant = (char *)"acme";
    request.page_size = 1;
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    Callsheet__V1__ListExecutionsReply *reply = NULL;
    return orc_engine_list(harness.engine, &request, arena, &reply, arg) == CS_OK ? NULL : arg;
}

TEST(a_list_that_the_database_does_not_answer_ends_before_the_stop) {
    struct cs_err err = {0};
    pthread_t thread;
    fake_store_hold();
    assert_int_equal(pthread_create(&thread, NULL, list, &err), 0);
    fake_store_await_held();
    orc_engine_end_lists(harness.engine);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(err.status, CS_UNAVAILABLE);
    assert_string_equal(err.reason, "stopping");
}

TEST(a_graceful_stop_is_no_loss_for_what_runs) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    (void)fake_link_assigned(1);
    harness_stop();
    assert_int_equal(fake_store_events(id, ORC_EVENT_LOST), 0);
    harness_start();
    assert_int_equal(harness_read(id)->jobs[0]->state, JOB(READY));
}

static void await_sure(bool sure) {
    while (orc_keeper_is_sure(&harness.engine->keeper) != sure) {
        (void)sched_yield();
    }
}

TEST(memory_answers_only_while_nobody_can_have_taken_over) {
    const char *id = CREATE(one);
    fake_store_keep_nobody(true);
    await_sure(false);
    struct answer *answer = harness_get("acme", id);
    harness_await(answer);
    assert_int_equal(answer->status, CS_UNAVAILABLE);
    assert_string_equal(answer->reason, "lease_ended");
    struct told *told = harness_watch(id);
    harness_await_ended(told);
    assert_int_equal(told->status, CS_UNAVAILABLE);
    assert_int_equal(told->count, 0);
    fake_store_keep_nobody(false);
    await_sure(true);
    (void)harness_read(id);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(a_batch_waits_for_a_database_that_is_away),
        ENGINE_TEST(a_commit_in_doubt_that_was_written_is_found_in_the_log),
        ENGINE_TEST(a_commit_in_doubt_that_was_not_written_is_done_again),
        ENGINE_TEST(a_fenced_replica_starts_again_as_a_new_epoch),
        ENGINE_TEST(a_commit_that_fails_waits_for_the_one_beside_it),
        ENGINE_TEST(a_submission_in_doubt_is_told_so_and_may_be_repeated_with_its_key),
        ENGINE_TEST(what_ran_during_a_drop_is_cancelled_and_its_slot_comes_back),
        ENGINE_TEST(a_checkpoint_that_was_dropped_is_answered_after_the_cancel),
        ENGINE_TEST(ex_007_w22_a_new_process_goes_on_where_the_old_one_stopped),
        ENGINE_TEST(e4_w22_paid_work_goes_on_from_its_checkpoint_under_the_next_number),
        ENGINE_TEST(w22_retries_and_deadlines_survive_a_restart),
        ENGINE_TEST(what_clients_read_of_an_ended_execution_is_the_same_after_a_restart),
        ENGINE_TEST(stopping_commits_what_is_in_the_queue),
        ENGINE_TEST(stopping_without_a_database_answers_everybody),
        ENGINE_TEST(a_list_that_the_database_does_not_answer_ends_before_the_stop),
        ENGINE_TEST(a_graceful_stop_is_no_loss_for_what_runs),
        ENGINE_TEST(memory_answers_only_while_nobody_can_have_taken_over),
    };
    return cmocka_run_group_tests_name("engine: recovery", tests, NULL, NULL);
}
