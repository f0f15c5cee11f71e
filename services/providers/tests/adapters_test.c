/* COVERS adapters/adapter.c adapters/local.c adapters/replicate.c adapters/replicate_input.c: pure, with recorded
 * shapes. */
#include <stdio.h>
#include <string.h>

#include "adapters/adapter.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "cs/test.h"

static struct prv_answer answer(int status, const char *body) {
    return (struct prv_answer){.status = status, .body = body, .body_size = strlen(body)};
}

static struct prv_outcome submitted(const struct prv_adapter *adapter, int status, const char *body) {
    struct prv_outcome outcome = {0};
    struct prv_answer made = answer(status, body);
    adapter->submitted(&made, &outcome);
    return outcome;
}

static struct prv_snapshot polled(const struct prv_adapter *adapter, int status, const char *body) {
    struct prv_snapshot snapshot = {0};
    struct prv_answer made = answer(status, body);
    adapter->polled(&made, &snapshot);
    return snapshot;
}

struct video_job {
    Callsheet__V1__GenerateVideo params;
    Callsheet__V1__Operation operation;
    Google__Protobuf__DoubleValue duration;
    Google__Protobuf__Int64Value seed;
    Callsheet__V1__MediaRef start, end;
    const char *inputs[2];
    struct prv_job job;
};

static void video_job(struct video_job *made, const char *model) {
    callsheet__v1__generate_video__init(&made->params);
    callsheet__v1__operation__init(&made->operation);
    google__protobuf__double_value__init(&made->duration);
    google__protobuf__int64_value__init(&made->seed);
    callsheet__v1__media_ref__init(&made->start);
    callsheet__v1__media_ref__init(&made->end);
    made->start.input = 1;
    made->end.input = 2;
    made->params.prompt = (char *)"a fox";
    made->operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_GENERATE_VIDEO;
    made->operation.generate_video = &made->params;
    made->inputs[0] = "https://s/i.png";
    made->inputs[1] = "https://s/e.png";
    made->job = (struct prv_job){.operation = &made->operation,
                                 .model = model,
                                 .key = "e/j/1",
                                 .inputs = made->inputs,
                                 .input_count = 2,
                                 .intent_unix_ms = 1767225600000};
}

static void assert_body(const struct prv_call *call, const char *wanted) {
    json_t *got = json_loadb(call->body, call->body_size, 0, NULL);
    json_t *want = json_loads(wanted, 0, NULL);
    assert_non_null(got);
    assert_non_null(want);
    if (!json_equal(got, want)) {
        fail_msg("%.*s instead of %s", (int)call->body_size, (const char *)call->body, wanted);
    }
    json_decref(got);
    json_decref(want);
}

/* ---- Replicate: requests ---- */

TEST(sy_133_seedance_gets_our_parameters_under_its_names) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct video_job made;
    struct prv_call call = {0};
    struct cs_err err = {0};
    video_job(&made, "bytedance/seedance-1-pro");
    made.duration.value = 7.6;
    made.seed.value = 42;
    made.params.duration = &made.duration;
    made.params.seed = &made.seed;
    made.params.start_image = &made.start;
    made.params.end_image = &made.end;
    made.params.resolution = (char *)"1080p";
    made.params.camera_motion = CALLSHEET__V1__CAMERA_MOTION__CAMERA_MOTION_FIXED;
    assert_ok(prv_adapter_replicate.submit(&made.job, arena, &call, &err), &err);
    assert_string_equal(call.method, "POST");
    assert_string_equal(call.path, "/predictions");
    assert_body(&call, "{\"version\":\"bytedance/seedance-1-pro\",\"input\":{\"prompt\":\"a fox\",\"duration\":8,"
                       "\"resolution\":\"1080p\",\"aspect_ratio\":\"16:9\",\"image\":\"https://s/i.png\","
                       "\"last_frame_image\":\"https://s/e.png\",\"seed\":42,\"camera_fixed\":true}}");
    made.params.camera_motion = CALLSHEET__V1__CAMERA_MOTION__CAMERA_MOTION_DYNAMIC;
    assert_ok(prv_adapter_replicate.submit(&made.job, arena, &call, &err), &err);
    assert_non_null(strstr(call.body, "\"camera_fixed\":false"));
}

TEST(ex_027_veo_gets_our_parameters_under_its_names) {
    static const int seconds[][2] = {{1, 4}, {5, 4}, {6, 6}, {7, 6}, {8, 8}, {60, 8}};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct video_job made;
    struct prv_call call = {0};
    struct cs_err err = {0};
    video_job(&made, "google/veo-3.1");
    made.params.duration = &made.duration;
    made.params.start_image = &made.start;
    made.params.end_image = &made.end;
    for (size_t i = 0; i < CS_COUNT(seconds); i++) {
        made.duration.value = seconds[i][0];
        assert_ok(prv_adapter_replicate.submit(&made.job, arena, &call, &err), &err);
        assert_body(&call, cs_arena_sprintf(arena,
                                            "{\"version\":\"google/veo-3.1\",\"input\":{\"prompt\":\"a fox\","
                                            "\"duration\":%d,\"resolution\":\"1080p\",\"aspect_ratio\":\"16:9\","
                                            "\"generate_audio\":false,\"image\":\"https://s/i.png\",\"last_frame\":"
                                            "\"https://s/e.png\"}}",
                                            seconds[i][1]));
    }
    made.params.aspect_ratio = (char *)"9:16";
    assert_ok(prv_adapter_replicate.submit(&made.job, arena, &call, &err), &err);
    made.params.aspect_ratio = (char *)"21:9";
    assert_fails(prv_adapter_replicate.submit(&made.job, arena, &call, &err), &err, CS_INVALID_ARGUMENT,
                 "unsupported_parameter");
    assert_string_equal(err.path, "aspectRatio");
}

TEST(ex_028_hailuo_makes_six_seconds_or_ten) {
    static const double seconds[][2] = {{1, 6}, {6, 6}, {8.9, 6}, {9, 10}, {30, 10}};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct video_job made;
    struct prv_call call = {0};
    struct cs_err err = {0};
    video_job(&made, "minimax/hailuo-02");
    assert_ok(prv_adapter_replicate.submit(&made.job, arena, &call, &err), &err);
    assert_body(&call, "{\"version\":\"minimax/hailuo-02\",\"input\":{\"prompt\":\"a fox\",\"duration\":6,"
                       "\"resolution\":\"768p\"}}");
    made.params.duration = &made.duration;
    made.params.start_image = &made.start;
    made.params.end_image = &made.end;
    made.params.resolution = (char *)"1080p";
    for (size_t i = 0; i < CS_COUNT(seconds); i++) {
        made.duration.value = seconds[i][0];
        assert_ok(prv_adapter_replicate.submit(&made.job, arena, &call, &err), &err);
        assert_body(&call, cs_arena_sprintf(arena,
                                            "{\"version\":\"minimax/hailuo-02\",\"input\":{\"prompt\":\"a fox\","
                                            "\"duration\":%d,\"resolution\":\"1080p\",\"first_frame_image\":"
                                            "\"https://s/i.png\",\"last_frame_image\":\"https://s/e.png\"}}",
                                            (int)seconds[i][1]));
    }
    made.params.aspect_ratio = (char *)"9:16"; /* that of the picture */
    assert_fails(prv_adapter_replicate.submit(&made.job, arena, &call, &err), &err, CS_INVALID_ARGUMENT,
                 "unsupported_parameter");
}

TEST(sy_135_m9_replicate_refuses_what_a_model_lacks_instead_of_dropping_it) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct video_job made;
    struct prv_call call = {0};
    struct cs_err err = {0};
    video_job(&made, "minimax/video-01");
    assert_ok(prv_adapter_replicate.submit(&made.job, arena, &call, &err), &err);
    assert_body(&call, "{\"version\":\"minimax/video-01\",\"input\":{\"prompt\":\"a fox\",\"prompt_optimizer\":true}}");
    made.params.duration = &made.duration;
    assert_fails(prv_adapter_replicate.submit(&made.job, arena, &call, &err), &err, CS_INVALID_ARGUMENT,
                 "unsupported_parameter");
    assert_string_equal(err.path, "duration");
    video_job(&made, "nobody/nothing");
    assert_fails(prv_adapter_replicate.submit(&made.job, arena, &call, &err), &err, CS_INVALID_ARGUMENT,
                 "unknown_model");
}

TEST(models_are_found_by_name_or_by_operation) {
    assert_string_equal(prv_adapter_model(&prv_adapter_replicate, "generateVideo", "")->id, "bytedance/seedance-1-pro");
    assert_string_equal(prv_adapter_model(&prv_adapter_replicate, "generateImage", "")->id, "bytedance/seedream-4");
    assert_string_equal(prv_adapter_model(&prv_adapter_replicate, "generateVideo", "google/veo-3.1")->id,
                        "google/veo-3.1");
    assert_null(prv_adapter_model(&prv_adapter_replicate, "generateImage", "google/veo-3.1"));
    assert_null(prv_adapter_model(&prv_adapter_replicate, "generateAudio", ""));
}

TEST(outputs_are_taken_from_the_providers_hosts_only) {
    assert_true(prv_adapter_host_allowed(&prv_adapter_replicate, "replicate.delivery"));
    assert_true(prv_adapter_host_allowed(&prv_adapter_replicate, "pbxt.replicate.delivery"));
    assert_false(prv_adapter_host_allowed(&prv_adapter_replicate, "evilreplicate.delivery"));
    assert_false(prv_adapter_host_allowed(&prv_adapter_replicate, "replicate.delivery.evil.example"));
}

/* ---- Replicate: answers ---- */

TEST(sy_131_replicate_submissions_are_taken_refused_or_unclear) {
    static const struct {
        int status;
        const char *body;
        int kind;
        Callsheet__V1__FailureClass failure_class;
    } rows[] = {
        {201, "{\"id\":\"p1\",\"status\":\"starting\"}", PRV_OUTCOME_ACCEPTED, 0},
        {202, "{\"id\":\"p1\",\"status\":\"starting\"}", PRV_OUTCOME_ACCEPTED, 0},
        {201, "{\"id\":\"../x\"}", PRV_OUTCOME_UNCLEAR, 0},
        {201, "not json", PRV_OUTCOME_UNCLEAR, 0},
        {201, "{}", PRV_OUTCOME_UNCLEAR, 0},
        {500, "", PRV_OUTCOME_UNCLEAR, 0},
        {502, "<html>", PRV_OUTCOME_UNCLEAR, 0},
        {408, "", PRV_OUTCOME_UNCLEAR, 0},
        {401, "{\"detail\":\"no\"}", PRV_OUTCOME_REFUSED, PRV_CLASS(AUTH)},
        {402, "{\"detail\":\"pay\"}", PRV_OUTCOME_REFUSED, PRV_CLASS(BILLING)},
        {404, "", PRV_OUTCOME_REFUSED, PRV_CLASS(INVALID_INPUT)},
        {422, "{\"detail\":\"prompt is required\"}", PRV_OUTCOME_REFUSED, PRV_CLASS(INVALID_INPUT)},
        {429, "{\"detail\":\"Request was throttled.\"}", PRV_OUTCOME_REFUSED, PRV_CLASS(RATE_LIMITED)},
    };
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        struct prv_outcome outcome = submitted(&prv_adapter_replicate, rows[i].status, rows[i].body);
        assert_int_equal(outcome.kind, rows[i].kind);
        assert_int_equal(outcome.failure.failure_class, rows[i].failure_class);
    }
    assert_string_equal(submitted(&prv_adapter_replicate, 201, rows[0].body).id, "p1");
    assert_string_equal(submitted(&prv_adapter_replicate, 401, rows[8].body).failure.sentence,
                        "replicate does not accept the API key; configure another one (HTTP 401): no");
    assert_non_null(
        strstr(submitted(&prv_adapter_replicate, 422, rows[11].body).failure.sentence, "prompt is required"));
}

TEST(replicate_outputs_come_in_three_shapes) {
    static const char *const outputs[] = {"\"https://replicate.delivery/p1/out.mp4\"",
                                          "[\"https://replicate.delivery/p1/out.mp4\",\"https://x/2\"]",
                                          "{\"video\":\"https://replicate.delivery/p1/out.mp4\"}",
                                          "{\"output\":\"https://replicate.delivery/p1/out.mp4\"}"};
    for (size_t i = 0; i < CS_COUNT(outputs); i++) {
        char body[256];
        (void)snprintf(body, sizeof(body), "{\"status\":\"succeeded\",\"output\":%s}", outputs[i]);
        struct prv_snapshot snapshot = polled(&prv_adapter_replicate, 200, body);
        assert_int_equal(snapshot.kind, PRV_SNAPSHOT_DONE);
        assert_string_equal(snapshot.output_url, "https://replicate.delivery/p1/out.mp4");
    }
}

TEST(sy_123_sy_127_replicate_states_have_our_meaning) {
    static const struct {
        int status;
        const char *body;
        int kind;
        Callsheet__V1__FailureClass failure_class;
    } rows[] = {
        {200, "{\"status\":\"starting\"}", PRV_SNAPSHOT_RUNNING, 0},
        {200, "{\"status\":\"processing\"}", PRV_SNAPSHOT_RUNNING, 0},
        {200, "{\"status\":\"warming_up\"}", PRV_SNAPSHOT_RUNNING, 0},
        {200, "{\"status\":\"job_errored\"}", PRV_SNAPSHOT_FAILED, PRV_CLASS(INTERNAL)},
        {200, "{\"status\":\"failed\",\"error\":\"CUDA out of memory\"}", PRV_SNAPSHOT_FAILED, PRV_CLASS(INTERNAL)},
        {200, "{\"status\":\"failed\",\"error\":\"NSFW content detected\"}", PRV_SNAPSHOT_FAILED,
         PRV_CLASS(CONTENT_REJECTED)},
        {200, "{\"status\":\"canceled\"}", PRV_SNAPSHOT_FAILED, PRV_CLASS(INTERNAL)},
        {200, "{\"status\":\"aborted\"}", PRV_SNAPSHOT_FAILED, PRV_CLASS(TIMEOUT)},
        {200, "{\"status\":\"succeeded\",\"output\":null,\"data_removed\":true}", PRV_SNAPSHOT_BARRED,
         PRV_CLASS(INTERNAL)},
        {200, "{\"status\":\"succeeded\",\"output\":null,\"data_removed\":false}", PRV_SNAPSHOT_FAILED,
         PRV_CLASS(INTERNAL)},
        {200, "{\"status\":7}", PRV_SNAPSHOT_UNCLEAR, 0},
        {200, "[]", PRV_SNAPSHOT_UNCLEAR, 0},
        {200, "", PRV_SNAPSHOT_UNCLEAR, 0},
        {429, "", PRV_SNAPSHOT_UNCLEAR, 0},
        {503, "", PRV_SNAPSHOT_UNCLEAR, 0},
        {404, "", PRV_SNAPSHOT_BARRED, PRV_CLASS(INVALID_INPUT)},
        {401, "", PRV_SNAPSHOT_BARRED, PRV_CLASS(AUTH)},
    };
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        struct prv_snapshot snapshot = polled(&prv_adapter_replicate, rows[i].status, rows[i].body);
        if ((int)snapshot.kind != rows[i].kind || snapshot.failure.failure_class != rows[i].failure_class) {
            fail_msg("%d %s", rows[i].status, rows[i].body);
        }
    }
}

static struct prv_outcome found(const struct video_job *made, const char *results) {
    struct prv_outcome outcome = {0};
    char body[2048];
    (void)snprintf(body, sizeof(body), "{\"next\":null,\"previous\":null,\"results\":[%s]}", results);
    struct prv_answer listed = answer(200, body);
    prv_adapter_replicate.found(&made->job, &listed, &outcome);
    return outcome;
}

#define LISTED(id, model, prompt, created)                                                                             \
    "{\"id\":\"" id "\",\"model\":\"" model "\",\"input\":{\"prompt\":\"" prompt "\",\"prompt_optimizer\":true},"      \
    "\"created_at\":\"" created "\"}"

TEST(replicate_finds_a_lost_submission_when_exactly_one_fits) {
    struct video_job made;
    video_job(&made, "minimax/video-01");
    assert_int_equal(found(&made, "").kind, PRV_OUTCOME_ABSENT);
    struct prv_outcome one = found(
        &made,
        LISTED("p0", "minimax/video-01", "a cat", "2026-01-01T00:00:01.000Z") "," LISTED(
            "p1", "minimax/video-01", "a fox",
            "2026-01-01T00:00:01.000Z") "," LISTED("p2", "google/veo-3.1", "a fox",
                                                   "2026-01-01T00:00:01.000Z") "," LISTED("p3", "minimax/video-01",
                                                                                          "a fox",
                                                                                          "2025-12-31T23:50:00.000Z"));
    assert_int_equal(one.kind, PRV_OUTCOME_ACCEPTED);
    assert_string_equal(one.id, "p1");
    assert_false(one.fresh);
    assert_int_equal(found(&made, LISTED("p1", "minimax/video-01", "a fox", "2026-01-01T00:00:01.000Z") "," LISTED(
                                      "p2", "minimax/video-01", "a fox", "2026-01-01T00:00:02.000Z"))
                         .kind,
                     PRV_OUTCOME_UNCLEAR);
    struct prv_outcome outcome = {0};
    struct prv_answer broken = answer(500, "");
    prv_adapter_replicate.found(&made.job, &broken, &outcome);
    assert_int_equal(outcome.kind, PRV_OUTCOME_UNCLEAR);
    struct prv_answer barred = answer(401, "{}");
    prv_adapter_replicate.found(&made.job, &barred, &outcome);
    assert_int_equal(outcome.kind, PRV_OUTCOME_BARRED);
}

/* ---- local ---- */

TEST(local_answers_have_our_meaning) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct video_job made;
    struct prv_call call = {0};
    struct cs_err err = {0};
    video_job(&made, "preview");
    assert_ok(prv_adapter_local.submit(&made.job, arena, &call, &err), &err);
    assert_string_equal(call.headers[0].value, "e/j/1");
    assert_true(submitted(&prv_adapter_local, 201, "{\"id\":\"loc_1\"}").fresh);
    assert_false(submitted(&prv_adapter_local, 200, "{\"id\":\"loc_1\"}").fresh);
    assert_int_equal(submitted(&prv_adapter_local, 422, "{\"detail\":\"x\"}").kind, PRV_OUTCOME_REFUSED);
    assert_int_equal(submitted(&prv_adapter_local, 503, "{\"detail\":\"disk\"}").kind, PRV_OUTCOME_REFUSED);
    assert_int_equal(submitted(&prv_adapter_local, 201, "?").kind, PRV_OUTCOME_UNCLEAR);
    struct prv_snapshot running =
        polled(&prv_adapter_local, 200, "{\"status\":\"processing\",\"fraction\":0.5,\"mediaTimeUs\":7,\"speed\":2.0}");
    assert_int_equal(running.kind, PRV_SNAPSHOT_RUNNING);
    assert_false(running.queued);
    assert_int_equal(running.media_time_us, 7);
    assert_true(polled(&prv_adapter_local, 200, "{\"status\":\"starting\"}").queued);
    assert_int_equal(polled(&prv_adapter_local, 200, "{\"status\":\"succeeded\"}").kind, PRV_SNAPSHOT_DONE);
    struct prv_snapshot failed =
        polled(&prv_adapter_local, 200,
               "{\"status\":\"failed\",\"error\":{\"class\":5,\"code\":\"codec\",\"message\":\"m\"}}");
    assert_int_equal(failed.kind, PRV_SNAPSHOT_FAILED);
    assert_int_equal(failed.failure.failure_class, PRV_CLASS(CODEC_UNSUPPORTED));
    assert_int_equal(polled(&prv_adapter_local, 404, "{}").kind, PRV_SNAPSHOT_BARRED);
    assert_int_equal(polled(&prv_adapter_local, 503, "").kind, PRV_SNAPSHOT_UNCLEAR);
}

TEST_MAIN(CS_TEST(sy_133_seedance_gets_our_parameters_under_its_names),
          CS_TEST(ex_027_veo_gets_our_parameters_under_its_names), CS_TEST(ex_028_hailuo_makes_six_seconds_or_ten),
          CS_TEST(sy_135_m9_replicate_refuses_what_a_model_lacks_instead_of_dropping_it),
          CS_TEST(models_are_found_by_name_or_by_operation), CS_TEST(outputs_are_taken_from_the_providers_hosts_only),
          CS_TEST(sy_131_replicate_submissions_are_taken_refused_or_unclear),
          CS_TEST(replicate_outputs_come_in_three_shapes), CS_TEST(sy_123_sy_127_replicate_states_have_our_meaning),
          CS_TEST(replicate_finds_a_lost_submission_when_exactly_one_fits), CS_TEST(local_answers_have_our_meaning))
