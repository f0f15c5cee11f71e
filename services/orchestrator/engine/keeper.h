/*
 * keeper: keeps this replica's lease alive, brings back what it owns, and sees when another's lease has ended.
 *
 * One small statement about once a second says that we are alive, whether we still are who we think, and who is not.
 * What we had open when we joined, and then the executions of a dead replica, come to the engine as ORC_ITEM_TAKEN, the
 * end of the former as ORC_ITEM_RETURNED, our own replacement as ORC_ITEM_REPLACED; all carry the generation that they
 * belong to. After a pause of our own (a stop, a database that was away) nobody is taken
 * over for the length of a lease: others may have been held up by the same thing.
 *
 * Threads  a thread and a connection of its own; functions from any thread.
 */
#ifndef ORC_ENGINE_KEEPER_H
#define ORC_ENGINE_KEEPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"

enum {
    ORC_KEEP_EVERY_MS = 1000,
    ORC_REPLICA_NAME_MAX = 96,
    ORC_ADDRESS_MAX = 256,
};

struct orc_engine;
struct orc_owned;
struct orc_store;

struct orc_keeper {
    pthread_t thread;
    bool started;
    struct orc_store *store;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    uint64_t generation; /* of our identity; 0: none yet */
    char name[ORC_REPLICA_NAME_MAX];
    int64_t epoch;
    char address[ORC_ADDRESS_MAX]; /* of our gRPC server, "" not known yet */
    bool joined;                   /* there is a lease to keep */
    bool taking;                   /* the engine adopts what it is given */
    struct orc_owned *owned;       /* for the thread, or NULL */
    bool returned;                 /* the engine has been given all that we own */
    bool now;                      /* no waiting for the next statement */
    bool stopping;
    /* above: guarded by lock */
    atomic_int_fast64_t sure_until_ms; /* monotonic: before then nobody can have taken over from us */
};

void orc_keeper_init(struct orc_keeper *keeper);
void orc_keeper_fini(struct orc_keeper *keeper); /* after orc_keeper_stop */
enum cs_status orc_keeper_start(struct orc_engine *engine, struct cs_err *err) CS_MUST_USE;
/* Ends the lease, so that others take over at once, and the thread. Also when it was not started. */
void orc_keeper_stop(struct orc_engine *engine);
/* We have joined under that name and epoch, not before asked_ms (monotonic); what was taken before is void. */
void orc_keeper_begin(struct orc_keeper *keeper, const char *name, int64_t epoch, int64_t asked_ms);
/* The engine adopts from now on: what we own, which is taken, and then what dead replicas left. */
void orc_keeper_take(struct orc_keeper *keeper, struct orc_owned *owned);
/* Until the engine has been given all that we own, or so long. */
void orc_keeper_await_returned(struct orc_keeper *keeper, int64_t wait_ms);
/* False when our lease may have ended, so that somebody else may know better: after a stop, or a database that was
 * away.
 */
bool orc_keeper_is_sure(const struct orc_keeper *keeper);
bool orc_keeper_is_current(struct orc_keeper *keeper, uint64_t generation);
void orc_keeper_set_address(struct orc_keeper *keeper, const char *address);
void orc_keeper_address(struct orc_keeper *keeper, char ret_address[static ORC_ADDRESS_MAX]);

#endif
