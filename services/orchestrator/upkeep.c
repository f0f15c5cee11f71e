#include "upkeep.h"

#include <pthread.h>
#include <time.h>

#include "cs/base/log.h"
#include "store/partitions.h"

#define DAY_MS INT64_C(86400000)

enum { PARTITIONS_A_RETENTION = 10 };

struct orc_upkeep {
    struct orc_store *store; /* the thread's */
    int64_t retention_ms;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    bool stopping;
};

/* ---- what is done ---- */

static int32_t width_of(int64_t retention_ms) {
    int64_t days = retention_ms / PARTITIONS_A_RETENTION / DAY_MS;
    if (retention_ms == 0 || days > ORC_PARTITION_DAYS_MAX) {
        return ORC_PARTITION_DAYS_MAX;
    }
    return days > ORC_PARTITION_DAYS_MIN ? (int32_t)days : ORC_PARTITION_DAYS_MIN;
}

static enum cs_status make_ahead(struct orc_store *store, int64_t now_ms, int32_t width, struct cs_err *err) {
    int32_t today = (int32_t)(now_ms / DAY_MS);
    for (int32_t day = today; day <= today + ORC_UPKEEP_AHEAD_DAYS; day++) {
        bool made = false;
        CS_TRY(orc_store_partition_make(store, day, width, &made, err));
        if (made) {
            cs_log_info("made a partition of the log", CS_KVI("day", day), CS_KVI("width", width));
        }
    }
    return CS_OK;
}

static enum cs_status drop_one(struct orc_store *store, const char *suffix, bool *ret_dropped, struct cs_err *err) {
    int64_t forgotten = ORC_FORGOTTEN_MAX;
    while (forgotten == ORC_FORGOTTEN_MAX) {
        CS_TRY(orc_store_keys_forget(store, suffix, &forgotten, err));
    }
    CS_TRY(orc_store_partition_drop(store, suffix, ret_dropped, err));
    if (*ret_dropped) {
        cs_log_info("dropped a partition of the log", CS_KV("partition", suffix));
    }
    return CS_OK;
}

static enum cs_status drop_old(struct orc_store *store, int64_t before_ms, struct cs_err *err) {
    for (bool dropped = true; dropped;) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        const char *suffix = "";
        dropped = false;
        CS_TRY(orc_store_partition_retire(store, before_ms, arena, &suffix, err));
        if (suffix[0] != '\0') {
            CS_TRY(drop_one(store, suffix, &dropped, err));
        }
    }
    int64_t forgotten = ORC_FORGOTTEN_MAX;
    while (forgotten == ORC_FORGOTTEN_MAX) {
        CS_TRY(orc_store_runs_forget(store, before_ms, &forgotten, err));
    }
    return CS_OK;
}

enum cs_status orc_upkeep_run(struct orc_store *store, int64_t now_ms, int64_t retention_ms, struct cs_err *err) {
    CS_TRY(make_ahead(store, now_ms, width_of(retention_ms), err));
    return retention_ms == 0 ? CS_OK : drop_old(store, now_ms - retention_ms, err);
}

/* ---- the thread ---- */

static int64_t look(struct orc_upkeep *upkeep) {
    struct cs_clock clock = cs_clock_system();
    struct cs_err err = {0};
    if (orc_upkeep_run(upkeep->store, clock.unix_ms(clock.ctx), upkeep->retention_ms, &err) == CS_OK) {
        return ORC_UPKEEP_EVERY_MS;
    }
    if (err.status != CS_CANCELLED) { /* cancelled: we stop */
        cs_log_warn("upkeep of the log failed, trying again", CS_KVI("wait_ms", ORC_UPKEEP_AGAIN_MS), CS_KVE(&err));
    }
    return ORC_UPKEEP_AGAIN_MS;
}

/* With the lock. */
static void wait(struct orc_upkeep *upkeep, int64_t wait_ms) {
    int64_t until_ms = cs_clock_mono_ms() + wait_ms;
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000 * 1000};
    while (!upkeep->stopping && cs_clock_mono_ms() < until_ms) {
        (void)pthread_cond_timedwait(&upkeep->changed, &upkeep->lock, &until);
    }
}

static void *run(void *arg) {
    struct orc_upkeep *upkeep = arg;
    pthread_mutex_lock(&upkeep->lock);
    while (!upkeep->stopping) {
        pthread_mutex_unlock(&upkeep->lock);
        int64_t wait_ms = look(upkeep);
        pthread_mutex_lock(&upkeep->lock);
        wait(upkeep, wait_ms);
    }
    pthread_mutex_unlock(&upkeep->lock);
    return NULL;
}

/* ---- life ---- */

enum cs_status orc_upkeep_start(const char *database_url, int64_t retention_ms, struct orc_upkeep **ret_upkeep,
                                struct cs_err *err) {
    struct orc_store *store = NULL;
    CS_TRY(orc_store_open(database_url, &store, err));
    struct orc_upkeep *upkeep = cs_alloc(sizeof(*upkeep));
    pthread_condattr_t monotonic;
    upkeep->store = store;
    upkeep->retention_ms = retention_ms;
    (void)pthread_mutex_init(&upkeep->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&upkeep->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    upkeep->running = pthread_create(&upkeep->thread, NULL, run, upkeep) == 0;
    if (!upkeep->running) {
        orc_upkeep_stop(upkeep);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for the upkeep of the log");
    }
    *ret_upkeep = upkeep;
    return CS_OK;
}

void orc_upkeep_stop(struct orc_upkeep *upkeep) {
    if (upkeep == NULL) {
        return;
    }
    pthread_mutex_lock(&upkeep->lock);
    upkeep->stopping = true;
    (void)pthread_cond_signal(&upkeep->changed);
    pthread_mutex_unlock(&upkeep->lock);
    if (upkeep->running) {
        orc_store_interrupt(upkeep->store);
        (void)pthread_join(upkeep->thread, NULL);
    }
    orc_store_close(upkeep->store);
    (void)pthread_cond_destroy(&upkeep->changed);
    (void)pthread_mutex_destroy(&upkeep->lock);
    free(upkeep);
}
