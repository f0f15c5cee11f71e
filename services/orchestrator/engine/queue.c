#include "engine/queue.h"

#include <time.h>

#include "cs/base/clock.h"

enum { WAIT_MS_MAX = 60 * 60 * 1000 };

void orc_queue_init(struct orc_queue *queue) {
    *queue = (struct orc_queue){0};
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&queue->filled, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&queue->lock, NULL);
}

void orc_queue_fini(struct orc_queue *queue) {
    (void)pthread_cond_destroy(&queue->filled);
    (void)pthread_mutex_destroy(&queue->lock);
}

struct orc_item *orc_item_create(enum orc_item_kind kind) {
    struct orc_item *item = cs_alloc(sizeof(*item));
    item->kind = kind;
    return item;
}

bool orc_queue_put(struct orc_queue *queue, struct orc_item *item) {
    pthread_mutex_lock(&queue->lock);
    bool closed = queue->closed;
    if (!closed) {
        bool was_empty = queue->first == NULL;
        item->next = NULL;
        if (was_empty) {
            queue->first = item;
        } else {
            queue->last->next = item;
        }
        queue->last = item;
        queue->count++;
        if (was_empty) {
            (void)pthread_cond_signal(&queue->filled);
        }
    }
    pthread_mutex_unlock(&queue->lock);
    return !closed;
}

static void wait_for_items(struct orc_queue *queue, int64_t wait_ms) {
    int64_t until_ns = cs_clock_mono_ns() + (wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX) * INT64_C(1000000);
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    while (queue->first == NULL && !queue->closed) {
        if (pthread_cond_timedwait(&queue->filled, &queue->lock, &until) != 0) {
            return;
        }
    }
}

struct orc_item *orc_queue_take(struct orc_queue *queue, int64_t wait_ms) {
    pthread_mutex_lock(&queue->lock);
    if (queue->first == NULL && wait_ms > 0) {
        wait_for_items(queue, wait_ms);
    }
    struct orc_item *items = queue->first;
    queue->first = queue->last = NULL;
    queue->count = 0;
    pthread_mutex_unlock(&queue->lock);
    return items;
}

size_t orc_queue_count(struct orc_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}

void orc_queue_close(struct orc_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}
