/* Watchers and webhooks. */
#include <string.h>

#include "engine/tests/harness.h"

#define FAILURE(name) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##name
#define JOB(name) CALLSHEET__V1__JOB_STATE__JOB_STATE_##name
#define EXECUTION(name) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##name
#define DELIVERY(name) CALLSHEET__V1__DELIVERY_STATE__DELIVERY_STATE_##name

static const char *const one[] = {"a"};
static const char *const pair[] = {"a", "b<a"};

/* ---- watchers ---- */

TEST(a_watcher_gets_a_snapshot_then_changes_in_order_then_the_end) {
    const char *id = CREATE(pair);
    struct told *told = harness_watch(id);
    harness_await_updates(told, 1);
    assert_true(told->updates[0]->snapshot);
    assert_int_equal(told->updates[0]->execution->n_jobs, 2);
    fake_link_up(1, harness_noop, 1);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    harness_await_updates(told, 2); /* a runs: not written, told all the same */
    assert_false(told->updates[1]->snapshot);
    assert_int_equal(told->updates[1]->execution->n_jobs, 1);
    assert_int_equal(told->updates[1]->execution->jobs[0]->state, JOB(RUNNING));
    fake_report_succeeded(1, a);
    fake_report_succeeded(1, fake_link_assigned(1));
    harness_await_ended(told);
    assert_int_equal(told->status, CS_OK);
    uint64_t revision = 0;
    for (size_t i = 0; i < told->count; i++) {
        assert_true(told->updates[i]->execution->revision >= revision);
        revision = told->updates[i]->execution->revision;
        assert_int_equal(told->updates[i]->execution->state == EXECUTION(COMPLETED), i + 1 == told->count);
    }
    assert_int_equal(revision, 2);
}

TEST(a_watcher_is_told_after_the_commit) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    fake_store_hold();
    fake_report_succeeded(1, a);
    fake_store_await_held();
    struct told *told = harness_watch(id);
    harness_await(harness_get("acme", "nosuch"));
    assert_int_equal(harness_updates(told), 0);
    fake_store_let_go();
    harness_await_ended(told);
    assert_int_equal(told->count, 1);
    assert_true(told->updates[0]->snapshot);
    assert_int_equal(told->updates[0]->execution->state, EXECUTION(COMPLETED));
}

TEST(a_watch_of_something_finished_is_a_snapshot_and_the_end) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    struct told *told = harness_watch(id);
    harness_await_ended(told);
    assert_int_equal(told->count, 1);
    assert_int_equal(told->updates[0]->execution->state, EXECUTION(COMPLETED));
    struct told *nothing = harness_watch("nosuch");
    harness_await_ended(nothing);
    assert_int_equal(nothing->status, CS_NOT_FOUND);
    assert_int_equal(nothing->count, 0);
}

TEST(progress_is_told_at_a_measured_pace) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    struct told *told = harness_watch(id);
    harness_await_updates(told, 1);
    fake_report_progress(1, a, "rendering", 0.1);
    harness_await_updates(told, 2);
    for (int i = 2; i < 100; i++) {
        fake_report_progress(1, a, "rendering", i / 100.0);
    }
    (void)harness_read(id);
    (void)harness_read(id);
    assert_int_equal(harness_updates(told), 2); /* the clock stands still */
    harness_advance(200);
    harness_await_updates(told, 3);
    assert_true(told->updates[2]->execution->jobs[0]->progress->fraction == 0.99);
}

TEST(a_watcher_that_leaves_is_told_that_it_left) {
    const char *id = CREATE(one);
    struct told *stays = harness_watch(id);
    harness_await_updates(stays, 1);
    struct told *leaves = harness_watch(id);
    harness_await_updates(leaves, 1);
    orc_engine_unwatch(harness.engine, 2); /* watches are numbered from 1 */
    harness_await_ended(leaves);
    assert_int_equal(leaves->status, CS_CANCELLED);
    assert_false(stays->ended);
    orc_engine_unwatch(harness.engine, 2); /* no watch any more: nothing happens */
    harness_await(harness_cancel(id));
    harness_await_ended(stays);
    assert_int_equal(stays->status, CS_OK);
}

/* ---- webhooks ---- */

static const char *finish_with_webhook(void) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one, .webhook = true);
    fake_report_succeeded(1, fake_link_assigned(1));
    return id;
}

static void assert_frozen_body(const Callsheet__V1__WorkCommand *command, const char *id) {
    CS_AUTO_FREE char *body = fake_store_webhook_body(id);
    const Callsheet__V1__DeliverWebhook *deliver = command->assign->operation->deliver_webhook;
    assert_non_null(body);
    assert_int_equal(deliver->body.len, strlen(body));
    assert_memory_equal(deliver->body.data, body, strlen(body));
    CS_AUTO_FREE char *event_id = cs_sprintf("evt_%s", id);
    assert_string_equal(deliver->event_id, event_id);
}

TEST(sy_107_sy_119_w7_a_webhook_follows_the_terminal_commit_and_closes_the_execution) {
    const char *id = finish_with_webhook();
    assert_int_equal(harness_read(id)->state, EXECUTION(COMPLETED));
    assert_true(fake_store_is_open(id)); /* told to nobody yet */
    assert_int_equal(fake_store_open_without_wakeup(), 0);
    fake_link_up(2, harness_every, 1);
    const Callsheet__V1__WorkCommand *try = fake_link_assigned(2);
    assert_int_equal(try->assign->operation->params_case, CALLSHEET__V1__OPERATION__PARAMS_DELIVER_WEBHOOK);
    assert_string_equal(try->assign->operation->deliver_webhook->url, "http://127.0.0.1:9/hook");
    assert_frozen_body(try, id);
    fake_report_succeeded(2, try);
    while (harness_read(id)->delivery->state != DELIVERY(DELIVERED)) {
    }
    assert_false(fake_store_is_open(id));
    assert_int_equal(fake_store_events(id, ORC_EVENT_DELIVERED), 1);
    (void)harness_read(id); /* from the row: the engine has forgotten it */
    assert_int_equal((int)harness_metric("callsheet_executions_open"), 0);
}

TEST(x8_w26_a_failed_try_is_repeated_on_schedule_with_the_same_body) {
    const char *id = finish_with_webhook();
    fake_link_up(2, harness_every, 1);
    fake_report_failed(2, fake_link_assigned(2), FAILURE(TRANSIENT), "http_503", 0);
    const Callsheet__V1__Execution *execution = harness_read(id);
    assert_int_equal(execution->delivery->tries, 1);
    assert_string_equal(execution->delivery->last_error, "as the test wants");
    assert_in_range(execution->delivery->next_try_at_ms, HARNESS_START_MS + 4500, HARNESS_START_MS + 5500);
    assert_int_equal(fake_link_waiting(2), 0);
    harness_advance(5500);
    const Callsheet__V1__WorkCommand *second = fake_link_assigned(2);
    assert_int_equal(second->assign->operation->deliver_webhook->tries, 2);
    assert_frozen_body(second, id);
}

TEST(a_receiver_that_is_gone_ends_the_tries) {
    const char *id = finish_with_webhook();
    fake_link_up(2, harness_every, 1);
    fake_report_failed(2, fake_link_assigned(2), FAILURE(TRANSIENT), "gone", 0);
    while (harness_read(id)->delivery->state != DELIVERY(ABANDONED)) {
    }
    assert_false(fake_store_is_open(id));
}

TEST(w26_a_lost_webhook_worker_means_the_same_event_again) {
    const char *id = finish_with_webhook();
    fake_link_up(2, harness_every, 1);
    const Callsheet__V1__WorkCommand *first = fake_link_assigned(2);
    fake_link_up(3, harness_every, 1);
    fake_link_down(2);
    const Callsheet__V1__WorkCommand *again = fake_link_assigned(3);
    assert_int_equal(again->assign->operation->deliver_webhook->tries,
                     first->assign->operation->deliver_webhook->tries);
    assert_string_equal(again->assign->operation->deliver_webhook->event_id,
                        first->assign->operation->deliver_webhook->event_id);
    assert_frozen_body(again, id);
}

TEST(w22_a_restart_delivers_what_was_not_delivered) {
    const char *id = finish_with_webhook();
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    harness_stop();
    harness_start();
    fake_link_up(2, harness_every, 1);
    const Callsheet__V1__WorkCommand *try = fake_link_assigned(2);
    assert_frozen_body(try, id);
    fake_report_succeeded(2, try);
    while (harness_read(id)->delivery->state != DELIVERY(DELIVERED)) {
    }
}

TEST(an_empty_plan_tells_its_webhook_too) {
    struct answer *answer = harness_submit(NULL, 0, (struct submit_options){.webhook = true});
    harness_await(answer);
    fake_link_up(1, harness_every, 1);
    assert_frozen_body(fake_link_assigned(1), answer->id);
}

TEST(a_try_that_hangs_counts_as_failed) {
    const char *id = finish_with_webhook();
    fake_link_up(2, harness_every, 1);
    const Callsheet__V1__WorkCommand *hanging = fake_link_assigned(2);
    harness_advance(ORC_DELIVERY_TIMEOUT_MS + ORC_ATTEMPT_GRACE_MS);
    assert_int_equal(fake_link_next(2)->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL);
    assert_int_equal(harness_read(id)->delivery->tries, 1);
    fake_report_failed(2, hanging, FAILURE(CANCELLED), "cancelled", 0);
    harness_advance(5500);
    assert_int_equal(fake_link_assigned(2)->assign->operation->deliver_webhook->tries, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(a_watcher_gets_a_snapshot_then_changes_in_order_then_the_end),
        ENGINE_TEST(a_watcher_is_told_after_the_commit),
        ENGINE_TEST(a_watch_of_something_finished_is_a_snapshot_and_the_end),
        ENGINE_TEST(progress_is_told_at_a_measured_pace),
        ENGINE_TEST(a_watcher_that_leaves_is_told_that_it_left),
        ENGINE_TEST(sy_107_sy_119_w7_a_webhook_follows_the_terminal_commit_and_closes_the_execution),
        ENGINE_TEST(x8_w26_a_failed_try_is_repeated_on_schedule_with_the_same_body),
        ENGINE_TEST(a_receiver_that_is_gone_ends_the_tries),
        ENGINE_TEST(w26_a_lost_webhook_worker_means_the_same_event_again),
        ENGINE_TEST(w22_a_restart_delivers_what_was_not_delivered),
        ENGINE_TEST(an_empty_plan_tells_its_webhook_too),
        ENGINE_TEST(a_try_that_hangs_counts_as_failed),
    };
    return cmocka_run_group_tests_name("engine: telling", tests, NULL, NULL);
}
