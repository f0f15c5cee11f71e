/*
 * queue: messages that wait to be sent on one stream, in order.
 *
 * Owns     the buffers in it.
 * Threads  guarded by the stream's lock.
 */
#ifndef RPC_QUEUE_H
#define RPC_QUEUE_H

#include <grpc/byte_buffer.h>
#include <stddef.h>

struct rpc_queued {
    grpc_byte_buffer *buffer;
    size_t size_bytes;
};

struct rpc_queue {
    struct rpc_queued *ring; /* capacity is 0 or a power of two */
    size_t capacity;
    size_t first;
    size_t count;
};

void rpc_queue_fini(struct rpc_queue *queue);
void rpc_queue_push(struct rpc_queue *queue, struct rpc_queued item);
struct rpc_queued rpc_queue_pop(struct rpc_queue *queue); /* of a queue that is not empty */
/* Drops everything; returns how many bytes that was. */
size_t rpc_queue_clear(struct rpc_queue *queue);

#endif
