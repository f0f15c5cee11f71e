/* COVERS engine/returning.c keeper.c: what was open comes back while the engine serves. */
#include <limits.h>
#include <string.h>

#include "cs/base/text.h"
#include "engine/internal.h"
#include "engine/tests/harness.h"
#include "wire/change_wire.h"
#include "wire/external_token.h"

#define EXECUTION(name) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##name

enum { OPEN = 3 };

static const char *const one[] = {"a"};
static const char *open_ids[OPEN];

static int by_id(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Three executions, and a new process to which so many of them have come back. */
static void restart(size_t returned, int64_t apart_ms) {
    for (size_t i = 0; i < OPEN; i++) {
        open_ids[i] = CREATE(one);
        harness_advance(apart_ms);
    }
    if (apart_ms == 0) {
        qsort(open_ids, OPEN, sizeof(*open_ids), by_id); /* in this order they are read */
    }
    harness_stop();
    fake_links_reset();
    fake_store_return(returned);
    harness_start();
}

static void await_left(size_t left) {
    harness_await_metric("callsheet_executions_returning", (double)left);
}

static void finish(uint64_t link, const char *id) {
    const Callsheet__V1__WorkCommand *assigned = fake_link_assigned(link);
    assert_string_equal(assigned->assign->execution, id);
    fake_report_succeeded(link, assigned);
}

TEST(work_goes_on_before_all_is_back) {
    restart(1, 0);
    fake_link_up(1, harness_noop, 4);
    finish(1, open_ids[0]);
    const char *new = CREATE(one);
    finish(1, new);
    (void)harness_read_state(open_ids[0], EXECUTION(COMPLETED));
    (void)harness_read_state(new, EXECUTION(COMPLETED));
    await_left(OPEN - 1);
    assert_int_equal(fake_link_waiting(1), 0);
    fake_store_return(SIZE_MAX);
    finish(1, open_ids[1]);
    finish(1, open_ids[2]);
    (void)harness_read_state(open_ids[1], EXECUTION(COMPLETED));
    (void)harness_read_state(open_ids[2], EXECUTION(COMPLETED));
    await_left(0);
    assert_int_equal(fake_link_waiting(1), 0); /* each came once, and the new one not at all */
    assert_int_equal((int)harness_metric("callsheet_executions_open"), 0);
}

struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    enum cs_status status;
    int state;
    size_t jobs;
};

static void on_located(const char *address, const Callsheet__V1__Execution *execution, const struct cs_err *err,
                       void *ctx) {
    struct seen *seen = ctx;
    pthread_mutex_lock(&seen->lock);
    seen->status = err != NULL ? err->status : CS_OK;
    seen->state = address == NULL && execution != NULL ? (int)execution->state : 0;
    seen->jobs = execution != NULL ? execution->n_jobs : 0;
    seen->done = true;
    (void)pthread_cond_signal(&seen->changed);
    pthread_mutex_unlock(&seen->lock);
}

TEST(what_is_not_back_is_read_from_its_log) {
    restart(1, 0);
    struct answer *answer = harness_get("acme", open_ids[2]);
    harness_await(answer);
    assert_int_equal(answer->status, CS_UNAVAILABLE);
    assert_string_equal(answer->reason, "elsewhere"); /* so the API looks for it: */
    struct seen seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    orc_engine_locate(harness.engine, "acme", open_ids[2], NULL, on_located, &seen);
    pthread_mutex_lock(&seen.lock);
    while (!seen.done) {
        (void)pthread_cond_wait(&seen.changed, &seen.lock);
    }
    pthread_mutex_unlock(&seen.lock);
    assert_int_equal(seen.status, CS_OK);
    assert_int_equal(seen.state, EXECUTION(PENDING));
    assert_int_equal(seen.jobs, 1);
    struct told *told = harness_watch(open_ids[2]);
    harness_await_ended(told);
    assert_int_equal(told->status, CS_UNAVAILABLE); /* come again */
    assert_int_equal(told->count, 0);
}

TEST(who_changes_an_execution_waits_until_it_is_back) {
    restart(1, 0);
    struct answer *last = harness_cancel(open_ids[2]);
    struct answer *first = harness_cancel(open_ids[0]);
    harness_await(first);
    assert_int_equal(first->status, CS_OK);
    fake_store_return(1);
    await_left(1);
    assert_false(harness_done(last));
    fake_store_return(1);
    harness_await(last);
    assert_int_equal(last->status, CS_OK);
    assert_int_equal(fake_store_state(open_ids[2]), EXECUTION(CANCELLED));
    fake_link_up(1, harness_noop, 4);
    finish(1, open_ids[1]);
    (void)harness_read_state(open_ids[1], EXECUTION(COMPLETED));
    assert_int_equal(fake_link_waiting(1), 0);
}

TEST(what_is_not_on_its_way_back_is_answered_at_once) {
    fake_link_up(1, harness_noop, 1);
    const char *ended = CREATE(one);
    finish(1, ended);
    (void)harness_read_state(ended, EXECUTION(COMPLETED));
    fake_link_down(1);
    restart(1, 0);
    struct answer *unknown = harness_cancel("nosuch");
    struct answer *late = harness_cancel(ended);
    harness_await(unknown);
    assert_int_equal(unknown->status, CS_NOT_FOUND);
    harness_await(late);
    assert_string_equal(late->reason, "already_ended");
    fake_link_up(1, harness_noop, 1);
    finish(1, open_ids[0]); /* came back, and ended, while others are still away */
    (void)harness_read_state(open_ids[0], EXECUTION(COMPLETED));
    struct answer *again = harness_cancel(open_ids[0]);
    harness_await(again);
    assert_string_equal(again->reason, "already_ended");
    await_left(OPEN - 1);
}

static struct answer *decide(const char *id) {
    struct answer *answer = harness_new_answer();
    Callsheet__V1__DecideApprovalRequest request = CALLSHEET__V1__DECIDE_APPROVAL_REQUEST__INIT;
    request.tenant = (char *)"acme";
    request.execution_id = (char *)id;
    request.job_id = (char *)"nosuch";
    orc_engine_decide(harness.engine, &request, harness_on_read, answer);
    return answer;
}

static struct answer *remove_job(const char *id) {
    struct answer *answer = harness_new_answer();
    Callsheet__V1__RemoveJobRequest request = CALLSHEET__V1__REMOVE_JOB_REQUEST__INIT;
    request.tenant = (char *)"acme";
    request.execution_id = (char *)id;
    request.job_id = (char *)"nosuch";
    struct orc_change *change = NULL;
    struct cs_err err = {0};
    assert_ok(orc_change_from_remove(&request, &change, &err), &err);
    orc_engine_change(harness.engine, "acme", id, change, harness_on_read, answer);
    return answer;
}

static struct answer *report(const char *id) {
    struct answer *answer = harness_new_answer();
    Callsheet__V1__ReportExternalRequest request = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__INIT;
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    request.report_case = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_PROGRESS;
    request.progress = &progress;
    struct orc_external_token token = {.tenant = "acme", .job = "a", .attempt = 1};
    cs_str_copy(token.execution, sizeof(token.execution), id);
    orc_engine_report(harness.engine, &request, &token, harness_on_read, answer);
    return answer;
}

TEST(decisions_changes_and_reports_wait_as_well) {
    struct answer *(*const asks[])(const char *id) = {decide, remove_job, report};
    struct answer *answers[CS_COUNT(asks)];
    restart(1, 0);
    for (size_t i = 0; i < CS_COUNT(asks); i++) {
        answers[i] = asks[i](open_ids[2]);
    }
    await_left(OPEN - 1);
    (void)harness_metrics(); /* all have been looked at */
    for (size_t i = 0; i < CS_COUNT(asks); i++) {
        assert_false(harness_done(answers[i]));
    }
    fake_store_return(SIZE_MAX);
    for (size_t i = 0; i < CS_COUNT(asks); i++) {
        struct answer *now = asks[i](open_ids[1]); /* as one that never went away would */
        harness_await(now);
        harness_await(answers[i]);
        assert_int_equal(answers[i]->status, CS_NOT_FOUND);
        assert_int_equal(answers[i]->status, now->status);
        assert_string_equal(answers[i]->reason, now->reason);
    }
    (void)harness_metrics(); /* the last is through */
    assert_int_equal(atomic_load(&harness.engine->counters.waiting_bytes), 0);
}

TEST(who_has_waited_is_served_before_a_deadline_that_passed_meanwhile) {
    enum { TIMEOUT_MS = 600000 };
    const char *id = CREATE(one, .timeout_ms = TIMEOUT_MS);
    harness_stop();
    fake_store_return(0);
    harness_start();
    struct answer *cancelled = harness_cancel(id);
    (void)harness_metrics(); /* it waits now */
    harness_advance(TIMEOUT_MS);
    (void)harness_metrics();
    assert_false(harness_done(cancelled));
    fake_store_return(SIZE_MAX);
    harness_await(cancelled);
    assert_int_equal(cancelled->status, CS_OK);
    assert_int_equal(fake_store_state(id), EXECUTION(CANCELLED));
}

TEST(a_deadline_that_passed_meanwhile_is_kept) {
    enum { TIMEOUT_MS = 600000 };
    const char *id = CREATE(one, .timeout_ms = TIMEOUT_MS);
    harness_stop();
    fake_store_return(0);
    harness_start();
    harness_advance(TIMEOUT_MS);
    fake_store_return(SIZE_MAX);
    await_left(0);
    (void)harness_read_state(id, EXECUTION(FAILED));
}

TEST(a_base_that_is_not_back_is_waited_for) {
    static const char *const on_base[] = {"x", "b<a"};
    restart(1, 0);
    const char *id = harness_create_on_base(on_base, CS_COUNT(on_base), open_ids[2]);
    fake_link_up(1, harness_noop, 1);
    finish(1, open_ids[0]);
    finish(1, id); /* x; b waits */
    fake_store_return(SIZE_MAX);
    finish(1, open_ids[1]);
    finish(1, open_ids[2]);
    harness_await_metric("callsheet_executions_open", 1);
    harness_advance(ORC_BASES_LOOK_EVERY_MS);
    finish(1, id);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

TEST(the_dead_are_taken_over_while_ours_are_still_away) {
    const char *theirs = CREATE(one);
    fake_store_leave(theirs);
    fake_store_fail_returning(INT_MAX);
    restart(SIZE_MAX, 0);
    fake_link_up(1, harness_noop, 4);
    finish(1, theirs);
    (void)harness_read_state(theirs, EXECUTION(COMPLETED));
    assert_true(harness_metric("callsheet_executions_returning") == OPEN);
    fake_store_fail_returning(0);
    for (size_t i = 0; i < OPEN; i++) {
        finish(1, open_ids[i]);
    }
    await_left(0);
}

TEST(one_that_is_replaced_while_it_joins_starts_again) {
    const char *id = CREATE(one);
    int64_t epoch = fake_store_epoch();
    harness_stop();
    fake_store_replace_joining();
    harness_start();
    harness_await_metric("callsheet_recoveries_total", 1); /* nothing is asked of the database meanwhile */
    await_left(0);
    assert_int_equal(fake_store_epoch(), epoch + 3); /* joined, replaced, joined */
    fake_link_up(1, harness_noop, 1);
    finish(1, id);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

TEST(a_read_that_fails_is_tried_again_and_the_oldest_is_first) {
    fake_store_fail_returning(1);
    restart(SIZE_MAX, 1);
    fake_link_up(1, harness_noop, 4);
    for (size_t i = 0; i < OPEN; i++) {
        finish(1, open_ids[i]);
    }
    (void)harness_read_state(open_ids[OPEN - 1], EXECUTION(COMPLETED));
}

TEST(who_waits_is_told_when_it_stops) {
    restart(1, 0);
    struct answer *waits = harness_cancel(open_ids[1]);
    (void)harness_metrics(); /* it waits now */
    fake_store_return(SIZE_MAX);
    harness_stop();
    assert_true(harness_done(waits));
    assert_true(waits->status == CS_UNAVAILABLE || waits->status == CS_OK); /* the rest may have been faster */
    fake_links_reset();
    harness_start();
    fake_link_up(1, harness_noop, 4);
    size_t left = OPEN - (waits->status == CS_OK);
    for (size_t i = 0; i < left; i++) {
        fake_report_succeeded(1, fake_link_assigned(1));
    }
    (void)harness_read_state(open_ids[0], EXECUTION(COMPLETED));
    (void)harness_read_state(open_ids[2], EXECUTION(COMPLETED));
}

TEST(a_fall_begins_anew_with_what_is_open_then) {
    restart(1, 0);
    fake_link_up(1, harness_noop, 8);
    finish(1, open_ids[0]);
    (void)harness_read_state(open_ids[0], EXECUTION(COMPLETED));
    struct answer *waits = harness_cancel(open_ids[1]);
    fake_store_fail(FAKE_FENCED, 1);
    struct answer *lost = SUBMIT(one);
    harness_await(lost);
    harness_await(waits);
    assert_int_equal(lost->status, CS_UNAVAILABLE);
    assert_int_equal(waits->status, CS_UNAVAILABLE);
    assert_string_equal(waits->reason, "recovering");
    fake_store_return(SIZE_MAX);
    finish(1, open_ids[1]);
    finish(1, open_ids[2]);
    (void)harness_read_state(open_ids[1], EXECUTION(COMPLETED));
    (void)harness_read_state(open_ids[2], EXECUTION(COMPLETED));
    assert_int_equal(fake_link_waiting(1), 0);
    assert_int_equal(fake_store_events(open_ids[1], ORC_EVENT_SUCCEEDED), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(work_goes_on_before_all_is_back),
        ENGINE_TEST(what_is_not_back_is_read_from_its_log),
        ENGINE_TEST(who_changes_an_execution_waits_until_it_is_back),
        ENGINE_TEST(what_is_not_on_its_way_back_is_answered_at_once),
        ENGINE_TEST(decisions_changes_and_reports_wait_as_well),
        ENGINE_TEST(who_has_waited_is_served_before_a_deadline_that_passed_meanwhile),
        ENGINE_TEST(a_deadline_that_passed_meanwhile_is_kept),
        ENGINE_TEST(a_base_that_is_not_back_is_waited_for),
        ENGINE_TEST(the_dead_are_taken_over_while_ours_are_still_away),
        ENGINE_TEST(one_that_is_replaced_while_it_joins_starts_again),
        ENGINE_TEST(a_read_that_fails_is_tried_again_and_the_oldest_is_first),
        ENGINE_TEST(who_waits_is_told_when_it_stops),
        ENGINE_TEST(a_fall_begins_anew_with_what_is_open_then),
    };
    return cmocka_run_group_tests_name("engine: returning", tests, NULL, NULL);
}
