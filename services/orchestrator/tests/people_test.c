/* People and programs in the loop: approvals and external jobs, over gRPC and with a real database. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word
#define JOB(word) CALLSHEET__V1__JOB_STATE__JOB_STATE_##word
#define APPROVAL(word) CALLSHEET__V1__APPROVAL_STATE__APPROVAL_STATE_##word
#define FAILURE(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

#define NOOP(id, more) "{'id':'" id "','operation':{'noop':{}}" more "}"
#define PLAN(jobs) "{'tenant':'acme','plan':{'jobs':[" jobs "]}}"
#define ASKED ",'requiresApproval':{'prompt':'looks good?'}"
#define ONE_ASKED PLAN(NOOP("a", ASKED))
#define WHOLE_ASKED "{'tenant':'acme','plan':{'jobs':[" NOOP("a", "") "]},'requiresApproval':{'prompt':'worth it?'}}"
#define EXTERNAL(more, after)                                                                                          \
    PLAN("{'id':'e','operation':{'external':{'name':'draw','data':'[1,2]'" more "}}" after "}")

/* ---- calls ---- */

static enum cs_status decide_at(struct cs_rpc_channel *channel, const char *id, const char *job, bool approve,
                                const char *by, struct cs_err *err) {
    Callsheet__V1__DecideApprovalRequest request = CALLSHEET__V1__DECIDE_APPROVAL_REQUEST__INIT;
    const struct cs_rpc_options options = {.timeout_ms = CS_TEST_PATIENCE_MS, .wait_for_ready = true};
    ProtobufCMessage *reply = NULL;
    request.tenant = "acme";
    request.execution_id = (char *)id;
    request.job_id = (char *)job;
    request.approve = approve;
    request.by = (char *)by;
    request.comment = "fine";
    CS_TRY(cs_rpc_invoke(channel, &callsheet__v1__orchestrator__descriptor, "DecideApproval", &request.base, &options,
                         &reply, err));
    cs_rpc_message_free(reply);
    return CS_OK;
}

static enum cs_status decide(struct world *world, const char *id, const char *job, bool approve, struct cs_err *err) {
    return decide_at(world->channel, id, job, approve, "ann", err);
}

static void approve(struct world *world, const char *id, const char *job) {
    struct cs_err err = {0};
    assert_ok(decide(world, id, job, true, &err), &err);
}

/* The job as soon as it is in that state. */
static const Callsheet__V1__JobStatus *await_job(struct world *world, const char *id, uint32_t job,
                                                 Callsheet__V1__JobState state) {
    int64_t until_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;
    for (;;) {
        const Callsheet__V1__Execution *execution = world_get(world, id);
        if (execution->jobs[job]->state == state) {
            return execution->jobs[job];
        }
        assert_true(cs_clock_mono_ms() < until_ms);
    }
}

/* ---- approvals of jobs ---- */

TEST(ex_001_e1_an_approval_is_answered_when_it_is_durable_and_says_who_and_why) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.automatic = true});
    world_start(&world);
    const char *id = world_create(&world, PLAN(NOOP("a", "") "," NOOP("b", ",'dependsOn':['a']" ASKED)));
    const Callsheet__V1__JobStatus *job = await_job(&world, id, 1, JOB(AWAITING_APPROVAL));
    assert_int_equal(job->approval->state, APPROVAL(AWAITED));
    assert_string_equal(job->approval->prompt, "looks good?");
    assert_string_equal(job->waiting->reason, "approval");
    assert_int_equal(world_stuck_count(&world), 0);
    struct watch *watch = watch_start(&world, "acme", id, false);
    assert_non_null(watch_next(watch));
    approve(&world, id, "b");
    assert_int_equal(world_events(&world, id, ORC_EVENT_APPROVED), 1);
    while (watch_next(watch) != NULL) {
    }
    assert_int_equal(watch_end(watch)->status, CS_OK);
    watch_stop(watch);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_int_equal(execution->jobs[1]->approval->state, APPROVAL(APPROVED));
    assert_string_equal(execution->jobs[1]->approval->by, "ann");
    assert_string_equal(execution->jobs[1]->approval->comment, "fine");
    assert_true(execution->jobs[1]->approval->decided_at_ms >= execution->created_at_ms);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_rejected_job_fails_with_what_depends_on_it) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    struct cs_err err = {0};
    const char *id = world_create(&world, PLAN(NOOP("a", ASKED) "," NOOP("b", ",'dependsOn':['a']")));
    assert_ok(decide(&world, id, "a", false, &err), &err);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(FAILED));
    assert_string_equal(execution->jobs[0]->error->code, "rejected");
    assert_int_equal(execution->jobs[0]->error->failure_class, FAILURE(CANCELLED));
    assert_string_equal(execution->jobs[0]->error->message, "Rejected by ann: fine");
    assert_int_equal(execution->jobs[1]->state, JOB(SKIPPED));
}

TEST(ex_001_what_does_not_await_an_approval_says_what_it_is) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    struct cs_err err = {0};
    const char *id = world_create(&world, PLAN(NOOP("a", ASKED) "," NOOP("b", "")));
    assert_fails(decide(&world, id, "b", true, &err), &err, CS_FAILED_PRECONDITION, "not_awaiting_approval");
    assert_non_null(strstr(err.message, "ready"));
    assert_fails(decide(&world, id, "", true, &err), &err, CS_FAILED_PRECONDITION, "not_awaiting_approval");
    assert_fails(decide(&world, id, "c", true, &err), &err, CS_NOT_FOUND, "no_such_job");
    assert_fails(decide(&world, "nosuchexecution000001", "a", true, &err), &err, CS_NOT_FOUND, "no_such_execution");
    assert_fails(decide_at(world.channel, id, "a", true, "deadline", &err), &err, CS_INVALID_ARGUMENT, "bad_by");
    const Callsheet__V1__Execution *execution = NULL;
    assert_ok(world_try_cancel(&world, "acme", id, "", &execution, &err), &err);
    assert_fails(decide(&world, id, "a", true, &err), &err, CS_FAILED_PRECONDITION, "not_awaiting_approval");
    assert_non_null(strstr(err.message, "cancelled"));
    assert_int_equal(world_events(&world, id, ORC_EVENT_APPROVED), 0);
}

/* ---- two at once ---- */

struct racer {
    pthread_t thread;
    struct cs_rpc_channel *channel;
    const char *id;
    const char *job;
    bool approve;
    pthread_barrier_t *start;
    struct cs_err err;
    enum cs_status status;
};

static void *race(void *arg) {
    struct racer *racer = arg;
    (void)pthread_barrier_wait(racer->start);
    racer->status = decide_at(racer->channel, racer->id, racer->job, racer->approve, "racer", &racer->err);
    return NULL;
}

static struct cs_rpc_channel *channel_to(struct world *world, const char *address) {
    const struct cs_rpc_channel_config config = {.target = address, .authorization = "Bearer ", .own_connection = true};
    struct cs_rpc_channel *channel = NULL;
    struct cs_err err = {0};
    assert_ok(cs_rpc_channel_create(world->rpc, &config, &channel, &err), &err);
    return channel;
}

/* Exactly one of them decided it. */
static void race_once(struct racer racers[2], const char *id, const char *job) {
    pthread_barrier_t start;
    (void)pthread_barrier_init(&start, NULL, 2);
    for (int i = 0; i < 2; i++) {
        racers[i].id = id;
        racers[i].job = job;
        racers[i].start = &start;
        racers[i].err = (struct cs_err){0};
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        (void)pthread_join(racers[i].thread, NULL);
    }
    (void)pthread_barrier_destroy(&start);
    int winner = racers[0].status == CS_OK ? 0 : 1;
    assert_ok(racers[winner].status, &racers[winner].err);
    assert_fails(racers[1 - winner].status, &racers[1 - winner].err, CS_FAILED_PRECONDITION, "not_awaiting_approval");
}

static void race_100_times(struct world *world, const char *first, const char *second) {
    struct racer racers[2] = {{.channel = channel_to(world, first)}, {.channel = channel_to(world, second)}};
    for (int i = 0; i < 100; i++) {
        bool whole = i % 2 == 0;
        racers[0].approve = i % 3 != 0;
        racers[1].approve = i % 5 != 0;
        const char *id = world_create(world, whole ? WHOLE_ASKED : ONE_ASKED);
        race_once(racers, id, whole ? "" : "a");
        assert_int_equal(world_events(world, id, ORC_EVENT_APPROVED) + world_events(world, id, ORC_EVENT_REJECTED), 1);
    }
    cs_rpc_channel_destroy(racers[0].channel);
    cs_rpc_channel_destroy(racers[1].channel);
}

TEST(ex_002_e1_of_two_decisions_at_once_exactly_one_wins) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    race_100_times(&world, world.address, world.address);
    assert_int_equal(world_stuck_count(&world), 0);
}

TEST(ex_002_e1_of_two_decisions_at_two_replicas_exactly_one_wins) {
    AUTO_WORLD world = {0};
    struct cs_test_program other;
    world_open(&world, NULL);
    world.config.replica = "";
    world_start_program(&world);
    world_start_second(&world, "", &other);
    race_100_times(&world, world.address, other.address);
    cs_test_program_fini(&other);
}

/* ---- the whole, deadlines ---- */

TEST(ta_020_ex_005_ex_013_an_execution_that_asks_for_it_waits_to_be_approved_and_others_start) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.automatic = true});
    world_start(&world);
    const char *id = world_create(&world, WHOLE_ASKED);
    const Callsheet__V1__Execution *execution = world_get(&world, id);
    assert_int_equal(execution->state, STATE(PENDING));
    assert_int_equal(execution->approval->state, APPROVAL(AWAITED));
    assert_string_equal(execution->approval->prompt, "worth it?");
    assert_int_equal(execution->jobs[0]->state, JOB(WAITING));
    assert_string_equal(execution->jobs[0]->waiting->reason, "approval");
    assert_int_equal(scripted_assigned(worker), 0);
    const char *other = world_create(&world, PLAN(NOOP("a", "")));
    assert_int_equal(world_await(&world, other)->state, STATE(COMPLETED));
    assert_int_equal(scripted_assigned(worker), 1);
    assert_int_equal(world_get(&world, id)->state, STATE(PENDING));
    approve(&world, id, "");
    execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_int_equal(execution->approval->state, APPROVAL(APPROVED));
    assert_int_equal(scripted_assigned(worker), 2);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(an_execution_that_is_rejected_fails) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    struct cs_err err = {0};
    const char *id = world_create(&world, WHOLE_ASKED);
    assert_ok(decide(&world, id, "", false, &err), &err);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(FAILED));
    assert_string_equal(execution->error, "Execution rejected by ann: fine");
    assert_int_equal(execution->jobs[0]->state, JOB(CANCELLED));
}

TEST(no_answer_in_time_means_what_the_plan_says) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.automatic = true});
    world_start(&world);
    const char *yes =
        world_create(&world, PLAN(NOOP("a", ",'requiresApproval':{'timeoutMs':50,'onTimeout':'approve'}")));
    const char *no =
        world_create(&world, "{'tenant':'acme','plan':{'jobs':[" NOOP("a", "") "]},"
                                                                               "'requiresApproval':{'timeoutMs':50}}");
    const Callsheet__V1__Execution *execution = world_await(&world, yes);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_string_equal(execution->jobs[0]->approval->by, "deadline");
    execution = world_await(&world, no);
    assert_int_equal(execution->state, STATE(FAILED));
    assert_string_equal(execution->error, "Execution rejected: nobody approved it in time");
    assert_int_equal(execution->approval->state, APPROVAL(REJECTED));
    world_stop(&world);
    scripted_stop(worker);
}

/* ---- crashes ---- */

TEST(ex_007_a_decision_that_is_durable_survives_the_death_of_who_answers) {
    AUTO_WORLD world = {0};
    struct cs_err err = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.automatic = true});
    world.config.crash_at = "orchestrator.after_commit:2"; /* the first is that of the creation */
    world_start_program(&world);
    const char *id = world_create(&world, ONE_ASKED);
    assert_int_not_equal(decide(&world, id, "a", true, &err), CS_OK); /* no answer came */
    world_kill_program(&world);
    world.config.crash_at = NULL;
    world_start_program(&world);
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));
    assert_int_equal(world_events(&world, id, ORC_EVENT_APPROVED), 1);
    assert_fails(decide(&world, id, "a", false, &err), &err, CS_FAILED_PRECONDITION, "not_awaiting_approval");
    assert_int_equal(world_stop_program(&world), 0);
    scripted_stop(worker);
}

TEST(ex_007_a_decision_that_is_not_durable_can_be_made_again) {
    AUTO_WORLD world = {0};
    struct cs_err err = {0};
    world_open(&world, NULL);
    world.config.crash_at = "orchestrator.before_commit:2";
    world_start_program(&world);
    const char *id = world_create(&world, ONE_ASKED);
    assert_int_not_equal(decide(&world, id, "a", true, &err), CS_OK);
    world_kill_program(&world);
    world.config.crash_at = NULL;
    world_start_program(&world);
    assert_int_equal(await_job(&world, id, 0, JOB(AWAITING_APPROVAL))->approval->state, APPROVAL(AWAITED));
    approve(&world, id, "a");
    assert_int_equal(await_job(&world, id, 0, JOB(READY))->approval->state, APPROVAL(APPROVED));
    assert_int_equal(world_stop_program(&world), 0);
}

/* ---- external jobs ---- */

static enum cs_status report(struct world *world, Callsheet__V1__ReportExternalRequest *request, const char *token,
                             const Callsheet__V1__Execution **ret_execution, struct cs_err *err) {
    const ProtobufCMessage *reply = NULL;
    request->token = (char *)token;
    CS_TRY(world_try(world, "ReportExternal", &request->base, &reply, err));
    if (ret_execution != NULL) {
        *ret_execution = (const Callsheet__V1__Execution *)reply;
    }
    return CS_OK;
}

static enum cs_status complete(struct world *world, const char *token, const char *data, const char *url,
                               struct cs_err *err) {
    Callsheet__V1__ReportExternalRequest request = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__INIT;
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    Callsheet__V1__Artifact artifact = CALLSHEET__V1__ARTIFACT__INIT;
    Callsheet__V1__Artifact *outputs[] = {&artifact};
    artifact.url = (char *)url;
    artifact.key = "acme/stolen"; /* not for them to say */
    succeeded.data = (char *)data;
    succeeded.n_outputs = url != NULL ? 1 : 0;
    succeeded.outputs = outputs;
    request.report_case = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_SUCCEEDED;
    request.succeeded = &succeeded;
    return report(world, &request, token, NULL, err);
}

static enum cs_status say_failed(struct world *world, const char *token, Callsheet__V1__FailureClass failure_class,
                                 const char *message, struct cs_err *err) {
    Callsheet__V1__ReportExternalRequest request = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__INIT;
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    failed.failure_class = failure_class;
    failed.message = (char *)message;
    request.report_case = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_FAILED;
    request.failed = &failed;
    return report(world, &request, token, NULL, err);
}

static enum cs_status heartbeat(struct world *world, const char *token, double fraction, struct cs_err *err) {
    Callsheet__V1__ReportExternalRequest request = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__INIT;
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    progress.stage = "drawing";
    progress.fraction = fraction;
    request.report_case = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_PROGRESS;
    request.progress = &progress;
    return report(world, &request, token, NULL, err);
}

static const char *token_of(struct world *world, const char *id) {
    const Callsheet__V1__JobStatus *job = await_job(world, id, 0, JOB(RUNNING));
    assert_true(strlen(job->external->token) > 64);
    return job->external->token;
}

TEST(an_external_job_runs_without_a_worker_and_is_completed_with_its_token) {
    AUTO_WORLD world = {0};
    struct cs_err err = {0};
    world_open(&world, NULL);
    world_start(&world);
    const char *id = world_create(&world, EXTERNAL("", ""));
    const char *token = token_of(&world, id);
    const Callsheet__V1__JobStatus *job = world_get(&world, id)->jobs[0];
    assert_string_equal(job->external->name, "draw");
    assert_string_equal(job->external->data, "[1,2]");
    assert_string_equal(job->waiting->reason, "external");
    assert_int_equal(world_events(&world, id, ORC_EVENT_STARTED), 1);
    assert_int_equal(world_stuck_count(&world), 0);
    assert_fails(complete(&world, token, "{", NULL, &err), &err, CS_INVALID_ARGUMENT, "bad_json");
    assert_fails(complete(&world, token, "", "https://example.com/a.png", &err), &err, CS_INVALID_ARGUMENT,
                 "type_mismatch");
    assert_ok(complete(&world, token, "{\"ok\":true}", NULL, &err), &err);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_string_equal(execution->jobs[0]->external->result, "{\"ok\":true}");
    assert_string_equal(execution->jobs[0]->external->token, "");
    /* the same again, from the row of an execution that is closed; and something else */
    assert_ok(complete(&world, token, "{\"ok\":true}", NULL, &err), &err);
    assert_fails(complete(&world, token, "{\"ok\":false}", NULL, &err), &err, CS_FAILED_PRECONDITION, "already_ended");
    assert_fails(say_failed(&world, token, FAILURE(INTERNAL), "", &err), &err, CS_FAILED_PRECONDITION, "already_ended");
    assert_fails(heartbeat(&world, token, 0.5, &err), &err, CS_FAILED_PRECONDITION, "already_ended");
    assert_int_equal(world_events(&world, id, ORC_EVENT_SUCCEEDED), 1);
}

TEST(an_url_that_an_external_job_gave_is_fetched_by_the_job_that_needs_it) {
    static const char *const reframe[] = {"reframe"};
    AUTO_WORLD world = {0};
    struct cs_err err = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker =
        world_worker(&world, (struct scripted_config){.operations = reframe, .operation_count = 1});
    world_start(&world);
    const char *id =
        world_create(&world, PLAN("{'id':'e','operation':{'external':{'name':'film','output':'video'}}},"
                                  "{'id':'r','operation':{'reframe':{'video':{'job':'e'},'aspectRatio':'9:16'}}}"));
    const char *token = token_of(&world, id);
    assert_ok(complete(&world, token, "", "https://example.com/a.mp4", &err), &err);
    assert_ok(complete(&world, token, "", "https://example.com/a.mp4", &err), &err); /* still in memory */
    CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
    const Callsheet__V1__Assign *assign = assigned->command->assign;
    assert_int_equal(assign->n_inputs, 1);
    assert_int_equal(assign->inputs[0]->source_case, CALLSHEET__V1__RESOLVED_INPUT__SOURCE_URL);
    assert_string_equal(assign->inputs[0]->url, "https://example.com/a.mp4");
    scripted_succeed(assigned);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_string_equal(execution->jobs[0]->outputs[0]->url, "https://example.com/a.mp4");
    assert_string_equal(execution->jobs[0]->outputs[0]->key, "");
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_token_that_is_wrong_or_old_learns_nothing) {
    AUTO_WORLD world = {0};
    struct cs_err err = {0};
    world_open(&world, NULL);
    world_start(&world);
    const char *id = world_create(&world, EXTERNAL("", ",'retry':{'attempts':3,'baseMs':1,'capMs':1}"));
    const char *token = token_of(&world, id);
    char other[512];
    cs_str_copy(other, sizeof(other), token);
    char *mac = strrchr(other, '.') - 1;
    *mac = *mac == 'a' ? 'b' : 'a';
    assert_fails(complete(&world, other, "", NULL, &err), &err, CS_NOT_FOUND, "no_such_work");
    assert_fails(complete(&world, "", "", NULL, &err), &err, CS_NOT_FOUND, "no_such_work");
    assert_fails(complete(&world, "ext.acme.x.1.00.e", "", NULL, &err), &err, CS_NOT_FOUND, "no_such_work");
    assert_ok(say_failed(&world, token, FAILURE(TRANSIENT), "no ink", &err), &err);
    await_job(&world, id, 0, JOB(RUNNING));
    const char *next = token_of(&world, id);
    assert_string_not_equal(token, next);
    assert_fails(complete(&world, token, "", NULL, &err), &err, CS_NOT_FOUND, "no_such_work");
    assert_ok(say_failed(&world, next, FAILURE(INVALID_INPUT), "cannot be drawn", &err), &err);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(FAILED));
    assert_string_equal(execution->jobs[0]->error->message, "cannot be drawn");
    assert_ok(say_failed(&world, next, FAILURE(INVALID_INPUT), "cannot be drawn", &err), &err);
    assert_fails(complete(&world, next, "", NULL, &err), &err, CS_FAILED_PRECONDITION, "already_ended");
}

TEST(ex_008_heartbeats_show_progress_that_never_falls_and_silence_fails_the_attempt) {
    AUTO_WORLD world = {0};
    struct cs_err err = {0};
    world_open(&world, NULL);
    world_start(&world);
    const char *id = world_create(&world, EXTERNAL(",'heartbeatTimeoutMs':1000", ",'retry':{'attempts':1}"));
    const char *token = token_of(&world, id);
    assert_ok(heartbeat(&world, token, 0.5, &err), &err);
    assert_ok(heartbeat(&world, token, 0.25, &err), &err);
    const Callsheet__V1__JobStatus *job = world_get(&world, id)->jobs[0];
    assert_true(job->progress->fraction == 0.5);
    assert_string_equal(job->progress->stage, "drawing");
    assert_true(job->external->silent_at_ms > 0);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->jobs[0]->error->failure_class, FAILURE(TIMEOUT));
    assert_string_equal(execution->jobs[0]->error->code, "external_silent");
}

TEST(e14_cancelling_ends_external_work) {
    AUTO_WORLD world = {0};
    struct cs_err err = {0};
    const Callsheet__V1__Execution *execution = NULL;
    world_open(&world, NULL);
    world_start(&world);
    const char *id = world_create(&world, EXTERNAL("", ""));
    const char *token = token_of(&world, id);
    assert_ok(world_try_cancel(&world, "acme", id, "", &execution, &err), &err);
    assert_int_equal(execution->jobs[0]->state, JOB(CANCELLED));
    assert_fails(complete(&world, token, "", NULL, &err), &err, CS_FAILED_PRECONDITION, "already_ended");
}

TEST(ex_007_a_token_is_good_after_a_crash_and_at_another_replica) {
    AUTO_WORLD world = {0};
    struct cs_err err = {0};
    struct cs_test_program other;
    world_open(&world, NULL);
    world.config.replica = "one";
    world_start_program(&world);
    const char *id = world_create(&world, EXTERNAL("", ""));
    const char *token = token_of(&world, id);
    world_kill_program(&world);
    world_start_program(&world);
    assert_string_equal(token_of(&world, id), token);
    assert_int_equal(world_get(&world, id)->jobs[0]->attempt, 1);
    world_start_second(&world, "two", &other);
    world_go_to(&world, other.address);
    assert_ok(complete(&world, token, "7", NULL, &err), &err); /* sent on to the owner */
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));
    assert_int_equal(world_events(&world, id, ORC_EVENT_STARTED), 1);
    cs_test_program_fini(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(ex_001_e1_an_approval_is_answered_when_it_is_durable_and_says_who_and_why),
        CS_TEST(a_rejected_job_fails_with_what_depends_on_it),
        CS_TEST(ex_001_what_does_not_await_an_approval_says_what_it_is),
        CS_TEST(ex_002_e1_of_two_decisions_at_once_exactly_one_wins),
        CS_TEST(ex_002_e1_of_two_decisions_at_two_replicas_exactly_one_wins),
        CS_TEST(ta_020_ex_005_ex_013_an_execution_that_asks_for_it_waits_to_be_approved_and_others_start),
        CS_TEST(an_execution_that_is_rejected_fails),
        CS_TEST(no_answer_in_time_means_what_the_plan_says),
        CS_TEST(ex_007_a_decision_that_is_durable_survives_the_death_of_who_answers),
        CS_TEST(ex_007_a_decision_that_is_not_durable_can_be_made_again),
        CS_TEST(an_external_job_runs_without_a_worker_and_is_completed_with_its_token),
        CS_TEST(an_url_that_an_external_job_gave_is_fetched_by_the_job_that_needs_it),
        CS_TEST(a_token_that_is_wrong_or_old_learns_nothing),
        CS_TEST(ex_008_heartbeats_show_progress_that_never_falls_and_silence_fails_the_attempt),
        CS_TEST(e14_cancelling_ends_external_work),
        CS_TEST(ex_007_a_token_is_good_after_a_crash_and_at_another_replica),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
