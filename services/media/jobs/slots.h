/*
 * slots: how many jobs this node is at, so that a long one may use what others leave idle.
 *
 * Threads  any.
 */
#ifndef MED_SLOTS_H
#define MED_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct med_slots {
    uint32_t count;
    atomic_uint busy;
};

void med_slots_init(struct med_slots *slots, uint32_t count);
/* For an assignment: it was promised a slot. */
void med_slots_enter(struct med_slots *slots);
/* For a chunk: false when none is idle. */
bool med_slots_try_enter(struct med_slots *slots);
void med_slots_leave(struct med_slots *slots);

#endif
