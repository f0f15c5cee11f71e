#include "app.h"

#include "api/api.h"
#include "cs/base/text.h"
#include "cs/svc.h"
#include "engine/engine.h"

struct orc_app {
    const struct orc_config *config;
    struct cs_rpc *rpc;
    char *authorization; /* for workers, or NULL */
    struct orc_engine *engine;
    struct orc_api *api;
    struct cs_rpc_service service;
    struct cs_rpc_server *server;
};

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
        .rpc = app->rpc,
        .workers = config->workers,
        .tls = config->tls,
        .authorization = app->authorization,
    };
    return orc_engine_start(&engine, &app->engine, err);
}

static enum cs_status serve(struct orc_app *app, struct cs_err *err) {
    app->api = orc_api_create(app->engine);
    app->service = orc_api_service(app->api);
    const struct cs_rpc_server_config config = {
        .listen = app->config->listen,
        .tls = app->config->tls,
        .services = &app->service,
        .service_count = 1,
        .authorize = cs_svc_authorize,
        .authorize_ctx = (void *)app->config->service_token,
    };
    return cs_rpc_server_start(app->rpc, &config, &app->server, err);
}

enum cs_status orc_app_create(const struct orc_config *config, struct orc_app **ret_app, struct cs_err *err) {
    CS_TRY(orc_config_check(config, err));
    CS_AUTO(orc_app) *app = cs_alloc(sizeof(*app));
    app->config = config;
    CS_TRY(cs_rpc_create(&(struct cs_rpc_config){0}, &app->rpc, err));
    CS_TRY(start_engine(app, err));
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
    cs_rpc_server_set_serving(app->server, callsheet__v1__orchestrator__descriptor.name, false);
    /* First the engine: calls that wait for a commit are answered by its stop. */
    stop_engine(app);
    cs_rpc_server_drain(app->server, app->config->drain_timeout_ms);
}

void orc_app_destroy(struct orc_app *app) {
    if (app == NULL) {
        return;
    }
    stop_engine(app);
    cs_rpc_server_destroy(app->server);
    orc_api_destroy(app->api);
    cs_rpc_destroy(app->rpc);
    free(app->authorization);
    free(app);
}
