/* COVERS engine/returning.c keeper.c: what was open comes back while the engine serves. */
#include <string.h>

#include "engine/internal.h"
#include "engine/tests/harness.h"

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
    while ((size_t)harness_metric("callsheet_executions_returning") != left) {
        (void)sched_yield();
    }
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
}

TEST(who_changes_an_execution_waits_until_it_is_back) {
    restart(1, 0);
    struct answer *last = harness_cancel(open_ids[2]);
    struct answer *none = harness_cancel("nosuch");
    struct answer *first = harness_cancel(open_ids[0]);
    harness_await(first);
    assert_int_equal(first->status, CS_OK);
    fake_store_return(1);
    await_left(1);
    assert_false(harness_done(last));
    assert_false(harness_done(none));
    fake_store_return(1);
    harness_await(last);
    assert_int_equal(last->status, CS_OK);
    assert_int_equal(fake_store_state(open_ids[2]), EXECUTION(CANCELLED));
    harness_await(none);
    assert_int_equal(none->status, CS_NOT_FOUND);
    fake_link_up(1, harness_noop, 4);
    finish(1, open_ids[1]);
    (void)harness_read_state(open_ids[1], EXECUTION(COMPLETED));
    assert_int_equal(fake_link_waiting(1), 0);
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
        ENGINE_TEST(a_read_that_fails_is_tried_again_and_the_oldest_is_first),
        ENGINE_TEST(who_waits_is_told_when_it_stops),
        ENGINE_TEST(a_fall_begins_anew_with_what_is_open_then),
    };
    return cmocka_run_group_tests_name("engine: returning", tests, NULL, NULL);
}
