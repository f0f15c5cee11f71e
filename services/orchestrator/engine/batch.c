#include "engine/batch.h"

#include <stdlib.h>

/* Room for one more in a growing array. */
static void *grown(void *items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity != 0 ? 2 * *capacity : 64;
    return cs_realloc(items, *capacity * size);
}

void orc_batch_init(struct orc_batch *batch) {
    *batch = (struct orc_batch){.arena = cs_arena_create()};
}

void orc_batch_fini(struct orc_batch *batch) {
    cs_arena_destroy(batch->arena);
    free(batch->created);
    free(batch->events);
    free(batch->kept);
    free(batch->entries);
    free(batch->effects);
    *batch = (struct orc_batch){0};
}

void orc_batch_clear(struct orc_batch *batch) {
    cs_arena_reset(batch->arena);
    batch->created_count = batch->event_count = batch->head_count = batch->entry_count = batch->effect_count = 0;
    batch->kept_count = 0;
    batch->heads = NULL;
    batch->duplicates = NULL;
}

bool orc_batch_empty(const struct orc_batch *batch) {
    return batch->created_count == 0 && batch->entry_count == 0 && batch->kept_count == 0;
}

struct orc_row_created *orc_batch_add_created(struct orc_batch *batch) {
    batch->created = grown(batch->created, batch->created_count, &batch->created_capacity, sizeof(*batch->created));
    return &batch->created[batch->created_count++];
}

struct orc_row_event *orc_batch_add_event(struct orc_batch *batch) {
    batch->events = grown(batch->events, batch->event_count, &batch->event_capacity, sizeof(*batch->events));
    return &batch->events[batch->event_count++];
}

struct orc_row_kept *orc_batch_add_kept(struct orc_batch *batch) {
    batch->kept = grown(batch->kept, batch->kept_count, &batch->kept_capacity, sizeof(*batch->kept));
    return &batch->kept[batch->kept_count++];
}

void orc_batch_add_entry(struct orc_batch *batch, struct orc_entry *entry) {
    batch->entries = grown(batch->entries, batch->entry_count, &batch->entry_capacity, sizeof(struct orc_entry *));
    batch->entries[batch->entry_count++] = entry;
}

void orc_batch_add_effect(struct orc_batch *batch, const struct orc_effect *effect) {
    batch->effects = grown(batch->effects, batch->effect_count, &batch->effect_capacity, sizeof(*batch->effects));
    batch->effects[batch->effect_count++] = *effect;
}
