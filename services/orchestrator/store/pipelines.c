#include "store/pipelines.h"

#include "pipelines_sql.h"
#include "store/internal.h"

static const struct cs_pg_statement pipeline_put =
    CS_PG_STATEMENT(pipeline_put, "text text bytea int4 int4", "version:int4 created_at_ms:int8 existing:bool");
static const struct cs_pg_statement pipeline_get =
    CS_PG_STATEMENT(pipeline_get, "text text int4", "name:text version:int4 template:bytea created_at_ms:int8");
static const struct cs_pg_statement pipeline_list =
    CS_PG_STATEMENT(pipeline_list, "text", "name:text version:int4 created_at_ms:int8");

/* Asked again after a lost connection it finds what it wrote: the same text makes no second version. */
enum cs_status orc_store_pipeline_put(struct orc_store *store, const char *tenant, const char *name,
                                      const void *template, size_t template_size, struct orc_pipeline *ret_pipeline,
                                      bool *ret_existing, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    cs_pg_put_text(&params, tenant);
    cs_pg_put_text(&params, name);
    cs_pg_put_bytes(&params, template, template_size);
    cs_pg_put_i32(&params, ORC_PIPELINES_MAX);
    cs_pg_put_i32(&params, ORC_PIPELINE_VERSIONS_MAX);
    CS_TRY(cs_pg_one(store->pg, &pipeline_put, &params, &rows, err));
    *ret_pipeline = (struct orc_pipeline){
        .version = (int)cs_pg_i64(rows, "version"),
        .created_at_ms = cs_pg_i64(rows, "created_at_ms"),
    };
    *ret_existing = cs_pg_bool(rows, "existing");
    return CS_OK;
}

static struct orc_pipeline read_head(struct cs_pg_rows *rows, struct cs_arena *arena) {
    return (struct orc_pipeline){
        .name = cs_arena_strdup(arena, cs_pg_text(rows, "name")),
        .version = (int)cs_pg_i64(rows, "version"),
        .created_at_ms = cs_pg_i64(rows, "created_at_ms"),
    };
}

enum cs_status orc_store_pipeline_get(struct orc_store *store, const char *tenant, const char *name, int version,
                                      struct cs_arena *arena, struct orc_pipeline *ret_pipeline, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    cs_pg_put_text(&params, tenant);
    cs_pg_put_text(&params, name);
    cs_pg_put_i32(&params, version);
    CS_TRY(cs_pg_maybe(store->pg, &pipeline_get, &params, &rows, err));
    if (rows == NULL) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_pipeline", "Pipeline not found");
    }
    *ret_pipeline = read_head(rows, arena);
    const void *template = cs_pg_bytes(rows, "template", &ret_pipeline->template_size);
    ret_pipeline->template = cs_arena_copy(arena, template, ret_pipeline->template_size);
    return CS_OK;
}

enum cs_status orc_store_pipeline_list(struct orc_store *store, const char *tenant, struct cs_arena *arena,
                                       struct orc_pipeline **ret_pipelines, size_t *ret_count, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    cs_pg_put_text(&params, tenant);
    CS_TRY(cs_pg_many(store->pg, &pipeline_list, &params, &rows, err));
    struct orc_pipeline *pipelines = cs_arena_array(arena, cs_pg_count(rows) + 1, sizeof(*pipelines));
    size_t count = 0;
    while (cs_pg_next(rows)) {
        pipelines[count++] = read_head(rows, arena);
    }
    *ret_pipelines = pipelines;
    *ret_count = count;
    return CS_OK;
}
