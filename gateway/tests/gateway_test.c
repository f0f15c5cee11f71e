#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cs/base/log.h"
#include "cs/json.h"
#include "cs/link.h"
#include "tests/world.h"

#define PLAN                                                                                                           \
    "{\"executionPlan\":{\"jobs\":[{\"id\":\"m\",\"type\":\"merge\",\"params\":{\"inputs\":[\"a\",\"b\"]}}]},"         \
    "\"options\":{\"webhookUrl\":\"https://example.com/hook\"}}"

static bool body_is(const struct answer *answer, const char *text) {
    return strcmp(answer->body.data, text) == 0;
}

/* ---- several orchestrators ---- */

TEST(several_orchestrators_take_turns_and_the_death_of_one_is_not_noticed) {
    enum { CALLS = 20 };
    struct world world;
    struct fake other;
    world_init(&world);
    fake_start(&other);
    CS_AUTO_FREE char *both = cs_sprintf("%s,%s", fake_address(&world.fake), fake_address(&other));
    world.config.orchestrator = both;
    world_start(&world);
    for (int i = 0; i < FAKE_PATIENCE_S * 1000; i++) { /* until both are connected */
        json_decref(ask(&world, "GET", "/v1/executions/e1", "", NULL, 200));
        CS_AUTO_FREE char *first = fake_last(&world.fake);
        CS_AUTO_FREE char *second = fake_last(&other);
        if (first[0] != '\0' && second[0] != '\0') {
            break;
        }
    }
    CS_AUTO_FREE char *seen = fake_last(&other);
    assert_true(seen[0] != '\0');
    fake_stop(&other);
    for (int i = 0; i < CALLS; i++) {
        json_decref(ask(&world, "GET", "/v1/executions/e1", "", NULL, 200));
    }
    world_stop(&world);
}

TEST(a_list_of_orchestrators_wants_numbers) {
    static const char *const bad[] = {"127.0.0.1:1,",
                                      ",127.0.0.1:1",
                                      "127.0.0.1:1,localhost:2",
                                      "127.0.0.1,127.0.0.1:1",
                                      "127.0.0.1:1,127.0.0.1:66000",
                                      "127.0.0.1:1,127.0.0.1:"};
    struct world world;
    world_up(&world);
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct gw_config config = world.config;
        struct gw_app *app = NULL;
        struct cs_err err = {0};
        config.orchestrator = bad[i];
        assert_fails(gw_app_create(&config, &app, &err), &err, CS_INVALID_ARGUMENT, "bad_setting");
    }
    world_stop(&world);
}

/* ---- create ---- */

TEST(sy_001_sy_002_a_plan_reaches_the_orchestrator_with_tenant_and_key) {
    struct world world;
    struct answer answer;
    char text[256];
    world_init(&world);
    world.config.api_keys = "key-of-acme=acme,key-of-other=other";
    world_start(&world);
    http(world.address, "POST", "/api/execute",
         "Authorization: Bearer key-of-acme\r\nIdempotency-Key: once\r\nX-Request-Id: mine-1\r\n"
         "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
         PLAN, &answer);
    assert_int_equal(answer.status, 202);
    assert_true(body_is(&answer, "{\"id\":\"e1\",\"executionId\":\"e1\",\"status\":\"pending\","
                                 "\"createdAt\":\"1970-01-01T00:00:00.001Z\"}\n"));
    assert_string_equal(answer_header(&answer, "Location", text, sizeof(text)), "/v1/executions/e1");
    assert_string_equal(answer_header(&answer, "X-Request-Id", text, sizeof(text)), "mine-1");
    assert_non_null(
        strstr(answer_header(&answer, "traceparent", text, sizeof(text)), "00-0af7651916cd43dd8448eb211c80319c-"));
    assert_null(answer_header(&answer, "Idempotency-Replayed", text, sizeof(text)));
    answer_fini(&answer);
    CS_AUTO_FREE char *last = fake_last(&world.fake);
    assert_string_equal(last, "{\"tenant\":\"acme\",\"idempotencyKey\":\"once\",\"plan\":{\"jobs\":[{\"id\":\"m\","
                              "\"operation\":{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}},{\"media\":{\"job\":"
                              "\"b\"}}]}}}]},\"webhook\":{\"url\":\"https://example.com/hook\"}}");
    assert_string_equal(world.fake.last_trace, "0af7651916cd43dd8448eb211c80319c");
    world_stop(&world);
}

TEST(t3_a_replayed_key_says_so) {
    struct world world;
    struct answer answer;
    char text[64];
    world_up(&world);
    world.fake.existing = true;
    http(world.address, "POST", "/v1/executions", "Idempotency-Key: once\r\n", PLAN, &answer);
    assert_int_equal(answer.status, 202);
    assert_string_equal(answer_header(&answer, "Idempotency-Replayed", text, sizeof(text)), "true");
    answer_fini(&answer);
    CS_AUTO_JSON *differs = ask(&world, "POST", "/v1/executions", "Idempotency-Key: a\r\n",
                                "{\"plan\":{\"jobs\":[{\"id\":\"m\",\"operation\":\"merge\",\"params\":{\"inputs\":["
                                "\"a\",\"b\"]}}]},\"idempotencyKey\":\"b\"}",
                                400);
    assert_string_equal(text_at(differs, "code"), "one_of");
    fake_fail_with(&world.fake, CS_ALREADY_EXISTS, "idempotency_key_reused", "idempotencyKey", "taken");
    CS_AUTO_JSON *taken = ask(&world, "POST", "/v1/executions", "Idempotency-Key: a\r\n", PLAN, 409);
    assert_string_equal(text_at(taken, "path"), "Idempotency-Key");
    world_stop(&world);
}

TEST(sy_017_a_bad_plan_is_refused_with_a_tree_of_details) {
    struct world world;
    world_up(&world);
    CS_AUTO_JSON *body = ask(&world, "POST", "/api/execute", "",
                             "{\"executionPlan\":{\"jobs\":[{\"id\":\"a\",\"operation\":\"reframe\",\"params\":{"
                             "\"input\":\"b\",\"aspectRatio\":\"5:1\"}}]}}",
                             400);
    assert_string_equal(text_at(body, "error"), "Validation failed");
    assert_string_equal(text_at(body, "code"), "unknown_word");
    assert_string_equal(text_at(body, "path"), "executionPlan.jobs[0].params.aspectRatio");
    assert_true(text_at(body, "requestId")[0] != '\0');
    const json_t *at = json_object_get(body, "details");
    static const char *const steps[] = {"executionPlan", "jobs", "0", "params", "aspectRatio"};
    for (size_t i = 0; i < CS_COUNT(steps); i++) {
        at = json_object_get(at, steps[i]);
    }
    assert_true(json_is_string(json_array_get(json_object_get(at, "_errors"), 0)));
    static const char *const texts[] = {
        "", "{", "[]", "\"x\"", "{\"executionPlan\":{\"jobs\":[],\"jobs\":[]}}", "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < CS_COUNT(texts); i++) {
        CS_AUTO_JSON *refused = ask(&world, "POST", "/api/execute", "", texts[i], 400);
        assert_true(text_at(refused, "code")[0] != '\0');
    }
    CS_AUTO_FREE char *last = fake_last(&world.fake);
    assert_string_equal(last, ""); /* nobody was asked */
    world_stop(&world);
}

TEST(sy_027_sy_028_x4_refusals_of_the_orchestrator_become_http) {
    static const struct {
        enum cs_status status;
        const char *reason;
        const char *path;
        int http;
        const char *want_path;
        const char *want_code;
    } cases[] = {
        {CS_INVALID_ARGUMENT, "unknown_dependency", "jobs[0].params.items[1].media", 400,
         "executionPlan.jobs[0].params.inputs[1]", "unknown_dependency"},
        {CS_INVALID_ARGUMENT, "bad_webhook_url", "webhook.url", 400, "options.webhookUrl", "bad_webhook_url"},
        {CS_ALREADY_EXISTS, "idempotency_conflict", "", 409, "", "idempotency_conflict"},
        {CS_RESOURCE_EXHAUSTED, "overloaded", "", 429, "", "overloaded"},
        {CS_FAILED_PRECONDITION, "nope", "", 409, "", "nope"},
        {CS_ABORTED, "fenced", "", 503, "", "fenced"},
        {CS_UNAVAILABLE, "connect_failed", "", 503, "", "connect_failed"},
        {CS_DEADLINE_EXCEEDED, "timeout", "", 504, "", "timeout"},
        {CS_RESOURCE_EXHAUSTED, "database_busy", "", 503, "", "database_busy"},
        {CS_RESOURCE_EXHAUSTED, "disk_full", "", 503, "", "disk_full"},
        {CS_INTERNAL, "sql", "", 500, "", "internal"},
        {CS_DATA_LOSS, "row", "", 500, "", "internal"},
        {CS_UNAUTHENTICATED, "bad_token", "", 500, "", "internal"},
    };
    struct world world;
    world_up(&world);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        fake_fail_with(&world.fake, cases[i].status, cases[i].reason, cases[i].path, "the table pg_secret is gone");
        CS_AUTO_JSON *body = ask(&world, "POST", "/api/execute", "", PLAN, cases[i].http);
        assert_string_equal(text_at(body, "code"), cases[i].want_code);
        assert_string_equal(text_at(body, "path"), cases[i].want_path);
        if (cases[i].http == 500) {
            assert_string_equal(text_at(body, "error"), "Execution failed");
            assert_string_equal(text_at(body, "details"), text_at(body, "message"));
            CS_AUTO_JSON *read = ask(&world, "GET", "/api/execute/e1/status", "", NULL, 500);
            assert_string_equal(text_at(read, "error"), "Internal server error");
            assert_null(json_object_get(read, "details"));
        }
        assert_int_equal(strstr(text_at(body, "message"), "pg_secret") == NULL, cases[i].http >= 500);
        assert_int_equal(json_integer_value(json_object_get(body, "retryAfter")), cases[i].http == 429 ? 1 : 0);
    }
    world_stop(&world);
}

/* ---- read, cancel ---- */

TEST(an_execution_is_shown_in_three_ways) {
    struct world world;
    world_up(&world);
    CS_AUTO_JSON *native = ask(&world, "GET", "/v1/executions/e1", "", NULL, 200);
    assert_string_equal(text_at(native, "status"), "completed");
    assert_string_equal(text_at(json_object_get(native, "result"), "name"), "merged.mp4");
    CS_AUTO_JSON *status = ask(&world, "GET", "/api/execute/e1/status", "", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(status, "totalJobs")), 1);
    CS_AUTO_JSON *cancelled = ask(&world, "POST", "/v1/executions/e1/cancel", "", "{\"reason\":\"not wanted\"}", 200);
    assert_string_equal(text_at(cancelled, "status"), "cancelled");
    CS_AUTO_FREE char *last = fake_last(&world.fake);
    assert_string_equal(last, "{\"tenant\":\"default\",\"executionId\":\"e1\",\"reason\":\"not wanted\"}");
    json_decref(ask(&world, "POST", "/v1/executions/e1/cancel", "Content-Length: 0\r\n", NULL, 200));
    CS_AUTO_JSON *unknown = ask(&world, "POST", "/v1/executions/e1/cancel", "", "{\"why\":1}", 400);
    assert_string_equal(text_at(unknown, "path"), "why");
    json_decref(ask(&world, "POST", "/v1/executions/e1/cancel", "", "{\"reason\":1}", 400));
    world_stop(&world);
}

TEST(sy_043_a_cache_is_invalidated_under_both_paths) {
    struct world world;
    static const char *const prefixes[] = {"/api/execute", "/v1/executions"};
    world_up(&world);
    for (size_t i = 0; i < CS_COUNT(prefixes); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "%s/e1/cache", prefixes[i]);
        CS_AUTO_JSON *done = ask(&world, "DELETE", path, "", NULL, 200);
        assert_string_equal(text_at(done, "message"), "Cache invalidated");
        assert_int_equal(json_object_size(done), 1);
        CS_AUTO_FREE char *last = fake_last(&world.fake);
        assert_string_equal(last, "{\"tenant\":\"default\",\"executionId\":\"e1\"}");
        (void)snprintf(path, sizeof(path), "%s/e2/cache", prefixes[i]);
        CS_AUTO_JSON *missing = ask(&world, "DELETE", path, "", NULL, 404);
        assert_string_equal(text_at(missing, "error"), "Execution not found");
    }
    world_stop(&world);
}

TEST(links_of_an_execution_open_its_artifacts) {
    struct world world;
    struct answer answer;
    world_up(&world);
    CS_AUTO_JSON *status = ask(&world, "GET", "/api/execute/e1/status", "", NULL, 200);
    const char *url = text_at(json_object_get(status, "result"), "url");
    assert_true(strncmp(url, "http://127.0.0.1:", 17) == 0);
    http(world.address, "GET", strchr(url + 7, '/'), "", NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(body_is(&answer, WORLD_OBJECT));
    answer_fini(&answer);
    world_stop(&world);
}

TEST(sy_026_sy_030_unknown_executions_are_not_found) {
    struct world world;
    world_up(&world);
    static const char *const targets[] = {"/api/execute/none/status", "/v1/executions/none",
                                          "/v1/executions/none/events", "/v1/executions/a%20b",
                                          "/v1/executions/a%20b/events"};
    for (size_t i = 0; i < CS_COUNT(targets); i++) {
        CS_AUTO_JSON *body = ask(&world, "GET", targets[i], "", NULL, 404);
        assert_string_equal(text_at(body, "error"), "Execution not found");
        assert_string_equal(text_at(body, "code"), "no_such_execution");
    }
    world_stop(&world);
}

TEST(executions_are_listed_page_by_page) {
    struct world world;
    world_up(&world);
    CS_AUTO_JSON *page = ask(&world, "GET", "/v1/executions?limit=7&pageToken=tok&active=true", "", NULL, 200);
    assert_string_equal(text_at(page, "nextPageToken"), "next");
    assert_string_equal(text_at(json_array_get(json_object_get(page, "executions"), 0), "status"), "processing");
    CS_AUTO_FREE char *last = fake_last(&world.fake);
    assert_string_equal(last, "{\"tenant\":\"default\",\"pageSize\":7,\"pageToken\":\"tok\",\"activeOnly\":true}");
    static const char *const bad[] = {"limit=0", "limit=101", "limit=x", "active=maybe"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        CS_AUTO_FREE char *target = cs_sprintf("/v1/executions?%s", bad[i]);
        CS_AUTO_JSON *refused = ask(&world, "GET", target, "", NULL, 400);
        assert_true(text_at(refused, "path")[0] != '\0');
    }
    world_stop(&world);
}

/* ---- keys ---- */

TEST(sy_143_ex_039_e13_keys_open_the_api_and_nothing_else_does) {
    struct world world;
    world_init(&world);
    world.config.api_keys = "key-of-acme=acme";
    world_start(&world);
    static const char *const missing[] = {"", "Authorization: Basic a2V5\r\n", "Authorization: Bearer\r\n"};
    static const char *const wrong[] = {"Authorization: Bearer key-of-acmf\r\n", "X-Api-Key: key-of-acm\r\n",
                                        "Authorization: Bearer key-of-acme2\r\n"};
    static const char *const good[] = {"Authorization: Bearer key-of-acme\r\n", "authorization: bearer key-of-acme\r\n",
                                       "X-Api-Key: key-of-acme\r\n"};
    for (size_t i = 0; i < CS_COUNT(missing); i++) {
        CS_AUTO_JSON *body = ask(&world, "GET", "/v1/executions", missing[i], NULL, 401);
        assert_string_equal(text_at(body, "error"), "Unauthorized");
        assert_string_equal(text_at(body, "message"), "Missing or invalid Authorization header");
    }
    for (size_t i = 0; i < CS_COUNT(wrong); i++) {
        CS_AUTO_JSON *body = ask(&world, "POST", "/api/execute", wrong[i], PLAN, 401);
        assert_string_equal(text_at(body, "message"), "Invalid or inactive API key");
    }
    for (size_t i = 0; i < CS_COUNT(good); i++) {
        json_decref(ask(&world, "GET", "/v1/executions/e1", good[i], NULL, 200));
    }
    json_decref(ask(&world, "GET", "/health/live", "", NULL, 200));
    world_stop(&world);
}

/* ---- artifacts ---- */

#define KEY "/artifacts/dev/default/e1/m/1/merged.mp4"

TEST(ex_031_e10_artifacts_are_served_whole_and_in_parts) {
    static const struct {
        const char *range;
        int status;
        const char *body;
        const char *content_range;
    } cases[] = {
        {"", 200, WORLD_OBJECT, NULL},
        {"Range: bytes=2-4\r\n", 206, "234", "bytes 2-4/10"},
        {"Range: bytes=7-\r\n", 206, "789", "bytes 7-9/10"},
        {"Range: bytes=-2\r\n", 206, "89", "bytes 8-9/10"},
        {"Range: bytes=8-99\r\n", 206, "89", "bytes 8-9/10"},
        {"Range: bytes=0-1,3-4\r\n", 200, WORLD_OBJECT, NULL},
        {"Range: bytes=5-2\r\n", 200, WORLD_OBJECT, NULL},
        {"Range: bytes=2-4\r\nIf-Range: \"other\"\r\n", 200, WORLD_OBJECT, NULL},
        {"Range: bytes=10-\r\n", 416, NULL, "bytes */10"},
        {"Range: bytes=-0\r\n", 416, NULL, "bytes */10"},
    };
    struct world world;
    char text[256];
    world_up(&world);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct answer answer;
        http(world.address, "GET", KEY, cases[i].range, NULL, &answer);
        assert_int_equal(answer.status, cases[i].status);
        assert_true(cases[i].body == NULL || body_is(&answer, cases[i].body));
        const char *range = answer_header(&answer, "Content-Range", text, sizeof(text));
        assert_true(range == cases[i].content_range || strcmp(range, cases[i].content_range) == 0);
        answer_fini(&answer);
    }
    world_stop(&world);
}

TEST(ex_031_artifacts_are_cached_by_their_digest) {
    struct world world;
    struct answer answer;
    char text[256];
    world_up(&world);
    http(world.address, "HEAD", KEY, "Range: bytes=0-1\r\n", NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer_header(&answer, "Content-Length", text, sizeof(text)), "10");
    assert_string_equal(answer_header(&answer, "Content-Type", text, sizeof(text)), "video/mp4");
    assert_string_equal(answer_header(&answer, "X-Content-Type-Options", text, sizeof(text)), "nosniff");
    assert_non_null(strstr(answer_header(&answer, "Cache-Control", text, sizeof(text)), "immutable"));
    const char *etag = answer_header(&answer, "ETag", text, sizeof(text));
    assert_string_equal(etag, "\"84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882\"");
    CS_AUTO_FREE char *match = cs_sprintf("If-None-Match: \"x\", W/%s\r\nRange: bytes=0-1\r\n", etag);
    CS_AUTO_FREE char *same = cs_sprintf("If-Range: %s\r\nRange: bytes=0-1\r\n", etag);
    answer_fini(&answer);
    http(world.address, "GET", KEY, match, NULL, &answer);
    assert_int_equal(answer.status, 304);
    assert_string_equal(answer_header(&answer, "Content-Length", text, sizeof(text)), "10"); /* the 200's, or none */
    answer_fini(&answer);
    http(world.address, "GET", KEY, same, NULL, &answer);
    assert_int_equal(answer.status, 206);
    answer_fini(&answer);
    world_stop(&world);
}

TEST(x1_artifacts_open_by_link_or_to_their_tenant) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct world world;
    world_init(&world);
    world.config.api_keys = "key-of-acme=acme,key-of-other=other";
    world_start(&world);
    const char *target = "/artifacts/dev/acme/e1/m/1/secret.json";
    const int64_t now_s = time(NULL);
    const char *key = "dev/acme/e1/m/1/secret.json";
    char *good = cs_link_make("", WORLD_SECRET, key, now_s + 60, arena);
    char *old = cs_link_make("", WORLD_SECRET, key, now_s - 60, arena);
    char *forged = cs_link_make("", "another secret of somebody", key, now_s + 60, arena);
    json_decref(ask(&world, "GET", target, "Authorization: Bearer key-of-acme\r\n", NULL, 200));
    json_decref(ask(&world, "GET", target, "Authorization: Bearer key-of-other\r\n", NULL, 404));
    json_decref(ask(&world, "GET", target, "", NULL, 401));
    json_decref(ask(&world, "GET", good, "", NULL, 200));
    CS_AUTO_JSON *expired = ask(&world, "GET", old, "", NULL, 403);
    assert_string_equal(text_at(expired, "code"), "link_expired");
    CS_AUTO_JSON *invalid = ask(&world, "GET", forged, "Authorization: Bearer key-of-acme\r\n", NULL, 403);
    assert_string_equal(text_at(invalid, "code"), "link_invalid");
    world_stop(&world);
}

TEST(ta_009_no_name_leads_out_of_the_storage) {
    struct world world;
    world_up(&world);
    static const char *const targets[] = {
        "/artifacts/../../etc/passwd",  "/artifacts/dev/default/../../../etc/passwd",
        "/artifacts/%2e%2e/etc/passwd", "/artifacts//etc/passwd",
        "/artifacts/dev/default/none",  "/artifacts/dev%2Fdefault%2F..%2F..%2Fpasswd",
        "/artifacts/dev/default",       "/artifacts/",
    };
    for (size_t i = 0; i < CS_COUNT(targets); i++) {
        json_decref(ask(&world, "GET", targets[i], "", NULL, 404));
    }
    world_stop(&world);
}

/* ---- the rest ---- */

TEST(sy_042_a_retry_is_answered_like_a_create) {
    struct world world;
    world_up(&world);
    static const char *const targets[] = {"/api/execute/e1/retry", "/v1/executions/e1/retry"};
    for (size_t i = 0; i < CS_COUNT(targets); i++) {
        CS_AUTO_JSON *created = ask(&world, "POST", targets[i], "", NULL, 202);
        assert_string_equal(text_at(created, "executionId"), "e1");
        assert_string_equal(text_at(created, "status"), "pending");
        CS_AUTO_FREE char *last = fake_last(&world.fake);
        assert_non_null(strstr(last, "\"executionId\":\"e1\""));
    }
    json_decref(ask(&world, "POST", "/v1/executions/e1/retry", "", "{\"idempotencyKey\":\"k\"}", 202));
    CS_AUTO_FREE char *last = fake_last(&world.fake);
    assert_non_null(strstr(last, "\"idempotencyKey\":\"k\""));
    json_decref(ask(&world, "POST", "/v1/executions/e1/retry", "", "{\"from\":1}", 400));
    fake_fail_with(&world.fake, CS_NOT_FOUND, "no_such_execution", "", "Execution not found");
    json_decref(ask(&world, "POST", "/api/execute/e1/retry", "", NULL, 404));
    fake_fail_with(&world.fake, CS_FAILED_PRECONDITION, "not_failed", "", "the execution has completed");
    json_decref(ask(&world, "POST", "/api/execute/e1/retry", "", NULL, 409));
    world_stop(&world);
}

TEST(a_rerun_names_jobs_of_the_execution_with_params_of_their_operations) {
    struct world world;
    world_up(&world);
    json_decref(ask(&world, "POST", "/v1/executions/e1/rerun", "",
                    "{\"jobs\":[{\"id\":\"m\",\"params\":{\"items\":[{\"url\":\"https://example.com/a.mp4\"}]}}]}",
                    202));
    CS_AUTO_FREE char *last = fake_last(&world.fake);
    assert_non_null(strstr(last, "\"from\":[{\"jobId\":\"m\",\"operation\":{\"merge\":"));
    static const struct {
        const char *body;
        const char *path;
    } cases[] = {
        {"{}", "jobs"},
        {"{\"jobs\":[]}", "jobs"},
        {"{\"jobs\":[{\"id\":\"x\"}]}", "jobs[0].id"},
        {"{\"jobs\":[{\"params\":{}}]}", "jobs[0].id"},
        {"{\"jobs\":[{\"id\":\"m\",\"params\":{\"items\":[{}]}}]}", "jobs[0].params.items[0].media"},
        {"{\"jobs\":[{\"id\":\"m\",\"params\":{\"what\":1}}]}", "jobs[0].params.what"},
        {"{\"jobs\":[{\"id\":\"m\"}],\"more\":1}", "more"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        CS_AUTO_JSON *refused = ask(&world, "POST", "/v1/executions/e1/rerun", "", cases[i].body, 400);
        assert_string_equal(text_at(refused, "path"), cases[i].path);
    }
    world_stop(&world);
}

TEST(sy_056_a_base_that_is_missing_is_named) {
    struct world world;
    world_up(&world);
    fake_fail_with(&world.fake, CS_NOT_FOUND, "base_not_found", "baseExecutionId", "Base execution not found: e0");
    CS_AUTO_JSON *missing = ask(&world, "POST", "/api/execute", "",
                                "{\"executionPlan\":{\"jobs\":[]},\"options\":{\"baseExecutionId\":\"e0\"}}", 404);
    assert_string_equal(text_at(missing, "error"), "Base execution not found: e0");
    assert_string_equal(text_at(missing, "path"), "options.baseExecutionId");
    world_stop(&world);
}

TEST(sy_044_health_tells_whether_the_orchestrator_serves) {
    struct world world;
    world_up(&world);
    CS_AUTO_JSON *ok = ask(&world, "GET", "/health", "", NULL, 200);
    assert_string_equal(text_at(ok, "status"), "ok");
    cs_rpc_server_set_serving(world.fake.server, "", false);
    CS_AUTO_JSON *not = ask(&world, "GET", "/health", "", NULL, 503);
    assert_string_equal(text_at(not, "orchestrator"), "not_serving");
    json_decref(ask(&world, "GET", "/health/live", "", NULL, 200));
    world_stop(&world);
}

static bool metrics_once(struct world *world, const char *text) {
    struct answer answer;
    http(world->address, "GET", "/metrics", "", NULL, &answer);
    bool found = answer.status == 200 && strstr(answer.body.data, text) != NULL;
    answer_fini(&answer);
    return found;
}

/* A request is counted just after its answer has left: asks until the text is there. */
static bool metrics_come_to(struct world *world, const char *text) {
    bool found = false;
    for (int i = 0; i < 2000 && !found; i++) {
        found = metrics_once(world, text);
    }
    return found;
}

TEST(sy_044_metrics_count_requests_and_calls) {
    struct world world;
    world_up(&world);
    json_decref(ask(&world, "GET", "/v1/executions/e1", "", NULL, 200));
    json_decref(ask(&world, "BREW", "/v1/executions/e1", "", NULL, 405));
    assert_true(metrics_come_to(&world, "_count{route=\"/v1/executions/*\",method=\"GET\",status=\"200\"} 1\n"));
    assert_true(metrics_come_to(&world, "method=\"other\",status=\"405\"} 1\n"));
    assert_true(metrics_come_to(&world, "callsheet_http_open_requests 1\n"));
    assert_true(metrics_come_to(&world, "GetExecution"));
    world_stop(&world);
}

TEST(metrics_of_the_orchestrator_are_there_while_it_is) {
    struct world world;
    world_up(&world);
    assert_true(metrics_come_to(&world, "callsheet_orchestrator_up 1\ncallsheet_jobs_ready 7\n"));
    fake_fail_with(&world.fake, CS_UNAVAILABLE, "stopping", "", "not now");
    assert_true(metrics_come_to(&world, "callsheet_orchestrator_up 0\n"));
    assert_false(metrics_once(&world, "callsheet_jobs_ready"));
    world_stop(&world);
}

TEST(wrong_paths_methods_and_types_are_refused) {
    static const struct {
        const char *method;
        const char *target;
        const char *headers;
        int status;
        const char *allow;
    } cases[] = {
        {"GET", "/", "", 404, NULL},
        {"GET", "HTTP://a:80/v1/executions/e1?b=c", "", 200, NULL},
        {"GET", "http://a", "", 404, NULL},
        {"GET", "/http://a/v1/executions/e1", "", 404, NULL},
        {"GET", "/v1/executions/", "", 404, NULL},
        {"GET", "/v1/executions/a/b", "", 404, NULL},
        {"GET", "/api/execute//status", "", 404, NULL},
        {"GET", "/api/execute", "", 405, "POST"},
        {"DELETE", "/v1/executions", "", 405, "POST, GET, HEAD"},
        {"HEAD", "/v1/executions/e1/events", "", 405, "GET"},
        {"OPTIONS", "/v1/executions/e1", "", 405, "GET, HEAD"},
        {"POST", "/api/execute", "Content-Type: text/plain\r\nContent-Length: 2\r\n", 415, NULL},
        {"POST", "/api/execute", "Content-Type: application/jsonp\r\nContent-Length: 2\r\n", 415, NULL},
        {"POST", "/api/execute", "Content-Length: 2\r\n", 415, NULL}, /* any page may send that: no preflight */
        {"POST", "/api/execute", "Content-Encoding: gzip\r\nContent-Length: 2\r\n", 415, NULL},
        {"POST", "/api/execute", "Content-Length: 0\r\n", 400, NULL},
    };
    struct world world;
    char text[64];
    world_up(&world);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct client client;
        struct answer answer;
        CS_AUTO_FREE char *request = cs_sprintf("%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n%s", cases[i].method,
                                                cases[i].target, cases[i].headers, cases[i].status == 415 ? "{}" : "");
        client_open(&client, world.address);
        client_puts(&client, request);
        client_read(&client, &answer, strcmp(cases[i].method, "HEAD") == 0);
        assert_int_equal(answer.status, cases[i].status);
        if (cases[i].allow != NULL) {
            assert_string_equal(answer_header(&answer, "Allow", text, sizeof(text)), cases[i].allow);
        }
        answer_fini(&answer);
        client_close(&client);
    }
    CS_AUTO_FREE char *filler = cs_alloc(9001);
    memset(filler, 'a', 9000);
    CS_AUTO_FREE char *target = cs_sprintf("/v1/executions/%s", filler);
    CS_AUTO_JSON *body = ask(&world, "GET", target, "", NULL, 414);
    assert_string_equal(text_at(body, "code"), "target_too_long");
    json_decref(ask(&world, "GET", "/v1/executions/e1%00x", "", NULL, 400));
    world_stop(&world);
}

TEST(pages_of_a_configured_origin_may_read) {
    struct world world;
    struct answer answer;
    char text[128];
    world_init(&world);
    world.config.cors_origin = "https://app.example.com";
    world_start(&world);
    http(world.address, "GET", "/v1/executions/e1", "", NULL, &answer);
    assert_string_equal(answer_header(&answer, "Access-Control-Allow-Origin", text, sizeof(text)),
                        "https://app.example.com");
    answer_fini(&answer);
    http(world.address, "OPTIONS", "/v1/executions/e1", "Access-Control-Request-Method: GET\r\n", NULL, &answer);
    assert_int_equal(answer.status, 204);
    assert_string_equal(answer_header(&answer, "Access-Control-Allow-Methods", text, sizeof(text)), "GET, HEAD");
    answer_fini(&answer);
    http(world.address, "OPTIONS", "/api/execute", "", NULL, &answer);
    assert_int_equal(answer.status, 405);
    assert_null(answer_header(&answer, "Access-Control-Allow-Origin", text, sizeof(text)));
    answer_fini(&answer);
    world_stop(&world);
}

static void remember_line(const char *line, void *ctx) {
    struct cs_buf *lines = ctx;
    cs_buf_printf(lines, "%s\n", line);
}

TEST(sy_141_x3_the_access_log_has_ids_and_no_secrets) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    CS_AUTO_BUF lines = {0};
    struct world world;
    world_init(&world);
    world.config.api_keys = "key-of-acme=acme";
    cs_log_capture(remember_line, &lines);
    world_start(&world);
    char *url = cs_link_make("", WORLD_SECRET, "dev/acme/e1/m/1/secret.json", time(NULL) + 60, arena);
    json_decref(ask(&world, "GET", url, "X-Request-Id: r-77\r\n", NULL, 200));
    json_decref(ask(&world, "GET", "/v1/executions/e1", "Authorization: Bearer key-of-acme\r\n", NULL, 200));
    json_decref(ask(&world, "GET", "/v1/executions/e1", "X-Request-Id: not an id\r\n", NULL, 401));
    gw_app_drain(world.app); /* all requests are finished, and logged */
    world_stop(&world);
    cs_log_capture(NULL, NULL);
    assert_non_null(strstr(lines.data, "\"request\":\"r-77\""));
    assert_non_null(strstr(lines.data, "\"tenant\":\"acme\""));
    assert_non_null(strstr(lines.data, "\"status\":401"));
    assert_null(strstr(lines.data, "signature"));
    assert_null(strstr(lines.data, "key-of-acme"));
    assert_null(strstr(lines.data, "not an id"));
}

TEST(ex_018_e12_an_operators_key_is_one_and_other_keys_are_not) {
    static const char put[] = "/api/v3/jobs/e1/scenes/e1:scenes.0";
    static const char json[] = "Content-Type: application/json\r\n";
    struct world world;
    world_init(&world);
    world.config.api_keys = "key-of-acme=acme";
    world.config.operator_keys = "key-of-operator=acme";
    world_start(&world);
    json_decref(ask(&world, "GET", "/v1/executions/e1", "X-Api-Key: key-of-operator\r\n", NULL, 200));
    json_t *refused =
        ask(&world, "PUT", put, "X-Api-Key: key-of-acme\r\nContent-Type: application/json\r\n", "{}", 403);
    assert_string_equal(text_at(refused, "error"), "Only an operator may update scenes");
    json_decref(refused);
    json_decref(ask(&world, "PUT", put, json, "{}", 401));
    json_t *none =
        ask(&world, "PUT", put, "X-Api-Key: key-of-operator\r\nContent-Type: application/json\r\n", "{}", 404);
    assert_string_equal(text_at(none, "error"), "Scene not found");
    json_decref(none);
    world_stop(&world);
}

TEST(an_operators_key_alone_closes_nothing) {
    struct world world;
    world_init(&world);
    world.config.operator_keys = "key-of-operator=acme";
    world_start(&world);
    json_decref(ask(&world, "GET", "/v1/executions/e1", "", NULL, 200));
    json_decref(ask(&world, "PUT", "/api/v3/jobs/e1/scenes/x", "Content-Type: application/json\r\n", "{}", 403));
    world_stop(&world);
}

TEST(bad_settings_are_refused) {
    static const struct {
        const char *keys;
        const char *secret;
        const char *reason;
    } cases[] = {
        {"no-tenant", "", "bad_api_keys"},
        {"short=acme", "", "bad_api_keys"},
        {"long-enough=Acme", "", "bad_api_keys"},
        {"long-enough=", "", "bad_api_keys"},
        {"", "short", "bad_setting"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct world world;
        struct gw_app *app = NULL;
        struct cs_err err = {0};
        world_init(&world);
        world.config.api_keys = cases[i].keys;
        world.config.link_secret = cases[i].secret;
        assert_fails(gw_app_create(&world.config, &app, &err), &err, CS_INVALID_ARGUMENT, cases[i].reason);
        assert_null(strstr(err.message, "long-enough"));
        world_stop(&world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(several_orchestrators_take_turns_and_the_death_of_one_is_not_noticed),
        CS_TEST(a_list_of_orchestrators_wants_numbers),
        CS_TEST(sy_001_sy_002_a_plan_reaches_the_orchestrator_with_tenant_and_key),
        CS_TEST(t3_a_replayed_key_says_so),
        CS_TEST(sy_017_a_bad_plan_is_refused_with_a_tree_of_details),
        CS_TEST(sy_027_sy_028_x4_refusals_of_the_orchestrator_become_http),
        CS_TEST(an_execution_is_shown_in_three_ways),
        CS_TEST(sy_043_a_cache_is_invalidated_under_both_paths),
        CS_TEST(links_of_an_execution_open_its_artifacts),
        CS_TEST(sy_026_sy_030_unknown_executions_are_not_found),
        CS_TEST(executions_are_listed_page_by_page),
        CS_TEST(sy_143_ex_039_e13_keys_open_the_api_and_nothing_else_does),
        CS_TEST(ex_031_e10_artifacts_are_served_whole_and_in_parts),
        CS_TEST(ex_031_artifacts_are_cached_by_their_digest),
        CS_TEST(x1_artifacts_open_by_link_or_to_their_tenant),
        CS_TEST(ta_009_no_name_leads_out_of_the_storage),
        CS_TEST(sy_042_a_retry_is_answered_like_a_create),
        CS_TEST(a_rerun_names_jobs_of_the_execution_with_params_of_their_operations),
        CS_TEST(sy_056_a_base_that_is_missing_is_named),
        CS_TEST(sy_044_health_tells_whether_the_orchestrator_serves),
        CS_TEST(sy_044_metrics_count_requests_and_calls),
        CS_TEST(metrics_of_the_orchestrator_are_there_while_it_is),
        CS_TEST(wrong_paths_methods_and_types_are_refused),
        CS_TEST(pages_of_a_configured_origin_may_read),
        CS_TEST(sy_141_x3_the_access_log_has_ids_and_no_secrets),
        CS_TEST(ex_018_e12_an_operators_key_is_one_and_other_keys_are_not),
        CS_TEST(an_operators_key_alone_closes_nothing),
        CS_TEST(bad_settings_are_refused),
    };
    cs_log_setup("gateway-test", CS_LOG_INFO);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    failed += _cmocka_run_group_tests("robust", robust_tests, robust_test_count, NULL, NULL);
    return failed + _cmocka_run_group_tests("events", events_tests, events_test_count, NULL, NULL);
}
