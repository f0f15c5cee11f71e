#include "slots.h"

#include <stddef.h>
#include <utlist.h>

void med_slots_init(struct med_slots *slots, uint32_t count) {
    *slots = (struct med_slots){.count = count};
    atomic_init(&slots->busy, 0);
    (void)pthread_mutex_init(&slots->lock, NULL);
}

void med_slots_fini(struct med_slots *slots) {
    (void)pthread_mutex_destroy(&slots->lock);
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
    struct med_slots_watch *watch = NULL;
    atomic_fetch_sub(&slots->busy, 1);
    pthread_mutex_lock(&slots->lock);
    DL_FOREACH(slots->watches, watch) {
        med_stop_lock(watch->stop);
        med_stop_wake(watch->stop);
        med_stop_unlock(watch->stop);
    }
    pthread_mutex_unlock(&slots->lock);
}

void med_slots_watch(struct med_slots *slots, struct med_slots_watch *watch, struct med_stop *stop) {
    watch->stop = stop;
    pthread_mutex_lock(&slots->lock);
    DL_APPEND(slots->watches, watch);
    pthread_mutex_unlock(&slots->lock);
}

void med_slots_unwatch(struct med_slots *slots, struct med_slots_watch *watch) {
    pthread_mutex_lock(&slots->lock);
    DL_DELETE(slots->watches, watch); // NOLINT(clang-analyzer-core.NullDereference): it is in it
    pthread_mutex_unlock(&slots->lock);
}
