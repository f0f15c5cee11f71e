/*
 * pool: a few threads for what blocks (files, storage), so that the loop does not.
 *
 * Threads  run from any. Work runs in the order it came, several at once.
 */
#ifndef PRV_POOL_H
#define PRV_POOL_H

#include "cs/base/err.h"
#include "cs/base/mem.h"

struct prv_pool;

enum cs_status prv_pool_create(int threads, struct prv_pool **ret_pool, struct cs_err *err) CS_MUST_USE;
/* Runs what is queued, then ends. */
void prv_pool_destroy(struct prv_pool *pool);
void prv_pool_run(struct prv_pool *pool, void (*fn)(void *ctx), void *ctx);

#endif
