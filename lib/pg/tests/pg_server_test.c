#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
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

/* A session that is too busy to notice that its server has gone. */
static const struct cs_pg_statement busy_count = {
    "busy_count", "select count(*) as n from generate_series(1, 1000000) a, generate_series(1, 1000000) b", "",
    "n:int8"};
static const struct cs_pg_statement busy_pid = {
    "busy_pid", "select pid from pg_stat_activity where state = 'active' and pid <> pg_backend_pid()", "", "pid:int4"};

static void *keep_busy(void *url) {
    struct cs_err err = {0};
    CS_AUTO(cs_pg) *pg = NULL;
    CS_AUTO(cs_pg_rows) *rows = NULL;
    if (cs_pg_open(url, NULL, &pg, &err) == CS_OK) {
        (void)!cs_pg_one(pg, &busy_count, NULL, &rows, &err);
    }
    return NULL;
}

static pid_t await_busy(const char *url) {
    struct cs_err err = {0};
    CS_AUTO(cs_pg) *pg = NULL;
    assert_ok(cs_pg_open(url, NULL, &pg, &err), &err);
    for (;;) {
        CS_AUTO(cs_pg_rows) *rows = NULL;
        assert_ok(cs_pg_maybe(pg, &busy_pid, NULL, &rows, &err), &err);
        if (rows != NULL) {
            return (pid_t)cs_pg_i64(rows, "pid");
        }
    }
}

TEST(session_that_outlived_its_server_is_ended) {
    CS_AUTO_TEST_DIR dir = {0};
    cs_test_dir_create(&dir);
    struct cs_err err = {0};
    char url[CS_PG_URL_MAX];
    pthread_t thread;
    CS_AUTO(cs_pg_server) *server = NULL;
    assert_ok(cs_pg_server_prepare(dir.path, CS_PG_SERVER_FAST, &server, &err), &err);
    CS_AUTO_PROCESS process = {0};
    start(server, &process);
    cs_pg_server_url(server, "postgres", url);
    assert_int_equal(pthread_create(&thread, NULL, keep_busy, url), 0);
    CS_AUTO_FD int session = pidfd_open(await_busy(url), 0);
    assert_true(session >= 0);
    cs_process_kill(&process);
    CS_AUTO(cs_pg_server) *again = NULL;
    assert_ok(cs_pg_server_prepare(dir.path, CS_PG_SERVER_FAST, &again, &err), &err);
    struct pollfd ended = {.fd = session, .events = POLLIN};
    assert_int_equal(poll(&ended, 1, 0), 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    start(again, &process);
}

TEST(server_gets_nothing_of_our_environment) {
    CS_AUTO_TEST_DIR dir = {0};
    cs_test_dir_create(&dir);
    struct cs_err err = {0};
    CS_AUTO(cs_pg_server) *server = NULL;
    assert_int_equal(setenv("SECRET_OF_OURS", "x", 1) | setenv("PGPORT", "1", 1), 0);
    assert_ok(cs_pg_server_prepare(dir.path, CS_PG_SERVER_FAST, &server, &err), &err);
    CS_AUTO_PROCESS process = {0};
    start(server, &process);
    assert_int_equal(unsetenv("SECRET_OF_OURS") | unsetenv("PGPORT"), 0);
    CS_AUTO_FREE char *path = cs_sprintf("/proc/%d/environ", (int)process.pid);
    FILE *file = fopen(path, "re");
    char text[4096];
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text), file);
    assert_int_equal(fclose(file), 0);
    assert_null(memmem(text, size, "SECRET_OF_OURS", strlen("SECRET_OF_OURS")));
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
          CS_TEST(server_that_outlived_its_supervisor_is_ended), CS_TEST(session_that_outlived_its_server_is_ended),
          CS_TEST(server_gets_nothing_of_our_environment), CS_TEST(lock_file_that_names_a_foreign_process_is_removed),
          CS_TEST(interrupted_initdb_starts_over), CS_TEST(socket_works_below_a_very_long_path),
          CS_TEST(data_of_another_version_is_not_touched))
