#include <stdlib.h>
#include <string.h>

#include "callsheet/v1/orchestrator.pb-c.h"
#include "callsheet/v1/worker.pb-c.h"
#include "cs/json.h"
#include "cs/test.h"
#include "google/protobuf/descriptor.pb-c.h"

static enum cs_status parse(const char *text, json_t **ret_value, struct cs_err *err) {
    return cs_json_parse(text, strlen(text), ret_value, err);
}

static enum cs_status read_as(const char *text, const ProtobufCMessageDescriptor *descriptor, const char *path,
                              struct cs_arena *arena, void *ret_message, struct cs_err *err) {
    CS_AUTO_JSON *value = NULL;
    CS_TRY(parse(text, &value, err));
    return cs_json_to_message(value, descriptor, path, arena, ret_message, err);
}

static void assert_writes(const ProtobufCMessage *message, unsigned flags, const char *want) {
    CS_AUTO_JSON *value = cs_json_from_message(message, flags);
    char *text = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER);
    assert_string_equal(text, want);
    free(text);
}

TEST(a_plan_is_read_with_wrappers_enums_oneofs_and_lists) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    Callsheet__V1__Plan *plan = NULL;
    assert_ok(
        read_as("{\"jobs\":[{\"id\":\"a\",\"dependsOn\":[\"b\",\"c\"],\"operation\":{\"reframe\":{\"video\":{\"job\":"
                "\"b\"},\"aspectRatio\":\"9:16\",\"crop\":\"top\"}}},"
                "{\"id\":\"d\",\"operation\":{\"lipSync\":{\"volume\":0}}}]}",
                &callsheet__v1__plan__descriptor, "", arena, &plan, &err),
        &err);
    assert_int_equal(plan->n_jobs, 2);
    const Callsheet__V1__Job *job = plan->jobs[0];
    assert_string_equal(job->depends_on[1], "c");
    assert_int_equal(job->operation->params_case, CALLSHEET__V1__OPERATION__PARAMS_REFRAME);
    assert_string_equal(job->operation->reframe->video->job, "b");
    assert_int_equal(job->operation->reframe->crop, CALLSHEET__V1__CROP_ANCHOR__CROP_ANCHOR_TOP);
    assert_non_null(plan->jobs[1]->operation->lip_sync->volume);
    assert_true(plan->jobs[1]->operation->lip_sync->volume->value == 0);
    assert_string_equal(plan->jobs[1]->output, "");
}

TEST(errors_name_the_path_and_a_reason) {
    static const struct {
        const char *text;
        const char *path;
        const char *reason;
    } cases[] = {
        {"{\"jobs\":\"x\"}", "plan.jobs", "wrong_type"},
        {"{\"jobs\":[{\"id\":1}]}", "plan.jobs[0].id", "wrong_type"},
        {"{\"jobs\":[{}, {\"dependsOn\":[\"a\",null]}]}", "plan.jobs[1].dependsOn[1]", "wrong_type"},
        {"{\"jobs\":[{\"nope\":1}]}", "plan.jobs[0].nope", "unknown_field"},
        {"{\"jobs\":[{\"depends_on\":[]}]}", "plan.jobs[0].depends_on", "unknown_field"},
        {"{\"jobs\":[{\"operation\":{\"reframe\":{},\"merge\":{}}}]}", "plan.jobs[0].operation.merge", "one_of"},
        {"{\"jobs\":[{\"operation\":{\"reframe\":{\"crop\":\"smart\"}}}]}", "plan.jobs[0].operation.reframe.crop",
         "unknown_word"},
        {"{\"jobs\":[{\"operation\":{\"noop\":{\"payload\":\"a\"}}}]}", "plan.jobs[0].operation.noop.payload",
         "bad_base64"},
        {"{\"jobs\":[{\"operation\":{\"lipSync\":{\"volume\":\"1\"}}}]}", "plan.jobs[0].operation.lipSync.volume",
         "wrong_type"},
        {"{\"jobs\":[{\"operation\":{\"generateVideo\":{\"seed\":1.5}}}]}", "plan.jobs[0].operation.generateVideo.seed",
         "out_of_range"},
        {"{\"jobs\":[{\"operation\":{\"generateVideo\":{\"seed\":1e19}}}]}",
         "plan.jobs[0].operation.generateVideo.seed", "out_of_range"},
        {"{\"jobs\":[{\"operation\":{\"generateVideo\":{\"seed\":\"x\"}}}]}",
         "plan.jobs[0].operation.generateVideo.seed", "out_of_range"},
        {"{\"jobs\":[{\"operation\":{\"addSubtitles\":{\"style\":{\"fontSize\":-1}}}}]}",
         "plan.jobs[0].operation.addSubtitles.style.fontSize", "out_of_range"},
        {"{\"jobs\":[{\"operation\":{\"addSubtitles\":{\"style\":{\"fontSize\":4294967296}}}}]}",
         "plan.jobs[0].operation.addSubtitles.style.fontSize", "out_of_range"},
        {"{\"jobs\":[{\"operation\":{\"addSubtitles\":{\"style\":{\"highlightActiveWord\":1}}}}]}",
         "plan.jobs[0].operation.addSubtitles.style.highlightActiveWord", "wrong_type"},
        {"[]", "plan", "wrong_type"},
        {"3", "plan", "wrong_type"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct cs_err err = {0};
        Callsheet__V1__Plan *plan = NULL;
        assert_fails(read_as(cases[i].text, &callsheet__v1__plan__descriptor, "plan", arena, &plan, &err), &err,
                     CS_INVALID_ARGUMENT, cases[i].reason);
        assert_string_equal(err.path, cases[i].path);
        assert_null(plan);
    }
}

TEST(null_means_absent_and_does_not_choose_an_alternative) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    Callsheet__V1__Job *job = NULL;
    assert_ok(read_as("{\"id\":null,\"dependsOn\":null,\"operation\":{\"merge\":null,\"noop\":{}}}",
                      &callsheet__v1__job__descriptor, "", arena, &job, &err),
              &err);
    assert_string_equal(job->id, "");
    assert_int_equal(job->operation->params_case, CALLSHEET__V1__OPERATION__PARAMS_NOOP);
}

TEST(whole_numbers_come_as_integers_reals_or_for_64_bits_text) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    static const char *const texts[] = {"{\"seed\":42}", "{\"seed\":42.0}", "{\"seed\":\"42\"}", "{\"seed\":4.2e1}"};
    for (size_t i = 0; i < CS_COUNT(texts); i++) {
        Callsheet__V1__GenerateVideo *video = NULL;
        assert_ok(read_as(texts[i], &callsheet__v1__generate_video__descriptor, "", arena, &video, &err), &err);
        assert_int_equal(video->seed->value, 42);
    }
    Callsheet__V1__Artifact *artifact = NULL;
    assert_ok(read_as("{\"sizeBytes\":\"18446744073709551615\"}", &callsheet__v1__artifact__descriptor, "", arena,
                      &artifact, &err),
              &err);
    assert_true(artifact->size_bytes == UINT64_MAX);
    assert_writes(&artifact->base, 0, "{\"sizeBytes\":\"18446744073709551615\"}");
    static const char *const bad[] = {"{\"sizeBytes\":-1}",     "{\"sizeBytes\":\"-1\"}",
                                      "{\"sizeBytes\":\"+1\"}", "{\"sizeBytes\":\"18446744073709551616\"}",
                                      "{\"sizeBytes\":\"1 \"}", "{\"sizeBytes\":\"\"}"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        assert_fails(read_as(bad[i], &callsheet__v1__artifact__descriptor, "", arena, &artifact, &err), &err,
                     CS_INVALID_ARGUMENT, "out_of_range");
    }
}

TEST(many_small_objects_are_refused_before_they_take_memory) {
    struct cs_err err = {0};
    json_t *value = NULL;
    CS_AUTO_BUF text = {0};
    cs_buf_putc(&text, '[');
    for (int i = 0; i < CS_JSON_CONTAINERS_MAX; i++) {
        cs_buf_puts(&text, "{},");
    }
    text.data[text.size - 1] = ']';
    assert_fails(parse(text.data, &value, &err), &err, CS_OUT_OF_RANGE, "too_big");
    memcpy(text.data + 1, " 0", 2); /* one less */
    assert_ok(parse(text.data, &value, &err), &err);
    json_decref(value);
}

TEST(text_is_refused_before_it_is_parsed) {
    struct cs_err err = {0};
    json_t *value = NULL;
    char deep[128];
    memset(deep, '[', 33);
    memset(deep + 33, ']', 33);
    deep[66] = '\0';
    assert_fails(parse(deep, &value, &err), &err, CS_INVALID_ARGUMENT, "too_deep");
    memset(deep, '[', 32);
    memset(deep + 32, ']', 32);
    deep[64] = '\0';
    assert_ok(parse(deep, &value, &err), &err);
    json_decref(value);
    value = NULL;
    assert_ok(parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[\"]", &value, &err), &err);
    json_decref(value);
    value = NULL;
    char *big = cs_alloc(CS_JSON_BYTES_MAX + 1);
    memset(big, ' ', CS_JSON_BYTES_MAX + 1);
    assert_fails(cs_json_parse(big, CS_JSON_BYTES_MAX + 1, &value, &err), &err, CS_OUT_OF_RANGE, "too_big");
    for (size_t i = 0; i <= CS_JSON_CONTAINERS_MAX; i++) { /* [{},{},… */
        memcpy(big + 1 + 3 * i, "{},", 3);
    }
    big[0] = '[';
    assert_fails(cs_json_parse(big, 1 + 3 * CS_JSON_CONTAINERS_MAX, &value, &err), &err, CS_OUT_OF_RANGE, "too_big");
    memcpy(big + 3 * (CS_JSON_CONTAINERS_MAX - 1), "]", 1);
    assert_ok(cs_json_parse(big, 3 * (CS_JSON_CONTAINERS_MAX - 1) + 1, &value, &err), &err);
    json_decref(value);
    value = NULL;
    free(big);
}

TEST(malformed_text_is_refused_with_its_position) {
    static const struct {
        const char *text;
        size_t size;
        const char *reason;
    } cases[] = {
        {"", 0, "bad_json"},
        {"{", 1, "bad_json"},
        {"{\"a\":1,\"a\":2}", 13, "duplicate_member"},
        {"{\"a\":{\"b\":1,\"b\":2}}", 19, "duplicate_member"},
        {"\"\xff\"", 3, "bad_utf8"},
        {"\"\xc0\xaf\"", 4, "bad_utf8"},
        {"\"\xed\xa0\x80\"", 5, "bad_utf8"},
        {"\"\\ud800\"", 8, "bad_json"},
        {"\"\\u0000\"", 8, "bad_json"},
        {"\"a\0b\"", 5, "bad_json"},
        {"{\"secret\":\"hunter2\" x", 21, "bad_json"},
        {"[1e999]", 7, "bad_json"},
        {"[NaN]", 5, "bad_json"},
        {"[99999999999999999999]", 22, "bad_json"},
        {"{} {}", 5, "bad_json"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct cs_err err = {0};
        json_t *value = NULL;
        assert_fails(cs_json_parse(cases[i].text, cases[i].size, &value, &err), &err, CS_INVALID_ARGUMENT,
                     cases[i].reason);
        assert_null(value);
        assert_non_null(strstr(err.message, "at line 1, column "));
        assert_null(strstr(err.message, "hunter2"));
    }
}

TEST(writing_is_canonical) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    static const char *const texts[] = {
        "{\"generateVideo\":{\"prompt\":\"a\",\"duration\":2.5,\"seed\":7,\"cameraMotion\":\"fixed\"}}",
        "{\"addSubtitles\":{\"words\":[{\"word\":\"hi\",\"end\":0.5}],\"style\":{\"marginV\":0}}}",
        "{\"addSubtitles\":{\"style\":{\"highlightActiveWord\":false}}}",
        "{\"noop\":{\"payload\":\"aGVsbG8=\"}}",
        "{\"merge\":{\"items\":[{\"media\":{\"url\":\"https://x/\"},\"type\":\"image\"}]}}",
    };
    for (size_t i = 0; i < CS_COUNT(texts); i++) {
        Callsheet__V1__Operation *operation = NULL;
        assert_ok(read_as(texts[i], &callsheet__v1__operation__descriptor, "", arena, &operation, &err), &err);
        assert_writes(&operation->base, 0, texts[i]);
    }
    Callsheet__V1__MergeItem item = CALLSHEET__V1__MERGE_ITEM__INIT;
    assert_writes(&item.base, CS_JSON_DEFAULTS, "{\"type\":\"unspecified\",\"loop\":false}");
    Callsheet__V1__JobStatus status = CALLSHEET__V1__JOB_STATUS__INIT;
    status.started_at_ms = 1700000000000;
    assert_writes(&status.base, 0, "{\"startedAtMs\":1700000000000}");
    assert_writes(&status.base, CS_JSON_STRICT64, "{\"startedAtMs\":\"1700000000000\"}");
    Callsheet__V1__Metric metric = CALLSHEET__V1__METRIC__INIT;
    metric.value = 1.0 / 0.0;
    assert_writes(&metric.base, 0, "{\"value\":\"Infinity\"}");
}

TEST(enum_words_lose_the_prefix_and_the_proto_name_is_read_too) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    assert_string_equal(cs_json_enum_word(&callsheet__v1__failure_class__descriptor, 5, arena), "codec_unsupported");
    assert_string_equal(cs_json_enum_word(&callsheet__v1__execution_state__descriptor, 2, arena), "processing");
    assert_null(cs_json_enum_word(&callsheet__v1__execution_state__descriptor, 77, arena));
    Callsheet__V1__Reframe *reframe = NULL;
    assert_ok(
        read_as("{\"crop\":\"CROP_ANCHOR_LEFT\"}", &callsheet__v1__reframe__descriptor, "", arena, &reframe, &err),
        &err);
    assert_int_equal(reframe->crop, CALLSHEET__V1__CROP_ANCHOR__CROP_ANCHOR_LEFT);
}

TEST(recursive_messages_stop_at_the_depth_limit) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    CS_AUTO_JSON *value = json_object();
    for (int i = 0; i < 40; i++) { /* built in memory: no text limit stood in the way */
        json_t *outer = json_object();
        json_t *list = json_array();
        (void)json_array_append_new(list, value);
        (void)json_object_set_new(outer, "nestedType", list);
        value = outer;
    }
    ProtobufCMessage *message = NULL;
    assert_fails(cs_json_to_message(value, &google__protobuf__descriptor_proto__descriptor, "", arena, &message, &err),
                 &err, CS_INVALID_ARGUMENT, "too_deep");
}

TEST(a_long_member_name_does_not_break_the_error) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    CS_AUTO_BUF text = {0};
    cs_buf_puts(&text, "{\"");
    for (int i = 0; i < 1000; i++) {
        cs_buf_puts(&text, "\xc3\xa9");
    }
    cs_buf_puts(&text, "\":1}");
    Callsheet__V1__Plan *plan = NULL;
    assert_fails(read_as(text.data, &callsheet__v1__plan__descriptor, "p", arena, &plan, &err), &err,
                 CS_INVALID_ARGUMENT, "unknown_field");
    CS_AUTO_JSON *shown = json_string(err.path);
    assert_non_null(shown); /* still UTF-8 */
}

TEST_MAIN(CS_TEST(a_plan_is_read_with_wrappers_enums_oneofs_and_lists), CS_TEST(errors_name_the_path_and_a_reason),
          CS_TEST(null_means_absent_and_does_not_choose_an_alternative),
          CS_TEST(whole_numbers_come_as_integers_reals_or_for_64_bits_text),
          CS_TEST(many_small_objects_are_refused_before_they_take_memory), CS_TEST(text_is_refused_before_it_is_parsed),
          CS_TEST(malformed_text_is_refused_with_its_position), CS_TEST(writing_is_canonical),
          CS_TEST(enum_words_lose_the_prefix_and_the_proto_name_is_read_too),
          CS_TEST(recursive_messages_stop_at_the_depth_limit), CS_TEST(a_long_member_name_does_not_break_the_error))
