/*
 * cache: whether a job may have the result of another one that did the same work, and why it has not.
 *
 * Threads  pure.
 */
#ifndef ORC_DOMAIN_CACHE_H
#define ORC_DOMAIN_CACHE_H

enum { ORC_CACHE_SUBJECT_BYTES = 32 }; /* SHA-256 of what the work is */

/* Of a job. */
enum orc_cache_mode {
    ORC_CACHE_OFF,
    ORC_CACHE_ON,
    ORC_CACHE_REFRESH,
};

/* Why a job had to run. Stored in the log by number: never renumber. */
enum orc_cache_miss {
    ORC_CACHE_NO_MISS, /* it did not, or nobody has looked */
    ORC_CACHE_NEVER_SEEN,
    ORC_CACHE_EXPIRED,
    ORC_CACHE_INVALIDATED,
    ORC_CACHE_REFRESHED,
    ORC_CACHE_ENGINE_CHANGED,
    ORC_CACHE_SOURCE_GONE,
    ORC_CACHE_ABANDONED,
    ORC_CACHE_UNAVAILABLE,
    ORC_CACHE_MISSES,
};

/* "never_seen" …; "" for ORC_CACHE_NO_MISS and for a number of a later version. */
const char *orc_cache_miss_word(unsigned miss);

#endif
