#include "queue.h"

#include <stdlib.h>

#include "cs/base/mem.h"

enum { CAPACITY_FIRST = 16 };

static struct rpc_queued *at(const struct rpc_queue *queue, size_t position) {
    return &queue->ring[(queue->first + position) & (queue->capacity - 1)];
}

static void grow(struct rpc_queue *queue) {
    size_t capacity = queue->capacity != 0 ? queue->capacity * 2 : CAPACITY_FIRST;
    struct rpc_queued *ring = cs_alloc_array(capacity, sizeof(*ring));
    for (size_t i = 0; i < queue->count; i++) {
        ring[i] = *at(queue, i);
    }
    free(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->first = 0;
}

void rpc_queue_push(struct rpc_queue *queue, struct rpc_queued item) {
    if (queue->count == queue->capacity) {
        grow(queue);
    }
    *at(queue, queue->count++) = item;
}

struct rpc_queued rpc_queue_pop(struct rpc_queue *queue) {
    struct rpc_queued item = *at(queue, 0);
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
    return item;
}

size_t rpc_queue_clear(struct rpc_queue *queue) {
    size_t dropped_bytes = 0;
    while (queue->count != 0) {
        struct rpc_queued item = rpc_queue_pop(queue);
        dropped_bytes += item.size_bytes;
        grpc_byte_buffer_destroy(item.buffer);
    }
    return dropped_bytes;
}

void rpc_queue_fini(struct rpc_queue *queue) {
    (void)rpc_queue_clear(queue);
    free(queue->ring);
}
