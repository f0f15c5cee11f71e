/*
 * api: the routes and what stands behind them.
 *
 * Threads  handlers run on the HTTP server's threads and do not block: calls to the orchestrator park the request.
 */
#ifndef GW_API_API_H
#define GW_API_API_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/auth.h"
#include "api/limits.h"
#include "api/proxies.h"
#include "api/rate.h"
#include "cs/rpc.h"
#include "cs/storage.h"
#include "http/server.h"
#include "metrics.h"
#include "view/execution_view.h"

struct gw_events;

/* What the handlers share. Owned by the app. */
struct gw_api {
    struct cs_rpc *rpc;
    struct cs_rpc_channel *calls;   /* unary */
    struct cs_rpc_channel *watches; /* streams, on a connection of their own */
    struct cs_storage *storage;
    struct gw_auth *auth;
    struct gw_rate *rate; /* NULL: no limit */
    struct gw_proxies *proxies;
    struct gw_metrics *metrics;
    struct gw_events *events;
    struct gw_server *server;
    const char *public_url;
    const char *link_secret;
    int64_t link_lifetime_s;
    const char *cors_origin; /* "" none */
    const char *openapi;     /* the document */
    int64_t call_timeout_ms;
    int64_t keep_alive_ms;
    atomic_bool draining;
    pthread_rwlock_t gate;
    /* below: guarded by gate */
    bool stopped; /* the channels are going */
};

/* The server's events; their ctx is the struct gw_api. */
extern const struct gw_server_events gw_api_server_events;

/* The route of that number, from 0: false behind the last. A "*" in a pattern stands for a segment, at the end of
 * /artifacts/ for all the rest; one that is open needs no key. */
bool gw_api_route_at(size_t index, const char **ret_method, const char **ret_pattern, bool *ret_open);

/* ---- handlers: arg is what stands for the "*" in the route's pattern, "" for none ---- */
void gw_handle_create(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_status(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_get(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_list(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_dashboard(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_cancel(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_retry(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_rerun(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_invalidate(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_events(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_approve(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_reject(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_elix_approve(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_external_complete(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_external_fail(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_external_heartbeat(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_elix_job(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_scenes(struct gw_api *api, struct gw_request *request, const char *arg);
/* arg: "ID/scenes/SCENE" */
void gw_handle_scene(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_scene_update(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_scene_delete(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_scene_regenerate(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_append(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_edit_job(struct gw_api *api, struct gw_request *request, const char *arg);   /* arg: "ID/jobs/JOB" */
void gw_handle_remove_job(struct gw_api *api, struct gw_request *request, const char *arg); /* arg: "ID/jobs/JOB" */
void gw_handle_run_start(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_run_heartbeat(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_run_complete(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_run_get(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_run_list(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_pipeline_put(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_pipeline_get(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_pipeline_list(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_pipeline_run(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_artifact(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_openapi(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_swagger_ui(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_health(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_live(struct gw_api *api, struct gw_request *request, const char *arg);
void gw_handle_metrics(struct gw_api *api, struct gw_request *request, const char *arg);

/* Around the start of a call: false (and nothing to leave) when the gateway stops. */
bool gw_api_enter(struct gw_api *api, struct cs_err *err);
void gw_api_leave(struct gw_api *api);
/* After it no call starts. */
void gw_api_stop(struct gw_api *api);
struct gw_links gw_api_links(const struct gw_api *api);
struct cs_rpc_options gw_api_call_options(const struct gw_api *api, const struct gw_request *request);

#endif
