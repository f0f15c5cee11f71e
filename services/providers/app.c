#include "app.h"

#include <errno.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/providers_api.h"
#include "cs/base/log.h"
#include "cs/process.h"
#include "cs/svc.h"
#include "cs/worker.h"
#include "engine/engine.h"

enum { POOL_THREADS = 4 };

static const char runner_name[] = "callsheet-media-runner";
static const char *const operations[] = {"generateVideo", "generateImage", "generateAudio"};

struct prv_app {
    const struct prv_config *config;
    struct cs_storage *storage;
    struct cs_http *http;
    struct cs_runner *runner;
    struct prv_pool *pool;
    struct prv_ledger *ledger;
    struct prv_vendor *vendor;
    struct prv_provider providers[PRV_PROVIDERS_MAX];
    struct prv_models models;
    struct prv_engine *engine;
    struct cs_worker *worker;
    struct cs_rpc *rpc;
    struct cs_rpc_service services[2];
    struct cs_rpc_server *server;
};

static uint32_t local_slots(const struct prv_config *config) {
    cpu_set_t cores;
    if (config->local_slots > 0) {
        return (uint32_t)config->local_slots;
    }
    return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? (uint32_t)CPU_COUNT(&cores) : 1;
}

/* Ours alone: it may lie in a directory that everybody writes to. */
static enum cs_status open_scratch(const char *dir, struct cs_err *err) {
    struct stat facts;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        return cs_fail_errno(err, errno, "making the scratch directory \"%s\"", dir);
    }
    if (lstat(dir, &facts) != 0) {
        return cs_fail_errno(err, errno, "opening the scratch directory \"%s\"", dir);
    }
    if (!S_ISDIR(facts.st_mode) || facts.st_uid != geteuid() || (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "scratch_not_ours",
                       "the scratch directory \"%s\" belongs to somebody else or others may write to it", dir);
    }
    return CS_OK;
}

static enum cs_status open_vendor(struct prv_app *app, struct cs_err *err) {
    const struct prv_config *config = app->config;
    CS_AUTO_FREE char *inside = cs_sprintf("%s/local", config->scratch_dir);
    CS_TRY(prv_ledger_open(config->local_ledger[0] != '\0' ? config->local_ledger : inside, &app->ledger, err));
    app->vendor = prv_vendor_create(app->ledger, app->runner, app->pool, local_slots(config), !config->gpl_encoders);
    return CS_OK;
}

static void add_provider(struct prv_app *app, const struct prv_adapter *adapter, struct prv_transport *transport) {
    app->providers[app->models.provider_count++] = (struct prv_provider){adapter, transport};
}

static void add_providers(struct prv_app *app) {
    const struct prv_config *config = app->config;
    add_provider(app, &prv_adapter_local, prv_local_transport_create(app->http, app->pool, app->vendor, app->ledger));
    struct prv_transport *replicate = NULL;
    if (config->replicate_token[0] != '\0') {
        CS_AUTO_FREE char *authorization = cs_sprintf("Bearer %s", config->replicate_token);
        replicate =
            prv_http_transport_create(app->http, config->replicate_url, authorization, config->allow_private_targets);
    }
    add_provider(app, &prv_adapter_replicate, replicate);
    app->models.providers = app->providers;
}

static enum cs_status open_parts(struct prv_app *app, struct cs_err *err) {
    CS_AUTO_FREE char *beside = cs_process_beside(runner_name);
    CS_TRY(cs_storage_open(app->config->storage, &app->storage, err));
    CS_TRY(open_scratch(app->config->scratch_dir, err));
    CS_TRY(cs_runner_create(app->config->runner[0] != '\0' ? app->config->runner : beside, &app->runner, err));
    CS_TRY(cs_http_create(&app->http, err));
    CS_TRY(prv_pool_create(POOL_THREADS, &app->pool, err));
    CS_TRY(open_vendor(app, err));
    add_providers(app);
    return CS_OK;
}

static void create_engine(struct prv_app *app) {
    struct prv_engine_config engine = {
        .http = app->http,
        .storage = app->storage,
        .runner = app->runner,
        .pool = app->pool,
        .scratch_dir = app->config->scratch_dir,
        .allow_private_targets = app->config->allow_private_targets,
        .providers = app->providers,
        .provider_count = app->models.provider_count,
    };
    app->engine = prv_engine_create(&engine);
    struct cs_worker_config worker = {
        .kind = "providers",
        .operations = operations,
        .operation_count = CS_COUNT(operations),
        .slots = (uint32_t)app->config->slots,
        .ops = &prv_engine_ops,
        .ctx = app->engine,
    };
    app->worker = cs_worker_create(&worker);
}

static enum cs_status serve(struct prv_app *app, struct cs_err *err) {
    app->services[0] = cs_worker_service(app->worker);
    app->services[1] = prv_providers_service(&app->models);
    struct cs_rpc_server_config config = {
        .listen = app->config->listen,
        .tls = app->config->tls,
        .services = app->services,
        .service_count = CS_COUNT(app->services),
        .authorize = cs_svc_authorize,
        .authorize_ctx = (void *)app->config->service_token,
    };
    CS_TRY(cs_rpc_create(&(struct cs_rpc_config){0}, &app->rpc, err));
    return cs_rpc_server_start(app->rpc, &config, &app->server, err);
}

enum cs_status prv_app_create(const struct prv_config *config, struct prv_app **ret_app, struct cs_err *err) {
    CS_AUTO(prv_app) *app = cs_alloc(sizeof(*app));
    app->config = config;
    CS_TRY(open_parts(app, err));
    create_engine(app);
    CS_TRY(serve(app, err));
    if (config->allow_private_targets) {
        cs_log_warn("private targets are allowed: for development only");
    }
    *ret_app = cs_steal(&app);
    return CS_OK;
}

const char *prv_app_address(const struct prv_app *app) {
    return cs_rpc_server_address(app->server);
}

void prv_app_drain(struct prv_app *app) {
    cs_rpc_server_set_serving(app->server, "", false);
    cs_worker_drain(app->worker, app->config->drain_timeout_ms);
    cs_rpc_server_drain(app->server, app->config->drain_timeout_ms);
}

/* Nothing new comes; what is open ends; the engine waits for what is in flight; renderings are interrupted (the ledger
 * knows them); then whoever only serves the others goes. */
void prv_app_destroy(struct prv_app *app) {
    if (app == NULL) {
        return;
    }
    cs_rpc_server_destroy(app->server);
    cs_worker_destroy(app->worker);
    cs_rpc_destroy(app->rpc);
    prv_engine_destroy(app->engine);
    cs_runner_destroy(app->runner);
    prv_pool_destroy(app->pool);
    prv_vendor_destroy(app->vendor);
    prv_ledger_close(app->ledger);
    for (size_t i = 0; i < app->models.provider_count; i++) {
        prv_transport_destroy(app->providers[i].transport);
    }
    cs_http_destroy(app->http);
    cs_storage_close(app->storage);
    free(app);
}
