/* The life of a tracked run, decided without a clock or a database. */
#include <string.h>

#include "cs/test.h"
#include "domain/run.h"

enum { T0 = 1000000, MINUTE = 60 * 1000 };

/* A run that began at T0, and what its verbs need. */
struct fixture {
    struct cs_arena *arena;
    struct orc_run_warnings warnings;
    struct orc_run run;
    struct cs_err err;
};

static struct fixture begun(const char *client) {
    struct fixture it = {.arena = cs_arena_create()};
    struct orc_run_start start = {.tenant = "acme", .job_type = "scoring", .note = ""};
    orc_run_id_make(T0 / 1000, 1, client, &start.id);
    orc_run_begin(&start, T0, it.arena, &it.run, &it.warnings);
    return it;
}

static void done(const struct fixture *it) {
    cs_arena_destroy(it->arena);
}

static enum cs_status complete(struct fixture *it, int status, const char *error, int64_t now_ms) {
    const struct orc_run_news news = {.job_type = "scoring", .note = ""};
    bool unchanged = false;
    return orc_run_complete(&it->run, status, error, &news, now_ms, it->arena, &it->warnings, &unchanged, &it->err);
}

static enum cs_status heartbeat(struct fixture *it, const char *note, int64_t now_ms) {
    const struct orc_run_news news = {.job_type = "", .note = note};
    return orc_run_heartbeat(&it->run, &news, now_ms, it->arena, &it->warnings, &it->err);
}

TEST(pb_002_a_run_starts_with_its_id_type_and_initial_data) {
    struct fixture it = {.arena = cs_arena_create()};
    const struct orc_run_report initial = {.name = "posts", .text = "3"};
    struct orc_run_start start = {
        .tenant = "acme", .job_type = "scoring", .initial = &initial, .initial_count = 1, .note = "by hand"};
    orc_run_id_make(T0 / 1000, 1, "west", &start.id);
    orc_run_begin(&start, T0, it.arena, &it.run, &it.warnings);
    assert_int_equal(it.run.status, ORC_RUN_RUNNING);
    assert_int_equal(it.run.started_at_ms, T0);
    assert_int_equal(it.run.ended_at_ms, 0);
    assert_string_equal(it.run.id.client, "west");
    assert_true(it.run.metrics.items[0].number == 3);
    assert_string_equal(it.run.notes, "1970-01-01T00:16:40.000Z Run 700101-001640-west started\n"
                                      "1970-01-01T00:16:40.000Z Job Type: scoring\n"
                                      "1970-01-01T00:16:40.000Z by hand");
    done(&it);
}

TEST(pb_005_completing_without_a_status_is_completed) {
    struct fixture it = begun("");
    assert_ok(complete(&it, ORC_RUN_NONE, "", T0 + 5), &it.err);
    assert_int_equal(it.run.status, ORC_RUN_COMPLETED);
    assert_int_equal(orc_run_wake_at(&it.run), INT64_MAX);
    done(&it);
}

TEST(pb_006_completing_with_an_error_is_failed_with_a_note) {
    struct fixture it = begun("");
    assert_ok(complete(&it, ORC_RUN_NONE, "no connection", T0 + 5), &it.err);
    assert_int_equal(it.run.status, ORC_RUN_FAILED);
    assert_non_null(strstr(it.run.notes, "Z Error: no connection\n"));
    done(&it);
    it = begun("");
    assert_fails(complete(&it, ORC_RUN_COMPLETED, "no connection", T0 + 5), &it.err, CS_INVALID_ARGUMENT, "bad_status");
    assert_fails(complete(&it, ORC_RUN_NO_LEADS, "no connection", T0 + 5), &it.err, CS_INVALID_ARGUMENT, "bad_status");
    assert_int_equal(it.run.status, ORC_RUN_RUNNING);
    assert_ok(complete(&it, ORC_RUN_COMPLETED_WITH_ERRORS, "one client", T0 + 5), &it.err);
    done(&it);
}

TEST(pb_007_a_run_of_another_type_is_a_conflict_and_stays_as_it_is) {
    struct fixture it = begun("");
    const struct orc_run before = it.run;
    const struct orc_run_news news = {.job_type = "other", .note = "n"};
    bool unchanged = false;
    assert_fails(orc_run_complete(&it.run, 0, "", &news, T0 + 1, it.arena, &it.warnings, &unchanged, &it.err), &it.err,
                 CS_FAILED_PRECONDITION, "wrong_run_id");
    assert_fails(orc_run_heartbeat(&it.run, &news, T0 + 1, it.arena, &it.warnings, &it.err), &it.err,
                 CS_FAILED_PRECONDITION, "wrong_run_id");
    assert_memory_equal(&it.run, &before, sizeof(before));
    done(&it);
}

TEST(pb_013_every_end_has_a_time_and_is_final) {
    for (int end = ORC_RUN_COMPLETED; end <= ORC_RUN_CANCELED; end++) {
        struct fixture it = begun("");
        assert_ok(complete(&it, end, "", T0 + 77), &it.err);
        assert_int_equal(it.run.status, end);
        assert_int_equal(it.run.ended_at_ms, T0 + 77);
        const struct orc_run ended = it.run;
        assert_ok(complete(&it, end, "", T0 + 99), &it.err); /* a repeat changes nothing */
        assert_memory_equal(&it.run, &ended, sizeof(ended));
        int other = end == ORC_RUN_FAILED ? ORC_RUN_CANCELED : ORC_RUN_FAILED;
        assert_fails(complete(&it, other, "", T0 + 99), &it.err, CS_FAILED_PRECONDITION, "run_ended");
        assert_fails(heartbeat(&it, "", T0 + 99), &it.err, CS_FAILED_PRECONDITION, "run_ended");
        assert_false(orc_run_expire(&it.run, INT64_MAX - 1, it.arena));
        assert_memory_equal(&it.run, &ended, sizeof(ended));
        done(&it);
    }
}

TEST(pb_014_notes_are_appended_and_bounded) {
    struct fixture it = begun("");
    assert_ok(heartbeat(&it, "one", T0 + 1), &it.err);
    assert_ok(heartbeat(&it, "two", T0 + 2), &it.err);
    assert_ok(complete(&it, ORC_RUN_NONE, "", T0 + 3), &it.err);
    const char *one = strstr(it.run.notes, "Z one\n");
    assert_non_null(strstr(it.run.notes, "Job Type: scoring\n"));
    assert_non_null(one);
    assert_non_null(strstr(one, "Z two\n"));
    assert_non_null(strstr(one, "Z Run ended: Completed"));
    done(&it);

    it = begun("");
    char *long_note = cs_arena_alloc(it.arena, ORC_RUN_NOTE_BYTES_MAX + 1);
    memset(long_note, 'x', ORC_RUN_NOTE_BYTES_MAX);
    for (int i = 0; i < ORC_RUN_NOTES_BYTES_MAX / ORC_RUN_NOTE_BYTES_MAX + 1; i++) {
        assert_ok(heartbeat(&it, long_note, T0 + i), &it.err);
    }
    assert_true(it.warnings.count > 0);
    assert_true(strlen(it.run.notes) <= ORC_RUN_NOTES_BYTES_MAX);
    assert_ok(complete(&it, ORC_RUN_NONE, long_note, T0 + 100), &it.err); /* ours are there in any case */
    assert_non_null(strstr(it.run.notes, "Z Run ended: Failed"));
    assert_true(strlen(it.run.notes) <= ORC_RUN_NOTES_BYTES_MAX + ORC_RUN_NOTES_RESERVE_BYTES);
    done(&it);
}

TEST(pb_015_statuses_have_their_words) {
    static const char *const words[] = {
        "?",      "Running",  "Completed", "Completed with Errors", "No Leads To Score",
        "Failed", "Canceled", "Timed_out", "CLIENT_TIMEOUT_KILLED", "JOB_TIMEOUT_KILLED"};
    for (int status = 0; status < ORC_RUN_STATUSES; status++) {
        assert_string_equal(orc_run_status_word(status), words[status]);
    }
    assert_string_equal(orc_run_status_word(-1), "?");
    assert_string_equal(orc_run_status_word(ORC_RUN_STATUSES), "?");
    struct fixture it = begun("");
    static const int not_ends[] = {
        -1, ORC_RUN_RUNNING, ORC_RUN_TIMED_OUT, ORC_RUN_CLIENT_KILLED, ORC_RUN_JOB_KILLED, ORC_RUN_STATUSES};
    for (size_t i = 0; i < CS_COUNT(not_ends); i++) {
        assert_fails(complete(&it, not_ends[i], "", T0), &it.err, CS_INVALID_ARGUMENT, "bad_status");
        assert_string_equal(it.err.path, "status");
    }
    done(&it);
}

TEST(pb_016_totals_count_clients_and_span_their_times) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_run clients[3] = {
        {.status = ORC_RUN_COMPLETED, .started_at_ms = 1000, .ended_at_ms = 9000},
        {.status = ORC_RUN_TIMED_OUT, .started_at_ms = 2000, .ended_at_ms = 3000},
        {.status = ORC_RUN_RUNNING, .started_at_ms = 3000},
    };
    struct orc_run_metrics total = orc_run_totals(clients, 3, arena);
    assert_int_equal(total.count, 4);
    assert_string_equal(total.items[0].name, "Start Time");
    assert_string_equal(total.items[0].text, "1970-01-01T00:00:01.000Z");
    assert_string_equal(total.items[1].name, "Status");
    assert_string_equal(total.items[1].text, "Running");
    assert_string_equal(total.items[2].name, "Clients Processed");
    assert_true(total.items[2].number == 2);
    assert_string_equal(total.items[3].name, "Clients With Errors");
    assert_true(total.items[3].number == 1);
    clients[2].status = ORC_RUN_NO_LEADS;
    clients[2].ended_at_ms = 4000;
    total = orc_run_totals(clients, 3, arena);
    assert_string_equal(total.items[1].name, "End Time");
    assert_string_equal(total.items[1].text, "1970-01-01T00:00:09.000Z");
    assert_int_equal(orc_run_totals(clients, 0, arena).count, 0);
}

TEST(pb_018_bad_metrics_never_fail_a_completion) {
    struct fixture it = begun("");
    const struct orc_run_report bad[] = {{.name = ""}, {.name = "x", .rule = 50}, {.name = "Status", .text = "mine"}};
    const struct orc_run_news news = {.job_type = "scoring", .metrics = bad, .metric_count = 3, .note = ""};
    bool unchanged = false;
    assert_ok(orc_run_complete(&it.run, 0, "", &news, T0, it.arena, &it.warnings, &unchanged, &it.err), &it.err);
    assert_int_equal(it.run.status, ORC_RUN_COMPLETED);
    assert_int_equal(it.warnings.count, 3);
    done(&it);
}

TEST(pb_019_five_classes_of_trouble_have_their_strategies) {
    static const struct {
        enum cs_status status;
        const char *reason;
        enum orc_run_trouble trouble;
        enum orc_run_strategy strategy;
    } cases[] = {
        {CS_NOT_FOUND, "no_such_run", ORC_RUN_RECORD_NOT_FOUND, ORC_RUN_CREATE_NEW},
        {CS_INVALID_ARGUMENT, "bad_run_id", ORC_RUN_INVALID_RUN_ID, ORC_RUN_ABORT},
        {CS_UNAVAILABLE, "connection_lost", ORC_RUN_STORE_ERROR, ORC_RUN_RETRY},
        {CS_DATA_LOSS, "bad_run_row", ORC_RUN_INCONSISTENT_DATA, ORC_RUN_LOG_AND_CONTINUE},
        {CS_INTERNAL, "database_error", ORC_RUN_UNKNOWN, ORC_RUN_ABORT},
        {CS_FAILED_PRECONDITION, "run_ended", ORC_RUN_UNKNOWN, ORC_RUN_ABORT},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct cs_err err = {0};
        (void)cs_fail(&err, cases[i].status, cases[i].reason, "scripted");
        assert_int_equal(orc_run_trouble_of(&err), cases[i].trouble);
        assert_int_equal(orc_run_strategy(cases[i].trouble), cases[i].strategy);
    }
    struct cs_err in_doubt = {0}; /* not to be sent again blindly */
    (void)cs_fail(&in_doubt, CS_UNKNOWN, "commit_in_doubt", "scripted");
    assert_int_equal(orc_run_strategy(orc_run_trouble_of(&in_doubt)), ORC_RUN_ABORT);
}

TEST(pb_021_times_are_a_minute_ten_minutes_and_two_hours) {
    struct fixture job = begun("");
    struct fixture client = begun("west");
    assert_int_equal(ORC_RUN_HEARTBEAT_MS, MINUTE);
    assert_int_equal(job.run.lease_until_ms, T0 + 3 * MINUTE);
    assert_int_equal(job.run.deadline_ms, T0 + 120 * MINUTE);
    assert_int_equal(client.run.deadline_ms, T0 + 10 * MINUTE);
    done(&job);
    done(&client);
}

TEST(pb_021_a_silent_run_times_out_when_its_lease_ends_and_no_earlier) {
    struct fixture it = begun("");
    assert_false(orc_run_expire(&it.run, T0 + 3 * MINUTE - 1, it.arena));
    assert_ok(heartbeat(&it, "", T0 + 2 * MINUTE), &it.err);
    assert_int_equal(orc_run_wake_at(&it.run), T0 + 5 * MINUTE);
    assert_false(orc_run_expire(&it.run, T0 + 5 * MINUTE - 1, it.arena));
    assert_true(orc_run_expire(&it.run, T0 + 50 * MINUTE, it.arena));
    assert_int_equal(it.run.status, ORC_RUN_TIMED_OUT);
    assert_int_equal(it.run.ended_at_ms, T0 + 5 * MINUTE); /* whenever somebody looks */
    assert_non_null(strstr(it.run.notes, "Run ended: Timed_out (no heartbeat came"));
    done(&it);
}

TEST(pb_021_heartbeats_do_not_help_a_run_that_takes_too_long) {
    static const struct {
        const char *client;
        int minutes;
        int status;
    } cases[] = {{"west", 10, ORC_RUN_CLIENT_KILLED}, {"", 120, ORC_RUN_JOB_KILLED}};
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct fixture it = begun(cases[i].client);
        int64_t end_ms = T0 + (int64_t)cases[i].minutes * MINUTE;
        for (int64_t now_ms = T0; now_ms < end_ms; now_ms += MINUTE) {
            assert_false(orc_run_expire(&it.run, now_ms, it.arena));
            assert_ok(heartbeat(&it, "", now_ms), &it.err);
        }
        assert_true(orc_run_expire(&it.run, end_ms, it.arena));
        assert_int_equal(it.run.status, cases[i].status);
        assert_int_equal(it.run.ended_at_ms, end_ms);
        done(&it);
    }
}

TEST_MAIN(CS_TEST(pb_002_a_run_starts_with_its_id_type_and_initial_data),
          CS_TEST(pb_005_completing_without_a_status_is_completed),
          CS_TEST(pb_006_completing_with_an_error_is_failed_with_a_note),
          CS_TEST(pb_007_a_run_of_another_type_is_a_conflict_and_stays_as_it_is),
          CS_TEST(pb_013_every_end_has_a_time_and_is_final), CS_TEST(pb_014_notes_are_appended_and_bounded),
          CS_TEST(pb_015_statuses_have_their_words), CS_TEST(pb_016_totals_count_clients_and_span_their_times),
          CS_TEST(pb_018_bad_metrics_never_fail_a_completion),
          CS_TEST(pb_019_five_classes_of_trouble_have_their_strategies),
          CS_TEST(pb_021_times_are_a_minute_ten_minutes_and_two_hours),
          CS_TEST(pb_021_a_silent_run_times_out_when_its_lease_ends_and_no_earlier),
          CS_TEST(pb_021_heartbeats_do_not_help_a_run_that_takes_too_long))
