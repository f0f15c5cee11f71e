/* Rows -> entries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "cs/base/crash.h"
#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/event_wire.h"
#include "engine/internal.h"

enum {
    /* The first are small, so that work goes on soon; so are those of a database that is slow: between two of them our
     * lease is renewed. */
    ROWS_A_BATCH_MIN = 50,
    ROWS_A_BATCH_FIRST = 500,
    ROWS_A_READ_MAX = 500,
    ROWS_A_CLAIM_MAX = 2000,
    SLOW_MS = ORC_LEASE_MS / 8,
    /* Of an entry's arena: most fit into one block. */
    ARENA_BYTES = 1024,
    ARENA_TIMES_REQUEST = 4,
};

/* ---- reading: on the keeper's thread ---- */

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

static int by_age(const struct orc_entry *a, const struct orc_entry *b) {
    int64_t a_ms = a->execution->created_at_ms;
    int64_t b_ms = b->execution->created_at_ms;
    return (a_ms > b_ms) - (a_ms < b_ms);
}

/* A list, the oldest first: it is the first in its queue again. */
static struct orc_entry *make_entries(const struct orc_stored *rows, size_t count, struct cs_arena *arena) {
    struct orc_entry *entries = NULL;
    for (size_t i = count; i-- > 0;) {
        struct orc_entry *entry = NULL;
        struct cs_err why = {0};
        if (orc_engine_entry_from(&rows[i], arena, &entry, &why) != CS_OK || entry == NULL) {
            cs_log_error("execution cannot be recovered, left alone", CS_KV("execution", rows[i].id), CS_KVE(&why));
            continue;
        }
        LL_PREPEND2(entries, entry, next_recovered);
    }
    LL_SORT2(entries, by_age, next_recovered);
    return entries;
}

/* How many rows after a batch of so many that took so long. */
static size_t rows_next(size_t rows, int64_t took_ms, size_t rows_max) {
    if (took_ms > SLOW_MS) {
        return rows / 2 > ROWS_A_BATCH_MIN ? rows / 2 : ROWS_A_BATCH_MIN;
    }
    return 2 * rows < rows_max ? 2 * rows : rows_max;
}

/* ---- what we own ---- */

struct orc_owned {
    struct cs_arena *arena; /* holds ids */
    const char **ids;       /* the oldest first; within a batch by id */
    size_t count;
    size_t at;        /* those before have been given */
    size_t batch_end; /* of the one that `at` is in */
    size_t batch_rows;
};

void orc_owned_destroy(struct orc_owned *owned) {
    if (owned != NULL) {
        cs_arena_destroy(owned->arena);
        free(owned);
    }
}

size_t orc_owned_left(const struct orc_owned *owned) {
    return owned->count - owned->at;
}

static int by_id(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Behind the last of the rows that were read; what had no row is not ours any more, or not to be read. */
static void move_on(struct orc_owned *owned, size_t asked, const struct orc_stored *rows, size_t count) {
    size_t end = owned->at + asked;
    if (count == 0) {
        owned->at = end;
        return;
    }
    while (owned->at < end && strcmp(owned->ids[owned->at], rows[count - 1].id) <= 0) {
        owned->at++;
    }
}

/* An answer that is full is cut off: the next one has the rest of its batch, before anything younger. */
static void begin_batch(struct orc_owned *owned) {
    if (owned->at == owned->batch_end) {
        size_t rows = orc_owned_left(owned) < owned->batch_rows ? orc_owned_left(owned) : owned->batch_rows;
        qsort(&owned->ids[owned->at], rows, sizeof(*owned->ids), by_id);
        owned->batch_end = owned->at + rows;
    }
}

enum cs_status orc_engine_take_back(const char *name, struct orc_store *store, struct orc_owned *owned,
                                    orc_take_fn *take, void *ctx, struct cs_err *err) {
    bool more = true;
    while (more && orc_owned_left(owned) != 0) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct orc_stored *rows = NULL;
        size_t count = 0;
        int64_t asked_ms = cs_clock_mono_ms();
        begin_batch(owned);
        size_t asked = owned->batch_end - owned->at;
        CS_TRY(orc_store_open_executions(store, name, &owned->ids[owned->at], asked, arena, &rows, &count, err));
        struct orc_entry *entries = make_entries(rows, count, arena);
        move_on(owned, asked, rows, count);
        cs_crash_at(CS_CRASH_ORCHESTRATOR_WHILE_RETURNING);
        owned->batch_rows = rows_next(owned->batch_rows, cs_clock_mono_ms() - asked_ms, ROWS_A_READ_MAX);
        more = take(entries, ctx);
    }
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
    size_t limit = ROWS_A_BATCH_FIRST;
    size_t claimed = 0;
    for (;;) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct orc_stored *rows = NULL;
        size_t count = 0;
        int64_t asked_ms = cs_clock_mono_ms();
        if (orc_store_claim(store, dead, epoch, after_id, limit, arena, &rows, &count, err) != CS_OK) {
            /* A process has joined under its name: what we have not claimed is its own again. */
            return cs_str_eq(err->reason, "not_fenced") ? CS_OK : err->status;
        }
        cs_crash_at(CS_CRASH_ORCHESTRATOR_AFTER_CLAIM);
        struct orc_entry *entries = make_entries(rows, count, arena);
        int64_t took_ms = cs_clock_mono_ms() - asked_ms;
        claimed += count;
        *ret_progress = claimed != 0;
        if (count == 0 || !take(entries, ctx)) {
            break;
        }
        cs_str_copy(after_id, sizeof(after_id), rows[count - 1].id);
        limit = rows_next(limit, took_ms, ROWS_A_CLAIM_MAX);
    }
    bool removed = false;
    CS_TRY(orc_store_remove(store, dead, epoch, &removed, err));
    *ret_progress = claimed != 0 || removed;
    if (*ret_progress) {
        cs_log_info("took over", CS_KV("replica", dead), CS_KVI("executions", claimed), CS_KVI("all", removed));
    }
    return CS_OK;
}

/* ---- joining: on the committer's thread, or before there is one ---- */

static struct orc_store *store_of(const struct orc_engine *engine) {
    return engine->tracks[ORC_TRACK_MAIN].committer.store;
}

static int64_t joined_at(struct orc_engine *engine) {
    return engine->clock.unix_ms(engine->clock.ctx);
}

/* A name that was given is kept, unless a live process has it. */
static enum cs_status join_named(struct orc_engine *engine, struct cs_err *err) {
    struct orc_store *store = store_of(engine);
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

/* A new name each time; what the one before has open is taken over by who sees it first, if nobody has fenced it. */
static enum cs_status join_unnamed(struct orc_engine *engine, struct cs_err *err) {
    struct orc_store *store = store_of(engine);
    char name[ORC_REPLICA_NAME_MAX];
    make_name(name);
    CS_TRY(orc_store_release(store, NULL, err));
    CS_TRY(orc_store_join(store, name, joined_at(engine), &engine->epoch, err));
    cs_str_copy(engine->name, sizeof(engine->name), name);
    return CS_OK;
}

/* Who joins under a name that is new owns nothing. */
static enum cs_status list_owned(struct orc_engine *engine, struct orc_owned **ret_owned, struct cs_err *err) {
    CS_AUTO(orc_owned) *owned = cs_alloc(sizeof(*owned));
    owned->arena = cs_arena_create();
    owned->batch_rows = ROWS_A_BATCH_FIRST;
    if (engine->replica[0] != '\0') {
        CS_TRY(orc_store_open_ids(store_of(engine), engine->name, owned->arena, &owned->ids, &owned->count, err));
    }
    *ret_owned = cs_steal(&owned);
    return CS_OK;
}

enum cs_status orc_engine_join(struct orc_engine *engine, struct orc_owned **ret_owned, struct cs_err *err) {
    int64_t asked_ms = cs_clock_mono_ms();
    CS_TRY(engine->replica[0] != '\0' ? join_named(engine, err) : join_unnamed(engine, err));
    cs_crash_at(CS_CRASH_ORCHESTRATOR_AFTER_JOIN);
    orc_keeper_begin(&engine->keeper, engine->name, engine->epoch, asked_ms);
    CS_TRY(list_owned(engine, ret_owned, err));
    cs_log_info("joined", CS_KV("replica", engine->name), CS_KVI("epoch", engine->epoch),
                CS_KVI("executions", orc_owned_left(*ret_owned)));
    return CS_OK;
}

/* ---- putting to work: on the engine's thread ---- */

static void adopt(struct orc_engine *engine, struct orc_entry *entry) {
    orc_returning_note(engine, entry->execution->id);
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

void orc_engine_adopt(struct orc_engine *engine, struct orc_entry *entries) {
    while (entries != NULL) {
        struct orc_entry *next = entries->next_recovered;
        adopt(engine, entries);
        entries = next;
    }
}

void orc_engine_joined(struct orc_engine *engine, struct orc_owned *owned) {
    orc_store_assume(engine->tracks[ORC_TRACK_EXPRESS].committer.store, engine->name, engine->epoch);
    engine->recovering = false;
    orc_returning_begin(engine, owned->ids, owned->count);
    orc_keeper_take(&engine->keeper, owned);
}

/* ---- dropping everything ---- */

/* The reason that a worker gives itself when its stream breaks (cs/worker.h): nobody wants the job to end, so a
 * prediction that is paid for is left to the next attempt instead of being cancelled at its provider. */
#define STARTING_AGAIN "stream ended"

/* Workers stop what they do for us, unless they were told to before; their slots come back as they say so. */
static void cancel_assignments(struct orc_engine *engine) {
    struct orc_assignment *assignment = engine->dispatch.assignments;
    while (assignment != NULL) {
        struct orc_assignment *next = assignment->hh.next;
        orc_assignment_give_up(engine, assignment);
        if (!assignment->sent) {
            orc_assignment_remove(engine, assignment);
        } else if (!assignment->cancelled) {
            orc_assignment_post_cancel(engine, assignment, STARTING_AGAIN);
        }
        assignment = next;
    }
    orc_peers_flush(engine);
}

static void fail_track(struct orc_engine *engine, struct orc_track *track) {
    if (track->committing != NULL) {
        orc_engine_fail_batch(engine, track->committing);
        track->committing = NULL;
        track->failed = false;
    }
    orc_engine_fail_batch(engine, track->filling);
}

void orc_engine_drop_all(struct orc_engine *engine) {
    struct cs_err told = {0};
    (void)cs_fail(&told, CS_UNAVAILABLE, "recovering", "the orchestrator starts again from its log; try again");
    engine->recovering = true;
    engine->falling = false;
    orc_returning_end(engine);
    atomic_fetch_add(&engine->counters.recoveries, 1);
    orc_watchers_end_all(engine, &told);
    for (size_t i = 0; i < ORC_TRACKS; i++) {
        fail_track(engine, &engine->tracks[i]);
    }
    cancel_assignments(engine);
    orc_cache_drop(engine);
    struct orc_entry *entry = engine->entries;
    while (entry != NULL) {
        struct orc_entry *next = entry->hh.next;
        orc_engine_forget(engine, entry);
        entry = next;
    }
    if (!engine->stopping) {
        orc_committer_give(&engine->tracks[ORC_TRACK_MAIN], ORC_TASK_RECOVER);
    }
}
