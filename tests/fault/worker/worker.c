/*
 * callsheet-fault-worker: a worker over the real contract that renders nothing and writes down what it did. It offers
 * "addSubtitles", which takes the output of another job; the text says how a job ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/crash.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/conf.h"
#include "cs/svc.h"
#include "cs/svc_options.h"
#include "cs/worker.h"
#include "history.h"
#include "later.h"

struct config {
    const char *listen;
    int64_t ready_fd;
    const char *log_level;
    int64_t drain_timeout_ms;
    struct cs_rpc_tls tls;
    const char *crash_at;
    const char *service_token;
    const char *history;
    int64_t slots;
};

#define AT(field) offsetof(struct config, field)

static const struct cs_conf_option options[] = {
    CS_SVC_OPTIONS(AT),
    {"history", "CALLSHEET_FAULT_HISTORY", CS_CONF_STRING, AT(history), NULL, .metavar = "FILE",
     .help = "what it started and ended is added to this file"},
    {"slots", "CALLSHEET_SLOTS", CS_CONF_INT, AT(slots), "64", 1, 10000, .help = "jobs at once"},
};

static const struct cs_conf_spec spec = {
    .program = "callsheet-fault-worker",
    .summary = "A worker for tests: does what the text of \"addSubtitles\" says, and writes a history.",
    .options = options,
    .count = CS_COUNT(options),
};

/* ---- what a text says ---- */

enum { DELAY_MS_MAX = 60000, FAILURES_MAX = 100 };

/* "MS [retry N | fail]": ends after MS; the first N attempts fail so that they are tried again, or all of them for
 * good.
 */
struct script {
    int64_t delay_ms;
    int64_t failures;
    bool fails;
};

static struct script script_of(const Callsheet__V1__Assign *assign) {
    struct script script = {0};
    char text[64] = "";
    if (assign->operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES) {
        cs_str_copy(text, sizeof(text), assign->operation->add_subtitles->text);
    }
    char *word = strchr(text, ' ');
    if (word != NULL) {
        *word++ = '\0';
        script.fails = cs_str_eq(word, "fail");
        if (cs_str_starts(word, "retry ")) {
            (void)cs_parse_i64(word + strlen("retry "), 0, FAILURES_MAX, &script.failures);
        }
    }
    (void)cs_parse_i64(text, 0, DELAY_MS_MAX, &script.delay_ms);
    return script;
}

/* ---- jobs ---- */

/* The key of the artifact carries the fence: who reads the log sees which attempt has won. */
static void succeed(struct cs_assignment *assignment) {
    const Callsheet__V1__Assign *assign = cs_assignment_get(assignment);
    char zeros[65];
    memset(zeros, '0', sizeof(zeros) - 1);
    zeros[sizeof(zeros) - 1] = '\0';
    CS_AUTO_FREE char *key = cs_sprintf("%scaptioned.mp4", assign->output_prefix);
    Callsheet__V1__Artifact artifact = CALLSHEET__V1__ARTIFACT__INIT;
    Callsheet__V1__Artifact *outputs[] = {&artifact};
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    artifact.key = key;
    artifact.name = (char *)"captioned.mp4";
    artifact.sha256 = zeros;
    artifact.content_type = (char *)"video/mp4";
    artifact.type = CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO;
    succeeded.n_outputs = 1;
    succeeded.outputs = outputs;
    history_write("succeeded", assign);
    cs_report_succeeded(assignment, &succeeded);
}

static void fail(struct cs_assignment *assignment, bool again) {
    history_write("failed", cs_assignment_get(assignment));
    cs_report_failed(assignment,
                     again ? CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TRANSIENT
                           : CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT,
                     "scripted", 0, "the text said so");
}

static void end(struct cs_assignment *assignment) {
    const Callsheet__V1__Assign *assign = cs_assignment_get(assignment);
    struct script script = script_of(assign);
    if (cs_assignment_cancelled(assignment)) {
        history_write("cancelled", assign);
        cs_report_failed(assignment, CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CANCELLED, "cancelled", 0,
                         "the job was cancelled");
    } else if (script.fails || (int64_t)assign->attempt <= script.failures) {
        fail(assignment, !script.fails);
    } else {
        succeed(assignment);
    }
}

static void start(struct cs_assignment *assignment, void *ctx) {
    const Callsheet__V1__Assign *assign = cs_assignment_get(assignment);
    history_write("started", assign);
    later_add(ctx, assignment, script_of(assign).delay_ms);
}

static void cancel(struct cs_assignment *assignment, const char *reason, void *ctx) {
    (void)reason;
    later_now(ctx, assignment);
}

/* ---- life ---- */

static enum cs_status serve(const struct config *config, struct cs_rpc *rpc, struct cs_worker *worker,
                            struct cs_err *err) {
    struct cs_rpc_service service = cs_worker_service(worker);
    const struct cs_rpc_server_config server_config = {
        .listen = config->listen,
        .services = &service,
        .service_count = 1,
        .authorize = cs_svc_authorize,
        .authorize_ctx = (void *)config->service_token,
    };
    struct cs_rpc_server *server = NULL;
    CS_TRY(cs_rpc_server_start(rpc, &server_config, &server, err));
    cs_log_info("serving", CS_KV("address", cs_rpc_server_address(server)));
    cs_svc_ready(config->ready_fd, cs_rpc_server_address(server));
    (void)cs_svc_wait_stop();
    cs_worker_drain(worker, config->drain_timeout_ms);
    cs_rpc_server_destroy(server);
    return CS_OK;
}

static enum cs_status run(const struct config *config, struct cs_err *err) {
    static const char *const operations[] = {"addSubtitles"};
    static const struct cs_worker_ops ops = {.start = start, .cancel = cancel};
    CS_TRY(cs_svc_start("fault-worker", config->log_level, err));
    CS_TRY(cs_crash_arm(config->crash_at, err));
    CS_TRY(history_open(config->history, err));
    CS_AUTO(cs_rpc) *rpc = NULL;
    CS_TRY(cs_rpc_create(&(struct cs_rpc_config){0}, &rpc, err));
    struct later *later = NULL;
    CS_TRY(later_create(end, &later, err));
    const struct cs_worker_config worker_config = {.kind = "fault",
                                                   .operations = operations,
                                                   .operation_count = 1,
                                                   .slots = (uint32_t)config->slots,
                                                   .ops = &ops,
                                                   .ctx = later};
    struct cs_worker *worker = cs_worker_create(&worker_config);
    enum cs_status status = serve(config, rpc, worker, err);
    cs_worker_destroy(worker);
    later_destroy(later);
    return status;
}

int main(int argc, char **argv) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct config config = {0};
    enum cs_conf_outcome outcome = CS_CONF_RUN;
    struct cs_err err = {0};
    enum cs_status status = cs_conf_load(&spec, argc, argv, arena, &config, &outcome, NULL, &err);
    if (status == CS_OK && outcome == CS_CONF_RUN) {
        status = run(&config, &err);
    }
    return status == CS_OK ? 0 : cs_svc_fail(spec.program, &err);
}
