#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/auth.h"
#include "api/errors.h"
#include "cs/test.h"
#include "http/connections.h"
#include "http/framing.h"
#include "http/range.h"

static enum cs_status check(const char *const (*headers)[2], size_t count, struct gw_framing *framing,
                            struct cs_err *err) {
    *framing = (struct gw_framing){0};
    for (size_t i = 0; i < count; i++) {
        gw_framing_header(framing, headers[i][0], headers[i][1]);
    }
    return gw_framing_check(framing, err);
}

TEST(plain_framing_passes_and_tells_whether_there_is_a_body) {
    struct gw_framing framing;
    struct cs_err err = {0};
    static const char *const none[][2] = {{"Host", "a"}, {"Content-Length", "0"}};
    static const char *const length[][2] = {{"host", "a"}, {"content-length", "12"}};
    static const char *const chunked[][2] = {{"Host", "a"}, {"Transfer-Encoding", "Chunked"}};
    assert_ok(check(none, 2, &framing, &err), &err);
    assert_false(framing.has_body);
    assert_ok(check(length, 2, &framing, &err), &err);
    assert_true(framing.has_body);
    assert_int_equal(framing.body_bytes, 12);
    assert_ok(check(chunked, 2, &framing, &err), &err);
    assert_true(framing.has_body);
}

TEST(ambiguous_framing_fails) {
    static const char *const cases[][2][2] = {
        {{"Content-Length", "1"}, {"content-length", "1"}},
        {{"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}},
        {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
        {{"Transfer-Encoding", "gzip, chunked"}, {"A", "b"}},
        {{"Transfer-Encoding", ""}, {"A", "b"}},
        {{"Content-Length", ""}, {"A", "b"}},
        {{"Content-Length", " 1"}, {"A", "b"}},
        {{"Content-Length", "-1"}, {"A", "b"}},
        {{"Content-Length", "1,1"}, {"A", "b"}},
        {{"Content-Length", "99999999999999999999"}, {"A", "b"}},
        {{"Content-Length ", "1"}, {"A", "b"}},
        {{"", "1"}, {"A", "b"}},
        {{"Host", "a"}, {"Host", "a"}},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct gw_framing framing;
        struct cs_err err = {0};
        assert_fails(check(cases[i], 2, &framing, &err), &err, CS_INVALID_ARGUMENT, "bad_framing");
    }
}

TEST(ranges_are_read_as_the_standard_says) {
    static const struct {
        const char *header;
        uint64_t object;
        enum gw_range_kind kind;
        uint64_t offset;
        uint64_t size;
    } cases[] = {
        {NULL, 10, GW_RANGE_WHOLE, 0, 10},
        {"bytes=0-", 10, GW_RANGE_PART, 0, 10},
        {"bytes=9-", 10, GW_RANGE_PART, 9, 1},
        {"bytes=-99", 10, GW_RANGE_PART, 0, 10},
        {"bytes=0-0", 1, GW_RANGE_PART, 0, 1},
        {"bytes=0-18446744073709551615", 10, GW_RANGE_PART, 0, 10},
        {"bytes=10-", 10, GW_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, GW_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", 10, GW_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-5", 0, GW_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=", 10, GW_RANGE_WHOLE, 0, 10},
        {"bytes=-", 10, GW_RANGE_WHOLE, 0, 10},
        {"bytes=a-b", 10, GW_RANGE_WHOLE, 0, 10},
        {"bytes=1", 10, GW_RANGE_WHOLE, 0, 10},
        {"bytes=1-2x", 10, GW_RANGE_WHOLE, 0, 10},
        {"bytes=3-2", 10, GW_RANGE_WHOLE, 0, 10},
        {"bytes=0-1,2-3", 10, GW_RANGE_WHOLE, 0, 10},
        {"bytes=99999999999999999999-", 10, GW_RANGE_WHOLE, 0, 10},
        {"lines=0-1", 10, GW_RANGE_WHOLE, 0, 10},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct gw_range range = gw_range_parse(cases[i].header, cases[i].object);
        assert_int_equal(range.kind, cases[i].kind);
        assert_true(range.kind == GW_RANGE_UNSATISFIABLE ||
                    (range.offset == cases[i].offset && range.size == cases[i].size));
    }
}

TEST(entity_tags_are_found_in_lists) {
    static const char tag[] = "\"abc\"";
    static const char *const has[] = {"\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "\"abc\",\"x\"", "*"};
    static const char *const lacks[] = {"", "\"abcd\"", "\"xabc\"", "abc", "\"x\""};
    for (size_t i = 0; i < CS_COUNT(has); i++) {
        assert_true(gw_etag_listed(has[i], tag));
    }
    for (size_t i = 0; i < CS_COUNT(lacks); i++) {
        assert_false(gw_etag_listed(lacks[i], tag));
    }
    assert_false(gw_etag_listed(NULL, tag));
}

TEST(connections_past_their_deadline_are_shut_down_once) {
    CS_AUTO(gw_connections) *connections = gw_connections_create();
    int pair[2];
    char byte = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct gw_connection *first = gw_connections_add(connections, pair[0], 100);
    struct gw_connection *second = gw_connections_add(connections, -1, INT64_MAX);
    struct gw_connection *third = gw_connections_add(connections, -1, 300);
    assert_int_equal(gw_connections_count(connections), 3);
    gw_connections_set_deadline(connections, third, INT64_MAX);
    assert_int_equal(gw_connections_reap(connections, 99), 0);
    assert_int_equal(gw_connections_reap(connections, 500), 1);
    assert_int_equal(gw_connections_reap(connections, 500), 0);
    assert_int_equal(read(pair[1], &byte, 1), 0);
    gw_connections_remove(connections, second);
    gw_connections_remove(connections, third);
    gw_connections_remove(connections, first);
    assert_int_equal(gw_connections_count(connections), 0);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

TEST(t16_keys_belong_to_tenants) {
    CS_AUTO(gw_auth) *auth = NULL;
    CS_AUTO(gw_auth) *open = NULL;
    const char *tenant = NULL;
    struct cs_err err = {0};
    assert_ok(gw_auth_create("key=with=signs=a,second-key=b_1-", "boss-key=a", &auth, &err), &err);
    assert_ok(gw_auth_tenant(auth, "Bearer key=with=signs", NULL, &tenant, &err), &err);
    assert_string_equal(tenant, "a");
    assert_ok(gw_auth_tenant(auth, NULL, "second-key", &tenant, &err), &err);
    assert_string_equal(tenant, "b_1-");
    assert_ok(gw_auth_tenant(auth, NULL, "boss-key", &tenant, &err), &err);
    assert_string_equal(tenant, "a");
    assert_true(gw_auth_is_operator(auth, NULL, "boss-key"));
    assert_false(gw_auth_is_operator(auth, NULL, "second-key"));
    assert_false(gw_auth_is_operator(auth, NULL, NULL));
    assert_fails(gw_auth_tenant(auth, "Bearer second-key ", NULL, &tenant, &err), &err, CS_UNAUTHENTICATED,
                 "bad_credentials");
    assert_fails(gw_auth_tenant(auth, "Token second-key", "second-key", &tenant, &err), &err, CS_UNAUTHENTICATED,
                 "no_credentials");
    assert_fails(gw_auth_tenant(auth, NULL, "", &tenant, &err), &err, CS_UNAUTHENTICATED, "no_credentials");
    struct gw_auth *none = NULL;
    assert_fails(gw_auth_create(",", "", &none, &err), &err, CS_INVALID_ARGUMENT, "bad_api_keys");
    assert_fails(gw_auth_create("first-key=a,first-key=b", "", &none, &err), &err, CS_INVALID_ARGUMENT, "bad_api_keys");
    assert_ok(gw_auth_create("", "", &open, &err), &err);
    assert_ok(gw_auth_tenant(open, NULL, NULL, &tenant, &err), &err);
    assert_string_equal(tenant, "default");
    assert_false(gw_auth_is_operator(open, NULL, NULL));
}

TEST(every_status_has_an_http_status) {
    static const struct {
        enum cs_status status;
        unsigned http;
    } cases[] = {{CS_CANCELLED, 503},
                 {CS_UNKNOWN, 500},
                 {CS_INVALID_ARGUMENT, 400},
                 {CS_DEADLINE_EXCEEDED, 504},
                 {CS_NOT_FOUND, 404},
                 {CS_ALREADY_EXISTS, 409},
                 {CS_PERMISSION_DENIED, 403},
                 {CS_RESOURCE_EXHAUSTED, 429},
                 {CS_FAILED_PRECONDITION, 409},
                 {CS_ABORTED, 503},
                 {CS_OUT_OF_RANGE, 400},
                 {CS_UNIMPLEMENTED, 501},
                 {CS_INTERNAL, 500},
                 {CS_UNAVAILABLE, 503},
                 {CS_DATA_LOSS, 500},
                 {CS_UNAUTHENTICATED, 401},
                 {(enum cs_status)77, 500}};
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct cs_err err = {0};
        (void)cs_fail(&err, cases[i].status, "why", "because");
        assert_int_equal(gw_error_http_status(&err), cases[i].http);
    }
    struct cs_err err = {0};
    (void)cs_fail(&err, CS_OUT_OF_RANGE, "too_big", "the body");
    assert_int_equal(gw_error_http_status(&err), 413);
    (void)cs_fail_at(&err, "labels", "too_big", "a field");
    assert_int_equal(gw_error_http_status(&err), 400);
}

TEST_MAIN(CS_TEST(plain_framing_passes_and_tells_whether_there_is_a_body), CS_TEST(ambiguous_framing_fails),
          CS_TEST(ranges_are_read_as_the_standard_says), CS_TEST(entity_tags_are_found_in_lists),
          CS_TEST(connections_past_their_deadline_are_shut_down_once), CS_TEST(t16_keys_belong_to_tenants),
          CS_TEST(every_status_has_an_http_status))
