/*
 * run_stores: the connections that the handlers of tracked runs share.
 *
 * Threads  any; a store that was lent is the borrower's until it is given back.
 */
#ifndef ORC_API_RUN_STORES_H
#define ORC_API_RUN_STORES_H

#include <pthread.h>

#include "store/store.h"

enum { ORC_RUN_CONNECTIONS = 2 };

struct orc_run_stores {
    struct orc_store *stores[ORC_RUN_CONNECTIONS];
    pthread_mutex_t lock;
    pthread_cond_t returned;
    /* below: guarded by lock */
    bool lent[ORC_RUN_CONNECTIONS];
};

/* After a failure too, fini follows. Connects when a store is first used. */
enum cs_status orc_run_stores_init(struct orc_run_stores *stores, const char *database_url,
                                   struct cs_err *err) CS_MUST_USE;
void orc_run_stores_fini(struct orc_run_stores *stores);
/* Waits until one is free. */
size_t orc_run_stores_borrow(struct orc_run_stores *stores);
void orc_run_stores_give_back(struct orc_run_stores *stores, size_t index);
/* What runs, and all that comes later, fails soon with "interrupted". */
void orc_run_stores_interrupt(struct orc_run_stores *stores);

#endif
