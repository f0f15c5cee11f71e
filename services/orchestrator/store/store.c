#include "store/store.h"

#include "commit_sql.h"
#include "migrations_table.h"
#include "store/internal.h"

enum { STATEMENT_TIMEOUT_MS = 30 * 1000 };

static const struct cs_pg_options options = {
    .application = "callsheet-orchestrator",
    .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
};

static const struct cs_pg_statement replica_join = CS_PG_STATEMENT(replica_join, "text int8", "epoch:int8");

enum cs_status orc_store_migrate(const char *url, struct cs_err *err) {
    CS_AUTO(cs_pg) *pg = NULL;
    CS_TRY(cs_pg_open(url, &options, &pg, err));
    return cs_pg_migrate(pg, migrations, migration_count, NULL, err);
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

enum cs_status orc_store_join(struct orc_store *store, const char *replica, int64_t now_ms, int64_t *ret_epoch,
                              struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, replica);
    cs_pg_put_i64(&params, now_ms);
    cs_pg_batch_clear(store->batch);
    size_t joined = cs_pg_batch_add(store->batch, &replica_join, &params);
    CS_TRY(cs_pg_batch_commit(store->batch, err));
    struct cs_pg_rows *rows = cs_pg_batch_rows(store->batch, joined);
    if (!cs_pg_next(rows)) {
        return cs_fail(err, CS_INTERNAL, "bad_answer", "joining as %s gave no epoch", replica);
    }
    free(store->replica);
    store->replica = cs_strdup(replica);
    store->epoch = cs_pg_i64(rows, "epoch");
    *ret_epoch = store->epoch;
    return CS_OK;
}
