/* COVERS engine/sharing.c: chunks of long jobs on idle slots of other workers. */
#include <string.h>

#include "cs/base/text.h"
#include "engine/sharing.h"
#include "engine/tests/harness.h"

#define FAILURE(name) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##name
#define CHUNK(word) CALLSHEET__V1__CHUNK_STATE__CHUNK_STATE_##word
#define EXECUTION(name) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##name

static const char *const studio[] = {"generateVideo", "reframe", "noop", NULL};
static const char *const one[] = {"long"};
static const uint32_t chunks[] = {0, 1, 2, 3};

/* A job at worker 1, the only one that is up. */
static const Callsheet__V1__WorkCommand *begin(const char **ret_id, uint32_t slots) {
    fake_link_up_sharing(1, studio, slots, 1);
    *ret_id = CREATE(one, .webhook = false);
    return fake_link_assigned(1);
}

static void spread(const Callsheet__V1__WorkCommand *job, size_t count) {
    fake_report_spread(1, job, 7, chunks, count);
}

static void expect_news(uint64_t link, const Callsheet__V1__WorkCommand *job, uint32_t chunk,
                        Callsheet__V1__ChunkState state) {
    const Callsheet__V1__WorkCommand *command = fake_link_next(link);
    assert_int_equal(command->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CHUNK_NEWS);
    assert_memory_equal(command->fence.data, job->fence.data, ORC_FENCE_BYTES);
    assert_int_equal(command->chunk_news->chunk, chunk);
    assert_int_equal(command->chunk_news->state, state);
}

static const Callsheet__V1__WorkCommand *expect_share(uint64_t link, uint32_t chunk) {
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(link);
    assert_non_null(command->assign->share);
    assert_int_equal(command->assign->share->chunk, chunk);
    return command;
}

static void expect_cancel(uint64_t link, const Callsheet__V1__WorkCommand *share) {
    const Callsheet__V1__WorkCommand *command = fake_link_next(link);
    assert_int_equal(command->command_case, CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL);
    assert_memory_equal(command->fence.data, share->fence.data, ORC_FENCE_BYTES);
}

/* All that was reported before has been seen. */
static void settle(const char *id) {
    (void)harness_read(id);
}

TEST(chunks_go_to_idle_slots_of_others_the_last_first_and_what_becomes_of_them_is_told) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 4);
    fake_link_up_sharing(2, studio, 2, 1);
    spread(job, 4);
    const Callsheet__V1__WorkCommand *last = expect_share(2, 3);
    const Callsheet__V1__WorkCommand *before = expect_share(2, 2);
    expect_news(1, job, 3, CHUNK(BEGUN));
    expect_news(1, job, 2, CHUNK(BEGUN));
    assert_memory_not_equal(last->fence.data, job->fence.data, ORC_FENCE_BYTES);
    assert_int_equal(last->assign->share->plan.len, ORC_SPREAD_PLAN_BYTES);
    assert_int_equal(last->assign->share->plan.data[31], 7);
    assert_string_equal(last->assign->output_prefix, job->assign->output_prefix);
    assert_string_equal(last->assign->job, "long");
    assert_true(last->assign->deadline_ms == job->assign->deadline_ms);
    assert_int_equal(last->assign->operation->params_case, job->assign->operation->params_case);
    assert_true(harness_metric("callsheet_assignments") == 3);

    fake_report_succeeded(2, last);
    expect_news(1, job, 3, CHUNK(MADE));
    const Callsheet__V1__WorkCommand *third = expect_share(2, 1);
    expect_news(1, job, 1, CHUNK(BEGUN));
    spread(job, 4); /* said before it heard of it: no chunk is made again */
    fake_report_succeeded(2, before);
    expect_news(1, job, 2, CHUNK(MADE));
    const Callsheet__V1__WorkCommand *first = expect_share(2, 0);
    expect_news(1, job, 0, CHUNK(BEGUN));
    fake_report_succeeded(2, third);
    expect_news(1, job, 1, CHUNK(MADE));
    fake_report_spread(1, job, 7, NULL, 0); /* it made the first itself */
    expect_cancel(2, first);
    fake_report_failed(2, first, FAILURE(CANCELLED), "cancelled", 0);
    fake_report_succeeded(1, job);
    const Callsheet__V1__Execution *execution = harness_read_state(id, EXECUTION(COMPLETED));
    assert_int_equal(execution->jobs[0]->attempt, 1);
    assert_int_equal(fake_store_events(id, ORC_EVENT_SUCCEEDED), 1);
    assert_true(harness_metric("callsheet_assignments") == 0);
    assert_true(harness_metric("callsheet_chunks_given_total") == 4);
    assert_true(harness_metric("callsheet_chunks_made_total") == 3);
    assert_int_equal(fake_link_waiting(1) + fake_link_waiting(2), 0);
}

TEST(no_chunk_goes_to_the_worker_itself_or_to_one_that_does_not_say_that_it_helps) {
    static const char *const others[] = {"generateVideo", NULL};
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 4);
    fake_link_up(2, studio, 4);
    fake_link_up_sharing(3, others, 4, 1);
    spread(job, 4);
    settle(id);
    assert_int_equal(fake_link_waiting(1) + fake_link_waiting(2) + fake_link_waiting(3), 0);
    fake_link_up_sharing(4, studio, 1, 1);
    (void)expect_share(4, 3); /* one that comes later helps at once */
}

TEST(a_job_that_waits_goes_before_any_chunk) {
    static const char *const two[] = {"a", "b"};
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 1);
    fake_link_up_sharing(2, studio, 1, 1);
    const char *other = CREATE(two, .webhook = false);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(2);
    assert_null(a->assign->share);
    spread(job, 4);
    fake_report_succeeded(2, a);
    const Callsheet__V1__WorkCommand *b = fake_link_assigned(2);
    assert_null(b->assign->share);
    assert_int_equal(fake_link_waiting(1), 0);
    fake_report_succeeded(2, b);
    const Callsheet__V1__WorkCommand *share = expect_share(2, 3);
    expect_news(1, job, 3, CHUNK(BEGUN));
    (void)harness_read_state(other, EXECUTION(COMPLETED));

    const char *third = CREATE(one, .webhook = false); /* waits for the chunk, and goes before the next */
    settle(third);
    fake_report_succeeded(2, share);
    expect_news(1, job, 3, CHUNK(MADE));
    assert_null(fake_link_assigned(2)->assign->share);
    assert_int_equal(fake_link_waiting(1), 0);
}

TEST(two_long_jobs_are_helped_alike) {
    static const char *const two[] = {"a", "b"};
    fake_link_up_sharing(1, studio, 2, 1);
    (void)CREATE(two, .webhook = false);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    const Callsheet__V1__WorkCommand *b = fake_link_assigned(1);
    spread(a, 4);
    spread(b, 4);
    fake_link_up_sharing(2, studio, 2, 1);
    const char *first = expect_share(2, 3)->assign->job;
    assert_string_not_equal(first, expect_share(2, 3)->assign->job);
}

TEST(who_helps_is_told_to_stop_when_the_attempt_has_ended) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 1);
    fake_link_up_sharing(2, studio, 1, 1);
    spread(job, 4);
    const Callsheet__V1__WorkCommand *share = expect_share(2, 3);
    expect_news(1, job, 3, CHUNK(BEGUN));
    fake_report_succeeded(1, job);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    expect_cancel(2, share);
    assert_true(harness_metric("callsheet_assignments") == 1); /* until its last word */
    fake_report_succeeded(2, share);
    settle(id);
    assert_int_equal(fake_link_waiting(1), 0);
    assert_true(harness_metric("callsheet_assignments") == 0);
}

TEST(who_helps_is_told_to_stop_when_the_execution_is_cancelled) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 1);
    fake_link_up_sharing(2, studio, 1, 1);
    spread(job, 4);
    const Callsheet__V1__WorkCommand *share = expect_share(2, 3);
    harness_await(harness_cancel(id));
    expect_cancel(2, share);
    spread(job, 4); /* said before it heard of it */
    fake_report_failed(2, share, FAILURE(CANCELLED), "cancelled", 0);
    settle(id);
    assert_int_equal(fake_link_waiting(2), 0);
}

TEST(a_chunk_that_is_not_on_offer_any_more_is_stopped) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 1);
    fake_link_up_sharing(2, studio, 1, 1);
    spread(job, 2);
    const Callsheet__V1__WorkCommand *share = expect_share(2, 1);
    expect_news(1, job, 1, CHUNK(BEGUN));
    spread(job, 1);
    expect_cancel(2, share);
    fake_report_failed(2, share, FAILURE(CANCELLED), "cancelled", 0);
    share = expect_share(2, 0); /* and its worker is free for another */
    expect_news(1, job, 0, CHUNK(BEGUN));
    fake_report_spread(1, job, 8, chunks, 1);
    expect_cancel(2, share); /* of other work: the number says nothing any more */
}

TEST(a_chunk_whose_worker_goes_away_goes_to_another) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 1);
    fake_link_up_sharing(2, studio, 1, 1);
    spread(job, 4);
    (void)expect_share(2, 3);
    expect_news(1, job, 3, CHUNK(BEGUN));
    fake_link_down(2);
    expect_news(1, job, 3, CHUNK(RETURNED));
    fake_link_up_sharing(3, studio, 1, 1);
    (void)expect_share(3, 3);
    expect_news(1, job, 3, CHUNK(BEGUN));
    assert_int_equal(harness_read(id)->jobs[0]->attempt, 1);
}

TEST(the_job_goes_elsewhere_when_its_worker_goes_away_and_who_helped_is_told_to_stop) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 1);
    fake_link_up_sharing(2, studio, 2, 1);
    spread(job, 1);
    const Callsheet__V1__WorkCommand *share = expect_share(2, 0);
    fake_link_down(1);
    expect_cancel(2, share);
    job = fake_link_assigned(2);
    assert_null(job->assign->share);
    assert_string_equal(job->assign->execution, id);
    fake_report_succeeded(2, job);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

TEST(who_helps_may_go_away_after_the_attempt_has_ended) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 1);
    fake_link_up_sharing(2, studio, 1, 1);
    spread(job, 4);
    const Callsheet__V1__WorkCommand *share = expect_share(2, 3);
    expect_news(1, job, 3, CHUNK(BEGUN));
    fake_report_succeeded(1, job);
    (void)harness_read_state(id, EXECUTION(COMPLETED));
    expect_cancel(2, share);
    fake_link_down(2);
    settle(id);
    assert_int_equal(fake_link_waiting(1), 0);
    assert_true(harness_metric("callsheet_assignments") == 0);
}

TEST(all_that_is_under_way_is_stopped_once_when_the_log_is_read_again) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 1);
    fake_link_up_sharing(2, studio, 1, 1);
    spread(job, 4);
    const Callsheet__V1__WorkCommand *share = expect_share(2, 3);
    expect_news(1, job, 3, CHUNK(BEGUN));
    fake_store_fail(FAKE_FENCED, 1);
    harness_await(SUBMIT(one));
    expect_cancel(1, job);
    expect_cancel(2, share);
    fake_report_failed(1, job, FAILURE(CANCELLED), "cancelled", 0);
    const Callsheet__V1__WorkCommand *again = fake_link_assigned(1);
    assert_string_equal(again->assign->execution, id);
    assert_int_equal(fake_link_waiting(2), 0);
    fake_report_succeeded(2, share); /* nobody asks any more */
    fake_report_spread(1, again, 7, chunks, 1);
    (void)expect_share(2, 0);
    assert_int_equal(again->assign->attempt, 1); /* a cheap one that was under way had not begun */
}

TEST(a_worker_that_had_no_slot_rests_for_a_moment_and_one_that_failed_for_longer) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 1);
    fake_link_up_sharing(2, studio, 1, 1);
    spread(job, 4);
    fake_report_failed(2, expect_share(2, 3), FAILURE(TRANSIENT), "no_slot", 0);
    expect_news(1, job, 3, CHUNK(BEGUN));
    expect_news(1, job, 3, CHUNK(RETURNED));
    settle(id);
    assert_int_equal(fake_link_waiting(2), 0);
    harness_advance(ORC_SHARE_REFUSED_REST_MS);
    fake_report_failed(2, expect_share(2, 3), FAILURE(INVALID_INPUT), "other_plan", 0);
    expect_news(1, job, 3, CHUNK(BEGUN));
    expect_news(1, job, 3, CHUNK(FAILED));
    harness_advance(ORC_SHARE_FAILED_REST_MS - 1);
    settle(id);
    assert_int_equal(fake_link_waiting(2), 0);
    harness_advance(1);
    (void)expect_share(2, 2); /* the one that it could not make is left to the job's own worker */
}

TEST(a_chunk_whose_worker_falls_silent_goes_back) {
    const char *id = NULL;
    const Callsheet__V1__WorkCommand *job = begin(&id, 1);
    fake_link_up_helping(2, studio, 1, 1000);
    spread(job, 4);
    const Callsheet__V1__WorkCommand *share = expect_share(2, 3);
    expect_news(1, job, 3, CHUNK(BEGUN));
    harness_advance(5000);
    settle(id);
    fake_report_heartbeat(2, share);
    settle(id);
    harness_advance(5999);
    settle(id);
    assert_int_equal(fake_link_waiting(1), 0);
    harness_advance(1);
    expect_news(1, job, 3, CHUNK(RETURNED));
    expect_cancel(2, share);
    fake_report_succeeded(2, share); /* too late: it may be made a second time, and its slot is free again */
    settle(id);
    assert_int_equal(fake_link_waiting(1) + fake_link_waiting(2), 0);
    fake_link_up_sharing(3, studio, 1, 1);
    (void)expect_share(3, 3);
    expect_news(1, job, 3, CHUNK(BEGUN));
    harness_advance(ORC_SHARE_FAILED_REST_MS);
    (void)expect_share(2, 2);
}

TEST(what_is_paid_for_is_not_spread) {
    static const char *const paid[] = {"gen"};
    fake_link_up_sharing(1, studio, 1, 1);
    fake_link_up_sharing(2, studio, 1, 1);
    const char *id = CREATE(paid, .webhook = false);
    settle(id);
    while (fake_link_waiting(1) + fake_link_waiting(2) == 0) {
        settle(id);
    }
    uint64_t owner = fake_link_waiting(1) != 0 ? 1 : 2;
    const Callsheet__V1__WorkCommand *job = fake_link_assigned(owner);
    fake_report_spread(owner, job, 7, chunks, 4);
    settle(id);
    assert_int_equal(fake_link_waiting(1) + fake_link_waiting(2), 0);
}

static void discard(Callsheet__V1__Plan *plan) {
    plan->intermediates = CALLSHEET__V1__INTERMEDIATES__INTERMEDIATES_DISCARD;
}

TEST(a_run_of_several_jobs_is_helped_by_who_does_as_many) {
    static const char *const chain[] = {"gen", "V1<gen", "V2<V1"};
    fake_link_up_sharing(1, studio, 1, 16);
    (void)CREATE(chain, .edit = discard, .webhook = false);
    fake_report_succeeded(1, fake_link_assigned(1));
    const Callsheet__V1__WorkCommand *run = fake_link_assigned(1);
    assert_int_equal(run->assign->n_steps_before, 1);
    spread(run, 4);
    fake_link_up_sharing(2, studio, 1, 1);
    fake_link_up_sharing(3, studio, 1, 2);
    const Callsheet__V1__WorkCommand *share = expect_share(3, 3);
    assert_string_equal(share->assign->job, "V2");
    assert_int_equal(share->assign->n_steps_before, 1);
    assert_int_equal(fake_link_waiting(2), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(chunks_go_to_idle_slots_of_others_the_last_first_and_what_becomes_of_them_is_told),
        ENGINE_TEST(no_chunk_goes_to_the_worker_itself_or_to_one_that_does_not_say_that_it_helps),
        ENGINE_TEST(a_job_that_waits_goes_before_any_chunk),
        ENGINE_TEST(two_long_jobs_are_helped_alike),
        ENGINE_TEST(who_helps_is_told_to_stop_when_the_attempt_has_ended),
        ENGINE_TEST(who_helps_is_told_to_stop_when_the_execution_is_cancelled),
        ENGINE_TEST(a_chunk_that_is_not_on_offer_any_more_is_stopped),
        ENGINE_TEST(a_chunk_whose_worker_goes_away_goes_to_another),
        ENGINE_TEST(the_job_goes_elsewhere_when_its_worker_goes_away_and_who_helped_is_told_to_stop),
        ENGINE_TEST(who_helps_may_go_away_after_the_attempt_has_ended),
        ENGINE_TEST(all_that_is_under_way_is_stopped_once_when_the_log_is_read_again),
        ENGINE_TEST(a_worker_that_had_no_slot_rests_for_a_moment_and_one_that_failed_for_longer),
        ENGINE_TEST(a_chunk_whose_worker_falls_silent_goes_back),
        ENGINE_TEST(what_is_paid_for_is_not_spread),
        ENGINE_TEST(a_run_of_several_jobs_is_helped_by_who_does_as_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
