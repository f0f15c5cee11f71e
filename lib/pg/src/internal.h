/*
 * internal: what the files of this module share. Nothing else includes libpq.
 */
#ifndef PG_INTERNAL_H
#define PG_INTERNAL_H

#include <libpq-fe.h>
#include <stdatomic.h>

#include "cs/pg.h"

/* ---- type.c: type words, statement declarations ---- */

struct pg_type {
    enum cs_pg_type base;
    bool array;
};

struct pg_column {
    const char *name; /* in the statement's text, not terminated */
    size_t name_length;
    struct pg_type type;
};

/* A statement as one session knows it. */
struct pg_entry {
    const struct cs_pg_statement *statement;
    bool ready; /* prepared on the present connection */
    int param_count;
    struct pg_type params[CS_PG_PARAMS_MAX];
    int column_count;
    struct pg_column columns[CS_PG_COLUMNS_MAX];
};

Oid pg_type_oid(struct pg_type type);
const char *pg_type_name(struct pg_type type); /* "int8[]" */
/* Whether a column that the server calls oid can be read as type. */
bool pg_type_reads(struct pg_type type, Oid oid);
/* Reads params and columns of entry->statement. */
enum cs_status pg_entry_parse(struct pg_entry *entry, struct cs_err *err) CS_MUST_USE;
/* Compares with what the server described. */
enum cs_status pg_entry_check(const struct pg_entry *entry, const PGresult *described, struct cs_err *err) CS_MUST_USE;

/* ---- error.c ---- */

/* Fills err from a failed result; what names the statement. */
enum cs_status pg_fail_result(struct cs_err *err, const PGresult *result, const char *what);
/* Whether the connection is of no use after this failure. */
bool pg_result_ends_session(const PGresult *result);

/* ---- session.c: the connection ---- */

struct cs_pg {
    char *url;
    char *application;
    int64_t connect_timeout_ms;
    int64_t session_timeout_ms;
    int64_t timeout_ms;         /* wanted */
    int64_t timeout_applied_ms; /* what the server has; -1 unknown */
    PGconn *conn;               /* NULL: none; else connected, non-blocking, in pipeline mode */
    bool told_to_go;            /* by a notice */
    int wake_fd;                /* readable for ever after cs_pg_interrupt */
    atomic_bool interrupted;
    int64_t retry_at_ms; /* monotonic; before it no attempt to connect */
    int64_t backoff_ms;
    struct pg_entry **entries;
    size_t entry_count;
    size_t entry_capacity;
};

/* Makes sure that there is a live connection. */
enum cs_status pg_connect(struct cs_pg *pg, struct cs_err *err) CS_MUST_USE;
/* Closes it; the next call connects again. */
void pg_drop(struct cs_pg *pg);
/* Waits until the socket is ready for one of events. CANCELLED, or DEADLINE_EXCEEDED. */
enum cs_status pg_wait(struct cs_pg *pg, short events, int64_t deadline_ms, struct cs_err *err) CS_MUST_USE;
/* The entry of a statement, made when new. */
enum cs_status pg_entry_get(struct cs_pg *pg, const struct cs_pg_statement *statement, struct pg_entry **ret_entry,
                            struct cs_err *err) CS_MUST_USE;

/* ---- run.c: commands through the pipeline ---- */

struct pg_command {
    const struct cs_pg_statement *statement;
    const struct cs_pg_param *items;
    int item_count;
    const char *bytes; /* items' offsets count from here */
    struct pg_entry *entry;
    PGresult *result; /* the caller's to clear */
};

enum pg_mode {
    PG_READ,        /* a loss is always safe to repeat */
    PG_WRITE,       /* one statement that commits by itself */
    PG_TRANSACTION, /* between BEGIN and COMMIT */
};

enum cs_status pg_run(struct cs_pg *pg, enum pg_mode mode, struct pg_command *commands, size_t count,
                      struct cs_err *err) CS_MUST_USE;
/* Statements of any number without values, by the simple protocol. */
enum cs_status pg_script(struct cs_pg *pg, const char *what, const char *sql, int64_t timeout_ms,
                         struct cs_err *err) CS_MUST_USE;
struct pg_command pg_command_of(const struct cs_pg_statement *statement, const struct cs_pg_params *params);
void pg_command_clear(struct pg_command *command);

/* ---- rows.c ---- */

/* Takes the result over. */
struct cs_pg_rows *pg_rows_create(const struct pg_entry *entry, PGresult *result);
int64_t pg_affected(const PGresult *result);

#endif
