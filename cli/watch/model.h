/*
 * model: an execution as the API told it, for showing.
 *
 * Owns     its strings.
 * Trust    the server's texts are cut to one line of printable characters.
 */
#ifndef CLI_WATCH_MODEL_H
#define CLI_WATCH_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum cli_job_state {
    CLI_JOB_WAITING,
    CLI_JOB_AWAITING_APPROVAL,
    CLI_JOB_READY,
    CLI_JOB_RUNNING,
    CLI_JOB_RETRYING,
    CLI_JOB_COMPLETED,
    CLI_JOB_FAILED,
    CLI_JOB_CANCELLED,
    CLI_JOB_SKIPPED,
    CLI_JOB_UNKNOWN, /* a word of a newer server */
};
enum { CLI_JOB_STATES = CLI_JOB_UNKNOWN + 1 };

struct cli_job {
    char *id;
    char *operation;
    enum cli_job_state state;
    int attempt;
    char *stage;       /* "" none */
    double fraction;   /* 0 … 1 */
    double media_s;    /* how far, in the time of the media */
    double duration_s; /* 0: unknown */
    double speed;      /* media seconds per second; 0: unknown */
    char *error;       /* "" none */
    char *waiting;     /* why it is not running; "" unknown */
    char *url;         /* of the first output; "" none */
};

struct cli_execution {
    char *id;
    char *status; /* "pending" … */
    char *error;
    char *result_job;
    struct cli_job *jobs;
    size_t job_count;
};

/* Takes a snapshot (all jobs) or an update (jobs that changed) in. Unknown members are ignored. */
void cli_execution_apply(struct cli_execution *execution, const json_t *data, bool snapshot);
void cli_execution_fini(struct cli_execution *execution);

bool cli_execution_terminal(const struct cli_execution *execution);
bool cli_execution_completed(const struct cli_execution *execution);
/* The finished file's URL; "" when there is none. */
const char *cli_execution_result(const struct cli_execution *execution);
size_t cli_execution_count(const struct cli_execution *execution, enum cli_job_state state);

const char *cli_job_state_word(enum cli_job_state state);
bool cli_job_state_terminal(enum cli_job_state state);

#endif
