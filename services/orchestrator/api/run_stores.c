#include "api/run_stores.h"

enum cs_status orc_run_stores_init(struct orc_run_stores *stores, const char *database_url, struct cs_err *err) {
    *stores = (struct orc_run_stores){0};
    (void)pthread_mutex_init(&stores->lock, NULL);
    (void)pthread_cond_init(&stores->returned, NULL);
    for (size_t i = 0; i < ORC_RUN_CONNECTIONS; i++) {
        CS_TRY(orc_store_open(database_url, &stores->stores[i], err));
    }
    return CS_OK;
}

void orc_run_stores_fini(struct orc_run_stores *stores) {
    for (size_t i = 0; i < ORC_RUN_CONNECTIONS; i++) {
        orc_store_close(stores->stores[i]);
    }
    (void)pthread_cond_destroy(&stores->returned);
    (void)pthread_mutex_destroy(&stores->lock);
}

static size_t find_free(const struct orc_run_stores *stores) {
    size_t index = 0;
    while (index < ORC_RUN_CONNECTIONS && stores->lent[index]) {
        index++;
    }
    return index;
}

size_t orc_run_stores_borrow(struct orc_run_stores *stores) {
    pthread_mutex_lock(&stores->lock);
    size_t index = 0;
    while ((index = find_free(stores)) == ORC_RUN_CONNECTIONS) {
        (void)pthread_cond_wait(&stores->returned, &stores->lock);
    }
    stores->lent[index] = true;
    pthread_mutex_unlock(&stores->lock);
    return index;
}

void orc_run_stores_give_back(struct orc_run_stores *stores, size_t index) {
    pthread_mutex_lock(&stores->lock);
    stores->lent[index] = false;
    (void)pthread_cond_signal(&stores->returned);
    pthread_mutex_unlock(&stores->lock);
}

void orc_run_stores_interrupt(struct orc_run_stores *stores) {
    for (size_t i = 0; i < ORC_RUN_CONNECTIONS; i++) {
        orc_store_interrupt(stores->stores[i]);
    }
}
