/* People and programs in the loop through the whole gateway: approvals, reports about external jobs. */
#include <stdlib.h>
#include <string.h>

#include "tests/world.h"

#define JSON "Content-Type: application/json\r\n"

static void assert_sent(struct world *world, const char *want) {
    CS_AUTO_FREE char *sent = fake_last(&world->fake);
    assert_string_equal(sent, want);
}

TEST(ex_001_a_decision_reaches_the_orchestrator_with_who_and_why) {
    struct world world;
    world_up(&world);
    CS_AUTO_JSON *approved = ask(&world, "POST", "/v1/executions/e1/approve", JSON,
                                 "{\"jobId\":\"m\",\"comment\":\"nice\",\"by\":\"ann\"}", 200);
    assert_string_equal(text_at(approved, "id"), "e1");
    assert_sent(&world, "{\"tenant\":\"default\",\"executionId\":\"e1\",\"jobId\":\"m\",\"approve\":true,"
                        "\"by\":\"ann\",\"comment\":\"nice\"}");
    json_decref(ask(&world, "POST", "/v1/executions/e1/reject", "", NULL, 200));
    assert_sent(&world, "{\"tenant\":\"default\",\"executionId\":\"e1\",\"by\":\"api\"}");
    json_decref(ask(&world, "POST", "/v1/executions/e2/approve", "", NULL, 404));
    CS_AUTO_JSON *bad = ask(&world, "POST", "/v1/executions/e1/approve", JSON, "{\"job\":\"m\"}", 400);
    assert_string_equal(text_at(bad, "path"), "job");
    world.fake.decided = true;
    CS_AUTO_JSON *late = ask(&world, "POST", "/v1/executions/e1/approve", "", NULL, 409);
    assert_string_equal(text_at(late, "code"), "not_awaiting_approval");
    world_stop(&world);
}

TEST(ex_001_ex_002_elix_clients_get_their_own_words) {
    struct world world;
    world_up(&world);
    CS_AUTO_JSON *good = ask(&world, "POST", "/api/v3/jobs/e1/approve", "", NULL, 200);
    assert_string_equal(text_at(good, "message"), "Job approved successfully");
    assert_string_equal(text_at(good, "job_id"), "e1");
    assert_string_equal(text_at(good, "status"), "approved");
    CS_AUTO_JSON *unknown = ask(&world, "POST", "/api/v3/jobs/e2/approve", "", NULL, 404);
    assert_string_equal(text_at(unknown, "error"), "Job not found");
    assert_string_equal(text_at(unknown, "job_id"), "e2");
    world.fake.decided = true;
    CS_AUTO_JSON *late = ask(&world, "POST", "/api/v3/jobs/e1/approve", "", NULL, 422);
    assert_string_equal(text_at(late, "error"), "Job cannot be approved");
    assert_string_equal(text_at(late, "current_status"), "completed");
    assert_string_equal(text_at(late, "reason"), "the execution does not await an approval: it is completed");
    world_stop(&world);
}

TEST(ex_009_e12_a_report_needs_the_token_of_the_work_and_no_key) {
    struct world world;
    world_init(&world);
    world.config.api_keys = "0123456789=acme";
    world_start(&world);
    json_decref(ask(&world, "POST", "/v1/executions/e1/approve", "", NULL, 401));
    CS_AUTO_JSON *good = ask(&world, "POST", "/v1/external/complete", "Authorization: Bearer ext.good\r\n" JSON,
                             "{\"outputs\":[{\"url\":\"https://e.com/a.mp4\",\"type\":\"video\"}],"
                             "\"data\":{\"n\":[1]},\"metrics\":{\"words\":2}}",
                             200);
    assert_string_equal(text_at(good, "jobId"), "m");
    assert_string_equal(text_at(good, "status"), "completed");
    assert_sent(&world, "{\"token\":\"ext.good\",\"succeeded\":{\"outputs\":[{\"type\":\"video\",\"url\":"
                        "\"https://e.com/a.mp4\"}],\"metrics\":[{\"name\":\"words\",\"value\":2.0}],\"data\":"
                        "\"{\\\"n\\\":[1]}\"}}");
    CS_AUTO_JSON *wrong = ask(&world, "POST", "/v1/external/complete", "Authorization: Bearer no\r\n", NULL, 404);
    assert_string_equal(text_at(wrong, "code"), "no_such_work");
    json_decref(ask(&world, "POST", "/v1/external/complete", "", NULL, 404));
    json_decref(ask(&world, "POST", "/v1/external/complete/ext.good", "", NULL, 404));
    json_decref(ask(&world, "POST", "/v1/external/fail", "Authorization: Bearer ext.good\r\n" JSON,
                    "{\"message\":\"no ink\"}", 200));
    assert_sent(&world, "{\"token\":\"ext.good\",\"failed\":{\"failureClass\":\"invalid_input\",\"message\":"
                        "\"no ink\"}}");
    CS_AUTO_JSON *bad =
        ask(&world, "POST", "/v1/external/fail", "Authorization: Bearer ext.good\r\n" JSON, "{\"class\":\"odd\"}", 400);
    assert_string_equal(text_at(bad, "path"), "class");
    json_decref(ask(&world, "POST", "/v1/external/heartbeat", "Authorization: Bearer ext.good\r\n" JSON,
                    "{\"stage\":\"drawing\",\"fraction\":0.5}", 200));
    assert_sent(&world, "{\"token\":\"ext.good\",\"progress\":{\"stage\":\"drawing\",\"fraction\":0.5}}");
    world_stop(&world);
}

TEST(sy_067_the_url_of_a_result_is_found_in_its_three_forms) {
    static const char *const forms[] = {
        "{\"outputs\":[{\"url\":\"https://e.com/a.mp4\"}]}",
        "{\"url\":\"https://e.com/a.mp4\"}",
        "{\"output\":{\"url\":\"https://e.com/a.mp4\"}}",
    };
    static const char *const bad[][3] = {
        {"{\"url\":\"https://e.com/a.mp4\",\"output\":{\"url\":\"https://e.com/b.mp4\"}}", "one_of", "url"},
        {"{\"output\":\"https://e.com/a.mp4\"}", "wrong_type", "output"},
        {"{\"output\":{\"uri\":\"https://e.com/a.mp4\"}}", "unknown_field", "output.uri"},
        {"{\"url\":5}", "wrong_type", "url"},
        {"{\"outputs\":[{\"url\":5}]}", "wrong_type", "outputs[0].url"},
    };
    static const char headers[] = "Authorization: Bearer ext.good\r\n" JSON;
    struct world world;
    world_up(&world);
    for (size_t i = 0; i < CS_COUNT(forms); i++) {
        json_decref(ask(&world, "POST", "/v1/external/complete", headers, forms[i], 200));
        assert_sent(&world, "{\"token\":\"ext.good\",\"succeeded\":{\"outputs\":[{\"url\":\"https://e.com/a.mp4\"}]}}");
    }
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        CS_AUTO_JSON *refused = ask(&world, "POST", "/v1/external/complete", headers, bad[i][0], 400);
        assert_string_equal(text_at(refused, "code"), bad[i][1]);
        assert_string_equal(text_at(refused, "path"), bad[i][2]);
    }
    fake_fail_with(&world.fake, CS_INVALID_ARGUMENT, "bad_url", "outputs[0].url", "no");
    CS_AUTO_JSON *url = ask(&world, "POST", "/v1/external/complete", headers, forms[1], 400);
    assert_string_equal(text_at(url, "path"), "url");
    CS_AUTO_JSON *output = ask(&world, "POST", "/v1/external/complete", headers, forms[2], 400);
    assert_string_equal(text_at(output, "path"), "output.url");
    world_stop(&world);
}

TEST(plans_say_what_needs_approval_and_what_is_done_outside) {
    struct world world;
    world_up(&world);
    json_decref(
        ask(&world, "POST", "/v1/executions", JSON,
            "{\"plan\":{\"requiresApproval\":true,\"jobs\":[{\"id\":\"e\",\"operation\":\"external\",\"params\":"
            "{\"name\":\"draw\",\"data\":[1],\"heartbeatTimeoutMs\":5000,\"output\":\"image\"},"
            "\"requiresApproval\":{\"timeoutMs\":5,\"onTimeout\":\"approve\",\"reason\":\"ok?\"}}]}}",
            202));
    CS_AUTO_FREE char *sent = fake_last(&world.fake);
    assert_non_null(strstr(sent, "\"external\":{\"name\":\"draw\",\"data\":\"[1]\",\"heartbeatTimeoutMs\":5000,"
                                 "\"output\":\"image\"}"));
    assert_non_null(
        strstr(sent, "\"requiresApproval\":{\"timeoutMs\":5,\"onTimeout\":\"approve\",\"prompt\":\"ok?\"}"));
    assert_non_null(strstr(sent, "\"requiresApproval\":{}"));
    CS_AUTO_JSON *bad =
        ask(&world, "POST", "/v1/executions", JSON, "{\"plan\":{\"requiresApproval\":\"yes\",\"jobs\":[]}}", 400);
    assert_string_equal(text_at(bad, "path"), "plan.requiresApproval");
    world_stop(&world);
}

TEST(a_star_in_a_path_is_a_segment_like_any_other) {
    static const struct {
        const char *method;
        const char *path;
    } cases[] = {
        {"PATCH", "/v1/executions/e1/jobs/*"},     {"GET", "/api/v3/jobs/e1/scenes/*"},
        {"DELETE", "/api/v3/jobs/e1/scenes/*"},    {"POST", "/api/v3/jobs/e1/scenes/*/regenerate"},
        {"GET", "/v1/executions/e1/jobs/*/cache"},
    };
    struct world world;
    world_up(&world);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        bool has_body = strcmp(cases[i].method, "PATCH") == 0;
        json_decref(ask(&world, cases[i].method, cases[i].path, has_body ? JSON : "", has_body ? "{}" : NULL, 404));
    }
    world_stop(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(ex_001_a_decision_reaches_the_orchestrator_with_who_and_why),
        CS_TEST(ex_001_ex_002_elix_clients_get_their_own_words),
        CS_TEST(ex_009_e12_a_report_needs_the_token_of_the_work_and_no_key),
        CS_TEST(sy_067_the_url_of_a_result_is_found_in_its_three_forms),
        CS_TEST(plans_say_what_needs_approval_and_what_is_done_outside),
        CS_TEST(a_star_in_a_path_is_a_segment_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
