/* Joining, being alive, taking over. */
#include "commit_sql.h"
#include "replicas_sql.h"
#include "store/internal.h"

static const struct cs_pg_statement replica_join = CS_PG_STATEMENT(replica_join, "text int8", "epoch:int8");
static const struct cs_pg_statement replica_rejoin = CS_PG_STATEMENT(replica_rejoin, "text int8 int8", "epoch:int8");
static const struct cs_pg_statement lease_take = CS_PG_STATEMENT(lease_take, "text int8 int8", "");
static const struct cs_pg_statement replica_keep =
    CS_PG_STATEMENT(replica_keep, "text int8 text int8", "kept:bool dead:text next_ms:int8");
static const struct cs_pg_statement lease_release = CS_PG_STATEMENT(lease_release, "text int8", "");
static const struct cs_pg_statement replica_fence_dead = CS_PG_STATEMENT(replica_fence_dead, "text int4", "epoch:int8");
static const struct cs_pg_statement replica_fenced = CS_PG_STATEMENT(replica_fenced, "text int8", "ok:bool");
static const struct cs_pg_statement executions_claim =
    CS_PG_STATEMENT(executions_claim, "text text int8 int8 text", ORC_WHOLE);
static const struct cs_pg_statement replica_remove = CS_PG_STATEMENT(replica_remove, "text int8", "");

/* ---- joining ---- */

void orc_store_assume(struct orc_store *store, const char *replica, int64_t epoch) {
    free(store->replica);
    store->replica = cs_strdup(replica);
    store->epoch = epoch;
}

/* What the batch starts with says whether we are in. */
static enum cs_status join(struct orc_store *store, const char *replica, int64_t now_ms, int64_t *ret_epoch,
                           struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, replica);
    cs_pg_put_i64(&params, now_ms);
    cs_pg_put_i64(&params, ORC_LEASE_MS);
    (void)cs_pg_batch_add(store->batch, &lease_take, &params);
    CS_TRY(cs_pg_batch_commit(store->batch, err));
    struct cs_pg_rows *rows = cs_pg_batch_rows(store->batch, 0);
    if (!cs_pg_next(rows)) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "replica_taken",
                       "another process runs under the name %s; give each its own --replica, or none", replica);
    }
    orc_store_assume(store, replica, cs_pg_i64(rows, "epoch"));
    *ret_epoch = store->epoch;
    return CS_OK;
}

enum cs_status orc_store_join(struct orc_store *store, const char *replica, int64_t now_ms, int64_t *ret_epoch,
                              struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, replica);
    cs_pg_put_i64(&params, now_ms);
    cs_pg_batch_clear(store->batch);
    (void)cs_pg_batch_add(store->batch, &replica_join, &params);
    return join(store, replica, now_ms, ret_epoch, err);
}

enum cs_status orc_store_rejoin(struct orc_store *store, const char *replica, int64_t epoch, int64_t now_ms,
                                int64_t *ret_epoch, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, replica);
    cs_pg_put_i64(&params, now_ms);
    cs_pg_put_i64(&params, epoch);
    cs_pg_batch_clear(store->batch);
    (void)cs_pg_batch_add(store->batch, &replica_rejoin, &params);
    return join(store, replica, now_ms, ret_epoch, err);
}

/* ---- being alive ---- */

enum cs_status orc_store_keep(struct orc_store *store, const char *address, struct cs_arena *arena,
                              struct orc_alive *ret_alive, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, store->replica);
    cs_pg_put_i64(&params, store->epoch);
    cs_pg_put_text(&params, address);
    cs_pg_put_i64(&params, ORC_LEASE_MS);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_one(store->pg, &replica_keep, &params, &rows, err));
    ret_alive->kept = cs_pg_bool(rows, "kept");
    ret_alive->dead = cs_arena_strdup(arena, cs_pg_text(rows, "dead"));
    ret_alive->next_ms = cs_pg_i64(rows, "next_ms");
    return CS_OK;
}

/* A name and an epoch: what most statements about replicas want. */
static enum cs_status run(struct orc_store *store, const struct cs_pg_statement *statement, const char *name,
                          int64_t epoch, bool *ret_done, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, name);
    cs_pg_put_i64(&params, epoch);
    int64_t affected = 0;
    CS_TRY(cs_pg_exec(store->pg, statement, &params, &affected, err));
    if (ret_done != NULL) {
        *ret_done = affected > 0;
    }
    return CS_OK;
}

enum cs_status orc_store_release(struct orc_store *store, bool *ret_released, struct cs_err *err) {
    return store->replica == NULL ? CS_OK : run(store, &lease_release, store->replica, store->epoch, ret_released, err);
}

/* ---- taking over ---- */

enum cs_status orc_store_fence(struct orc_store *store, const char *dead, int64_t *ret_epoch, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, dead);
    cs_pg_put_i32(&params, ORC_LOG_VERSION);
    cs_pg_batch_clear(store->batch);
    size_t fenced = cs_pg_batch_add(store->batch, &replica_fence_dead, &params);
    CS_TRY(cs_pg_batch_commit(store->batch, err));
    struct cs_pg_rows *rows = cs_pg_batch_rows(store->batch, fenced);
    *ret_epoch = cs_pg_next(rows) ? cs_pg_i64(rows, "epoch") : 0;
    return CS_OK;
}

static void add_fenced(struct orc_store *store, const char *dead, int64_t epoch) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, dead);
    cs_pg_put_i64(&params, epoch);
    (void)cs_pg_batch_add(store->batch, &replica_fenced, &params);
}

enum cs_status orc_store_claim(struct orc_store *store, const char *dead, int64_t epoch, const char *after_id,
                               size_t limit, struct cs_arena *arena, struct orc_stored **ret_items, size_t *ret_count,
                               struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, dead);
    cs_pg_put_text(&params, store->replica);
    cs_pg_put_i64(&params, (int64_t)limit);
    cs_pg_put_i64(&params, ORC_READ_BYTES_MAX);
    cs_pg_put_text(&params, after_id);
    cs_pg_batch_clear(store->batch);
    orc_store_add_fence(store);
    add_fenced(store, dead, epoch);
    size_t claimed = cs_pg_batch_add(store->batch, &executions_claim, &params);
    if (cs_pg_batch_commit(store->batch, err) != CS_OK) {
        return orc_store_explain(err);
    }
    if (orc_store_read_whole(store, cs_pg_batch_rows(store->batch, claimed), arena, ret_items, ret_count, err) !=
        CS_OK) {
        err->retryable = false; /* they are ours now: only a new start finds them */
        return err->status;
    }
    return CS_OK;
}

enum cs_status orc_store_remove(struct orc_store *store, const char *dead, int64_t epoch, bool *ret_removed,
                                struct cs_err *err) {
    return run(store, &replica_remove, dead, epoch, ret_removed, err);
}
