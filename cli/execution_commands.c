/* callsheet submit | watch | status | cancel | approve | reject */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "api/client.h"
#include "command.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "watch/follow.h"
#include "watch/screen.h"

struct config {
    struct cli_client_config client;
    bool watch;
    bool json;
    const char *comment;
    const char *job; /* the second argument, or NULL */
};

#define JSON_OPTION                                                                                                    \
    { "json", NULL, CS_CONF_BOOL, offsetof(struct config, json), "false", .help = "print JSON" }

static const struct cs_conf_option submit_options[] = {
    CLI_CLIENT_OPTIONS(struct config, client),
    {"watch", NULL, CS_CONF_BOOL, offsetof(struct config, watch), "false", .help = "follow the execution to its end"},
    JSON_OPTION,
};
static const struct cs_conf_option plain_options[] = {CLI_CLIENT_OPTIONS(struct config, client)};
static const struct cs_conf_option json_options[] = {CLI_CLIENT_OPTIONS(struct config, client), JSON_OPTION};

static const struct cs_conf_option decision_options[] = {
    CLI_CLIENT_OPTIONS(struct config, client),
    {"comment", NULL, CS_CONF_STRING, offsetof(struct config, comment), "", .help = "why, for whoever reads it later"},
    JSON_OPTION,
};

static const struct cs_conf_spec submit_spec = {
    .program = "callsheet submit",
    .summary = "Sends a plan in any dialect; with --watch exits with 1 unless it completes.",
    .usage = "PLAN.json (\"-\": standard input)",
    .options = submit_options,
    .count = CS_COUNT(submit_options),
};
static const struct cs_conf_spec watch_spec = {
    .program = "callsheet watch",
    .summary = "Follows an execution to its end; exits with 0 when it completes, 1 when it fails or is cancelled.",
    .usage = "ID",
    .options = plain_options,
    .count = CS_COUNT(plain_options),
};
static const struct cs_conf_spec status_spec = {
    .program = "callsheet status",
    .summary = "Shows an execution as it is now.",
    .usage = "ID",
    .options = json_options,
    .count = CS_COUNT(json_options),
};
static const struct cs_conf_spec cancel_spec = {
    .program = "callsheet cancel",
    .summary = "Ends every job of an execution that has not ended.",
    .usage = "ID",
    .options = json_options,
    .count = CS_COUNT(json_options),
};

static const struct cs_conf_spec approve_spec = {
    .program = "callsheet approve",
    .summary = "Says yes to a job that awaits approval; without JOB to the execution as a whole.",
    .usage = "ID [JOB]",
    .options = decision_options,
    .count = CS_COUNT(decision_options),
};
static const struct cs_conf_spec reject_spec = {
    .program = "callsheet reject",
    .summary = "Says no to a job that awaits approval, which fails; without JOB to the execution as a whole.",
    .usage = "ID [JOB]",
    .options = decision_options,
    .count = CS_COUNT(decision_options),
};

/* ---- what they share ---- */

typedef enum cs_status command_fn(struct cli_client *client, const struct config *config, const char *subject,
                                  int *ret_code, struct cs_err *err);

/* Loads the settings and the arguments, runs the command, prints its failure. */
static int run(const struct cs_conf_spec *spec, int argc, char **argv, bool wants_id, command_fn *command) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct config config = {0};
    const char **positional = NULL;
    int code = CLI_DONE;
    if (!cli_load(spec, argc, argv, arena, &config, &positional, &code)) {
        return code;
    }
    bool has_job = positional[0] != NULL && positional[1] != NULL && spec->options == decision_options;
    if (positional[0] == NULL || positional[has_job ? 2 : 1] != NULL) {
        (void)fprintf(stderr, "%s: these arguments are needed: %s\n", spec->program, spec->usage);
        return CLI_USAGE;
    }
    config.job = has_job ? positional[1] : NULL;
    CS_AUTO(cli_client) *client = NULL;
    struct cs_err err = {0};
    if ((wants_id && cli_check_id(positional[0], &err) != CS_OK) ||
        cli_client_create(&config.client, &client, &err) != CS_OK) {
        cli_print_error(argv[0], &err);
        return CLI_USAGE;
    }
    if (command(client, &config, positional[0], &code, &err) != CS_OK) {
        cli_print_error(argv[0], &err);
        return CLI_FAILED;
    }
    return code;
}

static enum cs_status print_json(const json_t *value, struct cs_err *err) {
    bool good = json_dumpf(value, stdout, JSON_INDENT(2)) == 0 && fputc('\n', stdout) != EOF && fflush(stdout) == 0;
    return good ? CS_OK : cs_fail_errno(err, errno, "writing standard output");
}

static enum cs_status get_execution(struct cli_client *client, const char *id, json_t **ret_execution,
                                    struct cs_err *err) {
    CS_AUTO_FREE char *path = cs_sprintf("/v1/executions/%s", id);
    return cli_client_call(client, "GET", path, NULL, 0, ret_execution, err);
}

/* ---- submit ---- */

static enum cs_status read_plan(const char *path, struct cs_buf *ret_plan, struct cs_err *err) {
    bool standard = cs_str_eq(path, "-");
    CS_AUTO_FD int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
    char chunk[16384];
    ssize_t size = fd >= 0 ? 1 : -1;
    while (size > 0) {
        size = read(fd, chunk, sizeof(chunk));
        cs_buf_put(ret_plan, chunk, size > 0 ? (size_t)size : 0);
        if (ret_plan->size > CS_JSON_BYTES_MAX) {
            return cs_fail(err, CS_INVALID_ARGUMENT, "too_big", "%s is larger than %d bytes", path, CS_JSON_BYTES_MAX);
        }
    }
    return size == 0 ? CS_OK : cs_fail_errno(err, errno, "reading %s", path);
}

static enum cs_status follow(struct cli_client *client, const char *id, bool json, int *ret_code, struct cs_err *err) {
    bool completed = false;
    CS_TRY(cli_follow(client, id, json, &completed, err));
    *ret_code = completed ? CLI_DONE : CLI_FAILED;
    if (!json) {
        return CS_OK;
    }
    CS_AUTO_JSON *execution = NULL;
    CS_TRY(get_execution(client, id, &execution, err));
    return print_json(execution, err);
}

static enum cs_status submit(struct cli_client *client, const struct config *config, const char *path, int *ret_code,
                             struct cs_err *err) {
    CS_AUTO_BUF plan = {0};
    CS_AUTO_JSON *answer = NULL;
    CS_TRY(read_plan(path, &plan, err));
    CS_TRY(
        cli_client_call(client, "POST", "/v1/executions", plan.data != NULL ? plan.data : "", plan.size, &answer, err));
    const char *id = json_string_value(json_object_get(answer, "id"));
    if (id == NULL || cli_check_id(id, err) != CS_OK) {
        return cs_fail(err, CS_INTERNAL, "bad_answer", "the server's answer has no id");
    }
    if (!config->watch) {
        return config->json ? print_json(answer, err) : printf("submitted %s\n", id) > 0 ? CS_OK : CS_INTERNAL;
    }
    if (!config->json) {
        (void)printf("submitted %s\n", id);
        (void)fflush(stdout);
    }
    return follow(client, id, config->json, ret_code, err);
}

/* ---- watch, status, cancel ---- */

static enum cs_status watch(struct cli_client *client, __attribute__((unused)) const struct config *config,
                            const char *id, int *ret_code, struct cs_err *err) {
    return follow(client, id, false, ret_code, err);
}

static enum cs_status status(struct cli_client *client, const struct config *config, const char *id,
                             __attribute__((unused)) int *ret_code, struct cs_err *err) {
    CS_AUTO_JSON *answer = NULL;
    CS_TRY(get_execution(client, id, &answer, err));
    if (config->json) {
        return print_json(answer, err);
    }
    struct cli_execution execution = {0};
    struct cli_view_style style = cli_screen_style(STDOUT_FILENO);
    style.rows = SIZE_MAX; /* nothing is redrawn: all jobs */
    CS_AUTO_BUF out = {0};
    cli_execution_apply(&execution, answer, true);
    cli_view_frame(&execution, &style, &out);
    cli_view_waiting(&execution, &out);
    if (cli_execution_terminal(&execution)) {
        cli_view_end(&execution, &out);
    }
    cli_execution_fini(&execution);
    (void)fwrite(out.data, 1, out.size, stdout);
    return CS_OK;
}

static enum cs_status cancel(struct cli_client *client, const struct config *config, const char *id,
                             __attribute__((unused)) int *ret_code, struct cs_err *err) {
    CS_AUTO_JSON *answer = NULL;
    CS_AUTO_FREE char *path = cs_sprintf("/v1/executions/%s/cancel", id);
    CS_TRY(cli_client_call(client, "POST", path, "{}", 2, &answer, err));
    if (config->json) {
        return print_json(answer, err);
    }
    const char *word = json_string_value(json_object_get(answer, "status"));
    (void)printf("%s %s\n", word != NULL ? word : "cancelling", id);
    return CS_OK;
}

/* ---- approve, reject ---- */

static enum cs_status decide(struct cli_client *client, const struct config *config, const char *id, bool approve,
                             struct cs_err *err) {
    CS_AUTO_JSON *body = json_pack("{s:s, s:s*}", "comment", config->comment, "jobId", config->job);
    CS_AUTO_FREE char *text = json_dumps(body, JSON_COMPACT);
    CS_AUTO_JSON *answer = NULL;
    CS_AUTO_FREE char *path = cs_sprintf("/v1/executions/%s/%s", id, approve ? "approve" : "reject");
    if (text == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_utf8", "the arguments are not UTF-8");
    }
    CS_TRY(cli_client_call(client, "POST", path, text, strlen(text), &answer, err));
    if (config->json) {
        return print_json(answer, err);
    }
    (void)printf("%s %s%s%s\n", approve ? "approved" : "rejected", id, config->job != NULL ? " " : "",
                 config->job != NULL ? config->job : "");
    return CS_OK;
}

static enum cs_status approve(struct cli_client *client, const struct config *config, const char *id,
                              __attribute__((unused)) int *ret_code, struct cs_err *err) {
    return decide(client, config, id, true, err);
}

static enum cs_status reject(struct cli_client *client, const struct config *config, const char *id,
                             __attribute__((unused)) int *ret_code, struct cs_err *err) {
    return decide(client, config, id, false, err);
}

int cli_approve(int argc, char **argv) {
    return run(&approve_spec, argc, argv, true, approve);
}

int cli_reject(int argc, char **argv) {
    return run(&reject_spec, argc, argv, true, reject);
}

int cli_submit(int argc, char **argv) {
    return run(&submit_spec, argc, argv, false, submit);
}

int cli_watch(int argc, char **argv) {
    return run(&watch_spec, argc, argv, true, watch);
}

int cli_status(int argc, char **argv) {
    return run(&status_spec, argc, argv, true, status);
}

int cli_cancel(int argc, char **argv) {
    return run(&cancel_spec, argc, argv, true, cancel);
}
