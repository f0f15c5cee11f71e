#include <signal.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/pg_server.h"
#include "support.h"

static void start(struct cs_test_postgres *postgres) {
    struct cs_err err = {0};
    struct cs_process_spec spec = cs_pg_server_spec(postgres->server);
    int log_fd = support_log_fd();
    spec.stdout_fd = spec.stderr_fd = log_fd;
    enum cs_status status = cs_process_start(&spec, &postgres->process, &err);
    if (status == CS_OK) {
        status = cs_pg_server_await(postgres->server, &postgres->process, CS_TEST_PATIENCE_MS, &err);
    }
    if (status == CS_OK) {
        status = cs_pg_server_database(postgres->server, "test", postgres->url, &err);
    }
    if (status != CS_OK) {
        support_show_log(log_fd);
        support_fail("starting PostgreSQL", &err);
    }
    (void)close(log_fd);
}

void cs_test_postgres_start(struct cs_test_postgres *ret_postgres, bool durable) {
    struct cs_err err = {0};
    struct cs_test_dir dir;
    cs_test_dir_create(&dir);
    *ret_postgres = (struct cs_test_postgres){0};
    cs_str_copy(ret_postgres->directory, sizeof(ret_postgres->directory), dir.path);
    enum cs_pg_server_kind kind = durable ? CS_PG_SERVER_DURABLE : CS_PG_SERVER_FAST;
    if (cs_pg_server_prepare(dir.path, kind, &ret_postgres->server, &err) != CS_OK) {
        support_fail("creating a PostgreSQL", &err);
    }
    start(ret_postgres);
}

void cs_test_postgres_kill(struct cs_test_postgres *postgres) {
    (void)cs_process_stop(&postgres->process, SIGQUIT, CS_TEST_PATIENCE_MS);
}

void cs_test_postgres_restart(struct cs_test_postgres *postgres) {
    if (cs_process_running(&postgres->process)) {
        (void)cs_process_stop(&postgres->process, SIGINT, CS_TEST_PATIENCE_MS);
    }
    start(postgres);
}

void cs_test_postgres_fini(struct cs_test_postgres *postgres) {
    if (postgres->server == NULL) {
        return;
    }
    cs_test_postgres_kill(postgres);
    cs_pg_server_destroy(postgres->server);
    postgres->server = NULL;
    struct cs_test_dir dir;
    cs_str_copy(dir.path, sizeof(dir.path), postgres->directory);
    cs_test_dir_remove(&dir);
}
