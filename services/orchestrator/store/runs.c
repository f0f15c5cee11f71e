#include "store/runs.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "runs_sql.h"
#include "store/internal.h"

#define RUN                                                                                                            \
    "tenant:text id:text job_type:text status:int4 revision:int8 started_at_ms:int8 ended_at_ms:int8 "                 \
    "heartbeat_at_ms:int8 lease_ms:int8 lease_until_ms:int8 deadline_ms:int8 metric_names:text[] metric_rules:int8[] " \
    "metric_values:text[] notes:text now_ms:int8"

static const struct cs_pg_statement run_number =
    CS_PG_STATEMENT(run_number, "text", "second:int8 number:int8 now_ms:int8");
static const struct cs_pg_statement run_insert = CS_PG_STATEMENT(
    run_insert, "text text text text text int4 int8 int8 int8 int8 int8 int8 int8 text[] int8[] text[] text text",
    "id:text");
static const struct cs_pg_statement run_update =
    CS_PG_STATEMENT(run_update, "text text int8 int4 int8 int8 int8 int8 int8 text[] int8[] text[] text", "id:text");
static const struct cs_pg_statement run_get = CS_PG_STATEMENT(run_get, "text text", RUN);
static const struct cs_pg_statement run_running = CS_PG_STATEMENT(run_running, "text text text", RUN);
static const struct cs_pg_statement run_clients = CS_PG_STATEMENT(run_clients, "text text int8", RUN);
static const struct cs_pg_statement run_client_count = CS_PG_STATEMENT(run_client_count, "text text", "count:int8");
static const struct cs_pg_statement run_list =
    CS_PG_STATEMENT(run_list, "text text text bool bool int8 text int8", RUN);
static const struct cs_pg_statement run_due = CS_PG_STATEMENT(run_due, "int8", RUN);

/* ---- runs -> rows ---- */

/* Numbers as text that reads back the same; a rule below zero says that the value is text. */
static void put_metrics(struct cs_pg_params *params, const struct orc_run_metrics *metrics) {
    CS_AUTO_PG_ARRAY names = {.type = CS_PG_TEXT};
    CS_AUTO_PG_ARRAY rules = {.type = CS_PG_INT8};
    CS_AUTO_PG_ARRAY values = {.type = CS_PG_TEXT};
    for (size_t i = 0; i < metrics->count; i++) {
        const struct orc_run_metric *metric = &metrics->items[i];
        char number[40];
        (void)snprintf(number, sizeof(number), "%.17g", metric->number);
        cs_pg_add_text(&names, metric->name);
        cs_pg_add_i64(&rules, metric->text != NULL ? -(int64_t)metric->rule : (int64_t)metric->rule);
        cs_pg_add_text(&values, metric->text != NULL ? metric->text : number);
    }
    cs_pg_put_array(params, &names);
    cs_pg_put_array(params, &rules);
    cs_pg_put_array(params, &values);
}

/* ---- rows -> runs ---- */

static bool read_metric(const char *name, int64_t rule, const char *value, struct orc_run_metric *metric) {
    int64_t word = rule < 0 ? -rule : rule;
    if (name == NULL || value == NULL || word <= ORC_RUN_RULE_DEFAULT || word >= ORC_RUN_RULES) {
        return false;
    }
    *metric = (struct orc_run_metric){.name = name, .rule = (enum orc_run_rule)word, .text = rule < 0 ? value : NULL};
    return rule < 0 || cs_parse_f64(value, -1e300, 1e300, &metric->number);
}

static bool read_metrics(struct cs_pg_rows *rows, struct cs_arena *arena, struct orc_run_metrics *metrics) {
    size_t counts[3];
    const char *const *names = cs_pg_texts(rows, "metric_names", arena, &counts[0]);
    const int64_t *rules = cs_pg_i64s(rows, "metric_rules", arena, &counts[1]);
    const char *const *values = cs_pg_texts(rows, "metric_values", arena, &counts[2]);
    if (counts[0] != counts[1] || counts[0] != counts[2]) {
        return false;
    }
    metrics->items = cs_arena_array(arena, counts[0] + 1, sizeof(*metrics->items));
    for (size_t i = 0; i < counts[0]; i++) {
        if (!read_metric(names[i], rules[i], values[i], &metrics->items[i])) {
            return false;
        }
    }
    metrics->count = counts[0];
    return true;
}

static enum cs_status read_run(struct cs_pg_rows *rows, struct cs_arena *arena, struct orc_run *ret_run,
                               struct cs_err *err) {
    struct orc_run run = {
        .tenant = cs_arena_strdup(arena, cs_pg_text(rows, "tenant")),
        .job_type = cs_arena_strdup(arena, cs_pg_text(rows, "job_type")),
        .status = (int)cs_pg_i64(rows, "status"),
        .revision = (uint64_t)cs_pg_i64(rows, "revision"),
        .started_at_ms = cs_pg_i64(rows, "started_at_ms"),
        .ended_at_ms = cs_pg_i64(rows, "ended_at_ms"),
        .heartbeat_at_ms = cs_pg_i64(rows, "heartbeat_at_ms"),
        .lease_ms = cs_pg_i64(rows, "lease_ms"),
        .lease_until_ms = cs_pg_i64(rows, "lease_until_ms"),
        .deadline_ms = cs_pg_i64(rows, "deadline_ms"),
        .notes = cs_arena_strdup(arena, cs_pg_text(rows, "notes")),
    };
    struct cs_err unused;
    if (orc_run_id_parse(cs_pg_text(rows, "id"), &run.id, &unused) != CS_OK ||
        !read_metrics(rows, arena, &run.metrics)) {
        return cs_fail(err, CS_DATA_LOSS, "bad_run_row", "the row of run %s is no run", cs_pg_text(rows, "id"));
    }
    *ret_run = run;
    return CS_OK;
}

static enum cs_status read_one(struct orc_store *store, const struct cs_pg_statement *statement,
                               const struct cs_pg_params *params, struct cs_arena *arena, const char *base,
                               struct orc_run_read *ret_read, struct cs_err *err) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_maybe(store->pg, statement, params, &rows, err));
    if (rows == NULL) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_run", "Job tracking record not found for base run ID: %s", base);
    }
    CS_TRY(read_run(rows, arena, &ret_read->run, err));
    ret_read->now_ms = cs_pg_i64(rows, "now_ms");
    return CS_OK;
}

static enum cs_status read_many(struct orc_store *store, const struct cs_pg_statement *statement,
                                const struct cs_pg_params *params, struct cs_arena *arena,
                                struct orc_run_list *ret_list, struct cs_err *err) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_many(store->pg, statement, params, &rows, err));
    struct orc_run_list list = {.read = cs_pg_count(rows)};
    list.runs = cs_arena_array(arena, list.read + 1, sizeof(*list.runs));
    while (cs_pg_next(rows)) {
        struct cs_err bad = {0};
        list.now_ms = cs_pg_i64(rows, "now_ms");
        if (read_run(rows, arena, &list.runs[list.count], &bad) == CS_OK) {
            list.count++;
        } else if (orc_run_strategy(orc_run_trouble_of(&bad)) == ORC_RUN_LOG_AND_CONTINUE) {
            cs_log_warn("run is left out of a list", CS_KVE(&bad));
        } else {
            *err = bad;
            return bad.status;
        }
    }
    *ret_list = list;
    return CS_OK;
}

/* ---- writing ---- */

/* A statement that writes and returns rows, alone in a batch: a lost connection is told from a lost commit. */
static enum cs_status write_one(struct orc_store *store, const struct cs_pg_statement *statement,
                                const struct cs_pg_params *params, struct cs_pg_rows **ret_rows, struct cs_err *err) {
    cs_pg_batch_clear(store->batch);
    size_t index = cs_pg_batch_add(store->batch, statement, params);
    CS_TRY(cs_pg_batch_commit(store->batch, err));
    *ret_rows = cs_pg_batch_rows(store->batch, index);
    return CS_OK;
}

enum cs_status orc_store_run_number(struct orc_store *store, const char *tenant, struct orc_run_number *ret_number,
                                    struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    struct cs_pg_rows *rows = NULL;
    cs_pg_put_text(&params, tenant);
    CS_TRY(write_one(store, &run_number, &params, &rows, err));
    if (!cs_pg_next(rows)) {
        return cs_fail(err, CS_INTERNAL, "bad_answer", "a number of a run came without a row");
    }
    ret_number->unix_s = cs_pg_i64(rows, "second");
    ret_number->number = cs_pg_i64(rows, "number");
    ret_number->now_ms = cs_pg_i64(rows, "now_ms");
    return CS_OK;
}

enum cs_status orc_store_run_insert(struct orc_store *store, const struct orc_run *run, const char *base,
                                    bool *ret_done, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    struct cs_pg_rows *rows = NULL;
    cs_pg_put_text(&params, run->tenant);
    cs_pg_put_text(&params, run->id.text);
    cs_pg_put_text(&params, run->id.base);
    cs_pg_put_text(&params, run->id.client);
    cs_pg_put_text(&params, run->job_type);
    cs_pg_put_i32(&params, run->status);
    cs_pg_put_i64(&params, (int64_t)run->revision);
    cs_pg_put_i64(&params, run->started_at_ms);
    cs_pg_put_i64(&params, run->heartbeat_at_ms);
    cs_pg_put_i64(&params, run->lease_ms);
    cs_pg_put_i64(&params, run->lease_until_ms);
    cs_pg_put_i64(&params, run->deadline_ms);
    cs_pg_put_i64(&params, orc_run_wake_at(run));
    put_metrics(&params, &run->metrics);
    cs_pg_put_text(&params, run->notes);
    cs_pg_put_text(&params, base);
    CS_TRY(write_one(store, &run_insert, &params, &rows, err));
    *ret_done = cs_pg_next(rows);
    return CS_OK;
}

enum cs_status orc_store_run_update(struct orc_store *store, const struct orc_run *run, bool *ret_done,
                                    struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    struct cs_pg_rows *rows = NULL;
    cs_pg_put_text(&params, run->tenant);
    cs_pg_put_text(&params, run->id.text);
    cs_pg_put_i64(&params, (int64_t)run->revision - 1);
    cs_pg_put_i32(&params, run->status);
    cs_pg_put_i64(&params, (int64_t)run->revision);
    cs_pg_put_i64(&params, run->ended_at_ms);
    cs_pg_put_i64(&params, run->heartbeat_at_ms);
    cs_pg_put_i64(&params, run->lease_until_ms);
    cs_pg_put_i64(&params, orc_run_wake_at(run));
    put_metrics(&params, &run->metrics);
    cs_pg_put_text(&params, run->notes);
    CS_TRY(write_one(store, &run_update, &params, &rows, err));
    *ret_done = cs_pg_next(rows);
    return CS_OK;
}

/* ---- reading ---- */

enum cs_status orc_store_run_get(struct orc_store *store, const char *tenant, const struct orc_run_id *id,
                                 struct cs_arena *arena, struct orc_run_read *ret_read, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, tenant);
    cs_pg_put_text(&params, id->text);
    return read_one(store, &run_get, &params, arena, id->base, ret_read, err);
}

enum cs_status orc_store_run_running(struct orc_store *store, const char *tenant, const char *job_type,
                                     const char *client, struct cs_arena *arena, struct orc_run_read *ret_read,
                                     struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, tenant);
    cs_pg_put_text(&params, job_type);
    cs_pg_put_text(&params, client);
    return read_one(store, &run_running, &params, arena, "none is running", ret_read, err);
}

enum cs_status orc_store_run_list(struct orc_store *store, const struct orc_run_filter *filter, struct cs_arena *arena,
                                  struct orc_run_list *ret_list, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, filter->tenant);
    cs_pg_put_text(&params, filter->job_type);
    cs_pg_put_text(&params, filter->client);
    cs_pg_put_bool(&params, filter->without_client);
    cs_pg_put_bool(&params, filter->running_only);
    cs_pg_put_i64(&params, filter->before_ms);
    cs_pg_put_text(&params, filter->before_id);
    cs_pg_put_i64(&params, (int64_t)filter->limit);
    return read_many(store, &run_list, &params, arena, ret_list, err);
}

enum cs_status orc_store_run_clients(struct orc_store *store, const char *tenant, const char *base, size_t limit,
                                     struct cs_arena *arena, struct orc_run_list *ret_list, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, tenant);
    cs_pg_put_text(&params, base);
    cs_pg_put_i64(&params, (int64_t)limit);
    return read_many(store, &run_clients, &params, arena, ret_list, err);
}

enum cs_status orc_store_run_client_count(struct orc_store *store, const char *tenant, const char *base,
                                          int64_t *ret_count, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    cs_pg_put_text(&params, tenant);
    cs_pg_put_text(&params, base);
    CS_TRY(cs_pg_one(store->pg, &run_client_count, &params, &rows, err));
    *ret_count = cs_pg_i64(rows, "count");
    return CS_OK;
}

enum cs_status orc_store_run_due(struct orc_store *store, size_t limit, struct cs_arena *arena,
                                 struct orc_run_list *ret_list, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_i64(&params, (int64_t)limit);
    return read_many(store, &run_due, &params, arena, ret_list, err);
}
