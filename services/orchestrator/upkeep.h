/*
 * upkeep: what the database needs from time to time, and nobody waits for: partitions of the days to come, and the end
 * of what is older than the retention.
 *
 * A thread with a connection of its own looks when it starts and then every ORC_UPKEEP_EVERY_MS (sooner after a
 * failure). Any number of replicas may do it: the database lets one at a time. When none has run for a while, commits
 * make the partition that they need themselves (store/partitions.h).
 *
 * Retention 0: nothing goes. A partition spans a tenth of the retention, at least a day, so there are not many of them.
 *
 * Threads  the owner's.
 */
#ifndef ORC_UPKEEP_H
#define ORC_UPKEEP_H

#include "cs/base/clock.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "store/store.h"

enum {
    ORC_UPKEEP_EVERY_MS = 3600 * 1000,
    ORC_UPKEEP_AGAIN_MS = 60 * 1000, /* after a failure, as when others used the log */
    ORC_UPKEEP_AHEAD_DAYS = 7,       /* for which there are partitions */
};

struct orc_upkeep;

enum cs_status orc_upkeep_start(const char *database_url, int64_t retention_ms, struct orc_upkeep **ret_upkeep,
                                struct cs_err *err) CS_MUST_USE;
void orc_upkeep_stop(struct orc_upkeep *upkeep); /* NULL is fine */
CS_DEFINE_AUTO(orc_upkeep, orc_upkeep_stop)

/* All of it once, on the caller's thread; the first failure ends it. */
enum cs_status orc_upkeep_run(struct orc_store *store, int64_t now_ms, int64_t retention_ms,
                              struct cs_err *err) CS_MUST_USE;

#endif
