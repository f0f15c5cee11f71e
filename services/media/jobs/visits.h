/*
 * visits: what this node has fetched and looked at of other nodes' jobs, kept for a moment, as another chunk of the
 * same job often follows.
 *
 * Owns     visits that nobody is at; who takes one owns it until it is kept again or destroyed.
 * Threads  any.
 * Limits   one idle visit for each slot, the oldest go first; each for MED_VISIT_KEPT_MS, or until this node begins a
 *          job of its own.
 */
#ifndef MED_VISITS_H
#define MED_VISITS_H

#include "division.h"
#include "staging.h"

enum { MED_VISIT_KEPT_MS = 15 * 1000 };

struct med_visit {
    char *execution;
    char *job;
    struct med_inputs inputs;
    struct med_division division; /* its folder is ours */
    int64_t until_ms;             /* once kept; monotonic */
    struct med_visit *prev;
    struct med_visit *next;
};

/* Takes over the inputs; the rest is copied. */
struct med_visit *med_visit_create(const Callsheet__V1__Assign *assign, struct med_inputs *inputs,
                                   const struct med_division *division);
void med_visit_destroy(struct med_visit *visit); /* NULL is fine */

struct med_visits {
    uint32_t count_max;
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct med_visit *idle; /* oldest first */
    uint32_t count;
};

void med_visits_init(struct med_visits *visits, uint32_t count_max);
void med_visits_fini(struct med_visits *visits);
/* The one of that share; or NULL. */
struct med_visit *med_visits_take(struct med_visits *visits, const Callsheet__V1__Assign *assign);
void med_visits_keep(struct med_visits *visits, struct med_visit *visit);
/* Destroys those whose time is over; returns when the next one's is, monotonic; INT64_MAX: there is none. */
int64_t med_visits_expire(struct med_visits *visits, int64_t now_ms);

#endif
