/*
 * api: the Orchestrator service on top of the engine.
 *
 * Calls are answered when the engine has committed what they ask for; nothing waits in a handler, but lists. What
 * another replica runs is asked of it (forward.h), or answered from the log when it is dead.
 *
 * Limits   a watcher that reads slowly has at most ORC_WATCH_QUEUE_BYTES waiting; what does not fit is left out and
 *          made good by a fresh snapshot once it has caught up.
 * Threads  handlers run on rpc's threads; drain and destroy on the owner's.
 */
#ifndef ORC_API_API_H
#define ORC_API_API_H

#include "cs/rpc.h"
#include "engine/engine.h"

enum { ORC_WATCH_QUEUE_BYTES = 256 * 1024 };

struct orc_api;

/* How other replicas are called, for what they run. What it points to must outlive the api. */
struct orc_peers_config {
    struct cs_rpc *rpc;
    struct cs_rpc_tls tls;
    const char *authorization; /* or NULL */
};

struct orc_api *orc_api_create(struct orc_engine *engine, const struct orc_peers_config *peers);
/* After the server. NULL is fine. */
void orc_api_destroy(struct orc_api *api);
CS_DEFINE_AUTO(orc_api, orc_api_destroy)

/* A row for cs_rpc_server_config.services. */
struct cs_rpc_service orc_api_service(struct orc_api *api);

/* Refuses new work (UNAVAILABLE "draining"), ends the watches, and returns when no handler is inside the engine any
 * more: it may be stopped then. Calls that wait for a commit are answered by the engine's stop. */
void orc_api_drain(struct orc_api *api);

#endif
