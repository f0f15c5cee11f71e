#include "runtime.h"

#include <grpc/support/log.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/log.h"
#include "descriptors.h"
#include "metrics.h"

enum {
    POLL_THREADS_MIN = 2, /* one alone starves: it takes queued events and never looks at the sockets */
    THREADS_MAX = 256,
    HANDLER_THREADS_DEFAULT = 8,
};

#ifdef CS_TSAN
/* The core is not instrumented: these show the sanitizer the order between starting an operation and its end. */
void __tsan_release(void *address);
void __tsan_acquire(void *address);
#define tsan_release(address) __tsan_release(address)
#define tsan_acquire(address) __tsan_acquire(address)
#else
#define tsan_release(address) ((void)(address))
#define tsan_acquire(address) ((void)(address))
#endif

void rpc_check(grpc_call_error error, const char *what) {
    if (error != GRPC_CALL_OK) {
        cs_log_error("grpc refused an operation", CS_KV("operation", what),
                     CS_KV("why", grpc_call_error_to_string(error)));
        abort();
    }
}

void rpc_tag_arm(struct rpc_tag *tag) {
    tsan_release(tag);
}

void rpc_batch(grpc_call *call, const grpc_op *ops, size_t op_count, struct rpc_tag *tag) {
    tsan_release(tag);
    rpc_check(grpc_call_start_batch(call, ops, op_count, tag, NULL), "batch");
}

/* ---- polling ---- */

static void *poll_main(void *arg) {
    struct cs_rpc *rpc = arg;
    (void)pthread_setname_np(pthread_self(), "rpc-poll");
    for (;;) {
        grpc_event event = grpc_completion_queue_next(rpc->cq, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN) {
            return NULL;
        }
        struct rpc_tag *tag = event.tag;
        tsan_acquire(tag);
        tag->fn(tag, event.success != 0);
    }
}

/* ---- handler pool ---- */

void rpc_run(struct cs_rpc *rpc, struct rpc_work *work) {
    struct rpc_pool *pool = &rpc->pool;
    work->next = NULL;
    pthread_mutex_lock(&pool->lock);
    *pool->last = work;
    pool->last = &work->next;
    pthread_cond_signal(&pool->more);
    pthread_mutex_unlock(&pool->lock);
}

/* The next piece of work; NULL when the pool stops. */
static struct rpc_work *pool_take(struct rpc_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->stopping) {
        pthread_cond_wait(&pool->more, &pool->lock);
    }
    struct rpc_work *work = pool->first;
    if (work != NULL) {
        pool->first = work->next;
        if (pool->first == NULL) {
            pool->last = &pool->first;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return work;
}

static void *pool_main(void *arg) {
    struct cs_rpc *rpc = arg;
    (void)pthread_setname_np(pthread_self(), "rpc-handler");
    for (struct rpc_work *work = NULL; (work = pool_take(&rpc->pool)) != NULL;) {
        work->fn(work);
    }
    return NULL;
}

/* ---- life ---- */

/* What the core wants to print. Whatever matters reaches us as a status too. */
static void log_of_core(gpr_log_func_args *args) {
    cs_log_debug("grpc core", CS_KV("message", args->message));
}

static enum cs_status start_threads(struct cs_rpc *rpc, pthread_t *threads, int count, void *(*run)(void *),
                                    int *ret_started, struct cs_err *err) {
    for (int i = 0; i < count; i++) {
        int failed = pthread_create(&threads[i], NULL, run, rpc);
        if (failed != 0) {
            return cs_fail_errno(err, failed, "starting a thread");
        }
        *ret_started = i + 1;
    }
    return CS_OK;
}

static int within(int wanted, int fallback, int min) {
    int count = wanted > 0 ? wanted : fallback;
    return count < min ? min : count > THREADS_MAX ? THREADS_MAX : count;
}

enum cs_status cs_rpc_create(const struct cs_rpc_config *config, struct cs_rpc **ret_rpc, struct cs_err *err) {
    CS_TRY(rpc_descriptors_load(err));
    gpr_set_log_function(log_of_core);
    grpc_init();

    CS_AUTO(cs_rpc) *rpc = cs_alloc(sizeof(*rpc));
    rpc->cq = grpc_completion_queue_create_for_next(NULL);
    rpc->metrics = rpc_metrics_create();
    pthread_mutex_init(&rpc->pool.lock, NULL);
    pthread_cond_init(&rpc->pool.more, NULL);
    rpc->pool.last = &rpc->pool.first;

    int pollers = within(config != NULL ? config->poll_threads : 0, POLL_THREADS_MIN, POLL_THREADS_MIN);
    int handlers = within(config != NULL ? config->handler_threads : 0, HANDLER_THREADS_DEFAULT, 1);
    rpc->pollers = cs_alloc_array((size_t)pollers, sizeof(pthread_t));
    rpc->pool.threads = cs_alloc_array((size_t)handlers, sizeof(pthread_t));
    CS_TRY(start_threads(rpc, rpc->pollers, pollers, poll_main, &rpc->poller_count, err));
    CS_TRY(start_threads(rpc, rpc->pool.threads, handlers, pool_main, &rpc->pool.thread_count, err));
    *ret_rpc = cs_steal(&rpc);
    return CS_OK;
}

static void pool_stop(struct rpc_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->thread_count; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    free(pool->threads);
    pthread_cond_destroy(&pool->more);
    pthread_mutex_destroy(&pool->lock);
}

void cs_rpc_destroy(struct cs_rpc *rpc) {
    if (rpc == NULL) {
        return;
    }
    pool_stop(&rpc->pool);
    grpc_completion_queue_shutdown(rpc->cq);
    if (rpc->poller_count == 0) {
        while (grpc_completion_queue_next(rpc->cq, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
               GRPC_QUEUE_SHUTDOWN) {
        }
    }
    for (int i = 0; i < rpc->poller_count; i++) {
        pthread_join(rpc->pollers[i], NULL);
    }
    free(rpc->pollers);
    grpc_completion_queue_destroy(rpc->cq);
    rpc_metrics_destroy(rpc->metrics);
    free(rpc);
    grpc_shutdown_blocking();
}
