#include "store/cache.h"

#include "cache_sql.h"
#include "store/internal.h"

static const struct cs_pg_statement cache_ask =
    CS_PG_STATEMENT(cache_ask, "bytea[] text[] text[] text[] text[] text[] int8 int8",
                    "hit:bool leads:bool miss:int4 by_execution:text by_job:text result:bytea");
static const struct cs_pg_statement cache_keep = CS_PG_STATEMENT(
    cache_keep, "int4[] bytea[] text[] text[] text[] text[] text[] text[] text[] bytea[] int8[] int8[]", "");
static const struct cs_pg_statement cache_invalidate = CS_PG_STATEMENT(cache_invalidate, "text text bytea[]", "");
static const struct cs_pg_statement cache_clean = CS_PG_STATEMENT(cache_clean, "int8 int8", "");

/* ---- asking ---- */

static void put_questions(struct cs_pg_params *params, const struct orc_cache_question *questions, size_t count) {
    CS_AUTO_PG_ARRAY subjects = {.type = CS_PG_BYTEA};
    CS_AUTO_PG_ARRAY engines = {.type = CS_PG_TEXT};
    CS_AUTO_PG_ARRAY tenants = {.type = CS_PG_TEXT};
    CS_AUTO_PG_ARRAY operations = {.type = CS_PG_TEXT};
    CS_AUTO_PG_ARRAY executions = {.type = CS_PG_TEXT};
    CS_AUTO_PG_ARRAY jobs = {.type = CS_PG_TEXT};
    for (size_t i = 0; i < count; i++) {
        cs_pg_add_bytes(&subjects, questions[i].subject, ORC_CACHE_SUBJECT_BYTES);
        cs_pg_add_text(&engines, questions[i].engine);
        cs_pg_add_text(&tenants, questions[i].tenant);
        cs_pg_add_text(&operations, questions[i].operation);
        cs_pg_add_text(&executions, questions[i].execution);
        cs_pg_add_text(&jobs, questions[i].job);
    }
    cs_pg_put_array(params, &subjects);
    cs_pg_put_array(params, &engines);
    cs_pg_put_array(params, &tenants);
    cs_pg_put_array(params, &operations);
    cs_pg_put_array(params, &executions);
    cs_pg_put_array(params, &jobs);
}

static void read_answer(struct cs_pg_rows *rows, struct cs_arena *arena, struct orc_cache_answer *answer) {
    size_t size = 0;
    const void *result = cs_pg_bytes(rows, "result", &size);
    int64_t miss = cs_pg_i64(rows, "miss");
    *answer = (struct orc_cache_answer){
        .verdict = cs_pg_bool(rows, "hit")     ? ORC_CACHE_HIT
                   : cs_pg_bool(rows, "leads") ? ORC_CACHE_LEAD
                                               : ORC_CACHE_HELD,
        .miss = miss > 0 && miss < ORC_CACHE_MISSES ? (enum orc_cache_miss)miss : ORC_CACHE_NO_MISS,
        .execution = cs_arena_strdup(arena, cs_pg_text(rows, "by_execution")),
        .job = cs_arena_strdup(arena, cs_pg_text(rows, "by_job")),
        .result = size != 0 ? cs_arena_copy(arena, result, size) : NULL,
        .result_size = size,
    };
}

enum cs_status orc_store_cache_ask(struct orc_store *store, const struct orc_cache_question *questions, size_t count,
                                   int64_t now_ms, int64_t ttl_ms, struct cs_arena *arena,
                                   struct orc_cache_answer **ret_answers, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    put_questions(&params, questions, count);
    cs_pg_put_i64(&params, now_ms);
    cs_pg_put_i64(&params, ttl_ms);
    cs_pg_batch_clear(store->batch);
    size_t asked = cs_pg_batch_add(store->batch, &cache_ask, &params);
    CS_TRY(cs_pg_batch_commit(store->batch, err));
    struct cs_pg_rows *rows = cs_pg_batch_rows(store->batch, asked);
    struct orc_cache_answer *answers = cs_arena_array(arena, count, sizeof(*answers));
    size_t at = 0;
    while (cs_pg_next(rows) && at < count) {
        read_answer(rows, arena, &answers[at++]);
    }
    if (at != count) {
        return cs_fail(err, CS_INTERNAL, "bad_answer", "%zu answers to %zu questions", at, count);
    }
    *ret_answers = answers;
    return CS_OK;
}

/* ---- keeping ---- */

struct kept_columns {
    struct cs_pg_array kinds;
    struct cs_pg_array subjects;
    struct cs_pg_array texts[7];
    struct cs_pg_array results;
    struct cs_pg_array times[2];
};

static void kept_columns_fini(struct kept_columns *columns) {
    cs_pg_array_fini(&columns->kinds);
    cs_pg_array_fini(&columns->subjects);
    for (size_t i = 0; i < CS_COUNT(columns->texts); i++) {
        cs_pg_array_fini(&columns->texts[i]);
    }
    cs_pg_array_fini(&columns->results);
    for (size_t i = 0; i < CS_COUNT(columns->times); i++) {
        cs_pg_array_fini(&columns->times[i]);
    }
}

static void add_kept(struct kept_columns *columns, const struct orc_row_kept *row) {
    cs_pg_add_i64(&columns->kinds, row->kind);
    cs_pg_add_bytes(&columns->subjects, row->subject, ORC_CACHE_SUBJECT_BYTES);
    cs_pg_add_text(&columns->texts[0], row->engine);
    cs_pg_add_text(&columns->texts[1], row->tenant);
    cs_pg_add_text(&columns->texts[2], row->operation);
    cs_pg_add_text(&columns->texts[3], row->execution);
    cs_pg_add_text(&columns->texts[4], row->job);
    cs_pg_add_text(&columns->texts[5], row->from_execution != NULL ? row->from_execution : "");
    cs_pg_add_text(&columns->texts[6], row->from_job != NULL ? row->from_job : "");
    if (row->kind == ORC_KEPT_RESULT) {
        cs_pg_add_bytes(&columns->results, row->result_size != 0 ? row->result : "", row->result_size);
    } else {
        cs_pg_add_null(&columns->results);
    }
    cs_pg_add_i64(&columns->times[0], row->created_at_ms);
    cs_pg_add_i64(&columns->times[1], row->expires_at_ms);
}

void orc_store_add_kept(struct orc_store *store, const struct orc_row_kept *rows, size_t count) {
    __attribute__((cleanup(kept_columns_fini))) struct kept_columns columns = {
        .kinds = {.type = CS_PG_INT4},
        .subjects = {.type = CS_PG_BYTEA},
        .texts = {{.type = CS_PG_TEXT},
                  {.type = CS_PG_TEXT},
                  {.type = CS_PG_TEXT},
                  {.type = CS_PG_TEXT},
                  {.type = CS_PG_TEXT},
                  {.type = CS_PG_TEXT},
                  {.type = CS_PG_TEXT}},
        .results = {.type = CS_PG_BYTEA},
        .times = {{.type = CS_PG_INT8}, {.type = CS_PG_INT8}},
    };
    for (size_t i = 0; i < count; i++) {
        add_kept(&columns, &rows[i]);
    }
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_array(&params, &columns.kinds);
    cs_pg_put_array(&params, &columns.subjects);
    for (size_t i = 0; i < CS_COUNT(columns.texts); i++) {
        cs_pg_put_array(&params, &columns.texts[i]);
    }
    cs_pg_put_array(&params, &columns.results);
    cs_pg_put_array(&params, &columns.times[0]);
    cs_pg_put_array(&params, &columns.times[1]);
    (void)cs_pg_batch_add(store->batch, &cache_keep, &params);
}

/* ---- forgetting ---- */

enum cs_status orc_store_cache_invalidate(struct orc_store *store, const char *tenant, const char *execution,
                                          const unsigned char (*subjects)[ORC_CACHE_SUBJECT_BYTES],
                                          size_t subject_count, int64_t *ret_count, struct cs_err *err) {
    CS_AUTO_PG_ARRAY all = {.type = CS_PG_BYTEA};
    for (size_t i = 0; i < subject_count; i++) {
        cs_pg_add_bytes(&all, subjects[i], ORC_CACHE_SUBJECT_BYTES);
    }
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, tenant);
    cs_pg_put_text(&params, execution);
    cs_pg_put_array(&params, &all);
    return cs_pg_exec(store->pg, &cache_invalidate, &params, ret_count, err);
}

enum cs_status orc_store_cache_clean(struct orc_store *store, int64_t before_ms, int64_t *ret_count,
                                     struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_i64(&params, before_ms);
    cs_pg_put_i64(&params, ORC_CACHE_CLEANED_MAX);
    return cs_pg_exec(store->pg, &cache_clean, &params, ret_count, err);
}
