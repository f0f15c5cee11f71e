/* callsheet up: the whole stack on one machine, until SIGTERM or SIGINT. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

#include "command.h"
#include "cs/base/log.h"
#include "cs/http.h"
#include "cs/svc.h"
#include "up/stack.h"

#define AT(field) offsetof(struct cli_up_config, field)

enum {
    SLOTS_MAX = 256,
    GRACE_EXTRA_MS = 3000, /* after a service's own drain timeout */
    TURN_MS = 1000,
    HEALTH_TIMEOUT_MS = 1000,
    HEALTH_PAUSE_MS = 50,
};

static const struct cs_conf_option options[] = {
    {"data-dir", "CALLSHEET_DATA_DIR", CS_CONF_STRING, AT(data_dir), NULL, .metavar = "DIR",
     .help = "everything durable: database, artifacts, secrets"},
    {"listen", "CALLSHEET_LISTEN", CS_CONF_STRING, AT(listen), "127.0.0.1:8080", .metavar = "HOST:PORT",
     .help = "address of the HTTP API; port 0: any"},
    {"public-url", "CALLSHEET_PUBLIC_URL", CS_CONF_STRING, AT(public_url), "", .metavar = "URL",
     .help = "how clients reach the API, for links; empty: from --listen"},
    {"storage", "CALLSHEET_STORAGE", CS_CONF_STRING, AT(storage), "", .metavar = "URL",
     .help = "where artifacts are kept; empty: in the data directory"},
    {"slots", "CALLSHEET_SLOTS", CS_CONF_INT, AT(slots), "0", 0, SLOTS_MAX,
     .help = "rendering jobs at once, for each service; 0: one per core"},
    {"orchestrators", "CALLSHEET_ORCHESTRATORS", CS_CONF_INT, AT(orchestrators), "1", 1, CLI_ORCHESTRATORS_MAX,
     .help = "orchestrators on the one database: when one dies another goes on with its executions"},
    {"media", "CALLSHEET_MEDIA", CS_CONF_INT, AT(media), "1", 1, CLI_MEDIA_MAX,
     .help = "media services, each with its slots, as on several machines"},
    {"drain-timeout", "CALLSHEET_DRAIN_TIMEOUT", CS_CONF_DURATION, AT(drain_timeout_ms), "10s", 1, 3600000,
     .help = "how long running work may take after SIGTERM"},
    {"allow-private-targets", "CALLSHEET_ALLOW_PRIVATE_TARGETS", CS_CONF_BOOL, AT(allow_private_targets), "false",
     .help = "development switch: plans may name private and loopback addresses"},
    {"log-level", "CALLSHEET_LOG_LEVEL", CS_CONF_STRING, AT(log_level), "info", .metavar = "LEVEL",
     .help = "debug, info, warn, error or off"},
    {"database-url", "DATABASE_URL", CS_CONF_STRING, AT(database_url), "", .secret = true,
     .help = "a PostgreSQL of yours instead of a private one"},
    {"api-keys", "CALLSHEET_API_KEYS", CS_CONF_STRING, AT(api_keys), "", .secret = true,
     .help = "KEY=TENANT,KEY=TENANT; empty: everybody is tenant \"default\""},
};

static const struct cs_conf_spec up_spec = {
    .program = "callsheet up",
    .summary = "Runs the database, the services and the gateway on this machine, and keeps them running.",
    .options = options,
    .count = CS_COUNT(options),
};

struct up {
    struct cli_data_dir *dir;
    struct cli_sup *sup;
    struct cli_stack *stack;
    int signal_fd;
    int signals; /* how many have come */
};

static void write_processes(void *ctx) {
    struct up *up = ctx;
    struct cs_err err = {0};
    if (up->sup != NULL && cli_data_dir_write_processes(up->dir, up->sup, &err) != CS_OK) {
        cs_log_warn("processes.json was not written", CS_KVE(&err));
    }
}

/* The first signal stops in order, the second at once. */
static void take_signals(struct up *up) {
    struct signalfd_siginfo info;
    while (read(up->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            continue;
        }
        up->signals++;
        cs_log_info(up->signals == 1 ? "stopping" : "stopping at once", CS_KVI("signal", info.ssi_signo));
        if (up->signals == 1) {
            cli_sup_stop(up->sup);
        } else {
            cli_sup_kill(up->sup);
        }
    }
}

static enum cs_status turn(struct up *up, int64_t timeout_ms, struct cs_err *err) {
    CS_TRY(cli_sup_turn(up->sup, up->signal_fd, timeout_ms, err));
    take_signals(up);
    return CS_OK;
}

/* ---- becoming ready ---- */

static bool healthy(struct cs_http *http, const char *url) {
    CS_AUTO_BUF body = {0};
    CS_AUTO_FREE char *health = cs_sprintf("%s/health", url);
    struct cs_http_request request = {
        .method = "GET", .url = health, .timeout_ms = HEALTH_TIMEOUT_MS, .answer_may_be_cut = true};
    struct cs_err ignored = {0};
    int status = 0;
    enum { HTTP_OK = 200 };
    return cs_http_fetch(http, &request, &status, &body, &ignored) == CS_OK && status == HTTP_OK;
}

static enum cs_status await_ready(struct up *up, struct cs_err *err) {
    CS_AUTO(cs_http) *http = NULL;
    CS_TRY(cs_http_create(&http, err));
    int64_t pause_ms = TURN_MS;
    while (up->signals == 0) {
        CS_TRY(turn(up, pause_ms, err));
        bool all = cli_sup_all_ready(up->sup);
        if (all && up->signals == 0 && healthy(http, cli_stack_url(up->stack))) {
            (void)printf("ready %s\n", cli_stack_url(up->stack));
            (void)fflush(stdout);
            return CS_OK;
        }
        pause_ms = all ? HEALTH_PAUSE_MS : TURN_MS;
    }
    return CS_OK;
}

/* ---- the life of the stack ---- */

static enum cs_status run_members(struct up *up, struct cs_err *err) {
    enum cs_status status = await_ready(up, err);
    while (status == CS_OK && up->signals == 0) {
        status = turn(up, TURN_MS, err);
    }
    cli_sup_stop(up->sup);
    struct cs_err problem = {0};
    while (!cli_sup_ended(up->sup)) {
        if (turn(up, TURN_MS, &problem) != CS_OK) {
            break; /* what still runs is killed with the supervisor */
        }
    }
    write_processes(up);
    cs_log_info("stopped");
    return status;
}

static enum cs_status open_signals(int *ret_fd, struct cs_err *err) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    *ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK); /* cs_svc_start has blocked them */
    return *ret_fd >= 0 ? CS_OK : cs_fail_errno(err, errno, "reading signals");
}

static enum cs_status run_in(const struct cli_up_config *config, struct cli_data_dir *dir, struct cs_err *err) {
    struct up up = {.dir = dir};
    CS_AUTO_FD int signal_fd = -1;
    CS_TRY(open_signals(&signal_fd, err));
    up.signal_fd = signal_fd;
    struct cli_sup_options sup_options = {
        .log_fd = STDERR_FILENO,
        .grace_ms = config->drain_timeout_ms + GRACE_EXTRA_MS,
        .changed = write_processes,
        .ctx = &up,
    };
    CS_AUTO(cli_stack) *stack = NULL; /* declared first: destroyed last */
    CS_AUTO(cli_sup) *sup = cli_sup_create(&sup_options);
    CS_TRY(cli_stack_create(config, dir, sup, &stack, err));
    up.sup = sup;
    up.stack = stack;
    enum cs_status status = run_members(&up, err);
    up.sup = NULL;
    return status;
}

static enum cs_status run(const struct cli_up_config *config, struct cs_err *err) {
    CS_TRY(cs_svc_start("up", config->log_level, err));
    struct cli_data_dir dir = {.lock_fd = -1};
    CS_TRY(cli_data_dir_open(config->data_dir, &dir, err));
    enum cs_status status = run_in(config, &dir, err);
    cli_data_dir_close(&dir);
    return status;
}

int cli_up(int argc, char **argv) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cli_up_config config = {0};
    int code = CLI_DONE;
    if (!cli_load(&up_spec, argc, argv, arena, &config, NULL, &code)) {
        return code;
    }
    struct cs_err err = {0};
    return run(&config, &err) == CS_OK ? CLI_DONE : cs_svc_fail(up_spec.program, &err);
}
