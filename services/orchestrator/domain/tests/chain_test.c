/* Chains of jobs that are done in one run. */
#include "domain/tests/script.h"

/* Every job takes what its parents give and may be a step; what it gives may be dropped. */
static void start(struct script *s, const char *const *lines, size_t count) {
    script_start(s, lines, count, false);
    struct orc_plan *plan = fixture_mutable(s->execution->plan);
    for (uint32_t i = 0; i < plan->job_count; i++) {
        struct orc_plan_job *job = &plan->jobs[i];
        struct orc_input *inputs = cs_arena_array(s->arena, job->parent_count, sizeof(*inputs));
        for (uint32_t n = 0; n < job->parent_count; n++) {
            inputs[n] = (struct orc_input){.job = (int32_t)job->parents[n]};
        }
        job->inputs = inputs;
        job->input_count = job->parent_count;
        job->fusible = !job->operation->paid;
        job->discards = true;
    }
}

#define START(s, ...)                                                                                                  \
    start(s, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static struct orc_plan_job *planned(struct script *s, uint32_t job) {
    return &fixture_mutable(s->execution->plan)->jobs[job];
}

static uint32_t length(const struct script *s, uint32_t job) {
    struct orc_chain chain;
    orc_chain_find(s->execution, job, &chain);
    return chain.count;
}

/* Assigns the longest run from the job on. */
static void run(struct script *s, uint32_t job) {
    struct orc_chain chain;
    orc_chain_find(s->execution, job, &chain);
    script_do(s, .kind = ORC_EVENT_ASSIGNED, .job = job, .fence = {7, (unsigned char)job}, .chain = chain);
}

static void fuse(struct script *s, uint32_t job, uint32_t into) {
    script_do(s, .kind = ORC_EVENT_FUSED, .job = job, .attempt = s->execution->jobs[job].attempt,
              .chain = {.count = 1, .jobs = {into}});
}

static void split(struct script *s, uint32_t job) {
    script_do(s, .kind = ORC_EVENT_SPLIT, .job = job, .attempt = s->execution->jobs[job].attempt, .code = "boom");
}

static void expect_states(const struct script *s, int a, int b, int c) {
    assert_int_equal(script_state(s, 0), a);
    assert_int_equal(script_state(s, 1), b);
    assert_int_equal(script_state(s, 2), c);
}

/* ---- which jobs ---- */

TEST(a_chain_goes_as_far_as_nobody_else_wants_what_lies_between) {
    struct script s;
    START(&s, "a", "b<a", "c<b", "d<c", "e<c");
    script_begin(&s);
    assert_int_equal(length(&s, 0), 3); /* c has two children */
    planned(&s, 1)->discards = false;
    assert_int_equal(length(&s, 0), 2); /* b is its last: it is kept */
    planned(&s, 0)->discards = false;
    assert_int_equal(length(&s, 0), 1);
    script_end(&s);
}

TEST(what_nothing_can_go_on_with_is_the_last_of_its_chain) {
    struct script s;
    START(&s, "a", "b<a", "c<b");
    script_begin(&s);
    planned(&s, 1)->fusible = false;
    planned(&s, 1)->ends_run = true;
    assert_int_equal(length(&s, 0), 2);
    assert_int_equal(length(&s, 1), 1);
    script_end(&s);
}

TEST(whoever_waits_for_something_else_is_not_in_the_chain) {
    struct script s;
    START(&s, "a", "x", "b<a,x", "c<b");
    script_begin(&s);
    assert_int_equal(length(&s, 0), 1);
    script_succeed(&s, 1);
    assert_int_equal(length(&s, 0), 3);
    script_end(&s);
}

TEST(what_each_job_asks_for_itself_keeps_it_out_of_a_chain) {
    static const struct orc_approval_rule approval = {.prompt = ""};
    struct script s;
    START(&s, "a", "b<a", "c<b");
    script_begin(&s);
    struct orc_plan_job *b = planned(&s, 1);
    const struct orc_plan_job before = *b;
    struct orc_plan_job other[] = {before, before, before, before, before, before, before};
    other[0].fusible = false;
    other[1].cache = ORC_CACHE_ON;
    other[2].approval = &approval;
    other[3].policy = ORC_DEPENDENCY_ALWAYS;
    other[4].base_job = "b";
    other[5].owner = 0;
    other[6].input_count = 0;
    for (size_t i = 0; i < 7; i++) {
        *b = other[i];
        assert_int_equal(length(&s, 0), 1);
    }
    *b = before;
    assert_int_equal(length(&s, 0), 3);
    struct orc_input twice[] = {{.job = 0}, {.job = 0}};
    b->inputs = twice;
    b->input_count = 2;
    assert_int_equal(length(&s, 0), 1);
    twice[1].job = -1;
    twice[0].output = 2; /* another output than the picture and its sound */
    assert_int_equal(length(&s, 0), 1);
    twice[0].output = 1;
    assert_int_equal(length(&s, 0), 3);
    script_end(&s);
}

TEST(a_job_with_a_checkpoint_goes_on_alone) {
    struct script s;
    START(&s, "a", "b<a");
    script_begin(&s);
    script_assign(&s, 0);
    script_do(&s, .kind = ORC_EVENT_CHECKPOINT, .job = 0, .attempt = 1, .payload = "half", .payload_size = 4);
    script_do(&s, .kind = ORC_EVENT_LOST, .job = 0, .attempt = 1);
    assert_int_equal(length(&s, 0), 1);
    script_end(&s);
}

TEST(a_run_has_a_limited_number_of_jobs) {
    struct script s;
    const char *lines[40];
    script_start(&s, NULL, 0, false);
    for (uint32_t i = 0; i < 40; i++) {
        lines[i] = i == 0 ? "j0" : cs_arena_sprintf(s.arena, "j%u<j%u", i, i - 1);
    }
    struct cs_arena *names = cs_steal(&s.arena);
    script_end(&s);
    start(&s, lines, 40);
    script_begin(&s);
    assert_int_equal(length(&s, 0), ORC_FUSED_MAX);
    run(&s, 0);
    for (uint32_t i = 0; i + 1 < ORC_FUSED_MAX; i++) {
        fuse(&s, i, ORC_FUSED_MAX - 1);
    }
    script_do(&s, .kind = ORC_EVENT_SUCCEEDED, .job = ORC_FUSED_MAX - 1, .attempt = 1, .payload = "ok",
              .payload_size = 2);
    assert_int_equal(length(&s, ORC_FUSED_MAX), ORC_FUSED_MAX); /* the next run begins with what this one kept */
    script_end(&s);
    cs_arena_destroy(names);
}

/* ---- a run ---- */

TEST(all_jobs_of_a_run_are_running_under_one_fence_with_the_time_of_all) {
    struct script s;
    START(&s, "a", "b<a", "c<b");
    script_begin(&s);
    run(&s, 0);
    expect_states(&s, ORC_JOB_RUNNING, ORC_JOB_RUNNING, ORC_JOB_RUNNING);
    const struct orc_job *jobs = s.execution->jobs;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(jobs[i].attempt, 1);
        assert_memory_equal(jobs[i].fence, jobs[0].fence, ORC_FENCE_BYTES);
        assert_int_equal(jobs[i].deadline_ms, s.now_ms + 3 * fixture_merge.timeout_ms);
    }
    script_end(&s);
}

TEST(a_run_that_succeeds_completes_all_and_the_last_has_the_result) {
    struct script s;
    START(&s, "a", "b<a", "c<b", "d<c");
    planned(&s, 2)->discards = false;
    script_begin(&s);
    run(&s, 0);
    fuse(&s, 0, 2);
    fuse(&s, 1, 2);
    script_do(&s, .kind = ORC_EVENT_SUCCEEDED, .job = 2, .attempt = 1, .payload = "film", .payload_size = 4);
    expect_states(&s, ORC_JOB_COMPLETED, ORC_JOB_COMPLETED, ORC_JOB_COMPLETED);
    assert_int_equal(s.execution->jobs[0].fused_into, 2);
    assert_int_equal(s.execution->jobs[1].fused_into, 2);
    assert_int_equal(s.execution->jobs[2].fused_into, -1);
    assert_int_equal(s.execution->jobs[0].result_size, 0);
    assert_memory_equal(s.execution->jobs[2].result, "film", 4);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 3), 1);
    script_succeed(&s, 3);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    assert_int_equal(s.execution->result_job, 3);
    script_end(&s);
}

TEST(nothing_is_said_about_one_job_of_a_run) {
    struct script s;
    START(&s, "a", "b<a", "c<b");
    script_begin(&s);
    run(&s, 0);
    static const enum orc_event_kind kinds[] = {ORC_EVENT_SUCCEEDED, ORC_EVENT_FAILED, ORC_EVENT_CHECKPOINT};
    for (size_t i = 0; i < 3; i++) {
        script_refused(&s, "illegal_transition", .kind = kinds[i], .job = 0, .attempt = 1);
        script_refused(&s, "illegal_transition", .kind = kinds[i], .job = 1, .attempt = 1);
    }
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_LOST, .job = 1, .attempt = 1);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_SPLIT, .job = 2, .attempt = 1);
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_FUSED, .job = 1, .attempt = 1,
                   .chain = {.count = 1, .jobs = {2}});
    script_refused(&s, "no_such_job", .kind = ORC_EVENT_FUSED, .job = 0, .attempt = 1,
                   .chain = {.count = 1, .jobs = {9}});
    script_refused(&s, "illegal_transition", .kind = ORC_EVENT_FUSED, .job = 0, .attempt = 1);
    script_end(&s);
}

TEST(jobs_that_are_no_chain_are_not_assigned_as_one) {
    struct script s;
    START(&s, "a", "b<a", "c<a");
    script_begin(&s);
    script_refused(&s, "not_a_chain", .kind = ORC_EVENT_ASSIGNED, .job = 0, .chain = {.count = 2, .jobs = {0, 1}});
    script_refused(&s, "not_a_chain", .kind = ORC_EVENT_ASSIGNED, .job = 0, .chain = {.count = 2, .jobs = {1, 2}});
    script_end(&s);
}

/* ---- a run that fails ---- */

TEST(a_run_that_fails_is_split_and_counts_as_no_try) {
    struct script s;
    START(&s, "a", "b<a", "c<b");
    script_begin(&s);
    run(&s, 0);
    split(&s, 0);
    expect_states(&s, ORC_JOB_READY, ORC_JOB_WAITING, ORC_JOB_WAITING);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 0), 1);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(s.execution->jobs[i].failures, 0);
        assert_true(s.execution->jobs[i].apart);
        assert_int_equal(length(&s, i), 1);
    }
    script_succeed(&s, 0);
    script_fail(&s, 1, ORC_FAILURE_INVALID_INPUT, "it was I");
    assert_int_equal(script_state(&s, 1), ORC_JOB_FAILED);
    assert_int_equal(script_state(&s, 2), ORC_JOB_SKIPPED);
    assert_int_equal(s.execution->jobs[0].fused_into, -1);
    assert_string_equal(s.execution->jobs[0].result, "ok");
    script_end(&s);
}

TEST(a_run_that_is_lost_or_given_back_is_offered_again_as_a_whole) {
    struct script s;
    START(&s, "a", "b<a", "c<b");
    script_begin(&s);
    run(&s, 0);
    script_do(&s, .kind = ORC_EVENT_LOST, .job = 0, .attempt = 1);
    expect_states(&s, ORC_JOB_READY, ORC_JOB_WAITING, ORC_JOB_WAITING);
    assert_int_equal(s.execution->jobs[1].attempt, 0);
    assert_true(orc_job_unstarted(s.execution, 1));
    assert_int_equal(length(&s, 0), 3);
    run(&s, 0);
    script_do(&s, .kind = ORC_EVENT_RETURNED, .job = 0, .attempt = 2);
    expect_states(&s, ORC_JOB_RETRYING, ORC_JOB_WAITING, ORC_JOB_WAITING);
    script_do(&s, .kind = ORC_EVENT_RETRY_DUE, .job = 0);
    assert_int_equal(length(&s, 0), 3);
    script_end(&s);
}

TEST(the_end_of_everything_stops_a_run_once) {
    struct script s;
    START(&s, "a", "b<a", "c<b");
    script_begin(&s);
    run(&s, 0);
    script_do(&s, .kind = ORC_EVENT_CANCEL, .message = "no more");
    expect_states(&s, ORC_JOB_CANCELLED, ORC_JOB_CANCELLED, ORC_JOB_CANCELLED);
    assert_int_equal(script_commands(&s, ORC_COMMAND_STOP, -1), 1);
    script_end(&s);
}

TEST(failing_fast_skips_what_had_joined_a_run) {
    struct script s;
    START(&s, "a", "b<a", "c<b", "x");
    fixture_mutable(s.execution->plan)->fail_fast = true;
    script_begin(&s);
    run(&s, 0);
    script_fail(&s, 3, ORC_FAILURE_INVALID_INPUT, "no");
    expect_states(&s, ORC_JOB_CANCELLED, ORC_JOB_SKIPPED, ORC_JOB_SKIPPED); /* as a restart would say */
    script_end(&s);
}

/* ---- plans that change ---- */

static struct orc_job_draft taker(const char *id, const char *const *from) {
    static const struct orc_input input = {.job = -1};
    return (struct orc_job_draft){.id = id,
                                  .output = "",
                                  .operation = &fixture_merge,
                                  .params = "",
                                  .inputs = &input,
                                  .input_jobs = from,
                                  .input_paths = from,
                                  .input_count = 1};
}

#define APPENDED(draft)                                                                                                \
    .kind = ORC_EVENT_APPENDED, .addition = &(struct orc_addition) {                                                   \
        .drafts = (draft), .count = 1, .size_bytes = 10                                                                \
    }

TEST(an_appended_job_that_wants_what_lies_between_stops_the_run) {
    struct script s;
    START(&s, "a", "b<a", "c<b");
    script_begin(&s);
    run(&s, 0);
    struct orc_job_draft draft = taker("d", (const char *const[]){"b"});
    script_do(&s, APPENDED(&draft));
    expect_states(&s, ORC_JOB_READY, ORC_JOB_WAITING, ORC_JOB_WAITING);
    assert_int_equal(script_commands(&s, ORC_COMMAND_STOP, 0), 1);
    assert_int_equal(script_commands(&s, ORC_COMMAND_DISPATCH, 0), 1);
    assert_int_equal(length(&s, 0), 2); /* to what is wanted twice, and no further */
    script_end(&s);
}

TEST(an_appended_job_that_wants_the_end_of_a_run_lets_it_go_on) {
    struct script s;
    START(&s, "a", "b<a", "c<b");
    script_begin(&s);
    run(&s, 0);
    struct orc_job_draft draft = taker("d", (const char *const[]){"c"});
    script_do(&s, APPENDED(&draft));
    expect_states(&s, ORC_JOB_RUNNING, ORC_JOB_RUNNING, ORC_JOB_RUNNING);
    script_end(&s);
}

TEST(what_was_not_kept_cannot_be_asked_for_later) {
    struct script s;
    START(&s, "a", "b<a", "x");
    script_begin(&s);
    run(&s, 0);
    fuse(&s, 0, 1);
    script_do(&s, .kind = ORC_EVENT_SUCCEEDED, .job = 1, .attempt = 1, .payload = "ok", .payload_size = 2);
    struct orc_job_draft draft = taker("d", (const char *const[]){"a"});
    script_refused(&s, "output_discarded", APPENDED(&draft));
    draft = taker("d", (const char *const[]){"b"});
    script_do(&s, APPENDED(&draft));
    assert_int_equal(script_state(&s, 3), ORC_JOB_READY);
    script_end(&s);
}

/* ---- the log ---- */

#define replay_do(s, ...)                                                                                              \
    do {                                                                                                               \
        struct cs_err replay_err = {0};                                                                                \
        struct orc_event replay_event = {__VA_ARGS__};                                                                 \
        assert_ok(orc_execution_replay((s)->execution, &replay_event, &replay_err), &replay_err);                      \
        orc_execution_check((s)->execution);                                                                           \
    } while (0)

TEST(the_log_of_a_run_says_who_has_its_result) {
    struct script s;
    START(&s, "a", "b<a", "c<b");
    script_begin(&s);
    replay_do(&s, .kind = ORC_EVENT_FUSED, .job = 0, .attempt = 1, .at_ms = 2010, .started_at_ms = 2000,
              .chain = {.count = 1, .jobs = {2}});
    replay_do(&s, .kind = ORC_EVENT_FUSED, .job = 1, .attempt = 1, .at_ms = 2010, .started_at_ms = 2000,
              .chain = {.count = 1, .jobs = {2}});
    replay_do(&s, .kind = ORC_EVENT_SUCCEEDED, .job = 2, .attempt = 1, .at_ms = 2010, .started_at_ms = 2000,
              .payload = "film", .payload_size = 4);
    assert_int_equal(s.execution->state, ORC_EXECUTION_COMPLETED);
    assert_int_equal(s.execution->jobs[1].fused_into, 2);
    assert_int_equal(s.execution->jobs[1].started_at_ms, 2000);
    script_end(&s);
}

TEST(the_log_remembers_that_jobs_are_done_one_by_one) {
    struct script s;
    START(&s, "a", "b<a", "c<b");
    script_begin(&s);
    replay_do(&s, .kind = ORC_EVENT_SPLIT, .job = 0, .attempt = 1, .at_ms = 2010, .started_at_ms = 2000,
              .chain = {.count = 3, .jobs = {0, 1, 2}});
    orc_execution_recovered(s.execution, s.now_ms, &s.commands);
    expect_states(&s, ORC_JOB_READY, ORC_JOB_WAITING, ORC_JOB_WAITING);
    assert_int_equal(length(&s, 0), 1);
    script_end(&s);
}

TEST(a_log_that_names_a_job_that_is_not_there_is_refused) {
    struct script s;
    START(&s, "a", "b<a");
    script_begin(&s);
    struct cs_err err = {0};
    struct orc_event event = {.kind = ORC_EVENT_SPLIT, .job = 0, .attempt = 1, .chain = {.count = 2, .jobs = {0, 99}}};
    assert_fails(orc_execution_replay(s.execution, &event, &err), &err, CS_DATA_LOSS, "bad_log");
    script_end(&s);
}

TEST_MAIN(CS_TEST(a_chain_goes_as_far_as_nobody_else_wants_what_lies_between),
          CS_TEST(what_nothing_can_go_on_with_is_the_last_of_its_chain),
          CS_TEST(whoever_waits_for_something_else_is_not_in_the_chain),
          CS_TEST(what_each_job_asks_for_itself_keeps_it_out_of_a_chain),
          CS_TEST(a_job_with_a_checkpoint_goes_on_alone), CS_TEST(a_run_has_a_limited_number_of_jobs),
          CS_TEST(all_jobs_of_a_run_are_running_under_one_fence_with_the_time_of_all),
          CS_TEST(a_run_that_succeeds_completes_all_and_the_last_has_the_result),
          CS_TEST(nothing_is_said_about_one_job_of_a_run), CS_TEST(jobs_that_are_no_chain_are_not_assigned_as_one),
          CS_TEST(a_run_that_fails_is_split_and_counts_as_no_try),
          CS_TEST(a_run_that_is_lost_or_given_back_is_offered_again_as_a_whole),
          CS_TEST(the_end_of_everything_stops_a_run_once), CS_TEST(failing_fast_skips_what_had_joined_a_run),
          CS_TEST(an_appended_job_that_wants_what_lies_between_stops_the_run),
          CS_TEST(an_appended_job_that_wants_the_end_of_a_run_lets_it_go_on),
          CS_TEST(what_was_not_kept_cannot_be_asked_for_later), CS_TEST(the_log_of_a_run_says_who_has_its_result),
          CS_TEST(the_log_remembers_that_jobs_are_done_one_by_one),
          CS_TEST(a_log_that_names_a_job_that_is_not_there_is_refused))
