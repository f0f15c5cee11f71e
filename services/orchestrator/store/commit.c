/* One group commit: a few set-based statements in one round trip. */
#include <string.h>

#include "commit_sql.h"
#include "cs/base/text.h"
#include "domain/execution_id.h"
#include "store/internal.h"
#include "store/partitions.h"

static const struct cs_pg_statement replica_fence = CS_PG_STATEMENT(replica_fence, "text int8", "ok:bool");
static const struct cs_pg_statement executions_insert = CS_PG_STATEMENT(
    executions_insert, "text[] text[] text[] bytea[] bytea[] text[] int8[] int8[] text[] text int4[]", "id:text");
static const struct cs_pg_statement events_append =
    CS_PG_STATEMENT(events_append, "text[] int8[] int4[] int4[] int4[] int8[] bytea[] int4[] int4", "");
static const struct cs_pg_statement events_append_if_created =
    CS_PG_STATEMENT(events_append_if_created, "text[] int8[] int4[] int4[] int4[] int8[] bytea[] int4[] int4", "");
static const struct cs_pg_statement heads_by_key = CS_PG_STATEMENT(heads_by_key, "", "setting:text");
static const struct cs_pg_statement heads_update =
    CS_PG_STATEMENT(heads_update, "text[] int4[] bool[] int8[] int8[] int8[] int8[] bytea[] bytea[] int4[]", "");

/* ---- columns ---- */

/* A set of arrays, one a column. */
struct columns {
    struct cs_pg_array items[10];
    size_t count;
};

static void columns_init(struct columns *columns, const enum cs_pg_type *types, size_t count) {
    *columns = (struct columns){.count = count};
    for (size_t i = 0; i < count; i++) {
        columns->items[i].type = types[i];
    }
}

static void columns_fini(struct columns *columns) {
    for (size_t i = 0; i < columns->count; i++) {
        cs_pg_array_fini(&columns->items[i]);
    }
}
#define AUTO_COLUMNS __attribute__((cleanup(columns_fini))) struct columns

static void put_columns(struct cs_pg_params *params, const struct columns *columns) {
    for (size_t i = 0; i < columns->count; i++) {
        cs_pg_put_array(params, &columns->items[i]);
    }
}

static void add_maybe_bytes(struct cs_pg_array *array, const void *bytes, size_t size_bytes) {
    if (bytes == NULL) {
        cs_pg_add_null(array);
    } else {
        cs_pg_add_bytes(array, bytes, size_bytes);
    }
}

/* ---- statements ---- */

void orc_store_add_fence(struct orc_store *store) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, store->replica);
    cs_pg_put_i64(&params, store->epoch);
    (void)cs_pg_batch_add(store->batch, &replica_fence, &params);
}

static size_t add_created(struct orc_store *store, const struct orc_commit *commit) {
    static const enum cs_pg_type types[] = {CS_PG_TEXT, CS_PG_TEXT, CS_PG_TEXT, CS_PG_BYTEA, CS_PG_BYTEA,
                                            CS_PG_TEXT, CS_PG_INT8, CS_PG_INT8, CS_PG_TEXT};
    AUTO_COLUMNS columns;
    CS_AUTO_PG_ARRAY days = {.type = CS_PG_INT4};
    columns_init(&columns, types, CS_COUNT(types));
    for (size_t i = 0; i < commit->created_count; i++) {
        const struct orc_row_created *row = &commit->created[i];
        cs_pg_add_text(&columns.items[0], row->id);
        cs_pg_add_text(&columns.items[1], row->tenant);
        cs_pg_add_text(&columns.items[2], cs_str_empty(row->idempotency_key) ? NULL : row->idempotency_key);
        cs_pg_add_bytes(&columns.items[3], row->request_sha256, sizeof(row->request_sha256));
        cs_pg_add_bytes(&columns.items[4], row->request, row->request_size);
        cs_pg_add_text(&columns.items[5], row->traceparent != NULL ? row->traceparent : "");
        cs_pg_add_i64(&columns.items[6], row->created_at_ms);
        cs_pg_add_i64(&columns.items[7], row->wake_at_ms);
        cs_pg_add_text(&columns.items[8], row->origin);
        cs_pg_add_i64(&days, orc_execution_id_day(row->id));
    }
    CS_AUTO_PG_PARAMS params = {0};
    put_columns(&params, &columns);
    cs_pg_put_text(&params, store->replica);
    cs_pg_put_array(&params, &days);
    return cs_pg_batch_add(store->batch, &executions_insert, &params);
}

/* Ids of executions that this commit may leave out. */
struct doubtful {
    const char **ids; /* sorted */
    size_t count;
};

static int compare_ids(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void doubtful_init(struct doubtful *doubtful, const struct orc_commit *commit) {
    *doubtful = (struct doubtful){0};
    for (size_t i = 0; i < commit->created_count; i++) {
        if (cs_str_empty(commit->created[i].idempotency_key)) {
            continue;
        }
        if (doubtful->ids == NULL) {
            doubtful->ids = cs_alloc_array(commit->created_count, sizeof(*doubtful->ids));
        }
        doubtful->ids[doubtful->count++] = commit->created[i].id;
    }
    if (doubtful->count > 1) {
        qsort(doubtful->ids, doubtful->count, sizeof(*doubtful->ids), compare_ids);
    }
}

static bool is_doubtful(const struct doubtful *doubtful, const char *id) {
    return doubtful->count > 0 &&
           bsearch(&id, doubtful->ids, doubtful->count, sizeof(*doubtful->ids), compare_ids) != NULL;
}

static void add_event(struct columns *columns, const struct orc_row_event *row) {
    cs_pg_add_text(&columns->items[0], row->execution);
    cs_pg_add_i64(&columns->items[1], (int64_t)row->seq);
    cs_pg_add_i64(&columns->items[2], row->kind);
    cs_pg_add_i64(&columns->items[3], row->job);
    cs_pg_add_i64(&columns->items[4], row->attempt);
    cs_pg_add_i64(&columns->items[5], row->at_ms);
    cs_pg_add_bytes(&columns->items[6], row->payload_size > 0 ? row->payload : "", row->payload_size);
    cs_pg_add_i64(&columns->items[7], orc_execution_id_day(row->execution));
}

/* The events whose execution is (or is not) doubtful. */
static void add_events(struct orc_store *store, const struct orc_commit *commit, const struct doubtful *doubtful,
                       bool guarded) {
    static const enum cs_pg_type types[] = {CS_PG_TEXT, CS_PG_INT8, CS_PG_INT4,  CS_PG_INT4,
                                            CS_PG_INT4, CS_PG_INT8, CS_PG_BYTEA, CS_PG_INT4};
    AUTO_COLUMNS columns;
    columns_init(&columns, types, CS_COUNT(types));
    for (size_t i = 0; i < commit->event_count; i++) {
        if (is_doubtful(doubtful, commit->events[i].execution) == guarded) {
            add_event(&columns, &commit->events[i]);
        }
    }
    if (columns.items[0].count == 0) {
        return;
    }
    CS_AUTO_PG_PARAMS params = {0};
    put_columns(&params, &columns);
    cs_pg_put_i32(&params, ORC_LOG_VERSION); /* the same for all */
    (void)cs_pg_batch_add(store->batch, guarded ? &events_append_if_created : &events_append, &params);
}

static void add_heads(struct orc_store *store, const struct orc_commit *commit) {
    static const enum cs_pg_type types[] = {CS_PG_TEXT, CS_PG_INT4, CS_PG_BOOL,  CS_PG_INT8,  CS_PG_INT8,
                                            CS_PG_INT8, CS_PG_INT8, CS_PG_BYTEA, CS_PG_BYTEA, CS_PG_INT4};
    AUTO_COLUMNS columns;
    columns_init(&columns, types, CS_COUNT(types));
    for (size_t i = 0; i < commit->head_count; i++) {
        const struct orc_row_head *row = &commit->heads[i];
        cs_pg_add_text(&columns.items[0], row->id);
        cs_pg_add_i64(&columns.items[1], row->state);
        cs_pg_add_bool(&columns.items[2], row->open);
        cs_pg_add_i64(&columns.items[3], (int64_t)row->seq);
        cs_pg_add_i64(&columns.items[4], row->started_at_ms);
        cs_pg_add_i64(&columns.items[5], row->completed_at_ms);
        cs_pg_add_i64(&columns.items[6], row->wake_at_ms);
        add_maybe_bytes(&columns.items[7], row->summary, row->summary_size);
        add_maybe_bytes(&columns.items[8], row->webhook_body, row->webhook_body_size);
        cs_pg_add_i64(&columns.items[9], orc_execution_id_day(row->id));
    }
    CS_AUTO_PG_PARAMS params = {0};
    put_columns(&params, &columns);
    (void)cs_pg_batch_add(store->batch, &heads_by_key, NULL);
    (void)cs_pg_batch_add(store->batch, &heads_update, &params);
}

/* ---- outcome ---- */

/* Three kinds of failure are told apart: fenced, in doubt, and nothing written (try again). The rest are bugs. */
enum cs_status orc_store_explain(struct cs_err *err) {
    if (cs_str_eq(err->reason, "fenced") || cs_str_eq(err->reason, "unique_violation")) {
        (void)cs_fail(err, CS_ABORTED, "fenced", "another process runs under this replica's name");
        err->retryable = false;
        return CS_ABORTED;
    }
    if (cs_str_eq(err->reason, "not_fenced")) { /* of a replica that is not dead any more: no use in trying again */
        err->retryable = false;
    } else if (cs_str_eq(err->reason, "commit_in_doubt")) {
        err->status = CS_UNAVAILABLE;
        err->retryable = false;
    } else if (err->retryable || err->status == CS_DEADLINE_EXCEEDED) {
        err->status = CS_UNAVAILABLE;
        err->retryable = true;
    }
    return err->status;
}

static void mark_duplicates(const struct orc_commit *commit, struct cs_pg_rows *rows, bool *ret_duplicates) {
    size_t at = 0;
    const char **ids = cs_alloc_array(cs_pg_count(rows) + 1, sizeof(*ids));
    while (cs_pg_next(rows)) {
        ids[at++] = cs_pg_text(rows, "id");
    }
    qsort(ids, at, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < commit->created_count; i++) {
        ret_duplicates[i] = bsearch(&commit->created[i].id, ids, at, sizeof(*ids), compare_ids) == NULL;
    }
    free(ids);
}

/* Fills the batch; returns the index of the statement that creates. */
static size_t add_all(struct orc_store *store, const struct orc_commit *commit) {
    struct doubtful doubtful;
    doubtful_init(&doubtful, commit);
    cs_pg_batch_clear(store->batch);
    orc_store_add_fence(store);
    size_t created = commit->created_count > 0 ? add_created(store, commit) : 0;
    add_events(store, commit, &doubtful, false);
    if (doubtful.count > 0) {
        add_events(store, commit, &doubtful, true);
    }
    free(doubtful.ids);
    if (commit->head_count > 0) {
        add_heads(store, commit);
    }
    if (commit->kept_count > 0) {
        orc_store_add_kept(store, commit->kept, commit->kept_count);
    }
    return created;
}

/* Nobody had made the partitions that it needs: we were asleep when it was time. Another replica may be making them,
 * too. */
static enum cs_status make_partitions(struct orc_store *store, const struct orc_commit *commit, struct cs_err *err) {
    int32_t before = 0;
    for (size_t i = 0; i < commit->created_count + commit->event_count; i++) {
        const char *id =
            i < commit->created_count ? commit->created[i].id : commit->events[i - commit->created_count].execution;
        int32_t day = orc_execution_id_day(id);
        bool made = false;
        if (day != before) {
            CS_TRY(orc_store_partition_make(store, day, ORC_PARTITION_DAYS_MIN, &made, err));
        }
        before = day;
    }
    return CS_OK;
}

/* An insert that finds no partition violates a check, too; then it is done once more. */
static enum cs_status commit_batch(struct orc_store *store, const struct orc_commit *commit, struct cs_err *err) {
    struct cs_err why = {0};
    if (cs_pg_batch_commit(store->batch, &why) == CS_OK) {
        return CS_OK;
    }
    if (cs_str_eq(why.reason, "check_violation")) {
        CS_TRY(make_partitions(store, commit, err));
        return cs_pg_batch_commit(store->batch, err);
    }
    *err = why;
    return why.status;
}

enum cs_status orc_store_commit(struct orc_store *store, const struct orc_commit *commit, bool *ret_duplicates,
                                struct cs_err *err) {
    if (store->replica == NULL) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "not_joined", "a store that has not joined cannot commit");
    }
    size_t created = add_all(store, commit);
    if (commit_batch(store, commit, err) != CS_OK) {
        return orc_store_explain(err);
    }
    if (commit->created_count > 0) {
        mark_duplicates(commit, cs_pg_batch_rows(store->batch, created), ret_duplicates);
    }
    return CS_OK;
}
