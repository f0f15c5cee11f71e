#include "later.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "cs/base/clock.h"
#include "cs/base/mem.h"

struct waiting {
    struct waiting *prev;
    struct waiting *next;
    struct cs_assignment *assignment;
    int64_t at_ms;
};

struct later {
    void (*end)(struct cs_assignment *assignment);
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    struct waiting *list; /* the earliest first */
    bool stopping;
};

static int compare(const struct waiting *a, const struct waiting *b) {
    return (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
}

/* With the lock: until the first is due, or something changed. */
static void wait_for_first(struct later *later) {
    if (later->list == NULL) {
        (void)pthread_cond_wait(&later->changed, &later->lock);
        return;
    }
    struct timespec until = {.tv_sec = later->list->at_ms / 1000, .tv_nsec = later->list->at_ms % 1000 * 1000000};
    (void)pthread_cond_timedwait(&later->changed, &later->lock, &until);
}

static void *run(void *arg) {
    struct later *later = arg;
    pthread_mutex_lock(&later->lock);
    while (!later->stopping) {
        struct waiting *first = later->list;
        if (first == NULL || first->at_ms > cs_clock_mono_ms()) {
            wait_for_first(later);
            continue;
        }
        DL_DELETE(later->list, first);
        pthread_mutex_unlock(&later->lock);
        later->end(first->assignment);
        free(first);
        pthread_mutex_lock(&later->lock);
    }
    pthread_mutex_unlock(&later->lock);
    return NULL;
}

enum cs_status later_create(void (*end)(struct cs_assignment *assignment), struct later **ret_later,
                            struct cs_err *err) {
    struct later *later = cs_alloc(sizeof(*later));
    later->end = end;
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&later->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&later->lock, NULL);
    if (pthread_create(&later->thread, NULL, run, later) != 0) {
        free(later);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for what ends later");
    }
    *ret_later = later;
    return CS_OK;
}

void later_destroy(struct later *later) {
    pthread_mutex_lock(&later->lock);
    later->stopping = true;
    (void)pthread_cond_signal(&later->changed);
    pthread_mutex_unlock(&later->lock);
    (void)pthread_join(later->thread, NULL);
    (void)pthread_cond_destroy(&later->changed);
    (void)pthread_mutex_destroy(&later->lock);
    free(later);
}

void later_add(struct later *later, struct cs_assignment *assignment, int64_t delay_ms) {
    struct waiting *waiting = cs_alloc(sizeof(*waiting));
    *waiting = (struct waiting){.assignment = assignment, .at_ms = cs_clock_mono_ms() + delay_ms};
    pthread_mutex_lock(&later->lock);
    DL_INSERT_INORDER(later->list, waiting, compare);
    (void)pthread_cond_signal(&later->changed);
    pthread_mutex_unlock(&later->lock);
}

void later_now(struct later *later, const struct cs_assignment *assignment) {
    struct waiting *waiting = NULL;
    pthread_mutex_lock(&later->lock);
    DL_SEARCH_SCALAR(later->list, waiting, assignment, assignment);
    if (waiting != NULL) {
        DL_DELETE(later->list, waiting);
        waiting->at_ms = 0;
        DL_PREPEND(later->list, waiting);
        (void)pthread_cond_signal(&later->changed);
    }
    pthread_mutex_unlock(&later->lock);
}
