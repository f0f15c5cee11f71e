/*
 * lookup: the thread that asks the database for results that are kept.
 *
 * One round at a time: all questions there are by then, in one statement. A database that is away is waited for, as the
 * commits wait for it. Between rounds, no more often than ORC_LOOKUP_CLEAN_MS, it removes some of what has expired.
 *
 * Owns     a round is the thread's until it is told, then whose it was told to.
 * Threads  a thread and a connection of its own, which is made with the first round.
 */
#ifndef ORC_ENGINE_LOOKUP_H
#define ORC_ENGINE_LOOKUP_H

#include "store/cache.h"

enum {
    ORC_LOOKUP_CLEAN_MS = 60 * 1000,
    ORC_LOOKUP_GRACE_MS = 24 * 3600 * 1000, /* what expired is kept that long, to say so */
};

struct orc_lookup;

struct orc_lookup_round {
    struct cs_arena *arena; /* holds the round and all of it */
    struct orc_cache_question *questions;
    size_t count;
    int64_t now_ms;
    int64_t ttl_ms;
    struct orc_cache_answer *answers; /* one for each question, or NULL and err */
    struct cs_err err;
};
void orc_lookup_round_destroy(struct orc_lookup_round *round);

/* On the thread, which takes the round. */
typedef void orc_lookup_told_fn(struct orc_lookup_round *round, void *ctx);
enum cs_status orc_lookup_start(const char *database_url, orc_lookup_told_fn *told, void *ctx,
                                struct orc_lookup **ret_lookup, struct cs_err *err) CS_MUST_USE;
/* A round under way is told as failed. NULL is fine. */
void orc_lookup_stop(struct orc_lookup *lookup);
/* Takes the round; when the one before has been told. */
void orc_lookup_ask(struct orc_lookup *lookup, struct orc_lookup_round *round);

#endif
