#include "engine/pool.h"

#include <pthread.h>
#include <stdbool.h>

struct work {
    struct work *next;
    void (*fn)(void *ctx);
    void *ctx;
};

struct prv_pool {
    pthread_t *threads;
    int thread_count;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* below: guarded by lock */
    struct work *first;
    struct work **last;
    bool stopping;
};

static struct work *take(struct prv_pool *pool) {
    (void)pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->stopping) {
        (void)pthread_cond_wait(&pool->wake, &pool->lock);
    }
    struct work *work = pool->first;
    if (work != NULL) {
        pool->first = work->next;
        if (pool->first == NULL) {
            pool->last = &pool->first;
        }
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return work;
}

static void *serve(void *arg) {
    struct work *work = NULL;
    while ((work = take(arg)) != NULL) {
        work->fn(work->ctx);
        free(work);
    }
    return NULL;
}

enum cs_status prv_pool_create(int threads, struct prv_pool **ret_pool, struct cs_err *err) {
    struct prv_pool *pool = cs_alloc(sizeof(*pool));
    pool->last = &pool->first;
    pool->threads = cs_alloc_array((size_t)threads, sizeof(*pool->threads));
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->wake, NULL);
    int code = 0;
    while (pool->thread_count < threads && code == 0) {
        code = pthread_create(&pool->threads[pool->thread_count], NULL, serve, pool);
        pool->thread_count += code == 0 ? 1 : 0;
    }
    if (code != 0) {
        prv_pool_destroy(pool);
        return cs_fail_errno(err, code, "starting a thread");
    }
    *ret_pool = pool;
    return CS_OK;
}

void prv_pool_destroy(struct prv_pool *pool) {
    if (pool == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    (void)pthread_cond_broadcast(&pool->wake);
    (void)pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->thread_count; i++) {
        (void)pthread_join(pool->threads[i], NULL);
    }
    (void)pthread_mutex_destroy(&pool->lock);
    (void)pthread_cond_destroy(&pool->wake);
    free(pool->threads);
    free(pool);
}

void prv_pool_run(struct prv_pool *pool, void (*fn)(void *ctx), void *ctx) {
    struct work *work = cs_alloc(sizeof(*work));
    *work = (struct work){.fn = fn, .ctx = ctx};
    (void)pthread_mutex_lock(&pool->lock);
    *pool->last = work;
    pool->last = &work->next;
    (void)pthread_cond_signal(&pool->wake);
    (void)pthread_mutex_unlock(&pool->lock);
}
