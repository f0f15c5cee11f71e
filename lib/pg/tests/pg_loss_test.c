/* What happens to calls when the server, the connection or our patience ends. */
#include <pthread.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/test.h"
#include "pg_schema.h"
#include "pg_test_sql.h"

static const struct cs_pg_statement item_insert =
    CS_PG_STATEMENT(item_insert, "int8 text bytea bool float8 text[] int8[] bytea[]", "");
static const struct cs_pg_statement item_count = CS_PG_STATEMENT(item_count, "", "n:int8");
static const struct cs_pg_statement sleep_for = CS_PG_STATEMENT(sleep_for, "float8", "value:text");
static const struct cs_pg_statement slow_commit = CS_PG_STATEMENT(slow_commit, "float8", "");
static const struct cs_pg_statement timeout_show = CS_PG_STATEMENT(timeout_show, "", "value:text");
static const struct cs_pg_statement kill_sleeper = {"kill_sleeper",
                                                    "select count(pg_terminate_backend(pid)) as n from pg_stat_activity"
                                                    " where datname = current_database() and wait_event = 'PgSleep'",
                                                    "", "n:int8"};
static const struct cs_pg_statement ping = {"ping", "select 1 as n", "", "n:int4"};

struct helper {
    const char *url;
    struct cs_pg *victim; /* to interrupt; NULL: terminate its backend */
    pthread_t thread;
    bool done;
};

static bool sleeper_found(struct cs_pg *pg, const struct cs_pg_statement *statement) {
    struct cs_err err = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    return cs_pg_one(pg, statement, NULL, &rows, &err) == CS_OK && cs_pg_i64(rows, "n") > 0;
}

/* As soon as somebody sleeps in the database, ends him. */
static void *end_sleeper(void *ctx) {
    static const struct cs_pg_statement count_sleepers = {
        "count_sleepers",
        "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'", "",
        "n:int8"};
    struct helper *helper = ctx;
    struct cs_err err = {0};
    CS_AUTO(cs_pg) *pg = NULL;
    if (cs_pg_open(helper->url, NULL, &pg, &err) != CS_OK) {
        return NULL;
    }
    int64_t deadline_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;
    while (!helper->done && cs_clock_mono_ms() < deadline_ms) {
        helper->done = sleeper_found(pg, helper->victim != NULL ? &count_sleepers : &kill_sleeper);
    }
    if (helper->victim != NULL) {
        cs_pg_interrupt(helper->victim);
    }
    return NULL;
}

static void start(struct helper *helper) {
    assert_int_equal(pthread_create(&helper->thread, NULL, end_sleeper, helper), 0);
}

static void finish(struct helper *helper) {
    assert_int_equal(pthread_join(helper->thread, NULL), 0);
    assert_true(helper->done);
}

static void put_seconds(struct cs_pg_params *params, double seconds) {
    cs_pg_params_clear(params);
    cs_pg_put_f64(params, seconds);
}

static void add_item(struct cs_pg_batch *batch, int64_t id) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_i64(&params, id);
    for (int i = 0; i < 7; i++) {
        cs_pg_put_null(&params);
    }
    (void)cs_pg_batch_add(batch, &item_insert, &params);
}

static int64_t count_items(struct cs_pg *pg) {
    struct cs_err err = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    assert_ok(cs_pg_one(pg, &item_count, NULL, &rows, &err), &err);
    return cs_pg_i64(rows, "n");
}

TEST(reader_that_loses_its_connection_may_ask_again) {
    CS_AUTO_TEST_DB db = {0};
    cs_test_db_create(&db, &pg_schema);
    struct cs_err err = {0};
    CS_AUTO(cs_pg) *pg = NULL;
    CS_AUTO_PG_PARAMS params = {0};
    struct cs_pg_rows *rows = NULL;
    struct helper helper = {.url = db.url};
    assert_ok(cs_pg_open(db.url, NULL, &pg, &err), &err);
    put_seconds(&params, 60);
    start(&helper);
    assert_fails(cs_pg_one(pg, &sleep_for, &params, &rows, &err), &err, CS_UNAVAILABLE, "connection_lost");
    assert_true(err.retryable);
    finish(&helper);
    put_seconds(&params, 0);
    assert_ok(cs_pg_one(pg, &sleep_for, &params, &rows, &err), &err);
    cs_pg_rows_destroy(rows);
}

TEST(batch_lost_before_its_commit_has_written_nothing) {
    CS_AUTO_TEST_DB db = {0};
    cs_test_db_create(&db, &pg_schema);
    struct cs_err err = {0};
    CS_AUTO(cs_pg) *pg = NULL;
    CS_AUTO_PG_PARAMS params = {0};
    struct helper helper = {.url = db.url};
    assert_ok(cs_pg_open(db.url, NULL, &pg, &err), &err);
    CS_AUTO(cs_pg_batch) *batch = cs_pg_batch_create(pg);
    add_item(batch, 1);
    put_seconds(&params, 60);
    (void)cs_pg_batch_add(batch, &sleep_for, &params);
    start(&helper);
    assert_fails(cs_pg_batch_commit(batch, &err), &err, CS_UNAVAILABLE, "connection_lost");
    finish(&helper);
    assert_int_equal(count_items(pg), 0);
}

TEST(batch_lost_in_its_commit_is_in_doubt) {
    CS_AUTO_TEST_DB db = {0};
    cs_test_db_create(&db, &pg_schema);
    struct cs_err err = {0};
    CS_AUTO(cs_pg) *pg = NULL;
    CS_AUTO_PG_PARAMS params = {0};
    struct helper helper = {.url = db.url};
    assert_ok(cs_pg_open(db.url, NULL, &pg, &err), &err);
    CS_AUTO(cs_pg_batch) *batch = cs_pg_batch_create(pg);
    add_item(batch, 1);
    put_seconds(&params, 60);
    (void)cs_pg_batch_add(batch, &slow_commit, &params);
    start(&helper);
    assert_fails(cs_pg_batch_commit(batch, &err), &err, CS_UNKNOWN, "commit_in_doubt");
    assert_false(err.retryable);
    finish(&helper);
    assert_int_equal(count_items(pg), 0); /* this time it was not */
}

TEST(interrupt_ends_the_call_and_all_later_ones) {
    CS_AUTO_TEST_DB db = {0};
    cs_test_db_create(&db, &pg_schema);
    struct cs_err err = {0};
    CS_AUTO(cs_pg) *pg = NULL;
    CS_AUTO_PG_PARAMS params = {0};
    struct cs_pg_rows *rows = NULL;
    assert_ok(cs_pg_open(db.url, NULL, &pg, &err), &err);
    struct helper helper = {.url = db.url, .victim = pg};
    put_seconds(&params, 60);
    start(&helper);
    assert_fails(cs_pg_one(pg, &sleep_for, &params, &rows, &err), &err, CS_CANCELLED, "interrupted");
    finish(&helper);
    assert_fails(cs_pg_one(pg, &ping, NULL, &rows, &err), &err, CS_CANCELLED, "interrupted");
}

static void assert_timeout_is(struct cs_pg *pg, const char *want) {
    struct cs_err err = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    assert_ok(cs_pg_one(pg, &timeout_show, NULL, &rows, &err), &err);
    assert_string_equal(cs_pg_text(rows, "value"), want);
}

TEST(timeout_ends_a_statement_and_not_the_session) {
    CS_AUTO_TEST_DB db = {0};
    cs_test_db_create(&db, &pg_schema);
    struct cs_err err = {0};
    CS_AUTO(cs_pg) *pg = NULL;
    CS_AUTO_PG_PARAMS params = {0};
    struct cs_pg_rows *rows = NULL;
    assert_ok(cs_pg_open(db.url, &(struct cs_pg_options){.statement_timeout_ms = 20000}, &pg, &err), &err);
    assert_timeout_is(pg, "20s");
    cs_pg_set_timeout(pg, 50);
    put_seconds(&params, 60);
    assert_fails(cs_pg_one(pg, &sleep_for, &params, &rows, &err), &err, CS_DEADLINE_EXCEEDED, "timeout");
    CS_AUTO(cs_pg_batch) *batch = cs_pg_batch_create(pg);
    add_item(batch, 1);
    (void)cs_pg_batch_add(batch, &sleep_for, &params);
    assert_fails(cs_pg_batch_commit(batch, &err), &err, CS_DEADLINE_EXCEEDED, "timeout");
    assert_timeout_is(pg, "50ms"); /* also after a rollback that took the setting back */
    cs_pg_set_timeout(pg, 0);
    assert_timeout_is(pg, "20s");
    assert_int_equal(count_items(pg), 0);
}

TEST(restart_of_the_server_while_idle_is_not_noticed) {
    CS_AUTO_TEST_POSTGRES postgres = {0};
    cs_test_postgres_start(&postgres, false);
    struct cs_err err = {0};
    CS_AUTO(cs_pg) *pg = NULL;
    assert_ok(cs_pg_open(postgres.url, NULL, &pg, &err), &err);
    CS_AUTO(cs_pg_batch) *batch = cs_pg_batch_create(pg);
    (void)cs_pg_batch_add(batch, &ping, NULL);
    for (int i = 0; i < 2; i++) {
        assert_ok(cs_pg_batch_commit(batch, &err), &err);
        cs_test_postgres_restart(&postgres);
    }
    assert_ok(cs_pg_batch_commit(batch, &err), &err);
}

TEST(server_that_is_down_is_found_again_when_it_is_back) {
    CS_AUTO_TEST_POSTGRES postgres = {0};
    cs_test_postgres_start(&postgres, true);
    struct cs_err err = {0};
    CS_AUTO(cs_pg) *pg = NULL;
    struct cs_pg_rows *rows = NULL;
    assert_ok(cs_pg_open_lazy(postgres.url, NULL, &pg, &err), &err);
    cs_test_postgres_kill(&postgres);
    int64_t began_ms = cs_clock_mono_ms();
    for (int i = 0; i < 3; i++) {
        assert_fails(cs_pg_one(pg, &ping, NULL, &rows, &err), &err, CS_UNAVAILABLE, "connect_failed");
        assert_true(err.retryable);
    }
    assert_true(cs_clock_mono_ms() - began_ms >= 150); /* 0 + 50 + 100 ms of backoff */
    cs_test_postgres_restart(&postgres);
    assert_ok(cs_pg_one(pg, &ping, NULL, &rows, &err), &err);
    cs_pg_rows_destroy(rows);
}

TEST_MAIN(CS_TEST(reader_that_loses_its_connection_may_ask_again),
          CS_TEST(batch_lost_before_its_commit_has_written_nothing), CS_TEST(batch_lost_in_its_commit_is_in_doubt),
          CS_TEST(interrupt_ends_the_call_and_all_later_ones), CS_TEST(timeout_ends_a_statement_and_not_the_session),
          CS_TEST(restart_of_the_server_while_idle_is_not_noticed),
          CS_TEST(server_that_is_down_is_found_again_when_it_is_back))
