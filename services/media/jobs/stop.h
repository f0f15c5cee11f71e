/*
 * stop: how a waiting piece of work is told to end: by a wish from another thread, or by its deadline.
 *
 * Its lock and condition also carry the events that the work waits for:
 *
 *     med_stop_lock(stop); done = true; med_stop_wake(stop); med_stop_unlock(stop);        whoever completes
 *     med_stop_lock(stop); while (!done && med_stop_wait(stop)) {} … med_stop_unlock(stop);   the work
 */
#ifndef MED_STOP_H
#define MED_STOP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"

struct med_stop {
    int64_t deadline_mono_ms;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    bool requested;
    bool expired; /* requested by the deadline */
};

void med_stop_init(struct med_stop *stop, int64_t left_ms);
void med_stop_fini(struct med_stop *stop);

void med_stop_request(struct med_stop *stop);
int64_t med_stop_left_ms(const struct med_stop *stop); /* >= 0 */
/* CANCELLED "cancelled" or DEADLINE_EXCEEDED "deadline" once it shall end. */
enum cs_status med_stop_check(struct med_stop *stop, struct cs_err *err) CS_MUST_USE;

void med_stop_lock(struct med_stop *stop);
void med_stop_unlock(struct med_stop *stop);
void med_stop_wake(struct med_stop *stop); /* with the lock held */
/* With the lock held: waits for a wake. False at once, or when the wait ends so, if the work shall end. */
bool med_stop_wait(struct med_stop *stop);
/* The same, for work that is told to end already and waits for its parts to do so. */
void med_stop_wait_more(struct med_stop *stop);

#endif
