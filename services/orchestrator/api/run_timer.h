/*
 * run_timer: ends tracked runs whose lease or time is over, without anybody asking.
 *
 * A thread sleeps until the earliest wake-up that it knows: from its last look at the database, or from
 * orc_run_timer_expect. It looks once when that comes (heartbeats may have moved it) and when it starts; between them
 * it asks nothing. While the database is away it looks again after a growing pause. Replicas may look at the same time:
 * the store lets one end a run.
 *
 * Threads  expect from any; start and stop from the owner's.
 */
#ifndef ORC_API_RUN_TIMER_H
#define ORC_API_RUN_TIMER_H

#include "store/runs.h"

struct orc_run_timer;

enum cs_status orc_run_timer_start(const char *database_url, struct orc_run_timer **ret_timer,
                                   struct cs_err *err) CS_MUST_USE;
void orc_run_timer_stop(struct orc_run_timer *timer); /* NULL is fine */
CS_DEFINE_AUTO(orc_run_timer, orc_run_timer_stop)
/* A run may end by itself at that time; now is by the same clock. */
void orc_run_timer_expect(struct orc_run_timer *timer, int64_t wake_at_ms, int64_t now_ms);

#endif
