#include "store/partitions.h"

#include "partitions_sql.h"
#include "store/internal.h"

static const struct cs_pg_statement partition_make = CS_PG_STATEMENT(partition_make, "int4 int4", "made:bool");
static const struct cs_pg_statement partition_retire = CS_PG_STATEMENT(partition_retire, "int8", "suffix:text");
static const struct cs_pg_statement keys_forget = CS_PG_STATEMENT(keys_forget, "text int8", "count:int8");
static const struct cs_pg_statement partition_drop = CS_PG_STATEMENT(partition_drop, "text int8", "dropped:bool");
static const struct cs_pg_statement runs_forget = CS_PG_STATEMENT(runs_forget, "int8 int8", "");

enum cs_status orc_store_partition_make(struct orc_store *store, int32_t day, int32_t width, bool *ret_made,
                                        struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    cs_pg_put_i32(&params, day);
    cs_pg_put_i32(&params, width);
    CS_TRY(cs_pg_one(store->pg, &partition_make, &params, &rows, err));
    *ret_made = cs_pg_bool(rows, "made");
    return CS_OK;
}

enum cs_status orc_store_partition_retire(struct orc_store *store, int64_t before_ms, struct cs_arena *arena,
                                          const char **ret_suffix, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    cs_pg_put_i64(&params, before_ms);
    CS_TRY(cs_pg_one(store->pg, &partition_retire, &params, &rows, err));
    *ret_suffix = cs_arena_strdup(arena, cs_pg_text(rows, "suffix"));
    return CS_OK;
}

enum cs_status orc_store_keys_forget(struct orc_store *store, const char *suffix, int64_t *ret_count,
                                     struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    cs_pg_put_text(&params, suffix);
    cs_pg_put_i64(&params, ORC_FORGOTTEN_MAX);
    CS_TRY(cs_pg_one(store->pg, &keys_forget, &params, &rows, err));
    *ret_count = cs_pg_i64(rows, "count");
    return CS_OK;
}

enum cs_status orc_store_partition_drop(struct orc_store *store, const char *suffix, bool *ret_dropped,
                                        struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    cs_pg_put_text(&params, suffix);
    cs_pg_put_i64(&params, ORC_DROP_WAIT_MS);
    CS_TRY(cs_pg_one(store->pg, &partition_drop, &params, &rows, err));
    *ret_dropped = cs_pg_bool(rows, "dropped");
    return CS_OK;
}

enum cs_status orc_store_runs_forget(struct orc_store *store, int64_t before_ms, int64_t *ret_count,
                                     struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_i64(&params, before_ms);
    cs_pg_put_i64(&params, ORC_FORGOTTEN_MAX);
    return cs_pg_exec(store->pg, &runs_forget, &params, ret_count, err);
}
