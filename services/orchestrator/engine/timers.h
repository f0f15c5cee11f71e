/*
 * timers: a heap of moments; the earliest first.
 *
 * A timer is a field of what it wakes; setting, moving and removing cost the logarithm of how many there are.
 *
 * Owns     only its array of pointers: a timer is removed before its owner goes.
 * Threads  one.
 */
#ifndef ORC_ENGINE_TIMERS_H
#define ORC_ENGINE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct orc_timer {
    int64_t at_ms;
    size_t place; /* in the heap, from 1; 0: not set */
};

struct orc_timers {
    struct orc_timer **heap; /* [1] is the earliest */
    size_t count;
    size_t capacity;
};

void orc_timers_fini(struct orc_timers *timers);
void orc_timer_init(struct orc_timer *timer);
/* INT64_MAX removes it. */
void orc_timer_set(struct orc_timers *timers, struct orc_timer *timer, int64_t at_ms);
/* The earliest, or NULL. */
struct orc_timer *orc_timers_first(const struct orc_timers *timers);

#endif
