#include "view/json_parts.h"

#include "cs/base/text.h"
#include "cs/json.h"
#include "cs/link.h"

json_t *view_text_or_null(const char *text) {
    return cs_str_empty(text) ? json_null() : json_string(text);
}

json_t *view_time_or_null(int64_t unix_ms) {
    if (unix_ms == 0) {
        return json_null();
    }
    char text[CS_ISO8601_SIZE];
    cs_format_iso8601(unix_ms, text);
    return json_string(text);
}

json_t *view_word(const ProtobufCEnumDescriptor *descriptor, int value) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const char *word = cs_json_enum_word(descriptor, value, arena);
    return json_string(word != NULL ? word : "unknown");
}

json_t *view_metric(const Callsheet__V1__Metric *metric) {
    return cs_str_empty(metric->word) ? json_real(metric->value) : json_string(metric->word);
}

json_t *view_url(const Callsheet__V1__Artifact *artifact, const struct gw_links *links) {
    if (!cs_str_empty(artifact->url)) {
        return json_string(artifact->url); /* given from outside */
    }
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    return view_text_or_null(
        cs_link_make(links->public_url, links->secret, artifact->key, links->expires_unix_s, arena));
}

const Callsheet__V1__JobStatus *view_result_job(const Callsheet__V1__Execution *execution) {
    for (size_t i = 0; i < execution->n_jobs; i++) {
        if (execution->result_job_id[0] != '\0' && cs_str_eq(execution->jobs[i]->id, execution->result_job_id)) {
            return execution->jobs[i];
        }
    }
    return NULL;
}

size_t view_completed_count(const Callsheet__V1__Execution *execution) {
    size_t completed = 0;
    for (size_t i = 0; i < execution->n_jobs; i++) {
        completed += execution->jobs[i]->state == CALLSHEET__V1__JOB_STATE__JOB_STATE_COMPLETED;
    }
    return completed;
}

double view_percentage(const Callsheet__V1__Execution *execution) {
    if (execution->n_jobs == 0) {
        return execution->state == CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED ? 100 : 0;
    }
    return 100.0 * (double)view_completed_count(execution) / (double)execution->n_jobs;
}
