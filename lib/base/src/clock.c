#include "cs/base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_ns(clockid_t id) {
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t cs_clock_mono_ns(void) {
    return read_ns(CLOCK_MONOTONIC);
}

int64_t cs_clock_mono_ms(void) {
    return read_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t cs_clock_unix_ms(void) {
    return read_ns(CLOCK_REALTIME) / 1000000;
}

static int64_t system_unix_ms(void *ctx) {
    (void)ctx;
    return cs_clock_unix_ms();
}

static int64_t system_mono_ns(void *ctx) {
    (void)ctx;
    return cs_clock_mono_ns();
}

struct cs_clock cs_clock_system(void) {
    return (struct cs_clock){.unix_ms = system_unix_ms, .mono_ns = system_mono_ns, .ctx = NULL};
}
