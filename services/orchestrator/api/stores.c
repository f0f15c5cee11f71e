#include "api/stores.h"

#include "cs/base/log.h"
#include "cs/base/text.h"

enum cs_status orc_stores_init(struct orc_stores *stores, const char *database_url, struct cs_err *err) {
    *stores = (struct orc_stores){0};
    (void)pthread_mutex_init(&stores->lock, NULL);
    (void)pthread_cond_init(&stores->returned, NULL);
    for (size_t i = 0; i < ORC_STORES; i++) {
        CS_TRY(orc_store_open(database_url, &stores->stores[i], err));
    }
    return CS_OK;
}

void orc_stores_fini(struct orc_stores *stores) {
    for (size_t i = 0; i < ORC_STORES; i++) {
        orc_store_close(stores->stores[i]);
    }
    (void)pthread_cond_destroy(&stores->returned);
    (void)pthread_mutex_destroy(&stores->lock);
}

static size_t find_free(const struct orc_stores *stores) {
    size_t index = 0;
    while (index < ORC_STORES && stores->lent[index]) {
        index++;
    }
    return index;
}

static size_t borrow(struct orc_stores *stores) {
    pthread_mutex_lock(&stores->lock);
    size_t index = 0;
    while ((index = find_free(stores)) == ORC_STORES) {
        (void)pthread_cond_wait(&stores->returned, &stores->lock);
    }
    stores->lent[index] = true;
    pthread_mutex_unlock(&stores->lock);
    return index;
}

static void give_back(struct orc_stores *stores, size_t index) {
    pthread_mutex_lock(&stores->lock);
    stores->lent[index] = false;
    (void)pthread_cond_signal(&stores->returned);
    pthread_mutex_unlock(&stores->lock);
}

/* What the database says about itself is for our log. */
static enum cs_status explain(const char *const *told, struct cs_err *err) {
    for (; *told != NULL; told++) {
        if (cs_str_eq(err->reason, *told)) {
            return err->status;
        }
    }
    if (cs_str_eq(err->reason, "interrupted")) {
        return cs_fail(err, CS_UNAVAILABLE, "stopping", "the orchestrator is about to stop");
    }
    cs_log_warn("work on the database failed", CS_KVE(err));
    return cs_fail(err, CS_UNAVAILABLE, "not_done", "the database did not answer; try again");
}

enum cs_status orc_stores_run(struct orc_stores *stores, orc_store_work_fn *fn, struct cs_arena *arena, void *work,
                              const char *const *told, struct cs_err *err) {
    size_t index = borrow(stores);
    enum cs_status status = fn(stores->stores[index], arena, work, err);
    if ((status == CS_UNAVAILABLE || status == CS_ABORTED) && err->retryable) {
        *err = (struct cs_err){0};
        status = fn(stores->stores[index], arena, work, err);
    }
    give_back(stores, index);
    return status == CS_OK ? status : explain(told, err);
}

void orc_stores_interrupt(struct orc_stores *stores) {
    for (size_t i = 0; i < ORC_STORES; i++) {
        orc_store_interrupt(stores->stores[i]);
    }
}
