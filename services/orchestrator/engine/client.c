/* What clients ask about executions: reads, cancels, watches, lists. */
#include <assert.h>
#include <string.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/internal.h"
#include "engine/waiting.h"
#include "wire/page_token.h"

/* ---- at the door, on the caller's thread ---- */

enum cs_status orc_engine_enter(struct orc_engine *engine, struct cs_err *err) {
    if (atomic_fetch_add(&engine->counters.clients_waiting, 1) >= ORC_ENGINE_QUEUE_MAX) {
        atomic_fetch_sub(&engine->counters.clients_waiting, 1);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "overloaded", "too many requests are waiting; try again later");
    }
    return CS_OK;
}

void orc_engine_bytes_taken(struct orc_engine *engine, size_t size_bytes) {
    atomic_fetch_sub(&engine->counters.waiting_bytes, size_bytes);
}

enum cs_status orc_engine_enter_with(struct orc_engine *engine, size_t size_bytes, struct cs_err *err) {
    CS_TRY(orc_engine_enter(engine, err));
    if (atomic_fetch_add(&engine->counters.waiting_bytes, size_bytes) + size_bytes > ORC_ENGINE_QUEUE_BYTES_MAX) {
        orc_engine_bytes_taken(engine, size_bytes);
        orc_engine_answered(engine);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "overloaded", "too many plans are waiting; try again later");
    }
    return CS_OK;
}

void orc_engine_answered(struct orc_engine *engine) {
    atomic_fetch_sub(&engine->counters.clients_waiting, 1);
}

struct orc_item *orc_engine_named_item(enum orc_item_kind kind, const char *tenant, const char *id) {
    struct orc_item *item = orc_item_create(kind);
    cs_str_copy(item->tenant, sizeof(item->tenant), tenant);
    cs_str_copy(item->id, sizeof(item->id), id);
    return item;
}

void orc_engine_put(struct orc_engine *engine, struct orc_item *item) {
    if (!orc_queue_put(&engine->queue, item)) {
        free(item); /* nobody may call an engine that has stopped */
    }
}

void orc_engine_get(struct orc_engine *engine, const char *tenant, const char *id, orc_read_fn *done, void *ctx) {
    struct cs_err err = {0};
    if (orc_engine_enter(engine, &err) != CS_OK) {
        done(NULL, &err, ctx);
        return;
    }
    struct orc_item *item = orc_engine_named_item(ORC_ITEM_GET, tenant, id);
    item->read.done = done;
    item->read.ctx = ctx;
    orc_engine_put(engine, item);
}

void orc_engine_cancel(struct orc_engine *engine, const char *tenant, const char *id, const char *reason,
                       orc_read_fn *done, void *ctx) {
    struct cs_err err = {0};
    if (orc_engine_enter(engine, &err) != CS_OK) {
        done(NULL, &err, ctx);
        return;
    }
    struct orc_item *item = orc_engine_named_item(ORC_ITEM_CANCEL, tenant, id);
    cs_str_copy(item->read.reason, sizeof(item->read.reason), reason);
    item->read.done = done;
    item->read.ctx = ctx;
    orc_engine_put(engine, item);
}

void orc_engine_ask_metrics(struct orc_engine *engine, orc_metrics_fn *done, void *ctx) {
    struct cs_err err = {0};
    if (orc_engine_enter(engine, &err) != CS_OK) {
        done(NULL, &err, ctx);
        return;
    }
    struct orc_item *item = orc_item_create(ORC_ITEM_METRICS);
    item->metrics.done = done;
    item->metrics.ctx = ctx;
    orc_engine_put(engine, item);
}

uint64_t orc_engine_watch(struct orc_engine *engine, const char *tenant, const char *id,
                          const struct orc_watcher_events *events, void *ctx) {
    struct orc_item *item = orc_engine_named_item(ORC_ITEM_WATCH, tenant, id);
    uint64_t watch = item->watch.watch = atomic_fetch_add(&engine->next_watch, 1);
    item->watch.events = events;
    item->watch.ctx = ctx;
    orc_engine_put(engine, item);
    return watch;
}

void orc_engine_unwatch(struct orc_engine *engine, uint64_t watch) {
    struct orc_item *item = orc_item_create(ORC_ITEM_UNWATCH);
    item->watch.watch = watch;
    orc_engine_put(engine, item);
}

/* ---- when memory does not answer ---- */

void orc_engine_refuse_recovering(struct cs_err *err) {
    (void)cs_fail(err, CS_UNAVAILABLE, "recovering", "the orchestrator is reading its log again; try again");
}

/* Memory answers only while nobody can have taken over from us: whoever did knows more. Looked at for each request, and
 * not once a turn, because we may have been stopped in the middle of one. */
static bool refuse_unsure(struct orc_engine *engine, struct cs_err *err) {
    if (orc_keeper_is_sure(&engine->keeper)) {
        return false;
    }
    (void)cs_fail(err, CS_UNAVAILABLE, "lease_ended",
                  "this orchestrator could not renew its lease, another one may have taken over; try again");
    return true;
}

/* ---- reads ---- */

struct reading {
    struct orc_engine *engine;
    bool cancelling;
    bool changing;
    bool deciding;
    struct orc_outside_report *report; /* or NULL */
    orc_read_fn *done;
    void *ctx;
};

static enum cs_status unpack_summary(const struct orc_stored *item, struct cs_arena *arena,
                                     Callsheet__V1__Execution **ret_execution, struct cs_err *err) {
    if (item->summary == NULL) {
        return cs_fail(err, CS_UNAVAILABLE, "elsewhere", "another orchestrator runs this execution; try again");
    }
    ProtobufCMessage *message = NULL;
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__execution__descriptor, item->summary, item->summary_size, arena,
                                       &message, err));
    *ret_execution = (Callsheet__V1__Execution *)message;
    return CS_OK;
}

static enum cs_status check_cancellable(enum orc_execution_state state, struct cs_err *err) {
    if (state == ORC_EXECUTION_COMPLETED || state == ORC_EXECUTION_FAILED) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "already_ended", "the execution has already %s",
                       state == ORC_EXECUTION_COMPLETED ? "completed" : "failed");
    }
    return CS_OK;
}

/* "a,b", or "" or NULL. */
static void put_successors(Callsheet__V1__Execution *execution, const char *successors, struct cs_arena *arena) {
    if (cs_str_empty(successors)) {
        return;
    }
    if (execution->links == NULL) {
        execution->links = cs_arena_alloc(arena, sizeof(*execution->links));
        callsheet__v1__execution_links__init(execution->links);
    }
    Callsheet__V1__ExecutionLinks *links = execution->links;
    char *rest = cs_arena_strdup(arena, successors);
    links->successors = cs_arena_array(arena, strlen(successors), sizeof(char *));
    for (char *id = strsep(&rest, ","); id != NULL; id = strsep(&rest, ",")) {
        links->successors[links->n_successors++] = id;
    }
}

static enum cs_status read_stored(const struct reading *reading, const struct orc_stored *item, struct cs_arena *arena,
                                  Callsheet__V1__Execution **ret_execution, struct cs_err *err) {
    if (reading->cancelling) {
        CS_TRY(check_cancellable((enum orc_execution_state)item->state, err));
    }
    if (reading->deciding && item->summary != NULL) {
        return orc_engine_decided_late(item->state, err);
    }
    if (reading->changing && item->summary != NULL) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "already_ended", "the execution has already ended");
    }
    Callsheet__V1__Execution *execution = NULL;
    CS_TRY(unpack_summary(item, arena, &execution, err));
    assert(execution != NULL);
    if (reading->report != NULL) {
        CS_TRY(orc_outside_repeated(reading->report, execution, err));
    }
    *ret_execution = execution;
    put_successors(*ret_execution, item->successors, arena);
    return CS_OK;
}

static void answer_read(const struct orc_stored *item, const struct cs_err *err, void *ctx) {
    struct reading *reading = ctx;
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    Callsheet__V1__Execution *execution = NULL;
    struct cs_err why = {0};
    if (item == NULL) {
        why = *err;
    } else {
        (void)read_stored(reading, item, arena, &execution, &why); /* execution stays NULL when it fails */
    }
    orc_engine_answered(reading->engine);
    reading->done(execution, execution == NULL ? &why : NULL, reading->ctx);
    orc_outside_report_destroy(reading->report);
    free(reading);
}

static void read_row(struct orc_engine *engine, struct orc_item *item) {
    struct reading *reading = cs_alloc(sizeof(*reading));
    *reading = (struct reading){.engine = engine,
                                .cancelling = item->kind == ORC_ITEM_CANCEL,
                                .changing = item->kind == ORC_ITEM_CHANGE,
                                .deciding = item->kind == ORC_ITEM_DECIDE,
                                .report = item->kind == ORC_ITEM_OUTSIDE ? cs_steal(&item->read.report) : NULL,
                                .done = item->read.done,
                                .ctx = item->read.ctx};
    orc_readers_get(engine->readers, item->tenant, item->id, NULL, answer_read, reading);
}

void orc_engine_answer_from(struct orc_engine *engine, struct orc_entry *entry, const struct orc_item *item,
                            const struct cs_err *why) {
    struct orc_batch *batch = orc_engine_batch_of(entry);
    struct orc_effect effect = {
        .kind = ORC_EFFECT_READ, .entry = entry, .read = {.done = item->read.done, .ctx = item->read.ctx}};
    struct cs_arena *arena = batch != NULL ? batch->arena : engine->scratch;
    if (why != NULL) {
        effect.read.err = cs_arena_copy(arena, why, sizeof(*why));
    } else {
        Callsheet__V1__Execution *execution =
            batch != NULL ? orc_engine_snapshot(entry, NULL, 0, arena) : orc_engine_view(entry, NULL, 0, arena);
        if (item->kind == ORC_ITEM_GET) {
            orc_waiting_explain(engine, entry, execution, arena);
        }
        effect.read.execution = execution;
    }
    orc_engine_after_commit(engine, &effect);
}

struct orc_entry *orc_engine_find_for(struct orc_engine *engine, struct orc_item *item) {
    struct cs_err err = {0};
    if (engine->recovering) {
        orc_engine_refuse_recovering(&err);
        orc_engine_answered(engine);
        item->read.done(NULL, &err, item->read.ctx);
        return NULL;
    }
    struct orc_entry *entry = orc_engine_find(engine, item->id);
    if (entry != NULL && cs_str_eq(entry->execution->tenant, item->tenant)) {
        if (!refuse_unsure(engine, &err)) {
            return entry;
        }
        orc_engine_answered(engine);
        item->read.done(NULL, &err, item->read.ctx);
        return NULL;
    }
    read_row(engine, item); /* of another tenant: the row says that it does not exist */
    return NULL;
}

void orc_engine_take_get(struct orc_engine *engine, struct orc_item *item) {
    struct orc_entry *entry = orc_engine_find_for(engine, item);
    if (entry == NULL) {
        return;
    }
    /* Only the row knows the successors of one that has ended and waits for its delivery. */
    if (orc_execution_terminal(entry->execution) && orc_engine_batch_of(entry) == NULL) {
        read_row(engine, item);
    } else {
        orc_engine_answer_from(engine, entry, item, NULL);
    }
}

void orc_engine_take_cancel(struct orc_engine *engine, struct orc_item *item) {
    struct orc_entry *entry = orc_engine_find_for(engine, item);
    if (entry == NULL) {
        return;
    }
    struct cs_err err = {0};
    if (check_cancellable((enum orc_execution_state)entry->execution->state, &err) != CS_OK) {
        orc_engine_answer_from(engine, entry, item, &err);
        return;
    }
    struct orc_event event = {.kind = ORC_EVENT_CANCEL, .message = item->read.reason};
    if (entry->execution->state != ORC_EXECUTION_CANCELLED && orc_engine_step(engine, entry, &event, &err) != CS_OK) {
        orc_engine_answer_from(engine, entry, item, &err);
        return;
    }
    orc_engine_answer_from(engine, entry, item, NULL);
}

/* ---- watches ---- */

struct loading {
    struct orc_engine *engine;
    uint64_t watch;
};

static void load_watched(const struct orc_stored *item, const struct cs_err *err, void *ctx) {
    struct loading *loading = ctx;
    struct orc_item *loaded = orc_item_create(ORC_ITEM_WATCH_LOADED);
    loaded->loaded.watch = loading->watch;
    loaded->loaded.arena = cs_arena_create();
    if (item == NULL) {
        loaded->loaded.err = *err;
    } else {
        (void)unpack_summary(item, loaded->loaded.arena, &loaded->loaded.execution, &loaded->loaded.err);
    }
    if (!orc_queue_put(&loading->engine->queue, loaded)) {
        cs_arena_destroy(loaded->loaded.arena);
        free(loaded);
    }
    free(loading);
}

static void take_new_watch(struct orc_engine *engine, const struct orc_item *item) {
    orc_watcher_add(engine, item->watch.watch, item->watch.events, item->watch.ctx);
    struct orc_watcher *watcher = orc_watcher_find(engine, item->watch.watch);
    struct cs_err err = {0};
    if (engine->recovering) {
        orc_engine_refuse_recovering(&err);
        orc_watcher_end(engine, watcher, &err);
        return;
    }
    struct orc_entry *entry = orc_engine_find(engine, item->id);
    if (entry != NULL && cs_str_eq(entry->execution->tenant, item->tenant)) {
        if (refuse_unsure(engine, &err)) {
            orc_watcher_end(engine, watcher, &err);
        } else {
            orc_watcher_bind(engine, watcher, entry);
        }
        return;
    }
    struct loading *loading = cs_alloc(sizeof(*loading));
    *loading = (struct loading){.engine = engine, .watch = item->watch.watch};
    orc_readers_get(engine->readers, item->tenant, item->id, NULL, load_watched, loading);
}

static void take_loaded(struct orc_engine *engine, struct orc_item *item) {
    struct orc_watcher *watcher = orc_watcher_find(engine, item->loaded.watch);
    if (watcher != NULL && item->loaded.execution != NULL) {
        Callsheet__V1__ExecutionUpdate update = CALLSHEET__V1__EXECUTION_UPDATE__INIT;
        update.snapshot = true;
        update.execution = item->loaded.execution;
        watcher->events->update(&update, watcher->ctx);
    }
    if (watcher != NULL) {
        orc_watcher_end(engine, watcher, item->loaded.execution != NULL ? NULL : &item->loaded.err);
    }
    cs_arena_destroy(item->loaded.arena);
}

static void take_unwatch(struct orc_engine *engine, const struct orc_item *item) {
    struct orc_watcher *watcher = orc_watcher_find(engine, item->watch.watch);
    if (watcher != NULL) {
        struct cs_err err = {0};
        (void)cs_fail(&err, CS_CANCELLED, "unwatched", "the watcher left");
        orc_watcher_end(engine, watcher, &err);
    }
}

void orc_engine_take_watch(struct orc_engine *engine, struct orc_item *item) {
    if (item->kind == ORC_ITEM_WATCH) {
        take_new_watch(engine, item);
    } else if (item->kind == ORC_ITEM_WATCH_LOADED) {
        take_loaded(engine, item);
    } else {
        take_unwatch(engine, item);
    }
}

/* ---- who runs it ---- */

struct locating {
    orc_located_fn *done;
    void *ctx;
};

/* What the log tells: all that is durable, without the progress that only an owner knows. */
static enum cs_status view_log(const struct orc_stored *item, struct cs_arena *arena,
                               Callsheet__V1__Execution **ret_execution, struct orc_entry **ret_entry,
                               struct cs_err *err) {
    if (item->summary != NULL) {
        return unpack_summary(item, arena, ret_execution, err);
    }
    CS_TRY(orc_engine_entry_from(item, arena, ret_entry, err));
    *ret_execution = orc_engine_view(*ret_entry, NULL, 0, arena);
    return CS_OK;
}

static void answer_located(const char *address, const struct orc_stored *item, const struct cs_err *err, void *ctx) {
    struct locating *locating = ctx;
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    Callsheet__V1__Execution *execution = NULL;
    struct orc_entry *entry = NULL;
    struct cs_err why = {0};
    if (item != NULL && view_log(item, arena, &execution, &entry, &why) != CS_OK) {
        err = &why;
    }
    locating->done(address, execution, err, locating->ctx);
    if (entry != NULL) {
        orc_entry_destroy(entry);
    }
    free(locating);
}

void orc_engine_locate(struct orc_engine *engine, const char *tenant, const char *id, const char *unreachable,
                       orc_located_fn *done, void *ctx) {
    struct locating *locating = cs_alloc(sizeof(*locating));
    char address[ORC_ADDRESS_MAX];
    *locating = (struct locating){.done = done, .ctx = ctx};
    orc_keeper_address(&engine->keeper, address); /* a row may name us while what it tells of is on its way to us */
    orc_readers_locate(engine->readers, tenant, id, address, unreachable, answer_located, locating);
}

/* ---- lists ---- */

static enum cs_status list_item(const struct orc_stored *item, struct cs_arena *arena,
                                Callsheet__V1__Execution **ret_execution, struct cs_err *err) {
    Callsheet__V1__Execution *execution = NULL;
    if (item->summary != NULL) {
        CS_TRY(unpack_summary(item, arena, &execution, err));
        execution->n_jobs = 0;
    } else {
        execution = cs_arena_alloc(arena, sizeof(*execution));
        callsheet__v1__execution__init(execution);
        execution->id = (char *)item->id;
        execution->tenant = (char *)item->tenant;
        execution->state = (Callsheet__V1__ExecutionState)item->state;
        execution->created_at_ms = item->created_at_ms;
        execution->started_at_ms = item->started_at_ms;
        execution->revision = item->seq;
    }
    *ret_execution = execution;
    return CS_OK;
}

enum cs_status orc_engine_list(struct orc_engine *engine, const Callsheet__V1__ListExecutionsRequest *request,
                               struct cs_arena *arena, Callsheet__V1__ListExecutionsReply **ret_reply,
                               struct cs_err *err) {
    struct orc_page_start start = {0};
    CS_TRY(orc_page_token_parse(request->page_token, &start, err));
    struct orc_stored *items = NULL;
    size_t count = 0;
    const struct orc_list list = {
        .tenant = request->tenant,
        .active_only = request->active_only,
        .since_ms = request->since_ms,
        .ids = (const char *const *)request->execution_ids,
        .id_count = request->n_execution_ids,
        .before_ms = start.before_ms,
        .before_id = start.before_id,
        .skip = request->skip,
        .limit = (size_t)request->page_size + 1,
    };
    CS_TRY(orc_readers_list(engine->readers, &list, arena, &items, &count, err));
    Callsheet__V1__ListExecutionsReply *reply = cs_arena_alloc(arena, sizeof(*reply));
    callsheet__v1__list_executions_reply__init(reply);
    reply->n_executions = count < request->page_size ? count : request->page_size;
    reply->executions = cs_arena_array(arena, reply->n_executions, sizeof(Callsheet__V1__Execution *));
    for (size_t i = 0; i < reply->n_executions; i++) {
        CS_TRY(list_item(&items[i], arena, &reply->executions[i], err));
    }
    if (count > request->page_size) { /* one more was asked for, to see whether there is a next page */
        const struct orc_stored *last = &items[reply->n_executions - 1];
        reply->next_page_token = orc_page_token_format(last->created_at_ms, last->id, arena);
    }
    *ret_reply = reply;
    return CS_OK;
}

void orc_engine_end_lists(struct orc_engine *engine) {
    orc_readers_end_lists(engine->readers);
}
