#include "engine/event_wire.h"

#include <string.h>

#include "cs/test.h"

static struct orc_event round_trip(struct cs_arena *arena, const struct orc_event *event) {
    struct orc_row_event row;
    struct orc_event back;
    struct cs_err err = {0};
    orc_event_to_row(event, "x1", 42, arena, &row);
    assert_string_equal(row.execution, "x1");
    assert_int_equal(row.seq, 42);
    assert_ok(orc_event_from_row(&row, arena, &back, &err), &err);
    return back;
}

TEST(everything_that_a_replay_needs_comes_back) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const struct orc_event event = {
        .kind = ORC_EVENT_FAILED,
        .job = 9999,
        .attempt = 3,
        .at_ms = INT64_C(1790000000123),
        .chance = 77,
        .failure_class = ORC_FAILURE_RATE_LIMITED,
        .retry_after_ms = 5000,
        .final = true,
        .unassigned = true,
        .execution_started_at_ms = 77,
        .code = "http_429",
        .message = "wait a bit — é",
        .payload = "a\0b",
        .payload_size = 3,
        .next_at_ms = INT64_C(1790000005123),
        .started_at_ms = INT64_C(1790000000001),
        .source_execution = "x0",
        .source_job = "j1",
        .reason = "retry",
    };
    struct orc_event back = round_trip(arena, &event);
    assert_int_equal(back.kind, event.kind);
    assert_int_equal(back.job, event.job);
    assert_int_equal(back.attempt, event.attempt);
    assert_int_equal(back.at_ms, event.at_ms);
    assert_int_equal(back.failure_class, event.failure_class);
    assert_int_equal(back.retry_after_ms, event.retry_after_ms);
    assert_true(back.final);
    assert_true(back.unassigned);
    assert_int_equal(back.execution_started_at_ms, 77);
    assert_string_equal(back.code, event.code);
    assert_string_equal(back.message, event.message);
    assert_int_equal(back.payload_size, 3);
    assert_memory_equal(back.payload, event.payload, 3);
    assert_int_equal(back.next_at_ms, event.next_at_ms);
    assert_int_equal(back.started_at_ms, event.started_at_ms);
    assert_string_equal(back.source_execution, "x0");
    assert_string_equal(back.source_job, "j1");
    assert_string_equal(back.reason, "retry");
}

TEST(an_event_without_texts_is_small_and_comes_back_without_them) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const struct orc_event event = {.kind = ORC_EVENT_LOST, .job = 1, .attempt = 1, .at_ms = 5};
    struct orc_row_event row;
    orc_event_to_row(&event, "x1", 1, arena, &row);
    assert_int_equal(row.payload_size, 0);
    struct orc_event back = round_trip(arena, &event);
    assert_string_equal(back.code, "");
    assert_int_equal(back.payload_size, 0);
}

TEST(bytes_that_are_no_payload_are_data_loss) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const struct orc_row_event row = {
        .execution = "x1", .kind = 3, .version = ORC_LOG_VERSION, .payload = "\xff\xff\xff", .payload_size = 3};
    struct orc_event event;
    struct cs_err err = {0};
    assert_fails(orc_event_from_row(&row, arena, &event, &err), &err, CS_DATA_LOSS, "bad_event_row");
}

/* As the first release wrote it: TIMEOUT, "late", "too slow", next 5000, started 1999. */
TEST(an_event_of_the_first_release_means_what_it_meant) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    static const char payload[] = "\x10\x04\x1a\x04late\x22\x08too slow\x30\x88\x27\x38\xcf\x0f";
    const struct orc_row_event row = {.execution = "x1",
                                      .seq = 3,
                                      .kind = ORC_EVENT_FAILED,
                                      .version = 1,
                                      .job = 1,
                                      .attempt = 2,
                                      .at_ms = 2010,
                                      .payload = payload,
                                      .payload_size = sizeof(payload) - 1};
    struct orc_event event;
    struct cs_err err = {0};
    assert_ok(orc_event_from_row(&row, arena, &event, &err), &err);
    assert_int_equal(event.failure_class, ORC_FAILURE_TIMEOUT);
    assert_string_equal(event.code, "late");
    assert_string_equal(event.message, "too slow");
    assert_int_equal(event.next_at_ms, 5000);
    assert_int_equal(event.started_at_ms, 1999);
    assert_false(event.unassigned);
    assert_int_equal(event.execution_started_at_ms, 0);
    struct orc_row_event again = {0};
    orc_event_to_row(&event, "x1", 3, arena, &again);
    assert_int_equal(again.payload_size, sizeof(payload) - 1);
    assert_memory_equal(again.payload, payload, sizeof(payload) - 1);
}

/* Version 1 gave deliveries the number of jobs of the plan, which may be a job by now. */
TEST(an_event_of_version_1_is_cast_up_to_what_it_would_be_today) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_row_event row = {
        .execution = "x1", .seq = 7, .kind = ORC_EVENT_DELIVERED, .version = 1, .job = 4, .attempt = 2, .payload = ""};
    struct orc_event event;
    struct cs_err err = {0};
    assert_ok(orc_event_from_row(&row, arena, &event, &err), &err);
    assert_int_equal(event.kind, ORC_EVENT_DELIVERED);
    assert_int_equal(event.job, 0);
    assert_int_equal(event.attempt, 2);
    row.kind = ORC_EVENT_SUCCEEDED; /* of a job, as ever */
    assert_ok(orc_event_from_row(&row, arena, &event, &err), &err);
    assert_int_equal(event.job, 4);
}

TEST(what_is_written_has_the_version_of_today) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const struct orc_event event = {.kind = ORC_EVENT_DELIVERY_FAILED, .job = 4, .attempt = 1};
    struct orc_row_event row = {0};
    orc_event_to_row(&event, "x1", 7, arena, &row);
    assert_int_equal(row.version, ORC_LOG_VERSION);
    assert_int_equal(row.job, 0);
}

TEST(an_event_of_a_newer_program_is_refused_in_a_sentence) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_row_event row = {.execution = "x1", .kind = 3, .version = ORC_LOG_VERSION + 1, .payload = ""};
    struct orc_event event;
    struct cs_err err = {0};
    assert_fails(orc_event_from_row(&row, arena, &event, &err), &err, CS_FAILED_PRECONDITION, "log_newer");
    row.version = 0;
    assert_fails(orc_event_from_row(&row, arena, &event, &err), &err, CS_DATA_LOSS, "bad_event_row");
}

TEST_MAIN(CS_TEST(everything_that_a_replay_needs_comes_back),
          CS_TEST(an_event_without_texts_is_small_and_comes_back_without_them),
          CS_TEST(bytes_that_are_no_payload_are_data_loss), CS_TEST(an_event_of_the_first_release_means_what_it_meant),
          CS_TEST(an_event_of_version_1_is_cast_up_to_what_it_would_be_today),
          CS_TEST(what_is_written_has_the_version_of_today),
          CS_TEST(an_event_of_a_newer_program_is_refused_in_a_sentence))
