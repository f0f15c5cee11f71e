#include "dialect/runs.h"

#include <string.h>

#include "cs/base/text.h"
#include "dialect/reader.h"

enum { METRICS_MAX = 256 + 1 }; /* what the orchestrator looks at, and one more for it to warn of the rest */

/* ---- small readers: absent is "" or 0 ---- */

static enum cs_status text_of(const json_t *body, const char *name, struct cs_arena *arena, char **field,
                              struct cs_err *err) {
    char *text = NULL;
    CS_TRY(read_text(member(body, name), name, arena, &text, err));
    if (text != NULL) {
        *field = text;
    }
    return CS_OK;
}

static enum cs_status span_of(const json_t *body, const char *name, int64_t *field, struct cs_err *err) {
    const json_t *value = member(body, name);
    if (value == NULL) {
        return CS_OK;
    }
    if (!json_is_integer(value)) {
        return cs_fail_at(err, name, "wrong_type", "%s must be a whole number of milliseconds", name);
    }
    if (json_integer_value(value) <= 0) {
        return cs_fail_at(err, name, "out_of_range", "%s must be above 0", name);
    }
    *field = json_integer_value(value);
    return CS_OK;
}

/* ---- metrics ---- */

static int rule_of(const json_t *value) {
    static const char *const words[] = {"sum", "min", "max", "last"};
    for (size_t i = 0; i < CS_COUNT(words); i++) {
        if (cs_str_eq(json_string_value(value), words[i])) {
            return (int)i + CALLSHEET__V1__RUN_METRIC_RULE__RUN_METRIC_RULE_SUM;
        }
    }
    return -1;
}

static void put_value(Callsheet__V1__RunMetric *metric, const json_t *value, struct cs_arena *arena) {
    if (json_is_number(value)) {
        metric->value_case = CALLSHEET__V1__RUN_METRIC__VALUE_NUMBER;
        metric->number = json_number_value(value);
    } else if (json_is_string(value)) {
        metric->value_case = CALLSHEET__V1__RUN_METRIC__VALUE_TEXT;
        metric->text = cs_arena_strdup(arena, json_string_value(value));
    }
}

static Callsheet__V1__RunMetric *metric_of(const char *name, const json_t *value, struct cs_arena *arena) {
    Callsheet__V1__RunMetric *metric = cs_arena_alloc(arena, sizeof(*metric));
    callsheet__v1__run_metric__init(metric);
    metric->name = cs_arena_strdup(arena, name);
    if (!json_is_object(value)) {
        put_value(metric, value, arena);
        return metric;
    }
    const json_t *rule = member(value, "rule");
    int number = rule != NULL ? rule_of(rule) : 0;
    if (number >= 0) {
        metric->rule = (Callsheet__V1__RunMetricRule)number;
        put_value(metric, member(value, "value"), arena);
    }
    return metric;
}

static enum cs_status metrics_of(const json_t *body, const char *name, struct cs_arena *arena,
                                 Callsheet__V1__RunMetric ***field, size_t *field_count, struct cs_err *err) {
    json_t *object = json_object_get(body, name);
    const char *key = NULL;
    json_t *value = NULL;
    if (object == NULL || json_is_null(object)) {
        return CS_OK;
    }
    CS_TRY(need_object(object, name, err));
    size_t size = json_object_size(object) < METRICS_MAX ? json_object_size(object) : METRICS_MAX;
    *field = cs_arena_array(arena, size + 1, sizeof(Callsheet__V1__RunMetric *));
    json_object_foreach(object, key, value) {
        if (*field_count == size) {
            break;
        }
        (*field)[(*field_count)++] = metric_of(key, value, arena);
    }
    return CS_OK;
}

/* ---- start ---- */

/* The first id that is there. */
static enum cs_status read_id(const json_t *body, const char *query_id, struct cs_arena *arena, char **ret_id,
                              const char **ret_path, struct cs_err *err) {
    static const char *const option_names[] = {"specificRunId", NULL};
    const json_t *options = member(body, "options");
    char *specific = "";
    char *option = "";
    char *own = "";
    char *parent = "";
    if (options != NULL) {
        CS_TRY(need_object(options, "options", err));
        CS_TRY(need_only(options, "options", option_names, arena, err));
        if (text_of(options, "specificRunId", arena, &option, err) != CS_OK) {
            return cs_err_at(err, "options");
        }
    }
    CS_TRY(text_of(body, "specificRunId", arena, &specific, err));
    CS_TRY(text_of(body, "runId", arena, &own, err));
    CS_TRY(text_of(body, "parentRunId", arena, &parent, err));
    const struct {
        const char *id;
        const char *path;
    } order[] = {{specific, "specificRunId"},
                 {option, "options.specificRunId"},
                 {query_id != NULL ? query_id : "", "runId"},
                 {own, "runId"},
                 {parent, "parentRunId"}};
    for (size_t i = 0; i < CS_COUNT(order); i++) {
        if (order[i].id[0] != '\0') {
            *ret_id = cs_arena_strdup(arena, order[i].id);
            *ret_path = order[i].path;
            return CS_OK;
        }
    }
    return CS_OK;
}

enum cs_status gw_run_start_read(const json_t *body, const char *query_id, struct cs_arena *arena,
                                 Callsheet__V1__StartRunRequest *ret_request, const char **ret_id_path,
                                 struct cs_err *err) {
    static const char *const names[] = {"jobType", "clientId",  "initialData", "specificRunId", "runId", "parentRunId",
                                        "options", "timeoutMs", "leaseMs",     "note",          NULL};
    Callsheet__V1__StartRunRequest request = CALLSHEET__V1__START_RUN_REQUEST__INIT;
    const char *path = "runId";
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", names, arena, err));
    CS_TRY(text_of(body, "jobType", arena, &request.job_type, err));
    CS_TRY(text_of(body, "clientId", arena, &request.client, err));
    CS_TRY(read_id(body, query_id, arena, &request.run_id, &path, err));
    CS_TRY(metrics_of(body, "initialData", arena, &request.initial, &request.n_initial, err));
    CS_TRY(span_of(body, "leaseMs", &request.lease_ms, err));
    CS_TRY(span_of(body, "timeoutMs", &request.timeout_ms, err));
    CS_TRY(text_of(body, "note", arena, &request.note, err));
    *ret_request = request;
    *ret_id_path = path;
    return CS_OK;
}

/* ---- heartbeat, complete ---- */

enum cs_status gw_run_heartbeat_read(const json_t *body, struct cs_arena *arena,
                                     Callsheet__V1__HeartbeatRunRequest *ret_request, struct cs_err *err) {
    static const char *const names[] = {"jobType", "clientId", "metrics", "note", NULL};
    Callsheet__V1__HeartbeatRunRequest request = CALLSHEET__V1__HEARTBEAT_RUN_REQUEST__INIT;
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", names, arena, err));
    CS_TRY(text_of(body, "jobType", arena, &request.job_type, err));
    CS_TRY(text_of(body, "clientId", arena, &request.client, err));
    CS_TRY(metrics_of(body, "metrics", arena, &request.metrics, &request.n_metrics, err));
    CS_TRY(text_of(body, "note", arena, &request.note, err));
    *ret_request = request;
    return CS_OK;
}

static enum cs_status status_of(const json_t *body, struct cs_arena *arena, Callsheet__V1__RunStatus *field,
                                struct cs_err *err) {
    static const struct {
        const char *word;
        Callsheet__V1__RunStatus status;
    } words[] = {
        {"Completed", CALLSHEET__V1__RUN_STATUS__RUN_STATUS_COMPLETED},
        {"Completed with Errors", CALLSHEET__V1__RUN_STATUS__RUN_STATUS_COMPLETED_WITH_ERRORS},
        {"No Leads To Score", CALLSHEET__V1__RUN_STATUS__RUN_STATUS_NO_LEADS_TO_SCORE},
        {"Failed", CALLSHEET__V1__RUN_STATUS__RUN_STATUS_FAILED},
        {"Canceled", CALLSHEET__V1__RUN_STATUS__RUN_STATUS_CANCELED},
    };
    char *text = NULL;
    CS_TRY(read_text(member(body, "status"), "status", arena, &text, err));
    for (size_t i = 0; text != NULL && i < CS_COUNT(words); i++) {
        if (strcmp(words[i].word, text) == 0) {
            *field = words[i].status;
            return CS_OK;
        }
    }
    return text == NULL ? CS_OK
                        : cs_fail_at(err, "status", "unknown_word",
                                     "status must be Completed, Completed with Errors, No Leads To Score, Failed or "
                                     "Canceled");
}

enum cs_status gw_run_complete_read(const json_t *body, struct cs_arena *arena,
                                    Callsheet__V1__CompleteRunRequest *ret_request, struct cs_err *err) {
    static const char *const names[] = {"jobType", "clientId", "status", "finalMetrics", "error", "note", NULL};
    Callsheet__V1__CompleteRunRequest request = CALLSHEET__V1__COMPLETE_RUN_REQUEST__INIT;
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", names, arena, err));
    CS_TRY(text_of(body, "jobType", arena, &request.job_type, err));
    CS_TRY(text_of(body, "clientId", arena, &request.client, err));
    CS_TRY(status_of(body, arena, &request.status, err));
    CS_TRY(metrics_of(body, "finalMetrics", arena, &request.metrics, &request.n_metrics, err));
    CS_TRY(text_of(body, "error", arena, &request.error, err));
    CS_TRY(text_of(body, "note", arena, &request.note, err));
    *ret_request = request;
    return CS_OK;
}
