/*
 * fake_store: store.h in memory, for tests of the engine: linked instead of the real one.
 *
 * Commits can be held and made to fail; what was committed survives the engine, so a second one recovers from it.
 */
#ifndef ORC_ENGINE_TESTS_FAKE_STORE_H
#define ORC_ENGINE_TESTS_FAKE_STORE_H

#include "store/store.h"

enum fake_failure {
    FAKE_AWAY,          /* retryable; nothing written */
    FAKE_DOUBT_WRITTEN, /* in doubt; it was written */
    FAKE_DOUBT_LOST,    /* in doubt; it was not */
    FAKE_FENCED,
};

void fake_store_reset(void);
/* Commits and lists wait until they are let go. */
void fake_store_hold(void);
/* Only the next one: those beside it go through. */
void fake_store_hold_one(void);
void fake_store_let_go(void);
/* Returns when one is being held. */
void fake_store_await_held(void);
/* The next `times` commits fail. */
void fake_store_fail(enum fake_failure failure, int times);
/* So many executions are given to an engine that brings back what it owns, then it waits; SIZE_MAX: all, as before. */
void fake_store_return(size_t executions);
/* The next `times` reads of these fail. */
void fake_store_fail_returning(int times);
/* The execution is another replica's, which has died. */
void fake_store_leave(const char *execution);
/* The next one that joins is fenced before it knows what it owns, and has found out by then. */
void fake_store_replace_joining(void);
/* Leases are not renewed, as if the database did not answer. */
void fake_store_keep_nobody(bool nobody);
int fake_store_commits(void);                           /* that were written */
int fake_store_events(const char *execution, int kind); /* stored; kind 0: of any */
int fake_store_state(const char *execution);            /* as its row says; 0 no row */
bool fake_store_is_open(const char *execution);
int fake_store_open_without_wakeup(void);
int64_t fake_store_epoch(void);
/* The webhook body of the row; malloc'ed text. */
char *fake_store_webhook_body(const char *execution);

#endif
