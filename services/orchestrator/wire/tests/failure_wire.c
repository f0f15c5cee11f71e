/* What plans say about failure, and what it does to assignments. */
#include "life.h"
#include "wire/assign_wire.h"

#define VIDEO CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO
#define GEN(id) "{'id':'" id "','operation':{'generateVideo':{'prompt':'p','provider':'local'}}}"
#define ITEM(id) "{'media':{'job':'" id "'}}"
#define MERGE(items, more) "{'id':'m','operation':{'merge':{'items':[" items "]}}" more "}"
#define PLAN(jobs) "{'tenant':'acme','plan':{'jobs':[" jobs "]}}"
#define NOOP(more) "{'id':'n','operation':{'noop':{}}" more "}"

static const struct orc_assign_context context = {
    .environment = "test", .traceparent = "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-01"};

static const char *const scenes = PLAN(GEN("a") "," GEN("b") "," GEN("c") "," MERGE(
    ITEM("a") "," ITEM("b") ",{'media':{'url':'https://e.com/v.mp4'}}," ITEM("c"),
    ",'optionalDependencies':['a','b','c']"));

static void fail_job(struct life *life, uint32_t job) {
    life_assign(life, job);
    life_fail(life, job, ORC_FAILURE_INVALID_INPUT, "bad", "no");
}

static void complete_job(struct life *life, uint32_t job) {
    life_assign(life, job);
    life_succeed(life, job, VIDEO);
}

TEST(ex_024_what_an_optional_parent_did_not_give_is_left_out_of_a_merge) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, scenes);
    complete_job(&life, 2);
    fail_job(&life, 1);
    complete_job(&life, 0);
    life_assign(&life, 3);
    Callsheet__V1__WorkCommand *command = NULL;
    struct cs_err err = {0};
    assert_ok(orc_assign_job(life.execution, 3, &context, arena, &command, &err), &err);
    const Callsheet__V1__Assign *assign = command->assign;
    const Callsheet__V1__Merge *merge = assign->operation->merge;
    assert_int_equal(merge->n_items, 3);
    assert_string_equal(merge->items[0]->media->job, "a");
    assert_string_equal(merge->items[1]->media->url, "https://e.com/v.mp4");
    assert_string_equal(merge->items[2]->media->job, "c");
    assert_int_equal(assign->n_inputs, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(merge->items[i]->media->input, i + 1);
    }
    assert_string_equal(assign->inputs[1]->url, "https://e.com/v.mp4");
    assert_true(protobuf_c_message_check(&command->base));
}

TEST(ex_024_a_merge_of_nothing_is_input_missing) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, PLAN(GEN("a") "," MERGE(ITEM("a"), ",'optionalDependencies':['a']")));
    fail_job(&life, 0);
    life_assign(&life, 1);
    Callsheet__V1__WorkCommand *command = NULL;
    struct cs_err err = {0};
    assert_fails(orc_assign_job(life.execution, 1, &context, arena, &command, &err), &err, CS_INVALID_ARGUMENT,
                 "input_missing");
    assert_non_null(strstr(err.message, "\"a\""));
}

TEST(an_operation_that_needs_its_input_says_that_it_is_missing) {
    static const char *const rules[] = {"'optionalDependencies':['a']", "'dependencyPolicy':'always'"};
    for (size_t i = 0; i < CS_COUNT(rules); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        AUTO_LIFE life = {0};
        life_begin(&life, cs_arena_sprintf(arena,
                                           PLAN(GEN("a") ",{'id':'r','operation':{'reframe':{'video':{'job':'a'},"
                                                         "'aspectRatio':'1:1'}},%s}"),
                                           rules[i]));
        fail_job(&life, 0);
        life_assign(&life, 1);
        Callsheet__V1__WorkCommand *command = NULL;
        struct cs_err err = {0};
        assert_fails(orc_assign_job(life.execution, 1, &context, arena, &command, &err), &err, CS_INVALID_ARGUMENT,
                     "input_missing");
    }
}

TEST(a_job_after_any_works_with_what_is_there) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, PLAN(GEN("a") "," GEN("b") "," MERGE(ITEM("a") "," ITEM("b"), ",'dependencyPolicy':'any'")));
    complete_job(&life, 1); /* the other one has not even begun */
    life_assign(&life, 2);
    Callsheet__V1__WorkCommand *command = NULL;
    struct cs_err err = {0};
    assert_ok(orc_assign_job(life.execution, 2, &context, arena, &command, &err), &err);
    assert_int_equal(command->assign->n_inputs, 1);
    assert_string_equal(command->assign->operation->merge->items[0]->media->job, "b");
}

struct bad_rule {
    const char *rule;
    const char *path;
    const char *reason;
};

TEST(each_bad_rule_is_refused_with_its_path) {
    static const struct bad_rule rules[] = {
        {"'optionalDependencies':['x']", "jobs[0].optionalDependencies[0]", "not_a_dependency"},
        {"'timeoutMs':-1", "jobs[0].timeoutMs", "bad_timeout"},
        {"'timeoutMs':604800001", "jobs[0].timeoutMs", "bad_timeout"},
        {"'queueTimeoutMs':-1", "jobs[0].queueTimeoutMs", "bad_queue_timeout"},
        {"'queueTimeoutMs':2592000001", "jobs[0].queueTimeoutMs", "bad_queue_timeout"},
        {"'retry':{'attempts':21}", "jobs[0].retry.attempts", "bad_retry"},
        {"'retry':{'baseMs':-1}", "jobs[0].retry.baseMs", "bad_retry"},
        {"'retry':{'baseMs':3600001}", "jobs[0].retry.baseMs", "bad_retry"},
        {"'retry':{'capMs':-1}", "jobs[0].retry.capMs", "bad_retry"},
        {"'retry':{'capMs':86400001}", "jobs[0].retry.capMs", "bad_retry"},
        {"'retry':{'baseMs':1000,'capMs':999}", "jobs[0].retry.capMs", "bad_retry"},
    };
    for (size_t i = 0; i < CS_COUNT(rules); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct orc_submission *submission = NULL;
        struct cs_trace trace = {0};
        struct cs_err err = {0};
        const char *text = cs_arena_sprintf(arena, PLAN(NOOP(",%s")), rules[i].rule);
        assert_fails(orc_submission_from(request_from(text, arena), &trace, &submission, &err), &err,
                     CS_INVALID_ARGUMENT, rules[i].reason);
        assert_string_equal(err.path, rules[i].path);
    }
}

TEST(a_word_that_we_do_not_know_is_refused) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    static const int unknown[] = {-1, 4};
    for (size_t i = 0; i < CS_COUNT(unknown); i++) {
        Callsheet__V1__CreateExecutionRequest *request = request_from(PLAN(NOOP("")), arena);
        request->plan->jobs[0]->dependency_policy = (Callsheet__V1__DependencyPolicy)unknown[i];
        struct orc_submission *submission = NULL;
        struct cs_trace trace = {0};
        struct cs_err err = {0};
        assert_fails(orc_submission_from(request, &trace, &submission, &err), &err, CS_INVALID_ARGUMENT,
                     "bad_dependency_policy");
        assert_string_equal(err.path, "jobs[0].dependencyPolicy");
        request->plan->jobs[0]->dependency_policy = CALLSHEET__V1__DEPENDENCY_POLICY__DEPENDENCY_POLICY_ALL;
        request->plan->on_failure = (Callsheet__V1__OnFailure)unknown[i];
        assert_fails(orc_submission_from(request, &trace, &submission, &err), &err, CS_INVALID_ARGUMENT,
                     "bad_on_failure");
        assert_string_equal(err.path, "onFailure");
    }
}

TEST(limits_and_retries_of_a_job_reach_the_plan) {
    AUTO_LIFE life = {0};
    life_begin(&life, "{'tenant':'acme','plan':{'onFailure':'fail_fast','jobs':["
                      "{'id':'a','operation':{'noop':{}},'timeoutMs':1500,'queueTimeoutMs':2500,"
                      "'retry':{'attempts':3,'baseMs':10,'capMs':20}},{'id':'b','operation':{'noop':{}}}]}}");
    const struct orc_plan *plan = life.submission->plan;
    assert_true(plan->fail_fast);
    assert_int_equal(plan->jobs[0].timeout_ms, 1500);
    assert_int_equal(plan->jobs[0].queue_timeout_ms, 2500);
    assert_int_equal(plan->jobs[0].retry.attempts_max, 3);
    assert_int_equal(plan->jobs[0].retry.base_ms, 10);
    assert_int_equal(plan->jobs[0].retry.cap_ms, 20);
    assert_int_equal(plan->jobs[1].timeout_ms, plan->jobs[1].operation->timeout_ms);
    assert_int_equal(plan->jobs[1].queue_timeout_ms, 0);
    assert_int_equal(plan->jobs[1].retry.attempts_max, 0);
}

TEST(rules_survive_the_way_through_the_log) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, scenes);
    const Callsheet__V1__CreateExecutionRequest *envelope = NULL;
    struct orc_plan *plan = NULL;
    struct cs_err err = {0};
    assert_ok(
        orc_plan_from_request(life.submission->request, life.submission->request_size, arena, &envelope, &plan, &err),
        &err);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(plan->jobs[3].optional[i]);
        assert_true(plan->jobs[i].optional_for[0]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(ex_024_what_an_optional_parent_did_not_give_is_left_out_of_a_merge),
        CS_TEST(ex_024_a_merge_of_nothing_is_input_missing),
        CS_TEST(an_operation_that_needs_its_input_says_that_it_is_missing),
        CS_TEST(a_job_after_any_works_with_what_is_there),
        CS_TEST(each_bad_rule_is_refused_with_its_path),
        CS_TEST(a_word_that_we_do_not_know_is_refused),
        CS_TEST(limits_and_retries_of_a_job_reach_the_plan),
        CS_TEST(rules_survive_the_way_through_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
