/*
 * pg: PostgreSQL through libpq; the only module that touches it.
 *
 *     static const struct cs_pg_statement job_find = CS_PG_STATEMENT(job_find, "int8 text", "state:text tries:int4");
 *
 *     CS_AUTO_PG_PARAMS params = {0};
 *     cs_pg_put_i64(&params, execution);
 *     cs_pg_put_text(&params, job);
 *     CS_AUTO(cs_pg_rows) *rows = NULL;
 *     CS_TRY(cs_pg_many(pg, &job_find, &params, &rows, err));
 *     while (cs_pg_next(rows)) {
 *         … cs_pg_text(rows, "state"), cs_pg_i64(rows, "tries") …
 *     }
 *
 * A session is one connection. Statements are named; on its first use on a connection a statement is prepared and
 * compared with its declaration (one more round trip then). Values are binary. Whatever a call sends leaves in one
 * network flush.
 *
 * Owns     the session its connection; statements are static; rows are the caller's and do not need the session.
 * Threads  a session, its batches and its rows belong to one thread; cs_pg_interrupt may come from any.
 * Lost     a lost connection fails the call that notices. The next call connects again: at once the first time, else
 *          after a backoff of 50 ms … 1 s since the last failed attempt. Nothing is sent twice by this module.
 * Fails    in the same words everywhere (R: retryable):
 *            UNAVAILABLE         R "connection_lost" (surely not committed) "connect_failed" "database_read_only"
 *            UNKNOWN               "commit_in_doubt": lost after the commit was sent; read before you write again
 *            ABORTED             R "serialization_failure" "deadlock" "lock_timeout" "statement_changed"
 *            DEADLINE_EXCEEDED     "timeout" (surely not committed)
 *            ALREADY_EXISTS        "unique_violation"
 *            FAILED_PRECONDITION   "foreign_key_violation" "check_violation" "not_null_violation" "exclusion_violation"
 *            RESOURCE_EXHAUSTED  R "disk_full" "database_out_of_memory" "database_busy" "database_limit"
 *            PERMISSION_DENIED     "database_permission"
 *            INVALID_ARGUMENT      "bad_url", "bad_value" (class 22: a value that a type cannot hold), "too_big"
 *            DATA_LOSS             "database_corrupt"
 *            CANCELLED             "interrupted"
 *            INTERNAL              "bad_statement" (SQL, declaration and values disagree), "database_error"
 *          and what a statement raises itself: `raise exception 'fenced' using errcode = 'CS009'` is status 9 with the
 *          reason "fenced" (CSnnn: nnn is the number of an enum cs_status, the message is the reason).
 * Trust    messages name the statement, constraint and SQLSTATE; never values, never the URL's password.
 * Limits   CS_PG_PARAMS_MAX, CS_PG_COLUMNS_MAX; one value at most CS_PG_VALUE_BYTES_MAX.
 */
#ifndef CS_PG_H
#define CS_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/auto.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"

enum {
    CS_PG_PARAMS_MAX = 32,
    CS_PG_COLUMNS_MAX = 64,
    CS_PG_VALUE_BYTES_MAX = 1 << 29,
};

/* ---- sessions ---- */

struct cs_pg;

struct cs_pg_options {
    const char *application;      /* shown in pg_stat_activity; NULL: "callsheet" */
    int64_t connect_timeout_ms;   /* of one attempt; 0: 5 s */
    int64_t statement_timeout_ms; /* 0: 30 s */
};

/* Connects once. url is a libpq URI or keyword string (copied). */
enum cs_status cs_pg_open(const char *url, const struct cs_pg_options *options, struct cs_pg **ret_pg,
                          struct cs_err *err) CS_MUST_USE;
/* Like cs_pg_open, but the first call connects, so it fails only for a bad URL. */
enum cs_status cs_pg_open_lazy(const char *url, const struct cs_pg_options *options, struct cs_pg **ret_pg,
                               struct cs_err *err) CS_MUST_USE;
void cs_pg_close(struct cs_pg *pg);
CS_DEFINE_AUTO(cs_pg, cs_pg_close)

/* The limit of each statement from now on; 0 goes back to the session's. The server enforces it ("timeout"); when the
 * server does not answer for 5 s more the connection is dropped. Costs no round trip. */
void cs_pg_set_timeout(struct cs_pg *pg, int64_t statement_timeout_ms);

/* Makes the call that runs, and every later one, fail with CANCELLED "interrupted" soon. Any thread; for shutting
 * down. A commit that was sent by then is "commit_in_doubt". */
void cs_pg_interrupt(struct cs_pg *pg);

/* ---- statements ---- */

/* Types: int4 int8 bool float8 text bytea, and int4[] int8[] bool[] float8[] text[] bytea[]; columns also jsonb (read
 * as text). */
struct cs_pg_statement {
    const char *name;    /* unique in the program */
    const char *sql;     /* one statement */
    const char *params;  /* "int8 text[]"; "" none */
    const char *columns; /* "id:int8 plan:bytea", all of them in order; "" when it returns no rows */
};

/* With the text `NAME_sql` that cs_sql() generated. */
#define CS_PG_STATEMENT(name_, params_, columns_)                                                                      \
    { .name = #name_, .sql = name_##_sql, .params = params_, .columns = columns_ }

/* ---- parameters, in the order of $1, $2 … ---- */

enum cs_pg_type {
    CS_PG_INT4 = 1,
    CS_PG_INT8,
    CS_PG_BOOL,
    CS_PG_FLOAT8,
    CS_PG_TEXT,
    CS_PG_BYTEA,
    CS_PG_JSONB,
};

/* A column of values for a set-based statement (`from unnest($1::int8[], $2::text[])`), built row by row.
 *     CS_AUTO_PG_ARRAY ids = {.type = CS_PG_INT8};
 *     cs_pg_add_i64(&ids, id); … cs_pg_put_array(&params, &ids); */
struct cs_pg_array {
    enum cs_pg_type type;
    /* below: private */
    size_t count;
    bool has_null;
    struct cs_buf bytes;
};

void cs_pg_array_fini(struct cs_pg_array *array);
void cs_pg_array_clear(struct cs_pg_array *array);            /* keeps type and memory */
void cs_pg_add_i64(struct cs_pg_array *array, int64_t value); /* int4 (must fit) or int8 */
void cs_pg_add_bool(struct cs_pg_array *array, bool value);
void cs_pg_add_f64(struct cs_pg_array *array, double value);
void cs_pg_add_text(struct cs_pg_array *array, const char *text); /* NULL adds NULL */
void cs_pg_add_bytes(struct cs_pg_array *array, const void *bytes, size_t size_bytes);
void cs_pg_add_null(struct cs_pg_array *array);
#define CS_AUTO_PG_ARRAY __attribute__((cleanup(cs_pg_array_fini))) struct cs_pg_array

struct cs_pg_params {
    /* private */
    int count;
    struct cs_pg_param {
        uint8_t type; /* enum cs_pg_type; 0: NULL of any type */
        bool array;
        bool null;
        size_t offset; /* in bytes */
        size_t size;
    } items[CS_PG_PARAMS_MAX];
    struct cs_buf bytes;
};

void cs_pg_params_fini(struct cs_pg_params *params);
void cs_pg_params_clear(struct cs_pg_params *params);           /* for the next call; keeps memory */
void cs_pg_put_i64(struct cs_pg_params *params, int64_t value); /* for int8 */
void cs_pg_put_i32(struct cs_pg_params *params, int32_t value); /* for int4 */
void cs_pg_put_bool(struct cs_pg_params *params, bool value);
void cs_pg_put_f64(struct cs_pg_params *params, double value);
void cs_pg_put_text(struct cs_pg_params *params, const char *text);                      /* NULL is NULL */
void cs_pg_put_bytes(struct cs_pg_params *params, const void *bytes, size_t size_bytes); /* bytes NULL is NULL */
void cs_pg_put_null(struct cs_pg_params *params);
void cs_pg_put_array(struct cs_pg_params *params, const struct cs_pg_array *array);         /* copied */
void cs_pg_put_i64s(struct cs_pg_params *params, const int64_t *values, size_t count);      /* int8[] */
void cs_pg_put_texts(struct cs_pg_params *params, const char *const *values, size_t count); /* text[] */
#define CS_AUTO_PG_PARAMS __attribute__((cleanup(cs_pg_params_fini))) struct cs_pg_params

/* ---- verbs; params may be NULL for none ---- */

/* Runs a statement in a transaction of its own. ret_affected (may be NULL) gets the number of rows. */
enum cs_status cs_pg_exec(struct cs_pg *pg, const struct cs_pg_statement *statement, const struct cs_pg_params *params,
                          int64_t *ret_affected, struct cs_err *err) CS_MUST_USE;

/* The three readers say "connection_lost" (retryable) whenever the connection goes: a statement that writes and returns
 * rows belongs in a batch. */
struct cs_pg_rows;
enum cs_status cs_pg_many(struct cs_pg *pg, const struct cs_pg_statement *statement, const struct cs_pg_params *params,
                          struct cs_pg_rows **ret_rows, struct cs_err *err) CS_MUST_USE;
/* Exactly one row, and the cursor stands on it: NOT_FOUND "no_row", INTERNAL "too_many_rows". */
enum cs_status cs_pg_one(struct cs_pg *pg, const struct cs_pg_statement *statement, const struct cs_pg_params *params,
                         struct cs_pg_rows **ret_rows, struct cs_err *err) CS_MUST_USE;
/* None (ret_rows is set to NULL) or one. */
enum cs_status cs_pg_maybe(struct cs_pg *pg, const struct cs_pg_statement *statement, const struct cs_pg_params *params,
                           struct cs_pg_rows **ret_rows, struct cs_err *err) CS_MUST_USE;

/* ---- rows: a cursor; columns by the names that the statement declares ---- */

void cs_pg_rows_destroy(struct cs_pg_rows *rows);
CS_DEFINE_AUTO(cs_pg_rows, cs_pg_rows_destroy)

bool cs_pg_next(struct cs_pg_rows *rows); /* to the first, then the next row; false at the end */
size_t cs_pg_count(const struct cs_pg_rows *rows);

/* Values of the row under the cursor. NULL reads as 0, false, "" or no bytes. A name or type that the statement does
 * not declare is a bug of ours and ends the process. Texts and bytes live as long as the rows. */
bool cs_pg_is_null(struct cs_pg_rows *rows, const char *column);
int64_t cs_pg_i64(struct cs_pg_rows *rows, const char *column); /* int8 or int4 */
bool cs_pg_bool(struct cs_pg_rows *rows, const char *column);
double cs_pg_f64(struct cs_pg_rows *rows, const char *column);
const char *cs_pg_text(struct cs_pg_rows *rows, const char *column); /* text or jsonb */
const void *cs_pg_bytes(struct cs_pg_rows *rows, const char *column, size_t *ret_size_bytes);

/* Arrays (one dimension), in the arena; a NULL element reads as 0 or NULL. */
struct cs_pg_blob {
    const void *bytes; /* NULL: NULL */
    size_t size_bytes;
};
const int64_t *cs_pg_i64s(struct cs_pg_rows *rows, const char *column, struct cs_arena *arena, size_t *ret_count);
const char *const *cs_pg_texts(struct cs_pg_rows *rows, const char *column, struct cs_arena *arena, size_t *ret_count);
const struct cs_pg_blob *cs_pg_blobs(struct cs_pg_rows *rows, const char *column, struct cs_arena *arena,
                                     size_t *ret_count);

/* ---- batch: one transaction in one round trip ----
 *
 *     CS_AUTO(cs_pg_batch) *batch = cs_pg_batch_create(pg);
 *     (void)cs_pg_batch_add(batch, &fence_check, &params);        raises CS009 when fenced
 *     size_t events = cs_pg_batch_add(batch, &events_append, &more);
 *     CS_TRY(cs_pg_batch_commit(batch, err));
 *     … cs_pg_batch_affected(batch, events) …
 *
 * BEGIN, the statements in order and COMMIT leave in one flush; each runs after the one before it, and the first that
 * fails fails the whole (its name and error are told). Nothing was written then, but for "commit_in_doubt".
 * A batch is a value: after a failure it may be committed again (retryable ones should be), after cs_pg_batch_clear it
 * is filled anew and keeps its memory. */
struct cs_pg_batch;

struct cs_pg_batch *cs_pg_batch_create(struct cs_pg *pg); /* before the session is closed */
void cs_pg_batch_destroy(struct cs_pg_batch *batch);
CS_DEFINE_AUTO(cs_pg_batch, cs_pg_batch_destroy)

/* Copies the parameters; returns the statement's index in the batch. */
size_t cs_pg_batch_add(struct cs_pg_batch *batch, const struct cs_pg_statement *statement,
                       const struct cs_pg_params *params);
size_t cs_pg_batch_count(const struct cs_pg_batch *batch);
void cs_pg_batch_clear(struct cs_pg_batch *batch);

/* An empty batch succeeds and sends nothing. */
enum cs_status cs_pg_batch_commit(struct cs_pg_batch *batch, struct cs_err *err) CS_MUST_USE;

/* After a commit that succeeded. The rows belong to the batch (until clear, commit or destroy). */
int64_t cs_pg_batch_affected(const struct cs_pg_batch *batch, size_t index);
struct cs_pg_rows *cs_pg_batch_rows(struct cs_pg_batch *batch, size_t index);

/* ---- migrations ----
 *
 * cs_migrations(target dir) embeds dir/NNNN_name.sql as `migrations[]` and `migration_count` in "migrations_table.h".
 */
struct cs_pg_migration {
    int number; /* 1, 2, 3 … without gaps */
    const char *name;
    const char *sql; /* any number of statements, none of them BEGIN or COMMIT */
};

/* Brings the database to the last migration: one transaction each, under an advisory lock (replicas that start together
 * wait for each other), recorded with a checksum in the table schema_migrations. ret_applied (may be NULL): how many
 * ran. FAILED_PRECONDITION "database_newer" (it has migrations that this program does not know), "migration_changed"
 * (one that ran has another text now); "lock_timeout" after a minute of waiting. */
enum cs_status cs_pg_migrate(struct cs_pg *pg, const struct cs_pg_migration *migrations, size_t count, int *ret_applied,
                             struct cs_err *err) CS_MUST_USE;

#endif
