#include "engine/entry.h"

#include <stdlib.h>

struct orc_entry *orc_entry_create(struct orc_execution *execution, struct cs_arena *arena,
                                   const Callsheet__V1__CreateExecutionRequest *envelope,
                                   const struct cs_trace *trace) {
    struct orc_entry *entry = cs_alloc(sizeof(*entry));
    entry->execution = execution;
    entry->arena = arena;
    entry->envelope = envelope;
    cs_trace_format(trace, entry->traceparent);
    cs_trace_id_hex(trace, entry->trace_id);
    entry->recorded_state = execution->state;
    entry->recorded_wake_ms = execution->deadline_ms;
    orc_timer_init(&entry->timer);
    entry->guard_at_ms = INT64_MAX;
    entry->delivery = (struct orc_seat){.entry = entry, .job = ORC_SEAT_OF_DELIVERY};
    entry->seat_count = execution->plan->job_count;
    entry->seats = cs_alloc_array(entry->seat_count, sizeof(*entry->seats));
    for (uint32_t i = 0; i < entry->seat_count; i++) {
        entry->seats[i] = (struct orc_seat){.entry = entry, .job = i};
    }
    return entry;
}

void orc_entry_destroy(struct orc_entry *entry) {
    if (entry == NULL) {
        return;
    }
    orc_execution_destroy(entry->execution);
    cs_arena_destroy(entry->arena);
    free(entry->request);
    for (uint32_t i = 0; i < entry->block_count; i++) {
        free(entry->more[i]);
    }
    free(entry->more);
    free(entry->seats);
    free(entry->webhook_body);
    free(entry);
}

void orc_entries_destroy(struct orc_entry *entries) {
    while (entries != NULL) {
        struct orc_entry *next = entries->next_recovered;
        orc_entry_destroy(entries);
        entries = next;
    }
}

struct orc_seat *orc_entry_seat(const struct orc_entry *entry, uint32_t job) {
    if (job == ORC_SEAT_OF_DELIVERY) {
        return (struct orc_seat *)&entry->delivery;
    }
    if (job < entry->seat_count) {
        return &entry->seats[job];
    }
    uint32_t later = job - entry->seat_count;
    return &entry->more[later / ORC_SEATS_A_BLOCK][later % ORC_SEATS_A_BLOCK];
}

static struct orc_seat *new_block(struct orc_entry *entry) {
    struct orc_seat *block = cs_alloc_array(ORC_SEATS_A_BLOCK, sizeof(*block));
    uint32_t first = entry->seat_count + entry->block_count * ORC_SEATS_A_BLOCK;
    for (uint32_t i = 0; i < ORC_SEATS_A_BLOCK; i++) {
        block[i] = (struct orc_seat){.entry = entry, .job = first + i};
    }
    return block;
}

void orc_entry_grow(struct orc_entry *entry) {
    uint32_t later = entry->execution->plan->job_count - entry->seat_count;
    uint32_t blocks = (later + ORC_SEATS_A_BLOCK - 1) / ORC_SEATS_A_BLOCK;
    if (blocks == entry->block_count) {
        return;
    }
    entry->more = cs_realloc(entry->more, blocks * sizeof(struct orc_seat *));
    while (entry->block_count < blocks) {
        entry->more[entry->block_count] = new_block(entry);
        entry->block_count++;
    }
}

struct orc_seat *orc_entry_delivery(struct orc_entry *entry) {
    return &entry->delivery;
}

bool orc_seat_is_delivery(const struct orc_seat *seat) {
    return seat->job == ORC_SEAT_OF_DELIVERY;
}
