#include "engine/timers.h"

#include <stdlib.h>

#include "cs/base/mem.h"

void orc_timers_fini(struct orc_timers *timers) {
    free(timers->heap);
    *timers = (struct orc_timers){0};
}

void orc_timer_init(struct orc_timer *timer) {
    *timer = (struct orc_timer){.at_ms = INT64_MAX};
}

static void put(struct orc_timers *timers, size_t place, struct orc_timer *timer) {
    timers->heap[place] = timer;
    timer->place = place;
}

static void rise(struct orc_timers *timers, struct orc_timer *timer) {
    size_t place = timer->place;
    while (place > 1 && timers->heap[place / 2]->at_ms > timer->at_ms) {
        put(timers, place, timers->heap[place / 2]);
        place /= 2;
    }
    put(timers, place, timer);
}

static void sink(struct orc_timers *timers, struct orc_timer *timer) {
    size_t place = timer->place;
    while (2 * place <= timers->count) {
        size_t child = 2 * place;
        if (child < timers->count && timers->heap[child + 1]->at_ms < timers->heap[child]->at_ms) {
            child++;
        }
        if (timers->heap[child]->at_ms >= timer->at_ms) {
            break;
        }
        put(timers, place, timers->heap[child]);
        place = child;
    }
    put(timers, place, timer);
}

static void insert(struct orc_timers *timers, struct orc_timer *timer) {
    if (timers->count + 1 >= timers->capacity) {
        timers->capacity = timers->capacity != 0 ? 2 * timers->capacity : 64;
        timers->heap = cs_realloc(timers->heap, timers->capacity * sizeof(struct orc_timer *));
    }
    put(timers, ++timers->count, timer);
    rise(timers, timer);
}

static void take_out(struct orc_timers *timers, struct orc_timer *timer) {
    size_t place = timer->place;
    struct orc_timer *last = timers->heap[timers->count--];
    timer->place = 0;
    if (last != timer) {
        put(timers, place, last);
        rise(timers, last);
        sink(timers, last);
    }
}

void orc_timer_set(struct orc_timers *timers, struct orc_timer *timer, int64_t at_ms) {
    int64_t before = timer->at_ms;
    timer->at_ms = at_ms;
    if (at_ms == INT64_MAX) {
        if (timer->place != 0) {
            take_out(timers, timer);
        }
    } else if (timer->place == 0) {
        insert(timers, timer);
    } else if (at_ms < before) {
        rise(timers, timer);
    } else {
        sink(timers, timer);
    }
}

struct orc_timer *orc_timers_first(const struct orc_timers *timers) {
    return timers->count != 0 ? timers->heap[1] : NULL;
}
