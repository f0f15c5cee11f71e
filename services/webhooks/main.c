/* callsheet-webhooks: delivers signed webhooks. */
#include "app.h"
#include "cs/base/crash.h"
#include "cs/base/log.h"
#include "cs/svc.h"

static enum cs_status run(const struct whk_config *config, struct cs_err *err) {
    CS_TRY(cs_svc_start("webhooks", config->log_level, err));
    CS_TRY(cs_crash_arm(config->crash_at, err));
    CS_AUTO(whk_app) *app = NULL;
    CS_TRY(whk_app_create(config, &app, err));
    cs_log_info("serving", CS_KV("address", whk_app_address(app)), CS_KV("version", cs_version()));
    cs_svc_ready(config->ready_fd, whk_app_address(app));
    int number = cs_svc_wait_stop();
    cs_log_info("draining", CS_KVI("signal", number));
    whk_app_drain(app);
    return CS_OK;
}

int main(int argc, char **argv) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct whk_config config = {0};
    enum cs_conf_outcome outcome = CS_CONF_RUN;
    struct cs_err err = {0};
    enum cs_status status = cs_conf_load(&whk_config_spec, argc, argv, arena, &config, &outcome, NULL, &err);
    if (status == CS_OK && outcome == CS_CONF_RUN) {
        status = run(&config, &err);
    }
    return status == CS_OK ? 0 : cs_svc_fail(whk_config_spec.program, &err);
}
