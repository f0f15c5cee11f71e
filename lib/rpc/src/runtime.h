/*
 * runtime: the completion queue, the threads that poll it, and the pool that runs handlers.
 *
 * A tag is the first thing of an operation: a function that the polling thread calls when the operation has ended. Tags
 * are embedded in what they belong to (RPC_OWNER finds it again) and live until then.
 *
 * Threads  tag functions run on polling threads, one at a time per tag; work functions on handler threads.
 */
#ifndef RPC_RUNTIME_H
#define RPC_RUNTIME_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "cs/rpc.h"

struct rpc_tag {
    void (*fn)(struct rpc_tag *tag, bool ok);
};

#define RPC_OWNER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

struct rpc_work {
    void (*fn)(struct rpc_work *work);
    struct rpc_work *next;
};

struct rpc_metrics;

struct rpc_pool {
    pthread_t *threads;
    int thread_count;
    pthread_mutex_t lock;
    pthread_cond_t more;
    /* below: guarded by lock */
    struct rpc_work *first;
    struct rpc_work **last;
    bool stopping;
};

struct cs_rpc {
    grpc_completion_queue *cq;
    struct rpc_metrics *metrics;
    pthread_t *pollers;
    int poller_count;
    struct rpc_pool pool;
};

/* Starts a batch; tag->fn runs when it has ended. The operations are ours, so a refusal of the core is a bug of ours
 * and ends the process. */
void rpc_batch(grpc_call *call, const grpc_op *ops, size_t op_count, struct rpc_tag *tag);
/* Says that the core is about to be given this tag (for the thread sanitizer). */
void rpc_tag_arm(struct rpc_tag *tag);
/* Ends the process when an operation of ours was refused. */
void rpc_check(grpc_call_error error, const char *what);

/* Runs work->fn on a handler thread, in order of arrival. */
void rpc_run(struct cs_rpc *rpc, struct rpc_work *work);

#endif
