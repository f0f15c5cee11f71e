#include <errno.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/fsm.h"
#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/test.h"

TEST(error_carries_reason_path_and_context) {
    struct cs_err err = {0};
    assert_fails(cs_fail_at(&err, "[2].dependsOn", "unknown_job", "no job %s", "a"), &err, CS_INVALID_ARGUMENT,
                 "unknown_job");
    (void)cs_err_at(&err, "jobs");
    (void)cs_wrap(&err, "reading plan");
    assert_string_equal(err.path, "jobs[2].dependsOn");
    assert_string_equal(err.message, "reading plan: no job a");
    assert_false(err.retryable);
}

TEST(errno_maps_to_status) {
    struct cs_err err = {0};
    assert_fails(cs_fail_errno(&err, ENOSPC, "writing"), &err, CS_RESOURCE_EXHAUSTED, "disk_full");
    assert_true(err.retryable);
}

TEST(long_error_texts_are_cut_at_a_character) {
    char text[CS_ERR_MESSAGE_MAX * 2];
    memset(text, 'a', sizeof(text));
    memcpy(text + CS_ERR_MESSAGE_MAX - 2, "\xC3\xA9", 2);
    text[sizeof(text) - 1] = '\0';
    struct cs_err err = {0};
    (void)cs_fail(&err, CS_INTERNAL, "long", "%s", text);
    assert_int_equal(strlen(err.message), CS_ERR_MESSAGE_MAX - 2);
}

/* A clause that is cut leaves no half of a character before what follows it. */
TEST(long_clauses_and_paths_are_cut_at_a_character) {
    char text[CS_ERR_MESSAGE_MAX * 2];
    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        text[i] = i % 2 == 0 ? '\xC3' : '\xA9';
    }
    text[sizeof(text) - 2] = '\0';
    struct cs_err err = {0};
    (void)cs_fail(&err, CS_INTERNAL, "inner", "inner");
    (void)cs_wrap(&err, "%s", text);
    assert_true(cs_utf8_valid(err.message, strlen(err.message)));
    (void)cs_fail_errno(&err, ENOSPC, "%s", text);
    assert_true(cs_utf8_valid(err.message, strlen(err.message)));
    (void)cs_fail_at(&err, "[0]", "inner", "inner");
    (void)cs_err_at(&err, text);
    assert_true(cs_utf8_valid(err.path, strlen(err.path)));
}

TEST(arena_gives_zeroed_aligned_memory_of_any_size) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    for (size_t size = 1; size < 100000; size = size * 3 + 1) {
        unsigned char *bytes = cs_arena_alloc(arena, size);
        assert_int_equal((uintptr_t)bytes % 16, 0);
        assert_int_equal(bytes[0] | bytes[size - 1], 0);
        memset(bytes, 0xFF, size);
    }
    cs_arena_reset(arena);
    assert_string_equal(cs_arena_sprintf(arena, "%d-%s", 7, "x"), "7-x");
    assert_string_equal(cs_arena_strdup(arena, NULL), "");
}

TEST(a_small_arena_grows_like_any) {
    static const size_t firsts[] = {0, 1, 100, 5000, 1 << 20};
    for (size_t i = 0; i < CS_COUNT(firsts); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create_sized(firsts[i]);
        for (size_t size = 0; size < 40000; size = size * 3 + 1) {
            unsigned char *bytes = cs_arena_alloc(arena, size);
            assert_int_equal((uintptr_t)bytes % 16, 0);
            for (size_t k = 0; k < size; k++) {
                assert_int_equal(bytes[k], 0);
                bytes[k] = 0xff;
            }
        }
        cs_arena_reset(arena);
        assert_string_equal(cs_arena_strdup(arena, "again"), "again");
    }
}

TEST(buf_grows_and_is_terminated) {
    CS_AUTO_BUF buf = {0};
    for (int i = 0; i < 1000; i++) {
        cs_buf_printf(&buf, "%d,", i % 10);
    }
    assert_int_equal(buf.size, 2000);
    assert_int_equal(strlen(buf.data), 2000);
}

TEST(utf8_refuses_what_unicode_refuses) {
    static const char *const good[] = {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"};
    static const char *const bad[] = {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xE2\x82", "\xFF"};
    for (size_t i = 0; i < CS_COUNT(good); i++) {
        assert_true(cs_utf8_valid(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        assert_false(cs_utf8_valid(bad[i], strlen(bad[i])));
    }
    assert_false(cs_utf8_valid("a\0b", 3));
    char whole[] = "caf\xC3\xA9";
    char broken[] = "caf\xC3";
    cs_utf8_repair(whole);
    cs_utf8_repair(broken);
    assert_string_equal(whole, "caf\xC3\xA9");
    assert_string_equal(broken, "caf?");
}

TEST(numbers_parse_whole_or_not_at_all) {
    int64_t value = 5;
    assert_true(cs_parse_i64("-12", -20, 20, &value));
    assert_int_equal(value, -12);
    assert_false(cs_parse_i64("12x", 0, 20, &value));
    assert_false(cs_parse_i64(" 12", 0, 20, &value));
    assert_false(cs_parse_i64("21", 0, 20, &value));
    assert_false(cs_parse_i64("", 0, 20, &value));
    double number = 0;
    assert_true(cs_parse_f64("0.25", 0, 1, &number));
    assert_false(cs_parse_f64("nan", 0, 1, &number));
}

TEST(times_format_as_iso8601) {
    char text[CS_ISO8601_SIZE];
    cs_format_iso8601(1767225600123, text);
    assert_string_equal(text, "2026-01-01T00:00:00.123Z");
    cs_format_iso8601(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    cs_format_iso8601(INT64_MAX, text); /* a peer's number: no such year can be written */
    assert_string_equal(text, "9999-12-31T23:59:59.807Z");
}

TEST(iso8601_parses_to_the_millisecond_or_not_at_all) {
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-01T00:00:00.123Z", 1767225600123},
        {"2026-01-01T00:00:00.1Z", 1767225600100},
        {"2026-01-01T00:00:00.123999Z", 1767225600123},
        {"2026-01-01T01:30:00+01:30", 1767225600000},
        {"2025-12-31T23:00:00-01:00", 1767225600000},
        {"2024-02-29T12:00:00Z", 1709208000000},
        {"9999-12-31T23:59:59Z", 253402300799000},
    };
    static const char *const bad[] = {
        "",
        "Z",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z",
        "2026-01-01 00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:00Zx",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00+24:00",
        "1969-12-31T23:59:59Z",
        "2026-01-01T00:00:0",
        "-026-01-01T00:00:00Z",
    };
    int64_t ms = 7;
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        if (cs_parse_iso8601(bad[i], &ms) || ms != 7) {
            fail_msg("\"%s\" was read", bad[i]);
        }
    }
    for (size_t i = 0; i < CS_COUNT(good); i++) {
        assert_true(cs_parse_iso8601(good[i].text, &ms));
        assert_int_equal(ms, good[i].ms);
    }
}

TEST(sy_014_ids_are_valid_and_differ) {
    char a[CS_ID_SIZE];
    char b[CS_ID_SIZE];
    cs_id_make(a);
    cs_id_make(b);
    assert_true(cs_id_valid(a, 128));
    assert_string_not_equal(a, b);
    assert_false(cs_id_valid("", 128));
    assert_false(cs_id_valid("..", 128));
    assert_false(cs_id_valid("a/b", 128));
    assert_false(cs_id_valid("abcd", 3));
}

enum { OFF, ON, STATES };
enum { PRESS, BREAK, EVENTS };
static const struct cs_fsm_edge lamp_edges[] = {{OFF, PRESS, ON, "the switch was pressed"}};
static const char *const lamp_states[] = {"off", "on"};
static const char *const lamp_events[] = {"press", "break"};
static const struct cs_fsm lamp = {"lamp", lamp_states, STATES, lamp_events, EVENTS, lamp_edges, CS_COUNT(lamp_edges)};

TEST(fsm_moves_along_edges_only) {
    int state = OFF;
    struct cs_err err = {0};
    assert_ok(cs_fsm_step(&lamp, &state, PRESS, &err), &err);
    assert_int_equal(state, ON);
    assert_fails(cs_fsm_step(&lamp, &state, BREAK, &err), &err, CS_FAILED_PRECONDITION, "illegal_transition");
    assert_int_equal(state, ON);
    assert_null(cs_fsm_find(&lamp, 99, -1));
}

static void keep_line(const char *line, void *ctx) {
    cs_str_copy(ctx, 512, line);
}

TEST(log_lines_are_json_with_escaped_values) {
    char line[512] = "";
    cs_log_capture(keep_line, line);
    cs_log_warn("odd \"thing\"", CS_KV("job", "a\nb"), CS_KVI("n", 3), CS_KV("absent", NULL));
    cs_log_capture(NULL, NULL);
    assert_non_null(strstr(line, "\"event\":\"odd \\\"thing\\\"\",\"job\":\"a\\u000ab\",\"n\":3}"));
    assert_non_null(strstr(line, "\"level\":\"warn\""));
}

TEST_MAIN(CS_TEST(error_carries_reason_path_and_context), CS_TEST(errno_maps_to_status),
          CS_TEST(long_error_texts_are_cut_at_a_character), CS_TEST(long_clauses_and_paths_are_cut_at_a_character),
          CS_TEST(arena_gives_zeroed_aligned_memory_of_any_size), CS_TEST(a_small_arena_grows_like_any),
          CS_TEST(buf_grows_and_is_terminated), CS_TEST(utf8_refuses_what_unicode_refuses),
          CS_TEST(numbers_parse_whole_or_not_at_all), CS_TEST(times_format_as_iso8601),
          CS_TEST(iso8601_parses_to_the_millisecond_or_not_at_all), CS_TEST(sy_014_ids_are_valid_and_differ),
          CS_TEST(fsm_moves_along_edges_only), CS_TEST(log_lines_are_json_with_escaped_values))
