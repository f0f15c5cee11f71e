#include "engine/bases.h"

#include <string.h>
#include <utlist.h>

#include "cs/base/hash.h"
#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/internal.h"
#include "wire/base.h"
#include "wire/results.h"

/* One base and the entries that wait for it. */
struct orc_awaited {
    UT_hash_handle hh;
    char id[CS_ID_SIZE];
    struct orc_entry *entries; /* a list by base_next */
};

/* How a base ended. */
struct outcome {
    enum orc_execution_state state;          /* NONE: it is gone */
    const Callsheet__V1__Execution *summary; /* when it completed */
};

static struct orc_awaited *find(const struct orc_engine *engine, const char *id) {
    struct orc_awaited *awaited = NULL;
    HASH_FIND_STR(engine->bases.awaited, id, awaited);
    return awaited;
}

void orc_bases_wait(struct orc_engine *engine, struct orc_entry *entry) {
    if (entry->awaited != NULL) {
        return;
    }
    struct orc_awaited *awaited = find(engine, entry->execution->plan->base);
    if (awaited == NULL) {
        awaited = cs_alloc(sizeof(*awaited));
        cs_str_copy(awaited->id, sizeof(awaited->id), entry->execution->plan->base);
        HASH_ADD_STR(engine->bases.awaited, id, awaited);
    }
    DL_APPEND2(awaited->entries, entry, base_prev, base_next);
    entry->awaited = awaited;
    engine->bases.look_at_ms = engine->now_ms;
}

void orc_bases_leave(struct orc_engine *engine, struct orc_entry *entry) {
    struct orc_awaited *awaited = entry->awaited;
    if (awaited == NULL) {
        return;
    }
    DL_DELETE2(awaited->entries, entry, base_prev, base_next);
    entry->awaited = NULL;
    if (awaited->entries == NULL) {
        HASH_DEL(engine->bases.awaited, awaited); // NOLINT(clang-analyzer-core.NullDereference): it is in it
        free(awaited);
    }
}

/* ---- what the end of the base means ---- */

static bool is_open_import(const struct orc_entry *entry, uint32_t job) {
    const struct orc_job *state = &entry->execution->jobs[job];
    return entry->execution->plan->jobs[job].base_job != NULL &&
           (state->state == ORC_JOB_WAITING || state->state == ORC_JOB_READY);
}

static void take_results(struct orc_engine *engine, struct orc_entry *entry, const struct outcome *outcome) {
    const struct orc_plan *plan = entry->execution->plan;
    struct orc_reuses reuses = orc_reuses_of_base(plan, outcome->summary, engine->scratch);
    for (size_t i = 0; i < reuses.count; i++) {
        if (is_open_import(entry, reuses.items[i].job)) {
            orc_engine_reuse(engine, entry, &reuses, i);
        }
    }
}

static const char *reason_of(const struct orc_engine *engine, const struct orc_entry *entry, uint32_t job,
                             const struct outcome *outcome) {
    const struct orc_plan *plan = entry->execution->plan;
    if (outcome->state == ORC_EXECUTION_NONE) {
        return cs_arena_sprintf(engine->scratch, "Base execution not found: %s", plan->base);
    }
    if (outcome->state != ORC_EXECUTION_COMPLETED) {
        return orc_base_incomplete_text(plan->base, outcome->state, engine->scratch);
    }
    const char *source = plan->jobs[job].base_job;
    if (source[0] != '\0' && orc_results_fused(orc_results_of(outcome->summary, engine->scratch), source) != NULL) {
        return cs_arena_sprintf(
            engine->scratch,
            "Job \"%s\" of the base execution %s was done in one run with another, and its output was "
            "not kept",
            source, plan->base);
    }
    return source[0] != '\0' ? cs_arena_sprintf(engine->scratch, "Job \"%s\" of the base execution %s gave no result",
                                                source, plan->base)
                             : cs_arena_sprintf(engine->scratch, "The base execution %s gave no result", plan->base);
}

static void give_up(struct orc_engine *engine, struct orc_entry *entry, uint32_t job, const struct outcome *outcome) {
    struct orc_event event = {.kind = ORC_EVENT_FAILED,
                              .job = job,
                              .attempt = entry->execution->jobs[job].attempt,
                              .unassigned = true,
                              .failure_class = ORC_FAILURE_INVALID_INPUT,
                              .code = "base_failed",
                              .message = reason_of(engine, entry, job, outcome)};
    orc_engine_must_step(engine, entry, &event);
}

/* What is ready and cannot have its result. A job that the base did not complete, though the whole did, runs here. */
static void end_ready(struct orc_engine *engine, struct orc_entry *entry, const struct outcome *outcome) {
    const struct orc_execution *execution = entry->execution;
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        if (!is_open_import(entry, i) || execution->jobs[i].state != ORC_JOB_READY) {
            continue; /* one that waits comes here again when it is ready */
        }
        if (outcome->state == ORC_EXECUTION_COMPLETED && !execution->plan->jobs[i].hidden) {
            orc_engine_start_job(engine, entry, i);
        } else {
            give_up(engine, entry, i, outcome);
        }
    }
}

static void settle(struct orc_engine *engine, struct orc_awaited *awaited, const struct outcome *outcome) {
    struct orc_entry *next = NULL;
    for (struct orc_entry *entry = awaited->entries; entry != NULL; entry = next) {
        next = entry->base_next;
        orc_bases_leave(engine, entry); /* frees `awaited` with the last one */
        if (outcome->state == ORC_EXECUTION_COMPLETED) {
            take_results(engine, entry, outcome);
        }
        end_ready(engine, entry, outcome);
    }
}

/* ---- a base in memory ---- */

static void settle_from(struct orc_engine *engine, struct orc_awaited *awaited, struct orc_entry *base) {
    const struct outcome outcome = {.state = (enum orc_execution_state)base->execution->state,
                                    .summary = orc_engine_view(base, NULL, 0, engine->scratch)};
    settle(engine, awaited, &outcome);
}

void orc_bases_ended(struct orc_engine *engine, struct orc_entry *base) {
    struct orc_awaited *awaited = engine->bases.awaited != NULL ? find(engine, base->execution->id) : NULL;
    if (awaited != NULL) {
        settle_from(engine, awaited, base);
    }
}

/* ---- bases elsewhere ---- */

static void on_ended(const struct orc_stored *items, size_t count, const struct cs_err *err, void *ctx) {
    struct orc_engine *engine = ctx;
    struct orc_item *item = orc_item_create(ORC_ITEM_BASES);
    item->bases.arena = cs_arena_create();
    item->bases.count = err == NULL ? count : 0;
    struct orc_stored *copies = cs_arena_array(item->bases.arena, count, sizeof(*copies));
    for (size_t i = 0; i < item->bases.count; i++) {
        copies[i] = (struct orc_stored){.id = cs_arena_strdup(item->bases.arena, items[i].id),
                                        .state = items[i].state,
                                        .summary_size = items[i].summary_size};
        if (items[i].summary != NULL) {
            copies[i].summary = cs_arena_copy(item->bases.arena, items[i].summary, items[i].summary_size);
        }
    }
    item->bases.items = copies;
    if (!orc_queue_put(&engine->queue, item)) {
        cs_arena_destroy(item->bases.arena);
        free(item);
    }
}

static void settle_row(struct orc_engine *engine, const struct orc_stored *row) {
    struct orc_awaited *awaited = find(engine, row->id);
    struct outcome outcome = {.state = (enum orc_execution_state)row->state};
    struct cs_err err = {0};
    ProtobufCMessage *summary = NULL;
    if (awaited == NULL) {
        return; /* nobody waits any more */
    }
    if (row->state == ORC_EXECUTION_COMPLETED &&
        cs_rpc_message_unpack_arena(&callsheet__v1__execution__descriptor, row->summary, row->summary_size,
                                    engine->scratch, &summary, &err) != CS_OK) {
        cs_log_error("the summary of a base does not unpack, taken for gone", CS_KV("execution", row->id),
                     CS_KVE(&err));
        outcome.state = ORC_EXECUTION_NONE;
    }
    outcome.summary = (const Callsheet__V1__Execution *)summary;
    settle(engine, awaited, &outcome);
}

void orc_engine_take_bases(struct orc_engine *engine, struct orc_item *item) {
    engine->bases.looking = false;
    for (size_t i = 0; i < item->bases.count; i++) {
        settle_row(engine, &item->bases.items[i]);
    }
    cs_arena_destroy(item->bases.arena);
}

int64_t orc_bases_due_ms(const struct orc_engine *engine) {
    bool due = engine->bases.awaited != NULL && !engine->bases.looking;
    return due ? engine->bases.look_at_ms : INT64_MAX;
}

/* Those in memory that have ended are settled here; those that have not will tell. *ret_again: one has ended and is
 * being written, which may be its end or what comes after it; it may have told already. */
static size_t list_elsewhere(struct orc_engine *engine, const char **ids, bool *ret_again) {
    size_t count = 0;
    struct orc_awaited *next = NULL;
    for (struct orc_awaited *awaited = engine->bases.awaited; awaited != NULL; awaited = next) {
        next = awaited->hh.next;
        struct orc_entry *base = orc_engine_find(engine, awaited->id);
        if (base == NULL) {
            ids[count++] = cs_arena_strdup(engine->scratch, awaited->id);
        } else if (orc_execution_terminal(base->execution) && orc_engine_batch_of(base) == NULL) {
            settle_from(engine, awaited, base);
        } else {
            *ret_again = *ret_again || orc_execution_terminal(base->execution);
        }
    }
    return count;
}

void orc_bases_look(struct orc_engine *engine) {
    if (engine->recovering || orc_bases_due_ms(engine) > engine->now_ms) {
        return;
    }
    const char **ids = cs_arena_array(engine->scratch, HASH_COUNT(engine->bases.awaited), sizeof(*ids));
    bool again = false;
    size_t count = list_elsewhere(engine, ids, &again);
    engine->bases.look_at_ms = count != 0 || again ? engine->now_ms + ORC_BASES_LOOK_EVERY_MS : INT64_MAX;
    if (count != 0) {
        engine->bases.looking = true;
        orc_readers_ended(engine->readers, ids, count, on_ended, engine);
    }
}
