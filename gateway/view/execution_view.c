#include "view/execution_view.h"

#include <string.h>

#include "cs/base/text.h"
#include "cs/json.h"
#include "view/json_parts.h"

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))

static const double US_PER_S = 1e6;

struct gw_links gw_links_from(const char *public_url, const char *secret, int64_t lifetime_s, int64_t now_unix_s) {
    const int64_t hour_s = 3600;
    return (struct gw_links){public_url, secret, ((now_unix_s + lifetime_s) / hour_s + 1) * hour_s};
}

const char *gw_view_state_word(Callsheet__V1__ExecutionState state) {
    static const char *const words[] = {"unknown", "pending", "processing", "completed", "failed", "cancelled"};
    size_t index = (size_t)state;
    return index < CS_COUNT(words) ? words[index] : words[0];
}

static json_t *view_artifact(const Callsheet__V1__Artifact *artifact, const struct gw_links *links) {
    json_t *object = json_object();
    SET(object, "name", json_string(artifact->name));
    SET(object, "url", view_url(artifact, links));
    SET(object, "key", json_string(artifact->key));
    SET(object, "type", view_word(&callsheet__v1__media_type__descriptor, (int)artifact->type));
    SET(object, "contentType", json_string(artifact->content_type));
    SET(object, "sizeBytes", json_integer((json_int_t)artifact->size_bytes));
    SET(object, "sha256", json_string(artifact->sha256));
    if (artifact->facts != NULL) {
        SET(object, "facts", cs_json_from_message(&artifact->facts->base, 0));
    }
    if (artifact->quality != NULL) {
        SET(object, "quality", cs_json_from_message(&artifact->quality->base, 0));
    }
    return object;
}

static json_t *view_progress(const Callsheet__V1__Progress *progress) {
    if (progress == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    SET(object, "stage", json_string(progress->stage));
    SET(object, "fraction", json_real(progress->fraction));
    SET(object, "mediaTime", json_real((double)progress->media_time_us / US_PER_S));
    SET(object, "mediaDuration", json_real((double)progress->media_duration_us / US_PER_S));
    SET(object, "speed", json_real(progress->speed));
    return object;
}

static json_t *view_error(const Callsheet__V1__JobError *error) {
    if (error == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    SET(object, "class", view_word(&callsheet__v1__failure_class__descriptor, (int)error->failure_class));
    SET(object, "code", json_string(error->code));
    SET(object, "message", json_string(error->message));
    return object;
}

static json_t *view_waiting(const Callsheet__V1__Waiting *waiting) {
    if (waiting == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    json_t *dependencies = json_array();
    for (size_t i = 0; i < waiting->n_dependencies; i++) {
        (void)json_array_append_new(dependencies, json_string(waiting->dependencies[i]));
    }
    SET(object, "reason", json_string(waiting->reason));
    SET(object, "message", json_string(waiting->message));
    SET(object, "dependencies", dependencies);
    SET(object, "until", view_time_or_null(waiting->until_ms));
    SET(object, "place", waiting->place != 0 ? json_integer(waiting->place) : json_null());
    SET(object, "limit", view_text_or_null(waiting->limit));
    SET(object, "sameExecutionId", view_text_or_null(waiting->same_execution_id));
    SET(object, "sameJobId", view_text_or_null(waiting->same_job_id));
    return object;
}

static json_t *view_cache(const Callsheet__V1__CacheStatus *cache) {
    if (cache == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    SET(object, "mode", view_word(&callsheet__v1__cache_mode__descriptor, (int)cache->mode));
    SET(object, "outcome", view_text_or_null(cache->outcome));
    SET(object, "reason", view_text_or_null(cache->reason));
    return object;
}

static json_t *view_approval(const Callsheet__V1__Approval *approval) {
    if (approval == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    bool has_default = approval->on_timeout != CALLSHEET__V1__APPROVAL_DEFAULT__APPROVAL_DEFAULT_UNSPECIFIED;
    SET(object, "status", view_word(&callsheet__v1__approval_state__descriptor, (int)approval->state));
    SET(object, "prompt", view_text_or_null(approval->prompt));
    SET(object, "deadline", view_time_or_null(approval->deadline_ms));
    SET(object, "onTimeout",
        has_default ? view_word(&callsheet__v1__approval_default__descriptor, (int)approval->on_timeout) : json_null());
    SET(object, "by", view_text_or_null(approval->by));
    SET(object, "comment", view_text_or_null(approval->comment));
    SET(object, "decidedAt", view_time_or_null(approval->decided_at_ms));
    return object;
}

/* Text that was checked to be JSON when it came. */
static json_t *view_json(const char *text) {
    struct cs_err err = {0};
    json_t *value = NULL;
    return !cs_str_empty(text) && cs_json_parse(text, strlen(text), &value, &err) == CS_OK ? value : json_null();
}

static json_t *view_external(const Callsheet__V1__ExternalStatus *external) {
    if (external == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    SET(object, "name", json_string(external->name));
    SET(object, "instructions", view_text_or_null(external->instructions));
    SET(object, "data", view_json(external->data));
    SET(object, "token", view_text_or_null(external->token));
    SET(object, "deadline", view_time_or_null(external->deadline_ms));
    SET(object, "heartbeatDeadline", view_time_or_null(external->silent_at_ms));
    SET(object, "result", view_json(external->result));
    return object;
}

static json_t *view_reused(const Callsheet__V1__Reused *reused) {
    if (reused == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    SET(object, "executionId", json_string(reused->execution_id));
    SET(object, "jobId", view_text_or_null(reused->job_id));
    SET(object, "reason", json_string(reused->reason));
    return object;
}

static json_t *view_job(const Callsheet__V1__JobStatus *job, const struct gw_links *links) {
    json_t *object = json_object();
    json_t *depends = json_array();
    json_t *outputs = json_array();
    json_t *metrics = json_object();
    for (size_t i = 0; i < job->n_depends_on; i++) {
        (void)json_array_append_new(depends, json_string(job->depends_on[i]));
    }
    for (size_t i = 0; i < job->n_outputs; i++) {
        (void)json_array_append_new(outputs, view_artifact(job->outputs[i], links));
    }
    for (size_t i = 0; i < job->n_metrics; i++) {
        SET(metrics, job->metrics[i]->name, view_metric(job->metrics[i]));
    }
    SET(object, "id", json_string(job->id));
    SET(object, "operation", json_string(job->operation));
    SET(object, "status", view_word(&callsheet__v1__job_state__descriptor, (int)job->state));
    SET(object, "dependsOn", depends);
    SET(object, "attempt", json_integer(job->attempt));
    SET(object, "output", view_text_or_null(job->output));
    SET(object, "progress", view_progress(job->progress));
    SET(object, "outputs", outputs);
    SET(object, "metrics", metrics);
    SET(object, "error", view_error(job->error));
    SET(object, "startedAt", view_time_or_null(job->started_at_ms));
    SET(object, "completedAt", view_time_or_null(job->completed_at_ms));
    SET(object, "retryAt", view_time_or_null(job->wake_at_ms));
    SET(object, "waiting", view_waiting(job->waiting));
    SET(object, "reused", view_reused(job->reused));
    SET(object, "fusedInto", view_text_or_null(job->fused_into));
    if (job->parent[0] != '\0') {
        SET(object, "parent", json_string(job->parent));
        SET(object, "index", json_integer(job->index));
    }
    SET(object, "approval", view_approval(job->approval));
    SET(object, "external", view_external(job->external));
    SET(object, "cache", view_cache(job->cache));
    return object;
}

static json_t *view_delivery(const Callsheet__V1__DeliveryStatus *delivery) {
    if (delivery == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    SET(object, "eventId", json_string(delivery->event_id));
    SET(object, "status", view_word(&callsheet__v1__delivery_state__descriptor, (int)delivery->state));
    SET(object, "tries", json_integer(delivery->tries));
    SET(object, "nextTryAt", view_time_or_null(delivery->next_try_at_ms));
    SET(object, "lastError", view_text_or_null(delivery->last_error));
    SET(object, "deliveredAt", view_time_or_null(delivery->delivered_at_ms));
    return object;
}

static json_t *view_labels(const Callsheet__V1__Execution *execution) {
    json_t *labels = json_object();
    for (size_t i = 0; i < execution->n_labels; i++) {
        SET(labels, execution->labels[i]->key, json_string(execution->labels[i]->value));
    }
    return labels;
}

static json_t *view_pipeline(const Callsheet__V1__PipelineRef *pipeline) {
    return pipeline != NULL ? json_pack("{s:s, s:i}", "name", pipeline->name, "version", (int)pipeline->version)
                            : json_null();
}

static void put_totals(json_t *object, const Callsheet__V1__Execution *execution, const struct gw_links *links) {
    const Callsheet__V1__JobStatus *job = view_result_job(execution);
    bool has_output = job != NULL && job->n_outputs != 0;
    SET(object, "totalJobs", json_integer((json_int_t)execution->n_jobs));
    SET(object, "completedJobs", json_integer((json_int_t)view_completed_count(execution)));
    SET(object, "progress", json_real(view_percentage(execution)));
    SET(object, "result", has_output ? view_artifact(job->outputs[0], links) : json_null());
}

static json_t *view_links(const Callsheet__V1__ExecutionLinks *links) {
    if (links == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    json_t *successors = json_array();
    for (size_t i = 0; i < links->n_successors; i++) {
        (void)json_array_append_new(successors, json_string(links->successors[i]));
    }
    SET(object, "baseExecutionId", view_text_or_null(links->base_execution_id));
    SET(object, "retryOf", view_text_or_null(links->retry_of));
    SET(object, "rerunOf", view_text_or_null(links->rerun_of));
    SET(object, "successors", successors);
    return object;
}

json_t *gw_view_execution(const Callsheet__V1__Execution *execution, enum gw_view_part part,
                          const struct gw_links *links) {
    json_t *object = json_object();
    bool awaited = execution->approval != NULL &&
                   execution->approval->state == CALLSHEET__V1__APPROVAL_STATE__APPROVAL_STATE_AWAITED;
    SET(object, "id", json_string(execution->id));
    SET(object, "status", json_string(awaited ? "awaiting_approval" : gw_view_state_word(execution->state)));
    SET(object, "approval", view_approval(execution->approval));
    SET(object, "error", view_text_or_null(execution->error));
    SET(object, "resultJobId", view_text_or_null(execution->result_job_id));
    SET(object, "createdAt", view_time_or_null(execution->created_at_ms));
    SET(object, "startedAt", view_time_or_null(execution->started_at_ms));
    SET(object, "completedAt", view_time_or_null(execution->completed_at_ms));
    SET(object, "revision", json_integer((json_int_t)execution->revision));
    SET(object, "webhook", view_delivery(execution->delivery));
    SET(object, "labels", view_labels(execution));
    SET(object, "links", view_links(execution->links));
    SET(object, "pipeline", view_pipeline(execution->pipeline));
    if (part == GW_VIEW_WHOLE) {
        put_totals(object, execution, links);
    }
    if (part != GW_VIEW_HEAD) {
        json_t *jobs = json_array();
        for (size_t i = 0; i < execution->n_jobs; i++) {
            (void)json_array_append_new(jobs, view_job(execution->jobs[i], links));
        }
        SET(object, "jobs", jobs);
    }
    return object;
}

json_t *gw_view_created(const Callsheet__V1__CreateExecutionReply *reply) {
    json_t *object = json_object();
    SET(object, "id", json_string(reply->execution_id));
    SET(object, "executionId", json_string(reply->execution_id));
    SET(object, "status", json_string(gw_view_state_word(reply->state)));
    SET(object, "createdAt", view_time_or_null(reply->created_at_ms));
    if (!cs_str_empty(reply->retry_of)) {
        SET(object, "retryOf", json_string(reply->retry_of));
    }
    return object;
}
