/*
 * clock: time, injected where decisions depend on it.
 */
#ifndef CS_BASE_CLOCK_H
#define CS_BASE_CLOCK_H

#include <stdint.h>

int64_t cs_clock_mono_ns(void); /* for durations */
int64_t cs_clock_mono_ms(void);
int64_t cs_clock_unix_ms(void); /* for people and deadlines that cross machines */

/* A clock that a test can hold still. */
struct cs_clock {
    int64_t (*unix_ms)(void *ctx);
    int64_t (*mono_ns)(void *ctx);
    void *ctx;
};

struct cs_clock cs_clock_system(void);

#endif
