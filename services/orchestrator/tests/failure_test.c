/* What plans say about failure, over gRPC and with a real database. */
#include <string.h>

#include "cs/base/clock.h"
#include "world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word
#define JOB(word) CALLSHEET__V1__JOB_STATE__JOB_STATE_##word
#define FAILURE(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

#define PLAN(rules, jobs) "{'tenant':'acme','plan':{" rules "'jobs':[" jobs "]}}"
#define NOOP(id, more) "{'id':'" id "','operation':{'noop':{}}" more "}"
#define GEN(id) "{'id':'" id "','operation':{'generateVideo':{'prompt':'p','provider':'local'}}}"
#define MERGE(a, b, more)                                                                                              \
    "{'id':'m','operation':{'merge':{'items':[{'media':{'job':'" a "'}},{'media':{'job':'" b "'}}]}}" more "}"

static const char *const video[] = {"generateVideo", "merge"};

static bool is_job(const struct heard *assigned, const char *id) {
    return strcmp(assigned->command->assign->job, id) == 0;
}

TEST(ex_024_a_scene_that_failed_is_left_out_and_the_execution_completes) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker =
        world_worker(&world, (struct scripted_config){.operations = video, .operation_count = CS_COUNT(video)});
    world_start(&world);
    const char *id =
        world_create(&world, PLAN("", GEN("a") "," GEN("b") "," MERGE("a", "b", ",'optionalDependencies':['a','b']")));
    for (int i = 0; i < 2; i++) {
        CS_AUTO(heard) *scene = scripted_take(worker, HEARD_ASSIGN);
        if (is_job(scene, "a")) {
            scripted_fail(scene, FAILURE(CONTENT_REJECTED), "refused", 0);
        } else {
            scripted_succeed(scene);
        }
    }
    CS_AUTO(heard) *merge = scripted_take(worker, HEARD_ASSIGN);
    const Callsheet__V1__Assign *assign = merge->command->assign;
    assert_int_equal(assign->n_inputs, 1);
    assert_int_equal(assign->operation->merge->n_items, 1);
    assert_string_equal(assign->operation->merge->items[0]->media->job, "b");
    assert_int_equal(assign->operation->merge->items[0]->media->input, 1);
    scripted_succeed(merge);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_string_equal(execution->error, "");
    assert_string_equal(execution->result_job_id, "m");
    assert_int_equal(execution->jobs[0]->state, JOB(FAILED));
    assert_int_equal(world_stuck_count(&world), 0);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(w12_a_plan_for_which_there_is_no_worker_ends_by_its_queue_timeout) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, PLAN("", "{'id':'a','operation':{'generateVideo':{'prompt':'p','provider':"
                                                   "'local'}},'queueTimeoutMs':50}," NOOP("b", ",'dependsOn':['a']")));
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(FAILED));
    assert_string_equal(execution->jobs[0]->error->code, "queue_timeout");
    assert_int_equal(execution->jobs[0]->error->failure_class, FAILURE(TIMEOUT));
    assert_int_equal(execution->jobs[0]->attempt, 0);
    assert_int_equal(execution->jobs[1]->state, JOB(SKIPPED));
    assert_string_equal(execution->error, "Job 'generateVideo' failed: no worker took the job within its time limit");
    assert_int_equal(world_events(&world, id, ORC_EVENT_FAILED), 1);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(sy_038_fail_fast_is_the_same_after_a_restart) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(
        &world, PLAN("'onFailure':'fail_fast',", NOOP("a", "") "," NOOP("b", "") "," NOOP("c", ",'dependsOn':['b']")));
    CS_AUTO(heard) *first = scripted_take(worker, HEARD_ASSIGN);
    CS_AUTO(heard) *second = scripted_take(worker, HEARD_ASSIGN);
    const struct heard *bad = is_job(first, "a") ? first : second;
    scripted_fail(bad, FAILURE(INVALID_INPUT), "bad", 0);
    CS_AUTO(heard) *cancel = scripted_take(worker, HEARD_CANCEL);
    assert_memory_equal(cancel->fence, (bad == first ? second : first)->fence, ORC_FENCE_BYTES);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    world_stop(&world);
    world_start(&world);
    const Callsheet__V1__Execution *again = world_get(&world, id);
    static const Callsheet__V1__JobState want[] = {JOB(FAILED), JOB(CANCELLED), JOB(SKIPPED)};
    assert_int_equal(again->state, STATE(FAILED));
    assert_string_equal(again->error, execution->error);
    for (size_t i = 0; i < CS_COUNT(want); i++) {
        assert_int_equal(execution->jobs[i]->state, want[i]);
        assert_int_equal(again->jobs[i]->state, want[i]);
    }
    world_stop(&world);
    scripted_stop(worker);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(ex_024_a_scene_that_failed_is_left_out_and_the_execution_completes),
        CS_TEST(w12_a_plan_for_which_there_is_no_worker_ends_by_its_queue_timeout),
        CS_TEST(sy_038_fail_fast_is_the_same_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
