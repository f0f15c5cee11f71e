#include "graph/queue.h"

#include <assert.h>
#include <pthread.h>

#include "cs/base/mem.h"

struct med_queue {
    void (*item_free)(void *item);
    size_t capacity;
    size_t batch;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    size_t first;
    size_t count;
    bool ended;
    bool stopped;
    struct cs_err failure; /* status CS_OK: ended well */
    void *items[];
};

struct med_queue *med_queue_create(size_t capacity, size_t batch, void (*item_free)(void *item)) {
    assert(batch > 0 && 2 * batch <= capacity);
    struct med_queue *queue = cs_alloc(sizeof(*queue) + capacity * sizeof(void *));
    queue->capacity = capacity;
    queue->batch = batch;
    queue->item_free = item_free;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
    return queue;
}

void med_queue_destroy(struct med_queue *queue) {
    if (queue == NULL) {
        return;
    }
    for (; queue->count > 0; queue->count--) {
        queue->item_free(queue->items[queue->first]);
        queue->first = (queue->first + 1) % queue->capacity;
    }
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

/* Who waits does so until a batch fits, or is there: then it is not woken again for each item. */
static void await_room(struct med_queue *queue) {
    while (queue->capacity - queue->count < queue->batch && !queue->stopped) {
        pthread_cond_wait(&queue->changed, &queue->lock);
    }
}

static void await_items(struct med_queue *queue) {
    while (queue->count < queue->batch && !queue->ended) {
        pthread_cond_wait(&queue->changed, &queue->lock);
    }
}

bool med_queue_put(struct med_queue *queue, void *item) {
    pthread_mutex_lock(&queue->lock);
    if (queue->count == queue->capacity) {
        await_room(queue);
    }
    bool wanted = !queue->stopped;
    if (wanted) {
        queue->items[(queue->first + queue->count) % queue->capacity] = item;
        queue->count++;
        if (queue->count >= queue->batch) {
            pthread_cond_signal(&queue->changed);
        }
    }
    pthread_mutex_unlock(&queue->lock);
    if (!wanted) {
        queue->item_free(item);
    }
    return wanted;
}

void med_queue_end(struct med_queue *queue, const struct cs_err *err) {
    pthread_mutex_lock(&queue->lock);
    queue->ended = true;
    if (err != NULL) {
        queue->failure = *err;
    }
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

enum cs_status med_queue_take(struct med_queue *queue, void **ret_item, struct cs_err *err) {
    enum cs_status status = CS_OK;
    pthread_mutex_lock(&queue->lock);
    if (queue->count == 0) {
        await_items(queue);
    }
    if (queue->count > 0) {
        *ret_item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
        if (queue->capacity - queue->count >= queue->batch) {
            pthread_cond_signal(&queue->changed);
        }
    } else {
        *ret_item = NULL;
        status = queue->failure.status;
        if (status != CS_OK && err != NULL) {
            *err = queue->failure;
        }
    }
    pthread_mutex_unlock(&queue->lock);
    return status;
}

void med_queue_stop(struct med_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    queue->stopped = true;
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}
