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
    entry->seats = cs_alloc_array((size_t)execution->plan->job_count + 1, sizeof(*entry->seats));
    for (uint32_t i = 0; i <= execution->plan->job_count; i++) {
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

struct orc_seat *orc_entry_delivery(struct orc_entry *entry) {
    return &entry->seats[entry->execution->plan->job_count];
}

bool orc_seat_is_delivery(const struct orc_seat *seat) {
    return seat->job == seat->entry->execution->plan->job_count;
}
