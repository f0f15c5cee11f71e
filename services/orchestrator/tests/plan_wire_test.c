#include "wire/plan_wire.h"

#include <string.h>

#include "cs/rpc.h"
#include "cs/test.h"
#include "requests.h"

static const struct cs_trace trace = {.trace_id = {1}, .span_id = {2}, .flags = 1};

static struct orc_submission *accept(const char *text) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_submission *submission = NULL;
    struct cs_err err = {0};
    assert_ok(orc_submission_from(request_from(text, arena), &trace, &submission, &err), &err);
    return submission; /* the request is gone: nothing may point into it */
}

TEST(sy_021_sy_022_sy_025_w4_each_bad_request_is_refused_with_its_path) {
    for (size_t i = 0; i < bad_request_count; i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        const struct bad_request *bad = &bad_requests[i];
        struct orc_submission *submission = NULL;
        struct cs_err err = {0};
        enum cs_status status = orc_submission_from(bad_request_make(bad, arena), &trace, &submission, &err);
        if (status != CS_INVALID_ARGUMENT || strcmp(err.reason, bad->reason) != 0 || strcmp(err.path, bad->path) != 0) {
            fail_msg("%s: got %s \"%s\" at \"%s\" (%s), wanted \"%s\" at \"%s\"", bad->what, cs_status_name(status),
                     err.reason, err.path, err.message, bad->reason, bad->path);
        }
        assert_true(err.message[0] != '\0');
        assert_null(submission);
    }
}

TEST(sy_023_w4_a_cycle_is_told_with_its_jobs) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_submission *submission = NULL;
    struct cs_err err = {0};
    Callsheet__V1__CreateExecutionRequest *request =
        request_from("{'tenant':'t','plan':{'jobs':[{'id':'x','operation':{'noop':{}}},"
                     "{'id':'a','operation':{'noop':{}},'dependsOn':['x','c']},"
                     "{'id':'b','operation':{'noop':{}},'dependsOn':['a']},"
                     "{'id':'c','operation':{'noop':{}},'dependsOn':['b']}]}}",
                     arena);
    assert_fails(orc_submission_from(request, &trace, &submission, &err), &err, CS_INVALID_ARGUMENT, "cycle");
    assert_non_null(strstr(err.message, " -> "));
    assert_non_null(strstr(err.message, "b"));
}

TEST(a_plan_tells_the_order_of_its_jobs) {
    CS_AUTO(orc_submission) *submission =
        accept("{'tenant':'t','plan':{'priority':7,'jobs':["
               "{'id':'a','operation':{'noop':{}}},"
               "{'id':'b','operation':{'noop':{}},'priority':0,'concurrencyKey':'gpu'},"
               "{'id':'c','operation':{'generateVideo':{'prompt':'a dog','provider':'replicate'}},"
               "'concurrencyKey':'gpu','concurrencyLimit':3}]}}");
    const struct orc_plan_job *jobs = submission->plan->jobs;
    assert_int_equal(jobs[0].priority, 7);
    assert_null(jobs[0].concurrency_key);
    assert_null(jobs[0].provider);
    assert_int_equal(jobs[1].priority, 0);
    assert_string_equal(jobs[1].concurrency_key, "gpu");
    assert_int_equal(jobs[1].concurrency_limit, 1);
    assert_int_equal(jobs[2].concurrency_limit, 3);
    assert_string_equal(jobs[2].provider, "replicate");
}

TEST(what_a_job_gives_beside_its_main_output_can_be_taken) {
    CS_AUTO(orc_submission) *submission = accept(
        "{'tenant':'t','plan':{'jobs':["
        "{'id':'s','operation':{'reframe':{'video':{'url':'https://e.com/"
        "v.mp4'},'aspectRatio':'9:16','mode':'smart'}}},"
        "{'id':'r','operation':{'reframe':{'video':{'url':'https://e.com/v.mp4'},'aspectRatio':'9:16','mode':'smart',"
        "'path':{'job':'s'}}}},"
        "{'id':'c','operation':{'addSubtitles':{'video':{'job':'s'},'text':'hi','subtitleFiles':true}}},"
        "{'id':'d','operation':{'addSubtitles':{'video':{'job':'r'},'transcript':{'job':'c'}}}}]}}");
    const struct orc_plan *plan = submission->plan;
    assert_int_equal(plan->jobs[0].more_type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_REFRAME_PATH);
    assert_int_equal(plan->jobs[1].inputs[1].job, 0);
    assert_int_equal(plan->jobs[3].inputs[1].job, 2);
}

TEST(a_diamond_becomes_a_graph) {
    CS_AUTO(orc_submission) *submission = accept(DIAMOND);
    const struct orc_plan *plan = submission->plan;
    assert_int_equal(plan->job_count, 4);
    assert_int_equal(plan->edge_count, 4);
    assert_string_equal(plan->jobs[3].id, "d");
    assert_int_equal(plan->jobs[3].priority, ORC_PRIORITY_DEFAULT);
    assert_int_equal(plan->jobs[3].parent_count, 2);
    assert_int_equal(plan->jobs[0].child_count, 2);
    assert_string_equal(plan->jobs[0].operation->name, "noop");
    assert_false(plan->jobs[0].operation->paid);
    assert_string_equal(submission->tenant, "acme");
    assert_string_equal(submission->idempotency_key, "");
    assert_int_equal(submission->timeout_ms, ORC_TIMEOUT_MS_DEFAULT);
    assert_false(submission->has_webhook);
    assert_memory_equal(&submission->trace, &trace, sizeof(trace));
}

TEST(sy_065_a_reference_becomes_an_edge_and_a_numbered_input) {
    CS_AUTO(orc_submission) *submission = accept(PICTURE);
    const struct orc_plan_job *job = &submission->plan->jobs[1];
    assert_int_equal(job->parent_count, 1);
    assert_int_equal(job->input_count, 1);
    assert_int_equal(job->inputs[0].job, 0);
    assert_null(job->inputs[0].url);
    assert_int_equal(job->inputs[0].accepts, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO);
    assert_string_equal(job->output, "$r");
    assert_true(submission->plan->jobs[0].operation->paid);

    struct cs_err err = {0};
    ProtobufCMessage *message = NULL;
    assert_ok(
        cs_rpc_message_unpack(&callsheet__v1__operation__descriptor, job->params, job->params_size, &message, &err),
        &err);
    const Callsheet__V1__Operation *operation = (const Callsheet__V1__Operation *)message;
    assert_int_equal(operation->reframe->video->input, 1);
    cs_rpc_message_free(message);
}

TEST(an_input_number_of_the_client_is_overwritten) {
    CS_AUTO(orc_submission) *submission = accept(
        "{'tenant':'acme','plan':{'jobs':[{'id':'m','operation':{'merge':{'items':["
        "{'media':{'url':'https://e.com/a.mp4','input':9}},{'media':{'url':'https://e.com/b.mp4','input':9}}]}}}]}}");
    const struct orc_plan_job *job = &submission->plan->jobs[0];
    assert_int_equal(job->input_count, 2);
    assert_string_equal(job->inputs[1].url, "https://e.com/b.mp4");
    struct cs_err err = {0};
    ProtobufCMessage *message = NULL;
    assert_ok(
        cs_rpc_message_unpack(&callsheet__v1__operation__descriptor, job->params, job->params_size, &message, &err),
        &err);
    const Callsheet__V1__Merge *merge = ((const Callsheet__V1__Operation *)message)->merge;
    assert_int_equal(merge->items[0]->media->input, 1);
    assert_int_equal(merge->items[1]->media->input, 2);
    cs_rpc_message_free(message);
}

TEST(the_envelope_has_all_but_the_plan) {
    CS_AUTO(orc_submission) *submission = accept(PICTURE);
    assert_null(submission->envelope->plan);
    assert_true(submission->has_webhook);
    assert_string_equal(submission->envelope->webhook->url, "https://example.com/hook");
    assert_string_equal(submission->envelope->webhook->secret, "s3cret");
    assert_int_equal(submission->envelope->n_labels, 1);
    assert_string_equal(submission->envelope->labels[0]->value, "blue");
}

TEST(the_same_request_has_the_same_digest_and_another_has_not) {
    CS_AUTO(orc_submission) *first = accept(PICTURE);
    CS_AUTO(orc_submission) *again = accept(PICTURE);
    CS_AUTO(orc_submission) *other = accept(DIAMOND);
    assert_memory_equal(first->request_sha256, again->request_sha256, 32);
    assert_memory_not_equal(first->request_sha256, other->request_sha256, 32);
}

TEST(sy_012_a_stored_request_gives_the_same_plan_again) {
    CS_AUTO(orc_submission) *submission = accept(PICTURE);
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const Callsheet__V1__CreateExecutionRequest *envelope = NULL;
    struct orc_plan *plan = NULL;
    struct cs_err err = {0};
    assert_ok(orc_plan_from_request(submission->request, submission->request_size, arena, &envelope, &plan, &err),
              &err);
    assert_int_equal(plan->job_count, submission->plan->job_count);
    assert_int_equal(plan->edge_count, submission->plan->edge_count);
    for (uint32_t i = 0; i < plan->job_count; i++) {
        assert_string_equal(plan->jobs[i].id, submission->plan->jobs[i].id);
        assert_ptr_equal(plan->jobs[i].operation, submission->plan->jobs[i].operation);
        assert_int_equal(plan->jobs[i].params_size, submission->plan->jobs[i].params_size);
        assert_memory_equal(plan->jobs[i].params, submission->plan->jobs[i].params, plan->jobs[i].params_size);
    }
    assert_string_equal(envelope->webhook->url, "https://example.com/hook");
    assert_string_equal(envelope->webhook->secret, "s3cret");
    assert_null(envelope->plan);
}

TEST(a_stored_request_that_is_damaged_is_data_loss) {
    CS_AUTO(orc_submission) *submission = accept(DIAMOND);
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const Callsheet__V1__CreateExecutionRequest *envelope = NULL;
    struct orc_plan *plan = NULL;
    struct cs_err err = {0};
    assert_fails(
        orc_plan_from_request(submission->request, submission->request_size - 1, arena, &envelope, &plan, &err), &err,
        CS_DATA_LOSS, "bad_request_row");
    assert_fails(orc_plan_from_request("", 0, arena, &envelope, &plan, &err), &err, CS_DATA_LOSS, "bad_request_row");
}

TEST(an_empty_plan_and_the_biggest_timeout_are_accepted) {
    CS_AUTO(orc_submission) *submission = accept("{'tenant':'acme','plan':{},'timeoutMs':2592000000}");
    assert_int_equal(submission->plan->job_count, 0);
    assert_int_equal(submission->timeout_ms, INT64_C(2592000000));
}

TEST(sy_024_w4_a_dependency_may_come_later_in_the_list) {
    CS_AUTO(orc_submission) *submission =
        accept("{'tenant':'acme','plan':{'jobs':[{'id':'late','operation':{'noop':{}},'dependsOn':['early']},"
               "{'id':'early','operation':{'noop':{}}}],'rootJobIds':['early']}}");
    assert_int_equal(submission->plan->jobs[0].parents[0], 1);
}

TEST(every_operation_of_the_catalogue_has_a_policy) {
    const struct orc_operation *merge = orc_operation_by_name("merge");
    assert_non_null(merge);
    assert_ptr_equal(merge, orc_operation_by_case(CALLSHEET__V1__OPERATION__PARAMS_MERGE));
    assert_true(merge->timeout_ms > 0);
    assert_true(merge->retry[ORC_FAILURE_TRANSIENT].attempts_max > 1);
    assert_int_equal(merge->retry[ORC_FAILURE_INVALID_INPUT].attempts_max, 1);
    assert_non_null(orc_operation_by_name("deliverWebhook"));
    assert_null(orc_operation_by_name("teleport"));
    assert_null(orc_operation_by_case(CALLSHEET__V1__OPERATION__PARAMS__NOT_SET));
}

TEST_MAIN(CS_TEST(sy_021_sy_022_sy_025_w4_each_bad_request_is_refused_with_its_path),
          CS_TEST(sy_023_w4_a_cycle_is_told_with_its_jobs),
          CS_TEST(what_a_job_gives_beside_its_main_output_can_be_taken), CS_TEST(a_diamond_becomes_a_graph),
          CS_TEST(a_plan_tells_the_order_of_its_jobs), CS_TEST(sy_065_a_reference_becomes_an_edge_and_a_numbered_input),
          CS_TEST(an_input_number_of_the_client_is_overwritten), CS_TEST(the_envelope_has_all_but_the_plan),
          CS_TEST(the_same_request_has_the_same_digest_and_another_has_not),
          CS_TEST(sy_012_a_stored_request_gives_the_same_plan_again),
          CS_TEST(a_stored_request_that_is_damaged_is_data_loss),
          CS_TEST(an_empty_plan_and_the_biggest_timeout_are_accepted),
          CS_TEST(sy_024_w4_a_dependency_may_come_later_in_the_list),
          CS_TEST(every_operation_of_the_catalogue_has_a_policy))
