#include "engine/keeper.h"

#include <time.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/internal.h"

enum {
    AGAIN_MS = 20,          /* there is more to take over */
    FAILED_MS = 250,        /* the database did not answer */
    KEEP_WHILE_TAKING = 500 /* ms */
};

/* The thread's own view of one identity. */
struct keeping {
    struct orc_engine *engine;
    uint64_t generation;
    char name[ORC_REPLICA_NAME_MAX];
    char address[ORC_ADDRESS_MAX];
    bool taking;
    struct orc_owned *owned; /* what we had open and have not brought back yet; NULL: all is back */
    bool dead;               /* another's lease has ended */
    int64_t kept_ms;         /* monotonic: the last time that the lease was renewed */
    int64_t patient_ms;      /* monotonic: nobody is taken over before */
    bool replaced;
};

/* ---- telling the engine ---- */

static void tell(struct keeping *keeping, enum orc_item_kind kind, struct orc_entry *entries) {
    struct orc_item *item = orc_item_create(kind);
    item->taken.generation = keeping->generation;
    item->taken.entries = entries;
    if (!orc_queue_put(&keeping->engine->queue, item)) {
        orc_entries_destroy(entries);
        free(item);
    }
}

static void tell_replaced(struct keeping *keeping) {
    keeping->replaced = true;
    tell(keeping, ORC_ITEM_REPLACED, NULL);
}

/* ---- one statement ---- */

/* We, too, may have been away: then the leases of others tell nothing yet. */
static void note_kept(struct keeping *keeping) {
    int64_t now_ms = cs_clock_mono_ms();
    if (keeping->kept_ms != 0 && now_ms - keeping->kept_ms > ORC_LEASE_MS) {
        keeping->patient_ms = now_ms + ORC_LEASE_MS;
    }
    keeping->kept_ms = now_ms;
}

static enum cs_status keep(struct keeping *keeping, struct cs_arena *arena, struct orc_alive *alive,
                           struct cs_err *err) {
    int64_t asked_ms = cs_clock_mono_ms();
    CS_TRY(orc_store_keep(keeping->engine->keeper.store, keeping->address, arena, alive, err));
    if (alive->kept) {
        atomic_store(&keeping->engine->keeper.sure_until_ms, asked_ms + ORC_LEASE_MS);
        note_kept(keeping);
        keeping->dead = alive->dead[0] != '\0' && cs_clock_mono_ms() >= keeping->patient_ms;
    } else if (keeping->taking) { /* before, the engine would not know whom it is about; we ask again */
        tell_replaced(keeping);
    }
    return CS_OK;
}

/* ---- bringing back, taking over ---- */

static bool is_stopping(struct orc_keeper *keeper, uint64_t generation) {
    pthread_mutex_lock(&keeper->lock);
    bool stopping = keeper->stopping || keeper->generation != generation;
    pthread_mutex_unlock(&keeper->lock);
    return stopping;
}

/* Much may be left: our own lease must not end meanwhile. */
static bool take(struct orc_entry *entries, void *ctx) {
    struct keeping *keeping = ctx;
    tell(keeping, ORC_ITEM_TAKEN, entries);
    if (is_stopping(&keeping->engine->keeper, keeping->generation)) {
        return false;
    }
    if (cs_clock_mono_ms() - keeping->kept_ms < KEEP_WHILE_TAKING) {
        return true;
    }
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_alive alive = {0};
    return keep(keeping, arena, &alive, NULL) == CS_OK && alive.kept;
}

/* Who died meanwhile is first: nobody else may be left to take over. */
static bool take_ours(struct orc_entry *entries, void *ctx) {
    const struct keeping *keeping = ctx;
    return take(entries, ctx) && !keeping->dead;
}

static void note_returned(struct keeping *keeping) {
    struct orc_keeper *keeper = &keeping->engine->keeper;
    orc_owned_destroy(keeping->owned);
    keeping->owned = NULL;
    tell(keeping, ORC_ITEM_RETURNED, NULL);
    pthread_mutex_lock(&keeper->lock);
    keeper->returned = keeper->generation == keeping->generation;
    (void)pthread_cond_broadcast(&keeper->changed);
    pthread_mutex_unlock(&keeper->lock);
}

/* Returns how long to wait before going on. */
static int64_t take_back(struct keeping *keeping) {
    struct cs_err err = {0};
    if (orc_engine_take_back(keeping->name, keeping->engine->keeper.store, keeping->owned, take_ours, keeping, &err) !=
        CS_OK) {
        cs_log_warn("bringing back failed, trying again", CS_KVI("executions", orc_owned_left(keeping->owned)),
                    CS_KVE(&err));
        return FAILED_MS;
    }
    if (orc_owned_left(keeping->owned) == 0) {
        note_returned(keeping);
    }
    return AGAIN_MS;
}

/* True when something came of it. */
static bool take_over(struct keeping *keeping, const char *dead) {
    struct cs_err err = {0};
    bool progress = false;
    if (orc_engine_take_over(keeping->engine, keeping->engine->keeper.store, dead, take, keeping, &progress, &err) ==
        CS_OK) {
        return progress;
    }
    cs_log_warn("taking over failed", CS_KV("replica", dead), CS_KVE(&err));
    if (!err.retryable) {
        tell_replaced(keeping); /* something may be ours without being in memory */
    }
    return false;
}

/* Returns how long to wait for the next one. */
static int64_t tick(struct keeping *keeping) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_alive alive = {0};
    struct cs_err err = {0};
    if (keep(keeping, arena, &alive, &err) != CS_OK) {
        cs_log_warn("lease not renewed", CS_KVE(&err));
        return FAILED_MS;
    }
    if (!alive.kept || !keeping->taking) {
        return ORC_KEEP_EVERY_MS;
    }
    bool progress = keeping->dead && take_over(keeping, alive.dead);
    if (keeping->owned != NULL && !keeping->replaced) {
        return take_back(keeping);
    }
    if (keeping->dead) {
        return progress ? AGAIN_MS : ORC_KEEP_EVERY_MS;
    }
    /* Until the moment at which a lease ends that is not renewed: no later, and not more often. */
    return alive.next_ms >= 0 && alive.next_ms < ORC_KEEP_EVERY_MS ? alive.next_ms + 1 : ORC_KEEP_EVERY_MS;
}

/* ---- the thread ---- */

static struct timespec after(int64_t wait_ms) {
    int64_t until_ns = cs_clock_mono_ns() + wait_ms * INT64_C(1000000);
    return (struct timespec){.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
}

/* With the lock. */
static void wait(struct orc_keeper *keeper, int64_t wait_ms) {
    struct timespec until = after(wait_ms);
    bool early = true;
    while (!keeper->stopping && !keeper->now && early) {
        early = pthread_cond_timedwait(&keeper->changed, &keeper->lock, &until) == 0;
    }
    keeper->now = false;
}

/* With the lock: no waiting for the next statement. */
static void wake(struct orc_keeper *keeper) {
    keeper->now = true;
    (void)pthread_cond_broadcast(&keeper->changed); /* others may wait for what we own */
}

/* With the lock. */
static void refresh(struct orc_keeper *keeper, struct keeping *keeping) {
    if (keeping->generation != keeper->generation) {
        orc_owned_destroy(keeping->owned);
        *keeping = (struct keeping){.engine = keeping->engine, .generation = keeper->generation};
        cs_str_copy(keeping->name, sizeof(keeping->name), keeper->name);
        orc_store_assume(keeper->store, keeper->name, keeper->epoch);
    }
    keeping->taking = keeper->taking;
    keeping->owned = keeper->owned != NULL ? cs_steal(&keeper->owned) : keeping->owned;
    cs_str_copy(keeping->address, sizeof(keeping->address), keeper->address);
}

static void *run(void *arg) {
    struct orc_engine *engine = arg;
    struct orc_keeper *keeper = &engine->keeper;
    struct keeping keeping = {.engine = engine};
    pthread_mutex_lock(&keeper->lock);
    while (!keeper->stopping) {
        refresh(keeper, &keeping);
        int64_t wait_ms = ORC_KEEP_EVERY_MS;
        if (keeper->joined && !keeping.replaced) {
            pthread_mutex_unlock(&keeper->lock);
            wait_ms = tick(&keeping);
            pthread_mutex_lock(&keeper->lock);
        }
        wait(keeper, wait_ms);
    }
    refresh(keeper, &keeping);
    orc_owned_destroy(keeping.owned);
    pthread_mutex_unlock(&keeper->lock);
    struct cs_err err = {0};
    if (orc_store_release(keeper->store, NULL, &err) != CS_OK) {
        cs_log_warn("lease not released, it ends by itself", CS_KVE(&err));
    }
    return NULL;
}

/* ---- for others ---- */

void orc_keeper_init(struct orc_keeper *keeper) {
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&keeper->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&keeper->lock, NULL);
}

void orc_keeper_fini(struct orc_keeper *keeper) {
    (void)pthread_cond_destroy(&keeper->changed);
    (void)pthread_mutex_destroy(&keeper->lock);
}

enum cs_status orc_keeper_start(struct orc_engine *engine, struct cs_err *err) {
    struct orc_keeper *keeper = &engine->keeper;
    CS_TRY(orc_store_open(engine->database_url, &keeper->store, err));
    if (pthread_create(&keeper->thread, NULL, run, engine) != 0) {
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for the lease");
    }
    keeper->started = true;
    return CS_OK;
}

void orc_keeper_stop(struct orc_engine *engine) {
    struct orc_keeper *keeper = &engine->keeper;
    if (keeper->started) {
        pthread_mutex_lock(&keeper->lock);
        keeper->stopping = true;
        (void)pthread_cond_broadcast(&keeper->changed);
        pthread_mutex_unlock(&keeper->lock);
        (void)pthread_join(keeper->thread, NULL);
        keeper->started = false;
    }
    orc_store_close(keeper->store);
    keeper->store = NULL;
}

void orc_keeper_begin(struct orc_keeper *keeper, const char *name, int64_t epoch, int64_t asked_ms) {
    atomic_store(&keeper->sure_until_ms, asked_ms + ORC_LEASE_MS);
    pthread_mutex_lock(&keeper->lock);
    keeper->generation++;
    cs_str_copy(keeper->name, sizeof(keeper->name), name);
    keeper->epoch = epoch;
    keeper->joined = true;
    keeper->taking = false;
    keeper->returned = false;
    orc_owned_destroy(keeper->owned);
    keeper->owned = NULL;
    wake(keeper);
    pthread_mutex_unlock(&keeper->lock);
}

void orc_keeper_take(struct orc_keeper *keeper, struct orc_owned *owned) {
    pthread_mutex_lock(&keeper->lock);
    keeper->taking = true;
    keeper->owned = owned;
    wake(keeper);
    pthread_mutex_unlock(&keeper->lock);
}

void orc_keeper_await_returned(struct orc_keeper *keeper, int64_t wait_ms) {
    struct timespec until = after(wait_ms);
    pthread_mutex_lock(&keeper->lock);
    while (!keeper->returned && pthread_cond_timedwait(&keeper->changed, &keeper->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&keeper->lock);
}

bool orc_keeper_is_sure(const struct orc_keeper *keeper) {
    return cs_clock_mono_ms() < atomic_load(&keeper->sure_until_ms);
}

bool orc_keeper_is_current(struct orc_keeper *keeper, uint64_t generation) {
    pthread_mutex_lock(&keeper->lock);
    bool current = keeper->generation == generation;
    pthread_mutex_unlock(&keeper->lock);
    return current;
}

void orc_keeper_set_address(struct orc_keeper *keeper, const char *address) {
    pthread_mutex_lock(&keeper->lock);
    cs_str_copy(keeper->address, sizeof(keeper->address), address);
    wake(keeper);
    pthread_mutex_unlock(&keeper->lock);
}

void orc_keeper_address(struct orc_keeper *keeper, char ret_address[static ORC_ADDRESS_MAX]) {
    pthread_mutex_lock(&keeper->lock);
    cs_str_copy(ret_address, ORC_ADDRESS_MAX, keeper->address);
    pthread_mutex_unlock(&keeper->lock);
}
