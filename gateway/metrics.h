/*
 * metrics: what the gateway counts, in Prometheus text.
 *
 * Threads  any.
 */
#ifndef GW_METRICS_H
#define GW_METRICS_H

#include <stdint.h>

#include "cs/base/mem.h"

struct gw_metrics;

struct gw_metrics *gw_metrics_create(void);
void gw_metrics_destroy(struct gw_metrics *metrics); /* NULL is fine */
/* route: a pattern of the table, never what the client sent ("" for no route). status 0: the client went away. */
void gw_metrics_request(struct gw_metrics *metrics, const char *route, const char *method, unsigned status,
                        int64_t duration_ns);
void gw_metrics_write(struct gw_metrics *metrics, struct cs_buf *out);

#endif
