#include "wire/webhook_wire.h"

#include <jansson.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/link.h"
#include "domain/fsm.h"
#include "wire/execution_wire.h"

/* "completed" "failed" "cancelled" */
static const char *state_word(const struct orc_execution *execution) {
    return orc_execution_fsm.state_names[execution->state];
}

static json_t *time_or_null(int64_t unix_ms) {
    if (unix_ms == 0) {
        return json_null();
    }
    char text[CS_ISO8601_SIZE];
    cs_format_iso8601(unix_ms, text);
    return json_string(text);
}

static json_t *string_or_null(const char *text) {
    return cs_str_empty(text) ? json_null() : json_string(text);
}

/* A signed link to the job's main output; NULL when it has none. */
static enum cs_status link_of(const struct orc_execution *execution, uint32_t job,
                              const struct orc_webhook_context *context, struct cs_arena *arena, const char **ret_link,
                              struct cs_err *err) {
    const Callsheet__V1__Succeeded *result = NULL;
    CS_TRY(orc_job_result(&execution->jobs[job], arena, &result, err));
    *ret_link = NULL;
    if (result != NULL && result->n_outputs > 0 && result->outputs[0]->url[0] != '\0') {
        *ret_link = result->outputs[0]->url; /* given from outside */
        return CS_OK;
    }
    if (result != NULL && result->n_outputs > 0 && result->outputs[0]->key[0] != '\0') {
        *ret_link = cs_link_make(context->public_url, context->link_secret, result->outputs[0]->key,
                                 context->now_ms / 1000 + ORC_WEBHOOK_LINK_LIFE_S, arena);
    }
    return CS_OK;
}

static enum cs_status make_outputs(const struct orc_execution *execution, const struct orc_webhook_context *context,
                                   struct cs_arena *arena, json_t *outputs, struct cs_err *err) {
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        const char *link = NULL;
        if (execution->plan->jobs[i].hidden) {
            continue;
        }
        CS_TRY(link_of(execution, i, context, arena, &link, err));
        if (link != NULL) {
            const struct orc_plan_job *job = &execution->plan->jobs[i];
            (void)json_object_set_new(outputs, job->id,
                                      json_pack("{s:s, s:s}", "url", link, "operation", job->operation->name));
        }
    }
    return CS_OK;
}

/* {job: the later job that has its output} of those that were done in one run; NULL none. */
static json_t *make_fused(const struct orc_execution *execution) {
    json_t *fused = NULL;
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        int32_t into = execution->jobs[i].fused_into;
        if (into >= 0) {
            fused = fused != NULL ? fused : json_object();
            (void)json_object_set_new(fused, execution->plan->jobs[i].id, json_string(execution->plan->jobs[into].id));
        }
    }
    return fused;
}

static json_t *make_body(const struct orc_execution *execution, const char *result_link, json_t *outputs,
                         bool truncated) {
    json_t *body = json_object();
    (void)json_object_set_new(body, "executionId", json_string(execution->id));
    (void)json_object_set_new(body, "status", json_string(state_word(execution)));
    json_t *result = json_null();
    if (result_link != NULL && execution->state == ORC_EXECUTION_COMPLETED) {
        result = json_pack("{s:s, s:s}", "url", result_link, "status", "completed");
    }
    (void)json_object_set_new(body, "result", result);
    (void)json_object_set(body, "outputs", outputs);
    (void)json_object_set_new(body, "rootUrl", string_or_null(result_link));
    (void)json_object_set_new(body, "error", string_or_null(execution->error));
    (void)json_object_set_new(body, "createdAt", time_or_null(execution->created_at_ms));
    (void)json_object_set_new(body, "completedAt", time_or_null(execution->completed_at_ms));
    if (execution->state != ORC_EXECUTION_COMPLETED) {
        (void)json_object_set_new(body, "failedAt", time_or_null(execution->completed_at_ms));
    }
    json_t *fused = truncated ? NULL : make_fused(execution);
    if (fused != NULL) {
        (void)json_object_set_new(body, "fusedInto", fused);
    }
    if (truncated) {
        (void)json_object_set_new(body, "outputsTruncated", json_true());
    }
    return body;
}

/* The text, in the arena. */
static void write_body(json_t *body, struct cs_arena *arena, const char **ret_body, size_t *ret_size) {
    char *text = json_dumps(body, JSON_COMPACT);
    *ret_size = strlen(text);
    *ret_body = cs_arena_strndup(arena, text, *ret_size);
    free(text);
    json_decref(body);
}

enum cs_status orc_webhook_body(const struct orc_execution *execution, const struct orc_webhook_context *context,
                                struct cs_arena *arena, const char **ret_body, size_t *ret_size, struct cs_err *err) {
    const char *result_link = NULL;
    if (execution->result_job >= 0) {
        CS_TRY(link_of(execution, (uint32_t)execution->result_job, context, arena, &result_link, err));
    }
    json_t *outputs = json_object();
    enum cs_status status = make_outputs(execution, context, arena, outputs, err);
    if (status == CS_OK) {
        write_body(make_body(execution, result_link, outputs, false), arena, ret_body, ret_size);
        if (*ret_size > ORC_WEBHOOK_BODY_BYTES_MAX) {
            (void)json_object_clear(outputs);
            write_body(make_body(execution, result_link, outputs, true), arena, ret_body, ret_size);
        }
    }
    json_decref(outputs);
    return status;
}
