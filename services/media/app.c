#include "app.h"

#include <sched.h>
#include <string.h>

#include "api/media_api.h"
#include "cs/base/log.h"
#include "cs/process.h"
#include "cs/svc.h"
#include "cs/worker.h"
#include "jobs/jobs.h"
#include "jobs/visits.h"

static const char runner_name[] = "callsheet-media-runner";

struct med_app {
    const struct med_config *config;
    struct med_studio studio;
    struct med_slots slots;
    struct med_visits visits;
    struct med_jobs *jobs;
    struct cs_worker *worker;
    struct cs_rpc *rpc;
    struct cs_rpc_service services[2];
    struct cs_rpc_server *server;
};

static uint32_t core_count(void) {
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? (uint32_t)CPU_COUNT(&cores) : 1;
}

static uint32_t slot_count(const struct med_config *config) {
    return config->slots != 0 ? (uint32_t)config->slots : core_count();
}

static enum cs_status start_runner(struct med_app *app, struct cs_err *err) {
    CS_AUTO_FREE char *beside = cs_process_beside(runner_name);
    const char *program = app->config->runner[0] != '\0' ? app->config->runner : beside;
    return cs_runner_create(program, &app->studio.runner, err);
}

/* What cannot fail. */
static void prepare_studio(struct med_app *app) {
    const struct med_config *config = app->config;
    app->studio.allow_private_targets = config->allow_private_targets;
    app->studio.gpl_encoders = config->gpl_encoders;
    app->studio.threads = (uint32_t)config->job_threads;
    app->studio.room_bytes = (uint64_t)config->disk_free_min_bytes;
    app->studio.memory_bytes = (uint64_t)config->job_memory_bytes;
    app->studio.cores = core_count();
    med_slots_init(&app->slots, slot_count(config));
    app->studio.slots = &app->slots;
    med_visits_init(&app->visits, slot_count(config));
    app->studio.visits = &app->visits;
}

static enum cs_status open_studio(struct med_app *app, struct cs_err *err) {
    const struct med_config *config = app->config;
    prepare_studio(app);
    CS_TRY(cs_storage_open(config->storage, &app->studio.storage, err));
    CS_TRY(med_scratch_open(config->scratch_dir, &app->studio.scratch, err));
    CS_TRY(cs_http_create(&app->studio.http, err));
    return start_runner(app, err);
}

static enum cs_status serve(struct med_app *app, struct cs_err *err) {
    app->services[0] = cs_worker_service(app->worker);
    app->services[1] = med_media_service(&app->studio);
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

static enum cs_status build(struct med_app *app, struct cs_err *err) {
    CS_TRY(open_studio(app, err));
    CS_TRY(med_jobs_create(&app->studio, slot_count(app->config), &app->jobs, err));
    struct cs_worker_config worker = med_jobs_worker(app->jobs);
    app->worker = cs_worker_create(&worker);
    CS_TRY(cs_rpc_create(&(struct cs_rpc_config){0}, &app->rpc, err));
    return serve(app, err);
}

enum cs_status med_app_create(const struct med_config *config, struct med_app **ret_app, struct cs_err *err) {
    CS_AUTO(med_app) *app = cs_alloc(sizeof(*app));
    app->config = config;
    CS_TRY(build(app, err));
    if (config->allow_private_targets) {
        cs_log_warn("private targets are allowed: for development only");
    }
    *ret_app = cs_steal(&app);
    return CS_OK;
}

const char *med_app_address(const struct med_app *app) {
    return cs_rpc_server_address(app->server);
}

void med_app_drain(struct med_app *app) {
    cs_rpc_server_set_serving(app->server, "", false);
    cs_worker_drain(app->worker, app->config->drain_timeout_ms);
    cs_rpc_server_drain(app->server, app->config->drain_timeout_ms);
}

/* The server first: nothing new comes. Its end cancels what is open, and the worker waits until the jobs have said so.
 */
void med_app_destroy(struct med_app *app) {
    if (app == NULL) {
        return;
    }
    cs_rpc_server_destroy(app->server);
    cs_worker_destroy(app->worker);
    med_jobs_destroy(app->jobs);
    cs_rpc_destroy(app->rpc);
    cs_runner_destroy(app->studio.runner);
    cs_http_destroy(app->studio.http);
    med_scratch_close(app->studio.scratch);
    cs_storage_close(app->studio.storage);
    med_visits_fini(&app->visits);
    med_slots_fini(&app->slots);
    free(app);
}
