#include "timers.h"

#include "cs/base/mem.h"

static bool before(const struct cs_timer *a, const struct cs_timer *b) {
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void swap(struct cs_timer *a, struct cs_timer *b) {
    struct cs_timer kept = *a;
    *a = *b;
    *b = kept;
}

void cs_timers_fini(struct cs_timers *timers) {
    for (size_t i = 0; i < timers->count; i++) {
        if (timers->heap[i].drop != NULL) {
            timers->heap[i].drop(timers->heap[i].ctx);
        }
    }
    free(timers->heap);
    *timers = (struct cs_timers){0};
}

void cs_timers_add(struct cs_timers *timers, struct cs_timer timer) {
    if (timers->count == timers->capacity) {
        timers->capacity = timers->capacity == 0 ? 64 : timers->capacity * 2;
        timers->heap = cs_realloc(timers->heap, timers->capacity * sizeof(*timers->heap));
    }
    timer.order = timers->order++;
    size_t at = timers->count++;
    timers->heap[at] = timer;
    while (at > 0 && before(&timers->heap[at], &timers->heap[(at - 1) / 2])) {
        swap(&timers->heap[at], &timers->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void sink(struct cs_timers *timers) {
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < timers->count; child++) {
            if (before(&timers->heap[child], &timers->heap[least])) {
                least = child;
            }
        }
        if (least == at) {
            return;
        }
        swap(&timers->heap[at], &timers->heap[least]);
        at = least;
    }
}

bool cs_timers_take(struct cs_timers *timers, int64_t now_ms, struct cs_timer *ret_timer) {
    if (timers->count == 0 || timers->heap[0].due_ms > now_ms) {
        return false;
    }
    *ret_timer = timers->heap[0];
    timers->heap[0] = timers->heap[--timers->count];
    sink(timers);
    return true;
}

int64_t cs_timers_wait_ms(const struct cs_timers *timers, int64_t now_ms, int64_t limit_ms) {
    if (timers->count == 0 || timers->heap[0].due_ms - now_ms >= limit_ms) {
        return limit_ms;
    }
    return timers->heap[0].due_ms > now_ms ? timers->heap[0].due_ms - now_ms : 0;
}
