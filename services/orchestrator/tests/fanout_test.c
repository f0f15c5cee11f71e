/* Plans that grow and change under way, over gRPC and with a real database. */
#include <stdio.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/json.h"
#include "world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word
#define JOB(word) CALLSHEET__V1__JOB_STATE__JOB_STATE_##word
#define FAILURE(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word
#define PLAN(jobs) "{'tenant':'acme','plan':{'jobs':[" jobs "]}}"
#define UNCACHED(jobs) "{'tenant':'acme','plan':{'cache':'off','jobs':[" jobs "]}}"
#define NOOP(id, more) "{'id':'" id "','operation':{'noop':{}}" more "}"

enum { SCENE_TIMEOUT_MS = 30 * 60 * 1000 };

static const char *const video[] = {"generateVideo", "merge"};

/* Scenes of which `parallel` render at once, and the film of them. */
#define SCENES(rules)                                                                                                  \
    UNCACHED(                                                                                                          \
        "{'id':'scenes','operation':{'map':{'items':['{\\\"title\\\":\\\"Attic\\\",\\\"duration\\\":3}',"              \
        "'{\\\"title\\\":\\\"Bath\\\",\\\"duration\\\":4.5}','{\\\"title\\\":\\\"Court\\\",\\\"duration\\\":5}'],"     \
        "'job':'{\\\"operation\\\":{\\\"generateVideo\\\":{\\\"prompt\\\":\\\"{{index}}: {{ item.title "               \
        "}}\\\",\\\"provider\\\":"                                                                                     \
        "\\\"local\\\",\\\"duration\\\":\\\"{{item.duration}}\\\"}}}'" rules "}}},"                                    \
        "{'id':'film','operation':{'merge':{'items':[{'media':{'job':'scenes'},'volume':0.5}]}}}")

/* JSON of a request, with ' for ". */
static ProtobufCMessage *request_of(struct world *world, const ProtobufCMessageDescriptor *descriptor,
                                    const char *text) {
    char *copy = cs_arena_strdup(world->arena, text);
    for (char *c = copy; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    CS_AUTO_JSON *value = NULL;
    ProtobufCMessage *message = NULL;
    struct cs_err err = {0};
    assert_ok(cs_json_parse(copy, strlen(copy), &value, &err), &err);
    assert_ok(cs_json_to_message(value, descriptor, "", world->arena, &message, &err), &err);
    return message;
}

static const Callsheet__V1__Execution *call(struct world *world, const char *method, ProtobufCMessage *request) {
    const ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    assert_ok(world_try(world, method, request, &reply, &err), &err);
    return (const Callsheet__V1__Execution *)reply;
}

static void refused(struct world *world, const char *method, ProtobufCMessage *request, enum cs_status status,
                    const char *reason, const char *path) {
    const ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    assert_fails(world_try(world, method, request, &reply, &err), &err, status, reason);
    assert_string_equal(err.path, path);
}

static ProtobufCMessage *append(struct world *world, const char *id, const char *jobs) {
    return request_of(world, &callsheet__v1__append_jobs_request__descriptor,
                      cs_arena_sprintf(world->arena, "{'tenant':'acme','executionId':'%s','jobs':[%s]}", id, jobs));
}

static ProtobufCMessage *edit(struct world *world, const char *id, const char *job, const char *operation) {
    return request_of(world, &callsheet__v1__edit_job_request__descriptor,
                      cs_arena_sprintf(world->arena, "{'tenant':'acme','executionId':'%s','jobId':'%s','operation':%s}",
                                       id, job, operation));
}

static ProtobufCMessage *take_away(struct world *world, const char *id, const char *job, bool cascade) {
    return request_of(world, &callsheet__v1__remove_job_request__descriptor,
                      cs_arena_sprintf(world->arena, "{'tenant':'acme','executionId':'%s','jobId':'%s','cascade':%s}",
                                       id, job, cascade ? "true" : "false"));
}

static const Callsheet__V1__JobStatus *job_of(const Callsheet__V1__Execution *execution, const char *id) {
    for (size_t i = 0; i < execution->n_jobs; i++) {
        if (strcmp(execution->jobs[i]->id, id) == 0) {
            return execution->jobs[i];
        }
    }
    fail_msg("there is no job %s", id);
    return NULL;
}

TEST(appended_jobs_run_and_are_there_after_a_restart) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, PLAN(NOOP("a", "")));
    CS_AUTO(heard) *a = scripted_take(worker, HEARD_ASSIGN);
    const Callsheet__V1__Execution *grown = call(
        &world, "AppendJobs", append(&world, id, NOOP("b", ",'dependsOn':['a']") "," NOOP("c", ",'dependsOn':['b']")));
    assert_int_equal(grown->n_jobs, 3);
    assert_int_equal(job_of(grown, "b")->state, JOB(WAITING));
    world_stop(&world);
    world_start(&world);
    grown = world_get(&world, id);
    assert_int_equal(grown->n_jobs, 3);
    assert_string_equal(grown->jobs[2]->id, "c");
    assert_string_equal(grown->jobs[2]->depends_on[0], "b");
    for (int i = 0; i < 3; i++) {
        CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
        scripted_succeed(assigned);
    }
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_string_equal(execution->result_job_id, "c");
    assert_int_equal(world_events(&world, id, ORC_EVENT_APPENDED), 1);
    refused(&world, "AppendJobs", append(&world, id, NOOP("d", "")), CS_FAILED_PRECONDITION, "already_ended", "");
    world_stop(&world);
    scripted_stop(worker);
}

TEST(an_append_is_told_apart_by_its_ids_and_takes_all_or_nothing) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, PLAN(NOOP("a", "")));
    CS_AUTO(heard) *a = scripted_take(worker, HEARD_ASSIGN);
    const char *jobs = NOOP("b", ",'dependsOn':['a'],'timeoutMs':5000");
    (void)call(&world, "AppendJobs", append(&world, id, jobs));
    const Callsheet__V1__Execution *again = call(&world, "AppendJobs", append(&world, id, jobs));
    assert_int_equal(again->n_jobs, 2);
    assert_int_equal(world_events(&world, id, ORC_EVENT_APPENDED), 1);
    refused(&world, "AppendJobs", append(&world, id, NOOP("new", "") "," NOOP("b", ",'timeoutMs':1")),
            CS_ALREADY_EXISTS, "job_exists", "jobs[1].id");
    refused(&world, "AppendJobs", append(&world, id, NOOP("x", ",'dependsOn':['nobody']")), CS_INVALID_ARGUMENT,
            "unknown_dependency", "jobs[0].dependsOn[0]");
    refused(&world, "AppendJobs", append(&world, id, NOOP("x", "") "," NOOP("y", ",'parent':'a'")), CS_INVALID_ARGUMENT,
            "internal_field", "jobs[1].parent");
    refused(&world, "AppendJobs", append(&world, id, ""), CS_INVALID_ARGUMENT, "no_jobs", "jobs");
    refused(&world, "AppendJobs", append(&world, "nothere", NOOP("x", "")), CS_NOT_FOUND, "no_such_execution", "");
    assert_int_equal(world_get(&world, id)->n_jobs, 2);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(e12_what_has_not_started_can_be_edited_and_removed) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker =
        world_worker(&world, (struct scripted_config){.operations = video, .operation_count = 2, .slots = 1});
    world_start(&world);
#define GEN(id, more) "{'id':'" id "','operation':{'generateVideo':{'prompt':'" id "','provider':'local'}}" more "}"
    const char *id = world_create(&world, PLAN(GEN("a", "") "," GEN("b", ",'dependsOn':['a']") "," GEN(
                                              "c", ",'dependsOn':['b']") "," GEN("d", ",'dependsOn':['a']")));
    CS_AUTO(heard) *a = scripted_take(worker, HEARD_ASSIGN);
    const char *other = "{'generateVideo':{'prompt':'another','provider':'local'}}";
    refused(&world, "EditJob", edit(&world, id, "a", other), CS_FAILED_PRECONDITION, "already_started", "");
    refused(&world, "EditJob", edit(&world, id, "nobody", other), CS_NOT_FOUND, "no_such_job", "");
    refused(&world, "EditJob", edit(&world, id, "b", "{'generateVideo':{'prompt':'p','provider':'nobody'}}"),
            CS_INVALID_ARGUMENT, "unknown_provider", "params.provider");
    refused(&world, "EditJob", edit(&world, id, "b", "{'merge':{'items':[{'media':{'job':'a'}}]}}"),
            CS_INVALID_ARGUMENT, "other_operation", "operation");
    (void)call(&world, "EditJob", edit(&world, id, "d", other));
    refused(&world, "RemoveJob", take_away(&world, id, "b", false), CS_FAILED_PRECONDITION, "has_dependents", "");
    const Callsheet__V1__Execution *without = call(&world, "RemoveJob", take_away(&world, id, "b", true));
    assert_int_equal(job_of(without, "c")->state, JOB(SKIPPED));
    assert_string_equal(job_of(without, "c")->error->code, "removed");
    scripted_succeed(a);
    CS_AUTO(heard) *d = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(d->command->assign->job, "d");
    assert_string_equal(d->command->assign->operation->generate_video->prompt, "another");
    scripted_succeed(d);
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));
    world_stop(&world);
    world_start(&world);
    assert_string_equal(job_of(world_get(&world, id), "b")->error->code, "removed");
    world_stop(&world);
    scripted_stop(worker);
}

static const Callsheet__V1__JobStatus *in_state(const Callsheet__V1__Execution *execution,
                                                Callsheet__V1__JobState state) {
    const Callsheet__V1__JobStatus *found = NULL;
    for (size_t i = 0; i < execution->n_jobs; i++) {
        if (execution->jobs[i]->state == state) {
            assert_null(found);
            found = execution->jobs[i];
        }
    }
    assert_non_null(found);
    return found;
}

/* What the template makes of the item that the job is of. */
static void assert_scene(const struct heard *assigned) {
    static const char *const prompts[] = {"0: Attic", "1: Bath", "2: Court"};
    static const double durations[] = {3, 4.5, 5};
    const Callsheet__V1__GenerateVideo *params = assigned->command->assign->operation->generate_video;
    int index = assigned->command->assign->job[strlen("scenes.")] - '0';
    assert_true(index >= 0 && index < 3);
    assert_string_equal(params->prompt, prompts[index]);
    assert_true(params->duration->value == durations[index]);
    int64_t left_ms = assigned->command->assign->deadline_ms - cs_clock_unix_ms(); /* EX-023 */
    assert_true(left_ms <= SCENE_TIMEOUT_MS && left_ms > SCENE_TIMEOUT_MS - 60 * 1000);
}

TEST(e5_ex_022_ex_023_a_map_renders_its_items_side_by_side_and_a_merge_takes_them_in_order) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker =
        world_worker(&world, (struct scripted_config){.operations = video, .operation_count = 2, .slots = 8});
    world_start(&world);
    const char *id = world_create(&world, SCENES(",'maxParallel':2"));
    CS_AUTO(heard) *first = scripted_take(worker, HEARD_ASSIGN);
    CS_AUTO(heard) *second = scripted_take(worker, HEARD_ASSIGN);
    const Callsheet__V1__Execution *open = world_get(&world, id);
    assert_int_equal(open->n_jobs, 5);
    assert_int_equal(job_of(open, "scenes")->state, JOB(RUNNING));
    const Callsheet__V1__JobStatus *rest = in_state(open, JOB(READY)); /* EX-022: no more than two at once */
    assert_string_equal(rest->waiting->reason, "limit");
    assert_string_equal(rest->waiting->limit, "map:scenes");
    assert_string_equal(rest->parent, "scenes");
    assert_string_equal(rest->id, cs_arena_sprintf(world.arena, "scenes.%u", rest->index));
    assert_scene(first);
    assert_scene(second);
    scripted_succeed(second); /* they end in another order than theirs */
    CS_AUTO(heard) *third = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(third->command->assign->job, rest->id);
    scripted_succeed(third);
    scripted_succeed(first);
    CS_AUTO(heard) *merge = scripted_take(worker, HEARD_ASSIGN);
    const Callsheet__V1__Assign *assign = merge->command->assign;
    assert_int_equal(assign->operation->merge->n_items, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(assign->operation->merge->items[i]->media->input, i + 1);
        assert_true(assign->operation->merge->items[i]->volume->value == 0.5);
        const char *key = assign->inputs[i]->artifact->key;
        assert_non_null(strstr(key, cs_arena_sprintf(world.arena, "/scenes.%zu/", i)));
    }
    scripted_succeed(merge);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_string_equal(execution->result_job_id, "film");
    assert_int_equal(job_of(execution, "scenes")->n_outputs, 3);
    assert_int_equal(world_events(&world, id, ORC_EVENT_APPENDED), 1);
    world_stop(&world);
    scripted_stop(worker);
}

/* Ends the items in the order in which they are assigned: the named one badly. */
static void end_items(struct scripted_worker *worker, const char *bad, int count) {
    for (int i = 0; i < count; i++) {
        CS_AUTO(heard) *item = scripted_take(worker, HEARD_ASSIGN);
        if (bad == NULL || strcmp(item->command->assign->job, bad) == 0) {
            scripted_fail(item, FAILURE(CONTENT_REJECTED), "refused", 0);
        } else {
            scripted_succeed(item);
        }
    }
}

TEST(ex_024_e7_items_that_failed_are_left_out_of_what_a_map_gives) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker =
        world_worker(&world, (struct scripted_config){.operations = video, .operation_count = 2, .slots = 8});
    world_start(&world);
    const char *id = world_create(&world, SCENES(",'onItemFailure':'skip'"));
    end_items(worker, "scenes.1", 3);
    CS_AUTO(heard) *merge = scripted_take(worker, HEARD_ASSIGN);
    assert_int_equal(merge->command->assign->n_inputs, 2);
    assert_non_null(strstr(merge->command->assign->inputs[1]->artifact->key, "/scenes.2/"));
    scripted_succeed(merge);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_int_equal(job_of(execution, "scenes.1")->state, JOB(FAILED));

    id = world_create(&world, SCENES(",'onItemFailure':'skip','maxParallel':3"));
    end_items(worker, NULL, 3);
    execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(FAILED));
    assert_string_equal(job_of(execution, "scenes")->error->code, "all_items_failed");
    assert_int_equal(job_of(execution, "film")->state, JOB(SKIPPED));
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_map_that_does_not_skip_ends_with_its_first_bad_item_and_stops_the_others) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker =
        world_worker(&world, (struct scripted_config){.operations = video, .operation_count = 2, .slots = 8});
    world_start(&world);
    const char *id = world_create(&world, SCENES(",'maxParallel':2"));
    CS_AUTO(heard) *first = scripted_take(worker, HEARD_ASSIGN);
    CS_AUTO(heard) *second = scripted_take(worker, HEARD_ASSIGN);
    scripted_fail(first, FAILURE(CONTENT_REJECTED), "refused", 0);
    CS_AUTO(heard) *stopped = scripted_take(worker, HEARD_CANCEL);
    assert_memory_equal(stopped->fence, second->fence, ORC_FENCE_BYTES);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(FAILED));
    assert_string_equal(job_of(execution, "scenes")->error->code, "item_failed");
    assert_int_equal(job_of(execution, "scenes.2")->state, JOB(CANCELLED));
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_map_takes_the_outputs_of_a_job_as_its_items) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    static const char *const edits[] = {"generateVideo", "reframe"};
    struct scripted_worker *worker =
        world_worker(&world, (struct scripted_config){.operations = edits, .operation_count = 2});
    world_start(&world);
    const char *id = world_create(
        &world,
        PLAN("{'id':'g','operation':{'generateVideo':{'prompt':'p','provider':'local'}}},"
             "{'id':'m','operation':{'map':{'itemsFrom':{'job':'g'},'job':'{\\\"operation\\\":{\\\"reframe\\\":{"
             "\\\"video\\\":{\\\"job\\\":\\\"{{item}}\\\"},\\\"aspectRatio\\\":\\\"9:16\\\"}}}'}}}"));
    CS_AUTO(heard) *g = scripted_take(worker, HEARD_ASSIGN);
    scripted_succeed(g);
    CS_AUTO(heard) *reframe = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(reframe->command->assign->job, "m.0");
    assert_non_null(strstr(reframe->command->assign->inputs[0]->artifact->key, "/g/"));
    scripted_succeed(reframe);
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_map_is_checked_with_all_its_items_when_it_is_submitted) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
#define MAP(items, job) PLAN("{'id':'m','operation':{'map':{" items ",'job':'" job "'}}}")
    static const struct {
        const char *request;
        const char *reason;
        const char *path;
    } bad[] = {
        {MAP("'items':['{}']", "{\\\"operation\\\":{\\\"noop\\\":{\\\"payload\\\":\\\"{{item.x}}\\\"}}}"),
         "no_such_member", "jobs[0].params.job"},
        {MAP("'items':['1']", "{\\\"operation\\\":{\\\"noop\\\":{\\\"payload\\\":\\\"{{other}}\\\"}}}"),
         "bad_placeholder", "jobs[0].params.job"},
        {MAP("'items':['{']", "{\\\"operation\\\":{\\\"noop\\\":{}}}"), "bad_item", "jobs[0].params.items[0]"},
        {MAP("'items':['1']", "{\\\"operation\\\":{\\\"map\\\":{}}}"), "nested_map", "jobs[0].params.job.operation"},
        {MAP("'items':['1']", "{\\\"id\\\":\\\"x\\\",\\\"operation\\\":{\\\"noop\\\":{}}}"), "bad_template",
         "jobs[0].params.job"},
        {MAP("'items':['\\\"nobody\\\"']", "{\\\"operation\\\":{\\\"generateVideo\\\":{\\\"prompt\\\":\\\"p\\\","
                                           "\\\"provider\\\":\\\"{{item}}\\\"}}}"),
         "unknown_provider", "jobs[0].params.job.params.provider"},
        {MAP("'maxParallel':1", "{\\\"operation\\\":{\\\"noop\\\":{}}}"), "required", "jobs[0].params.items"},
        {MAP("'items':['1']", "{\\\"operation\\\":{\\\"noop\\\":{}},\\\"dependsOn\\\":[\\\"nobody\\\"]}"),
         "unknown_dependency", "jobs[0].dependsOn[0]"},
        {MAP("'items':['1']", "{\\\"operation\\\":{\\\"noop\\\":{}},\\\"dependsOn\\\":[\\\"m\\\"]}"), "self_dependency",
         "jobs[0].dependsOn[0]"},
    };
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        refused(&world, "CreateExecution",
                request_of(&world, &callsheet__v1__create_execution_request__descriptor, bad[i].request),
                CS_INVALID_ARGUMENT, bad[i].reason, bad[i].path);
    }
    world_stop(&world);
}

static const char *rerun(struct world *world, const char *id, const char *what) {
    const ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    ProtobufCMessage *request =
        request_of(world, &callsheet__v1__rerun_execution_request__descriptor,
                   cs_arena_sprintf(world->arena, "{'tenant':'acme','executionId':'%s',%s}", id, what));
    assert_ok(world_try(world, "RerunExecution", request, &reply, &err), &err);
    return ((const Callsheet__V1__CreateExecutionReply *)reply)->execution_id;
}

static void take_merge_of(struct scripted_worker *worker, size_t inputs) {
    CS_AUTO(heard) *merge = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(merge->command->assign->job, "film");
    assert_int_equal(merge->command->assign->n_inputs, inputs);
    scripted_succeed(merge);
}

TEST(ex_019_ex_020_e2_an_item_that_is_made_anew_is_rendered_and_what_depends_on_it_too) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker =
        world_worker(&world, (struct scripted_config){.operations = video, .operation_count = 2, .slots = 8});
    world_start(&world);
    const char *id = world_create(&world, SCENES(",'onItemFailure':'skip'"));
    end_items(worker, "scenes.1", 3);
    take_merge_of(worker, 2);
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));

    const char *again = rerun(&world, id, "'from':[{'jobId':'scenes.1'}]");
    CS_AUTO(heard) *scene = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(scene->command->assign->job, "scenes.1");
    assert_scene(scene);
    scripted_succeed(scene);
    take_merge_of(worker, 3);
    const Callsheet__V1__Execution *execution = world_await(&world, again);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_int_equal(execution->n_jobs, 5);
    assert_string_equal(job_of(execution, "scenes.0")->reused->execution_id, id);
    assert_string_equal(execution->links->rerun_of, id);
    assert_int_equal(world_events(&world, again, ORC_EVENT_APPENDED), 0); /* they were in its plan */

    const char *shorter = rerun(&world, again, "'without':['scenes.0']"); /* EX-020 */
    take_merge_of(worker, 2);
    execution = world_await(&world, shorter);
    assert_int_equal(execution->n_jobs, 4);
    assert_int_equal(execution->state, STATE(COMPLETED));
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_map_that_begins_again_makes_its_items_anew) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker =
        world_worker(&world, (struct scripted_config){.operations = video, .operation_count = 2, .automatic = true});
    world_start(&world);
    const char *id = world_create(&world, SCENES(""));
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));
    const char *again = rerun(&world, id, "'from':[{'jobId':'scenes'}]");
    const Callsheet__V1__Execution *execution = world_await(&world, again);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_int_equal(execution->n_jobs, 5);
    assert_int_equal(world_events(&world, again, ORC_EVENT_APPENDED), 1);
    assert_int_equal(world_events(&world, again, ORC_EVENT_REUSED), 0);
    world_stop(&world);
    scripted_stop(worker);
}

/* Killed at each commit of a map's life in turn: it expands once, and each item has one winner. */
TEST(e3_a_map_survives_kill_9_at_each_of_its_commits) {
    for (int nth = 1; nth <= 6; nth++) {
        AUTO_WORLD world = {0};
        world_open(&world, NULL);
        struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.automatic = true, .slots = 8});
        char crash[64];
        (void)snprintf(crash, sizeof(crash), "orchestrator.after_commit:%d", nth);
        world.config.crash_at = crash;
        world_start_program(&world);
        const ProtobufCMessage *reply = NULL;
        struct cs_err err = {0};
        ProtobufCMessage *create =
            request_of(&world, &callsheet__v1__create_execution_request__descriptor,
                       "{'tenant':'acme','idempotencyKey':'once','plan':{'jobs':[{'id':'m','operation':{'map':{'items':"
                       "['1','2','3','4'],'job':'{\\\"operation\\\":{\\\"noop\\\":{}}}'}}},"
                       "{'id':'end','operation':{'noop':{}},'dependsOn':['m']}]}}");
        (void)!world_try(&world, "CreateExecution", create, &reply, &err);
        if (nth <= 5) {
            (void)cs_test_program_wait(&world.program); /* killed */
        }
        world_kill_program(&world);
        world.config.crash_at = "";
        world_start_program(&world);
        assert_ok(world_try(&world, "CreateExecution", create, &reply, &err), &err);
        const char *id = ((const Callsheet__V1__CreateExecutionReply *)reply)->execution_id;
        const Callsheet__V1__Execution *execution = world_await(&world, id);
        assert_int_equal(execution->state, STATE(COMPLETED));
        assert_int_equal(execution->n_jobs, 6);
        assert_int_equal(world_events(&world, id, ORC_EVENT_APPENDED), 1);
        assert_int_equal(world_events(&world, id, ORC_EVENT_SUCCEEDED), 6);
        assert_int_equal(world_stuck_count(&world), 0);
        assert_int_equal(world_stop_program(&world), 0);
        scripted_stop(worker);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(appended_jobs_run_and_are_there_after_a_restart),
        CS_TEST(an_append_is_told_apart_by_its_ids_and_takes_all_or_nothing),
        CS_TEST(e12_what_has_not_started_can_be_edited_and_removed),
        CS_TEST(e5_ex_022_ex_023_a_map_renders_its_items_side_by_side_and_a_merge_takes_them_in_order),
        CS_TEST(ex_024_e7_items_that_failed_are_left_out_of_what_a_map_gives),
        CS_TEST(a_map_that_does_not_skip_ends_with_its_first_bad_item_and_stops_the_others),
        CS_TEST(a_map_takes_the_outputs_of_a_job_as_its_items),
        CS_TEST(a_map_is_checked_with_all_its_items_when_it_is_submitted),
        CS_TEST(ex_019_ex_020_e2_an_item_that_is_made_anew_is_rendered_and_what_depends_on_it_too),
        CS_TEST(a_map_that_begins_again_makes_its_items_anew),
        CS_TEST(e3_a_map_survives_kill_9_at_each_of_its_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
