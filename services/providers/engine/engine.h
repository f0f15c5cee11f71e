/*
 * engine: drives every generation at every provider, on the one HTTP loop. domain/task.h decides, this does.
 *
 *     intent (durable) → submit → submitted (durable, with the provider's id) → poll → ingest
 *
 * Threads  prv_engine_ops are called by cs_worker; everything about a generation then happens on the loop.
 * Limits   PRV_CALL_TIMEOUT_MS per call, PRV_OUTPUT_BYTES_MAX per output, PRV_INPUT_BYTES_MAX per input.
 * Log      one line "provider submit" for each new prediction.
 */
#ifndef PRV_ENGINE_H
#define PRV_ENGINE_H

#include "adapters/adapter.h"
#include "cs/http.h"
#include "cs/runner.h"
#include "cs/storage.h"
#include "cs/worker.h"
#include "engine/pool.h"
#include "engine/transport.h"

enum {
    PRV_PROVIDERS_MAX = 16,
    PRV_INPUT_GIB_MAX = 2,
};
#define PRV_INPUT_BYTES_MAX ((uint64_t)PRV_INPUT_GIB_MAX << 30)

struct prv_provider {
    const struct prv_adapter *adapter;
    struct prv_transport *transport; /* NULL: not configured */
};

struct prv_engine_config {
    struct cs_http *http;
    struct cs_storage *storage;
    struct cs_runner *runner; /* probes outputs */
    struct prv_pool *pool;
    const char *scratch_dir;
    bool allow_private_targets; /* for inputs */
    const struct prv_provider *providers;
    size_t provider_count;
};

struct prv_engine;

/* What config points to outlives the engine. */
struct prv_engine *prv_engine_create(const struct prv_engine_config *config);
/* After the worker: no assignment is open; waits for what is still in flight. NULL is fine. */
void prv_engine_destroy(struct prv_engine *engine);
CS_DEFINE_AUTO(prv_engine, prv_engine_destroy)

/* With a struct prv_engine as ctx. */
extern const struct cs_worker_ops prv_engine_ops;

#endif
