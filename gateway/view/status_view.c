#include <math.h>

#include "cs/base/text.h"
#include "cs/json.h"
#include "view/execution_view.h"
#include "view/json_parts.h"

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))
#define STATE(word) CALLSHEET__V1__JOB_STATE__JOB_STATE_##word

/* The dialects know four words, and "cancelled". */
static const char *job_word(Callsheet__V1__JobState state, const char *running_word) {
    switch (state) {
    case STATE(RUNNING):
    case STATE(RETRYING):
        return running_word;
    case STATE(COMPLETED):
        return "completed";
    case STATE(FAILED):
    case STATE(SKIPPED):
        return "failed";
    case STATE(CANCELLED):
        return "cancelled";
    default:
        return "pending";
    }
}

static const char *execution_word(Callsheet__V1__ExecutionState state, const char *running_word) {
    bool running = state == CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_PROCESSING;
    return running ? running_word : gw_view_state_word(state);
}

/* {url, status, outputs: [{type, url, mimeType}], metadata, completedAt} with the operation's metrics beside them. */
static json_t *job_result(const Callsheet__V1__JobStatus *job, const struct gw_links *links) {
    json_t *result = json_object();
    json_t *outputs = json_array();
    for (size_t i = 0; i < job->n_metrics; i++) {
        double value = job->metrics[i]->value;
        bool whole = cs_str_empty(job->metrics[i]->word) && value == floor(value) && fabs(value) < 1e15;
        SET(result, job->metrics[i]->name, whole ? json_integer((json_int_t)value) : view_metric(job->metrics[i]));
    }
    for (size_t i = 0; i < job->n_outputs; i++) {
        const Callsheet__V1__Artifact *artifact = job->outputs[i];
        json_t *output = json_object();
        SET(output, "type", view_word(&callsheet__v1__media_type__descriptor, (int)artifact->type));
        SET(output, "url", view_url(artifact, links));
        SET(output, "mimeType", json_string(artifact->content_type));
        SET(output, "size", json_integer((json_int_t)artifact->size_bytes));
        SET(output, "sha256", json_string(artifact->sha256));
        if (artifact->facts != NULL && artifact->facts->duration_us > 0) {
            SET(output, "duration", json_real((double)artifact->facts->duration_us / 1e6));
        }
        if (artifact->quality != NULL) {
            SET(output, "quality", cs_json_from_message(&artifact->quality->base, 0));
        }
        (void)json_array_append_new(outputs, output);
    }
    SET(result, "url", job->n_outputs != 0 ? view_url(job->outputs[0], links) : json_null());
    SET(result, "status", json_string("completed"));
    SET(result, "outputs", outputs);
    SET(result, "completedAt", view_time_or_null(job->completed_at_ms));
    return result;
}

/* One that was done in the run of a later job has none. */
static bool has_result(const Callsheet__V1__JobStatus *job) {
    return job->state == STATE(COMPLETED) && job->fused_into[0] == '\0';
}

static json_t *job_error(const Callsheet__V1__JobStatus *job) {
    if (job->state == STATE(SKIPPED) && (job->error == NULL || job->error->message[0] == '\0')) {
        return json_string("Dependency job failed");
    }
    return job->error != NULL && job->state != STATE(COMPLETED) ? view_text_or_null(job->error->message) : json_null();
}

static json_t *job_progress(const Callsheet__V1__JobStatus *job) {
    json_t *progress = json_object();
    bool completed = job->state == STATE(COMPLETED);
    double fraction = completed ? 1 : job->progress != NULL ? job->progress->fraction : 0;
    SET(progress, "stage",
        json_string(completed               ? "completed"
                    : job->progress != NULL ? job->progress->stage
                                            : "pending"));
    SET(progress, "percentage", json_real(floor(fraction * 100)));
    return progress;
}

static json_t *view_job(const Callsheet__V1__JobStatus *job, const char *running_word, const struct gw_links *links) {
    json_t *object = json_object();
    json_t *depends = json_array();
    for (size_t i = 0; i < job->n_depends_on; i++) {
        (void)json_array_append_new(depends, json_string(job->depends_on[i]));
    }
    SET(object, "id", json_string(job->id));
    SET(object, "operation", json_string(job->operation));
    SET(object, "status", json_string(job_word(job->state, running_word)));
    SET(object, "result", has_result(job) ? job_result(job, links) : json_null());
    SET(object, "error", job_error(job));
    SET(object, "progress", job_progress(job));
    SET(object, "dependencies", json_incref(depends));
    SET(object, "dependsOn", depends);
    SET(object, "output", view_text_or_null(job->output));
    SET(object, "attempts", json_integer(job->attempt));
    if (job->fused_into[0] != '\0') {
        SET(object, "fusedInto", json_string(job->fused_into));
    }
    SET(object, "startedAt", view_time_or_null(job->started_at_ms));
    SET(object, "completedAt", view_time_or_null(job->completed_at_ms));
    return object;
}

static json_t *execution_result(const Callsheet__V1__Execution *execution, const struct gw_links *links) {
    const Callsheet__V1__JobStatus *last = view_result_job(execution);
    if (last == NULL || execution->state != CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED) {
        return json_null();
    }
    json_t *result = job_result(last, links);
    json_t *outputs = json_object();
    for (size_t i = 0; i < execution->n_jobs; i++) {
        if (has_result(execution->jobs[i])) {
            SET(outputs, execution->jobs[i]->id, job_result(execution->jobs[i], links));
        }
    }
    if (last->n_outputs != 0) {
        const json_t *first = json_array_get(json_object_get(result, "outputs"), 0);
        static const char *const flattened[] = {"type", "mimeType", "size", "duration"};
        for (size_t i = 0; i < CS_COUNT(flattened); i++) {
            json_t *value = json_object_get(first, flattened[i]);
            if (value != NULL) {
                (void)json_object_set(result, flattened[i], value);
            }
        }
    }
    SET(result, "outputs", outputs);
    return result;
}

/* "op: error; op: error" when the execution itself has no sentence. */
static json_t *execution_error(const Callsheet__V1__Execution *execution) {
    CS_AUTO_BUF text = {0};
    if (execution->error[0] != '\0' || execution->state != CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_FAILED) {
        return view_text_or_null(execution->error);
    }
    for (size_t i = 0; i < execution->n_jobs; i++) {
        const Callsheet__V1__JobStatus *job = execution->jobs[i];
        if (job->state == STATE(FAILED) && job->error != NULL) {
            cs_buf_printf(&text, "%s%s: %s", text.size != 0 ? "; " : "", job->operation, job->error->message);
        }
    }
    return view_text_or_null(text.data);
}

static json_t *current_job(const Callsheet__V1__Execution *execution) {
    for (size_t i = 0; i < execution->n_jobs; i++) {
        if (execution->jobs[i]->state == STATE(RUNNING)) {
            return json_string(execution->jobs[i]->id);
        }
    }
    return json_null();
}

json_t *gw_view_status(const Callsheet__V1__Execution *execution, const char *running_word,
                       const struct gw_links *links) {
    json_t *object = json_object();
    json_t *jobs = json_array();
    for (size_t i = 0; i < execution->n_jobs; i++) {
        (void)json_array_append_new(jobs, view_job(execution->jobs[i], running_word, links));
    }
    SET(object, "id", json_string(execution->id));
    SET(object, "executionId", json_string(execution->id));
    SET(object, "status", json_string(execution_word(execution->state, running_word)));
    SET(object, "jobs", jobs);
    SET(object, "result", execution_result(execution, links));
    SET(object, "error", execution_error(execution));
    SET(object, "progress", json_real(view_percentage(execution)));
    SET(object, "totalJobs", json_integer((json_int_t)execution->n_jobs));
    SET(object, "completedJobs", json_integer((json_int_t)view_completed_count(execution)));
    SET(object, "currentJob", current_job(execution));
    SET(object, "createdAt", view_time_or_null(execution->created_at_ms));
    SET(object, "startedAt", view_time_or_null(execution->started_at_ms));
    SET(object, "completedAt", view_time_or_null(execution->completed_at_ms));
    return object;
}
