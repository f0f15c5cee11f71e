#include <stdlib.h>
#include <string.h>

#include "tests/world.h"

/* How many of count requests are answered with want_status. */
static int count_of(struct world *world, int count, const char *target, const char *headers, int want_status) {
    int seen = 0;
    for (int i = 0; i < count; i++) {
        struct answer answer;
        http(world->address, "GET", target, headers, NULL, &answer);
        seen += answer.status == want_status;
        answer_fini(&answer);
    }
    return seen;
}

TEST(sy_136_sy_137_who_asks_too_often_is_told_when_to_come_back) {
    struct world world;
    struct answer answer;
    char text[32];
    world_init(&world);
    world.config.rate_limit = "3/h";
    world_start(&world);
    for (int left = 2; left >= 0; left--) {
        http(world.address, "GET", "/api/execute/e1/status", "", NULL, &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer_header(&answer, "X-RateLimit-Limit", text, sizeof(text)), "3");
        assert_int_equal(atoi(answer_header(&answer, "X-RateLimit-Remaining", text, sizeof(text))), left);
        answer_fini(&answer);
    }
    http(world.address, "GET", "/api/execute/e1/status", "", NULL, &answer);
    assert_int_equal(answer.status, 429);
    assert_string_equal(answer_header(&answer, "X-RateLimit-Remaining", text, sizeof(text)), "0");
    int wait_s = atoi(answer_header(&answer, "Retry-After", text, sizeof(text)));
    assert_true(wait_s > 1100 && wait_s <= 1200);
    answer_fini(&answer);
    CS_AUTO_JSON *body = ask(&world, "POST", "/api/execute", "Content-Type: application/json\r\n", "{}", 429);
    assert_string_equal(text_at(body, "error"), "Rate limit exceeded");
    assert_string_equal(text_at(body, "code"), "rate_limited");
    assert_int_equal(json_integer_value(json_object_get(body, "retryAfter")), wait_s);
    assert_int_equal(count_of(&world, 5, "/health", "", 200), 5); /* who looks after us is not counted */
    assert_int_equal(count_of(&world, 5, "/metrics", "", 200), 5);
    world_stop(&world);
}

TEST(w25_each_key_has_its_own_limit_and_guesses_count_for_their_address) {
    struct world world;
    world_init(&world);
    world.config.rate_limit = "3/h";
    world.config.api_keys = "key-of-acme=acme,key-of-globex=globex,other-of-acme=acme";
    world_start(&world);
    assert_int_equal(count_of(&world, 5, "/v1/executions/e1", "X-Api-Key: guess-1\r\n", 401), 3);
    assert_int_equal(count_of(&world, 2, "/v1/executions/e1", "X-Api-Key: guess-2\r\n", 429), 2);
    assert_int_equal(count_of(&world, 2, "/v1/executions/e1", "", 429), 2);
    assert_int_equal(count_of(&world, 5, "/v1/executions/e1", "Authorization: Bearer key-of-acme\r\n", 200), 3);
    assert_int_equal(count_of(&world, 1, "/v1/executions/e1", "X-Api-Key: key-of-acme\r\n", 429), 1);
    assert_int_equal(count_of(&world, 5, "/v1/executions/e1", "X-Api-Key: key-of-globex\r\n", 200), 3);
    assert_int_equal(count_of(&world, 5, "/v1/executions/e1", "X-Api-Key: other-of-acme\r\n", 200), 3);
    world_stop(&world);
}

TEST(w25_nobody_gets_a_new_limit_by_a_header) {
    struct world world;
    world_init(&world);
    world.config.rate_limit = "2/h";
    world_start(&world);
    assert_int_equal(count_of(&world, 1, "/v1/executions/e1", "X-Forwarded-For: 1.1.1.1\r\n", 200), 1);
    assert_int_equal(count_of(&world, 1, "/v1/executions/e1", "X-Forwarded-For: 1.1.1.2\r\n", 200), 1);
    assert_int_equal(count_of(&world, 1, "/v1/executions/e1", "X-Forwarded-For: 1.1.1.3\r\n", 429), 1);
    world_stop(&world);
    world_init(&world);
    world.config.rate_limit = "2/h";
    world.config.trusted_proxies = "127.0.0.0/8";
    world_start(&world);
    static const char *const mine[] = {"X-Forwarded-For: 9.9.9.9, 1.1.1.1\r\n", /* the proxy put the last behind */
                                       "X-Forwarded-For: 9.9.9.8\r\nX-Forwarded-For: 1.1.1.1\r\n"};
    for (size_t i = 0; i < CS_COUNT(mine); i++) {
        assert_int_equal(count_of(&world, 1, "/v1/executions/e1", mine[i], 200), 1);
    }
    assert_int_equal(count_of(&world, 1, "/v1/executions/e1", mine[0], 429), 1);
    assert_int_equal(count_of(&world, 2, "/v1/executions/e1", "X-Forwarded-For: 1.1.1.2\r\n", 200), 2);
    world_stop(&world);
}

TEST(without_a_limit_nothing_is_counted) {
    struct world world;
    struct answer answer;
    char text[32];
    world_up(&world);
    http(world.address, "GET", "/v1/executions/e1", "", NULL, &answer);
    assert_null(answer_header(&answer, "X-RateLimit-Limit", text, sizeof(text)));
    answer_fini(&answer);
    world_stop(&world);
}

TEST(bad_limits_and_proxies_are_refused) {
    static const char *const cases[][2] = {{"often", ""}, {"off", "the proxy"}};
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct world world;
        struct gw_app *app = NULL;
        struct cs_err err = {0};
        world_init(&world);
        world.config.rate_limit = cases[i][0];
        world.config.trusted_proxies = cases[i][1];
        assert_fails(gw_app_create(&world.config, &app, &err), &err, CS_INVALID_ARGUMENT, "bad_setting");
        world_stop(&world);
    }
}

TEST(sy_045_a_dashboard_pages_by_number_and_asks_for_what_is_new) {
    struct world world;
    world_up(&world);
    CS_AUTO_JSON *first = ask(&world, "GET", "/api/executions", "", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(first, "page")), 1);
    assert_int_equal(json_integer_value(json_object_get(first, "limit")), 10);
    assert_true(json_is_true(json_object_get(first, "hasMore")));
    assert_string_equal(text_at(json_array_get(json_object_get(first, "executions"), 0), "id"), "e1");
    CS_AUTO_FREE char *plain = fake_last(&world.fake);
    assert_string_equal(plain, "{\"tenant\":\"default\",\"pageSize\":10}");
    CS_AUTO_JSON *third = ask(&world, "GET",
                              "/api/executions?page=3&limit=7&activeOnly=true&since=2026-01-01T00:00:00Z"
                              "&watchIds=e1,e2,,not%20one,e3",
                              "", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(third, "page")), 3);
    CS_AUTO_FREE char *last = fake_last(&world.fake);
    assert_string_equal(last, "{\"tenant\":\"default\",\"pageSize\":7,\"activeOnly\":true,"
                              "\"sinceMs\":1767225600000,\"executionIds\":[\"e1\",\"e2\",\"e3\"],\"skip\":14}");
    json_decref(ask(&world, "GET", "/api/executions?since=1767225600000&page=101&limit=100", "", NULL, 200));
    static const char *const bad[][2] = {
        {"page", "page=0"},     {"page", "page=102&limit=100"}, {"page", "page=x"},
        {"limit", "limit=0"},   {"limit", "limit=101"},         {"activeOnly", "activeOnly=1"},
        {"since", "since=now"}, {"since", "since=-1"},          {"since", "since=2026-01-01"},
    };
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        CS_AUTO_FREE char *target = cs_sprintf("/api/executions?%s", bad[i][1]);
        CS_AUTO_JSON *refused = ask(&world, "GET", target, "", NULL, 400);
        assert_string_equal(text_at(refused, "path"), bad[i][0]);
    }
    CS_AUTO_BUF many = {0};
    for (int i = 0; i < 101; i++) {
        cs_buf_printf(&many, "%se%d", i > 0 ? "," : "/api/executions?watchIds=", i);
    }
    CS_AUTO_JSON *refused = ask(&world, "GET", many.data, "", NULL, 400);
    assert_string_equal(text_at(refused, "code"), "too_many");
    world_stop(&world);
}

TEST_MAIN(CS_TEST(sy_136_sy_137_who_asks_too_often_is_told_when_to_come_back),
          CS_TEST(w25_each_key_has_its_own_limit_and_guesses_count_for_their_address),
          CS_TEST(w25_nobody_gets_a_new_limit_by_a_header), CS_TEST(without_a_limit_nothing_is_counted),
          CS_TEST(bad_limits_and_proxies_are_refused),
          CS_TEST(sy_045_a_dashboard_pages_by_number_and_asks_for_what_is_new))
