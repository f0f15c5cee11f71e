/*
 * slots: how many jobs this node is at, so that a long one may use what others leave idle.
 *
 * Threads  any. No lock of a stop that watches is held when a slot is left, or a watch begins or ends.
 */
#ifndef MED_SLOTS_H
#define MED_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "stop.h"

/* Somebody who waits for an idle slot: woken whenever one is left. */
struct med_slots_watch {
    struct med_stop *stop;
    struct med_slots_watch *prev;
    struct med_slots_watch *next;
};

struct med_slots {
    uint32_t count;
    atomic_uint busy;
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct med_slots_watch *watches;
};

void med_slots_init(struct med_slots *slots, uint32_t count);
void med_slots_fini(struct med_slots *slots);
/* For an assignment: it was promised a slot. */
void med_slots_enter(struct med_slots *slots);
/* For a chunk: false when none is idle. */
bool med_slots_try_enter(struct med_slots *slots);
void med_slots_leave(struct med_slots *slots);

void med_slots_watch(struct med_slots *slots, struct med_slots_watch *watch, struct med_stop *stop);
void med_slots_unwatch(struct med_slots *slots, struct med_slots_watch *watch);

#endif
