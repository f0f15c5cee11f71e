#include "watch/model.h"

#include <stdlib.h>
#include <string.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "watch/width.h"

static const char *const state_words[] = {"waiting", "awaiting_approval", "ready",   "running", "retrying", "completed",
                                          "failed",  "cancelled",         "skipped", "unknown"};

const char *cli_job_state_word(enum cli_job_state state) {
    return state_words[state];
}

bool cli_job_state_terminal(enum cli_job_state state) {
    return state == CLI_JOB_COMPLETED || state == CLI_JOB_FAILED || state == CLI_JOB_CANCELLED ||
           state == CLI_JOB_SKIPPED;
}

static enum cli_job_state state_of(const char *word) {
    for (int i = 0; i < CLI_JOB_UNKNOWN; i++) {
        if (cs_str_eq(word, state_words[i])) {
            return (enum cli_job_state)i;
        }
    }
    return CLI_JOB_UNKNOWN;
}

/* ---- reading ---- */

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static void replace(char **field, const char *text) {
    char *copy = cs_strdup(text);
    cli_text_clean(copy);
    free(*field);
    *field = copy;
}

static void apply_progress(struct cli_job *job, const json_t *progress) {
    replace(&job->stage, text_of(progress, "stage"));
    double fraction = json_number_value(json_object_get(progress, "fraction"));
    job->fraction = fraction > 1 ? 1 : fraction > 0 ? fraction : 0;
    job->media_s = json_number_value(json_object_get(progress, "mediaTime"));
    job->duration_s = json_number_value(json_object_get(progress, "mediaDuration"));
    job->speed = json_number_value(json_object_get(progress, "speed"));
}

static void apply_job(struct cli_job *job, const json_t *data) {
    replace(&job->id, text_of(data, "id"));
    replace(&job->operation, text_of(data, "operation"));
    job->state = state_of(text_of(data, "status"));
    job->attempt = (int)json_integer_value(json_object_get(data, "attempt"));
    apply_progress(job, json_object_get(data, "progress"));
    replace(&job->error, text_of(json_object_get(data, "error"), "message"));
    replace(&job->waiting, text_of(json_object_get(data, "waiting"), "message"));
    replace(&job->url, text_of(json_array_get(json_object_get(data, "outputs"), 0), "url"));
}

static void job_fini(struct cli_job *job) {
    free(job->id);
    free(job->operation);
    free(job->stage);
    free(job->error);
    free(job->waiting);
    free(job->url);
}

static void drop_jobs(struct cli_execution *execution) {
    for (size_t i = 0; i < execution->job_count; i++) {
        job_fini(&execution->jobs[i]);
    }
    free(execution->jobs);
    execution->jobs = NULL;
    execution->job_count = 0;
}

static struct cli_job *find(const struct cli_execution *execution, const char *id) {
    for (size_t i = 0; i < execution->job_count; i++) {
        if (cs_str_eq(execution->jobs[i].id, id)) {
            return &execution->jobs[i];
        }
    }
    return NULL;
}

static void apply_all(struct cli_execution *execution, const json_t *jobs) {
    drop_jobs(execution);
    execution->job_count = json_array_size(jobs);
    execution->jobs = cs_alloc_array(execution->job_count, sizeof(*execution->jobs));
    for (size_t i = 0; i < execution->job_count; i++) {
        apply_job(&execution->jobs[i], json_array_get(jobs, i));
    }
}

void cli_execution_apply(struct cli_execution *execution, const json_t *data, bool snapshot) {
    replace(&execution->id, text_of(data, "id"));
    replace(&execution->status, text_of(data, "status"));
    replace(&execution->error, text_of(data, "error"));
    replace(&execution->result_job, text_of(data, "resultJobId"));
    const json_t *jobs = json_object_get(data, "jobs");
    if (snapshot) {
        apply_all(execution, jobs);
        return;
    }
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const json_t *changed = json_array_get(jobs, i);
        struct cli_job *job = find(execution, text_of(changed, "id"));
        if (job != NULL) {
            apply_job(job, changed);
        }
    }
}

void cli_execution_fini(struct cli_execution *execution) {
    drop_jobs(execution);
    free(execution->id);
    free(execution->status);
    free(execution->error);
    free(execution->result_job);
    *execution = (struct cli_execution){0};
}

/* ---- questions ---- */

bool cli_execution_completed(const struct cli_execution *execution) {
    return cs_str_eq(execution->status, "completed");
}

bool cli_execution_terminal(const struct cli_execution *execution) {
    return cli_execution_completed(execution) || cs_str_eq(execution->status, "failed") ||
           cs_str_eq(execution->status, "cancelled");
}

const char *cli_execution_result(const struct cli_execution *execution) {
    const struct cli_job *job = find(execution, execution->result_job != NULL ? execution->result_job : "");
    return job != NULL ? job->url : "";
}

size_t cli_execution_count(const struct cli_execution *execution, enum cli_job_state state) {
    size_t count = 0;
    for (size_t i = 0; i < execution->job_count; i++) {
        count += execution->jobs[i].state == state;
    }
    return count;
}
