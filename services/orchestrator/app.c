#include "app.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "api/pipelines.h"
#include "api/runs.h"
#include "cs/base/text.h"
#include "cs/conf.h"
#include "cs/svc.h"
#include "engine/engine.h"
#include "upkeep.h"

enum { ADDRESS_BYTES_MAX = 255 };

struct orc_app {
    const struct orc_config *config;
    struct cs_rpc *rpc;
    char *authorization; /* for workers, or NULL */
    struct orc_engine *engine;
    struct orc_upkeep *upkeep;
    struct orc_api *api;
    struct orc_runs *runs;
    struct orc_pipelines *pipelines;
    struct cs_rpc_service services[3];
    struct cs_rpc_server *server;
    pthread_mutex_t lock;
    struct cs_err failure; /* guarded by lock */
};

static void on_failed(const struct cs_err *err, void *ctx) {
    struct orc_app *app = ctx;
    pthread_mutex_lock(&app->lock);
    app->failure = *err;
    pthread_mutex_unlock(&app->lock);
    cs_svc_request_stop();
}

enum cs_status orc_app_failure(struct orc_app *app, struct cs_err *err) {
    pthread_mutex_lock(&app->lock);
    enum cs_status status = app->failure.status;
    if (status != CS_OK) {
        *err = app->failure;
    }
    pthread_mutex_unlock(&app->lock);
    return status;
}

static enum cs_status start_engine(struct orc_app *app, struct cs_err *err) {
    const struct orc_config *config = app->config;
    if (!cs_str_empty(config->service_token)) {
        app->authorization = cs_sprintf("Bearer %s", config->service_token);
    }
    const struct orc_engine_config engine = {
        .database_url = config->database_url,
        .replica = config->replica,
        .environment = config->environment,
        .public_url = config->public_url,
        .link_secret = config->link_secret,
        .limits = config->limits,
        .tenant_weights = config->tenant_weights,
        .headroom_share = (uint32_t)config->headroom,
        .version = cs_version(),
        .cache_ttl_ms = config->cache_ttl_ms,
        .rpc = app->rpc,
        .workers = config->workers,
        .tls = config->tls,
        .authorization = app->authorization,
        .failed = on_failed,
        .failed_ctx = app,
    };
    return orc_engine_start(&engine, &app->engine, err);
}

/* Others cannot dial an address that means "any": they get the host's name. */
static void advertise(struct orc_app *app) {
    const char *address = cs_rpc_server_address(app->server);
    char named[ADDRESS_BYTES_MAX + 1];
    char host[HOST_NAME_MAX + 1] = "";
    if (!cs_str_empty(app->config->advertise)) {
        address = app->config->advertise;
    } else if (strncmp(address, "0.0.0.0:", 8) == 0 || strncmp(address, "[::]:", 5) == 0) {
        (void)gethostname(host, sizeof(host) - 1);
        (void)snprintf(named, sizeof(named), "%s:%u", host, cs_rpc_server_port(app->server));
        address = named;
    }
    orc_engine_set_address(app->engine, address);
}

static enum cs_status serve(struct orc_app *app, struct cs_err *err) {
    app->api = orc_api_create(app->engine, &(struct orc_peers_config){app->rpc, app->config->tls, app->authorization});
    CS_TRY(orc_runs_create(app->config->database_url, &app->runs, err));
    CS_TRY(orc_pipelines_create(app->config->database_url, &app->pipelines, err));
    app->services[0] = orc_api_service(app->api);
    app->services[1] = orc_runs_service(app->runs);
    app->services[2] = orc_pipelines_service(app->pipelines);
    const struct cs_rpc_server_config config = {
        .listen = app->config->listen,
        .tls = app->config->tls,
        .services = app->services,
        .service_count = CS_COUNT(app->services),
        .authorize = cs_svc_authorize,
        .authorize_ctx = (void *)app->config->service_token,
    };
    CS_TRY(cs_rpc_server_start(app->rpc, &config, &app->server, err));
    advertise(app);
    return CS_OK;
}

enum cs_status orc_app_create(const struct orc_config *config, struct orc_app **ret_app, struct cs_err *err) {
    CS_TRY(orc_config_check(config, err));
    CS_AUTO(orc_app) *app = cs_alloc(sizeof(*app));
    app->config = config;
    (void)pthread_mutex_init(&app->lock, NULL);
    CS_TRY(cs_rpc_create(&(struct cs_rpc_config){0}, &app->rpc, err));
    CS_TRY(start_engine(app, err)); /* it migrates, before the upkeep looks */
    CS_TRY(orc_upkeep_start(config->database_url, config->retention_ms, &app->upkeep, err));
    CS_TRY(serve(app, err));
    *ret_app = cs_steal(&app);
    return CS_OK;
}

const char *orc_app_address(const struct orc_app *app) {
    return cs_rpc_server_address(app->server);
}

static void stop_engine(struct orc_app *app) {
    if (app->engine == NULL) {
        return; /* it has been stopped, or was never there */
    }
    if (app->api != NULL) {
        orc_api_drain(app->api);
    }
    orc_engine_stop(cs_steal(&app->engine));
}

void orc_app_drain(struct orc_app *app) {
    cs_rpc_server_set_serving(app->server, "", false);
    for (size_t i = 0; i < CS_COUNT(app->services); i++) {
        cs_rpc_server_set_serving(app->server, app->services[i].descriptor->name, false);
    }
    /* First the engine: calls that wait for a commit are answered by its stop. */
    stop_engine(app);
    cs_rpc_server_drain(app->server, app->config->drain_timeout_ms);
}

void orc_app_destroy(struct orc_app *app) {
    if (app == NULL) {
        return;
    }
    orc_upkeep_stop(app->upkeep);
    stop_engine(app);
    if (app->runs != NULL) {
        orc_runs_interrupt(app->runs);
    }
    if (app->pipelines != NULL) {
        orc_pipelines_interrupt(app->pipelines);
    }
    cs_rpc_server_destroy(app->server);
    orc_runs_destroy(app->runs);
    orc_pipelines_destroy(app->pipelines);
    orc_api_destroy(app->api);
    cs_rpc_destroy(app->rpc);
    free(app->authorization);
    (void)pthread_mutex_destroy(&app->lock);
    free(app);
}
