#include <string.h>

#include "cs/crypto.h"
#include "internal.h"

enum {
    LOCK_WAIT_MS = 60 * 1000,
    SCRIPT_TIMEOUT_MS = 60 * 60 * 1000,
};

/* The key of the advisory lock is arbitrary but the same in every replica. */
static const char lock_sql[] = "set statement_timeout = 0; set lock_timeout = 60000;"
                               "select pg_advisory_lock(20261124, 1);"
                               "create table if not exists schema_migrations ("
                               "  number int4 primary key, name text not null, checksum text not null,"
                               "  applied_at timestamptz not null default now());";
static const char unlock_sql[] = "reset lock_timeout; select pg_advisory_unlock(20261124, 1);";

static const struct cs_pg_statement applied_list = {
    "cs_migrations_applied", "select number, name, checksum from schema_migrations order by number", "",
    "number:int4 name:text checksum:text"};

static void checksum_of(const struct cs_pg_migration *migration, char ret_text[CS_SHA256_HEX_SIZE]) {
    unsigned char digest[CS_SHA256_BYTES];
    cs_sha256_of(migration->sql, strlen(migration->sql), digest);
    cs_hex_format(digest, sizeof(digest), ret_text);
}

static enum cs_status check_list(const struct cs_pg_migration *migrations, size_t count, struct cs_err *err) {
    for (size_t i = 0; i < count; i++) {
        bool word = strspn(migrations[i].name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(migrations[i].name);
        if (migrations[i].number != (int)i + 1 || !word) {
            return cs_fail(err, CS_INTERNAL, "bad_migrations", "migration %zu is numbered %d and named \"%s\"", i + 1,
                           migrations[i].number, migrations[i].name);
        }
    }
    return CS_OK;
}

/* Compares what the database has with what the program knows; ret_done: how many have run. */
static enum cs_status check_applied(struct cs_pg *pg, const struct cs_pg_migration *migrations, size_t count,
                                    size_t *ret_done, struct cs_err *err) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_many(pg, &applied_list, NULL, &rows, err));
    if (cs_pg_count(rows) > count) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "database_newer",
                       "the database is at migration %zu, this program knows %zu: run a newer program",
                       cs_pg_count(rows), count);
    }
    for (size_t i = 0; cs_pg_next(rows); i++) {
        char checksum[CS_SHA256_HEX_SIZE];
        checksum_of(&migrations[i], checksum);
        if (cs_pg_i64(rows, "number") != migrations[i].number || strcmp(cs_pg_text(rows, "checksum"), checksum) != 0) {
            return cs_fail(err, CS_FAILED_PRECONDITION, "migration_changed",
                           "migration %04d_%s is not the one that the database has run (%s)", migrations[i].number,
                           migrations[i].name, cs_pg_text(rows, "name"));
        }
    }
    *ret_done = cs_pg_count(rows);
    return CS_OK;
}

static enum cs_status apply(struct cs_pg *pg, const struct cs_pg_migration *migration, struct cs_err *err) {
    char checksum[CS_SHA256_HEX_SIZE];
    checksum_of(migration, checksum);
    CS_AUTO_BUF script = {0};
    cs_buf_printf(&script,
                  "set statement_timeout = 0;\nbegin;\n%s\n;insert into schema_migrations (number, name, checksum) "
                  "values (%d, '%s', '%s');"
                  "\ncommit;",
                  migration->sql, migration->number, migration->name, checksum);
    char what[128];
    (void)snprintf(what, sizeof(what), "migration %04d_%s", migration->number, migration->name);
    enum cs_status status = pg_script(pg, what, script.data, SCRIPT_TIMEOUT_MS, err);
    if (status != CS_OK) {
        pg_drop(pg); /* with its transaction and the lock */
    }
    return status;
}

static enum cs_status migrate_locked(struct cs_pg *pg, const struct cs_pg_migration *migrations, size_t count,
                                     int *ret_applied, struct cs_err *err) {
    size_t done = 0;
    CS_TRY(check_applied(pg, migrations, count, &done, err));
    for (size_t i = done; i < count; i++) {
        CS_TRY(apply(pg, &migrations[i], err));
    }
    if (ret_applied != NULL) {
        *ret_applied = (int)(count - done);
    }
    return CS_OK;
}

enum cs_status cs_pg_migrate(struct cs_pg *pg, const struct cs_pg_migration *migrations, size_t count, int *ret_applied,
                             struct cs_err *err) {
    CS_TRY(check_list(migrations, count, err));
    CS_TRY(pg_script(pg, "waiting for the lock of migrations", lock_sql, LOCK_WAIT_MS * 2, err));
    pg->timeout_applied_ms = 0;
    int64_t timeout_ms = pg->timeout_ms;
    pg->timeout_ms = LOCK_WAIT_MS;
    enum cs_status status = migrate_locked(pg, migrations, count, ret_applied, err);
    pg->timeout_ms = timeout_ms;
    pg->timeout_applied_ms = -1;
    struct cs_err ignored = {0};
    if (pg->conn != NULL && pg_script(pg, "unlocking", unlock_sql, LOCK_WAIT_MS, &ignored) != CS_OK) {
        pg_drop(pg); /* the lock goes with the connection */
    }
    return status;
}
