#include "cs/base/auto.h"
#include "domain/moves.h"

/* A fraction of span, by a uniform 32-bit number: 0 … span. */
static int64_t share_of(int64_t span, uint32_t chance) {
    return (int64_t)(((unsigned __int128)(uint64_t)span * chance) / UINT32_MAX);
}

static int64_t backoff(const struct orc_retry_policy *policy, uint32_t failures) {
    int64_t delay = policy->base_ms;
    for (uint32_t i = 1; i < failures && delay < policy->cap_ms; i++) {
        delay *= 2;
    }
    return delay < policy->cap_ms ? delay : policy->cap_ms;
}

int64_t orc_retry_at(const struct orc_retry_policy *policy, uint32_t failures, int64_t retry_after_ms, uint32_t chance,
                     int64_t now_ms) {
    if (failures >= policy->attempts_max) {
        return 0;
    }
    int64_t delay = share_of(backoff(policy, failures), chance); /* full jitter */
    int64_t wish = retry_after_ms < ORC_RETRY_AFTER_MS_MAX ? retry_after_ms : ORC_RETRY_AFTER_MS_MAX;
    return now_ms + (delay > wish ? delay : wish);
}

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* Before try number index + 1, counted from the one before. */
static const int64_t delivery_delays_ms[] = {
    0, 5 * SECOND, 1 * MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
};
_Static_assert(CS_COUNT(delivery_delays_ms) == ORC_DELIVERY_TRIES_MAX, "a delay before each try");

int64_t orc_delivery_retry_at(uint32_t tries, uint32_t chance, int64_t now_ms) {
    if (tries >= ORC_DELIVERY_TRIES_MAX) {
        return 0;
    }
    int64_t delay = delivery_delays_ms[tries];
    return now_ms + delay - delay / 10 + share_of(delay / 5, chance); /* ±10 % */
}
