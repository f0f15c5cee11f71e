/* Names of tracked runs: made, read, joined with a client. */
#include <string.h>

#include "cs/test.h"
#include "domain/run_id.h"

enum { START_S = 1795599000 }; /* 2026-11-25T09:30:00Z */

static struct orc_run_id parsed(const char *text) {
    struct orc_run_id id;
    struct cs_err err = {0};
    assert_ok(orc_run_id_parse(text, &id, &err), &err);
    return id;
}

TEST(pb_008_ids_are_the_second_and_a_number_when_two_start_in_one) {
    struct orc_run_id id;
    orc_run_id_make(START_S, 1, "", &id);
    assert_string_equal(id.text, "261125-093000");
    assert_string_equal(id.base, "261125-093000");
    orc_run_id_make(START_S, 2, "", &id);
    assert_string_equal(id.text, "261125-093000-_2");
    orc_run_id_make(START_S, ORC_RUN_NUMBER_MAX, "0123456789012345678901234567890123456789", &id);
    assert_string_equal(id.text, "261125-093000-_999999-0123456789012345678901234567890123456789");
    assert_string_equal(parsed(id.text).text, id.text);
}

TEST(pb_009_base_and_client_come_back_from_an_id) {
    static const char *const clients[] = {"", "acme", "Guy-Wilson", "a_b-c-2", "2", "093000"};
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        for (int64_t number = 1; number <= 3; number++) {
            struct orc_run_id made;
            orc_run_id_make(START_S, number, clients[i], &made);
            struct orc_run_id read = parsed(made.text);
            assert_string_equal(read.text, made.text);
            assert_string_equal(read.base, made.base);
            assert_string_equal(read.client, clients[i]);
        }
    }
}

TEST(p7_pb_009_adding_a_client_twice_is_adding_it_once) {
    struct orc_run_id once;
    struct orc_run_id twice;
    struct cs_err err = {0};
    struct orc_run_id base = parsed("261125-093000");
    assert_ok(orc_run_id_with_client(&base, "acme-west", &once, &err), &err);
    assert_string_equal(once.text, "261125-093000-acme-west");
    assert_string_equal(once.base, "261125-093000");
    assert_ok(orc_run_id_with_client(&once, "acme-west", &twice, &err), &err);
    assert_string_equal(twice.text, once.text);
    assert_ok(orc_run_id_with_client(&once, "", &twice, &err), &err);
    assert_string_equal(twice.text, once.text);
    assert_fails(orc_run_id_with_client(&once, "acme", &twice, &err), &err, CS_INVALID_ARGUMENT, "client_mismatch");
    assert_fails(orc_run_id_with_client(&base, "_2", &twice, &err), &err, CS_INVALID_ARGUMENT, "bad_client");
    assert_string_equal(err.path, "client");
}

TEST(pb_010_what_is_no_run_id_is_refused) {
    static const char *const bad[] = {
        NULL,
        "",
        "x",
        "261125",
        "261125-09300",
        "2611250-93000",
        "261125-0930000",
        "261125_093000",
        "261125-093000-",
        "261125-093000-a b",
        "261125-093000-\xc3\xa9",
        "261125-093000-_",
        "261125-093000-_0",
        "261125-093000-_02",
        "261125-093000-_x",
        "261125-093000-_1234567",
        "261125-093000-_2-",
        "261125-093000-_2_",
        " 261125-093000",
        "261125-093000 ",
        "261125-093000.1",
        "261125-093000.0.0",
        ".0",
        "261125-093000-a/../b",
        "261125-093000-01234567890123456789012345678901234567890",
        "261125-093000-0123456789012345678901234567890123456789012345678901234567890123456789.0",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct orc_run_id id;
        struct cs_err err = {0};
        assert_fails(orc_run_id_parse(bad[i], &id, &err), &err, CS_INVALID_ARGUMENT, "bad_run_id");
        assert_string_equal(err.path, "runId");
    }
}

TEST(pb_010_a_legacy_point_zero_is_left_out) {
    assert_string_equal(parsed("261125-093000.0").text, "261125-093000");
    assert_string_equal(parsed("261125-093000-acme.0").text, "261125-093000-acme");
}

TEST_MAIN(CS_TEST(pb_008_ids_are_the_second_and_a_number_when_two_start_in_one),
          CS_TEST(pb_009_base_and_client_come_back_from_an_id),
          CS_TEST(p7_pb_009_adding_a_client_twice_is_adding_it_once), CS_TEST(pb_010_what_is_no_run_id_is_refused),
          CS_TEST(pb_010_a_legacy_point_zero_is_left_out))
