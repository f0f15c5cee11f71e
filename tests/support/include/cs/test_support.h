/*
 * test_support: a real PostgreSQL, temporary directories and real programs for tests.
 *
 *     CS_AUTO_TEST_DB db = {0};
 *     cs_test_db_create(&db, NULL);                               an empty database, in some tens of ms
 *     cs_test_db_create(&db, &(struct cs_test_template){"orc", migrate_it, NULL});     cloned from a prepared one
 *     … cs_pg_open(db.url, …) …
 *
 * The server is private: Unix socket only, in /tmp, without fsync. One is shared by all tests of a ctest run (those
 * with POSTGRES in cs_test()); a test program that is started alone starts its own. Either goes when its owner ends,
 * however it ends.
 *
 * Threads  the test's own.
 * Fails    by failing the test with a sentence.
 */
#ifndef CS_TEST_SUPPORT_H
#define CS_TEST_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/process.h"

enum {
    CS_TEST_PATIENCE_MS = 30000, /* for any single event; generous, since machines are shared */
    CS_TEST_URL_MAX = 512,
    CS_TEST_PATH_MAX = 256,
};

/* ---- databases ---- */

struct cs_test_template {
    const char *name; /* [a-z0-9_]+; one meaning in the whole run */
    enum cs_status (*prepare)(const char *url, void *ctx, struct cs_err *err); /* runs once per server */
    void *ctx;
};

struct cs_test_db {
    char name[64];
    char url[CS_TEST_URL_MAX];
};

void cs_test_db_create(struct cs_test_db *ret_db, const struct cs_test_template *template); /* NULL: empty */
void cs_test_db_drop(struct cs_test_db *db);
#define CS_AUTO_TEST_DB __attribute__((cleanup(cs_test_db_drop))) struct cs_test_db

/* A server of the test's own: to be killed, or durable. */
struct cs_pg_server;
struct cs_test_postgres {
    char directory[CS_TEST_PATH_MAX];
    struct cs_pg_server *server;
    struct cs_process process;
    char url[CS_TEST_URL_MAX]; /* of a database "test" */
};

void cs_test_postgres_start(struct cs_test_postgres *ret_postgres, bool durable);
void cs_test_postgres_kill(struct cs_test_postgres *postgres);    /* immediate, as in a crash */
void cs_test_postgres_restart(struct cs_test_postgres *postgres); /* with the same data and address */
void cs_test_postgres_fini(struct cs_test_postgres *postgres);
#define CS_AUTO_TEST_POSTGRES __attribute__((cleanup(cs_test_postgres_fini))) struct cs_test_postgres

/* ---- directories ---- */

struct cs_test_dir {
    char path[CS_TEST_PATH_MAX];
};

void cs_test_dir_create(struct cs_test_dir *ret_dir);
void cs_test_dir_remove(struct cs_test_dir *dir); /* with all that is in it */
#define CS_AUTO_TEST_DIR __attribute__((cleanup(cs_test_dir_remove))) struct cs_test_dir

/* ---- programs ---- */

/* A running program that dies with the test. Its standard error goes to ours when CS_TEST_VERBOSE is set, else to a
 * file that is shown when a wait fails. */
struct cs_test_program {
    struct cs_process process;
    int ready_fd; /* what it writes its ready line to */
    int log_fd;
    char address[CS_TEST_PATH_MAX]; /* from "ready ADDRESS" */
};

/* Starts build/bin/NAME (or a path, with a slash) with arguments and changes of the environment (both NULL-terminated,
 * may be NULL). When ready_flag it adds "--ready-fd N" and waits for "ready ADDRESS"; otherwise it waits for that line
 * on standard output when waits_stdout, else for nothing. */
enum cs_test_ready { CS_TEST_READY_FD, CS_TEST_READY_STDOUT, CS_TEST_READY_NONE };
void cs_test_program_start(struct cs_test_program *ret_program, const char *name, const char *const *arguments,
                           const char *const *environment, enum cs_test_ready ready);
/* SIGTERM, waits; returns the exit code. Fails the test when it does not end in patience. */
int cs_test_program_stop(struct cs_test_program *program);
int cs_test_program_wait(struct cs_test_program *program);  /* for its own end; the exit code */
void cs_test_program_kill(struct cs_test_program *program); /* kill -9 */
void cs_test_program_fini(struct cs_test_program *program);
#define CS_AUTO_TEST_PROGRAM __attribute__((cleanup(cs_test_program_fini))) struct cs_test_program

/* Whether a process with this id exists and is no zombie. */
bool cs_test_pid_alive(pid_t pid);
/* Waits until condition says true, looking every few ms; for states without an event. Fails the test after patience. */
void cs_test_await(bool (*condition)(void *ctx), void *ctx, const char *what);

#endif
