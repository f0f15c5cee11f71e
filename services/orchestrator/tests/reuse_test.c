/* Executions that build on others: with a base, a retry, a rerun. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "peek_sql.h"
#include "world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word
#define JOB(word) CALLSHEET__V1__JOB_STATE__JOB_STATE_##word
#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

#define NOOP(id) "{'id':'" id "','operation':{'noop':{}}}"
#define AFTER(id, on) "{'id':'" id "','operation':{'noop':{}},'dependsOn':[" on "]}"
#define FOX "{'id':'g','operation':{'generateVideo':{'prompt':'a fox','provider':'local'}}}"
#define CAT "{'id':'g','operation':{'generateVideo':{'prompt':'a cat','provider':'local'}}}"
#define TALL "{'id':'r','operation':{'reframe':{'video':{'job':'g'},'aspectRatio':'9:16'}}}"
#define PLAN(jobs) "{'tenant':'acme','plan':{'jobs':[" jobs "]}}"

static const char *const everything[] = {"generateVideo", "generateAudio", "reframe", "lipSync", "noop"};
#define EVERYTHING .operations = everything, .operation_count = CS_COUNT(everything), .slots = 64

static const struct cs_pg_statement execution_delete = CS_PG_STATEMENT(execution_delete, "text", "");

struct place {
    struct world world;
    struct scripted_worker *worker;
};

static void place_close(struct place *place) {
    if (place->world.app != NULL) {
        world_stop(&place->world);
    }
    scripted_stop(place->worker);
    world_close(&place->world);
}
#define AUTO_PLACE __attribute__((cleanup(place_close))) struct place

static void place_open(struct place *place, bool automatic) {
    world_open(&place->world, NULL);
    place->worker = world_worker(&place->world, (struct scripted_config){EVERYTHING, .automatic = automatic});
    world_start(&place->world);
}

static Callsheet__V1__CreateExecutionRequest *on_base(struct world *world, const char *plan, const char *base) {
    Callsheet__V1__CreateExecutionRequest *request = request_from(plan, world->arena);
    request->base_execution_id = (char *)base;
    return request;
}

static const char *create_on(struct world *world, const char *plan, const char *base) {
    const Callsheet__V1__CreateExecutionReply *reply = NULL;
    struct cs_err err = {0};
    assert_ok(world_try_create(world, on_base(world, plan, base), &reply, &err), &err);
    return reply->execution_id;
}

/* The next assignment must be of that job. */
static struct heard *take(struct place *place, const char *job) {
    struct heard *assigned = scripted_take(place->worker, HEARD_ASSIGN);
    assert_string_equal(assigned->command->assign->job, job);
    return assigned;
}

static void succeed(struct place *place, const char *job) {
    CS_AUTO(heard) *assigned = take(place, job);
    scripted_succeed(assigned);
}

static void fail_job(struct place *place, const char *job) {
    CS_AUTO(heard) *assigned = take(place, job);
    scripted_fail(assigned, CLASS(INVALID_INPUT), "boom", 0);
}

static const Callsheet__V1__Execution *await(struct place *place, const char *id, Callsheet__V1__ExecutionState state) {
    const Callsheet__V1__Execution *execution = world_await(&place->world, id);
    assert_int_equal(execution->state, state);
    return execution;
}

static const char *run(struct place *place, const char *plan) {
    const char *id = world_create(&place->world, plan);
    (void)await(place, id, STATE(COMPLETED));
    return id;
}

static void assert_reused(const Callsheet__V1__JobStatus *job, const char *execution, const char *source,
                          const char *reason) {
    assert_int_equal(job->state, JOB(COMPLETED));
    assert_int_equal(job->attempt, 0);
    assert_non_null(job->reused);
    assert_string_equal(job->reused->execution_id, execution);
    assert_string_equal(job->reused->job_id, source);
    assert_string_equal(job->reused->reason, reason);
}

static void assert_ran(const Callsheet__V1__JobStatus *job) {
    assert_int_equal(job->state, JOB(COMPLETED));
    assert_null(job->reused);
    assert_true(job->attempt > 0);
}

/* ---- a base that has completed ---- */

TEST(sy_055_sy_058_sy_059_a_reference_job_is_not_executed_and_gives_the_bases_output) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *base = world_create(&place.world, PLAN(FOX "," TALL));
    succeed(&place, "g");
    succeed(&place, "r");
    const Callsheet__V1__Execution *done = await(&place, base, STATE(COMPLETED));
    const char *id = create_on(
        &place.world, PLAN(FOX ",{'id':'s','operation':{'reframe':{'video':{'job':'g'},'aspectRatio':'1:1'}}}"), base);
    CS_AUTO(heard) *assigned = take(&place, "s");
    assert_string_equal(assigned->command->assign->inputs[0]->artifact->key, done->jobs[0]->outputs[0]->key);
    const Callsheet__V1__Execution *execution = world_get(&place.world, id);
    assert_int_equal(execution->n_jobs, 2);
    assert_reused(execution->jobs[0], base, "g", "base");
    assert_string_equal(execution->jobs[0]->outputs[0]->key, done->jobs[0]->outputs[0]->key);
    assert_string_equal(execution->links->base_execution_id, base);
    scripted_succeed(assigned);
    execution = await(&place, id, STATE(COMPLETED));
    assert_string_equal(execution->result_job_id, "s");
    assert_int_equal(world_events(&place.world, id, ORC_EVENT_REUSED), 1);
    assert_int_equal(world_events(&place.world, id, ORC_EVENT_SUCCEEDED), 1);
}

TEST(w17_a_job_of_the_same_id_with_other_params_runs_and_so_does_what_uses_it) {
    AUTO_PLACE place = {0};
    place_open(&place, true);
    const char *base = run(&place, PLAN(FOX "," TALL));
    const char *id = create_on(&place.world, PLAN(CAT "," TALL), base);
    const Callsheet__V1__Execution *execution = await(&place, id, STATE(COMPLETED));
    assert_ran(execution->jobs[0]);
    assert_ran(execution->jobs[1]); /* alike by itself, but it means another g */
    const char *same = create_on(&place.world, PLAN(FOX "," TALL), base);
    execution = await(&place, same, STATE(COMPLETED));
    assert_reused(execution->jobs[0], base, "g", "base");
    assert_reused(execution->jobs[1], base, "r", "base");
    assert_string_equal(execution->result_job_id, "r");
}

TEST(w17_a_job_of_the_same_id_and_another_operation_runs) {
    AUTO_PLACE place = {0};
    place_open(&place, true);
    const char *base = run(&place, PLAN(FOX));
    const char *id = create_on(&place.world, PLAN(NOOP("g")), base);
    assert_ran(await(&place, id, STATE(COMPLETED))->jobs[0]);
}

TEST(sy_058_what_a_job_only_waits_for_makes_it_no_other_job) {
    AUTO_PLACE place = {0};
    place_open(&place, true);
    const char *base = run(&place, PLAN(NOOP("a") "," AFTER("b", "'a'")));
    const char *id = create_on(&place.world, PLAN(CAT "," AFTER("b", "'g'")), base);
    const Callsheet__V1__Execution *execution = await(&place, id, STATE(COMPLETED));
    assert_ran(execution->jobs[0]);
    assert_reused(execution->jobs[1], base, "b", "base");
}

TEST(sy_060_w16_a_job_with_own_and_base_dependencies_gets_both) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *base = world_create(&place.world, PLAN(FOX "," TALL));
    succeed(&place, "g");
    succeed(&place, "r");
    const Callsheet__V1__Execution *done = await(&place, base, STATE(COMPLETED));
    const char *id = create_on(
        &place.world,
        PLAN("{'id':'v','operation':{'generateAudio':{'text':'hi','provider':'local'}}},"
             "{'id':'l','operation':{'lipSync':{'video':{'job':'r'},'audio':{'job':'v'}}},'dependsOn':['g']}"),
        base);
    succeed(&place, "v");
    CS_AUTO(heard) *assigned = take(&place, "l");
    assert_string_equal(assigned->command->assign->inputs[0]->artifact->key, done->jobs[1]->outputs[0]->key);
    assert_non_null(strstr(assigned->command->assign->inputs[1]->artifact->key, id));
    const Callsheet__V1__Execution *execution = world_get(&place.world, id);
    assert_int_equal(execution->n_jobs, 2); /* what was fetched from the base is no job of the client's */
    assert_int_equal(execution->jobs[1]->n_depends_on, 3);
    scripted_succeed(assigned);
    (void)await(&place, id, STATE(COMPLETED));
}

TEST(sy_060_an_own_id_wins) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *base = world_create(&place.world, PLAN(FOX));
    succeed(&place, "g");
    (void)await(&place, base, STATE(COMPLETED));
    const char *id = create_on(&place.world, PLAN(CAT "," TALL), base);
    succeed(&place, "g");
    CS_AUTO(heard) *assigned = take(&place, "r");
    assert_non_null(strstr(assigned->command->assign->inputs[0]->artifact->key, id));
}

TEST(sy_061_a_job_without_dependencies_takes_the_bases_final_output) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *base = world_create(&place.world, PLAN(FOX "," TALL));
    succeed(&place, "g");
    succeed(&place, "r");
    const Callsheet__V1__Execution *done = await(&place, base, STATE(COMPLETED));
    /* with the id of a job of the base, as SDKs number them */
    const char *id = create_on(&place.world, PLAN("{'id':'r','operation':{'reframe':{'aspectRatio':'1:1'}}}"), base);
    CS_AUTO(heard) *assigned = take(&place, "r");
    assert_string_equal(assigned->command->assign->inputs[0]->artifact->key, done->jobs[1]->outputs[0]->key);
    scripted_succeed(assigned);
    assert_ran(await(&place, id, STATE(COMPLETED))->jobs[0]);
}

/* ---- a base that is missing, or has not completed ---- */

static void assert_refused(struct place *place, const char *plan, const char *base, enum cs_status status,
                           const char *reason, const char *message) {
    const Callsheet__V1__CreateExecutionReply *reply = NULL;
    struct cs_err err = {0};
    int64_t before = world_count(&place->world).executions;
    assert_int_equal(world_try_create(&place->world, on_base(&place->world, plan, base), &reply, &err), status);
    assert_string_equal(err.reason, reason);
    if (message != NULL) {
        assert_string_equal(err.message, message);
    }
    assert_int_equal(world_count(&place->world).executions, before);
}

TEST(sy_056_a_base_that_is_missing_or_anothers_is_not_found) {
    AUTO_PLACE place = {0};
    place_open(&place, true);
    assert_refused(&place, PLAN(NOOP("a")), "0123456789abcdefghijk", CS_NOT_FOUND, "base_not_found",
                   "Base execution not found: 0123456789abcdefghijk");
    assert_refused(&place, PLAN(NOOP("a")), "no/id", CS_NOT_FOUND, "base_not_found", "Base execution not found: no/id");
    const char *other = world_create(&place.world, "{'tenant':'other','plan':{'jobs':[]}}");
    assert_refused(&place, PLAN(NOOP("a")), other, CS_NOT_FOUND, "base_not_found", NULL);
}

TEST(sy_057_a_base_that_has_failed_or_was_cancelled_is_refused) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *failed = world_create(&place.world, PLAN(NOOP("a")));
    fail_job(&place, "a");
    (void)await(&place, failed, STATE(FAILED));
    char message[128];
    (void)snprintf(message, sizeof(message), "Base execution not completed: %s (failed)", failed);
    assert_refused(&place, PLAN(NOOP("b")), failed, CS_FAILED_PRECONDITION, "base_not_completed", message);
    const char *cancelled = world_create(&place.world, PLAN(NOOP("a")));
    const Callsheet__V1__Execution *execution = NULL;
    struct cs_err err = {0};
    assert_ok(world_try_cancel(&place.world, "acme", cancelled, "", &execution, &err), &err);
    (void)snprintf(message, sizeof(message), "Base execution not completed: %s (cancelled)", cancelled);
    assert_refused(&place, PLAN(NOOP("b")), cancelled, CS_FAILED_PRECONDITION, "base_not_completed", message);
}

TEST(sy_060_what_neither_plan_nor_base_has_is_refused_and_types_are_checked) {
    AUTO_PLACE place = {0};
    place_open(&place, true);
    const char *base = run(&place, PLAN("{'id':'v','operation':{'generateAudio':{'text':'hi','provider':'local'}}}"));
    assert_refused(&place, PLAN(AFTER("a", "'nobody'")), base, CS_INVALID_ARGUMENT, "unknown_dependency", NULL);
    assert_refused(&place, PLAN("{'id':'r','operation':{'reframe':{'video':{'job':'v'},'aspectRatio':'1:1'}}}"), base,
                   CS_INVALID_ARGUMENT, "type_mismatch", NULL);
    assert_refused(&place, PLAN("{'id':'r','operation':{'reframe':{'aspectRatio':'1:1'}}}"), base, CS_INVALID_ARGUMENT,
                   "type_mismatch", NULL);
}

TEST(internal_fields_are_not_for_clients) {
    AUTO_PLACE place = {0};
    place_open(&place, true);
    static const struct {
        const char *request;
        const char *reason;
        const char *path;
    } cases[] = {
        {"{'tenant':'acme','plan':{'jobs':[]},'retryOf':'x'}", "internal_field", "retryOf"},
        {"{'tenant':'acme','plan':{'jobs':[]},'rerunOf':'x'}", "internal_field", "rerunOf"},
        {PLAN("{'id':'a','reference':true,'operation':{'noop':{}}}"), "internal_field", "jobs[0].reference"},
        {PLAN("{'id':'a','operation':{'import':{}}}"), "operation_not_allowed", "jobs[0].operation"},
        {PLAN("{'id':'r','operation':{'reframe':{'video':{'job':'$base'},'aspectRatio':'1:1'}}}"), "unknown_dependency",
         "jobs[0].params.video"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const Callsheet__V1__CreateExecutionReply *reply = NULL;
        struct cs_err err = {0};
        Callsheet__V1__CreateExecutionRequest *request = request_from(cases[i].request, place.world.arena);
        assert_int_equal(world_try_create(&place.world, request, &reply, &err), CS_INVALID_ARGUMENT);
        assert_string_equal(err.reason, cases[i].reason);
        assert_string_equal(err.path, cases[i].path);
    }
}

/* ---- a base that runs ---- */

TEST(sy_057_w16_what_needs_a_running_base_waits_for_its_end) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *base = world_create(&place.world, PLAN(FOX "," TALL));
    CS_AUTO(heard) *g = take(&place, "g");
    const char *id = create_on(&place.world,
                               PLAN(FOX ",{'id':'s','operation':{'reframe':{'video':{'job':'g'},'aspectRatio':'1:1'}}},"
                                        "{'id':'t','operation':{'reframe':{'aspectRatio':'4:5'}}}," AFTER("u", "'r'")),
                               base);
    const Callsheet__V1__Execution *execution = world_get(&place.world, id);
    assert_int_equal(execution->n_jobs, 4);
    assert_int_equal(execution->jobs[0]->state, JOB(READY));
    assert_string_equal(execution->jobs[0]->waiting->reason, "base");
    assert_int_equal(execution->jobs[3]->state, JOB(WAITING));
    scripted_succeed(g);
    CS_AUTO(heard) *r = take(&place, "r");
    assert_null(scripted_poll(place.worker, HEARD_ASSIGN)); /* the end of a job of the base is not the base's */
    scripted_succeed(r);
    bool seen[3] = {0};
    for (int i = 0; i < 3; i++) {
        CS_AUTO(heard) *assigned = scripted_take(place.worker, HEARD_ASSIGN);
        assert_string_equal(assigned->command->assign->execution, id);
        seen[assigned->command->assign->job[0] - 's'] = true;
        scripted_succeed(assigned);
    }
    assert_true(seen[0] && seen[1] && seen[2]);
    execution = await(&place, id, STATE(COMPLETED));
    assert_reused(execution->jobs[0], base, "g", "base");
    assert_int_equal(world_stuck_count(&place.world), 0);
}

TEST(sy_058_a_map_waits_for_a_running_base_instead_of_making_its_jobs_again) {
    static const char map[] = PLAN("{'id':'m','operation':{'map':{'items':['1'],'job':"
                                   "'{\\\"operation\\\":{\\\"noop\\\":{}}}'}}}");
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *base = world_create(&place.world, map);
    CS_AUTO(heard) *item = take(&place, "m.0");
    const char *id = create_on(&place.world, map, base);
    scripted_succeed(item);
    (void)await(&place, base, STATE(COMPLETED));
    const Callsheet__V1__Execution *execution = await(&place, id, STATE(COMPLETED));
    assert_int_equal(execution->n_jobs, 1);
    assert_reused(execution->jobs[0], base, "m", "base");
}

TEST(sy_057_when_a_running_base_fails_what_waits_for_it_fails_and_says_why) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *base = world_create(&place.world, PLAN(NOOP("a")));
    CS_AUTO(heard) *a = take(&place, "a");
    const char *uses = create_on(&place.world, PLAN(AFTER("b", "'a'")), base);
    const char *is = create_on(&place.world, PLAN(NOOP("a")), base);
    scripted_fail(a, CLASS(INVALID_INPUT), "boom", 0);
    char message[128];
    (void)snprintf(message, sizeof(message), "Base execution not completed: %s (failed)", base);
    const Callsheet__V1__Execution *execution = await(&place, uses, STATE(FAILED));
    assert_string_equal(execution->error, message);
    assert_int_equal(execution->jobs[0]->state, JOB(SKIPPED));
    execution = await(&place, is, STATE(FAILED));
    assert_int_equal(execution->jobs[0]->state, JOB(FAILED));
    assert_string_equal(execution->jobs[0]->error->code, "base_failed");
    assert_string_equal(execution->jobs[0]->error->message, message);
}

TEST(sy_058_a_job_that_a_running_base_does_not_complete_runs_after_all) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *base = world_create(&place.world, PLAN(NOOP("a") ",{'id':'b','operation':{'noop':{}},'dependsOn':['a'],"
                                                                 "'optionalDependencies':['a']}"));
    CS_AUTO(heard) *a = take(&place, "a");
    const char *id = create_on(&place.world, PLAN(NOOP("a")), base);
    scripted_fail(a, CLASS(INVALID_INPUT), "boom", 0);
    succeed(&place, "b");
    (void)await(&place, base, STATE(COMPLETED)); /* in part */
    succeed(&place, "a");
    assert_ran(await(&place, id, STATE(COMPLETED))->jobs[0]);
    const char *later = create_on(&place.world, PLAN(NOOP("a")), base);
    succeed(&place, "a");
    assert_ran(await(&place, later, STATE(COMPLETED))->jobs[0]);
    const char *uses = create_on(&place.world, PLAN(AFTER("c", "'a'")), base);
    (void)await(&place, uses, STATE(FAILED));
}

TEST(a_request_that_is_repeated_has_its_execution_whatever_became_of_the_base) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *base = world_create(&place.world, PLAN(NOOP("a")));
    CS_AUTO(heard) *a = take(&place, "a");
    const Callsheet__V1__CreateExecutionReply *first = NULL;
    const Callsheet__V1__CreateExecutionReply *second = NULL;
    struct cs_err err = {0};
    Callsheet__V1__CreateExecutionRequest *request = on_base(&place.world, PLAN(AFTER("b", "'a'")), base);
    request->idempotency_key = (char *)"once";
    assert_ok(world_try_create(&place.world, request, &first, &err), &err);
    assert_ok(world_try_create(&place.world, request, &second, &err), &err);
    assert_true(second->existing);
    assert_string_equal(second->execution_id, first->execution_id);
    scripted_fail(a, CLASS(INVALID_INPUT), "boom", 0);
    (void)await(&place, first->execution_id, STATE(FAILED));
    assert_ok(world_try_create(&place.world, request, &second, &err), &err);
    assert_string_equal(second->execution_id, first->execution_id);
    request->plan = request_from(PLAN(AFTER("c", "'a'")), place.world.arena)->plan;
    assert_int_equal(world_try_create(&place.world, request, &second, &err), CS_ALREADY_EXISTS);
}

TEST(an_execution_of_reused_jobs_under_a_key_that_is_taken_leaves_nothing_behind) {
    AUTO_PLACE place = {0};
    place_open(&place, true);
    const char *base = run(&place, PLAN(NOOP("a")));
    const Callsheet__V1__CreateExecutionReply *reply = NULL;
    struct cs_err err = {0};
    for (int i = 0; i < 3; i++) {
        Callsheet__V1__CreateExecutionRequest *request = on_base(&place.world, PLAN(NOOP("a")), base);
        request->idempotency_key = (char *)"once";
        assert_ok(world_try_create(&place.world, request, &reply, &err), &err);
        assert_int_equal(reply->existing, i > 0);
    }
    assert_int_equal(world_count(&place.world).executions, 2);
    assert_int_equal(world_open_count(&place.world), 0);
    assert_int_equal(world_events(&place.world, reply->execution_id, ORC_EVENT_REUSED), 1);
}

/* ---- ends and beginnings at the same time ---- */

struct ender {
    const struct heard *assigned;
    unsigned spin;
};

static void *end_base(void *arg) {
    const struct ender *ender = arg;
    for (volatile unsigned i = 0; i < ender->spin; i++) {
    }
    scripted_succeed(ender->assigned);
    return NULL;
}

TEST(sy_057_w16_a_base_that_ends_while_others_are_made_on_it_wakes_all_of_them) {
    enum { ROUNDS = 200 };
    AUTO_PLACE place = {0};
    place_open(&place, false);
    int waited = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const char *base = world_create(&place.world, PLAN(NOOP("a")));
        CS_AUTO(heard) *a = take(&place, "a");
        struct ender ender = {a, (round % 20) * 20000};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, end_base, &ender), 0);
        const char *reference = create_on(&place.world, PLAN(NOOP("a")), base);
        const char *after = create_on(&place.world, PLAN(AFTER("b", "'a'")), base);
        (void)pthread_join(thread, NULL);
        succeed(&place, "b");
        const Callsheet__V1__Execution *execution = await(&place, reference, STATE(COMPLETED));
        assert_reused(execution->jobs[0], base, "a", "base");
        waited += execution->completed_at_ms > execution->created_at_ms;
        (void)await(&place, after, STATE(COMPLETED));
    }
    print_message("%d of %d were made before the end of their base\n", waited, ROUNDS);
    assert_int_equal(world_open_count(&place.world), 0);
    assert_int_equal(world_stuck_count(&place.world), 0);
}

/* ---- crashes and other replicas ---- */

struct pair {
    struct place place;
    struct cs_test_program other;
};

static void pair_open(struct pair *pair) {
    world_open(&pair->place.world, NULL);
    pair->place.world.config.replica = "";
    pair->place.worker = world_worker(&pair->place.world, (struct scripted_config){EVERYTHING});
    world_start_program(&pair->place.world);
    world_start_second(&pair->place.world, "", &pair->other);
}

static void pair_close(struct pair *pair) {
    scripted_stop(pair->place.worker);
    cs_test_program_fini(&pair->other);
    world_close(&pair->place.world);
}
#define AUTO_PAIR __attribute__((cleanup(pair_close))) struct pair

TEST(w16_a_base_that_another_replica_runs_releases_what_waits) {
    AUTO_PAIR pair = {0};
    pair_open(&pair);
    struct world *world = &pair.place.world;
    const char *base = world_create(world, PLAN(NOOP("a")));
    CS_AUTO(heard) *a = take(&pair.place, "a");
    world_go_to(world, pair.other.address);
    const char *id = create_on(world, PLAN(AFTER("b", "'a'")), base);
    const char *doomed = create_on(world, PLAN(NOOP("a") "," AFTER("c", "'a'")), base);
    assert_null(scripted_poll(pair.place.worker, HEARD_ASSIGN));
    scripted_succeed(a);
    for (int i = 0; i < 2; i++) {
        CS_AUTO(heard) *assigned = scripted_take(pair.place.worker, HEARD_ASSIGN);
        scripted_succeed(assigned);
    }
    (void)await(&pair.place, id, STATE(COMPLETED));
    assert_reused(await(&pair.place, doomed, STATE(COMPLETED))->jobs[0], base, "a", "base");
    const char *again = world_create(world, PLAN(NOOP("x")));
    CS_AUTO(heard) *x = take(&pair.place, "x");
    char first[CS_TEST_PATH_MAX];
    cs_str_copy(first, sizeof(first), pair.place.world.program.address);
    world_go_to(world, first);
    const char *fails = create_on(world, PLAN(AFTER("y", "'x'")), again);
    scripted_fail(x, CLASS(INVALID_INPUT), "boom", 0);
    assert_string_equal(await(&pair.place, fails, STATE(FAILED))->error,
                        cs_arena_sprintf(world->arena, "Base execution not completed: %s (failed)", again));
}

/* killed: the owner of the base, else the owner of what waits. */
static void survive(bool owner_of_base) {
    AUTO_PAIR pair = {0};
    pair_open(&pair);
    struct world *world = &pair.place.world;
    const char *base = world_create(world, PLAN(NOOP("a")));
    CS_AUTO(heard) *a = take(&pair.place, "a");
    char first[CS_TEST_PATH_MAX];
    cs_str_copy(first, sizeof(first), world->program.address);
    world_go_to(world, pair.other.address);
    const char *id = create_on(world, PLAN(NOOP("a") "," AFTER("b", "'a'")), base);
    if (owner_of_base) {
        cs_test_program_kill(&world->program);
        CS_AUTO(heard) *again = take(&pair.place, "a");
        scripted_succeed(again);
    } else {
        world_go_to(world, first);
        cs_test_program_kill(&pair.other);
        scripted_succeed(a);
    }
    succeed(&pair.place, "b");
    const Callsheet__V1__Execution *execution = await(&pair.place, id, STATE(COMPLETED));
    assert_reused(execution->jobs[0], base, "a", "base");
    assert_ran(execution->jobs[1]);
    assert_int_equal(world_stuck_count(world), 0);
}

TEST(w16_waiting_survives_the_death_of_the_bases_owner) {
    survive(true);
}

TEST(w16_waiting_survives_the_death_of_its_own_owner) {
    survive(false);
}

TEST(a_base_that_disappears_fails_what_waits_for_it) {
    AUTO_PAIR pair = {0};
    pair_open(&pair);
    struct world *world = &pair.place.world;
    const char *base = world_create(world, PLAN(NOOP("a")));
    heard_free(take(&pair.place, "a"));
    world_go_to(world, pair.other.address);
    const char *id = create_on(world, PLAN(AFTER("b", "'a'")), base);
    CS_AUTO_PG_PARAMS params = {0};
    struct cs_err err = {0};
    cs_pg_put_text(&params, base);
    assert_ok(cs_pg_exec(world->pg, &execution_delete, &params, NULL, &err), &err);
    assert_string_equal(await(&pair.place, id, STATE(FAILED))->error,
                        cs_arena_sprintf(world->arena, "Base execution not found: %s", base));
}

TEST(w16_waiting_survives_a_crash_of_everything) {
    AUTO_PLACE place = {0};
    world_open(&place.world, NULL);
    place.worker = world_worker(&place.world, (struct scripted_config){EVERYTHING});
    world_start_program(&place.world);
    const char *base = world_create(&place.world, PLAN(FOX "," TALL));
    heard_free(take(&place, "g"));
    const char *id =
        create_on(&place.world, PLAN(FOX ",{'id':'t','operation':{'reframe':{'aspectRatio':'4:5'}}}"), base);
    world_kill_program(&place.world);
    world_start_program(&place.world);
    assert_int_equal(world_get(&place.world, id)->n_jobs, 2);
    succeed(&place, "g");
    succeed(&place, "r");
    (void)await(&place, base, STATE(COMPLETED));
    CS_AUTO(heard) *assigned = take(&place, "t");
    world_kill_program(&place.world);
    world_start_program(&place.world);
    CS_AUTO(heard) *again = take(&place, "t");
    assert_string_equal(again->command->assign->inputs[0]->artifact->key,
                        assigned->command->assign->inputs[0]->artifact->key);
    scripted_succeed(again);
    const Callsheet__V1__Execution *execution = await(&place, id, STATE(COMPLETED));
    assert_reused(execution->jobs[0], base, "g", "base");
    assert_int_equal(world_stop_program(&place.world), 0);
}

/* ---- retry ---- */

static enum cs_status try_retry(struct place *place, const char *id, const char *key,
                                const Callsheet__V1__CreateExecutionReply **ret_reply, struct cs_err *err) {
    Callsheet__V1__RetryExecutionRequest request = CALLSHEET__V1__RETRY_EXECUTION_REQUEST__INIT;
    const ProtobufCMessage *reply = NULL;
    request.tenant = (char *)"acme";
    request.execution_id = (char *)id;
    request.idempotency_key = (char *)key;
    CS_TRY(world_try(&place->world, "RetryExecution", &request.base, &reply, err));
    *ret_reply = (const Callsheet__V1__CreateExecutionReply *)reply;
    return CS_OK;
}

static const Callsheet__V1__CreateExecutionReply *retry(struct place *place, const char *id, const char *key) {
    const Callsheet__V1__CreateExecutionReply *reply = NULL;
    struct cs_err err = {0};
    assert_ok(try_retry(place, id, key, &reply, &err), &err);
    return reply;
}

TEST(sy_042_a_retry_is_a_new_execution_that_runs_only_what_had_not_completed) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *old = world_create(&place.world, PLAN(FOX "," TALL "," AFTER("z", "'r'")));
    succeed(&place, "g");
    fail_job(&place, "r");
    const Callsheet__V1__Execution *failed = await(&place, old, STATE(FAILED));
    const Callsheet__V1__CreateExecutionReply *reply = retry(&place, old, "");
    assert_false(reply->existing);
    assert_string_equal(reply->retry_of, old);
    CS_AUTO(heard) *r = take(&place, "r");
    assert_string_equal(r->command->assign->inputs[0]->artifact->key, failed->jobs[0]->outputs[0]->key);
    scripted_succeed(r);
    succeed(&place, "z");
    const Callsheet__V1__Execution *execution = await(&place, reply->execution_id, STATE(COMPLETED));
    assert_reused(execution->jobs[0], old, "g", "retry");
    assert_ran(execution->jobs[1]);
    assert_ran(execution->jobs[2]);
    assert_string_equal(execution->links->retry_of, old);
    execution = world_get(&place.world, old);
    assert_int_equal(execution->state, STATE(FAILED)); /* terminal stays terminal */
    assert_int_equal(execution->links->n_successors, 1);
    assert_string_equal(execution->links->successors[0], reply->execution_id);
}

TEST(sy_042_only_what_failed_or_was_cancelled_is_retried) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const Callsheet__V1__CreateExecutionReply *reply = NULL;
    struct cs_err err = {0};
    assert_int_equal(try_retry(&place, "0123456789abcdefghijk", "", &reply, &err), CS_NOT_FOUND);
    const char *id = world_create(&place.world, PLAN(NOOP("a")));
    CS_AUTO(heard) *a = take(&place, "a");
    assert_int_equal(try_retry(&place, id, "", &reply, &err), CS_FAILED_PRECONDITION);
    assert_string_equal(err.reason, "not_ended");
    scripted_succeed(a);
    (void)await(&place, id, STATE(COMPLETED));
    assert_int_equal(try_retry(&place, id, "", &reply, &err), CS_FAILED_PRECONDITION);
    assert_string_equal(err.reason, "not_failed");
    const char *cancelled = world_create(&place.world, PLAN(NOOP("a")));
    heard_free(take(&place, "a"));
    const Callsheet__V1__Execution *execution = NULL;
    assert_ok(world_try_cancel(&place.world, "acme", cancelled, "", &execution, &err), &err);
    reply = retry(&place, cancelled, "");
    succeed(&place, "a");
    (void)await(&place, reply->execution_id, STATE(COMPLETED));
}

TEST(sy_042_a_second_retry_is_the_first_and_goes_on_from_it_when_it_failed) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *old = world_create(&place.world, PLAN(NOOP("a")));
    fail_job(&place, "a");
    (void)await(&place, old, STATE(FAILED));
    const Callsheet__V1__CreateExecutionReply *first = retry(&place, old, "");
    const Callsheet__V1__CreateExecutionReply *second = retry(&place, old, "");
    assert_true(second->existing);
    assert_string_equal(second->execution_id, first->execution_id);
    assert_string_equal(second->retry_of, old);
    fail_job(&place, "a");
    (void)await(&place, first->execution_id, STATE(FAILED));
    const Callsheet__V1__CreateExecutionReply *third = retry(&place, old, "");
    assert_false(third->existing);
    assert_string_equal(third->retry_of, first->execution_id);
    const Callsheet__V1__CreateExecutionReply *own = retry(&place, old, "another");
    assert_false(own->existing);
    assert_true(retry(&place, old, "another")->existing);
    assert_int_equal(world_get(&place.world, old)->links->n_successors, 2);
}

struct clicker {
    struct cs_rpc_channel *channel;
    const char *id;
    char answer[32];
    pthread_t thread;
};

static void *click(void *arg) {
    struct clicker *clicker = arg;
    Callsheet__V1__RetryExecutionRequest request = CALLSHEET__V1__RETRY_EXECUTION_REQUEST__INIT;
    const struct cs_rpc_options options = {.timeout_ms = CS_TEST_PATIENCE_MS};
    ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    request.tenant = (char *)"acme";
    request.execution_id = (char *)clicker->id;
    if (cs_rpc_invoke(clicker->channel, &callsheet__v1__orchestrator__descriptor, "RetryExecution", &request.base,
                      &options, &reply, &err) == CS_OK) {
        cs_str_copy(clicker->answer, sizeof(clicker->answer),
                    ((Callsheet__V1__CreateExecutionReply *)reply)->execution_id);
        cs_rpc_message_free(reply);
    }
    return NULL;
}

TEST(sy_042_clicks_at_the_same_time_make_one_retry) {
    enum { CLICKS = 8 };
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *old = world_create(&place.world, PLAN(NOOP("a") "," AFTER("b", "'a'")));
    succeed(&place, "a");
    fail_job(&place, "b");
    (void)await(&place, old, STATE(FAILED));
    struct clicker clickers[CLICKS];
    for (int i = 0; i < CLICKS; i++) {
        clickers[i] = (struct clicker){.channel = place.world.channel, .id = old};
        assert_int_equal(pthread_create(&clickers[i].thread, NULL, click, &clickers[i]), 0);
    }
    for (int i = 0; i < CLICKS; i++) {
        (void)pthread_join(clickers[i].thread, NULL);
        assert_string_equal(clickers[i].answer, clickers[0].answer);
    }
    assert_string_not_equal(clickers[0].answer, "");
    assert_int_equal(world_count(&place.world).executions, 2);
    succeed(&place, "b");
    (void)await(&place, clickers[0].answer, STATE(COMPLETED));
}

TEST(sy_042_an_execution_on_a_base_is_retried_on_it) {
    AUTO_PLACE place = {0};
    place_open(&place, false);
    const char *base = world_create(&place.world, PLAN(FOX));
    succeed(&place, "g");
    const Callsheet__V1__Execution *done = await(&place, base, STATE(COMPLETED));
    const char *old = create_on(
        &place.world, PLAN(FOX ",{'id':'t','operation':{'reframe':{'aspectRatio':'4:5'}}}," AFTER("u", "'t'")), base);
    fail_job(&place, "t");
    (void)await(&place, old, STATE(FAILED));
    const char *id = retry(&place, old, "")->execution_id;
    CS_AUTO(heard) *assigned = take(&place, "t");
    assert_string_equal(assigned->command->assign->inputs[0]->artifact->key, done->jobs[0]->outputs[0]->key);
    scripted_succeed(assigned);
    succeed(&place, "u");
    const Callsheet__V1__Execution *execution = await(&place, id, STATE(COMPLETED));
    assert_reused(execution->jobs[0], old, "g", "retry");
    assert_string_equal(execution->links->base_execution_id, base);
}

/* ---- rerun ---- */

static enum cs_status try_rerun(struct place *place, const char *id, const char *from,
                                const Callsheet__V1__CreateExecutionReply **ret_reply, struct cs_err *err) {
    Callsheet__V1__RerunExecutionRequest request = CALLSHEET__V1__RERUN_EXECUTION_REQUEST__INIT;
    const ProtobufCMessage *reply = NULL;
    /* jobs of a plan: their ids, and operations unless they are noop without payload */
    const Callsheet__V1__Plan *plan = request_from(from, place->world.arena)->plan;
    request.tenant = (char *)"acme";
    request.execution_id = (char *)id;
    request.from = cs_arena_array(place->world.arena, plan->n_jobs, sizeof(Callsheet__V1__RerunJob *));
    for (; request.n_from < plan->n_jobs; request.n_from++) {
        Callsheet__V1__RerunJob *job = cs_arena_alloc(place->world.arena, sizeof(*job));
        callsheet__v1__rerun_job__init(job);
        job->job_id = plan->jobs[request.n_from]->id;
        job->operation = plan->jobs[request.n_from]->operation;
        request.from[request.n_from] = job;
    }
    CS_TRY(world_try(&place->world, "RerunExecution", &request.base, &reply, err));
    *ret_reply = (const Callsheet__V1__CreateExecutionReply *)reply;
    return CS_OK;
}

static const char *rerun(struct place *place, const char *id, const char *from) {
    const Callsheet__V1__CreateExecutionReply *reply = NULL;
    struct cs_err err = {0};
    assert_ok(try_rerun(place, id, from, &reply, &err), &err);
    return reply->execution_id;
}

TEST(a_rerun_runs_the_named_jobs_with_new_params_and_all_that_depends_on_them) {
    AUTO_PLACE place = {0};
    place_open(&place, true);
    const char *old = run(&place, PLAN(FOX "," TALL "," NOOP("x") "," AFTER("y", "'x'") "," AFTER("z", "'r','y'")));
    const char *id = rerun(&place, old, PLAN(CAT));
    const Callsheet__V1__Execution *execution = await(&place, id, STATE(COMPLETED));
    assert_ran(execution->jobs[0]);
    assert_ran(execution->jobs[1]);
    assert_reused(execution->jobs[2], old, "x", "rerun");
    assert_reused(execution->jobs[3], old, "y", "rerun");
    assert_ran(execution->jobs[4]);
    assert_string_equal(execution->links->rerun_of, old);
    assert_string_equal(world_get(&place.world, old)->links->successors[0], id);
    id = rerun(&place, old, PLAN("{'id':'z'}"));
    execution = await(&place, id, STATE(COMPLETED));
    assert_reused(execution->jobs[1], old, "r", "rerun");
    assert_ran(execution->jobs[4]);
}

TEST(a_reference_that_is_rerun_runs) {
    AUTO_PLACE place = {0};
    place_open(&place, true);
    const char *base = run(&place, PLAN(FOX));
    const char *old = create_on(&place.world, PLAN(FOX "," TALL), base);
    (void)await(&place, old, STATE(COMPLETED));
    const Callsheet__V1__Execution *execution = await(&place, rerun(&place, old, PLAN("{'id':'g'}")), STATE(COMPLETED));
    assert_ran(execution->jobs[0]);
    assert_ran(execution->jobs[1]);
}

TEST(a_rerun_that_makes_no_sense_is_refused) {
    AUTO_PLACE place = {0};
    place_open(&place, true);
    const Callsheet__V1__CreateExecutionReply *reply = NULL;
    const char *old = run(&place, PLAN(FOX "," TALL));
    static const struct {
        const char *from;
        const char *path;
        const char *reason;
    } cases[] = {
        {PLAN(""), "from", "no_jobs"},
        {PLAN("{'id':'nobody'}"), "from[0].jobId", "unknown_job"},
        {PLAN("{'id':'g'},{'id':'g'}"), "from[1].jobId", "duplicate_job"},
        {PLAN(NOOP("g")), "from[0].params", "other_operation"},
        {PLAN("{'id':'r','operation':{'reframe':{'video':{'job':'g'},'aspectRatio':'7:1'}}}"),
         "jobs[1].params.aspectRatio", "unknown_word"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct cs_err err = {0};
        assert_int_equal(try_rerun(&place, old, cases[i].from, &reply, &err), CS_INVALID_ARGUMENT);
        assert_string_equal(err.reason, cases[i].reason);
        assert_string_equal(err.path, cases[i].path);
    }
    struct cs_err err = {0};
    assert_int_equal(try_rerun(&place, "0123456789abcdefghijk", PLAN("{'id':'g'}"), &reply, &err), CS_NOT_FOUND);
}

TEST_MAIN(CS_TEST(sy_055_sy_058_sy_059_a_reference_job_is_not_executed_and_gives_the_bases_output),
          CS_TEST(w17_a_job_of_the_same_id_with_other_params_runs_and_so_does_what_uses_it),
          CS_TEST(w17_a_job_of_the_same_id_and_another_operation_runs),
          CS_TEST(sy_058_what_a_job_only_waits_for_makes_it_no_other_job),
          CS_TEST(sy_060_w16_a_job_with_own_and_base_dependencies_gets_both), CS_TEST(sy_060_an_own_id_wins),
          CS_TEST(sy_061_a_job_without_dependencies_takes_the_bases_final_output),
          CS_TEST(sy_056_a_base_that_is_missing_or_anothers_is_not_found),
          CS_TEST(sy_057_a_base_that_has_failed_or_was_cancelled_is_refused),
          CS_TEST(sy_060_what_neither_plan_nor_base_has_is_refused_and_types_are_checked),
          CS_TEST(internal_fields_are_not_for_clients), CS_TEST(sy_057_w16_what_needs_a_running_base_waits_for_its_end),
          CS_TEST(sy_058_a_map_waits_for_a_running_base_instead_of_making_its_jobs_again),
          CS_TEST(sy_057_when_a_running_base_fails_what_waits_for_it_fails_and_says_why),
          CS_TEST(sy_058_a_job_that_a_running_base_does_not_complete_runs_after_all),
          CS_TEST(a_request_that_is_repeated_has_its_execution_whatever_became_of_the_base),
          CS_TEST(an_execution_of_reused_jobs_under_a_key_that_is_taken_leaves_nothing_behind),
          CS_TEST(sy_057_w16_a_base_that_ends_while_others_are_made_on_it_wakes_all_of_them),
          CS_TEST(w16_a_base_that_another_replica_runs_releases_what_waits),
          CS_TEST(w16_waiting_survives_the_death_of_the_bases_owner),
          CS_TEST(w16_waiting_survives_the_death_of_its_own_owner),
          CS_TEST(a_base_that_disappears_fails_what_waits_for_it), CS_TEST(w16_waiting_survives_a_crash_of_everything),
          CS_TEST(sy_042_a_retry_is_a_new_execution_that_runs_only_what_had_not_completed),
          CS_TEST(sy_042_only_what_failed_or_was_cancelled_is_retried),
          CS_TEST(sy_042_a_second_retry_is_the_first_and_goes_on_from_it_when_it_failed),
          CS_TEST(sy_042_clicks_at_the_same_time_make_one_retry),
          CS_TEST(sy_042_an_execution_on_a_base_is_retried_on_it),
          CS_TEST(a_rerun_runs_the_named_jobs_with_new_params_and_all_that_depends_on_them),
          CS_TEST(a_reference_that_is_rerun_runs), CS_TEST(a_rerun_that_makes_no_sense_is_refused))
