/*
 * stores: a few connections that the handlers of a service share, for work that has nothing to do with the engine.
 *
 * Threads  any; handlers block until a store is free and while it works.
 */
#ifndef ORC_API_STORES_H
#define ORC_API_STORES_H

#include <pthread.h>

#include "store/store.h"

enum { ORC_STORES = 2 };

struct orc_stores {
    struct orc_store *stores[ORC_STORES];
    pthread_mutex_t lock;
    pthread_cond_t returned;
    /* below: guarded by lock */
    bool lent[ORC_STORES];
};

/* After a failure too, fini follows. Connects when a store is first used. */
enum cs_status orc_stores_init(struct orc_stores *stores, const char *database_url, struct cs_err *err) CS_MUST_USE;
void orc_stores_fini(struct orc_stores *stores);

/* Runs work on a store; once more when nothing was written, for a connection that an idle time has cost is not the
 * client's trouble. A failure whose reason is not among `told` (NULL terminated), the words that clients may hear, is
 * logged and becomes UNAVAILABLE "not_done", or "stopping". */
typedef enum cs_status orc_store_work_fn(struct orc_store *store, struct cs_arena *arena, void *work,
                                         struct cs_err *err);
enum cs_status orc_stores_run(struct orc_stores *stores, orc_store_work_fn *fn, struct cs_arena *arena, void *work,
                              const char *const *told, struct cs_err *err) CS_MUST_USE;

/* What runs, and all that comes later, fails with UNAVAILABLE "stopping" soon. */
void orc_stores_interrupt(struct orc_stores *stores);

#endif
