/* From a filled batch to rows. */
#include <string.h>

#include "cs/base/log.h"
#include "engine/internal.h"
#include "wire/webhook_wire.h"

/* Frozen now: every try sends these bytes, whatever links or names would say later. */
static void freeze_webhook(struct orc_engine *engine, struct orc_entry *entry, struct cs_arena *arena,
                           struct orc_row_head *head) {
    const struct orc_webhook_context context = {
        .public_url = engine->public_url, .link_secret = engine->link_secret, .now_ms = engine->now_ms};
    const char *body = NULL;
    size_t size = 0;
    struct cs_err err = {0};
    if (orc_webhook_body(entry->execution, &context, arena, &body, &size, &err) != CS_OK) {
        cs_log_error("no webhook body, sending an empty one", CS_KV("execution", entry->execution->id), CS_KVE(&err));
        body = "{}";
        size = 2;
    }
    entry->webhook_body = cs_alloc(size + 1);
    entry->webhook_body_size = size;
    memcpy(entry->webhook_body, body, size);
    head->webhook_body = body;
    head->webhook_body_size = size;
}

static void summarize(struct orc_entry *entry, struct cs_arena *arena, struct orc_row_head *head) {
    const Callsheet__V1__Execution *summary = orc_engine_view(entry, NULL, 0, arena);
    head->summary_size = protobuf_c_message_get_packed_size(&summary->base);
    uint8_t *bytes = cs_arena_alloc(arena, head->summary_size);
    (void)protobuf_c_message_pack(&summary->base, bytes);
    head->summary = bytes;
}

/* The log is the truth; the row's head is rewritten only when it would mislead somebody who looks at it. */
static bool needs_head(const struct orc_entry *entry) {
    const struct orc_execution *execution = entry->execution;
    return execution->state != entry->recorded_state || orc_execution_terminal(execution) ||
           orc_execution_wake_at(execution) < entry->recorded_wake_ms;
}

static void add_head(struct orc_engine *engine, struct orc_batch *batch, struct orc_entry *entry) {
    const struct orc_execution *execution = entry->execution;
    struct orc_row_head *head = &batch->heads[batch->head_count++];
    *head = (struct orc_row_head){
        .id = execution->id,
        .state = execution->state,
        .open = !orc_execution_closed(execution),
        .seq = execution->seq,
        .started_at_ms = execution->started_at_ms,
        .completed_at_ms = execution->completed_at_ms,
        .wake_at_ms = orc_execution_wake_at(execution),
    };
    if (orc_execution_terminal(execution)) {
        summarize(entry, batch->arena, head);
        if (execution->has_webhook && entry->webhook_body == NULL) {
            freeze_webhook(engine, entry, batch->arena, head);
        }
    }
    entry->recorded_state = head->state;
    entry->recorded_wake_ms = head->wake_at_ms;
}

static void add_update(struct orc_engine *engine, struct orc_batch *batch, struct orc_entry *entry) {
    const Callsheet__V1__ExecutionUpdate *update = orc_watch_update(engine, entry, batch->arena);
    if (update != NULL) {
        struct orc_effect effect = {.kind = ORC_EFFECT_UPDATE, .entry = entry, .watch = {.update = update}};
        orc_batch_add_effect(batch, &effect);
    }
}

void orc_engine_seal(struct orc_engine *engine, struct orc_batch *batch) {
    batch->heads = cs_arena_array(batch->arena, batch->entry_count, sizeof(*batch->heads));
    batch->duplicates = cs_arena_array(batch->arena, batch->created_count, sizeof(*batch->duplicates));
    for (size_t i = 0; i < batch->entry_count; i++) {
        struct orc_entry *entry = batch->entries[i];
        entry->dirty = false;
        if (needs_head(entry)) {
            add_head(engine, batch, entry);
        }
        add_update(engine, batch, entry);
    }
}
