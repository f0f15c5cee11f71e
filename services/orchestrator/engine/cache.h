/*
 * cache: work that was done before is not done again, nor is it done twice at the same time.
 *
 * A job whose mode is `on` joins a flight when it is ready: all jobs here that do the same work. One of them, the
 * leader, asks (lookup.h) whether there is a result, or who makes it. A result completes all of them without a worker;
 * without one the leader goes to a worker and the others wait for it. The commit that has the leader's success has the
 * kept result and the success of all that followed; when the leader ends without one, the next leads, in that commit
 * too. While somebody elsewhere makes it, the flight asks again every ORC_CACHE_POLL_MS: one statement for all such
 * flights.
 *
 * Who has begun is a leader for ever: a job with an attempt behind it (after a restart) runs on, whatever is kept.
 *
 * A job whose mode is `off` costs nothing here; one whose mode is `refresh` only what keeping its result takes.
 *
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_CACHE_H
#define ORC_ENGINE_CACHE_H

#include "cs/base/hash.h"

#include "engine/entry.h"
#include "engine/lookup.h"

enum { ORC_CACHE_POLL_MS = 1000, ORC_CACHE_TTL_MS_DEFAULT = 7 * 24 * 3600 * 1000 };

struct orc_engine;
struct orc_item;

enum orc_flight_state {
    ORC_FLIGHT_CURIOUS,   /* wants to ask */
    ORC_FLIGHT_ASKING,    /* is part of the round under way */
    ORC_FLIGHT_ELSEWHERE, /* somebody of another replica, or not among us, makes it */
    ORC_FLIGHT_LEADING,   /* the leader's job is on its way to a worker, or there */
};

struct orc_flight {
    UT_hash_handle hh; /* by subject */
    unsigned char subject[ORC_CACHE_SUBJECT_BYTES];
    uint64_t number; /* no other flight had it */
    enum orc_flight_state state;
    enum orc_cache_miss miss;   /* LEADING */
    struct orc_seat *leader;    /* not yet LEADING: who would be it */
    struct orc_seat *followers; /* by their prev and next: none of them is in a lane */
    char execution[24];         /* ELSEWHERE: who makes it, "" not known */
    char *job;
    struct orc_flight *prev; /* CURIOUS, ELSEWHERE: the list of that kind */
    struct orc_flight *next;
};

struct orc_cache {
    char *version; /* of what does the work that is not paid for */
    int64_t ttl_ms;
    struct orc_lookup *lookup;
    struct orc_flight *flights;
    struct orc_flight *curious;
    struct orc_flight *elsewhere;
    uint64_t next_number;
    int64_t poll_ms; /* when those elsewhere are asked again */
    bool asking;     /* a round is under way */
};

/* version and ttl_ms as in the engine's configuration. */
enum cs_status orc_cache_start(struct orc_engine *engine, const char *version, int64_t ttl_ms,
                               struct cs_err *err) CS_MUST_USE;
void orc_cache_stop(struct orc_engine *engine);
/* Forgets every flight, before the entries go. */
void orc_cache_drop(struct orc_engine *engine);

/* A job is ready: queues it for a worker now, or later, or completes it. */
void orc_cache_admit(struct orc_engine *engine, struct orc_seat *seat);
/* A job has ended, or is to be done differently. */
void orc_cache_leave(struct orc_engine *engine, struct orc_seat *seat);
/* A job whose mode is not off has succeeded by itself. */
void orc_cache_keep(struct orc_engine *engine, struct orc_seat *seat);
/* For the event of its assignment. */
enum orc_cache_miss orc_cache_miss_of(const struct orc_seat *seat);

/* Asks what there is to ask, unless a round is under way. */
void orc_cache_ask(struct orc_engine *engine);
/* When orc_cache_ask has something to do again, at the latest; INT64_MAX never. */
int64_t orc_cache_due_ms(const struct orc_engine *engine);
void orc_engine_take_answers(struct orc_engine *engine, struct orc_item *item);

#endif
