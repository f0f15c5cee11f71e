/* Rows -> entries. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cs/base/crash.h"
#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/event_wire.h"
#include "engine/internal.h"

enum {
    ROWS_A_READ = 500,
    ROWS_A_CLAIM_MAX = 2000, /* the first claims are smaller, so that work goes on soon */
    /* Of an entry's arena: most fit into one block. */
    ARENA_BYTES = 1024,
    ARENA_TIMES_REQUEST = 4,
};

/* ---- reading: on the committer's thread, or before there is one ---- */

static enum cs_status replay(struct orc_execution *execution, const struct orc_stored *row, struct cs_arena *scratch,
                             struct cs_err *err) {
    /* A plan without jobs ends in its beginning, and without an event: its row tells when. */
    struct orc_event begin = {.kind = ORC_EVENT_BEGIN,
                              .at_ms = row->completed_at_ms != 0 && execution->plan->job_count == 0
                                           ? row->completed_at_ms
                                           : row->created_at_ms};
    CS_TRY(orc_execution_step(execution, &begin, NULL, err));
    for (size_t i = 0; i < row->event_count; i++) {
        struct orc_event event;
        CS_TRY(orc_event_from_row(&row->events[i], scratch, &event, err));
        CS_TRY(orc_execution_replay(execution, &event, err));
    }
    return CS_OK;
}

static void keep_webhook(struct orc_entry *entry, const struct orc_stored *row) {
    if (row->webhook_body != NULL) {
        entry->webhook_body = cs_alloc(row->webhook_body_size + 1);
        entry->webhook_body_size = row->webhook_body_size;
        memcpy(entry->webhook_body, row->webhook_body, row->webhook_body_size);
    }
}

/* The log does not tell everything of attempts that the end of the execution cut off; what clients have read stays. */
static enum cs_status keep_summary(struct orc_entry *entry, const struct orc_stored *row, struct cs_err *err) {
    if (row->summary == NULL) {
        return CS_OK;
    }
    ProtobufCMessage *summary = NULL;
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__execution__descriptor, row->summary, row->summary_size,
                                       entry->arena, &summary, err));
    entry->ended = (const Callsheet__V1__Execution *)summary;
    return CS_OK;
}

enum cs_status orc_engine_entry_from(const struct orc_stored *row, struct cs_arena *scratch,
                                     struct orc_entry **ret_entry, struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create_sized(ARENA_BYTES + ARENA_TIMES_REQUEST * row->request_size);
    const Callsheet__V1__CreateExecutionRequest *envelope = NULL;
    struct orc_plan *plan = NULL;
    CS_TRY(orc_plan_from_request(row->request, row->request_size, arena, &envelope, &plan, err));
    int64_t timeout_ms = envelope->timeout_ms > 0 ? envelope->timeout_ms : ORC_TIMEOUT_MS_DEFAULT;
    struct orc_execution *execution = orc_execution_create(row->id, row->tenant, plan, row->created_at_ms,
                                                           row->created_at_ms + timeout_ms, envelope->webhook != NULL);
    if (replay(execution, row, scratch, err) != CS_OK) {
        orc_execution_destroy(execution);
        return err->status;
    }
    struct cs_trace trace = cs_trace_continue(row->traceparent);
    struct orc_entry *entry = orc_entry_create(execution, cs_steal(&arena), envelope, &trace);
    entry->recorded_state = row->state;
    keep_webhook(entry, row);
    if (keep_summary(entry, row, err) != CS_OK) {
        orc_entry_destroy(entry);
        return err->status;
    }
    *ret_entry = entry;
    return CS_OK;
}

/* In front of the list. */
static void make_entries(const struct orc_stored *rows, size_t count, struct cs_arena *arena,
                         struct orc_entry **entries) {
    for (size_t i = 0; i < count; i++) {
        struct orc_entry *entry = NULL;
        struct cs_err why = {0};
        if (orc_engine_entry_from(&rows[i], arena, &entry, &why) != CS_OK || entry == NULL) {
            cs_log_error("execution cannot be recovered, left alone", CS_KV("execution", rows[i].id), CS_KVE(&why));
            continue;
        }
        entry->next_recovered = *entries;
        *entries = entry;
    }
}

/* Reads the next rows; *ret_more when there may be others. after_id is moved on. */
static enum cs_status load_some(struct orc_engine *engine, char after_id[static 24], struct orc_entry **entries,
                                bool *ret_more, struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_stored *rows = NULL;
    size_t count = 0;
    CS_TRY(orc_store_open_executions(engine->committer.store, engine->name, after_id, ROWS_A_READ, arena, &rows, &count,
                                     err));
    make_entries(rows, count, arena, entries);
    if (count != 0) {
        (void)snprintf(after_id, 24, "%s", rows[count - 1].id);
    }
    *ret_more = count != 0;
    return CS_OK;
}

/* ---- taking over ---- */

enum cs_status orc_engine_take_over(__attribute__((unused)) struct orc_engine *engine, struct orc_store *store,
                                    const char *dead, orc_take_fn *take, void *ctx, bool *ret_progress,
                                    struct cs_err *err) {
    int64_t epoch = 0;
    CS_TRY(orc_store_fence(store, dead, &epoch, err));
    if (epoch == 0) {
        return CS_OK;
    }
    cs_crash_at(CS_CRASH_ORCHESTRATOR_AFTER_FENCE);
    char after_id[24] = "";
    size_t limit = ROWS_A_READ;
    size_t claimed = 0;
    for (;;) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct orc_stored *rows = NULL;
        size_t count = 0;
        if (orc_store_claim(store, dead, epoch, after_id, limit, arena, &rows, &count, err) != CS_OK) {
            /* A process has joined under its name: what we have not claimed is its own again. */
            return cs_str_eq(err->reason, "not_fenced") ? CS_OK : err->status;
        }
        cs_crash_at(CS_CRASH_ORCHESTRATOR_AFTER_CLAIM);
        struct orc_entry *entries = NULL;
        make_entries(rows, count, arena, &entries);
        claimed += count;
        *ret_progress = claimed != 0;
        if (count == 0 || !take(entries, ctx)) {
            break;
        }
        cs_str_copy(after_id, sizeof(after_id), rows[count - 1].id);
        limit = 2 * limit < ROWS_A_CLAIM_MAX ? 2 * limit : ROWS_A_CLAIM_MAX;
    }
    bool removed = false;
    CS_TRY(orc_store_remove(store, dead, epoch, &removed, err));
    *ret_progress = claimed != 0 || removed;
    if (*ret_progress) {
        cs_log_info("took over", CS_KV("replica", dead), CS_KVI("executions", claimed), CS_KVI("all", removed));
    }
    return CS_OK;
}

/* To the end of the list, so that the oldest batch stays first. */
static bool collect(struct orc_entry *entries, void *ctx) {
    struct orc_entry **list = ctx;
    while (*list != NULL) {
        list = &(*list)->next_recovered;
    }
    *list = entries;
    return true;
}

/* At the start everything that nobody runs: of those that were told to stop, or died. */
static enum cs_status take_over_all(struct orc_engine *engine, struct orc_entry **entries, struct cs_err *err) {
    bool progress = true;
    while (progress) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct orc_alive alive = {0};
        progress = false;
        CS_TRY(orc_store_keep(engine->committer.store, "", arena, &alive, err));
        if (alive.dead[0] != '\0') {
            CS_TRY(orc_engine_take_over(engine, engine->committer.store, alive.dead, collect, entries, &progress, err));
        }
    }
    return CS_OK;
}

/* ---- joining ---- */

static int64_t joined_at(struct orc_engine *engine) {
    return engine->clock.unix_ms(engine->clock.ctx);
}

/* A name that was given is kept, unless a live process has it. */
static enum cs_status join_named(struct orc_engine *engine, struct cs_err *err) {
    struct orc_store *store = engine->committer.store;
    cs_str_copy(engine->name, sizeof(engine->name), engine->replica);
    return engine->epoch == 0
               ? orc_store_join(store, engine->name, joined_at(engine), &engine->epoch, err)
               : orc_store_rejoin(store, engine->name, engine->epoch, joined_at(engine), &engine->epoch, err);
}

static void make_name(char ret_name[static ORC_REPLICA_NAME_MAX]) {
    char host[64] = "";
    char id[CS_ID_SIZE];
    (void)gethostname(host, sizeof(host) - 1);
    cs_id_make(id);
    (void)snprintf(ret_name, ORC_REPLICA_NAME_MAX, "%s-%.8s", host, id);
}

/* A new name each time; what the one before has open is ours again if nobody has fenced it. */
static enum cs_status join_unnamed(struct orc_engine *engine, struct orc_entry **entries, struct cs_err *err) {
    struct orc_store *store = engine->committer.store;
    char name[ORC_REPLICA_NAME_MAX];
    char before[ORC_REPLICA_NAME_MAX];
    bool released = false;
    bool progress = false;
    make_name(name);
    CS_TRY(orc_store_release(store, &released, err));
    CS_TRY(orc_store_join(store, name, joined_at(engine), &engine->epoch, err));
    cs_str_copy(before, sizeof(before), engine->name);
    cs_str_copy(engine->name, sizeof(engine->name), name);
    return released ? orc_engine_take_over(engine, store, before, collect, entries, &progress, err) : CS_OK;
}

static enum cs_status load(struct orc_engine *engine, struct orc_entry **entries, struct cs_err *err) {
    bool first = engine->epoch == 0;
    int64_t asked_ms = cs_clock_mono_ms();
    CS_TRY(engine->replica[0] != '\0' ? join_named(engine, err) : join_unnamed(engine, entries, err));
    cs_crash_at(CS_CRASH_ORCHESTRATOR_AFTER_JOIN);
    orc_keeper_begin(&engine->keeper, engine->name, engine->epoch, asked_ms);
    cs_log_info("joined", CS_KV("replica", engine->name), CS_KVI("epoch", engine->epoch));
    char after_id[24] = "";
    bool more = engine->replica[0] != '\0'; /* nobody owned anything under a name that is new */
    while (more) {
        CS_TRY(load_some(engine, after_id, entries, &more, err));
    }
    return first ? take_over_all(engine, entries, err) : CS_OK;
}

enum cs_status orc_engine_load(struct orc_engine *engine, struct orc_entry **ret_entries, struct cs_err *err) {
    struct orc_entry *entries = NULL;
    if (load(engine, &entries, err) != CS_OK) {
        orc_entries_destroy(entries);
        return err->status;
    }
    *ret_entries = entries;
    return CS_OK;
}

/* ---- putting to work: on the engine's thread ---- */

static void adopt(struct orc_engine *engine, struct orc_entry *entry) {
    orc_engine_add(engine, entry);
    struct orc_commands commands = {0};
    orc_execution_recovered(entry->execution, engine->now_ms, &commands);
    if (entry->execution->state != entry->recorded_state && orc_execution_terminal(entry->execution)) {
        orc_engine_touch(engine, entry); /* the row does not know yet: a plan without jobs */
    }
    for (size_t i = 0; i < commands.count; i++) {
        struct orc_effect effect = {.entry = entry};
        effect.kind = commands.items[i].kind == ORC_COMMAND_DELIVER ? ORC_EFFECT_DELIVER : ORC_EFFECT_DISPATCH;
        effect.job = commands.items[i].job;
        orc_engine_after_commit(engine, &effect);
    }
    if (orc_execution_closed(entry->execution)) {
        struct orc_effect effect = {.kind = ORC_EFFECT_CLOSED, .entry = entry};
        orc_engine_touch(engine, entry);
        orc_engine_after_commit(engine, &effect);
    }
    orc_commands_fini(&commands);
    orc_engine_set_timer(engine, entry);
}

static size_t adopt_all(struct orc_engine *engine, struct orc_entry *entries) {
    size_t count = 0;
    while (entries != NULL) {
        struct orc_entry *next = entries->next_recovered;
        adopt(engine, entries);
        entries = next;
        count++;
    }
    return count;
}

void orc_engine_adopt(struct orc_engine *engine, struct orc_entry *entries) {
    size_t count = adopt_all(engine, entries);
    engine->recovering = false;
    orc_keeper_take(&engine->keeper);
    cs_log_info("recovered", CS_KVI("executions", count));
}

void orc_engine_adopt_taken(struct orc_engine *engine, struct orc_entry *entries) {
    (void)adopt_all(engine, entries);
}

/* ---- dropping everything ---- */

/* The reason that a worker gives itself when its stream breaks (cs/worker.h): nobody wants the job to end, so a
 * prediction that is paid for is left to the next attempt instead of being cancelled at its provider. */
#define STARTING_AGAIN "stream ended"

/* Workers stop what they do for us; their slots come back as they say so. */
static void cancel_assignments(struct orc_engine *engine) {
    struct orc_assignment *assignment = engine->dispatch.assignments;
    while (assignment != NULL) {
        struct orc_assignment *next = assignment->hh.next;
        orc_assignment_give_up(assignment);
        if (assignment->sent) {
            orc_assignment_post_cancel(engine, assignment, STARTING_AGAIN);
        } else {
            orc_assignment_remove(engine, assignment);
        }
        assignment = next;
    }
    orc_peers_flush(engine);
}

void orc_engine_drop_all(struct orc_engine *engine) {
    struct cs_err told = {0};
    (void)cs_fail(&told, CS_UNAVAILABLE, "recovering", "the orchestrator starts again from its log; try again");
    engine->recovering = true;
    engine->replaced = false;
    atomic_fetch_add(&engine->counters.recoveries, 1);
    orc_watchers_end_all(engine, &told);
    if (engine->committing != NULL) {
        orc_engine_fail_batch(engine, engine->committing);
        engine->committing = NULL;
    }
    orc_engine_fail_batch(engine, engine->filling);
    cancel_assignments(engine);
    orc_cache_drop(engine);
    struct orc_entry *entry = engine->entries;
    while (entry != NULL) {
        struct orc_entry *next = entry->hh.next;
        orc_engine_forget(engine, entry);
        entry = next;
    }
    if (!engine->stopping) {
        orc_committer_give(engine, ORC_TASK_RECOVER);
    }
}
