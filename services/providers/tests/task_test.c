/* COVERS domain/task.c domain/checkpoint.c domain/failure.c */
#include <string.h>

#include "cs/base/auto.h"
#include "cs/test.h"
#include "domain/task.h"

static struct prv_task fresh(enum prv_reconcile reconcile) {
    return (struct prv_task){.reconcile = reconcile,
                             .can_cancel = true,
                             .pace = {.first_ms = 2000, .middle_ms = 10000, .last_ms = 20000, .settle_ms = 45000}};
}

static void give_id(struct prv_task *task) {
    (void)strcpy(task->checkpoint.id, "p1");
}

static void walk(struct prv_task *task, const enum prv_event *events, size_t count) {
    struct cs_err err = {0};
    for (size_t i = 0; i < count; i++) {
        if (events[i] == PRV_ACCEPTED) {
            give_id(task);
        }
        assert_ok(prv_task_step(task, events[i], &err), &err);
    }
}
#define WALK(task, ...)                                                                                                \
    walk((task), (const enum prv_event[]){__VA_ARGS__}, CS_COUNT(((const enum prv_event[]){__VA_ARGS__})))

TEST(sy_121_a_generation_goes_from_intent_to_output) {
    struct prv_task task = fresh(PRV_RECONCILE_NONE);
    WALK(&task, PRV_BEGIN_NEW, PRV_STAGED);
    assert_int_equal(task.state, PRV_SAVING_INTENT);
    WALK(&task, PRV_SAVED);
    assert_int_equal(task.state, PRV_SUBMITTING);
    WALK(&task, PRV_ACCEPTED);
    assert_int_equal(task.state, PRV_SAVING_ID);
    WALK(&task, PRV_SAVED, PRV_RUNNING);
    assert_int_equal(task.state, PRV_WAITING);
    WALK(&task, PRV_DUE, PRV_UNCLEAR, PRV_DUE, PRV_DONE);
    assert_int_equal(task.state, PRV_INGESTING);
    WALK(&task, PRV_STORED);
    assert_int_equal(task.state, PRV_ENDED);
    assert_int_equal(task.failure.failure_class, 0);
}

/* The promise, tried on every event in every state: submitting is entered only behind a saved intent. */
TEST(no_event_leads_to_a_submission_without_a_saved_intent) {
    for (int state = 0; state < PRV_STATE_COUNT; state++) {
        for (int event = 0; event < PRV_EVENT_COUNT; event++) {
            const struct cs_fsm_edge *edge = cs_fsm_find(&prv_task_fsm, state, event);
            if (edge == NULL || edge->to != PRV_SUBMITTING) {
                continue;
            }
            bool behind_intent = state == PRV_SAVING_INTENT || state == PRV_RESENDING || state == PRV_LOOKING;
            assert_true(behind_intent);
        }
    }
}

TEST(an_unclear_submission_is_never_repeated_blindly) {
    struct prv_task task = fresh(PRV_RECONCILE_NONE);
    WALK(&task, PRV_BEGIN_NEW, PRV_STAGED, PRV_SAVED, PRV_UNCLEAR);
    assert_int_equal(task.state, PRV_ENDED);
    assert_int_equal(task.failure.failure_class, PRV_CLASS(OUTCOME_UNKNOWN));
    assert_false(task.close);
    task = fresh(PRV_RECONCILE_NONE);
    WALK(&task, PRV_BEGIN_INTENT, PRV_UNCLEAR);
    assert_int_equal(task.state, PRV_ENDED);
    assert_int_equal(task.failure.failure_class, PRV_CLASS(OUTCOME_UNKNOWN));
}

TEST(a_provider_with_keys_gets_the_same_submission_a_few_times) {
    struct prv_task task = fresh(PRV_RECONCILE_KEY);
    WALK(&task, PRV_BEGIN_INTENT, PRV_UNCLEAR);
    assert_int_equal(task.state, PRV_SUBMITTING);
    for (int i = 0; i < PRV_RESENDS_MAX; i++) {
        WALK(&task, PRV_UNCLEAR);
        assert_int_equal(task.state, PRV_RESENDING);
        WALK(&task, PRV_DUE);
        assert_int_equal(task.state, PRV_SUBMITTING);
    }
    WALK(&task, PRV_UNCLEAR);
    assert_int_equal(task.state, PRV_ENDED);
    assert_int_equal(task.failure.failure_class, PRV_CLASS(TRANSIENT));
    assert_false(task.close); /* the next attempt repeats the same key */
}

TEST(a_provider_with_a_list_is_searched_before_anything_is_sent_again) {
    struct prv_task task = fresh(PRV_RECONCILE_LIST);
    WALK(&task, PRV_BEGIN_NEW, PRV_STAGED, PRV_SAVED, PRV_UNCLEAR);
    assert_int_equal(task.state, PRV_SETTLING);
    WALK(&task, PRV_DUE);
    assert_int_equal(task.state, PRV_LOOKING);
    struct prv_task there = task;
    WALK(&there, PRV_ACCEPTED);
    assert_int_equal(there.state, PRV_SAVING_ID);

    task.checkpoint.intent_unix_ms = 1000000;
    assert_false(prv_task_absence_counts(&task, 1000000 + PRV_SETTLE_MIN_MS)); /* looked once */
    WALK(&task, PRV_UNCLEAR, PRV_DUE, PRV_UNCLEAR, PRV_DUE);
    assert_false(prv_task_absence_counts(&task, 1000000 + PRV_SETTLE_MIN_MS - 1));
    assert_true(prv_task_absence_counts(&task, 1000000 + PRV_SETTLE_MIN_MS));
    WALK(&task, PRV_ABSENT);
    assert_int_equal(task.state, PRV_SUBMITTING);
    while (task.state != PRV_ENDED) {
        enum prv_event event = task.state == PRV_SETTLING ? PRV_DUE : PRV_UNCLEAR;
        WALK(&task, event);
    }
    assert_int_equal(task.failure.failure_class, PRV_CLASS(OUTCOME_UNKNOWN));
}

TEST(only_sure_ends_close_a_submission) {
    struct prv_task refused = fresh(PRV_RECONCILE_NONE);
    WALK(&refused, PRV_BEGIN_NEW, PRV_STAGED, PRV_SAVED, PRV_REFUSED);
    assert_true(refused.close);
    struct prv_task failed = fresh(PRV_RECONCILE_NONE);
    WALK(&failed, PRV_BEGIN_ID, PRV_REFUSED);
    assert_true(failed.close);
    struct prv_task barred = fresh(PRV_RECONCILE_NONE);
    WALK(&barred, PRV_BEGIN_ID, PRV_BARRED);
    assert_false(barred.close);
    struct prv_task not_stored = fresh(PRV_RECONCILE_NONE);
    WALK(&not_stored, PRV_BEGIN_ID, PRV_DONE, PRV_REFUSED);
    assert_false(not_stored.close);
    struct prv_task no_input = fresh(PRV_RECONCILE_NONE);
    WALK(&no_input, PRV_BEGIN_NEW, PRV_REFUSED);
    assert_false(no_input.close);
}

TEST(a_cancelled_job_cancels_its_prediction_once_the_id_is_known) {
    struct prv_task task = fresh(PRV_RECONCILE_NONE);
    WALK(&task, PRV_BEGIN_NEW, PRV_STAGED, PRV_SAVED);
    assert_false(prv_task_stop(&task, PRV_STOP_CANCEL)); /* submitting: the answer is awaited */
    assert_int_equal(task.state, PRV_SUBMITTING);
    WALK(&task, PRV_ACCEPTED);
    assert_int_equal(task.state, PRV_CANCELLING);
    WALK(&task, PRV_STOPPED);
    assert_int_equal(task.state, PRV_ENDED);
    assert_int_equal(task.failure.failure_class, PRV_CLASS(CANCELLED));
    assert_true(task.close);

    struct prv_task waiting = fresh(PRV_RECONCILE_NONE);
    give_id(&waiting);
    WALK(&waiting, PRV_BEGIN_ID, PRV_RUNNING);
    assert_true(prv_task_stop(&waiting, PRV_STOP_CANCEL));
    assert_int_equal(waiting.state, PRV_CANCELLING);
}

TEST(a_job_cancelled_before_its_submission_submits_nothing) {
    struct prv_task task = fresh(PRV_RECONCILE_KEY);
    WALK(&task, PRV_BEGIN_NEW);
    assert_false(prv_task_stop(&task, PRV_STOP_CANCEL));
    WALK(&task, PRV_STAGED);
    assert_int_equal(task.state, PRV_ENDED);
    struct prv_task saving = fresh(PRV_RECONCILE_KEY);
    WALK(&saving, PRV_BEGIN_NEW, PRV_STAGED);
    assert_false(prv_task_stop(&saving, PRV_STOP_CANCEL));
    WALK(&saving, PRV_SAVED);
    assert_int_equal(saving.state, PRV_ENDED);
    assert_int_equal(saving.failure.failure_class, PRV_CLASS(CANCELLED));
}

TEST(leaving_keeps_the_prediction_alive_for_the_next_attempt) {
    struct prv_task task = fresh(PRV_RECONCILE_NONE);
    give_id(&task);
    WALK(&task, PRV_BEGIN_ID, PRV_RUNNING);
    assert_true(prv_task_stop(&task, PRV_STOP_LEAVE));
    assert_int_equal(task.state, PRV_ENDED);
    assert_false(task.close);
    struct prv_task storing = fresh(PRV_RECONCILE_NONE);
    give_id(&storing);
    WALK(&storing, PRV_BEGIN_ID, PRV_DONE);
    assert_false(prv_task_stop(&storing, PRV_STOP_LEAVE));
    WALK(&storing, PRV_STORED);
    assert_int_equal(storing.failure.failure_class, 0); /* it was done before it could be left */
}

TEST(illegal_events_change_nothing) {
    struct prv_task task = fresh(PRV_RECONCILE_NONE);
    struct cs_err err = {0};
    assert_fails(prv_task_step(&task, PRV_SAVED, &err), &err, CS_FAILED_PRECONDITION, "illegal_transition");
    assert_int_equal(task.state, PRV_NEW);
}

TEST(sy_129_w13_w14_polls_grow_rarer_and_heed_a_wish) {
    struct prv_task task = fresh(PRV_RECONCILE_NONE);
    WALK(&task, PRV_BEGIN_ID, PRV_RUNNING);
    assert_int_equal(prv_task_pause_ms(&task, 0, 0.5), 2000);
    WALK(&task, PRV_DUE, PRV_RUNNING);
    assert_int_equal(prv_task_pause_ms(&task, 0, 0.5), 2600);
    assert_int_equal(prv_task_pause_ms(&task, 30000, 0.5), 30000);
    assert_int_equal(prv_task_pause_ms(&task, 3600000, 0.5), 600000);
    assert_int_equal(prv_task_pause_ms(&task, 0, 0.5), 20000); /* more than two minutes have passed */
    assert_int_equal(prv_task_pause_ms(&task, 0, 0.0), 16000);
}

TEST(checkpoints_come_back_as_they_were) {
    struct prv_checkpoint checkpoint = {.phase = PRV_PHASE_SUBMITTED,
                                        .provider = "local",
                                        .model = "preview",
                                        .number = 3,
                                        .key = "e1/job \"x\"/3",
                                        .id = "loc_1",
                                        .intent_unix_ms = 1767225600123};
    struct prv_checkpoint back = {0};
    struct cs_err err = {0};
    CS_AUTO_BUF bytes = {0};
    prv_checkpoint_format(&checkpoint, &bytes);
    assert_ok(prv_checkpoint_parse(bytes.data, bytes.size, &back, &err), &err);
    assert_int_equal(back.phase, checkpoint.phase);
    assert_int_equal(back.number, checkpoint.number);
    assert_int_equal(back.intent_unix_ms, checkpoint.intent_unix_ms);
    assert_string_equal(back.provider, checkpoint.provider);
    assert_string_equal(back.model, checkpoint.model);
    assert_string_equal(back.key, checkpoint.key);
    assert_string_equal(back.id, checkpoint.id);
    assert_ok(prv_checkpoint_parse("", 0, &back, &err), &err);
    assert_int_equal(back.phase, PRV_PHASE_NONE);
}

TEST(foreign_checkpoints_are_refused) {
    static const char *const bad[] = {
        "x",
        "{}",
        "[]",
        "{\"phase\":\"intent\"}",
        "{\"phase\":\"other\",\"provider\":\"a\",\"model\":\"b\",\"number\":1,\"key\":\"k\",\"id\":\"\"}",
        "{\"phase\":\"intent\",\"provider\":\"a\",\"model\":\"b\",\"number\":0,\"key\":\"k\",\"id\":\"\"}",
        "{\"phase\":\"submitted\",\"provider\":\"a\",\"model\":\"b\",\"number\":1,\"key\":\"k\",\"id\":\"\"}",
        "{\"phase\":\"intent\",\"provider\":7,\"model\":\"b\",\"number\":1,\"key\":\"k\",\"id\":\"\"}",
    };
    struct prv_checkpoint back = {0};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct cs_err err = {0};
        assert_fails(prv_checkpoint_parse(bad[i], strlen(bad[i]), &back, &err), &err, CS_INVALID_ARGUMENT,
                     "bad_checkpoint");
    }
    CS_AUTO_FREE char *long_one = cs_alloc(PRV_CHECKPOINT_BYTES_MAX + 2);
    memset(long_one, ' ', PRV_CHECKPOINT_BYTES_MAX + 1);
    struct cs_err err = {0};
    assert_fails(prv_checkpoint_parse(long_one, PRV_CHECKPOINT_BYTES_MAX + 1, &back, &err), &err, CS_INVALID_ARGUMENT,
                 "bad_checkpoint");
}

TEST(failures_are_clean_sentences) {
    struct prv_failure failure = prv_failure_make(PRV_CLASS(INTERNAL), "x", "line one\nline\ttwo\x01");
    assert_string_equal(failure.sentence, "line one line two ");
    failure = prv_failure_make(PRV_CLASS(INTERNAL), "x", "bad \xff byte");
    assert_null(strchr(failure.sentence, '\xff'));
}

TEST_MAIN(CS_TEST(sy_121_a_generation_goes_from_intent_to_output),
          CS_TEST(no_event_leads_to_a_submission_without_a_saved_intent),
          CS_TEST(an_unclear_submission_is_never_repeated_blindly),
          CS_TEST(a_provider_with_keys_gets_the_same_submission_a_few_times),
          CS_TEST(a_provider_with_a_list_is_searched_before_anything_is_sent_again),
          CS_TEST(only_sure_ends_close_a_submission),
          CS_TEST(a_cancelled_job_cancels_its_prediction_once_the_id_is_known),
          CS_TEST(a_job_cancelled_before_its_submission_submits_nothing),
          CS_TEST(leaving_keeps_the_prediction_alive_for_the_next_attempt), CS_TEST(illegal_events_change_nothing),
          CS_TEST(sy_129_w13_w14_polls_grow_rarer_and_heed_a_wish), CS_TEST(checkpoints_come_back_as_they_were),
          CS_TEST(foreign_checkpoints_are_refused), CS_TEST(failures_are_clean_sentences))
