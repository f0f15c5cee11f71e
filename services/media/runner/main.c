/*
 * callsheet-media-runner: started by a service, never by hand. Warms up, then forks one sandboxed child per job.
 */
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "cs/conf.h"
#include "cs/runner_wire.h"
#include "cs/svc.h"
#include "render.h"
#include "serve.h"

static const char program[] = "callsheet-media-runner";

struct config {
    const char *log_level;
};

static const struct cs_conf_option options[] = {
    {"log-level", "CALLSHEET_LOG_LEVEL", CS_CONF_STRING, offsetof(struct config, log_level), "info",
     .help = "debug, info, warn, error or off"},
};

static const struct cs_conf_spec spec = {program, "Runs media jobs in sandboxed processes; started by callsheet-media.",
                                         NULL, options, CS_COUNT(options)};

static enum cs_status check_socket(struct cs_err *err) {
    struct stat facts;
    if (fstat(CS_RUNNER_SOCKET_FD, &facts) != 0 || !S_ISSOCK(facts.st_mode)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "no_socket",
                       "this program is started by callsheet-media, which passes a socket as descriptor %d",
                       CS_RUNNER_SOCKET_FD);
    }
    return CS_OK;
}

/* The service asks us to stop by closing the socket; a signal to the whole process group is for the service. We die
 * with it. */
static void settle_signals(void) {
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, "media-runner"); /* beside its service in process lists */
}

static enum cs_status serve(struct cs_err *err) {
    struct med_sandbox sandbox;
    CS_TRY(med_render_warm_up(err));
    CS_TRY(med_sandbox_prepare(&sandbox, err));
    if (sandbox.missing != 0) {
        char missing[128];
        med_sandbox_describe_missing(&sandbox, missing, sizeof(missing));
        cs_log_warn("this machine lacks layers of the sandbox, going on with seccomp and limits",
                    CS_KV("missing", missing));
    }
    enum cs_status status = med_serve(CS_RUNNER_SOCKET_FD, &sandbox, err);
    med_sandbox_fini(&sandbox);
    return status;
}

int main(int argc, char **argv) {
    struct cs_err err = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct config config;
    enum cs_conf_outcome outcome;
    if (cs_conf_load(&spec, argc, argv, arena, &config, &outcome, NULL, &err) != CS_OK) {
        return cs_svc_fail(program, &err);
    }
    if (outcome == CS_CONF_EXIT) {
        return 0;
    }
    if (cs_svc_start("media-runner", config.log_level, &err) != CS_OK || check_socket(&err) != CS_OK) {
        return cs_svc_fail(program, &err);
    }
    settle_signals();
    if (serve(&err) != CS_OK) {
        med_serve_refuse(CS_RUNNER_SOCKET_FD, &err);
        return cs_svc_fail(program, &err);
    }
    return 0;
}
