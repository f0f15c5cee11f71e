/* api/internal: what the handlers share. */
#ifndef ORC_API_INTERNAL_H
#define ORC_API_INTERNAL_H

#include "api/api.h"
#include "api/forward.h"
#include "api/gate.h"

struct orc_watcher;

struct orc_api {
    struct orc_engine *engine;
    struct orc_gate gate; /* around every call of the engine */
    struct orc_forward *forward;
    pthread_mutex_t watchers_lock;
    /* below: guarded by watchers_lock */
    struct orc_watcher *watchers;
};

extern const struct cs_rpc_stream_events orc_watch_events;

/* Tenant and id of a request that names an execution. An id that could not be one is NOT_FOUND like any that is not
 * known. */
enum cs_status orc_target_check(const char *tenant, const char *execution_id, struct cs_err *err) CS_MUST_USE;

/* Reads an execution here, or through the replica that runs it. `forwarded`: another replica asks; it is not sent on.
 */
void orc_api_get(struct orc_api *api, const char *tenant, const char *id, bool forwarded, orc_read_fn *done, void *ctx);

/* Tells all watchers that the server stops. */
void orc_watchers_end(struct orc_api *api);

#endif
