#include "pg_schema.h"

#include "migrations_table.h"

static enum cs_status prepare(const char *url, __attribute__((unused)) void *ctx, struct cs_err *err) {
    CS_AUTO(cs_pg) *pg = NULL;
    CS_TRY(cs_pg_open(url, NULL, &pg, err));
    return cs_pg_migrate(pg, migrations, migration_count, NULL, err);
}

const struct cs_test_template pg_schema = {.name = "pg_schema", .prepare = prepare};
