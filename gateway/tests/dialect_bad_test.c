#include <stdlib.h>
#include <string.h>

#include "cs/json.h"
#include "dialect/dialect.h"
#include "tests/dialect_cases.h"

#define PLAN(jobs) "{\"executionPlan\":{\"jobs\":[" jobs "]}}"
#define JOB(rest) PLAN("{\"id\":\"a\"," rest "}")
#define AT "executionPlan.jobs[0]"

/* A native plan whose only job says that about failure. */
#define FAILING(rule)                                                                                                  \
    "{\"plan\":{\"jobs\":[{\"id\":\"a\",\"operation\":\"generateImage\",\"params\":{\"prompt\":\"p\",\"provider\":"    \
    "\"local\"}," rule "}]}}"

TEST(sy_015_sy_016_bad_bodies_and_options_are_refused) {
    static const struct bad_body cases[] = {
        {"[]", "", "wrong_type"},
        {"\"plan\"", "", "wrong_type"},
        {"{}", "executionPlan", "required"},
        {"{\"nope\":1}", "executionPlan", "required"},
        {"{\"executionPlan\":null}", "executionPlan", "wrong_type"},
        {"{\"executionPlan\":[]}", "executionPlan", "wrong_type"},
        {"{\"executionPlan\":{}}", "executionPlan.jobs", "required"},
        {"{\"executionPlan\":{\"jobs\":\"x\"}}", "executionPlan.jobs", "wrong_type"},
        {"{\"executionPlan\":{\"jobs\":{}}}", "executionPlan.jobs", "wrong_type"},
        {"{\"executionPlan\":{\"jobs\":[],\"rootJobIds\":\"a\"}}", "executionPlan.rootJobIds", "wrong_type"},
        {"{\"executionPlan\":{\"jobs\":[],\"rootJobIds\":[1]}}", "executionPlan.rootJobIds[0]", "wrong_type"},
        {"{\"executionPlan\":{\"jobs\":[],\"extra\":1}}", "executionPlan.extra", "unknown_field"},
        {"{\"executionPlan\":{\"jobs\":[]},\"extra\":1}", "extra", "unknown_field"},
        {"{\"executionPlan\":{\"jobs\":[]},\"options\":1}", "options", "wrong_type"},
        {"{\"executionPlan\":{\"jobs\":[]},\"options\":{\"x\":1}}", "options.x", "unknown_field"},
        {"{\"executionPlan\":{\"jobs\":[]},\"options\":{\"webhookUrl\":\"nope\"}}", "options.webhookUrl", "bad_url"},
        {"{\"executionPlan\":{\"jobs\":[]},\"options\":{\"webhookUrl\":\"\"}}", "options.webhookUrl", "bad_url"},
        {"{\"executionPlan\":{\"jobs\":[]},\"options\":{\"webhookUrl\":1}}", "options.webhookUrl", "wrong_type"},
        {"{\"executionPlan\":{\"jobs\":[]},\"options\":{\"webhook\":[]}}", "options.webhook", "wrong_type"},
        {"{\"executionPlan\":{\"jobs\":[]},\"options\":{\"webhook\":{\"uri\":\"x\"}}}", "options.webhook.uri",
         "unknown_field"},
        {"{\"executionPlan\":{\"jobs\":[]},\"options\":{\"webhookSecret\":\"s\"}}", "options.webhookSecret",
         "required"},
        {"{\"executionPlan\":{\"jobs\":[]},\"webhook\":\"https://a.b\",\"options\":{\"webhookUrl\":\"https://a.c\"}}",
         "webhook", "one_of"},
        {"{\"plan\":{\"jobs\":[{}]},\"timeoutMs\":-1}", "timeoutMs", "out_of_range"},
        {"{\"plan\":{\"jobs\":[],\"priority\":-1}}", "plan.priority", "out_of_range"},
        {"{\"executionPlan\":{\"jobs\":[],\"priority\":\"9\"}}", "executionPlan.priority", "wrong_type"},
        {"{\"plan\":{\"jobs\":[{\"id\":\"a\",\"operation\":\"generateImage\",\"params\":{\"prompt\":\"p\",\"provider\":"
         "\"local\"},\"priority\":1.5}]}}",
         "plan.jobs[0].priority", "out_of_range"},
        {"{\"plan\":{\"jobs\":[{\"id\":\"a\",\"operation\":\"generateImage\",\"params\":{\"prompt\":\"p\",\"provider\":"
         "\"local\"},\"concurrencyKey\":1}]}}",
         "plan.jobs[0].concurrencyKey", "wrong_type"},
        {"{\"plan\":{\"jobs\":[],\"onFailure\":\"panic\"}}", "plan.onFailure", "unknown_word"},
        {"{\"plan\":{\"jobs\":[],\"intermediates\":\"burn\"}}", "plan.intermediates", "unknown_word"},
        {"{\"plan\":{\"jobs\":[],\"cache\":true}}", "plan.cache", "wrong_type"},
        {FAILING("\"cache\":\"always\""), "plan.jobs[0].cache", "unknown_word"},
        {FAILING("\"dependencyPolicy\":\"some\""), "plan.jobs[0].dependencyPolicy", "unknown_word"},
        {FAILING("\"optionalDependencies\":\"a\""), "plan.jobs[0].optionalDependencies", "wrong_type"},
        {FAILING("\"timeoutMs\":\"soon\""), "plan.jobs[0].timeoutMs", "out_of_range"},
        {FAILING("\"retry\":{\"attempts\":-1}"), "plan.jobs[0].retry.attempts", "out_of_range"},
        {FAILING("\"retry\":{\"tries\":1}"), "plan.jobs[0].retry.tries", "unknown_field"},
        {"{\"plan\":{\"jobs\":[{}]},\"timeoutMs\":\"1\"}", "timeoutMs", "wrong_type"},
        {"{\"plan\":{\"jobs\":[{}]},\"labels\":{\"a\":1}}", "labels.a", "wrong_type"},
        {"{\"plan\":{\"jobs\":[{}]},\"labels\":[]}", "labels", "wrong_type"},
        {"{\"plan\":{\"jobs\":[{}]},\"tenant\":\"other\"}", "tenant", "unknown_field"},
        {"{\"plan\":{\"jobs\":[{}]},\"idempotencyKey\":1}", "idempotencyKey", "wrong_type"},
    };
    assert_body_refused(cases, CS_COUNT(cases));
}

TEST(what_the_engine_cannot_do_yet_is_said) {
    static const struct bad_body cases[] = {
        {"{\"executionPlan\":{\"jobs\":[]},\"options\":{\"baseExecutionId\":5}}", "options.baseExecutionId",
         "wrong_type"},
        {"{\"executionPlan\":{\"jobs\":[],\"baseExecutionId\":\"e\"},\"options\":{\"baseExecutionId\":\"f\"}}",
         "options.baseExecutionId", "one_of"},
        {"{\"executionPlan\":{\"jobs\":[]},\"options\":{\"providerApiKeys\":{\"fal\":\"k\"}}}",
         "options.providerApiKeys.fal", "unsupported"},
        {JOB("\"operation\":\"cut\",\"params\":{\"video\":\"v\",\"plan\":\"p\",\"transitionMs\":5001}"),
         AT ".params.transitionMs", "out_of_range"},
        {JOB("\"operation\":\"removeBackground\",\"params\":{}"), AT ".operation", "unsupported"},
        {JOB("\"operation\":\"reframe\",\"params\":{\"input\":\"b\",\"crop\":\"smart\",\"mode\":\"pad\"}"),
         AT ".params.mode", "one_of"},
        {JOB("\"operation\":\"generate\",\"params\":{\"provider\":\"local\",\"prompt\":\"p\",\"apiKey\":\"k\"}"),
         AT ".params.apiKey", "unsupported"},
        {JOB("\"operation\":\"generate\",\"params\":{\"provider\":\"local\",\"prompt\":\"p\",\"sendJobWebhook\":true}"),
         AT ".params.sendJobWebhook", "unsupported"},
        {JOB("\"operation\":\"generateAudio\",\"params\":{\"provider\":\"local\",\"text\":\"p\",\"stability\":0.5}"),
         AT ".params.stability", "unsupported"},
        {JOB("\"operation\":\"reframe\",\"params\":{\"video\":{\"upload\":\"u\"},\"aspectRatio\":\"1:1\"}"),
         AT ".params.video.upload", "unsupported"},
        {JOB("\"operation\":\"addSubtitles\",\"params\":{\"input\":\"b\",\"text\":\"t\",\"style\":{\"primaryColor\":4}"
             "}"),
         AT ".params.style.primaryColor", "unsupported"},
    };
    assert_body_refused(cases, CS_COUNT(cases));
}

TEST(sy_007_sy_020_bad_jobs_are_refused) {
    static const struct bad_body cases[] = {
        {PLAN("1"), AT, "wrong_type"},
        {PLAN("{\"operation\":\"merge\",\"params\":{}}"), AT ".id", "required"},
        {PLAN("{\"id\":1,\"operation\":\"merge\",\"params\":{}}"), AT ".id", "wrong_type"},
        {PLAN("{\"id\":\"\",\"operation\":\"merge\",\"params\":{}}"), AT ".id", "bad_id"},
        {PLAN("{\"id\":\"a/b\",\"operation\":\"merge\",\"params\":{}}"), AT ".id", "bad_id"},
        {PLAN("{\"id\":\"..\",\"operation\":\"merge\",\"params\":{}}"), AT ".id", "bad_id"},
        {JOB("\"params\":{}"), AT ".operation", "required"},
        {JOB("\"operation\":\"nope\",\"params\":{}"), AT ".operation", "unknown_operation"},
        {JOB("\"type\":\"nope\",\"params\":{}"), AT ".type", "unknown_operation"},
        {JOB("\"operation\":\"noop\",\"params\":{}"), AT ".operation", "unknown_operation"},
        {JOB("\"operation\":\"deliverWebhook\",\"params\":{}"), AT ".operation", "operation_not_allowed"},
        {JOB("\"operation\":\"merge\",\"type\":\"reframe\",\"params\":{}"), AT ".type", "one_of"},
        {JOB("\"operation\":\"merge\""), AT ".params", "required"},
        {JOB("\"operation\":\"merge\",\"params\":[]"), AT ".params", "wrong_type"},
        {JOB("\"operation\":\"merge\",\"params\":{},\"dependsOn\":\"b\""), AT ".dependsOn", "wrong_type"},
        {JOB("\"operation\":\"merge\",\"params\":{},\"dependencies\":[1]"), AT ".dependencies[0]", "wrong_type"},
        {JOB("\"operation\":\"merge\",\"params\":{},\"urgency\":1"), AT ".urgency", "unknown_field"},
        {JOB("\"operation\":\"merge\",\"params\":{},\"output\":1"), AT ".output", "wrong_type"},
        {"{\"jobs\":[{\"id\":\"a\",\"type\":\"nope\",\"params\":{}}]}", "jobs[0].type", "unknown_operation"},
        {"{\"plan\":{\"jobs\":[{\"id\":\"a\",\"operation\":\"nope\",\"params\":{}}]}}", "plan.jobs[0].operation",
         "unknown_operation"},
    };
    assert_body_refused(cases, CS_COUNT(cases));
}

TEST(bad_parameters_are_refused_where_the_client_wrote_them) {
    static const struct bad_body cases[] = {
        {JOB("\"operation\":\"generate\",\"params\":{\"provider\":\"local\",\"prompt\":5}"), AT ".params.prompt",
         "wrong_type"},
        {JOB("\"operation\":\"generate\",\"params\":{\"provider\":\"local\",\"prompt\":\"p\",\"sparkles\":true}"),
         AT ".params.sparkles", "unknown_field"},
        {JOB("\"operation\":\"generate\",\"params\":{\"provider\":\"local\",\"prompt\":\"p\",\"duration\":1e6}"),
         AT ".params.duration", "out_of_range"},
        {JOB("\"operation\":\"generate\",\"params\":{\"provider\":\"local\",\"prompt\":\"p\",\"modelId\":7}"),
         AT ".params.modelId", "wrong_type"},
        {JOB("\"operation\":\"generate\",\"params\":{\"provider\":\"local\",\"model\":\"a\",\"modelId\":\"b\"}"),
         AT ".params.modelId", "one_of"},
        {JOB("\"operation\":\"generate\",\"params\":{\"provider\":\"acme\",\"prompt\":\"p\"}"), AT ".params.provider",
         "unknown_provider"},
        {JOB("\"operation\":\"generate\",\"params\":{\"provider\":\"local\",\"image\":5}"), AT ".params.image",
         "wrong_type"},
        {JOB("\"operation\":\"generate\",\"params\":{\"provider\":\"local\",\"image\":\"ftp://x/y\"}"),
         AT ".params.image", "bad_url"},
        {JOB("\"operation\":\"generateImage\",\"params\":{\"provider\":\"local\",\"image\":[\"a\",\"b c\"]}"),
         AT ".params.image[1]", "bad_id"},
        {JOB("\"operation\":\"generateImage\",\"params\":{\"provider\":\"local\",\"image\":\"_imageJobDependency:\"}"),
         AT ".params.image", "bad_id"},
        {JOB("\"operation\":\"merge\",\"params\":{\"inputs\":[\"b\"]}"), AT ".params.inputs", "too_few"},
        {JOB("\"operation\":\"merge\",\"params\":{\"inputs\":[\"b\",5]}"), AT ".params.inputs[1]", "wrong_type"},
        {JOB("\"operation\":\"merge\",\"params\":{\"inputs\":[\"b\",\"c d\"]}"), AT ".params.inputs[1]", "bad_id"},
        {JOB("\"operation\":\"merge\",\"params\":{\"inputs\":[\"b\",\"c\"],\"items\":[\"d\"]}"), AT ".params.items",
         "one_of"},
        {JOB("\"operation\":\"merge\",\"params\":{}"), AT ".params.items", "required"},
        {JOB("\"operation\":\"merge\",\"params\":{\"items\":{}}"), AT ".params.items", "wrong_type"},
        {JOB("\"operation\":\"merge\",\"params\":{\"items\":[{\"type\":\"video\"}]}"), AT ".params.items[0].media",
         "required"},
        {JOB("\"operation\":\"merge\",\"params\":{\"items\":[{\"url\":\"b\"}]}"), AT ".params.items[0].url", "bad_url"},
        {JOB("\"operation\":\"layer\",\"params\":{\"layers\":[]}"), AT ".params.layers", "required"},
        {JOB("\"operation\":\"layer\",\"params\":{\"layers\":[{\"media\":\"a\",\"placement\":\"w-full-er\"}]}"),
         AT ".params.layers[0].placement", "unknown_word"},
        {JOB("\"operation\":\"layer\",\"params\":{\"layers\":[{\"media\":\"a\",\"placement\":{\"position\":{\"x\":\"1/"
             "0\"}}}]"
             "}"),
         AT ".params.layers[0].placement.position.x", "bad_expression"},
        {JOB("\"operation\":\"layer\",\"params\":{\"layers\":[{\"media\":[\"a\",5]}]}"),
         AT ".params.layers[0].media[1]", "wrong_type"},
        {JOB("\"operation\":\"layer\",\"params\":{\"layers\":[{\"timeline\":[{\"media\":\"a\"}]}]}"),
         AT ".params.layers", "no_main_layer"},
        {JOB("\"operation\":\"merge\",\"params\":{\"items\":[{\"url\":\"_jobDependency:b\",\"type\":\"hologram\"}]}"),
         AT ".params.items[0].type", "unknown_word"},
        {JOB("\"operation\":\"merge\",\"params\":{\"items\":[{\"url\":\"_audioJobDependency:b\"}]}"),
         AT ".params.items", "no_visual"},
        {JOB("\"operation\":\"merge\",\"params\":{\"items\":[\"b\"],\"transition\":\"explode\"}"),
         AT ".params.transition", "unknown_word"},
        {JOB("\"operation\":\"merge\",\"params\":{\"items\":[\"b\"],\"transition\":{\"type\":\"fade\",\"duration\":0}"
             "}"),
         AT ".params.transition.duration", "out_of_range"},
        {JOB("\"operation\":\"merge\",\"params\":{\"items\":[\"b\"],\"frameRate\":0}"), AT ".params.frameRate",
         "bad_frame_rate"},
        {JOB("\"operation\":\"reframe\",\"params\":{\"input\":\"b\",\"aspectRatio\":\"5:1\"}"),
         AT ".params.aspectRatio", "unknown_word"},
        {JOB("\"operation\":\"reframe\",\"params\":{\"aspectRatio\":\"1:1\"},\"dependsOn\":[\"b\",\"c\"]"),
         AT ".params.video", "required"},
        {JOB("\"operation\":\"reframe\",\"params\":{\"aspectRatio\":\"1:1\"},\"dependencies\":[\"b c\"]"),
         AT ".dependencies[0]", "bad_id"},
        {JOB("\"operation\":\"reframe\",\"params\":{\"videoUrl\":\"b\",\"aspectRatio\":\"1:1\"}"),
         AT ".params.videoUrl", "bad_url"},
        {JOB("\"operation\":\"reframe\",\"params\":{\"input\":\"b\",\"video\":\"c\",\"aspectRatio\":\"1:1\"}"),
         AT ".params.video", "one_of"},
        {JOB("\"operation\":\"reframe\",\"params\":{\"video\":{\"job\":5},\"aspectRatio\":\"1:1\"}"),
         AT ".params.video.job", "wrong_type"},
        {JOB("\"operation\":\"reframe\",\"params\":{\"video\":{\"job\":\"b\",\"url\":\"http://"
             "x\"},\"aspectRatio\":\"1:1\"}"),
         AT ".params.video.url", "one_of"},
        {JOB("\"operation\":\"reframe\",\"params\":{\"video\":{\"job\":\"b\",\"input\":1},\"aspectRatio\":\"1:1\"}"),
         AT ".params.video.input", "unknown_field"},
        {JOB("\"operation\":\"lipSync\",\"params\":{\"input\":\"b\"}"), AT ".params.audio", "required"},
        {JOB("\"operation\":\"lipSync\",\"params\":{\"input\":\"b\",\"audioUrl\":\"/etc/passwd\"}"),
         AT ".params.audioUrl", "bad_url"},
        {JOB("\"operation\":\"lipSync\",\"params\":{\"input\":\"b\",\"audio\":\"c\",\"volume\":2}"),
         AT ".params.volume", "out_of_range"},
        {JOB("\"operation\":\"addSubtitles\",\"params\":{\"input\":\"b\"}"), AT ".params", "required"},
        {JOB("\"operation\":\"addSubtitles\",\"params\":{\"input\":\"b\",\"text\":\"t\",\"timing\":{\"start\":2,"
             "\"end\":1}}"),
         AT ".params.timing.end", "out_of_range"},
        {JOB("\"operation\":\"addSubtitles\",\"params\":{\"input\":\"b\",\"text\":\"t\",\"timing\":{\"from\":2}}"),
         AT ".params.timing.from", "unknown_field"},
        {JOB("\"operation\":\"addSubtitles\",\"params\":{\"input\":\"b\",\"text\":\"t\",\"style\":\"loud\"}"),
         AT ".params.style", "unknown_word"},
        {JOB("\"operation\":\"addSubtitles\",\"params\":{\"input\":\"b\",\"text\":\"t\",\"style\":{\"animationStyle\":"
             "\"x\"}}"),
         AT ".params.style.animationStyle", "unknown_word"},
        {JOB("\"operation\":\"addSubtitles\",\"params\":{\"input\":\"b\",\"transcript\":[{\"word\":5}]}"),
         AT ".params.transcript[0].word", "wrong_type"},
        {JOB("\"operation\":\"addSubtitles\",\"params\":{\"input\":\"b\",\"transcript\":[{\"word\":\"a\",\"start\":2,"
             "\"end\":1}]}"),
         AT ".params.transcript[0].end", "out_of_range"},
    };
    assert_body_refused(cases, CS_COUNT(cases));
}

/* {"executionPlan":{"jobs":[job, job, …]}} */
static void put_many_jobs(struct cs_buf *body, const char *job, size_t count) {
    cs_buf_puts(body, "{\"executionPlan\":{\"jobs\":[");
    for (size_t i = 0; i < count; i++) {
        cs_buf_printf(body, "%s%s", i != 0 ? "," : "", job);
    }
    cs_buf_puts(body, "]}}");
}

TEST(a_plan_has_at_most_ten_thousand_jobs) {
    CS_AUTO_BUF body = {0};
    put_many_jobs(&body, "{}", 10001);
    const struct bad_body cases[] = {{body.data, "executionPlan.jobs", "too_many_jobs"}};
    assert_body_refused(cases, 1);
}

TEST(inputs_are_counted_before_they_are_read) {
    CS_AUTO_BUF inputs = {0};
    struct cs_buf bodies[4] = {0};
    for (int i = 0; i < 1001; i++) {
        cs_buf_printf(&inputs, "%s\"a\"", i != 0 ? "," : "");
    }
    cs_buf_printf(&bodies[0], JOB("\"operation\":\"merge\",\"params\":{\"inputs\":[%s]}"), inputs.data);
    cs_buf_printf(&bodies[1], JOB("\"operation\":\"merge\",\"params\":{\"items\":[%s]}"), inputs.data);
    cs_buf_printf(&bodies[2], JOB("\"operation\":\"merge\",\"params\":{},\"dependencies\":[%s]"), inputs.data);
    cs_buf_printf(&bodies[3], JOB("\"operation\":\"generateImage\",\"params\":{\"image\":[%s]}"), inputs.data);
    const struct bad_body cases[] = {
        {bodies[0].data, AT ".params.inputs", "too_many"},
        {bodies[1].data, AT ".params.items", "too_many"},
        {bodies[2].data, AT ".dependencies", "too_many"},
        {bodies[3].data, AT ".params.image", "too_many"},
    };
    assert_body_refused(cases, CS_COUNT(cases));
    for (size_t i = 0; i < CS_COUNT(bodies); i++) {
        cs_buf_fini(&bodies[i]);
    }
}

TEST(ids_secrets_labels_and_parameters_have_limits) {
    CS_AUTO_BUF long_id = {0};
    CS_AUTO_BUF long_secret = {0};
    CS_AUTO_BUF long_label = {0};
    CS_AUTO_BUF long_prompt = {0};
    char fill[20001];
    memset(fill, 'a', 20000);
    fill[20000] = '\0';
    cs_buf_printf(&long_id, PLAN("{\"id\":\"%.129s\",\"operation\":\"merge\",\"params\":{}}"), fill);
    cs_buf_printf(&long_secret,
                  "{\"executionPlan\":{\"jobs\":[]},\"webhook\":{\"url\":\"http://x\",\"secret\":\"%.513s\"}}", fill);
    cs_buf_printf(&long_label, "{\"plan\":{\"jobs\":[{}]},\"labels\":{\"a\":\"%.16384s\"}}", fill);
    cs_buf_printf(&long_prompt,
                  JOB("\"operation\":\"generate\",\"params\":{\"provider\":\"local\",\"prompt\":\"%.8001s\"}"), fill);
    const struct bad_body cases[] = {
        {long_id.data, AT ".id", "bad_id"},
        {long_secret.data, "webhook.secret", "too_long"},
        {long_label.data, "labels", "too_big"},
        {long_prompt.data, AT ".params.prompt", "too_long"},
    };
    assert_body_refused(cases, CS_COUNT(cases));
}

const struct CMUnitTest bad_body_tests[] = {
    CS_TEST(sy_015_sy_016_bad_bodies_and_options_are_refused),
    CS_TEST(what_the_engine_cannot_do_yet_is_said),
    CS_TEST(sy_007_sy_020_bad_jobs_are_refused),
    CS_TEST(bad_parameters_are_refused_where_the_client_wrote_them),
    CS_TEST(a_plan_has_at_most_ten_thousand_jobs),
    CS_TEST(inputs_are_counted_before_they_are_read),
    CS_TEST(ids_secrets_labels_and_parameters_have_limits),
};
const size_t bad_body_test_count = CS_COUNT(bad_body_tests);
