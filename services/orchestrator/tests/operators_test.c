/* What operators see in SQL, and what the database hears of a service that has nothing to do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "domain/fsm.h"
#include "peek_views_sql.h"
#include "world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word
#define FAILURE(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

static const struct cs_pg_statement job_line = CS_PG_STATEMENT(job_line, "text text", "line:text");
static const struct cs_pg_statement attempt_lines = CS_PG_STATEMENT(attempt_lines, "text text", "line:text");
static const struct cs_pg_statement view_sizes = CS_PG_STATEMENT(view_sizes, "text", "jobs:int8 attempts:int8");
static const struct cs_pg_statement view_names = CS_PG_STATEMENT(view_names, "", "what:text number:int4 name:text");
static const struct cs_pg_statement broken_summary = CS_PG_STATEMENT(broken_summary, "text bytea", "");
static const struct cs_pg_statement transactions = CS_PG_STATEMENT(transactions, "", "done:int8");

static const char *const everything[] = {"generateVideo", "reframe", "noop", "deliverWebhook"};
#define EVERYTHING .operations = everything, .operation_count = CS_COUNT(everything)

static const char *line(struct world *world, const struct cs_pg_statement *statement, const char *id, const char *job) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    cs_pg_put_text(&params, id);
    cs_pg_put_text(&params, job);
    assert_ok(cs_pg_one(world->pg, statement, &params, &rows, &err), &err);
    return cs_arena_strdup(world->arena, cs_pg_text(rows, "line"));
}

/* ---- views ---- */

TEST(jobs_and_attempts_of_executions_that_are_open_and_that_have_ended) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){EVERYTHING});
    world_start(&world);
    const char *id = world_create(&world, PICTURE);
    CS_AUTO(heard) *first = scripted_take(worker, HEARD_ASSIGN);
    scripted_checkpoint(first, 1, "submitted as 42");
    heard_free(scripted_take(worker, HEARD_SAVED));
    assert_string_equal(line(&world, &job_line, id, "g"), "running|generateVideo|1|||true|false");
    assert_string_equal(line(&world, &job_line, id, "r"), "open|reframe|0|||false|false");
    assert_string_equal(line(&world, &attempt_lines, id, "g"), "1 running - - -");
    scripted_fail(first, FAILURE(TRANSIENT), "busy", 1);
    CS_AUTO(heard) *second = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(line(&world, &attempt_lines, id, "g"), "1 failed TRANSIENT busy true, 2 running - - -");
    scripted_succeed(second);
    CS_AUTO(heard) *third = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(line(&world, &job_line, id, "g"), "completed|generateVideo|2|||true|true");
    scripted_fail(third, FAILURE(CONTENT_REJECTED), "unsafe", 0);
    assert_int_equal(world_await(&world, id)->state, STATE(FAILED));
    assert_string_equal(line(&world, &job_line, id, "g"), "completed|generateVideo|2|||true|true");
    assert_string_equal(line(&world, &job_line, id, "r"), "failed|reframe|1|CONTENT_REJECTED|unsafe|true|true");
    assert_string_equal(line(&world, &attempt_lines, id, "g"), "1 failed TRANSIENT busy true, 2 succeeded - - true");
    assert_string_equal(line(&world, &attempt_lines, id, "r"), "1 failed CONTENT_REJECTED unsafe true");
    CS_AUTO(heard) *delivery = scripted_take(worker, HEARD_ASSIGN);
    scripted_succeed(delivery);
    world_stop(&world);
    scripted_stop(worker);
}

static void expect_sizes(struct world *world, const char *id, int64_t jobs, int64_t attempts) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    cs_pg_put_text(&params, id);
    assert_ok(cs_pg_one(world->pg, &view_sizes, &params, &rows, &err), &err);
    assert_int_equal(cs_pg_i64(rows, "jobs"), jobs);
    assert_int_equal(cs_pg_i64(rows, "attempts"), attempts);
}

TEST(jobs_that_were_skipped_or_wait_and_bytes_that_are_no_message) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, DIAMOND);
    CS_AUTO(heard) *first = scripted_take(worker, HEARD_ASSIGN);
    expect_sizes(&world, id, 4, 0); /* a cheap job's start is not in the log */
    scripted_fail(first, FAILURE(INVALID_INPUT), "no", 0);
    (void)world_await(&world, id);
    assert_string_equal(line(&world, &job_line, id, "d"), "skipped|noop|0||dependency_failed|false|true");
    expect_sizes(&world, id, 4, 1);
    static const struct cs_pg_blob broken[] = {
        {"", 0},     {"\x22", 1},     {"\x22\xff\xff\xff\xff\x7f", 6}, {"\xff\xff", 2},
        {"\x27", 1}, {"\x21\x01", 2}, {"\x22\x02\x0a\x09", 4}};
    for (size_t i = 0; i < CS_COUNT(broken); i++) {
        CS_AUTO_PG_PARAMS params = {0};
        struct cs_err err = {0};
        cs_pg_put_text(&params, id);
        cs_pg_put_bytes(&params, broken[i].bytes, broken[i].size_bytes);
        assert_ok(cs_pg_exec(world.pg, &broken_summary, &params, NULL, &err), &err);
        expect_sizes(&world, id, i + 1 == CS_COUNT(broken), 1);
    }
    world_stop(&world);
    scripted_stop(worker);
}

static const char *job_state(int number) {
    return orc_job_fsm.state_names[number];
}

static const char *failure_class(int number) {
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&callsheet__v1__failure_class__descriptor, number);
    return value != NULL ? value->name + strlen("FAILURE_CLASS_") : "";
}

static const char *operation(int number) {
    const struct cs_operation *row = cs_catalog_by_case((Callsheet__V1__Operation__ParamsCase)number);
    return row != NULL ? row->name : "";
}

TEST(words_of_the_views_are_those_of_the_program) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    size_t operations = 0;
    assert_ok(cs_pg_many(world.pg, &view_names, NULL, &rows, &err), &err);
    while (cs_pg_next(rows)) {
        const char *what = cs_pg_text(rows, "what");
        int number = (int)cs_pg_i64(rows, "number");
        operations += cs_str_eq(what, "operation_names");
        const char *name = cs_str_eq(what, "job_states")        ? job_state(number)
                           : cs_str_eq(what, "failure_classes") ? failure_class(number)
                                                                : operation(number);
        assert_string_equal(cs_pg_text(rows, "name"), name);
    }
    size_t wanted = 0;
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        const struct cs_operation *row = cs_catalog_at(i);
        bool hidden = cs_str_eq(row->name, "import") || cs_str_eq(row->name, "deliverWebhook");
        wanted += !hidden;
    }
    assert_int_equal(operations, wanted);
    assert_int_equal(cs_pg_count(rows) - operations, ORC_JOB_STATES - 1 + 11);
}

/* The text between ```sql and ```, one after the other, into a file. */
static int write_queries(const char *readme, FILE *out) {
    int count = 0;
    for (const char *at = strstr(readme, "```sql\n"); at != NULL; at = strstr(at, "```sql\n")) {
        at += strlen("```sql\n");
        const char *end = strstr(at, "```");
        assert_non_null(end);
        assert_int_equal(fwrite(at, 1, (size_t)(end - at), out), end - at);
        at = end + 3;
        count++;
    }
    return count;
}

TEST(the_queries_of_the_readme_run_as_they_stand_there) {
    AUTO_WORLD world = {0};
    CS_AUTO_TEST_DIR dir = {0};
    CS_AUTO_BUF readme = {0};
    char path[CS_TEST_PATH_MAX + 32];
    world_open(&world, NULL);
    cs_test_dir_create(&dir);
    (void)snprintf(path, sizeof(path), "%s/readme.sql", dir.path);
    FILE *in = fopen(CS_SOURCE_DIR "/services/orchestrator/README.md", "r");
    FILE *out = fopen(path, "w");
    assert_true(in != NULL && out != NULL);
    for (int c = fgetc(in); c != EOF; c = fgetc(in)) {
        cs_buf_putc(&readme, (char)c);
    }
    cs_buf_putc(&readme, '\0');
    assert_int_equal(write_queries((const char *)readme.data, out), 5);
    assert_int_equal(fclose(in) + fclose(out), 0);
    CS_AUTO_TEST_PROGRAM psql = {0};
    const char *const arguments[] = {"-X",        "-q", "-v", "ON_ERROR_STOP=1", "-o",
                                     "/dev/null", "-f", path, world.url,         NULL};
    cs_test_program_start(&psql, "/usr/bin/psql", arguments, NULL, CS_TEST_READY_NONE);
    assert_int_equal(cs_test_program_wait(&psql), 0);
}

/* ---- idle ---- */

static int64_t transactions_done(struct world *world) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_one(world->pg, &transactions, NULL, &rows, &err), &err);
    return cs_pg_i64(rows, "done");
}

TEST(a_service_that_has_nothing_to_do_asks_the_database_at_most_twice_a_second) {
    enum { WINDOW_S = 6, OURS = 4 }; /* the test's own looks */
    /* A connection that has fallen silent tells what it did up to 10 s later. */
    const struct timespec told = {.tv_sec = 11};
    const struct timespec window = {.tv_sec = WINDOW_S};
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.automatic = true});
    world.config.retention_ms = INT64_C(30) * 86400000;
    world_start(&world);
    (void)world_await(&world, world_create(&world, DIAMOND)); /* it has had something to do */
    (void)nanosleep(&told, NULL);
    int64_t before = transactions_done(&world);
    int64_t began_ms = cs_clock_mono_ms();
    (void)nanosleep(&window, NULL);
    int64_t done = transactions_done(&world) - before;
    int64_t seconds = (cs_clock_mono_ms() - began_ms) / 1000 + 1;
    printf("%lld transactions in %lld s\n", (long long)done, (long long)seconds);
    assert_true(done >= 2); /* it lives */
    assert_true(done <= 2 * seconds + OURS);
    world_stop(&world);
    scripted_stop(worker);
}

TEST_MAIN(CS_TEST(jobs_and_attempts_of_executions_that_are_open_and_that_have_ended),
          CS_TEST(jobs_that_were_skipped_or_wait_and_bytes_that_are_no_message),
          CS_TEST(words_of_the_views_are_those_of_the_program),
          CS_TEST(the_queries_of_the_readme_run_as_they_stand_there),
          CS_TEST(a_service_that_has_nothing_to_do_asks_the_database_at_most_twice_a_second))
