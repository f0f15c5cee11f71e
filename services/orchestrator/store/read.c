#include <assert.h>
#include <string.h>

#include "cs/base/text.h"
#include "domain/execution_id.h"
#include "read_sql.h"
#include "store/internal.h"

#define LIST_PARAMS "text int8 text int8 int8 text[] int8"
#define HEAD                                                                                                           \
    "id:text tenant:text state:int4 open:bool summary:bytea created_at_ms:int8 started_at_ms:int8 "                    \
    "completed_at_ms:int8 seq:int8"

static const struct cs_pg_statement executions_open_ids = CS_PG_STATEMENT(executions_open_ids, "text", "id:text");
static const struct cs_pg_statement executions_open =
    CS_PG_STATEMENT(executions_open, "text text[] int4[] int8", ORC_WHOLE);
static const struct cs_pg_statement execution_get =
    CS_PG_STATEMENT(execution_get, "text text", ORC_WHOLE " successors:text");
static const struct cs_pg_statement executions_ended =
    CS_PG_STATEMENT(executions_ended, "text[] int4[]", "id:text state:int4 summary:bytea");
static const struct cs_pg_statement execution_by_key = CS_PG_STATEMENT(execution_by_key, "text text", ORC_WHOLE);
static const struct cs_pg_statement execution_owner =
    CS_PG_STATEMENT(execution_owner, "text text", "owner:text address:text");
static const struct cs_pg_statement executions_list = CS_PG_STATEMENT(executions_list, LIST_PARAMS, HEAD);
static const struct cs_pg_statement executions_list_active = CS_PG_STATEMENT(executions_list_active, LIST_PARAMS, HEAD);
static const struct cs_pg_statement events_of =
    CS_PG_STATEMENT(events_of, "text[] int4[] int4 int4",
                    "execution:text seq:int8 kind:int4 version:int4 job:int4 attempt:int4 at_ms:int8 payload:bytea");

/* ---- rows -> structs ---- */

static const void *copy_bytes(struct cs_pg_rows *rows, const char *column, struct cs_arena *arena, size_t *ret_size) {
    if (cs_pg_is_null(rows, column)) {
        *ret_size = 0;
        return NULL;
    }
    const void *bytes = cs_pg_bytes(rows, column, ret_size);
    return cs_arena_copy(arena, bytes, *ret_size);
}

static void read_head(struct cs_pg_rows *rows, struct cs_arena *arena, struct orc_stored *item) {
    item->id = cs_arena_strdup(arena, cs_pg_text(rows, "id"));
    item->tenant = cs_arena_strdup(arena, cs_pg_text(rows, "tenant"));
    item->state = (int)cs_pg_i64(rows, "state");
    item->open = cs_pg_bool(rows, "open");
    item->summary = copy_bytes(rows, "summary", arena, &item->summary_size);
    item->created_at_ms = cs_pg_i64(rows, "created_at_ms");
    item->started_at_ms = cs_pg_i64(rows, "started_at_ms");
    item->completed_at_ms = cs_pg_i64(rows, "completed_at_ms");
    item->seq = (uint64_t)cs_pg_i64(rows, "seq");
    item->traceparent = "";
}

static void read_whole(struct cs_pg_rows *rows, struct cs_arena *arena, struct orc_stored *item) {
    read_head(rows, arena, item);
    item->request = copy_bytes(rows, "request", arena, &item->request_size);
    item->webhook_body = copy_bytes(rows, "webhook_body", arena, &item->webhook_body_size);
    item->traceparent = cs_arena_strdup(arena, cs_pg_text(rows, "traceparent"));
    size_t size = 0;
    const void *digest = cs_pg_bytes(rows, "request_sha256", &size);
    memcpy(item->request_sha256, digest, size < sizeof(item->request_sha256) ? size : sizeof(item->request_sha256));
}

static void read_event(struct cs_pg_rows *rows, struct cs_arena *arena, const char *execution,
                       struct orc_row_event *event) {
    event->execution = execution;
    event->seq = (uint64_t)cs_pg_i64(rows, "seq");
    event->kind = (int)cs_pg_i64(rows, "kind");
    event->version = (int)cs_pg_i64(rows, "version");
    event->job = (uint32_t)cs_pg_i64(rows, "job");
    event->attempt = (uint32_t)cs_pg_i64(rows, "attempt");
    event->at_ms = cs_pg_i64(rows, "at_ms");
    event->payload = copy_bytes(rows, "payload", arena, &event->payload_size);
}

/* And the days of their partitions. */
static void put_ids(struct cs_pg_params *params, const char *const *ids, size_t count) {
    CS_AUTO_PG_ARRAY wanted = {.type = CS_PG_TEXT};
    CS_AUTO_PG_ARRAY days = {.type = CS_PG_INT4};
    for (size_t i = 0; i < count; i++) {
        cs_pg_add_text(&wanted, ids[i]);
        cs_pg_add_i64(&days, orc_execution_id_day(ids[i]));
    }
    cs_pg_put_array(params, &wanted);
    cs_pg_put_array(params, &days);
}

/* ---- open executions ---- */

/* Both are in order of id, so one pass joins them. */
static void join_events(struct cs_pg_rows *rows, struct cs_arena *arena, struct orc_stored *items, size_t count) {
    struct orc_row_event *events = cs_arena_array(arena, cs_pg_count(rows), sizeof(*events));
    size_t at = 0;
    size_t item = 0;
    while (cs_pg_next(rows)) {
        const char *execution = cs_pg_text(rows, "execution");
        while (item < count && strcmp(items[item].id, execution) < 0) {
            item++;
        }
        if (item == count) {
            return;
        }
        if (items[item].event_count == 0) {
            items[item].events = &events[at];
        }
        items[item].event_count++;
        read_event(rows, arena, items[item].id, &events[at++]);
    }
}

static enum cs_status read_events(struct orc_store *store, struct cs_arena *arena, struct orc_stored *items,
                                  size_t count, struct cs_err *err) {
    CS_AUTO_PG_ARRAY ids = {.type = CS_PG_TEXT};
    CS_AUTO_PG_ARRAY days = {.type = CS_PG_INT4};
    int32_t first_day = INT32_MAX;
    int32_t last_day = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t day = orc_execution_id_day(items[i].id);
        cs_pg_add_text(&ids, items[i].id);
        cs_pg_add_i64(&days, day);
        first_day = day < first_day ? day : first_day;
        last_day = day > last_day ? day : last_day;
    }
    CS_AUTO_PG_PARAMS which = {0};
    cs_pg_put_array(&which, &ids);
    cs_pg_put_array(&which, &days);
    cs_pg_put_i32(&which, first_day);
    cs_pg_put_i32(&which, last_day);
    CS_AUTO(cs_pg_rows) *events = NULL;
    CS_TRY(cs_pg_many(store->pg, &events_of, &which, &events, err));
    join_events(events, arena, items, count);
    return CS_OK;
}

enum cs_status orc_store_read_whole(struct orc_store *store, struct cs_pg_rows *rows, struct cs_arena *arena,
                                    struct orc_stored **ret_items, size_t *ret_count, struct cs_err *err) {
    struct orc_stored *items = cs_arena_array(arena, cs_pg_count(rows), sizeof(*items));
    size_t count = 0;
    while (cs_pg_next(rows)) {
        read_whole(rows, arena, &items[count++]);
    }
    if (count > 0) {
        CS_TRY(read_events(store, arena, items, count, err));
    }
    *ret_items = items;
    *ret_count = count;
    return CS_OK;
}

enum cs_status orc_store_open_ids(struct orc_store *store, const char *replica, struct cs_arena *arena,
                                  const char ***ret_ids, size_t *ret_count, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, replica);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_many(store->pg, &executions_open_ids, &params, &rows, err));
    const char **ids = cs_arena_array(arena, cs_pg_count(rows), sizeof(*ids));
    size_t count = 0;
    while (cs_pg_next(rows)) {
        ids[count++] = cs_arena_strdup(arena, cs_pg_text(rows, "id"));
    }
    *ret_ids = ids;
    *ret_count = count;
    return CS_OK;
}

enum cs_status orc_store_open_executions(struct orc_store *store, const char *replica, const char *const *ids,
                                         size_t id_count, struct cs_arena *arena, struct orc_stored **ret_items,
                                         size_t *ret_count, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, replica);
    put_ids(&params, ids, id_count);
    cs_pg_put_i64(&params, ORC_READ_BYTES_MAX);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_many(store->pg, &executions_open, &params, &rows, err));
    return orc_store_read_whole(store, rows, arena, ret_items, ret_count, err);
}

/* ---- one execution, lists ---- */

static enum cs_status get(struct orc_store *store, const struct cs_pg_statement *statement, const char *tenant,
                          const char *key, struct cs_arena *arena, struct orc_stored **ret_item, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, tenant);
    cs_pg_put_text(&params, key);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_maybe(store->pg, statement, &params, &rows, err));
    if (rows == NULL) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_execution", "Execution not found");
    }
    struct orc_stored *item = cs_arena_alloc(arena, sizeof(*item));
    read_whole(rows, arena, item);
    if (statement == &execution_get) {
        item->successors = cs_arena_strdup(arena, cs_pg_text(rows, "successors"));
    }
    *ret_item = item;
    return CS_OK;
}

enum cs_status orc_store_get(struct orc_store *store, const char *tenant, const char *id, struct cs_arena *arena,
                             struct orc_stored **ret_item, struct cs_err *err) {
    return get(store, &execution_get, tenant, id, arena, ret_item, err);
}

enum cs_status orc_store_get_log(struct orc_store *store, const char *tenant, const char *id, struct cs_arena *arena,
                                 struct orc_stored **ret_item, struct cs_err *err) {
    struct orc_stored *item = NULL;
    CS_TRY(get(store, &execution_get, tenant, id, arena, &item, err));
    assert(item != NULL);
    CS_TRY(read_events(store, arena, item, 1, err));
    *ret_item = item;
    return CS_OK;
}

enum cs_status orc_store_owner(struct orc_store *store, const char *tenant, const char *id, struct cs_arena *arena,
                               const char **ret_owner, const char **ret_address, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, tenant);
    cs_pg_put_text(&params, id);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_maybe(store->pg, &execution_owner, &params, &rows, err));
    if (rows == NULL) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_execution", "Execution not found");
    }
    *ret_owner = cs_arena_strdup(arena, cs_pg_text(rows, "owner"));
    *ret_address = cs_arena_strdup(arena, cs_pg_text(rows, "address"));
    return CS_OK;
}

enum cs_status orc_store_ended(struct orc_store *store, const char *const *ids, size_t id_count, struct cs_arena *arena,
                               struct orc_stored **ret_items, size_t *ret_count, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    put_ids(&params, ids, id_count);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_many(store->pg, &executions_ended, &params, &rows, err));
    struct orc_stored *items = cs_arena_array(arena, cs_pg_count(rows), sizeof(*items));
    size_t count = 0;
    while (cs_pg_next(rows)) {
        struct orc_stored *item = &items[count++];
        item->id = cs_arena_strdup(arena, cs_pg_text(rows, "id"));
        item->state = (int)cs_pg_i64(rows, "state");
        item->summary = copy_bytes(rows, "summary", arena, &item->summary_size);
    }
    *ret_items = items;
    *ret_count = count;
    return CS_OK;
}

enum cs_status orc_store_find_key(struct orc_store *store, const char *tenant, const char *idempotency_key,
                                  struct cs_arena *arena, struct orc_stored **ret_item, struct cs_err *err) {
    return get(store, &execution_by_key, tenant, idempotency_key, arena, ret_item, err);
}

enum cs_status orc_store_list(struct orc_store *store, const struct orc_list *list, struct cs_arena *arena,
                              struct orc_stored **ret_items, size_t *ret_count, struct cs_err *err) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO_PG_ARRAY ids = {.type = CS_PG_TEXT};
    for (size_t i = 0; i < list->id_count; i++) {
        cs_pg_add_text(&ids, list->ids[i]);
    }
    cs_pg_put_text(&params, list->tenant);
    cs_pg_put_i64(&params, cs_str_empty(list->before_id) ? INT64_MAX : list->before_ms);
    cs_pg_put_text(&params, list->before_id);
    cs_pg_put_i64(&params, (int64_t)list->limit);
    cs_pg_put_i64(&params, list->since_ms);
    cs_pg_put_array(&params, &ids);
    cs_pg_put_i64(&params, (int64_t)list->skip);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_many(store->pg, list->active_only ? &executions_list_active : &executions_list, &params, &rows, err));
    struct orc_stored *items = cs_arena_array(arena, cs_pg_count(rows), sizeof(*items));
    size_t count = 0;
    while (cs_pg_next(rows)) {
        read_head(rows, arena, &items[count++]);
    }
    *ret_items = items;
    *ret_count = count;
    return CS_OK;
}
