/*
 * timers: what is due when; a heap of the loop thread.
 */
#ifndef CS_HTTP_TIMERS_H
#define CS_HTTP_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void cs_timer_fn(void *ctx);

struct cs_timer {
    int64_t due_ms;
    uint64_t order; /* equal times run in the order they came */
    cs_timer_fn *fn;
    void *ctx;
    void (*drop)(void *ctx); /* frees ctx when it never runs; may be NULL */
};

struct cs_timers {
    struct cs_timer *heap;
    size_t count;
    size_t capacity;
    uint64_t order;
};

void cs_timers_fini(struct cs_timers *timers);
void cs_timers_add(struct cs_timers *timers, struct cs_timer timer);
/* Takes the earliest when it is due. */
bool cs_timers_take(struct cs_timers *timers, int64_t now_ms, struct cs_timer *ret_timer);
/* Until the earliest, at most limit_ms. */
int64_t cs_timers_wait_ms(const struct cs_timers *timers, int64_t now_ms, int64_t limit_ms);

#endif
