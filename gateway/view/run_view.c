#include "view/run_view.h"

#include "cs/base/text.h"
#include "view/json_parts.h"

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))

static const char *status_word(Callsheet__V1__RunStatus status) {
    static const char *const words[] = {
        "unknown", "Running",  "Completed", "Completed with Errors", "No Leads To Score",
        "Failed",  "Canceled", "Timed_out", "CLIENT_TIMEOUT_KILLED", "JOB_TIMEOUT_KILLED"};
    size_t index = (size_t)status;
    return index < CS_COUNT(words) ? words[index] : words[0];
}

static json_t *view_metrics(Callsheet__V1__RunMetric **metrics, size_t count) {
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        bool is_text = metrics[i]->value_case == CALLSHEET__V1__RUN_METRIC__VALUE_TEXT;
        SET(object, metrics[i]->name, is_text ? json_string(metrics[i]->text) : json_real(metrics[i]->number));
    }
    return object;
}

static json_t *view_texts(char **texts, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(list, json_string(texts[i]));
    }
    return list;
}

json_t *gw_view_run(const Callsheet__V1__Run *run, enum gw_run_view_detail detail) {
    json_t *object = json_object();
    SET(object, "runId", json_string(run->run_id));
    SET(object, "baseRunId", json_string(run->base_run_id));
    SET(object, "jobType", json_string(run->job_type));
    SET(object, "clientId", view_text_or_null(run->client));
    SET(object, "status", json_string(status_word(run->status)));
    SET(object, "startTime", view_time_or_null(run->started_at_ms));
    SET(object, "endTime", view_time_or_null(run->ended_at_ms));
    SET(object, "heartbeatTime", view_time_or_null(run->heartbeat_at_ms));
    SET(object, "leaseUntil", view_time_or_null(run->lease_until_ms));
    SET(object, "deadline", view_time_or_null(run->deadline_ms));
    SET(object, "revision", json_integer((json_int_t)run->revision));
    SET(object, "metrics", view_metrics(run->metrics, run->n_metrics));
    if (detail == GW_RUN_VIEW_WHOLE) {
        SET(object, "totals", run->n_totals != 0 ? view_metrics(run->totals, run->n_totals) : json_null());
        SET(object, "notes", json_string(run->notes));
    }
    return object;
}

static json_t *start_message(const Callsheet__V1__StartRunReply *reply) {
    char started[CS_ISO8601_SIZE];
    cs_format_iso8601(reply->run->started_at_ms, started);
    if (reply->already_running) {
        return json_sprintf("Job of type %s is already running (started at %s)", reply->run->job_type, started);
    }
    if (reply->already_exists) {
        return json_sprintf("Run %s exists already (started at %s)", reply->run->run_id, started);
    }
    return json_sprintf("Job of type %s has started", reply->run->job_type);
}

json_t *gw_view_run_started(const Callsheet__V1__StartRunReply *reply) {
    json_t *object = json_object();
    SET(object, "jobId", json_string(reply->run->run_id));
    SET(object, "runId", json_string(reply->run->run_id));
    SET(object, "jobType", json_string(reply->run->job_type));
    SET(object, "clientId", view_text_or_null(reply->run->client));
    SET(object, "status", json_string(status_word(reply->run->status)));
    SET(object, "startTime", view_time_or_null(reply->run->started_at_ms));
    SET(object, "leaseUntil", view_time_or_null(reply->run->lease_until_ms));
    SET(object, "alreadyRunning", json_boolean(reply->already_running));
    SET(object, "alreadyExists", json_boolean(reply->already_exists));
    SET(object, "message", start_message(reply));
    SET(object, "warnings", view_texts(reply->warnings, reply->n_warnings));
    return object;
}

json_t *gw_view_run_changed(const Callsheet__V1__ChangeRunReply *reply) {
    json_t *object = gw_view_run(reply->run, GW_RUN_VIEW_WHOLE);
    SET(object, "unchanged", json_boolean(reply->unchanged));
    SET(object, "warnings", view_texts(reply->warnings, reply->n_warnings));
    return object;
}

json_t *gw_view_runs(const Callsheet__V1__ListRunsReply *reply) {
    json_t *object = json_object();
    json_t *runs = json_array();
    for (size_t i = 0; i < reply->n_runs; i++) {
        (void)json_array_append_new(runs, gw_view_run(reply->runs[i], GW_RUN_VIEW_HEAD));
    }
    SET(object, "runs", runs);
    SET(object, "nextPageToken", view_text_or_null(reply->next_page_token));
    return object;
}
