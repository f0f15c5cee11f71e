#include "api/run_timer.h"

#include <pthread.h>
#include <time.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"

enum { LOOK_MAX = 20, PAUSE_MS_MIN = 1000, PAUSE_MS_MAX = 30 * 1000 };

struct orc_run_timer {
    struct orc_store *store; /* the thread's */
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    int64_t until_mono_ms; /* when to look; INT64_MAX never */
    bool stopping;
};

static void wake_at(struct orc_run_timer *timer, int64_t mono_ms) {
    pthread_mutex_lock(&timer->lock);
    if (mono_ms < timer->until_mono_ms) {
        timer->until_mono_ms = mono_ms;
        (void)pthread_cond_signal(&timer->changed);
    }
    pthread_mutex_unlock(&timer->lock);
}

void orc_run_timer_expect(struct orc_run_timer *timer, int64_t wake_at_ms, int64_t now_ms) {
    if (wake_at_ms != INT64_MAX) {
        wake_at(timer, cs_clock_mono_ms() + (wake_at_ms > now_ms ? wake_at_ms - now_ms : 0));
    }
}

/* ---- the thread ---- */

/* Ends what is due; *ret_more when there may be more of it. */
static enum cs_status look(struct orc_run_timer *timer, bool *ret_more, struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_run_list list = {0};
    size_t ended = 0;
    CS_TRY(orc_store_run_due(timer->store, LOOK_MAX, arena, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        struct orc_run *run = &list.runs[i];
        bool done = false;
        if (!orc_run_expire(run, list.now_ms, arena)) {
            orc_run_timer_expect(timer, orc_run_wake_at(run), list.now_ms);
            break;
        }
        CS_TRY(orc_store_run_update(timer->store, run, &done, err));
        ended++;
        if (done) {
            cs_log_info("run ended by itself", CS_KV("tenant", run->tenant), CS_KV("run", run->id.text),
                        CS_KV("job_type", run->job_type), CS_KV("status", orc_run_status_word(run->status)));
        }
    }
    *ret_more = ended != 0 && list.read == LOOK_MAX;
    return CS_OK;
}

/* Waits for the time to look; false when the timer stops. */
static bool await(struct orc_run_timer *timer) {
    pthread_mutex_lock(&timer->lock);
    while (!timer->stopping && timer->until_mono_ms > cs_clock_mono_ms()) {
        if (timer->until_mono_ms == INT64_MAX) {
            (void)pthread_cond_wait(&timer->changed, &timer->lock);
            continue;
        }
        const struct timespec until = {timer->until_mono_ms / 1000, timer->until_mono_ms % 1000 * 1000 * 1000};
        (void)pthread_cond_timedwait(&timer->changed, &timer->lock, &until);
    }
    bool go = !timer->stopping;
    timer->until_mono_ms = INT64_MAX;
    pthread_mutex_unlock(&timer->lock);
    return go;
}

static void *run(void *arg) {
    struct orc_run_timer *timer = arg;
    int64_t pause_ms = PAUSE_MS_MIN;
    while (await(timer)) {
        struct cs_err err = {0};
        bool more = true;
        while (more && look(timer, &more, &err) == CS_OK) {
            pause_ms = PAUSE_MS_MIN;
        }
        if (err.status != CS_OK && err.status != CS_CANCELLED) { /* cancelled: we stop */
            cs_log_warn("could not look for runs that are over, will look again", CS_KVI("pause_ms", pause_ms),
                        CS_KVE(&err));
            wake_at(timer, cs_clock_mono_ms() + pause_ms);
            pause_ms = pause_ms * 2 < PAUSE_MS_MAX ? pause_ms * 2 : PAUSE_MS_MAX;
        }
    }
    return NULL;
}

/* ---- life ---- */

enum cs_status orc_run_timer_start(const char *database_url, struct orc_run_timer **ret_timer, struct cs_err *err) {
    struct orc_store *store = NULL;
    CS_TRY(orc_store_open(database_url, &store, err));
    struct orc_run_timer *timer = cs_alloc(sizeof(*timer));
    pthread_condattr_t monotonic;
    timer->store = store;
    (void)pthread_mutex_init(&timer->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&timer->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    timer->running = pthread_create(&timer->thread, NULL, run, timer) == 0;
    if (!timer->running) {
        orc_run_timer_stop(timer);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for the timer of runs");
    }
    *ret_timer = timer;
    return CS_OK;
}

void orc_run_timer_stop(struct orc_run_timer *timer) {
    if (timer == NULL) {
        return;
    }
    pthread_mutex_lock(&timer->lock);
    timer->stopping = true;
    (void)pthread_cond_signal(&timer->changed);
    pthread_mutex_unlock(&timer->lock);
    if (timer->running) {
        orc_store_interrupt(timer->store);
        (void)pthread_join(timer->thread, NULL);
    }
    orc_store_close(timer->store);
    (void)pthread_cond_destroy(&timer->changed);
    (void)pthread_mutex_destroy(&timer->lock);
    free(timer);
}
