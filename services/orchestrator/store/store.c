#include "store/store.h"

#include "migrations_table.h"
#include "partitions_sql.h"
#include "store/internal.h"

enum { STATEMENT_TIMEOUT_MS = 30 * 1000 };

static const struct cs_pg_options options = {
    .application = "callsheet-orchestrator",
    .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
};

static const struct cs_pg_statement log_version_raise = CS_PG_STATEMENT(log_version_raise, "int4", "version:int4");

static enum cs_status raise_version(struct cs_pg *pg, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    cs_pg_put_i32(&params, ORC_LOG_VERSION);
    CS_TRY(cs_pg_one(pg, &log_version_raise, &params, &rows, err));
    if (cs_pg_i64(rows, "version") > ORC_LOG_VERSION) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "log_newer",
                       "the log has events of version %d, this program knows %d: run a newer program",
                       (int)cs_pg_i64(rows, "version"), ORC_LOG_VERSION);
    }
    return CS_OK;
}

enum cs_status orc_store_migrate(const char *url, struct cs_err *err) {
    CS_AUTO(cs_pg) *pg = NULL;
    CS_TRY(cs_pg_open(url, &options, &pg, err));
    CS_TRY(cs_pg_migrate(pg, migrations, migration_count, NULL, err));
    return raise_version(pg, err);
}

enum cs_status orc_store_open(const char *url, struct orc_store **ret_store, struct cs_err *err) {
    struct cs_pg *pg = NULL;
    CS_TRY(cs_pg_open_lazy(url, &options, &pg, err));
    struct orc_store *store = cs_alloc(sizeof(*store));
    store->pg = pg;
    store->batch = cs_pg_batch_create(pg);
    *ret_store = store;
    return CS_OK;
}

void orc_store_close(struct orc_store *store) {
    if (store == NULL) {
        return;
    }
    cs_pg_batch_destroy(store->batch);
    cs_pg_close(store->pg);
    free(store->replica);
    free(store);
}

void orc_store_interrupt(struct orc_store *store) {
    cs_pg_interrupt(store->pg);
}
