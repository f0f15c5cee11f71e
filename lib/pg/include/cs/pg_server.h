/*
 * pg_server: a private PostgreSQL in a directory of ours, for one machine.
 *
 *     CS_TRY(cs_pg_server_prepare("/data/postgres", CS_PG_SERVER_DURABLE, &server, err));    initdb on first use
 *     struct cs_process_spec spec = cs_pg_server_spec(server);                               run it under a supervisor
 *     CS_TRY(cs_process_start(&spec, &process, err));
 *     CS_TRY(cs_pg_server_await(server, &process, 30000, err));
 *     CS_TRY(cs_pg_server_database(server, "callsheet", url, err));
 *
 * It listens on a Unix socket only. PostgreSQL refuses to be root, so for root it runs as the user "postgres"; the
 * directory may lie where that user cannot go (below /root): the server is started inside and never leaves.
 *
 * Owns     DIR/data, and a link in /tmp when the socket's path would be too long for the kernel.
 * Threads  one.
 * Fails    FAILED_PRECONDITION "postgres_missing" (not installed, or of another major version than the data),
 *          "postgres_user_missing", "initdb_failed", "wrong_owner" (the data belongs to another user),
 * "postgres_ended"; DEADLINE_EXCEEDED "timeout".
 */
#ifndef CS_PG_SERVER_H
#define CS_PG_SERVER_H

#include "cs/base/auto.h"
#include "cs/base/err.h"
#include "cs/process.h"

struct cs_pg_server;

enum cs_pg_server_kind {
    CS_PG_SERVER_DURABLE, /* every commit is on the disk */
    CS_PG_SERVER_FAST,    /* for tests: a power cut loses it all */
};

enum { CS_PG_URL_MAX = 512 };

/* Makes the directory (and DIR/data by initdb, some seconds). Ends a server of ours that outlived its supervisor, and
 * sessions that outlived it; the caller makes sure that nobody else uses the directory. */
enum cs_status cs_pg_server_prepare(const char *directory, enum cs_pg_server_kind kind,
                                    struct cs_pg_server **ret_server, struct cs_err *err) CS_MUST_USE;
void cs_pg_server_destroy(struct cs_pg_server *server); /* does not stop the process */
CS_DEFINE_AUTO(cs_pg_server, cs_pg_server_destroy)

/* How to start it: in the foreground, log on standard error, nothing of our environment, immediate shutdown when the
 * parent dies. Stop it with
 * SIGINT (fast). The spec lives as long as the server. */
struct cs_process_spec cs_pg_server_spec(const struct cs_pg_server *server);

/* Until it accepts connections. */
enum cs_status cs_pg_server_await(const struct cs_pg_server *server, const struct cs_process *process,
                                  int64_t timeout_ms, struct cs_err *err) CS_MUST_USE;

/* The address of a database; it need not exist. */
void cs_pg_server_url(const struct cs_pg_server *server, const char *database, char ret_url[CS_PG_URL_MAX]);
/* The same, and creates it when missing. name: [a-z0-9_]+. */
enum cs_status cs_pg_server_database(const struct cs_pg_server *server, const char *name, char ret_url[CS_PG_URL_MAX],
                                     struct cs_err *err) CS_MUST_USE;

/* Databases of a running server, by its address (of any other database); names: [a-z0-9_]+. template may be NULL.
 * Creating is idempotent: ret_created (may be NULL) tells who did it. Renaming to a name that exists: ALREADY_EXISTS
 * "database_exists". Dropping ends the sessions and accepts that there is none. */
enum cs_status cs_pg_database_create(const char *url, const char *name, const char *template, bool *ret_created,
                                     struct cs_err *err) CS_MUST_USE;
enum cs_status cs_pg_database_rename(const char *url, const char *name, const char *new_name,
                                     struct cs_err *err) CS_MUST_USE;
enum cs_status cs_pg_database_drop(const char *url, const char *name, struct cs_err *err) CS_MUST_USE;

#endif
