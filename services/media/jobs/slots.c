#include "slots.h"

void med_slots_init(struct med_slots *slots, uint32_t count) {
    slots->count = count;
    atomic_init(&slots->busy, 0);
}

void med_slots_enter(struct med_slots *slots) {
    atomic_fetch_add(&slots->busy, 1);
}

bool med_slots_try_enter(struct med_slots *slots) {
    unsigned busy = atomic_load(&slots->busy);
    while (busy < slots->count) {
        if (atomic_compare_exchange_weak(&slots->busy, &busy, busy + 1)) {
            return true;
        }
    }
    return false;
}

void med_slots_leave(struct med_slots *slots) {
    atomic_fetch_sub(&slots->busy, 1);
}
