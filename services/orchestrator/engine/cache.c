#include "engine/cache.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/internal.h"
#include "wire/cache_wire.h"

/* ---- seats ---- */

static const struct orc_plan_job *planned_of(const struct orc_seat *seat) {
    return &seat->entry->execution->plan->jobs[seat->job];
}

static struct orc_job *job_of(const struct orc_seat *seat) {
    return &seat->entry->execution->jobs[seat->job];
}

/* What is paid for is made by others: our version does not matter. */
static const char *engine_of(const struct orc_engine *engine, const struct orc_seat *seat) {
    return planned_of(seat)->operation->paid ? "" : engine->cache.version;
}

enum orc_cache_miss orc_cache_miss_of(const struct orc_seat *seat) {
    if (seat->flight != NULL) {
        return seat->flight->miss;
    }
    return planned_of(seat)->cache == ORC_CACHE_REFRESH ? ORC_CACHE_REFRESHED
                                                        : (enum orc_cache_miss)job_of(seat)->cache_miss;
}

/* ---- rows of the next commit ---- */

/* Of the track that all executions go by whose jobs are ready or run. */
static struct orc_batch *next_batch(const struct orc_engine *engine) {
    return engine->tracks[ORC_TRACK_MAIN].filling;
}

static struct orc_row_kept *keep_row(struct orc_engine *engine, const struct orc_seat *seat,
                                     const unsigned char *subject, enum orc_kept_kind kind) {
    struct cs_arena *arena = next_batch(engine)->arena;
    const struct orc_job *job = job_of(seat);
    struct orc_row_kept *row = orc_batch_add_kept(next_batch(engine));
    *row = (struct orc_row_kept){
        .kind = kind,
        .engine = engine_of(engine, seat),
        .tenant = cs_arena_strdup(arena, seat->entry->execution->tenant),
        .operation = planned_of(seat)->operation->name,
        .execution = cs_arena_strdup(arena, seat->entry->execution->id),
        .job = cs_arena_strdup(arena, planned_of(seat)->id),
        .created_at_ms = engine->now_ms,
        .expires_at_ms = engine->now_ms + engine->cache.ttl_ms,
    };
    memcpy(row->subject, subject, sizeof(row->subject));
    if (kind == ORC_KEPT_RESULT) {
        row->result = cs_arena_copy(arena, job->result, job->result_size);
        row->result_size = job->result_size;
    }
    return row;
}

/* What is said of who makes it holds only while the row says that these do. */
static void keep_instead(struct orc_engine *engine, struct orc_row_kept *row, const char *execution, const char *job) {
    row->from_execution = cs_arena_strdup(next_batch(engine)->arena, execution);
    row->from_job = cs_arena_strdup(next_batch(engine)->arena, job);
}

/* ---- flights ---- */

static struct orc_flight *flight_find(struct orc_engine *engine, const unsigned char *subject) {
    struct orc_flight *flight = NULL;
    HASH_FIND(hh, engine->cache.flights, subject, ORC_CACHE_SUBJECT_BYTES, flight);
    return flight;
}

static void enlist(struct orc_engine *engine, struct orc_flight *flight, enum orc_flight_state state) {
    struct orc_cache *cache = &engine->cache;
    if (flight->state == ORC_FLIGHT_CURIOUS) {
        DL_DELETE(cache->curious, flight);
    } else if (flight->state == ORC_FLIGHT_ELSEWHERE) {
        DL_DELETE(cache->elsewhere, flight);
    }
    flight->state = state;
    if (state == ORC_FLIGHT_CURIOUS) {
        DL_APPEND(cache->curious, flight);
    } else if (state == ORC_FLIGHT_ELSEWHERE) {
        cache->poll_ms = cache->elsewhere == NULL ? engine->now_ms + ORC_CACHE_POLL_MS : cache->poll_ms;
        DL_APPEND(cache->elsewhere, flight);
    }
}

static struct orc_flight *flight_create(struct orc_engine *engine, const unsigned char *subject,
                                        struct orc_seat *leader) {
    struct orc_flight *flight = cs_alloc(sizeof(*flight));
    memcpy(flight->subject, subject, sizeof(flight->subject));
    flight->number = ++engine->cache.next_number;
    flight->state = ORC_FLIGHT_LEADING;
    flight->leader = leader;
    leader->flight = flight;
    HASH_ADD(hh, engine->cache.flights, subject, ORC_CACHE_SUBJECT_BYTES, flight);
    return flight;
}

/* Its seats have left, or do not matter any more. */
static void flight_destroy(struct orc_engine *engine, struct orc_flight *flight) {
    enlist(engine, flight, ORC_FLIGHT_LEADING);
    HASH_DEL(engine->cache.flights, flight); // NOLINT(clang-analyzer-unix.Malloc): each is in it, once
    free(flight->job);
    free(flight);
}

static void follow(struct orc_engine *engine, struct orc_flight *flight, struct orc_seat *seat) {
    seat->flight = flight;
    DL_APPEND(flight->followers, seat);
    atomic_fetch_add(&engine->counters.cache_waits, 1);
}

static void unfollow(struct orc_flight *flight, struct orc_seat *seat) {
    DL_DELETE(flight->followers, seat);
    seat->prev = seat->next = NULL;
}

/* The next of the followers that still wants it; those that have ended leave. */
static struct orc_seat *next_leader(struct orc_flight *flight) {
    struct orc_seat *seat = NULL;
    while ((seat = flight->followers) != NULL) {
        unfollow(flight, seat);
        if (job_of(seat)->state == ORC_JOB_READY) {
            return seat;
        }
        seat->flight = NULL;
    }
    return NULL;
}

/* ---- completing without a worker ---- */

struct kept {
    const void *result;
    size_t result_size;
    const char *execution;
    const char *job;
};

static void take_result(struct orc_engine *engine, struct orc_seat *seat, const struct kept *kept) {
    struct orc_event event = {
        .kind = ORC_EVENT_REUSED,
        .job = seat->job,
        .payload = kept->result,
        .payload_size = kept->result_size,
        .source_execution = kept->execution,
        .source_job = kept->job,
        .reason = "cache",
    };
    atomic_fetch_add(&engine->counters.cache_hits, 1);
    orc_engine_must_step(engine, seat->entry, &event);
}

/* The flight is out of the way before anything steps: a step may admit another job of the same work. */
static void land(struct orc_engine *engine, struct orc_flight *flight, const struct kept *kept) {
    struct orc_seat *leader = flight->leader;
    struct orc_seat *followers = flight->followers;
    for (struct orc_seat *seat = followers; seat != NULL; seat = seat->next) {
        seat->flight = NULL;
    }
    flight_destroy(engine, flight);
    if (leader != NULL) {
        leader->flight = NULL;
        take_result(engine, leader, kept);
    }
    while (followers != NULL) {
        struct orc_seat *seat = followers;
        followers = seat->next;
        seat->prev = seat->next = NULL;
        if (job_of(seat)->state == ORC_JOB_READY) {
            take_result(engine, seat, kept);
        }
    }
}

/* ---- becoming ready ---- */

static void lead(struct orc_engine *engine, struct orc_flight *flight, enum orc_cache_miss miss) {
    enlist(engine, flight, ORC_FLIGHT_LEADING);
    flight->miss = miss;
    atomic_fetch_add(&engine->counters.cache_misses, 1);
    orc_seat_enqueue(engine, flight->leader);
}

/* A job that has begun, in another life of this process or of another one, leads: nobody else may begin. */
static void lead_on(struct orc_engine *engine, struct orc_flight *flight, struct orc_seat *seat,
                    const unsigned char *subject) {
    if (flight == NULL) {
        flight = flight_create(engine, subject, seat);
    } else if (flight->state != ORC_FLIGHT_LEADING) {
        struct orc_seat *before = flight->leader;
        enlist(engine, flight, ORC_FLIGHT_LEADING);
        flight->leader = seat;
        seat->flight = flight;
        DL_PREPEND(flight->followers, before);
    }
    if (seat->flight == flight) {
        flight->miss = (enum orc_cache_miss)job_of(seat)->cache_miss;
    }
    orc_seat_enqueue(engine, seat);
}

void orc_cache_admit(struct orc_engine *engine, struct orc_seat *seat) {
    unsigned char subject[ORC_CACHE_SUBJECT_BYTES];
    struct cs_err err = {0};
    bool leads = seat->flight != NULL; /* its next attempt */
    if (planned_of(seat)->cache != ORC_CACHE_ON || leads ||
        orc_cache_subject(seat->entry->execution, seat->job, engine->scratch, subject, &err) != CS_OK) {
        orc_seat_enqueue(engine, seat); /* what is wrong with its inputs its assignment will say */
        return;
    }
    struct orc_flight *flight = flight_find(engine, subject);
    if (job_of(seat)->attempt != 0) {
        lead_on(engine, flight, seat, subject);
    } else if (flight != NULL) {
        follow(engine, flight, seat);
    } else {
        enlist(engine, flight_create(engine, subject, seat), ORC_FLIGHT_CURIOUS);
    }
}

/* ---- ending ---- */

void orc_cache_leave(struct orc_engine *engine, struct orc_seat *seat) {
    struct orc_flight *flight = cs_steal(&seat->flight);
    if (flight->leader != seat) {
        unfollow(flight, seat);
        return;
    }
    flight->leader = next_leader(flight);
    if (flight->leader == NULL) {
        if (flight->state == ORC_FLIGHT_LEADING && flight->miss != ORC_CACHE_UNAVAILABLE) {
            keep_instead(engine, keep_row(engine, seat, flight->subject, ORC_KEPT_NOTHING), seat->entry->execution->id,
                         planned_of(seat)->id);
        }
        flight_destroy(engine, flight);
    } else if (flight->state == ORC_FLIGHT_LEADING) {
        keep_instead(engine, keep_row(engine, flight->leader, flight->subject, ORC_KEPT_LEADER),
                     seat->entry->execution->id, planned_of(seat)->id);
        orc_seat_enqueue(engine, flight->leader);
    }
}

void orc_cache_keep(struct orc_engine *engine, struct orc_seat *seat) {
    unsigned char subject[ORC_CACHE_SUBJECT_BYTES];
    struct orc_flight *flight = cs_steal(&seat->flight);
    struct cs_err err = {0};
    if (flight != NULL) {
        (void)keep_row(engine, seat, flight->subject, ORC_KEPT_RESULT);
        flight->leader = NULL;
        const struct orc_job *job = job_of(seat);
        land(engine, flight,
             &(struct kept){job->result, job->result_size, seat->entry->execution->id, planned_of(seat)->id});
    } else if (orc_cache_subject(seat->entry->execution, seat->job, engine->scratch, subject, &err) == CS_OK) {
        (void)keep_row(engine, seat, subject, ORC_KEPT_RESULT);
    }
}

/* ---- asking ---- */

static void put_question(struct orc_engine *engine, struct orc_flight *flight, struct orc_lookup_round *round) {
    struct orc_cache_question *question = &round->questions[round->count++];
    const struct orc_seat *seat = flight->leader;
    *question = (struct orc_cache_question){
        .engine = cs_arena_strdup(round->arena, engine_of(engine, seat)),
        .tenant = cs_arena_strdup(round->arena, seat->entry->execution->tenant),
        .operation = planned_of(seat)->operation->name,
        .execution = cs_arena_strdup(round->arena, seat->entry->execution->id),
        .job = cs_arena_strdup(round->arena, planned_of(seat)->id),
        .number = flight->number,
    };
    memcpy(question->subject, flight->subject, sizeof(question->subject));
    enlist(engine, flight, ORC_FLIGHT_ASKING);
}

static size_t count_flights(const struct orc_flight *list) {
    size_t count = 0;
    for (; list != NULL; list = list->next) {
        count++;
    }
    return count;
}

void orc_cache_ask(struct orc_engine *engine) {
    struct orc_cache *cache = &engine->cache;
    bool poll = cache->elsewhere != NULL && cache->poll_ms <= engine->now_ms;
    if (cache->asking || engine->recovering || (cache->curious == NULL && !poll)) {
        return;
    }
    size_t count = count_flights(cache->curious) + (poll ? count_flights(cache->elsewhere) : 0);
    struct cs_arena *arena = cs_arena_create();
    struct orc_lookup_round *round = cs_arena_alloc(arena, sizeof(*round));
    *round = (struct orc_lookup_round){.arena = arena, .now_ms = engine->now_ms, .ttl_ms = cache->ttl_ms};
    round->questions = cs_arena_array(arena, count, sizeof(*round->questions));
    while (cache->curious != NULL) {
        put_question(engine, cache->curious, round);
    }
    while (poll && cache->elsewhere != NULL) {
        put_question(engine, cache->elsewhere, round);
    }
    cache->asking = true;
    orc_lookup_ask(cache->lookup, round);
}

int64_t orc_cache_due_ms(const struct orc_engine *engine) {
    return engine->cache.elsewhere != NULL && !engine->cache.asking ? engine->cache.poll_ms : INT64_MAX;
}

static void told(struct orc_lookup_round *round, void *ctx) {
    struct orc_engine *engine = ctx;
    struct orc_item *item = orc_item_create(ORC_ITEM_ANSWERS);
    item->round = round;
    if (!orc_queue_put(&engine->queue, item)) {
        orc_lookup_round_destroy(round);
        free(item);
    }
}

/* ---- answers ---- */

/* That seat of the flight which is the job; or NULL. */
static struct orc_seat *seat_of(struct orc_flight *flight, const struct orc_cache_answer *answer) {
    struct orc_seat *seat = flight->leader;
    for (struct orc_seat *next = flight->followers; seat != NULL; seat = next, next = next ? next->next : NULL) {
        if (cs_str_eq(seat->entry->execution->id, answer->execution) && cs_str_eq(planned_of(seat)->id, answer->job)) {
            return seat;
        }
    }
    return NULL;
}

/* Somebody makes it: one of us, who did so before a restart; or else we wait. */
static void take_held(struct orc_engine *engine, struct orc_flight *flight, const struct orc_cache_answer *answer) {
    struct orc_seat *holder = seat_of(flight, answer);
    if (holder != NULL) {
        if (holder != flight->leader) {
            unfollow(flight, holder);
            DL_PREPEND(flight->followers, flight->leader);
            flight->leader = holder;
        }
        lead(engine, flight, ORC_CACHE_NEVER_SEEN);
        return;
    }
    cs_str_copy(flight->execution, sizeof(flight->execution), answer->execution);
    free(flight->job);
    flight->job = cs_strdup(answer->job);
    enlist(engine, flight, ORC_FLIGHT_ELSEWHERE);
}

/* Who asked may have ended meanwhile, and another lead. */
static void take_lead(struct orc_engine *engine, struct orc_flight *flight, const struct orc_cache_question *question,
                      const struct orc_cache_answer *answer) {
    const struct orc_seat *leader = flight->leader;
    if (!cs_str_eq(leader->entry->execution->id, question->execution) ||
        !cs_str_eq(planned_of(leader)->id, question->job)) {
        keep_instead(engine, keep_row(engine, leader, flight->subject, ORC_KEPT_LEADER), question->execution,
                     question->job);
    }
    lead(engine, flight, answer->miss);
}

/* Nobody here wants it any more, but the row says that somebody makes it. */
static void give_up(struct orc_engine *engine, const struct orc_cache_question *question) {
    struct cs_arena *arena = next_batch(engine)->arena;
    struct orc_row_kept *row = orc_batch_add_kept(next_batch(engine));
    *row = (struct orc_row_kept){
        .kind = ORC_KEPT_NOTHING,
        .engine = cs_arena_strdup(arena, question->engine),
        .tenant = cs_arena_strdup(arena, question->tenant),
        .operation = question->operation,
        .execution = cs_arena_strdup(arena, question->execution),
        .job = cs_arena_strdup(arena, question->job),
    };
    memcpy(row->subject, question->subject, sizeof(row->subject));
    keep_instead(engine, row, question->execution, question->job);
}

static void take_answer(struct orc_engine *engine, const struct orc_cache_question *question,
                        const struct orc_cache_answer *answer) {
    struct orc_flight *flight = flight_find(engine, question->subject);
    if (flight == NULL || flight->number != question->number) {
        if (answer != NULL && answer->verdict == ORC_CACHE_LEAD && !engine->recovering) {
            give_up(engine, question);
        }
        return;
    }
    if (flight->state != ORC_FLIGHT_ASKING) {
        return; /* one that had begun before came, and leads */
    }
    if (answer == NULL) {
        lead(engine, flight, ORC_CACHE_UNAVAILABLE);
    } else if (answer->verdict == ORC_CACHE_HIT) {
        land(engine, flight, &(struct kept){answer->result, answer->result_size, answer->execution, answer->job});
    } else if (answer->verdict == ORC_CACHE_LEAD) {
        take_lead(engine, flight, question, answer);
    } else {
        take_held(engine, flight, answer);
    }
}

void orc_engine_take_answers(struct orc_engine *engine, struct orc_item *item) {
    struct orc_lookup_round *round = item->round;
    engine->cache.asking = false;
    for (size_t i = 0; i < round->count; i++) {
        take_answer(engine, &round->questions[i], round->answers != NULL ? &round->answers[i] : NULL);
    }
    orc_lookup_round_destroy(round);
}

/* ---- life ---- */

enum cs_status orc_cache_start(struct orc_engine *engine, const char *version, int64_t ttl_ms, struct cs_err *err) {
    engine->cache.version = cs_strdup(version != NULL ? version : "");
    engine->cache.ttl_ms = ttl_ms > 0 ? ttl_ms : ORC_CACHE_TTL_MS_DEFAULT;
    return orc_lookup_start(engine->database_url, told, engine, &engine->cache.lookup, err);
}

void orc_cache_drop(struct orc_engine *engine) {
    struct orc_flight *flight = engine->cache.flights;
    while (flight != NULL) {
        struct orc_flight *next = flight->hh.next;
        if (flight->leader != NULL) {
            flight->leader->flight = NULL;
        }
        for (struct orc_seat *seat = flight->followers; seat != NULL; seat = seat->next) {
            seat->flight = NULL;
        }
        flight_destroy(engine, flight);
        flight = next;
    }
}

void orc_cache_stop(struct orc_engine *engine) {
    orc_lookup_stop(engine->cache.lookup);
    free(engine->cache.version);
    engine->cache = (struct orc_cache){0};
}
