#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cs/json.h"
#include "dialect/dialect.h"
#include "tests/dialect_cases.h"

static enum cs_status read_body(const char *text, struct cs_arena *arena, struct gw_submission *ret_submission,
                                struct cs_err *err) {
    CS_AUTO_JSON *body = NULL;
    CS_TRY(cs_json_parse(text, strlen(text), &body, err));
    return gw_dialect_read(body, arena, ret_submission, err);
}

void assert_body_refused(const struct bad_body *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct gw_submission submission = {0};
        struct cs_err err = {0};
        enum cs_status status = read_body(cases[i].body, arena, &submission, &err);
        if (status != CS_INVALID_ARGUMENT || strcmp(err.path, cases[i].path) != 0 ||
            strcmp(err.reason, cases[i].reason) != 0) {
            fail_msg("%s\n  gave %d %s at \"%s\" (%s)\n  wanted %s at \"%s\"", cases[i].body, status, err.reason,
                     err.path, err.message, cases[i].reason, cases[i].path);
        }
    }
}

/* The request in canonical JSON. */
static void assert_reads(const char *body, const char *want) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct gw_submission submission = {0};
    struct cs_err err = {0};
    assert_ok(read_body(body, arena, &submission, &err), &err);
    CS_AUTO_JSON *value = cs_json_from_message(&submission.request->base, 0);
    char *text = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    if (strcmp(text, want) != 0) {
        fail_msg("%s\n  read as %s\n  wanted  %s", body, text, want);
    }
    free(text);
}

/* The typed operation of one job in a v1 body. */
static void assert_job_reads(const char *job, const char *want_operation) {
    CS_AUTO_BUF body = {0};
    CS_AUTO_BUF want = {0};
    cs_buf_printf(&body, "{\"executionPlan\":{\"jobs\":[{\"id\":\"j\",%s}]}}", job);
    cs_buf_printf(&want, "{\"plan\":{\"jobs\":[{\"id\":\"j\",\"operation\":%s", want_operation);
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct gw_submission submission = {0};
    struct cs_err err = {0};
    assert_ok(read_body(body.data, arena, &submission, &err), &err);
    CS_AUTO_JSON *value = cs_json_from_message(&submission.request->base, 0);
    char *text = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    if (strncmp(text, want.data, want.size) != 0) {
        fail_msg("%s\n  read as %s\n  wanted  %s", job, text, want.data);
    }
    free(text);
}

TEST(sy_004_sy_062_a_v1_plan_names_inputs_by_job) {
    assert_reads(
        "{\"executionPlan\":{\"jobs\":["
        "{\"id\":\"job1\",\"operation\":\"generateVideo\",\"params\":{\"provider\":\"local\",\"prompt\":\"a\","
        "\"duration\":5}},"
        "{\"id\":\"job2\",\"operation\":\"generateVideo\",\"params\":{\"provider\":\"local\",\"prompt\":\"b\"}},"
        "{\"id\":\"job3\",\"operation\":\"merge\",\"params\":{\"inputs\":[\"job1\",\"job2\"],"
        "\"transition\":{\"type\":\"fade\",\"duration\":0.5}},\"dependsOn\":[\"job1\",\"job2\"]},"
        "{\"id\":\"job4\",\"operation\":\"reframe\",\"params\":{\"input\":\"job3\",\"aspectRatio\":\"9:16\"},"
        "\"dependsOn\":[\"job3\"]}],\"rootJobIds\":[\"job1\",\"job2\"]},"
        "\"options\":{\"webhookUrl\":\"https://example.com/hook\",\"webhookSecret\":\"s\",\"baseExecutionId\":null}}",
        "{\"plan\":{\"jobs\":["
        "{\"id\":\"job1\",\"operation\":{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\",\"duration\":5.0}}}"
        ","
        "{\"id\":\"job2\",\"operation\":{\"generateVideo\":{\"prompt\":\"b\",\"provider\":\"local\"}}},"
        "{\"id\":\"job3\",\"operation\":{\"merge\":{\"items\":[{\"media\":{\"job\":\"job1\"}},{\"media\":{\"job\":"
        "\"job2\"}}],"
        "\"transition\":{\"type\":\"fade\",\"duration\":0.5}}},\"dependsOn\":[\"job1\",\"job2\"]},"
        "{\"id\":\"job4\",\"operation\":{\"reframe\":{\"video\":{\"job\":\"job3\"},\"aspectRatio\":\"9:16\"}},"
        "\"dependsOn\":[\"job3\"]}],\"rootJobIds\":[\"job1\",\"job2\"]},"
        "\"webhook\":{\"url\":\"https://example.com/hook\",\"secret\":\"s\"}}");
}

TEST(sy_055_a_base_may_be_given_in_any_of_its_places) {
    static const char *const bodies[] = {
        "{\"executionPlan\":{\"jobs\":[],\"baseExecutionId\":\"e\"}}",
        "{\"executionPlan\":{\"jobs\":[]},\"options\":{\"baseExecutionId\":\"e\"}}",
        "{\"executionPlan\":{\"jobs\":[],\"baseExecutionId\":\"e\"},\"options\":{\"baseExecutionId\":\"e\"}}",
        "{\"executionPlan\":{\"jobs\":[],\"baseExecutionId\":\"\"},\"options\":{\"baseExecutionId\":\"e\"}}",
    };
    for (size_t i = 0; i < CS_COUNT(bodies); i++) {
        assert_reads(bodies[i], "{\"plan\":{},\"baseExecutionId\":\"e\"}");
    }
    static const char job[] =
        "{\"id\":\"a\",\"type\":\"generate\",\"params\":{\"provider\":\"local\",\"prompt\":\"a\"}}";
    static const char want[] = "{\"plan\":{\"jobs\":[{\"id\":\"a\",\"operation\":{\"generateVideo\":{\"prompt\":\"a\","
                               "\"provider\":\"local\"}}}]},\"baseExecutionId\":\"e\"}";
    CS_AUTO_BUF flat = {0};
    CS_AUTO_BUF native = {0};
    cs_buf_printf(&flat, "{\"jobs\":[%s],\"baseExecutionId\":\"e\"}", job);
    cs_buf_printf(&native, "{\"plan\":{\"jobs\":[%s]},\"baseExecutionId\":\"e\"}", job);
    assert_reads(flat.data, want);
    assert_reads(native.data, want);
}

TEST(sy_061_a_main_input_that_is_not_given_is_the_bases_final_output) {
    assert_reads(
        "{\"executionPlan\":{\"jobs\":["
        "{\"id\":\"job1\",\"operation\":\"reframe\",\"params\":{\"aspectRatio\":\"9:16\"}},"
        "{\"id\":\"job2\",\"operation\":\"reframe\",\"params\":{\"aspectRatio\":\"1:1\"},\"dependsOn\":[\"job1\"]}"
        "],\"baseExecutionId\":\"e\"}}",
        "{\"plan\":{\"jobs\":["
        "{\"id\":\"job1\",\"operation\":{\"reframe\":{\"video\":{\"job\":\"$base\"},\"aspectRatio\":\"9:16\"}}},"
        "{\"id\":\"job2\",\"operation\":{\"reframe\":{\"video\":{\"job\":\"job1\"},\"aspectRatio\":\"1:1\"}},"
        "\"dependsOn\":[\"job1\"]}]},\"baseExecutionId\":\"e\"}");
}

TEST(sy_005_sy_063_a_v2_plan_uses_types_markers_and_labels) {
    assert_reads(
        "{\"executionPlan\":{\"jobs\":["
        "{\"id\":\"job1\",\"type\":\"generateImage\",\"params\":{\"provider\":\"local\",\"modelId\":\"m\",\"prompt\":"
        "\"a\"},"
        "\"output\":\"$job1\"},"
        "{\"id\":\"job2\",\"type\":\"generate\",\"params\":{\"provider\":\"local\",\"image\":\"_imageJobDependency:"
        "job1\"},"
        "\"dependencies\":[\"job1\"],\"output\":\"$job2\"},"
        "{\"id\":\"job3\",\"type\":\"merge\",\"params\":{\"items\":["
        "{\"url\":\"_videoJobDependency:job2\",\"type\":\"video\"},"
        "{\"url\":\"https://cdn.example.com/a.mp3\",\"type\":\"audio\",\"offset\":1,\"volume\":0}]},"
        "\"dependencies\":[\"job2\"],\"output\":\"$job3\"}],\"rootJobIds\":[\"job1\"]},"
        "\"options\":{\"webhook\":{\"url\":\"https://example.com/h\",\"secret\":\"k\"},\"providerApiKeys\":{}}}",
        "{\"plan\":{\"jobs\":["
        "{\"id\":\"job1\",\"operation\":{\"generateImage\":{\"prompt\":\"a\",\"provider\":\"local\",\"model\":\"m\"}},"
        "\"output\":\"$job1\"},"
        "{\"id\":\"job2\",\"operation\":{\"generateVideo\":{\"provider\":\"local\",\"image\":{\"job\":\"job1\"}}},"
        "\"dependsOn\":[\"job1\"],\"output\":\"$job2\"},"
        "{\"id\":\"job3\",\"operation\":{\"merge\":{\"items\":[{\"media\":{\"job\":\"job2\"},\"type\":\"video\"},"
        "{\"media\":{\"url\":\"https://cdn.example.com/a.mp3\"},\"type\":\"audio\",\"offset\":1.0,\"volume\":0.0}]}},"
        "\"dependsOn\":[\"job2\"],\"output\":\"$job3\"}],\"rootJobIds\":[\"job1\"]},"
        "\"webhook\":{\"url\":\"https://example.com/h\",\"secret\":\"k\"}}");
}

TEST(sy_006_a_v0_plan_is_flat_and_implies_inputs_by_dependencies) {
    assert_reads(
        "{\"jobs\":["
        "{\"id\":\"a\",\"type\":\"generate\",\"params\":{\"provider\":\"local\",\"prompt\":\"x\"},\"output\":\"$a\"},"
        "{\"id\":\"b\",\"type\":\"generate\",\"params\":{\"provider\":\"local\",\"prompt\":\"y\"},\"output\":\"$b\"},"
        "{\"id\":\"m\",\"type\":\"merge\",\"params\":{\"transition\":\"crossfade\"},\"dependsOn\":[\"b\",\"a\"],"
        "\"output\":\"$m\"},"
        "{\"id\":\"s\",\"type\":\"lipSync\",\"params\":{\"audioUrl\":\"https://x.y/a.mp3\",\"volume\":0},"
        "\"dependsOn\":[\"m\"],\"output\":\"$s\"}],"
        "\"webhook\":{\"url\":\"http://example.com\"}}",
        "{\"plan\":{\"jobs\":["
        "{\"id\":\"a\",\"operation\":{\"generateVideo\":{\"prompt\":\"x\",\"provider\":\"local\"}},\"output\":\"$a\"},"
        "{\"id\":\"b\",\"operation\":{\"generateVideo\":{\"prompt\":\"y\",\"provider\":\"local\"}},\"output\":\"$b\"},"
        "{\"id\":\"m\",\"operation\":{\"merge\":{\"items\":[{\"media\":{\"job\":\"b\"}},{\"media\":{\"job\":\"a\"}}],"
        "\"transition\":{\"type\":\"crossfade\"}}},\"dependsOn\":[\"b\",\"a\"],\"output\":\"$m\"},"
        "{\"id\":\"s\",\"operation\":{\"lipSync\":{\"video\":{\"job\":\"m\"},\"audio\":{\"url\":\"https://x.y/a.mp3\"},"
        "\"volume\":0.0}},\"dependsOn\":[\"m\"],\"output\":\"$s\"}]},"
        "\"webhook\":{\"url\":\"http://example.com\"}}");
}

TEST(sy_138_a_plan_tells_what_may_be_taken_from_work_done_before) {
    static const char *const job = "{\"id\":\"a\",\"operation\":\"generateImage\",\"params\":{\"prompt\":\"p\","
                                   "\"provider\":\"local\"},\"cache\":\"refresh\"}";
    static const char *const want = "{\"plan\":{\"jobs\":[{\"id\":\"a\",\"operation\":{\"generateImage\":{\"prompt\":"
                                    "\"p\",\"provider\":\"local\"}},\"cache\":\"refresh\"}],\"cache\":\"off\"}}";
    CS_AUTO_BUF native = {0};
    CS_AUTO_BUF v1 = {0};
    CS_AUTO_BUF flat = {0};
    cs_buf_printf(&native, "{\"plan\":{\"cache\":\"off\",\"jobs\":[%s]}}", job);
    cs_buf_printf(&v1, "{\"executionPlan\":{\"cache\":\"off\",\"jobs\":[%s]}}", job);
    cs_buf_printf(&flat, "{\"cache\":\"off\",\"jobs\":[%s]}", job);
    assert_reads(native.data, want);
    assert_reads(v1.data, want);
    assert_reads(flat.data, want);
}

TEST(a_plan_tells_the_order_of_its_jobs) {
    static const char *const job = "{\"id\":\"a\",\"operation\":\"generateImage\",\"params\":{\"prompt\":\"p\","
                                   "\"provider\":\"local\"},\"priority\":0,"
                                   "\"concurrencyKey\":\"gpu\",\"concurrencyLimit\":2}";
    static const char *const want = "{\"plan\":{\"jobs\":[{\"id\":\"a\",\"operation\":{\"generateImage\":{\"prompt\":"
                                    "\"p\",\"provider\":\"local\"}},\"priority\":0,"
                                    "\"concurrencyKey\":\"gpu\",\"concurrencyLimit\":2}],\"priority\":9}}";
    CS_AUTO_BUF native = {0};
    CS_AUTO_BUF v1 = {0};
    CS_AUTO_BUF flat = {0};
    cs_buf_printf(&native, "{\"plan\":{\"priority\":9,\"jobs\":[%s]}}", job);
    cs_buf_printf(&v1, "{\"executionPlan\":{\"priority\":9,\"jobs\":[%s]}}", job);
    cs_buf_printf(&flat, "{\"priority\":9,\"jobs\":[%s]}", job);
    assert_reads(native.data, want);
    assert_reads(v1.data, want);
    assert_reads(flat.data, want);
}

TEST(a_plan_says_what_happens_when_something_fails) {
    static const char *const rules = "\"dependencyPolicy\":\"all\",\"optionalDependencies\":[\"a\"],\"timeoutMs\":1500,"
                                     "\"queueTimeoutMs\":2500,\"retry\":{\"attempts\":2,\"baseMs\":10,\"capMs\":20}";
    static const char *const image = "\"prompt\":\"p\",\"provider\":\"local\"";
    static const char *const jobs = "{\"id\":\"a\",\"operation\":\"generateImage\",\"params\":{%s}},{\"id\":\"b\","
                                    "\"operation\":\"generateImage\",\"params\":{%s},\"dependsOn\":[\"a\"],%s}";
    CS_AUTO_BUF list = {0};
    CS_AUTO_BUF want = {0};
    CS_AUTO_BUF native = {0};
    CS_AUTO_BUF v1 = {0};
    CS_AUTO_BUF flat = {0};
    cs_buf_printf(&list, jobs, image, image, rules);
    cs_buf_printf(&want,
                  "{\"plan\":{\"jobs\":[{\"id\":\"a\",\"operation\":{\"generateImage\":{%s}}},{\"id\":\"b\","
                  "\"operation\":{\"generateImage\":{%s}},\"dependsOn\":[\"a\"],%s}],\"onFailure\":\"fail_fast\"}}",
                  image, image, rules);
    cs_buf_printf(&native, "{\"plan\":{\"onFailure\":\"fail_fast\",\"jobs\":[%s]}}", list.data);
    cs_buf_printf(&v1, "{\"executionPlan\":{\"onFailure\":\"fail_fast\",\"jobs\":[%s]}}", list.data);
    cs_buf_printf(&flat, "{\"onFailure\":\"fail_fast\",\"jobs\":[%s]}", list.data);
    assert_reads(native.data, want.data);
    assert_reads(v1.data, want.data);
    assert_reads(flat.data, want.data);
}

TEST(a_plan_says_which_outputs_are_kept) {
    static const char *const job = "\"id\":\"a\",\"operation\":\"generateImage\",\"params\":{\"prompt\":\"p\","
                                   "\"provider\":\"local\"},\"keepOutput\":true";
    static const char *const want = "{\"plan\":{\"jobs\":[{\"id\":\"a\",\"operation\":{\"generateImage\":{\"prompt\":"
                                    "\"p\",\"provider\":\"local\"}},\"keepOutput\":true}],"
                                    "\"intermediates\":\"discard\"}}";
    static const char *const forms[] = {
        "{\"plan\":{\"intermediates\":\"discard\",\"jobs\":[{%s}]}}",
        "{\"executionPlan\":{\"intermediates\":\"discard\",\"jobs\":[{%s}]}}",
        "{\"intermediates\":\"discard\",\"jobs\":[{%s}]}",
    };
    for (size_t i = 0; i < CS_COUNT(forms); i++) {
        CS_AUTO_BUF body = {0};
        cs_buf_printf(&body, forms[i], job);
        assert_reads(body.data, want);
    }
}

TEST(a_native_plan_has_labels_timeout_and_key) {
    assert_reads(
        "{\"plan\":{\"jobs\":[{\"id\":\"m\",\"operation\":\"merge\",\"params\":{\"items\":[{\"media\":{\"url\":"
        "\"http://127.0.0.1:1/0\"},\"duration\":2.5}]}}]},\"timeoutMs\":60000,\"labels\":{\"team\":\"a\"},"
        "\"idempotencyKey\":\"k\",\"webhook\":{\"url\":\"https://x.y\",\"secret\":null}}",
        "{\"idempotencyKey\":\"k\",\"plan\":{\"jobs\":[{\"id\":\"m\",\"operation\":{\"merge\":{\"items\":["
        "{\"media\":{\"url\":\"http://127.0.0.1:1/0\"},\"duration\":2.5}]}}}]},"
        "\"webhook\":{\"url\":\"https://x.y\"},\"timeoutMs\":60000,"
        "\"labels\":[{\"key\":\"team\",\"value\":\"a\"}]}");
}

TEST(webhooks_may_be_written_in_every_known_way) {
    static const char *const bodies[] = {
        "{\"executionPlan\":{\"jobs\":[]},\"options\":{\"webhookUrl\":\"https://a.b\",\"webhookSecret\":\"s\"}}",
        "{\"executionPlan\":{\"jobs\":[]},\"options\":{\"webhook\":\"https://a.b\",\"webhookSecret\":\"s\"}}",
        "{\"executionPlan\":{\"jobs\":[]},\"options\":{\"webhook\":{\"url\":\"https://a.b\",\"secret\":\"s\"}}}",
        "{\"executionPlan\":{\"jobs\":[]},\"webhook\":{\"url\":\"https://a.b\",\"secret\":\"s\"}}",
        "{\"executionPlan\":{\"jobs\":[]},\"webhook\":\"https://a.b\",\"options\":{\"webhookSecret\":\"s\"}}",
    };
    for (size_t i = 0; i < CS_COUNT(bodies); i++) {
        assert_reads(bodies[i], "{\"plan\":{},\"webhook\":{\"url\":\"https://a.b\",\"secret\":\"s\"}}");
    }
}

TEST(sy_064_media_may_be_written_in_every_known_way) {
    static const char *const videos[] = {
        "\"input\":\"a\"",
        "\"video\":\"a\"",
        "\"videoUrl\":\"_videoJobDependency:a\"",
        "\"video\":\"_jobDependency:a\"",
        "\"video\":{\"job\":\"a\"}",
    };
    for (size_t i = 0; i < CS_COUNT(videos); i++) {
        CS_AUTO_BUF job = {0};
        cs_buf_printf(&job, "\"operation\":\"reframe\",\"params\":{%s,\"aspectRatio\":\"1:1\",\"crop\":\"top\"}",
                      videos[i]);
        assert_job_reads(job.data,
                         "{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"1:1\",\"crop\":\"top\"}}");
    }
    assert_job_reads("\"operation\":\"reframe\",\"params\":{\"input\":\"a\",\"aspectRatio\":\"1:1\",\"crop\":\"smart\","
                     "\"path\":\"https://x.y/p.json\"}",
                     "{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"1:1\",\"mode\":\"smart\","
                     "\"path\":{\"url\":\"https://x.y/p.json\"}}}");
    assert_job_reads("\"operation\":\"stabilize\",\"params\":{\"input\":\"a\",\"strength\":\"high\"}",
                     "{\"stabilise\":{\"video\":{\"job\":\"a\"},\"strength\":\"high\"}}");
    assert_job_reads("\"operation\":\"denoise\",\"params\":{\"sound\":\"low\"},\"dependsOn\":[\"a\"]",
                     "{\"denoise\":{\"video\":{\"job\":\"a\"},\"sound\":\"low\"}}");
    assert_job_reads(
        "\"operation\":\"mixAudio\",\"params\":{\"input\":\"a\",\"tracks\":[{\"url\":\"https://x.y/m.mp3\","
        "\"loop\":true,\"duck\":true},\"https://x.y/n.mp3\"]}",
        "{\"mixAudio\":{\"video\":{\"job\":\"a\"},\"tracks\":[{\"audio\":{\"url\":\"https://x.y/m.mp3\"},"
        "\"loop\":true,\"duck\":true},{\"audio\":{\"url\":\"https://x.y/n.mp3\"}}]}}");
    assert_job_reads("\"operation\":\"normalizeLoudness\",\"params\":{\"audioUrl\":\"https://x.y/s.wav\",\"lufs\":-14}",
                     "{\"loudness\":{\"audio\":{\"url\":\"https://x.y/s.wav\"},\"target\":-14.0}}");
    assert_job_reads(
        "\"operation\":\"reframe\",\"params\":{\"videoUrl\":\"https://x.y/v.mp4\",\"aspectRatio\":\"1:1\"}",
        "{\"reframe\":{\"video\":{\"url\":\"https://x.y/v.mp4\"},\"aspectRatio\":\"1:1\"}}");
    assert_job_reads("\"operation\":\"reframe\",\"params\":{\"aspectRatio\":\"1:1\"},\"dependsOn\":[\"a\"]",
                     "{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"1:1\"}}");
}

TEST(the_dependency_that_nothing_else_names_is_the_video) {
    assert_job_reads("\"operation\":\"lipSync\",\"params\":{\"audioUrl\":\"_audioJobDependency:b\"},"
                     "\"dependsOn\":[\"b\",\"a\"]",
                     "{\"lipSync\":{\"video\":{\"job\":\"a\"},\"audio\":{\"job\":\"b\"}}}");
    assert_job_reads("\"operation\":\"addSubtitles\",\"params\":{\"transcript\":\"_transcriptJobDependency:t\"},"
                     "\"dependencies\":[\"v\",\"t\"]",
                     "{\"addSubtitles\":{\"video\":{\"job\":\"v\"},\"transcript\":{\"job\":\"t\"}}}");
}

TEST(sy_008_the_operations_of_the_second_generation_are_known) {
    static const char *const here[][3] = {
        {"generate", "\"provider\":\"local\",\"prompt\":\"p\"", "{\"generateVideo\":"},
        {"generateImage", "\"provider\":\"local\",\"prompt\":\"p\"", "{\"generateImage\":"},
        {"generateAudio", "\"provider\":\"local\",\"text\":\"t\"", "{\"generateAudio\":"},
        {"transcribe", "\"input\":\"v\"", "{\"transcribe\":"},
        {"merge", "\"items\":[\"v\"]", "{\"merge\":"},
        {"reframe", "\"video\":\"v\",\"aspectRatio\":\"1:1\"", "{\"reframe\":"},
        {"lipSync", "\"video\":\"v\",\"audio\":\"a\"", "{\"lipSync\":"},
        {"addSubtitles", "\"video\":\"v\",\"text\":\"t\"", "{\"addSubtitles\":"},
        {"layer", "\"layers\":[{\"media\":\"v\"}]", "{\"layer\":"},
    };
    static const char *const later[] = {"removeBackground", "removeImageBackground"};
    for (size_t i = 0; i < CS_COUNT(here); i++) {
        CS_AUTO_BUF job = {0};
        cs_buf_printf(&job, "\"type\":\"%s\",\"params\":{%s}", here[i][0], here[i][1]);
        assert_job_reads(job.data, here[i][2]);
    }
    for (size_t i = 0; i < CS_COUNT(later); i++) { /* told apart from what nobody knows */
        CS_AUTO_BUF body = {0};
        cs_buf_printf(&body, "{\"jobs\":[{\"id\":\"j\",\"type\":\"%s\",\"params\":{}}]}", later[i]);
        assert_body_refused(&(struct bad_body){body.data, "jobs[0].type", "unsupported"}, 1);
    }
}

TEST(sy_068_generation_takes_all_that_is_known_of_it) {
    assert_job_reads(
        "\"operation\":\"generateVideo\",\"params\":{\"provider\":\"replicate\",\"model\":\"m\",\"prompt\":\"p\","
        "\"duration\":5,\"resolution\":\"720p\",\"aspectRatio\":\"9:16\",\"seed\":7,\"image\":\"a\",\"startImage\":"
        "\"https://x.y/s.png\",\"endImage\":\"_imageJobDependency:e\",\"audio\":\"_audioJobDependency:s\","
        "\"cameraMotion\":\"dynamic\"}",
        "{\"generateVideo\":{\"prompt\":\"p\",\"provider\":\"replicate\",\"model\":\"m\",\"duration\":5.0,"
        "\"resolution\":\"720p\",\"aspectRatio\":\"9:16\",\"seed\":7,\"image\":{\"job\":\"a\"},\"startImage\":{\"url\":"
        "\"https://x.y/s.png\"},\"endImage\":{\"job\":\"e\"},\"audio\":{\"job\":\"s\"},\"cameraMotion\":\"dynamic\"}}");
    assert_job_reads("\"type\":\"generate\",\"params\":{\"provider\":\"fal\",\"modelId\":\"m\",\"prompt\":\"p\"}",
                     "{\"generateVideo\":{\"prompt\":\"p\",\"provider\":\"fal\",\"model\":\"m\"}}");
}

TEST(generation_takes_images_and_voices_in_their_forms) {
    assert_job_reads(
        "\"type\":\"generateImage\",\"params\":{\"provider\":\"local\",\"image\":\"_imageJobDependency:a\","
        "\"outputFormat\":\"webp\",\"apiKey\":\"\"}",
        "{\"generateImage\":{\"provider\":\"local\",\"image\":[{\"job\":\"a\"}],\"outputFormat\":\"webp\"}}");
    assert_job_reads(
        "\"type\":\"generateImage\",\"params\":{\"provider\":\"local\",\"image\":[\"a\",\"https://x.y/i.png\"]}",
        "{\"generateImage\":{\"provider\":\"local\",\"image\":[{\"job\":\"a\"},{\"url\":\"https://x.y/i.png\"}]}}");
    assert_job_reads("\"type\":\"generateAudio\",\"params\":{\"provider\":\"local\",\"text\":\"hi\",\"voiceId\":\"v\"}",
                     "{\"generateAudio\":{\"text\":\"hi\",\"provider\":\"local\",\"voice\":\"v\"}}");
    assert_job_reads(
        "\"type\":\"generateAudio\",\"params\":{\"provider\":\"local\",\"text\":\"hi\",\"voice\":{\"name\":\"v\"}}",
        "{\"generateAudio\":{\"text\":\"hi\",\"provider\":\"local\",\"voice\":\"v\"}}");
    assert_job_reads(
        "\"type\":\"generate\",\"params\":{\"provider\":\"local\",\"prompt\":\"p\",\"cameraMotion\":\"fixed\","
        "\"startImage\":null,\"seed\":7,\"sendJobWebhook\":false}",
        "{\"generateVideo\":{\"prompt\":\"p\",\"provider\":\"local\",\"seed\":7,\"cameraMotion\":\"fixed\"}}");
}

TEST(sy_076_sy_078_merges_take_words_numbers_and_markers) {
    assert_job_reads(
        "\"type\":\"merge\",\"params\":{\"items\":[\"a\",{\"url\":\"_imageJobDependency:b\"},"
        "{\"media\":\"c\",\"type\":\"audio\"}],\"frameRate\":25,\"transition\":\"wipe\"}",
        "{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}},{\"media\":{\"job\":\"b\"},\"type\":\"image\"},"
        "{\"media\":{\"job\":\"c\"},\"type\":\"audio\"}],\"transition\":{\"type\":\"wipe\"},\"frameRate\":\"25\"}}");
    assert_job_reads(
        "\"type\":\"merge\",\"params\":{\"inputs\":[\"_audioJobDependency:a\",\"b\"]}",
        "{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"type\":\"audio\"},{\"media\":{\"job\":\"b\"}}]}}");
    static const char *const transitions[] = {"fade", "dissolve", "wipe", "crossfade"};
    for (size_t i = 0; i < CS_COUNT(transitions); i++) { /* in their order, with a transition between each two */
        CS_AUTO_BUF job = {0};
        CS_AUTO_BUF want = {0};
        cs_buf_printf(
            &job,
            "\"operation\":\"merge\",\"params\":{\"inputs\":[\"c\",\"a\",\"b\"],\"transition\":{\"type\":\"%s\","
            "\"duration\":0.5}}",
            transitions[i]);
        cs_buf_printf(
            &want,
            "{\"merge\":{\"items\":[{\"media\":{\"job\":\"c\"}},{\"media\":{\"job\":\"a\"}},{\"media\":{\"job\":"
            "\"b\"}}],\"transition\":{\"type\":\"%s\",\"duration\":0.5}}}",
            transitions[i]);
        assert_job_reads(job.data, want.data);
    }
    assert_job_reads(
        "\"type\":\"merge\",\"params\":{\"items\":[{\"url\":\"https://x.y/v.mp4\",\"type\":\"video\","
        "\"duration\":2,\"volume\":0},{\"url\":\"https://x.y/a.mp3\",\"type\":\"audio\",\"offset\":1.5}]}",
        "{\"merge\":{\"items\":[{\"media\":{\"url\":\"https://x.y/v.mp4\"},\"type\":\"video\",\"duration\":2.0,"
        "\"volume\":0.0},{\"media\":{\"url\":\"https://x.y/a.mp3\"},\"type\":\"audio\",\"offset\":1.5}]}}");
}

TEST(sy_088_subtitles_take_text_words_and_styles_of_both_generations) {
    assert_job_reads(
        "\"operation\":\"addSubtitles\",\"params\":{\"input\":\"a\",\"text\":\"one two\",\"style\":\"bold\","
        "\"timing\":{\"start\":1,\"end\":2.5},\"language\":\"de\"}",
        "{\"addSubtitles\":{\"video\":{\"job\":\"a\"},\"text\":\"one two\",\"style\":{\"preset\":\"bold\"},"
        "\"start\":1.0,\"end\":2.5,\"language\":\"de\"}}");
    assert_job_reads(
        "\"operation\":\"addSubtitles\",\"params\":{\"videoUrl\":\"_videoJobDependency:a\",\"transcript\":["
        "{\"word\":\"hi\",\"start\":0,\"end\":0.5}],\"style\":{\"preset\":\"story\",\"fontWeight\":700,"
        "\"animationStyle\":\"scale\",\"marginV\":0,\"color\":null}}",
        "{\"addSubtitles\":{\"video\":{\"job\":\"a\"},\"words\":[{\"word\":\"hi\",\"end\":0.5}],"
        "\"style\":{\"preset\":\"story\",\"fontWeight\":\"700\",\"marginV\":0,\"animation\":\"scale\"}}}");
    assert_job_reads(
        "\"operation\":\"addSubtitles\",\"params\":{\"input\":\"a\",\"transcript\":\"https://x.y/t.json\"}",
        "{\"addSubtitles\":{\"video\":{\"job\":\"a\"},\"transcript\":{\"url\":\"https://x.y/t.json\"}}}");
    assert_job_reads("\"operation\":\"addSubtitles\",\"params\":{\"input\":\"a\",\"subtitles\":\"https://x.y/"
                     "t.srt\",\"subtitleFiles\":true}",
                     "{\"addSubtitles\":{\"video\":{\"job\":\"a\"},\"transcript\":{\"url\":\"https://x.y/"
                     "t.srt\"},\"subtitleFiles\":true}}");
}

TEST(ta_042_ta_046_steps_of_talks_take_their_inputs_in_all_forms) {
    assert_job_reads("\"type\":\"transcribe\",\"params\":{\"audio\":\"_audioJobDependency:a\"}",
                     "{\"transcribe\":{\"media\":{\"job\":\"a\"}}}");
    assert_job_reads("\"operation\":\"extractAudio\",\"params\":{\"video\":\"https://x.y/a.mp4\"}",
                     "{\"extractAudio\":{\"media\":{\"url\":\"https://x.y/a.mp4\"}}}");
    assert_job_reads(
        "\"operation\":\"videoCuts\",\"params\":{\"plan\":\"p\",\"transitionMs\":250},\"dependsOn\":[\"p\",\"v\"]",
        "{\"cut\":{\"video\":{\"job\":\"v\"},\"plan\":{\"job\":\"p\"},"
        "\"transition\":{\"type\":\"fade\",\"duration\":0.25}}}");
    assert_job_reads("\"operation\":\"trim\",\"params\":{\"start\":1.5,\"end\":2.5},\"dependsOn\":[\"v\"]",
                     "{\"trim\":{\"video\":{\"job\":\"v\"},\"start\":1.5,\"end\":2.5}}");
    assert_job_reads(
        "\"operation\":\"videoTransitions\",\"params\":{\"plan\":\"p\",\"durationMs\":250,\"audioFadeMs\":125},"
        "\"dependsOn\":[\"p\",\"v\"]",
        "{\"transitions\":{\"items\":[{\"media\":{\"job\":\"v\"}}],\"plan\":{\"job\":\"p\"},"
        "\"transition\":{\"type\":\"fade\",\"duration\":0.25},\"audioFadeDuration\":0.125}}");
    assert_job_reads("\"operation\":\"stitch\",\"params\":{\"transition\":\"dissolve\",\"audio\":\"m\"},"
                     "\"dependsOn\":[\"a\",\"b\",\"m\"]",
                     "{\"stitch\":{\"scenes\":[{\"media\":{\"job\":\"a\"}},{\"media\":{\"job\":\"b\"}}],"
                     "\"transition\":{\"type\":\"dissolve\"},\"audio\":{\"job\":\"m\"}}}");
    assert_job_reads("\"operation\":\"stitch\",\"params\":{\"scenes\":[\"a\",{\"url\":\"https://x.y/b.mp4\","
                     "\"transition\":\"cut\"}]}",
                     "{\"stitch\":{\"scenes\":[{\"media\":{\"job\":\"a\"}},"
                     "{\"media\":{\"url\":\"https://x.y/b.mp4\"},\"transition\":\"cut\"}]}}");
    assert_job_reads("\"operation\":\"speed\",\"params\":{\"input\":\"v\",\"speed\":1.5}",
                     "{\"speed\":{\"video\":{\"job\":\"v\"},\"factor\":1.5}}");
    assert_job_reads("\"operation\":\"brand\",\"params\":{\"intro\":\"i\",\"logo\":{\"url\":\"https://x.y/l.png\"},"
                     "\"keepLoudness\":true},\"dependsOn\":[\"i\",\"v\"]",
                     "{\"brand\":{\"video\":{\"job\":\"v\"},\"intro\":{\"job\":\"i\"},"
                     "\"logo\":{\"url\":\"https://x.y/l.png\"},\"keepLoudness\":true}}");
}

TEST(sy_097_layers_are_read_in_the_words_of_the_sdk) {
    assert_job_reads("\"operation\":\"layer\",\"params\":{\"layers\":["
                     "{\"media\":\"_videoJobDependency:v\",\"main\":true,\"chromaKey\":true,\"similarity\":0.3},"
                     "{\"media\":[\"a\",\"https://x.y/b.png\"],\"placement\":\"w-1/2 top-right\"}],"
                     "\"outputWidth\":640}",
                     "{\"layer\":{\"layers\":[{\"media\":{\"job\":\"v\"},\"chromaKey\":true,\"similarity\":0.3,"
                     "\"main\":true},{\"timeline\":[{\"media\":{\"job\":\"a\"}},{\"media\":{\"url\":"
                     "\"https://x.y/b.png\"}}],\"placement\":{\"words\":\"w-1/2 top-right\"}}],\"outputWidth\":640}}");
    /* SY-100: the first of a timeline says where all of it is */
    assert_job_reads("\"operation\":\"layer\",\"params\":{\"layers\":[{\"media\":\"v\"},{\"isTimeline\":true,"
                     "\"timeline\":[{\"media\":\"a\",\"duration\":2,\"placement\":{\"width\":320,\"height\":\"ih/2\","
                     "\"position\":{\"x\":10,\"y\":\"H-h\"}}},{\"media\":\"b\"}],\"totalDuration\":5,"
                     "\"needsAutoDuration\":true,\"explicitDuration\":2}]}",
                     "{\"layer\":{\"layers\":[{\"media\":{\"job\":\"v\"}},{\"timeline\":[{\"media\":{\"job\":\"a\"},"
                     "\"duration\":2.0},{\"media\":{\"job\":\"b\"}}],\"placement\":{\"width\":\"320\",\"height\":"
                     "\"ih/2\",\"position\":{\"x\":\"10\",\"y\":\"H-h\"}},\"duration\":5.0}]}}");
}

TEST(ex_037_texts_are_read_under_their_names) {
    assert_job_reads("\"operation\":\"textOverlay\",\"params\":{\"texts\":[\"Hi\",{\"text\":\"Ho\",\"font\":\"Arial\","
                     "\"font_size\":60,\"position\":{\"x\":10,\"y\":\"H-80\"},\"start_time\":1,\"fade_in\":0.5}]},"
                     "\"dependsOn\":[\"v\"]",
                     "{\"overlayText\":{\"video\":{\"job\":\"v\"},\"texts\":[{\"text\":\"Hi\"},{\"text\":\"Ho\","
                     "\"at\":{\"x\":\"10.000000\",\"y\":\"H-80\"},\"fontFamily\":\"Arial\",\"fontSize\":60.0,"
                     "\"start\":1.0,\"fadeIn\":0.5}]}}");
    assert_job_reads("\"operation\":\"overlayText\",\"params\":{\"input\":\"v\",\"text\":{\"text\":\"Hi\","
                     "\"position\":\"top_left\"}}",
                     "{\"overlayText\":{\"video\":{\"job\":\"v\"},\"texts\":[{\"text\":\"Hi\",\"position\":"
                     "\"top_left\"}]}}");
}

TEST(sy_103_a_green_screen_has_one_background_or_several) {
    assert_job_reads("\"operation\":\"replaceGreenScreen\",\"params\":{\"background\":\"https://x.y/b.png\"},"
                     "\"dependsOn\":[\"v\"]",
                     "{\"replaceGreenScreen\":{\"video\":{\"job\":\"v\"},\"background\":[{\"url\":"
                     "\"https://x.y/b.png\"}]}}");
    assert_job_reads("\"operation\":\"replaceGreenScreen\",\"params\":{\"background\":[\"a\",\"b\"],\"blend\":0.1},"
                     "\"dependsOn\":[\"v\",\"a\",\"b\"]",
                     "{\"replaceGreenScreen\":{\"video\":{\"job\":\"v\"},\"background\":[{\"job\":\"a\"},{\"job\":"
                     "\"b\"}],\"blend\":0.1}}");
}

TEST(sy_105_conversions_are_read_in_all_words) {
    assert_job_reads("\"operation\":\"thumbnail\",\"params\":{\"time\":2.5,\"width\":320},\"dependsOn\":[\"v\"]",
                     "{\"thumbnail\":{\"video\":{\"job\":\"v\"},\"time\":\"2.5\",\"width\":320}}");
    assert_job_reads("\"operation\":\"compress\",\"params\":{\"quality\":\"low\"},\"dependsOn\":[\"v\"]",
                     "{\"convert\":{\"video\":{\"job\":\"v\"},\"quality\":\"low\"}}");
    assert_job_reads(
        "\"operation\":\"convert\",\"params\":{\"videoUrl\":\"https://x.y/a.mp4\",\"outputFormat\":\"webm\","
        "\"quality\":80,\"maxBitrate\":900,\"maxHeight\":720,\"frameRate\":25}",
        "{\"convert\":{\"video\":{\"url\":\"https://x.y/a.mp4\"},\"container\":\"webm\",\"quality\":\"80\","
        "\"maxBitrateKbps\":900,\"height\":720,\"frameRate\":\"25\"}}");
}

TEST(packages_take_their_video_and_subtitles_in_all_words) {
    assert_job_reads("\"operation\":\"package\",\"params\":{\"segmentDuration\":2.5},\"dependsOn\":[\"v\"]",
                     "{\"package\":{\"video\":{\"job\":\"v\"},\"segmentDuration\":2.5}}");
    assert_job_reads("\"operation\":\"package\",\"params\":{\"videoUrl\":\"https://x.y/a.mp4\",\"formats\":[\"hls\"],"
                     "\"rungs\":[{\"height\":480,\"bitrateKbps\":900}],\"subtitles\":\"https://x.y/a.srt\"}",
                     "{\"package\":{\"video\":{\"url\":\"https://x.y/a.mp4\"},\"formats\":[\"hls\"],\"rungs\":[{"
                     "\"height\":480,\"bitrateKbps\":900}],\"transcript\":{\"url\":\"https://x.y/a.srt\"}}}");
    assert_job_reads(
        "\"operation\":\"package\",\"params\":{\"input\":\"v\",\"transcript\":[{\"word\":\"hi\","
        "\"start\":0.25,\"end\":0.5}]},\"dependsOn\":[\"v\"]",
        "{\"package\":{\"video\":{\"job\":\"v\"},\"words\":[{\"word\":\"hi\",\"start\":0.25,\"end\":0.5}]}}");
}

TEST(paths_of_the_orchestrator_come_back_in_the_clients_words) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct gw_submission submission = {0};
    struct cs_err err = {0};
    assert_ok(
        read_body(
            "{\"executionPlan\":{\"jobs\":["
            "{\"id\":\"a\",\"type\":\"reframe\",\"params\":{\"input\":\"x\",\"aspectRatio\":\"1:1\"},"
            "\"dependencies\":[\"x\"]},"
            "{\"id\":\"b\",\"operation\":\"merge\",\"params\":{\"inputs\":[\"y\",\"z\"]}},"
            "{\"id\":\"c\",\"operation\":\"reframe\",\"params\":{\"aspectRatio\":\"1:1\"},\"dependsOn\":[\"q\"]}],"
            "\"rootJobIds\":[\"w\"]},\"options\":{\"webhookUrl\":\"http://localhost/\",\"webhookSecret\":\"s\"}}",
            arena, &submission, &err),
        &err);
    static const char *const cases[][2] = {
        {"jobs", "executionPlan.jobs"},
        {"jobs[0].id", "executionPlan.jobs[0].id"},
        {"jobs[0].operation", "executionPlan.jobs[0].type"},
        {"jobs[1].operation", "executionPlan.jobs[1].operation"},
        {"jobs[0].dependsOn[0]", "executionPlan.jobs[0].dependencies[0]"},
        {"jobs[0].params.video", "executionPlan.jobs[0].params.input"},
        {"jobs[0].params.video.job", "executionPlan.jobs[0].params.input.job"},
        {"jobs[0].params.videos", "executionPlan.jobs[0].params.videos"},
        {"jobs[1].params.items[1].media", "executionPlan.jobs[1].params.inputs[1]"},
        {"jobs[1].params.items", "executionPlan.jobs[1].params.inputs"},
        {"jobs[2].params.video", "executionPlan.jobs[2].dependsOn[0]"},
        {"rootJobIds[0]", "executionPlan.rootJobIds[0]"},
        {"webhook.url", "options.webhookUrl"},
        {"webhook.secret", "options.webhookSecret"},
        {"tenant", "tenant"},
        {"", ""},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        char path[CS_ERR_PATH_MAX];
        gw_paths_translate(submission.paths, cases[i][0], path);
        assert_string_equal(path, cases[i][1]);
    }
}

TEST(paths_of_labels_have_their_names) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct gw_submission submission = {0};
    struct cs_err err = {0};
    char path[CS_ERR_PATH_MAX];
    assert_ok(read_body("{\"plan\":{\"jobs\":[{\"id\":\"a\",\"operation\":\"generateImage\",\"params\":{\"provider\":"
                        "\"local\",\"prompt\":\"p\"}}]},\"labels\":{\"k\":\"v\",\"team\":\"b\"}}",
                        arena, &submission, &err),
              &err);
    gw_paths_translate(submission.paths, "labels[1].key", path);
    assert_string_equal(path, "labels.team");
    gw_paths_translate(submission.paths, "labels[1].value", path);
    assert_string_equal(path, "labels.team");
    gw_paths_translate(submission.paths, "labels", path);
    assert_string_equal(path, "labels");
}

TEST(sy_018_w21_jobs_may_be_empty_only_in_an_execution_plan) {
    assert_reads("{\"executionPlan\":{\"jobs\":[],\"rootJobIds\":[]}}", "{\"plan\":{}}");
    static const struct bad_body cases[] = {
        {"{\"jobs\":[]}", "jobs", "no_jobs"},
        {"{\"plan\":{\"jobs\":[]}}", "plan.jobs", "no_jobs"},
    };
    assert_body_refused(cases, CS_COUNT(cases));
}

/* ---- reruns ---- */

/* CPU time of reading a rerun that names all of so many jobs, the last one first: the best of three. */
static int64_t rerun_ns(size_t count) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    Callsheet__V1__Execution execution = CALLSHEET__V1__EXECUTION__INIT;
    CS_AUTO_JSON *body = json_pack("{s:[]}", "jobs");
    int64_t best = INT64_MAX;
    execution.jobs = cs_arena_array(arena, count, sizeof(Callsheet__V1__JobStatus *));
    execution.n_jobs = count;
    for (size_t i = 0; i < count; i++) {
        Callsheet__V1__JobStatus *job = cs_arena_alloc(arena, sizeof(*job));
        callsheet__v1__job_status__init(job);
        job->id = cs_arena_sprintf(arena, "a_job_of_an_execution_with_many_of_them_%zu", i);
        job->operation = "reverse";
        execution.jobs[i] = job;
        (void)json_array_insert_new(json_object_get(body, "jobs"), 0, json_pack("{s:s}", "id", job->id));
    }
    for (int round = 0; round < 3; round++) {
        Callsheet__V1__RerunExecutionRequest request = CALLSHEET__V1__RERUN_EXECUTION_REQUEST__INIT;
        struct timespec from;
        struct timespec to;
        struct cs_err err = {0};
        assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from), 0);
        assert_ok(gw_dialect_read_rerun(body, &execution, arena, &request, gw_paths_create(arena), &err), &err);
        assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to), 0);
        assert_int_equal(request.n_from, count);
        assert_string_equal(request.from[0]->job_id, execution.jobs[count - 1]->id);
        int64_t ns = (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec;
        best = ns < best ? ns : best;
    }
    return best;
}

TEST(a_rerun_of_ten_times_as_many_jobs_takes_about_ten_times_as_long) {
    enum { JOBS = 1000, TIMES = 10, RATIO_MAX = 40 }; /* jobs that are searched for one by one: 100 */
    int64_t few = rerun_ns(JOBS);
    int64_t many = rerun_ns((size_t)JOBS * TIMES);
    if (many > RATIO_MAX * few) {
        fail_msg("%d jobs took %lld ns, %d %lld ns", JOBS, (long long)few, JOBS * TIMES, (long long)many);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(a_rerun_of_ten_times_as_many_jobs_takes_about_ten_times_as_long),
        CS_TEST(sy_004_sy_062_a_v1_plan_names_inputs_by_job),
        CS_TEST(sy_055_a_base_may_be_given_in_any_of_its_places),
        CS_TEST(sy_061_a_main_input_that_is_not_given_is_the_bases_final_output),
        CS_TEST(sy_005_sy_063_a_v2_plan_uses_types_markers_and_labels),
        CS_TEST(sy_006_a_v0_plan_is_flat_and_implies_inputs_by_dependencies),
        CS_TEST(sy_138_a_plan_tells_what_may_be_taken_from_work_done_before),
        CS_TEST(a_plan_tells_the_order_of_its_jobs),
        CS_TEST(a_plan_says_what_happens_when_something_fails),
        CS_TEST(a_native_plan_has_labels_timeout_and_key),
        CS_TEST(webhooks_may_be_written_in_every_known_way),
        CS_TEST(sy_064_media_may_be_written_in_every_known_way),
        CS_TEST(the_dependency_that_nothing_else_names_is_the_video),
        CS_TEST(sy_008_the_operations_of_the_second_generation_are_known),
        CS_TEST(sy_068_generation_takes_all_that_is_known_of_it),
        CS_TEST(generation_takes_images_and_voices_in_their_forms),
        CS_TEST(sy_076_sy_078_merges_take_words_numbers_and_markers),
        CS_TEST(sy_088_subtitles_take_text_words_and_styles_of_both_generations),
        CS_TEST(ta_042_ta_046_steps_of_talks_take_their_inputs_in_all_forms),
        CS_TEST(sy_097_layers_are_read_in_the_words_of_the_sdk),
        CS_TEST(ex_037_texts_are_read_under_their_names),
        CS_TEST(sy_103_a_green_screen_has_one_background_or_several),
        CS_TEST(sy_105_conversions_are_read_in_all_words),
        CS_TEST(packages_take_their_video_and_subtitles_in_all_words),
        CS_TEST(paths_of_the_orchestrator_come_back_in_the_clients_words),
        CS_TEST(paths_of_labels_have_their_names),
        CS_TEST(a_plan_says_which_outputs_are_kept),
        CS_TEST(sy_018_w21_jobs_may_be_empty_only_in_an_execution_plan),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + _cmocka_run_group_tests("bad bodies", bad_body_tests, bad_body_test_count, NULL, NULL);
}
