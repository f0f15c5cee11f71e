/*
 * cache: results that are kept for jobs that do the same work, by subject (wire/cache_wire.h) and engine.
 *
 * A row is a result, or says who is making one: the leader. A leader need not be alive: its execution is taken over
 * when it is not, and leads on. When its execution has ended without a result the row means nothing.
 *
 * Threads, Fails   as store.h says.
 */
#ifndef ORC_STORE_CACHE_H
#define ORC_STORE_CACHE_H

#include "domain/cache.h"
#include "store/store.h"

enum { ORC_CACHE_CLEANED_MAX = 500 }; /* rows at once */

/* ---- asking ---- */

struct orc_cache_question {
    unsigned char subject[ORC_CACHE_SUBJECT_BYTES];
    const char *engine; /* that would do it; "": any version gives the same */
    const char *tenant;
    const char *operation;
    const char *execution; /* who asks */
    const char *job;       /* its id */
    uint64_t number;       /* the caller's own */
};

enum orc_cache_verdict {
    ORC_CACHE_HIT,  /* result, and execution and job that made it */
    ORC_CACHE_LEAD, /* who asks makes it from now on; miss says why */
    ORC_CACHE_HELD, /* execution and job make it; "" nobody knows who: ask again */
};

struct orc_cache_answer {
    enum orc_cache_verdict verdict;
    enum orc_cache_miss miss;
    const char *execution;
    const char *job;
    const void *result; /* packed callsheet.v1.Succeeded */
    size_t result_size;
};

/* One statement; no two questions of one subject and engine. Answers, one for each question, live in the arena. Whoever
 * fails in doubt may ask again. */
enum cs_status orc_store_cache_ask(struct orc_store *store, const struct orc_cache_question *questions, size_t count,
                                   int64_t now_ms, int64_t ttl_ms, struct cs_arena *arena,
                                   struct orc_cache_answer **ret_answers, struct cs_err *err) CS_MUST_USE;

/* ---- keeping: in a group commit ---- */

enum orc_kept_kind {
    ORC_KEPT_RESULT = 1, /* made by execution and job */
    ORC_KEPT_LEADER = 2, /* they make it now instead of from_*, if those still do */
    ORC_KEPT_NOTHING = 3 /* nobody makes it instead of from_*, if those still do */
};

struct orc_row_kept {
    enum orc_kept_kind kind;
    unsigned char subject[ORC_CACHE_SUBJECT_BYTES];
    const char *engine;
    const char *tenant;
    const char *operation;
    const char *execution;
    const char *job;
    const char *from_execution; /* LEADER, NOTHING: who led; else "" */
    const char *from_job;
    const void *result; /* RESULT */
    size_t result_size;
    int64_t created_at_ms;
    int64_t expires_at_ms;
};

/* ---- forgetting ---- */

/* The tenant's results of these subjects, of any engine, and those that the execution made. */
enum cs_status orc_store_cache_invalidate(struct orc_store *store, const char *tenant, const char *execution,
                                          const unsigned char (*subjects)[ORC_CACHE_SUBJECT_BYTES],
                                          size_t subject_count, int64_t *ret_count, struct cs_err *err) CS_MUST_USE;
/* Removes some of what expired before that time; *ret_count below ORC_CACHE_CLEANED_MAX: that was all. */
enum cs_status orc_store_cache_clean(struct orc_store *store, int64_t before_ms, int64_t *ret_count,
                                     struct cs_err *err) CS_MUST_USE;

#endif
