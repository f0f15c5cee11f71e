#include "engine/lookup.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"

enum { BACKOFF_MS_MIN = 50, BACKOFF_MS_MAX = 1000 };

struct orc_lookup {
    pthread_t thread;
    struct orc_store *store;
    orc_lookup_told_fn *told;
    void *ctx;
    int64_t cleaned_ms; /* monotonic; of the thread */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    struct orc_lookup_round *round; /* to be asked, or NULL */
    bool stopping;
};

void orc_lookup_round_destroy(struct orc_lookup_round *round) {
    if (round != NULL) {
        cs_arena_destroy(round->arena);
    }
}

/* ---- on the thread ---- */

/* Waits before the next try; false when there shall be none. */
static bool back_off(struct orc_lookup *lookup, int64_t *backoff_ms) {
    int64_t until_ns = cs_clock_mono_ns() + *backoff_ms * INT64_C(1000000);
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    *backoff_ms = *backoff_ms * 2 < BACKOFF_MS_MAX ? *backoff_ms * 2 : BACKOFF_MS_MAX;
    pthread_mutex_lock(&lookup->lock);
    while (!lookup->stopping && cs_clock_mono_ns() < until_ns) {
        (void)pthread_cond_timedwait(&lookup->changed, &lookup->lock, &until);
    }
    bool again = !lookup->stopping;
    pthread_mutex_unlock(&lookup->lock);
    return again;
}

/* Asking twice does no harm: who leads already leads again. */
static bool worth_another(const struct cs_err *err) {
    return err->retryable || err->status == CS_UNKNOWN || err->status == CS_DEADLINE_EXCEEDED;
}

static void ask(struct orc_lookup *lookup, struct orc_lookup_round *round) {
    int64_t backoff_ms = BACKOFF_MS_MIN;
    while (orc_store_cache_ask(lookup->store, round->questions, round->count, round->now_ms, round->ttl_ms,
                               round->arena, &round->answers, &round->err) != CS_OK) {
        bool again = worth_another(&round->err);
        cs_log_warn(again ? "kept results not looked up, trying again" : "kept results not looked up, doing without",
                    CS_KVI("questions", round->count), CS_KVE(&round->err));
        if (!again || !back_off(lookup, &backoff_ms)) {
            return;
        }
    }
}

static void clean(struct orc_lookup *lookup, int64_t now_ms) {
    int64_t mono_ms = cs_clock_mono_ms();
    if (lookup->cleaned_ms != 0 && mono_ms - lookup->cleaned_ms < ORC_LOOKUP_CLEAN_MS) {
        return;
    }
    int64_t count = 0;
    struct cs_err err = {0};
    if (orc_store_cache_clean(lookup->store, now_ms - ORC_LOOKUP_GRACE_MS, &count, &err) != CS_OK &&
        err.status != CS_CANCELLED) {
        cs_log_warn("expired results not removed", CS_KVE(&err));
    }
    lookup->cleaned_ms = count < ORC_CACHE_CLEANED_MAX ? mono_ms : 0;
}

static void *run(void *arg) {
    struct orc_lookup *lookup = arg;
    pthread_mutex_lock(&lookup->lock);
    for (;;) {
        while (lookup->round == NULL && !lookup->stopping) {
            (void)pthread_cond_wait(&lookup->changed, &lookup->lock);
        }
        struct orc_lookup_round *round = cs_steal(&lookup->round);
        if (round == NULL) {
            break;
        }
        pthread_mutex_unlock(&lookup->lock);
        int64_t now_ms = round->now_ms;
        ask(lookup, round);
        lookup->told(round, lookup->ctx);
        clean(lookup, now_ms);
        pthread_mutex_lock(&lookup->lock);
    }
    pthread_mutex_unlock(&lookup->lock);
    return NULL;
}

/* ---- for others ---- */

static void destroy(struct orc_lookup *lookup) {
    orc_store_close(lookup->store);
    (void)pthread_cond_destroy(&lookup->changed);
    (void)pthread_mutex_destroy(&lookup->lock);
    free(lookup);
}

enum cs_status orc_lookup_start(const char *database_url, orc_lookup_told_fn *told, void *ctx,
                                struct orc_lookup **ret_lookup, struct cs_err *err) {
    struct orc_lookup *lookup = cs_alloc(sizeof(*lookup));
    lookup->told = told;
    lookup->ctx = ctx;
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&lookup->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&lookup->lock, NULL);
    if (orc_store_open(database_url, &lookup->store, err) != CS_OK) {
        destroy(lookup);
        return err->status;
    }
    if (pthread_create(&lookup->thread, NULL, run, lookup) != 0) {
        destroy(lookup);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for lookups");
    }
    *ret_lookup = lookup;
    return CS_OK;
}

void orc_lookup_stop(struct orc_lookup *lookup) {
    if (lookup == NULL) {
        return;
    }
    pthread_mutex_lock(&lookup->lock);
    lookup->stopping = true;
    (void)pthread_cond_broadcast(&lookup->changed);
    pthread_mutex_unlock(&lookup->lock);
    orc_store_interrupt(lookup->store);
    (void)pthread_join(lookup->thread, NULL);
    destroy(lookup);
}

void orc_lookup_ask(struct orc_lookup *lookup, struct orc_lookup_round *round) {
    pthread_mutex_lock(&lookup->lock);
    lookup->round = round;
    (void)pthread_cond_broadcast(&lookup->changed);
    pthread_mutex_unlock(&lookup->lock);
}
