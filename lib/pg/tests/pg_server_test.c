#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/pg.h"
#include "cs/pg_server.h"
#include "cs/test.h"
#include "cs/test_support.h"

static const struct cs_pg_statement table_create = {"table_create", "create table kept (id int8)", "", ""};
static const struct cs_pg_statement row_insert = {"row_insert", "insert into kept values (1)", "", ""};
static const struct cs_pg_statement row_count = {"row_count", "select count(*) as n from kept", "", "n:int8"};
static const struct cs_pg_statement fsync_show = {"fsync_show", "select current_setting('fsync') as value", "",
                                                  "value:text"};

static void start(const struct cs_pg_server *server, struct cs_process *process) {
    struct cs_err err = {0};
    struct cs_process_spec spec = cs_pg_server_spec(server);
    assert_ok(cs_process_start(&spec, process, &err), &err);
    assert_ok(cs_pg_server_await(server, process, CS_TEST_PATIENCE_MS, &err), &err);
}

TEST(committed_rows_survive_kill_9_also_where_only_root_can_go) {
    CS_AUTO_TEST_DIR dir = {0};
    cs_test_dir_create(&dir); /* mode 0700, ours */
    CS_AUTO_FREE char *path = cs_sprintf("%s/postgres", dir.path);
    struct cs_err err = {0};
    CS_AUTO(cs_pg_server) *server = NULL;
    char url[CS_PG_URL_MAX];
    assert_ok(cs_pg_server_prepare(path, CS_PG_SERVER_DURABLE, &server, &err), &err);
    CS_AUTO_PROCESS process = {0};
    start(server, &process);
    assert_ok(cs_pg_server_database(server, "callsheet", url, &err), &err);
    CS_AUTO(cs_pg) *pg = NULL;
    assert_ok(cs_pg_open(url, NULL, &pg, &err), &err);
    CS_AUTO(cs_pg_rows) *shown = NULL;
    assert_ok(cs_pg_one(pg, &fsync_show, NULL, &shown, &err), &err);
    assert_string_equal(cs_pg_text(shown, "value"), "on");
    assert_ok(cs_pg_exec(pg, &table_create, NULL, NULL, &err), &err);
    assert_ok(cs_pg_exec(pg, &row_insert, NULL, NULL, &err), &err);
    cs_process_kill(&process);

    CS_AUTO(cs_pg_server) *again = NULL;
    assert_ok(cs_pg_server_prepare(path, CS_PG_SERVER_DURABLE, &again, &err), &err);
    start(again, &process);
    assert_ok(cs_pg_server_database(again, "callsheet", url, &err), &err); /* exists */
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_AUTO(cs_pg) *later = NULL;
    assert_ok(cs_pg_open(url, NULL, &later, &err), &err);
    assert_ok(cs_pg_one(later, &row_count, NULL, &rows, &err), &err);
    assert_int_equal(cs_pg_i64(rows, "n"), 1);
    assert_int_equal(cs_process_stop(&process, SIGINT, CS_TEST_PATIENCE_MS), 0);
}

TEST(server_that_outlived_its_supervisor_is_ended) {
    CS_AUTO_TEST_DIR dir = {0};
    cs_test_dir_create(&dir);
    struct cs_err err = {0};
    CS_AUTO(cs_pg_server) *server = NULL;
    assert_ok(cs_pg_server_prepare(dir.path, CS_PG_SERVER_FAST, &server, &err), &err);
    CS_AUTO_PROCESS orphan = {0};
    start(server, &orphan);
    CS_AUTO(cs_pg_server) *again = NULL;
    assert_ok(cs_pg_server_prepare(dir.path, CS_PG_SERVER_FAST, &again, &err), &err);
    assert_ok(cs_process_wait(&orphan, 0, NULL, &err), &err);
    CS_AUTO_PROCESS process = {0};
    start(again, &process);
}

TEST(lock_file_that_names_a_foreign_process_is_removed) {
    CS_AUTO_TEST_DIR dir = {0};
    cs_test_dir_create(&dir);
    struct cs_err err = {0};
    CS_AUTO(cs_pg_server) *server = NULL;
    assert_ok(cs_pg_server_prepare(dir.path, CS_PG_SERVER_FAST, &server, &err), &err);
    CS_AUTO_FREE char *path = cs_sprintf("%s/data/postmaster.pid", dir.path);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    (void)fprintf(file, "%d\n/data\n", (int)getpid());
    assert_int_equal(fclose(file), 0);
    CS_AUTO(cs_pg_server) *again = NULL;
    assert_ok(cs_pg_server_prepare(dir.path, CS_PG_SERVER_FAST, &again, &err), &err);
    CS_AUTO_PROCESS process = {0};
    start(again, &process);
}

TEST(interrupted_initdb_starts_over) {
    CS_AUTO_TEST_DIR dir = {0};
    cs_test_dir_create(&dir);
    CS_AUTO_FREE char *half = cs_sprintf("%s/data.new/base", dir.path);
    CS_AUTO_FREE char *parent = cs_strndup(half, strlen(half) - strlen("/base"));
    assert_int_equal(mkdir(parent, 0700) | mkdir(half, 0700), 0);
    struct cs_err err = {0};
    CS_AUTO(cs_pg_server) *server = NULL;
    assert_ok(cs_pg_server_prepare(dir.path, CS_PG_SERVER_FAST, &server, &err), &err);
    CS_AUTO_PROCESS process = {0};
    start(server, &process);
}

TEST(socket_works_below_a_very_long_path) {
    CS_AUTO_TEST_DIR dir = {0};
    cs_test_dir_create(&dir);
    char part[101];
    memset(part, 'd', 100);
    part[100] = '\0';
    CS_AUTO_FREE char *path = cs_sprintf("%s/%s", dir.path, part);
    struct cs_err err = {0};
    CS_AUTO(cs_pg_server) *server = NULL;
    assert_ok(cs_pg_server_prepare(path, CS_PG_SERVER_FAST, &server, &err), &err);
    CS_AUTO_PROCESS process = {0};
    start(server, &process);
}

TEST(data_of_another_version_is_not_touched) {
    CS_AUTO_TEST_DIR dir = {0};
    cs_test_dir_create(&dir);
    CS_AUTO_FREE char *data = cs_sprintf("%s/data", dir.path);
    CS_AUTO_FREE char *version = cs_sprintf("%s/PG_VERSION", data);
    assert_int_equal(mkdir(data, 0700), 0);
    FILE *file = fopen(version, "we");
    assert_non_null(file);
    (void)fprintf(file, "7\n");
    assert_int_equal(fclose(file), 0);
    struct cs_err err = {0};
    struct cs_pg_server *server = NULL;
    assert_fails(cs_pg_server_prepare(dir.path, CS_PG_SERVER_FAST, &server, &err), &err, CS_FAILED_PRECONDITION,
                 "postgres_missing");
}

TEST_MAIN(CS_TEST(committed_rows_survive_kill_9_also_where_only_root_can_go),
          CS_TEST(server_that_outlived_its_supervisor_is_ended),
          CS_TEST(lock_file_that_names_a_foreign_process_is_removed), CS_TEST(interrupted_initdb_starts_over),
          CS_TEST(socket_works_below_a_very_long_path), CS_TEST(data_of_another_version_is_not_touched))
