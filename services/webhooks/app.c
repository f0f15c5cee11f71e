#include "app.h"

#include "api/webhooks_api.h"
#include "cs/base/log.h"
#include "cs/http.h"
#include "cs/svc.h"
#include "cs/worker.h"
#include "ops/deliver.h"

struct whk_app {
    const struct whk_config *config;
    struct cs_http *http;
    struct whk_deliverer *deliverer;
    struct cs_worker *worker;
    struct cs_rpc *rpc;
    struct cs_rpc_service services[2];
    struct cs_rpc_server *server;
};

static const char *const operations[] = {"deliverWebhook"};

static enum cs_status serve(struct whk_app *app, struct cs_err *err) {
    app->services[0] = cs_worker_service(app->worker);
    app->services[1] = whk_webhooks_service();
    struct cs_rpc_server_config config = {
        .listen = app->config->listen,
        .tls = app->config->tls,
        .services = app->services,
        .service_count = CS_COUNT(app->services),
        .authorize = cs_svc_authorize,
        .authorize_ctx = (void *)app->config->service_token,
    };
    return cs_rpc_server_start(app->rpc, &config, &app->server, err);
}

static enum cs_status build(struct whk_app *app, struct cs_err *err) {
    CS_TRY(cs_http_create(&app->http, err));
    app->deliverer = whk_deliverer_create(app->http, app->config->allow_private_targets);
    struct cs_worker_config worker = {
        .kind = "webhooks",
        .operations = operations,
        .operation_count = CS_COUNT(operations),
        .slots = (uint32_t)app->config->slots,
        .ops = &whk_deliver_ops,
        .ctx = app->deliverer,
    };
    app->worker = cs_worker_create(&worker);
    CS_TRY(cs_rpc_create(&(struct cs_rpc_config){0}, &app->rpc, err));
    return serve(app, err);
}

enum cs_status whk_app_create(const struct whk_config *config, struct whk_app **ret_app, struct cs_err *err) {
    CS_AUTO(whk_app) *app = cs_alloc(sizeof(*app));
    app->config = config;
    CS_TRY(build(app, err));
    if (config->allow_private_targets) {
        cs_log_warn("private targets are allowed: for development only");
    }
    *ret_app = cs_steal(&app);
    return CS_OK;
}

const char *whk_app_address(const struct whk_app *app) {
    return cs_rpc_server_address(app->server);
}

void whk_app_drain(struct whk_app *app) {
    cs_worker_drain(app->worker, app->config->drain_timeout_ms);
    cs_rpc_server_drain(app->server, app->config->drain_timeout_ms);
}

void whk_app_destroy(struct whk_app *app) {
    if (app == NULL) {
        return;
    }
    cs_rpc_server_destroy(app->server);
    cs_worker_destroy(app->worker);
    cs_rpc_destroy(app->rpc);
    cs_http_destroy(app->http);
    whk_deliverer_destroy(app->deliverer);
    free(app);
}
