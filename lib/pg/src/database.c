/* Databases of a server: their names cannot be parameters, so they are restricted to plain words. */
#include <string.h>

#include "cs/base/text.h"
#include "cs/pg_server.h"
#include "internal.h"

enum { DATABASE_TIMEOUT_MS = 60000, NAME_MAX_LENGTH = 63 };

static enum cs_status check_name(const char *name, struct cs_err *err) {
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (length == 0 || length > NAME_MAX_LENGTH || name[length] != '\0') {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_name", "a database's name has 1 … 63 characters of [a-z0-9_]");
    }
    return CS_OK;
}

static enum cs_status run(const char *url, const char *what, const char *sql, struct cs_err *err) {
    CS_AUTO(cs_pg) *pg = NULL;
    CS_TRY(cs_pg_open(url, NULL, &pg, err));
    return pg_script(pg, what, sql, DATABASE_TIMEOUT_MS, err);
}

enum cs_status cs_pg_database_create(const char *url, const char *name, const char *template, bool *ret_created,
                                     struct cs_err *err) {
    CS_TRY(check_name(name, err));
    CS_TRY(template != NULL ? check_name(template, err) : CS_OK);
    CS_AUTO_FREE char *sql = cs_sprintf("create database %s%s%s", name, template != NULL ? " template " : "",
                                        template != NULL ? template : "");
    struct cs_err problem = {0};
    enum cs_status status = run(url, "creating a database", sql, &problem);
    bool exists = status == CS_ALREADY_EXISTS && cs_str_eq(problem.reason, "database_exists");
    if (status != CS_OK && !exists) {
        *err = problem;
        return status;
    }
    if (ret_created != NULL) {
        *ret_created = !exists;
    }
    return CS_OK;
}

enum cs_status cs_pg_database_rename(const char *url, const char *name, const char *new_name, struct cs_err *err) {
    CS_TRY(check_name(name, err));
    CS_TRY(check_name(new_name, err));
    CS_AUTO_FREE char *sql = cs_sprintf("alter database %s rename to %s", name, new_name);
    return run(url, "renaming a database", sql, err);
}

enum cs_status cs_pg_database_drop(const char *url, const char *name, struct cs_err *err) {
    CS_TRY(check_name(name, err));
    CS_AUTO_FREE char *sql = cs_sprintf("drop database if exists %s with (force)", name);
    return run(url, "dropping a database", sql, err);
}
