/* The log in partitions: made ahead or when needed, dropped when old; what is open stays. */
#include "store/partitions.h"

#include <pthread.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/pg.h"
#include "cs/test.h"
#include "cs/test_support.h"
#include "domain/execution.h"
#include "domain/execution_id.h"
#include "peek_log_sql.h"
#include "upkeep.h"

#define DAY_MS INT64_C(86400000)
#define NOW_MS (INT64_C(20800) * DAY_MS + 12345678)
#define RETENTION_MS (30 * DAY_MS)

static const struct cs_pg_statement log_counts =
    CS_PG_STATEMENT(log_counts, "",
                    "executions:int8 events:int8 keys:int8 runs:int8 partitions:int8 tables:int8 undated:int8 "
                    "version_1:int8");
static const struct cs_pg_statement day_of = CS_PG_STATEMENT(day_of, "text", "day:int4");
static const struct cs_pg_statement partition_of = CS_PG_STATEMENT(partition_of, "int4", "first_day:int4 end_day:int4");
static const struct cs_pg_statement lock_hold = CS_PG_STATEMENT(lock_hold, "", "held:text");
static const struct cs_pg_statement lock_let_go = CS_PG_STATEMENT(lock_let_go, "", "ok:bool");
static const struct cs_pg_statement read_long = CS_PG_STATEMENT(read_long, "", "executions:int8 held:text");
static const struct cs_pg_statement readers_waiting = CS_PG_STATEMENT(readers_waiting, "", "waiting:int8");
static const struct cs_pg_statement run_put = CS_PG_STATEMENT(run_put, "text text int8", "");
static const struct cs_pg_statement log_analyze = CS_PG_STATEMENT(log_analyze, "", "");
static const struct cs_pg_statement log_reads = CS_PG_STATEMENT(log_reads, "", "updated:int8 read:int8");
static const struct cs_pg_statement log_version_set = CS_PG_STATEMENT(log_version_set, "int4", "");

static enum cs_status migrate(const char *url, __attribute__((unused)) void *ctx, struct cs_err *err) {
    return orc_store_migrate(url, err);
}

static const struct cs_test_template migrated = {"orchestrator", migrate, NULL};

struct place {
    struct cs_test_db db;
    struct orc_store *store;
    struct cs_pg *pg;
    struct cs_arena *arena;
};

static void place_open(struct place *place) {
    struct cs_err err = {0};
    int64_t epoch = 0;
    cs_test_db_create(&place->db, &migrated);
    place->arena = cs_arena_create();
    assert_ok(orc_store_open(place->db.url, &place->store, &err), &err);
    assert_ok(orc_store_join(place->store, "r1", 1000, &epoch, &err), &err);
    assert_ok(cs_pg_open(place->db.url, NULL, &place->pg, &err), &err);
}

static void place_close(struct place *place) {
    orc_store_close(place->store);
    cs_pg_close(place->pg);
    cs_arena_destroy(place->arena);
    cs_test_db_drop(&place->db);
}
#define AUTO_PLACE __attribute__((cleanup(place_close))) struct place

static int64_t count(struct place *place, const char *column) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_one(place->pg, &log_counts, NULL, &rows, &err), &err);
    return cs_pg_i64(rows, column);
}

/* An open execution of that time, with an event. */
static const char *create_again(struct place *place, int64_t at_ms, const char *key, const char *origin) {
    char *id = cs_arena_alloc(place->arena, CS_ID_SIZE);
    cs_id_make(id);
    orc_execution_id_date(id, at_ms);
    const struct orc_row_created created = {.id = id,
                                            .tenant = "acme",
                                            .idempotency_key = key,
                                            .request = "request",
                                            .request_size = 7,
                                            .created_at_ms = at_ms,
                                            .wake_at_ms = at_ms + 1,
                                            .origin = origin};
    const struct orc_row_event event = {
        .execution = id, .seq = 1, .kind = ORC_EVENT_STARTED, .attempt = 1, .at_ms = at_ms, .payload = ""};
    const struct orc_commit commit = {.created = &created, .created_count = 1, .events = &event, .event_count = 1};
    bool duplicate = true;
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place->store, &commit, &duplicate, &err), &err);
    assert_false(duplicate);
    return id;
}

static const char *create(struct place *place, int64_t at_ms, const char *key) {
    return create_again(place, at_ms, key, NULL);
}

static void end(struct place *place, const char *id, int64_t at_ms) {
    const struct orc_row_event event = {
        .execution = id, .seq = 2, .kind = ORC_EVENT_SUCCEEDED, .attempt = 1, .at_ms = at_ms, .payload = ""};
    const struct orc_row_head head = {.id = id,
                                      .state = ORC_EXECUTION_COMPLETED,
                                      .seq = 2,
                                      .completed_at_ms = at_ms,
                                      .summary = "summary",
                                      .summary_size = 7};
    const struct orc_commit commit = {.events = &event, .event_count = 1, .heads = &head, .head_count = 1};
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place->store, &commit, NULL, &err), &err);
}

static bool is_there(struct place *place, const char *id) {
    struct orc_stored *item = NULL;
    struct cs_err err = {0};
    if (orc_store_get_log(place->store, "acme", id, place->arena, &item, &err) == CS_OK) {
        assert_true(item->event_count > 0);
        return true;
    }
    assert_int_equal(err.status, CS_NOT_FOUND);
    return false;
}

static void upkeep(struct place *place, int64_t now_ms, int64_t retention_ms) {
    struct cs_err err = {0};
    assert_ok(orc_upkeep_run(place->store, now_ms, retention_ms, &err), &err);
}

/* ---- where things are ---- */

TEST(the_database_reads_the_day_of_an_id_as_the_program_does) {
    static const char *const without[] = {"", "e1", "1xDM4qAk3Jw0aZpQ81LmX", "1xDM4_", "-xDM4q_k3Jw0aZpQ81LmX"};
    AUTO_PLACE place = {0};
    place_open(&place);
    for (int i = 0; i < 200; i++) {
        char id[CS_ID_SIZE];
        cs_id_make(id);
        if (i >= (int)CS_COUNT(without)) {
            orc_execution_id_date(id, (int64_t)(cs_random_u64() % UINT64_C(56800235584000)));
        }
        const char *asked = i < (int)CS_COUNT(without) ? without[i] : id;
        CS_AUTO_PG_PARAMS params = {0};
        CS_AUTO(cs_pg_rows) *rows = NULL;
        struct cs_err err = {0};
        cs_pg_put_text(&params, asked);
        assert_ok(cs_pg_one(place.pg, &day_of, &params, &rows, &err), &err);
        assert_int_equal(cs_pg_i64(rows, "day"), orc_execution_id_day(asked));
    }
}

static int64_t width_at(struct place *place, int64_t at_ms) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    cs_pg_put_i32(&params, (int32_t)(at_ms / DAY_MS));
    assert_ok(cs_pg_maybe(place->pg, &partition_of, &params, &rows, &err), &err);
    return rows == NULL ? 0 : cs_pg_i64(rows, "end_day") - cs_pg_i64(rows, "first_day");
}

TEST(partitions_are_there_before_their_days_are) {
    AUTO_PLACE place = {0};
    place_open(&place);
    upkeep(&place, NOW_MS, RETENTION_MS);
    for (int day = 0; day <= ORC_UPKEEP_AHEAD_DAYS; day++) {
        assert_int_equal(width_at(&place, NOW_MS + day * DAY_MS), 3); /* a tenth of the retention */
    }
    int64_t partitions = count(&place, "partitions");
    upkeep(&place, NOW_MS, RETENTION_MS);
    assert_int_equal(count(&place, "partitions"), partitions);
    assert_int_equal(count(&place, "tables"), partitions);
    upkeep(&place, NOW_MS + 40 * DAY_MS, 0); /* kept for ever: few and wide, and none over another */
    assert_true(width_at(&place, NOW_MS + 40 * DAY_MS) > 3);
}

TEST(a_commit_makes_the_partition_that_nobody_has_made) {
    AUTO_PLACE place = {0};
    place_open(&place);
    const char *first = create(&place, NOW_MS, "a");
    const char *after_a_month = create(&place, NOW_MS + 31 * DAY_MS, "b"); /* the server slept */
    const char *back = create(&place, NOW_MS - 2 * DAY_MS, "");            /* a clock that was wrong */
    assert_true(is_there(&place, first));
    assert_true(is_there(&place, after_a_month));
    assert_true(is_there(&place, back));
    assert_int_equal(count(&place, "partitions"), 4); /* and undated */
    assert_int_equal(count(&place, "undated"), 0);
    assert_int_equal(count(&place, "events"), 3);
    upkeep(&place, NOW_MS, RETENTION_MS); /* goes around them */
    assert_int_equal(width_at(&place, NOW_MS), 1);
}

/* ---- what is old ---- */

TEST(what_ended_long_ago_goes_with_its_events_and_its_key) {
    AUTO_PLACE place = {0};
    place_open(&place);
    const char *old = create(&place, NOW_MS - 40 * DAY_MS, "nightly");
    const char *young = create(&place, NOW_MS - 20 * DAY_MS, "weekly");
    end(&place, old, NOW_MS - 40 * DAY_MS + 5000);
    end(&place, young, NOW_MS - 20 * DAY_MS + 5000);
    upkeep(&place, NOW_MS, 0);
    assert_true(is_there(&place, old));
    upkeep(&place, NOW_MS, RETENTION_MS);
    assert_false(is_there(&place, old));
    assert_true(is_there(&place, young));
    assert_int_equal(count(&place, "executions"), 1);
    assert_int_equal(count(&place, "events"), 2);
    assert_int_equal(count(&place, "keys"), 1);
    assert_int_equal(count(&place, "tables"), count(&place, "partitions"));
    struct orc_stored *item = NULL;
    struct cs_err err = {0};
    assert_fails(orc_store_find_key(place.store, "acme", "nightly", place.arena, &item, &err), &err, CS_NOT_FOUND,
                 "no_such_execution");
    assert_true(is_there(&place, create(&place, NOW_MS, "nightly"))); /* the key is free again */
}

TEST(an_open_execution_keeps_its_partition_until_it_ended_long_ago) {
    AUTO_PLACE place = {0};
    place_open(&place);
    const char *open = create(&place, NOW_MS - 400 * DAY_MS, "");
    const char *beside = create(&place, NOW_MS - 400 * DAY_MS, "");
    end(&place, beside, NOW_MS - 399 * DAY_MS);
    upkeep(&place, NOW_MS, RETENTION_MS);
    assert_true(is_there(&place, open));
    assert_true(is_there(&place, beside));
    end(&place, open, NOW_MS);
    upkeep(&place, NOW_MS + DAY_MS, RETENTION_MS); /* it ended yesterday */
    assert_true(is_there(&place, open));
    upkeep(&place, NOW_MS + 29 * DAY_MS, RETENTION_MS);
    assert_true(is_there(&place, open));
    upkeep(&place, NOW_MS + 31 * DAY_MS, RETENTION_MS);
    assert_false(is_there(&place, open));
    assert_int_equal(count(&place, "events"), 0);
}

TEST(what_has_ids_without_a_day_goes_when_all_of_it_is_old) {
    AUTO_PLACE place = {0};
    place_open(&place);
    const struct orc_row_created created = {
        .id = "first", .tenant = "acme", .idempotency_key = "k", .request = "", .created_at_ms = 5, .wake_at_ms = 6};
    const struct orc_commit commit = {.created = &created, .created_count = 1};
    bool duplicate = false;
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place.store, &commit, &duplicate, &err), &err);
    upkeep(&place, NOW_MS, RETENTION_MS);
    assert_int_equal(count(&place, "undated"), 1);
    end(&place, "first", NOW_MS);
    upkeep(&place, NOW_MS + 31 * DAY_MS, RETENTION_MS);
    assert_int_equal(count(&place, "undated"), 0);
    assert_int_equal(count(&place, "events"), 0);
    assert_int_equal(count(&place, "keys"), 0);
    assert_ok(orc_store_commit(place.store, &commit, &duplicate, &err), &err); /* the partition itself stays */
}

TEST(retries_are_known_across_partitions_until_they_go) {
    AUTO_PLACE place = {0};
    place_open(&place);
    const char *failed = create(&place, NOW_MS - 35 * DAY_MS, "");
    const char *first = create_again(&place, NOW_MS - 34 * DAY_MS, "", failed);
    const char *second = create_again(&place, NOW_MS, "again", failed);
    struct orc_stored *item = NULL;
    struct cs_err err = {0};
    assert_ok(orc_store_get(place.store, "acme", failed, place.arena, &item, &err), &err);
    assert_string_equal(item->successors, cs_arena_sprintf(place.arena, "%s,%s", first, second));
    end(&place, first, NOW_MS - 34 * DAY_MS);
    upkeep(&place, NOW_MS, RETENTION_MS);
    assert_ok(orc_store_get(place.store, "acme", failed, place.arena, &item, &err), &err);
    assert_string_equal(item->successors, second);
}

static void put_run(struct place *place, const char *base, const char *client, int64_t ended_at_ms) {
    CS_AUTO_PG_PARAMS params = {0};
    struct cs_err err = {0};
    cs_pg_put_text(&params, base);
    cs_pg_put_text(&params, client);
    cs_pg_put_i64(&params, ended_at_ms);
    assert_ok(cs_pg_exec(place->pg, &run_put, &params, NULL, &err), &err);
}

TEST(tracked_runs_that_ended_long_ago_go_and_a_base_with_its_clients) {
    AUTO_PLACE place = {0};
    place_open(&place);
    put_run(&place, "251125-093000", "", NOW_MS - 40 * DAY_MS);
    put_run(&place, "251125-093000", "east", NOW_MS - 39 * DAY_MS);
    put_run(&place, "251126-093000", "", NOW_MS - 40 * DAY_MS); /* its client ended late */
    put_run(&place, "251126-093000", "east", NOW_MS - 2 * DAY_MS);
    put_run(&place, "251127-093000", "", NOW_MS - 40 * DAY_MS); /* its client runs */
    put_run(&place, "251127-093000", "west", 0);
    upkeep(&place, NOW_MS, 0);
    assert_int_equal(count(&place, "runs"), 6);
    upkeep(&place, NOW_MS, RETENTION_MS);
    assert_int_equal(count(&place, "runs"), 4);
    upkeep(&place, NOW_MS + 40 * DAY_MS, RETENTION_MS);
    assert_int_equal(count(&place, "runs"), 2);
}

/* ---- nobody waits ---- */

static void *read_for_long(void *arg) {
    struct cs_pg *pg = arg;
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    return cs_pg_one(pg, &read_long, NULL, &rows, &err) == CS_OK ? arg : NULL;
}

static bool somebody_waits(void *ctx) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_one(ctx, &readers_waiting, NULL, &rows, &err), &err);
    return cs_pg_i64(rows, "waiting") > 0;
}

TEST(a_drop_gives_up_soon_behind_a_long_reader_and_commits_go_on) {
    AUTO_PLACE place = {0};
    place_open(&place);
    const char *old = create(&place, NOW_MS - 40 * DAY_MS, "nightly");
    end(&place, old, NOW_MS - 40 * DAY_MS);
    CS_AUTO(cs_pg) *reader = NULL;
    CS_AUTO(cs_pg_rows) *held = NULL;
    CS_AUTO(cs_pg_rows) *freed = NULL;
    pthread_t thread;
    void *read_well = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_open(place.db.url, NULL, &reader, &err), &err);
    assert_ok(cs_pg_one(place.pg, &lock_hold, NULL, &held, &err), &err);
    assert_int_equal(pthread_create(&thread, NULL, read_for_long, reader), 0);
    cs_test_await(somebody_waits, place.pg, "a reader that holds the log");

    assert_fails(orc_upkeep_run(place.store, NOW_MS, RETENTION_MS, &err), &err, CS_ABORTED, "lock_timeout");
    assert_true(err.retryable);
    const char *new = create(&place, NOW_MS, ""); /* also into a partition that is made now */
    end(&place, new, NOW_MS);
    assert_true(is_there(&place, new));

    assert_ok(cs_pg_one(place.pg, &lock_let_go, NULL, &freed, &err), &err);
    assert_int_equal(pthread_join(thread, &read_well), 0);
    assert_non_null(read_well);
    upkeep(&place, NOW_MS, RETENTION_MS);
    assert_false(is_there(&place, old));
}

TEST(prepared_statements_go_on_when_partitions_come_and_go) {
    AUTO_PLACE place = {0};
    place_open(&place);
    for (int i = 0; i < 12; i++) { /* more often than the planner tries plans for certain values */
        int64_t at_ms = NOW_MS + i * 40 * DAY_MS;
        const char *id = create(&place, at_ms, "");
        end(&place, id, at_ms);
        upkeep(&place, at_ms, RETENTION_MS);
        assert_true(is_there(&place, id));
        assert_int_equal(count(&place, "executions"), 1);
    }
}

struct reads {
    struct place *place;
    const char *id;
    int64_t updated;
    int64_t read;
};

/* One more commit; the server counts with a delay. */
static bool has_counted(void *ctx) {
    struct reads *reads = ctx;
    const struct orc_row_head head = {
        .id = reads->id, .state = ORC_EXECUTION_PROCESSING, .open = true, .wake_at_ms = 5};
    const struct orc_commit commit = {.heads = &head, .head_count = 1};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(orc_store_commit(reads->place->store, &commit, NULL, &err), &err);
    assert_ok(cs_pg_one(reads->place->pg, &log_reads, NULL, &rows, &err), &err);
    reads->updated = cs_pg_i64(rows, "updated");
    reads->read = cs_pg_i64(rows, "read");
    return reads->updated >= 20;
}

TEST(a_commit_reads_the_rows_that_it_changes_also_when_the_planner_thinks_there_are_none) {
    enum { EXECUTIONS = 2000 };
    AUTO_PLACE place = {0};
    place_open(&place);
    upkeep(&place, NOW_MS, RETENTION_MS);
    struct orc_row_created *created = cs_arena_array(place.arena, EXECUTIONS, sizeof(*created));
    bool *duplicates = cs_arena_array(place.arena, EXECUTIONS, sizeof(*duplicates));
    for (size_t i = 0; i < EXECUTIONS; i++) {
        char *id = cs_arena_alloc(place.arena, CS_ID_SIZE);
        cs_id_make(id);
        orc_execution_id_date(id, NOW_MS);
        created[i] = (struct orc_row_created){
            .id = id, .tenant = "acme", .request = "", .created_at_ms = NOW_MS, .wake_at_ms = NOW_MS};
    }
    struct orc_commit commit = {.created = created, .created_count = 1};
    struct cs_err err = {0};
    assert_ok(cs_pg_exec(place.pg, &log_analyze, NULL, NULL, &err), &err);
    assert_ok(orc_store_commit(place.store, &commit, duplicates, &err), &err);
    struct reads reads = {.place = &place, .id = created[0].id};
    (void)has_counted(&reads); /* the plan is made while there is nothing */
    commit = (struct orc_commit){.created = created + 1, .created_count = EXECUTIONS - 1};
    assert_ok(orc_store_commit(place.store, &commit, duplicates, &err), &err);
    cs_test_await(has_counted, &reads, "statistics of the server");
    assert_true(reads.read <= 10 * reads.updated);
}

/* ---- versions ---- */

TEST(a_program_that_does_not_know_the_events_does_not_start_and_takes_nothing_over) {
    AUTO_PLACE place = {0};
    place_open(&place);
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(orc_store) *dead = NULL;
    int64_t epoch = 0;
    struct cs_err err = {0};
    assert_ok(orc_store_open(place.db.url, &dead, &err), &err);
    assert_ok(orc_store_join(dead, "dead", 1000, &epoch, &err), &err);
    assert_ok(orc_store_release(dead, NULL, &err), &err);
    cs_pg_put_i32(&params, ORC_LOG_VERSION + 1);
    assert_ok(cs_pg_exec(place.pg, &log_version_set, &params, NULL, &err), &err);
    assert_fails(orc_store_migrate(place.db.url, &err), &err, CS_FAILED_PRECONDITION, "log_newer");
    assert_ok(orc_store_fence(place.store, "dead", &epoch, &err), &err);
    assert_int_equal(epoch, 0);
    cs_pg_params_clear(&params);
    cs_pg_put_i32(&params, ORC_LOG_VERSION);
    assert_ok(cs_pg_exec(place.pg, &log_version_set, &params, NULL, &err), &err);
    assert_ok(orc_store_migrate(place.db.url, &err), &err);
    assert_ok(orc_store_fence(place.store, "dead", &epoch, &err), &err);
    assert_true(epoch > 0);
}

TEST_MAIN(CS_TEST(the_database_reads_the_day_of_an_id_as_the_program_does),
          CS_TEST(partitions_are_there_before_their_days_are),
          CS_TEST(a_commit_makes_the_partition_that_nobody_has_made),
          CS_TEST(what_ended_long_ago_goes_with_its_events_and_its_key),
          CS_TEST(an_open_execution_keeps_its_partition_until_it_ended_long_ago),
          CS_TEST(what_has_ids_without_a_day_goes_when_all_of_it_is_old),
          CS_TEST(retries_are_known_across_partitions_until_they_go),
          CS_TEST(tracked_runs_that_ended_long_ago_go_and_a_base_with_its_clients),
          CS_TEST(a_drop_gives_up_soon_behind_a_long_reader_and_commits_go_on),
          CS_TEST(prepared_statements_go_on_when_partitions_come_and_go),
          CS_TEST(a_commit_reads_the_rows_that_it_changes_also_when_the_planner_thinks_there_are_none),
          CS_TEST(a_program_that_does_not_know_the_events_does_not_start_and_takes_nothing_over))
