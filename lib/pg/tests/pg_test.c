#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/test.h"
#include "migrations_table.h"
#include "pg_schema.h"
#include "pg_test_sql.h"

static const struct cs_pg_statement item_insert =
    CS_PG_STATEMENT(item_insert, "int8 text bytea bool float8 text[] int8[] bytea[]", "");
static const struct cs_pg_statement item_find =
    CS_PG_STATEMENT(item_find, "int8",
                    "id:int8 label:text body:bytea good:bool weight:float8 tags:text[] numbers:int8[] blobs:bytea[] "
                    "small:int4 doc:jsonb");
static const struct cs_pg_statement item_ids = CS_PG_STATEMENT(item_ids, "", "id:int8");
static const struct cs_pg_statement items_insert = CS_PG_STATEMENT(items_insert, "int8[] text[] bytea[] int4[]", "");
static const struct cs_pg_statement item_count = CS_PG_STATEMENT(item_count, "", "n:int8");
static const struct cs_pg_statement item_delete = CS_PG_STATEMENT(item_delete, "int8[]", "");
static const struct cs_pg_statement fence_check = CS_PG_STATEMENT(fence_check, "int8", "ok:bool");
static const struct cs_pg_statement divide = CS_PG_STATEMENT(divide, "int4", "n:int4");
static const struct cs_pg_statement cast_text = CS_PG_STATEMENT(cast_text, "text", "n:int4");
static const struct cs_pg_statement wrong_columns = CS_PG_STATEMENT(wrong_columns, "", "a:int8 b:int8");
static const struct cs_pg_statement syntax_error = CS_PG_STATEMENT(syntax_error, "", "");
static const struct cs_pg_statement parent_insert = CS_PG_STATEMENT(parent_insert, "int8", "");
static const struct cs_pg_statement table_alter = CS_PG_STATEMENT(table_alter, "", "");
static const struct cs_pg_statement item_star =
    CS_PG_STATEMENT(item_star, "",
                    "id:int8 label:text body:bytea good:bool weight:float8 tags:text[] numbers:int8[] blobs:bytea[] "
                    "small:int4 doc:jsonb");

struct fixture {
    struct cs_test_db db;
    struct cs_pg *pg;
};

static int setup(void **state) {
    struct fixture *fixture = cs_alloc(sizeof(*fixture));
    struct cs_err err = {0};
    cs_test_db_create(&fixture->db, &pg_schema);
    assert_ok(cs_pg_open(fixture->db.url, NULL, &fixture->pg, &err), &err);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    cs_pg_close(fixture->pg);
    cs_test_db_drop(&fixture->db);
    free(fixture);
    return 0;
}

static struct cs_pg *session(void **state) {
    return ((struct fixture *)*state)->pg;
}

static int64_t count_items(struct cs_pg *pg) {
    struct cs_err err = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    assert_ok(cs_pg_one(pg, &item_count, NULL, &rows, &err), &err);
    return cs_pg_i64(rows, "n");
}

static void put_item(struct cs_pg_params *params, int64_t id, const char *label) {
    cs_pg_params_clear(params);
    cs_pg_put_i64(params, id);
    cs_pg_put_text(params, label);
    for (int i = 0; i < 6; i++) {
        cs_pg_put_null(params);
    }
}

static void insert_item(struct cs_pg *pg, int64_t id, const char *label) {
    struct cs_err err = {0};
    CS_AUTO_PG_PARAMS params = {0};
    put_item(&params, id, label);
    assert_ok(cs_pg_exec(pg, &item_insert, &params, NULL, &err), &err);
}

/* ---- values ---- */

static void put_full_item(struct cs_pg_params *params) {
    static const char *const tags[] = {"a", "", NULL, "ü\"{},"};
    static const int64_t numbers[] = {INT64_MIN, -1, 0, INT64_MAX};
    CS_AUTO_PG_ARRAY blobs = {.type = CS_PG_BYTEA};
    cs_pg_add_bytes(&blobs, "\0\1", 2);
    cs_pg_add_null(&blobs);
    cs_pg_add_bytes(&blobs, "", 0);
    cs_pg_put_i64(params, INT64_MAX);
    cs_pg_put_text(params, "Grüße");
    cs_pg_put_bytes(params, "a\0b", 3);
    cs_pg_put_bool(params, true);
    cs_pg_put_f64(params, -0.1);
    cs_pg_put_texts(params, tags, CS_COUNT(tags));
    cs_pg_put_i64s(params, numbers, CS_COUNT(numbers));
    cs_pg_put_array(params, &blobs);
}

TEST(values_of_every_type_come_back_as_they_went) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    CS_AUTO_PG_PARAMS params = {0};
    put_full_item(&params);
    int64_t affected = 0;
    assert_ok(cs_pg_exec(pg, &item_insert, &params, &affected, &err), &err);
    assert_int_equal(affected, 1);

    cs_pg_params_clear(&params);
    cs_pg_put_i64(&params, INT64_MAX);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    assert_ok(cs_pg_one(pg, &item_find, &params, &rows, &err), &err);
    assert_true(cs_pg_i64(rows, "id") == INT64_MAX);
    assert_string_equal(cs_pg_text(rows, "label"), "Grüße");
    size_t size = 0;
    assert_memory_equal(cs_pg_bytes(rows, "body", &size), "a\0b", 3);
    assert_int_equal(size, 3);
    assert_true(cs_pg_bool(rows, "good"));
    assert_true(cs_pg_f64(rows, "weight") == -0.1);
    assert_string_equal(cs_pg_text(rows, "doc"), "{\"a\": 1}");
    assert_true(cs_pg_is_null(rows, "small"));
    assert_int_equal(cs_pg_i64(rows, "small"), 0);
}

TEST(arrays_keep_nulls_and_empty_elements) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    CS_AUTO_PG_PARAMS params = {0};
    put_full_item(&params);
    assert_ok(cs_pg_exec(pg, &item_insert, &params, NULL, &err), &err);
    cs_pg_params_clear(&params);
    cs_pg_put_i64(&params, INT64_MAX);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    assert_ok(cs_pg_one(pg, &item_find, &params, &rows, &err), &err);

    size_t count = 0;
    const char *const *tags = cs_pg_texts(rows, "tags", arena, &count);
    assert_int_equal(count, 4);
    assert_string_equal(tags[0], "a");
    assert_string_equal(tags[1], "");
    assert_null(tags[2]);
    assert_string_equal(tags[3], "ü\"{},");
    const int64_t *numbers = cs_pg_i64s(rows, "numbers", arena, &count);
    assert_int_equal(count, 4);
    assert_true(numbers[0] == INT64_MIN && numbers[1] == -1 && numbers[3] == INT64_MAX);
    const struct cs_pg_blob *blobs = cs_pg_blobs(rows, "blobs", arena, &count);
    assert_int_equal(count, 3);
    assert_memory_equal(blobs[0].bytes, "\0\1", 2);
    assert_null(blobs[1].bytes);
    assert_non_null(blobs[2].bytes);
    assert_int_equal(blobs[2].size_bytes, 0);
}

TEST(nulls_and_empty_arrays_are_told_apart) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_i64(&params, 1);
    cs_pg_put_text(&params, NULL);
    cs_pg_put_bytes(&params, NULL, 0);
    cs_pg_put_null(&params);
    cs_pg_put_null(&params);
    cs_pg_put_texts(&params, NULL, 0);
    cs_pg_put_null(&params);
    cs_pg_put_null(&params);
    assert_ok(cs_pg_exec(pg, &item_insert, &params, NULL, &err), &err);
    cs_pg_params_clear(&params);
    cs_pg_put_i64(&params, 1);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    assert_ok(cs_pg_one(pg, &item_find, &params, &rows, &err), &err);
    size_t count = 9;
    assert_true(cs_pg_is_null(rows, "label") && cs_pg_is_null(rows, "body") && cs_pg_is_null(rows, "numbers"));
    assert_false(cs_pg_is_null(rows, "tags"));
    (void)cs_pg_texts(rows, "tags", arena, &count);
    assert_int_equal(count, 0);
    (void)cs_pg_i64s(rows, "numbers", arena, &count);
    assert_int_equal(count, 0);
    assert_string_equal(cs_pg_text(rows, "label"), "");
}

static void put_columns(struct cs_pg_params *params, int64_t first, int64_t count) {
    CS_AUTO_PG_ARRAY ids = {.type = CS_PG_INT8};
    CS_AUTO_PG_ARRAY labels = {.type = CS_PG_TEXT};
    CS_AUTO_PG_ARRAY bodies = {.type = CS_PG_BYTEA};
    CS_AUTO_PG_ARRAY smalls = {.type = CS_PG_INT4};
    for (int64_t i = 0; i < count; i++) {
        char label[32];
        (void)snprintf(label, sizeof(label), "item %lld", (long long)(first + i));
        cs_pg_add_i64(&ids, first + i);
        cs_pg_add_text(&labels, label);
        cs_pg_add_bytes(&bodies, "body", 4);
        cs_pg_add_i64(&smalls, -i);
    }
    cs_pg_put_array(params, &ids);
    cs_pg_put_array(params, &labels);
    cs_pg_put_array(params, &bodies);
    cs_pg_put_array(params, &smalls);
}

TEST(one_statement_writes_a_hundred_thousand_rows) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    CS_AUTO_PG_PARAMS params = {0};
    int64_t affected = 0;
    put_columns(&params, 1, 100000);
    assert_ok(cs_pg_exec(pg, &items_insert, &params, &affected, &err), &err);
    assert_int_equal(affected, 100000);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    assert_ok(cs_pg_many(pg, &item_ids, NULL, &rows, &err), &err);
    int64_t sum = 0;
    while (cs_pg_next(rows)) {
        sum += cs_pg_i64(rows, "id");
    }
    assert_true(sum == INT64_C(100000) * 100001 / 2);
}

/* ---- verbs ---- */

TEST(one_maybe_and_many_say_what_they_found) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_i64(&params, 404);
    struct cs_pg_rows *rows = NULL;
    assert_ok(cs_pg_maybe(pg, &item_find, &params, &rows, &err), &err);
    assert_null(rows);
    assert_fails(cs_pg_one(pg, &item_find, &params, &rows, &err), &err, CS_NOT_FOUND, "no_row");
    insert_item(pg, 1, "one");
    insert_item(pg, 2, "two");
    assert_fails(cs_pg_one(pg, &item_ids, NULL, &rows, &err), &err, CS_INTERNAL, "too_many_rows");
    assert_ok(cs_pg_many(pg, &item_ids, NULL, &rows, &err), &err);
    assert_int_equal(cs_pg_count(rows), 2);
    cs_pg_rows_destroy(rows);
}

TEST(violations_have_their_own_words) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    CS_AUTO_PG_PARAMS params = {0};
    insert_item(pg, 1, "secret label");
    put_item(&params, 2, "secret label");
    assert_fails(cs_pg_exec(pg, &item_insert, &params, NULL, &err), &err, CS_ALREADY_EXISTS, "unique_violation");
    assert_false(err.retryable);
    assert_non_null(strstr(err.message, "item_label_key"));
    assert_null(strstr(err.message, "secret"));

    char long_label[201];
    memset(long_label, 'x', 200);
    long_label[200] = '\0';
    put_item(&params, 3, long_label);
    assert_fails(cs_pg_exec(pg, &item_insert, &params, NULL, &err), &err, CS_FAILED_PRECONDITION, "check_violation");

    cs_pg_params_clear(&params);
    cs_pg_put_i64(&params, 404);
    assert_fails(cs_pg_exec(pg, &parent_insert, &params, NULL, &err), &err, CS_FAILED_PRECONDITION,
                 "foreign_key_violation");
    cs_pg_params_clear(&params);
    cs_pg_put_null(&params);
    assert_fails(cs_pg_exec(pg, &parent_insert, &params, NULL, &err), &err, CS_FAILED_PRECONDITION,
                 "not_null_violation");
    assert_int_equal(count_items(pg), 1);
}

TEST(what_fails_only_at_the_commit_is_told) {
    static const struct cs_pg_statement late_create = {
        "late_create", "create table late (id int8 primary key deferrable initially deferred)", "", ""};
    static const struct cs_pg_statement late_insert = {"late_insert", "insert into late values ($1), ($1)", "int8", ""};
    static const struct cs_pg_statement late_count = {"late_count", "select count(*) as n from late", "", "n:int8"};
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    cs_pg_put_i64(&params, 1);
    assert_ok(cs_pg_exec(pg, &late_create, NULL, NULL, &err), &err);
    assert_fails(cs_pg_exec(pg, &late_insert, &params, NULL, &err), &err, CS_ALREADY_EXISTS, "unique_violation");
    assert_ok(cs_pg_one(pg, &late_count, NULL, &rows, &err), &err); /* on the same connection */
    assert_int_equal(cs_pg_i64(rows, "n"), 0);
}

TEST(bad_values_are_not_repeated_in_messages) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    struct cs_pg_rows *rows = NULL;
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, "hunter2");
    assert_fails(cs_pg_one(pg, &cast_text, &params, &rows, &err), &err, CS_INVALID_ARGUMENT, "bad_value");
    assert_null(strstr(err.message, "hunter2"));
    assert_non_null(strstr(err.message, "cast_text"));
    cs_pg_params_clear(&params);
    cs_pg_put_i32(&params, 0);
    assert_fails(cs_pg_one(pg, &divide, &params, &rows, &err), &err, CS_INVALID_ARGUMENT, "bad_value");
    cs_pg_params_clear(&params);
    cs_pg_put_text(&params, "\xFF"); /* not UTF-8 */
    assert_fails(cs_pg_one(pg, &cast_text, &params, &rows, &err), &err, CS_INVALID_ARGUMENT, "bad_value");
}

TEST(statement_and_declaration_are_compared) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    struct cs_pg_rows *rows = NULL;
    assert_fails(cs_pg_many(pg, &wrong_columns, NULL, &rows, &err), &err, CS_INTERNAL, "bad_statement");
    assert_non_null(strstr(err.message, "column 2"));
    assert_fails(cs_pg_exec(pg, &syntax_error, NULL, NULL, &err), &err, CS_INTERNAL, "bad_statement");
    static const struct cs_pg_statement bad_type = {"bad_type", "select 1", "integer", ""};
    static const struct cs_pg_statement too_few = {"too_few", "select $1::int8 as a, $2::int8 as b", "int8",
                                                   "a:int8 b:int8"};
    assert_fails(cs_pg_exec(pg, &bad_type, NULL, NULL, &err), &err, CS_INTERNAL, "bad_statement");
    assert_fails(cs_pg_many(pg, &too_few, NULL, &rows, &err), &err, CS_INTERNAL, "bad_statement");
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, "1");
    assert_fails(cs_pg_many(pg, &item_find, &params, &rows, &err), &err, CS_INTERNAL, "bad_statement");
    assert_fails(cs_pg_many(pg, &item_find, NULL, &rows, &err), &err, CS_INTERNAL, "bad_statement");
    assert_int_equal(count_items(pg), 0); /* the session goes on */
}

TEST(statement_of_an_altered_table_is_prepared_again) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    struct cs_pg_rows *rows = NULL;
    assert_ok(cs_pg_many(pg, &item_star, NULL, &rows, &err), &err);
    cs_pg_rows_destroy(rows);
    assert_ok(cs_pg_exec(pg, &table_alter, NULL, NULL, &err), &err);
    assert_fails(cs_pg_many(pg, &item_star, NULL, &rows, &err), &err, CS_ABORTED, "statement_changed");
    assert_true(err.retryable);
    assert_fails(cs_pg_many(pg, &item_star, NULL, &rows, &err), &err, CS_INTERNAL, "bad_statement");
}

/* ---- batches ---- */

TEST(batch_runs_in_order_and_gives_rows_and_counts) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    CS_AUTO(cs_pg_batch) *batch = cs_pg_batch_create(pg);
    assert_ok(cs_pg_batch_commit(batch, &err), &err);
    CS_AUTO_PG_PARAMS params = {0};
    for (int round = 0; round < 3; round++) {
        cs_pg_batch_clear(batch);
        cs_pg_params_clear(&params);
        put_columns(&params, 1 + round * 10, 10);
        size_t insert = cs_pg_batch_add(batch, &items_insert, &params);
        size_t count = cs_pg_batch_add(batch, &item_count, NULL);
        int64_t last = round * 10 + 10;
        cs_pg_params_clear(&params);
        cs_pg_put_i64s(&params, &last, 1);
        size_t delete = cs_pg_batch_add(batch, &item_delete, &params);
        assert_ok(cs_pg_batch_commit(batch, &err), &err);
        assert_int_equal(cs_pg_batch_affected(batch, insert), 10);
        assert_int_equal(cs_pg_batch_affected(batch, delete), 1);
        struct cs_pg_rows *rows = cs_pg_batch_rows(batch, count);
        assert_true(cs_pg_next(rows));
        assert_int_equal(cs_pg_i64(rows, "n"), round * 9 + 10);
    }
    assert_int_equal(count_items(pg), 27);
}

TEST(batch_fails_as_a_whole_with_the_first_error) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    insert_item(pg, 5, "five");
    CS_AUTO(cs_pg_batch) *batch = cs_pg_batch_create(pg);
    CS_AUTO_PG_PARAMS params = {0};
    put_item(&params, 4, "four");
    (void)cs_pg_batch_add(batch, &item_insert, &params);
    put_item(&params, 5, "five again");
    (void)cs_pg_batch_add(batch, &item_insert, &params);
    cs_pg_params_clear(&params);
    cs_pg_put_i64(&params, 404);
    (void)cs_pg_batch_add(batch, &parent_insert, &params); /* fails too, but later */
    assert_fails(cs_pg_batch_commit(batch, &err), &err, CS_ALREADY_EXISTS, "unique_violation");
    assert_int_equal(count_items(pg), 1);
    /* Committed again after the obstacle has gone. */
    int64_t five = 5;
    cs_pg_batch_clear(batch);
    cs_pg_params_clear(&params);
    cs_pg_put_i64s(&params, &five, 1);
    (void)cs_pg_batch_add(batch, &item_delete, &params);
    put_item(&params, 5, "five again");
    (void)cs_pg_batch_add(batch, &item_insert, &params);
    assert_ok(cs_pg_batch_commit(batch, &err), &err);
    assert_int_equal(count_items(pg), 1);
}

TEST(statement_stops_the_batch_with_a_word_of_its_own) {
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    CS_AUTO(cs_pg_batch) *batch = cs_pg_batch_create(pg);
    for (int64_t epoch = 6; epoch <= 7; epoch++) {
        CS_AUTO_PG_PARAMS params = {0};
        cs_pg_batch_clear(batch);
        cs_pg_put_i64(&params, epoch);
        (void)cs_pg_batch_add(batch, &fence_check, &params);
        put_item(&params, epoch, NULL);
        (void)cs_pg_batch_add(batch, &item_insert, &params);
        if (epoch == 7) {
            assert_ok(cs_pg_batch_commit(batch, &err), &err);
        } else {
            assert_fails(cs_pg_batch_commit(batch, &err), &err, CS_FAILED_PRECONDITION, "fenced");
            assert_false(err.retryable);
        }
    }
    assert_int_equal(count_items(pg), 1);
}

TEST(huge_batch_with_huge_answers_does_not_block) {
    static const struct cs_pg_statement echo = {"echo", "select $1::bytea as body", "bytea", "body:bytea"};
    enum { STATEMENTS = 100, BODY = 400000 };
    struct cs_pg *pg = session(cs_test_state);
    struct cs_err err = {0};
    CS_AUTO(cs_pg_batch) *batch = cs_pg_batch_create(pg);
    CS_AUTO_FREE char *body = cs_alloc(BODY);
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_bytes(&params, body, BODY);
    for (int i = 0; i < STATEMENTS; i++) {
        (void)cs_pg_batch_add(batch, &echo, &params);
    }
    assert_ok(cs_pg_batch_commit(batch, &err), &err);
    for (size_t i = 0; i < STATEMENTS; i++) {
        size_t size = 0;
        struct cs_pg_rows *rows = cs_pg_batch_rows(batch, i);
        assert_true(cs_pg_next(rows));
        (void)cs_pg_bytes(rows, "body", &size);
        assert_int_equal(size, BODY);
    }
}

TEST(more_new_statements_than_one_turn_prepares_are_fine) {
    enum { STATEMENTS = 70 };
    static char names[STATEMENTS][24];
    static struct cs_pg_statement statements[STATEMENTS];
    struct cs_err err = {0};
    CS_AUTO(cs_pg_batch) *batch = cs_pg_batch_create(session(cs_test_state));
    for (int i = 0; i < STATEMENTS; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "many_%d", i);
        statements[i] = (struct cs_pg_statement){names[i], "select 1 as n", "", "n:int4"};
        (void)cs_pg_batch_add(batch, &statements[i], NULL);
    }
    assert_ok(cs_pg_batch_commit(batch, &err), &err);
}

/* ---- migrations ---- */

TEST(migrations_run_once_and_in_order) {
    CS_AUTO_TEST_DB db = {0};
    struct cs_err err = {0};
    cs_test_db_create(&db, NULL);
    CS_AUTO(cs_pg) *pg = NULL;
    assert_ok(cs_pg_open(db.url, NULL, &pg, &err), &err);
    int applied = 0;
    assert_ok(cs_pg_migrate(pg, migrations, 1, &applied, &err), &err);
    assert_int_equal(applied, 1);
    assert_ok(cs_pg_migrate(pg, migrations, migration_count, &applied, &err), &err);
    assert_int_equal(applied, migration_count - 1);
    assert_ok(cs_pg_migrate(pg, migrations, migration_count, &applied, &err), &err);
    assert_int_equal(applied, 0);
    assert_fails(cs_pg_migrate(pg, migrations, 1, NULL, &err), &err, CS_FAILED_PRECONDITION, "database_newer");
    assert_int_equal(count_items(pg), 0);
}

TEST(changed_migration_is_refused) {
    CS_AUTO_TEST_DB db = {0};
    struct cs_err err = {0};
    cs_test_db_create(&db, NULL);
    CS_AUTO(cs_pg) *pg = NULL;
    assert_ok(cs_pg_open(db.url, NULL, &pg, &err), &err);
    struct cs_pg_migration list[] = {{1, "one", "create table one (id int8)"}};
    assert_ok(cs_pg_migrate(pg, list, 1, NULL, &err), &err);
    list[0].sql = "create table one (id int4)";
    assert_fails(cs_pg_migrate(pg, list, 1, NULL, &err), &err, CS_FAILED_PRECONDITION, "migration_changed");
}

TEST(failed_migration_leaves_nothing) {
    CS_AUTO_TEST_DB db = {0};
    struct cs_err err = {0};
    cs_test_db_create(&db, NULL);
    CS_AUTO(cs_pg) *pg = NULL;
    assert_ok(cs_pg_open(db.url, NULL, &pg, &err), &err);
    struct cs_pg_migration list[] = {{1, "one", "create table one (id int8)"},
                                     {2, "two", "create table two (id int8); select 1 from nowhere"}};
    assert_fails(cs_pg_migrate(pg, list, 2, NULL, &err), &err, CS_INTERNAL, "bad_statement");
    assert_non_null(strstr(err.message, "0002_two"));
    list[1].sql = "create table two (id int8)";
    int applied = 0;
    assert_ok(cs_pg_migrate(pg, list, 2, &applied, &err), &err);
    assert_int_equal(applied, 1);
    list[1].number = 3;
    assert_fails(cs_pg_migrate(pg, list, 2, NULL, &err), &err, CS_INTERNAL, "bad_migrations");
}

/* ---- addresses ---- */

TEST(password_of_a_bad_address_is_not_repeated) {
    struct cs_err err = {0};
    struct cs_pg *pg = NULL;
    assert_fails(cs_pg_open("postgresql://me:hunter2@[bad/x?hunter2", NULL, &pg, &err), &err, CS_INVALID_ARGUMENT,
                 "bad_url");
    assert_null(strstr(err.message, "hunter2"));
    assert_fails(cs_pg_open("postgresql://me:hunter2@127.0.0.1:1/x", NULL, &pg, &err), &err, CS_UNAVAILABLE,
                 "connect_failed");
    assert_null(strstr(err.message, "hunter2"));
    assert_true(err.retryable);
    assert_fails(cs_pg_open("", NULL, &pg, &err), &err, CS_INVALID_ARGUMENT, "bad_url");
}

#define PG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(PG_TEST(values_of_every_type_come_back_as_they_went), PG_TEST(arrays_keep_nulls_and_empty_elements),
          PG_TEST(nulls_and_empty_arrays_are_told_apart), PG_TEST(one_statement_writes_a_hundred_thousand_rows),
          PG_TEST(one_maybe_and_many_say_what_they_found), PG_TEST(violations_have_their_own_words),
          PG_TEST(what_fails_only_at_the_commit_is_told), PG_TEST(bad_values_are_not_repeated_in_messages),
          PG_TEST(statement_and_declaration_are_compared), PG_TEST(statement_of_an_altered_table_is_prepared_again),
          PG_TEST(batch_runs_in_order_and_gives_rows_and_counts), PG_TEST(batch_fails_as_a_whole_with_the_first_error),
          PG_TEST(statement_stops_the_batch_with_a_word_of_its_own),
          PG_TEST(huge_batch_with_huge_answers_does_not_block),
          PG_TEST(more_new_statements_than_one_turn_prepares_are_fine), CS_TEST(migrations_run_once_and_in_order),
          CS_TEST(changed_migration_is_refused), CS_TEST(failed_migration_leaves_nothing),
          CS_TEST(password_of_a_bad_address_is_not_repeated))
