#include "wire/execution_wire.h"

#include <jansson.h>

#include "cs/base/id.h"
#include "cs/link.h"
#include "domain/fsm.h"
#include "life.h"
#include "wire/assign_wire.h"
#include "wire/page_token.h"
#include "wire/webhook_wire.h"

#define VIDEO CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO
#define IMAGE CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE
#define AUDIO CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO
#define TRANSCRIPT CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT
#define NOTHING CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED

/* ---- executions ---- */

static const Callsheet__V1__Progress *half(__attribute__((unused)) const struct orc_execution *execution,
                                           __attribute__((unused)) uint32_t job, void *ctx) {
    return ctx;
}

static Callsheet__V1__Execution *seen(const struct life *life, struct cs_arena *arena) {
    static Callsheet__V1__Progress progress;
    callsheet__v1__progress__init(&progress);
    progress.fraction = 0.5;
    const struct orc_execution_view view = {
        .execution = life->execution,
        .envelope = life->submission->envelope,
        .all_jobs = true,
        .progress = half,
        .progress_ctx = &progress,
    };
    Callsheet__V1__Execution *execution = NULL;
    struct cs_err err = {0};
    assert_ok(orc_execution_to_wire(&view, arena, &execution, &err), &err);
    assert_true(protobuf_c_message_check(&execution->base)); /* it can be packed */
    return execution;
}

TEST(sy_013_sy_152_a_new_execution_shows_its_plan_in_its_order) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, PICTURE);
    const Callsheet__V1__Execution *execution = seen(&life, arena);
    assert_string_equal(execution->id, "execution000000000001");
    assert_string_equal(execution->tenant, "acme");
    assert_int_equal(execution->created_at_ms, LIFE_BEGAN_MS);
    assert_int_equal(execution->n_jobs, 2);
    assert_string_equal(execution->jobs[1]->operation, "reframe");
    assert_string_equal(execution->jobs[1]->output, "$r");
    assert_int_equal(execution->jobs[1]->state, CALLSHEET__V1__JOB_STATE__JOB_STATE_WAITING);
    assert_int_equal(execution->jobs[1]->n_depends_on, 1);
    assert_string_equal(execution->jobs[1]->depends_on[0], "g");
    assert_null(execution->jobs[1]->progress);
    assert_int_equal(execution->n_labels, 1);
    assert_string_equal(execution->result_job_id, "");
    assert_string_equal(execution->delivery->event_id, "evt_execution000000000001");
    assert_int_equal(execution->delivery->state, CALLSHEET__V1__DELIVERY_STATE__DELIVERY_STATE_UNSPECIFIED);
}

TEST(sy_035_a_running_job_shows_its_progress) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, DIAMOND);
    life_assign(&life, 0);
    const Callsheet__V1__Execution *execution = seen(&life, arena);
    assert_int_equal(execution->state, CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_PROCESSING);
    assert_int_equal(execution->jobs[0]->state, CALLSHEET__V1__JOB_STATE__JOB_STATE_RUNNING);
    assert_int_equal(execution->jobs[0]->attempt, 1);
    assert_true(execution->jobs[0]->progress->fraction == 0.5);
    assert_null(execution->delivery);
}

TEST(a_finished_execution_shows_outputs_and_result) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, PICTURE);
    life_assign(&life, 0);
    life_succeed(&life, 0, VIDEO);
    life_assign(&life, 1);
    life_succeed(&life, 1, VIDEO);
    const Callsheet__V1__Execution *execution = seen(&life, arena);
    assert_int_equal(execution->state, CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED);
    assert_string_equal(execution->result_job_id, "r");
    assert_int_equal(execution->jobs[0]->n_outputs, 1);
    assert_string_equal(execution->jobs[0]->outputs[0]->key, "dev/acme/e/g/1-aaaa/out.mp4");
    assert_string_equal(execution->jobs[0]->metrics[0]->name, "speed");
    assert_null(execution->jobs[0]->progress);
    assert_int_equal(execution->revision, life.execution->seq);
    assert_int_equal(execution->completed_at_ms, life.now_ms);
    assert_int_equal(execution->delivery->state, CALLSHEET__V1__DELIVERY_STATE__DELIVERY_STATE_PENDING);
    assert_true(execution->delivery->next_try_at_ms > 0);
}

TEST(a_failed_execution_shows_why) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, PICTURE);
    life_assign(&life, 0);
    life_fail(&life, 0, ORC_FAILURE_INVALID_INPUT, "bad_prompt", "the prompt is empty");
    const Callsheet__V1__Execution *execution = seen(&life, arena);
    assert_int_equal(execution->state, CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_FAILED);
    assert_string_equal(execution->jobs[0]->error->code, "bad_prompt");
    assert_string_equal(execution->jobs[0]->error->message, "the prompt is empty");
    assert_int_equal(execution->jobs[0]->error->failure_class,
                     CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT);
    assert_int_equal(execution->jobs[1]->state, CALLSHEET__V1__JOB_STATE__JOB_STATE_SKIPPED);
    assert_true(execution->error[0] != '\0');
}

TEST(only_the_jobs_that_are_asked_for_are_shown) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, DIAMOND);
    const uint32_t jobs[] = {3, 1};
    const struct orc_execution_view view = {.execution = life.execution, .jobs = jobs, .job_count = 2};
    Callsheet__V1__Execution *execution = NULL;
    struct cs_err err = {0};
    assert_ok(orc_execution_to_wire(&view, arena, &execution, &err), &err);
    assert_int_equal(execution->n_jobs, 2);
    assert_string_equal(execution->jobs[0]->id, "d");
    assert_string_equal(execution->jobs[1]->id, "b");
}

TEST(a_result_that_does_not_unpack_is_data_loss) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, PICTURE);
    life_assign(&life, 0);
    life_step(&life, (struct orc_event){
                         .kind = ORC_EVENT_SUCCEEDED, .job = 0, .attempt = 1, .payload = "\xff", .payload_size = 1});
    const struct orc_execution_view view = {.execution = life.execution, .all_jobs = true};
    Callsheet__V1__Execution *execution = NULL;
    struct cs_err err = {0};
    assert_fails(orc_execution_to_wire(&view, arena, &execution, &err), &err, CS_DATA_LOSS, "bad_result");
}

/* ---- assignments ---- */

static const struct orc_assign_context context = {
    .environment = "test",
    .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
};

TEST(sy_011_an_assignment_has_what_the_worker_needs) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, PICTURE);
    life_assign(&life, 0);
    life_succeed(&life, 0, VIDEO);
    life_assign(&life, 1);
    Callsheet__V1__WorkCommand *command = NULL;
    struct cs_err err = {0};
    assert_ok(orc_assign_job(life.execution, 1, &context, arena, &command, &err), &err);
    const Callsheet__V1__Assign *assign = command->assign;
    assert_int_equal(command->fence.len, ORC_FENCE_BYTES);
    assert_memory_equal(command->fence.data, life.execution->jobs[1].fence, ORC_FENCE_BYTES);
    assert_string_equal(assign->tenant, "acme");
    assert_string_equal(assign->execution, life.execution->id);
    assert_string_equal(assign->job, "r");
    assert_int_equal(assign->attempt, 1);
    assert_int_equal(assign->deadline_ms, life.execution->jobs[1].deadline_ms);
    assert_string_equal(assign->traceparent, context.traceparent);
    assert_string_equal(assign->output_prefix, "test/acme/execution000000000001/r/1-a1a1a1a1/");
    assert_string_equal(assign->operation->reframe->aspect_ratio, "9:16");
    assert_int_equal(assign->operation->reframe->video->input, 1);
    assert_int_equal(assign->n_inputs, 1);
    assert_string_equal(assign->inputs[0]->artifact->key, "dev/acme/e/g/1-aaaa/out.mp4");
    assert_int_equal(assign->checkpoint.len, 0);
    assert_true(protobuf_c_message_check(&command->base));
}

TEST(an_assignment_carries_the_last_checkpoint) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, PICTURE);
    life_assign(&life, 0);
    life_step(&life,
              (struct orc_event){
                  .kind = ORC_EVENT_CHECKPOINT, .job = 0, .attempt = 1, .payload = "submitted 7", .payload_size = 11});
    life_step(&life, (struct orc_event){.kind = ORC_EVENT_LOST, .job = 0, .attempt = 1});
    life_step(&life, (struct orc_event){.kind = ORC_EVENT_ASSIGNED, .job = 0});
    Callsheet__V1__WorkCommand *command = NULL;
    struct cs_err err = {0};
    assert_ok(orc_assign_job(life.execution, 0, &context, arena, &command, &err), &err);
    assert_int_equal(command->assign->attempt, 2);
    assert_int_equal(command->assign->checkpoint.len, 11);
    assert_memory_equal(command->assign->checkpoint.data, "submitted 7", 11);
}

TEST(a_url_goes_to_the_worker_as_it_is) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, "{'tenant':'acme','plan':{'jobs':[{'id':'r','operation':{'reframe':"
                      "{'video':{'url':'https://e.com/v.mp4'},'aspectRatio':'1:1'}}}]}}");
    life_assign(&life, 0);
    Callsheet__V1__WorkCommand *command = NULL;
    struct cs_err err = {0};
    assert_ok(orc_assign_job(life.execution, 0, &context, arena, &command, &err), &err);
    assert_string_equal(command->assign->inputs[0]->url, "https://e.com/v.mp4");
}

TEST(sy_066_a_parent_without_a_fitting_output_is_named) {
    const Callsheet__V1__MediaType wrong[] = {NOTHING, AUDIO, IMAGE};
    for (size_t i = 0; i < CS_COUNT(wrong); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        AUTO_LIFE life = {0};
        life_begin(&life, PICTURE);
        life_assign(&life, 0);
        life_succeed(&life, 0, wrong[i]);
        life_assign(&life, 1);
        Callsheet__V1__WorkCommand *command = NULL;
        struct cs_err err = {0};
        assert_fails(orc_assign_job(life.execution, 1, &context, arena, &command, &err), &err, CS_INVALID_ARGUMENT,
                     "input_missing");
        assert_non_null(strstr(err.message, "\"g\""));
    }
}

TEST(any_picture_or_sound_fits_where_the_type_is_open) {
    assert_true(orc_media_fits(VIDEO, NOTHING));
    assert_true(orc_media_fits(IMAGE, NOTHING));
    assert_true(orc_media_fits(AUDIO, NOTHING));
    assert_false(orc_media_fits(TRANSCRIPT, NOTHING));
    assert_false(orc_media_fits(NOTHING, NOTHING));
    assert_true(orc_media_fits(TRANSCRIPT, TRANSCRIPT));
    assert_false(orc_media_fits(VIDEO, IMAGE));
}

TEST(x8_a_delivery_repeats_event_and_body) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, "{'tenant':'acme','plan':{},'webhook':{'url':'https://e.com/h','secret':'s'}}");
    struct orc_event assigned = {.kind = ORC_EVENT_DELIVERY_ASSIGNED};
    memset(assigned.fence, 7, sizeof(assigned.fence));
    life_step(&life, assigned);
    const Callsheet__V1__WorkCommand *command =
        orc_assign_delivery(life.execution, life.submission->envelope->webhook, "{}", 2, &context, arena);
    const Callsheet__V1__DeliverWebhook *deliver = command->assign->operation->deliver_webhook;
    assert_memory_equal(command->fence.data, assigned.fence, ORC_FENCE_BYTES);
    assert_string_equal(command->assign->job, ORC_DELIVERY_JOB);
    assert_false(cs_id_valid(ORC_DELIVERY_JOB, 128)); /* no job of a plan has this id */
    assert_int_equal(command->assign->deadline_ms, life.execution->delivery.deadline_ms);
    assert_int_equal(deliver->tries, 1);
    assert_string_equal(deliver->url, "https://e.com/h");
    assert_string_equal(deliver->secret, "s");
    assert_string_equal(deliver->event_id, "evt_execution000000000001");
    assert_memory_equal(deliver->body.data, "{}", 2);
    assert_true(protobuf_c_message_check(&command->base));
}

/* ---- the webhook ---- */

static const struct orc_webhook_context hook = {
    .public_url = "https://media.example.com",
    .link_secret = "0123456789abcdef",
    .now_ms = 1700000000000,
};

static json_t *told(const struct life *life, struct cs_arena *arena) {
    const char *body = NULL;
    size_t size = 0;
    struct cs_err err = {0};
    assert_ok(orc_webhook_body(life->execution, &hook, arena, &body, &size, &err), &err);
    assert_true(size <= ORC_WEBHOOK_BODY_BYTES_MAX);
    json_t *json = json_loadb(body, size, 0, NULL);
    assert_non_null(json);
    return json;
}

static const char *word(const json_t *json, const char *key) {
    const char *text = json_string_value(json_object_get(json, key));
    return text != NULL ? text : "(none)";
}

TEST(sy_108_sy_109_the_webhook_of_a_completed_execution_has_links) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, PICTURE);
    life_assign(&life, 0);
    life_succeed(&life, 0, VIDEO);
    life_assign(&life, 1);
    life_succeed(&life, 1, VIDEO);
    json_t *json = told(&life, arena);
    char *link = cs_link_make(hook.public_url, hook.link_secret, "dev/acme/e/r/1-aaaa/out.mp4",
                              1700000000 + ORC_WEBHOOK_LINK_LIFE_S, arena);
    const json_t *output = json_object_get(json_object_get(json, "outputs"), "g");
    assert_string_equal(word(json, "executionId"), "execution000000000001");
    assert_string_equal(word(json, "status"), "completed");
    assert_string_equal(word(json, "rootUrl"), link);
    assert_string_equal(word(json_object_get(json, "result"), "url"), link);
    assert_string_equal(word(json_object_get(json, "result"), "status"), "completed");
    assert_string_equal(word(output, "operation"), "generateVideo");
    assert_true(json_is_null(json_object_get(json, "error")));
    assert_string_equal(word(json, "createdAt"), "1970-01-01T00:16:40.000Z");
    assert_true(json_is_string(json_object_get(json, "completedAt")));
    assert_null(json_object_get(json, "failedAt"));
    assert_null(json_object_get(json, "outputsTruncated"));
    json_decref(json);
}

TEST(sy_109_w6_the_webhook_of_a_failed_execution_has_its_error) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, PICTURE);
    life_assign(&life, 0);
    life_succeed(&life, 0, VIDEO);
    life_assign(&life, 1);
    life_fail(&life, 1, ORC_FAILURE_INVALID_INPUT, "bad", "no picture in it");
    json_t *json = told(&life, arena);
    assert_string_equal(word(json, "status"), "failed");
    assert_true(json_is_null(json_object_get(json, "result")));
    assert_true(json_is_null(json_object_get(json, "rootUrl")));
    assert_non_null(strstr(word(json, "error"), "no picture in it"));
    assert_true(json_is_string(json_object_get(json, "failedAt")));
    assert_int_equal(json_object_size(json_object_get(json, "outputs")), 1); /* what did complete */
    json_decref(json);
}

TEST(the_webhook_of_a_cancelled_execution_says_so) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    AUTO_LIFE life = {0};
    life_begin(&life, PICTURE);
    life_step(&life, (struct orc_event){.kind = ORC_EVENT_CANCEL, .message = "not wanted"});
    json_t *json = told(&life, arena);
    assert_string_equal(word(json, "status"), "cancelled");
    assert_int_equal(json_object_size(json_object_get(json, "outputs")), 0);
    json_decref(json);
}

TEST(a_webhook_that_would_be_too_big_leaves_out_the_single_outputs) {
    enum { JOBS = 2000 };
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    CS_AUTO_BUF text = {0};
    cs_buf_puts(&text, "{'tenant':'acme','plan':{'jobs':[");
    for (int i = 0; i < JOBS; i++) {
        cs_buf_printf(&text, "%s{'id':'j%d','operation':{'noop':{}}}", i > 0 ? "," : "", i);
    }
    cs_buf_puts(&text, "]},'webhook':{'url':'https://e.com/h'}}");
    AUTO_LIFE life = {0};
    life_begin(&life, text.data);
    for (uint32_t i = 0; i < JOBS; i++) {
        life_assign(&life, i);
        life_succeed(&life, i, VIDEO);
    }
    json_t *json = told(&life, arena);
    assert_int_equal(json_object_size(json_object_get(json, "outputs")), 0);
    assert_true(json_is_true(json_object_get(json, "outputsTruncated")));
    assert_non_null(strstr(word(json, "rootUrl"), "/artifacts/"));
    json_decref(json);
}

/* ---- page tokens ---- */

TEST(a_page_token_comes_back_as_it_was) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_page_start start;
    struct cs_err err = {0};
    assert_ok(orc_page_token_parse(orc_page_token_format(1234567, "abcDEF123", arena), &start, &err), &err);
    assert_int_equal(start.before_ms, 1234567);
    assert_string_equal(start.before_id, "abcDEF123");
    assert_ok(orc_page_token_parse("", &start, &err), &err);
    assert_string_equal(start.before_id, "");
}

TEST(a_forged_page_token_is_refused) {
    /* no base64, another version, no id, no time, an id that none is, a NUL inside */
    const char *const forged[] = {
        "%%%", "x", "MjoxOmFiYw==", "MToxMjM=", "MTo6YWJj", "MToxOi8u", "MToxOmEAYg==", "MToxOg=="};
    for (size_t i = 0; i < CS_COUNT(forged); i++) {
        struct orc_page_start start;
        struct cs_err err = {0};
        assert_fails(orc_page_token_parse(forged[i], &start, &err), &err, CS_INVALID_ARGUMENT, "bad_page_token");
        assert_string_equal(err.path, "pageToken");
    }
}

TEST_MAIN(CS_TEST(sy_013_sy_152_a_new_execution_shows_its_plan_in_its_order),
          CS_TEST(sy_035_a_running_job_shows_its_progress), CS_TEST(a_finished_execution_shows_outputs_and_result),
          CS_TEST(a_failed_execution_shows_why), CS_TEST(only_the_jobs_that_are_asked_for_are_shown),
          CS_TEST(a_result_that_does_not_unpack_is_data_loss), CS_TEST(sy_011_an_assignment_has_what_the_worker_needs),
          CS_TEST(an_assignment_carries_the_last_checkpoint), CS_TEST(a_url_goes_to_the_worker_as_it_is),
          CS_TEST(sy_066_a_parent_without_a_fitting_output_is_named),
          CS_TEST(any_picture_or_sound_fits_where_the_type_is_open), CS_TEST(x8_a_delivery_repeats_event_and_body),
          CS_TEST(sy_108_sy_109_the_webhook_of_a_completed_execution_has_links),
          CS_TEST(sy_109_w6_the_webhook_of_a_failed_execution_has_its_error),
          CS_TEST(the_webhook_of_a_cancelled_execution_says_so),
          CS_TEST(a_webhook_that_would_be_too_big_leaves_out_the_single_outputs),
          CS_TEST(a_page_token_comes_back_as_it_was), CS_TEST(a_forged_page_token_is_refused))
