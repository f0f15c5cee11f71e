/*
 * rate: how many requests one client may make in a time, as a token bucket for each.
 *
 * A full bucket holds the limit, and is filled again evenly: who stays below the rate never waits, who was told to wait
 * so long gets in then. A refused request takes nothing.
 *
 * Threads  any; a take is one step.
 * Limits   GW_RATE_CLIENTS_MAX buckets; beyond, the one that was not used for longest is forgotten (and thus full
 *          again).
 * Fails    gw_rate_create: "bad_setting".
 */
#ifndef GW_API_RATE_H
#define GW_API_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/auto.h"
#include "cs/base/err.h"

enum { GW_RATE_CLIENTS_MAX = 65536, GW_RATE_WHO_BYTES_MAX = 40, GW_RATE_MAX = 1000000 };

struct gw_rate;

struct gw_rate_verdict {
    bool allowed;
    int64_t limit;
    int64_t remaining;      /* that could be taken at once */
    int64_t retry_after_ms; /* when refused */
};

/* text: "off" (or ""), "on" (100/min) or "N/s", "N/min", "N/h". Off gives NULL. */
enum cs_status gw_rate_create(const char *text, struct gw_rate **ret_rate, struct cs_err *err) CS_MUST_USE;
void gw_rate_destroy(struct gw_rate *rate); /* NULL is fine */
CS_DEFINE_AUTO(gw_rate, gw_rate_destroy)

/* who: at most GW_RATE_WHO_BYTES_MAX bytes that tell clients apart. */
struct gw_rate_verdict gw_rate_take(struct gw_rate *rate, const void *who, size_t who_bytes, int64_t now_ns);
/* Buckets that are remembered. */
size_t gw_rate_clients(struct gw_rate *rate);

#endif
