/*
 * store/partitions: the log by days, and what is old.
 *
 * An execution, its events and its idempotency key go together, with the partition that holds them all: when all of its
 * days are over and everything in it has ended long enough ago. An execution that is open keeps its partition.
 *
 * Threads, Fails  as in store/store.h.
 */
#ifndef ORC_STORE_PARTITIONS_H
#define ORC_STORE_PARTITIONS_H

#include "store/store.h"

enum {
    ORC_PARTITION_DAYS_MIN = 1,
    ORC_PARTITION_DAYS_MAX = 30,
    ORC_DROP_WAIT_MS = 100,   /* how long a drop may hold up commits before it gives up */
    ORC_FORGOTTEN_MAX = 1000, /* rows at once */
};

/* The partition of that day (of the Unix epoch), for `width` days around it; *ret_made false: it is there. Writers are
 * not held up. */
enum cs_status orc_store_partition_make(struct orc_store *store, int32_t day, int32_t width, bool *ret_made,
                                        struct cs_err *err) CS_MUST_USE;
/* A partition in which all ended before that time; its keys go next, then it does. "": there is none, or another
 * replica looks. In the arena. */
enum cs_status orc_store_partition_retire(struct orc_store *store, int64_t before_ms, struct cs_arena *arena,
                                          const char **ret_suffix, struct cs_err *err) CS_MUST_USE;
/* Some of its idempotency keys, and of what says whose retries are in it; *ret_count below ORC_FORGOTTEN_MAX: that was
 * all. */
enum cs_status orc_store_keys_forget(struct orc_store *store, const char *suffix, int64_t *ret_count,
                                     struct cs_err *err) CS_MUST_USE;
/* ABORTED "lock_timeout", retryable: others use the log, for longer than it may wait. */
enum cs_status orc_store_partition_drop(struct orc_store *store, const char *suffix, bool *ret_dropped,
                                        struct cs_err *err) CS_MUST_USE;
/* Some of the tracked runs that ended before that time; *ret_count as above. */
enum cs_status orc_store_runs_forget(struct orc_store *store, int64_t before_ms, int64_t *ret_count,
                                     struct cs_err *err) CS_MUST_USE;

#endif
