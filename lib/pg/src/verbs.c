/* The calls that users make, over pg_run. */
#include <string.h>

#include "internal.h"

enum cs_status cs_pg_exec(struct cs_pg *pg, const struct cs_pg_statement *statement, const struct cs_pg_params *params,
                          int64_t *ret_affected, struct cs_err *err) {
    struct pg_command command = pg_command_of(statement, params);
    CS_TRY(pg_run(pg, PG_WRITE, &command, 1, err));
    if (ret_affected != NULL) {
        *ret_affected = pg_affected(command.result);
    }
    pg_command_clear(&command);
    return CS_OK;
}

enum cs_status cs_pg_many(struct cs_pg *pg, const struct cs_pg_statement *statement, const struct cs_pg_params *params,
                          struct cs_pg_rows **ret_rows, struct cs_err *err) {
    struct pg_command command = pg_command_of(statement, params);
    CS_TRY(pg_run(pg, PG_READ, &command, 1, err));
    *ret_rows = pg_rows_create(command.entry, command.result);
    return CS_OK;
}

enum cs_status cs_pg_maybe(struct cs_pg *pg, const struct cs_pg_statement *statement, const struct cs_pg_params *params,
                           struct cs_pg_rows **ret_rows, struct cs_err *err) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_many(pg, statement, params, &rows, err));
    if (cs_pg_count(rows) > 1) {
        return cs_fail(err, CS_INTERNAL, "too_many_rows", "%s: returned %zu rows, one is right", statement->name,
                       cs_pg_count(rows));
    }
    *ret_rows = cs_pg_next(rows) ? cs_steal(&rows) : NULL;
    return CS_OK;
}

enum cs_status cs_pg_one(struct cs_pg *pg, const struct cs_pg_statement *statement, const struct cs_pg_params *params,
                         struct cs_pg_rows **ret_rows, struct cs_err *err) {
    struct cs_pg_rows *rows = NULL;
    CS_TRY(cs_pg_maybe(pg, statement, params, &rows, err));
    if (rows == NULL) {
        return cs_fail(err, CS_NOT_FOUND, "no_row", "%s: there is no such row", statement->name);
    }
    *ret_rows = rows;
    return CS_OK;
}
