/* External jobs: data is any JSON for clients, text for the orchestrator; what is reported about them. */
#include "dialect/external.h"

#include <string.h>

#include "cs/base/text.h"
#include "dialect/reader.h"

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))

/* "too_big" beyond the limit. */
static enum cs_status dump(const json_t *value, const char *path, char **ret_text, struct cs_err *err) {
    CS_AUTO_FREE char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL || strlen(text) > CS_EXTERNAL_DATA_BYTES_MAX) {
        return cs_fail_at(err, path, "too_big", "%s has at most %d bytes", path, CS_EXTERNAL_DATA_BYTES_MAX);
    }
    *ret_text = cs_steal(&text);
    return CS_OK;
}

enum cs_status external_data(struct job_reader *job, const json_t *value, struct cs_err *err) {
    CS_AUTO_FREE char *text = NULL;
    CS_TRY(dump(value, job_client_param(job, "data"), &text, err));
    return job_put(job, "data", "data", json_string(text), err);
}

/* {"name": number} -> [{name, value}] */
static enum cs_status put_metrics(const json_t *metrics, struct cs_arena *arena, json_t *out, struct cs_err *err) {
    json_t *list = json_array();
    const char *name = NULL;
    json_t *value = NULL;
    SET(out, "metrics", list);
    CS_TRY(need_object(metrics, "metrics", err));
    json_object_foreach((json_t *)metrics, name, value) {
        if (!json_is_number(value)) {
            const char *path = path_member(arena, "metrics", name);
            return cs_fail_at(err, path, "wrong_type", "%s must be a number", path);
        }
        (void)json_array_append_new(list, json_pack("{s:s, s:O}", "name", name, "value", value));
    }
    return CS_OK;
}

/* Where a result has its output: outputs, or as workers of other systems say it, url or output.url. */
static enum cs_status find_outputs(const json_t *body, json_t **ret_outputs, struct cs_err *err) {
    const json_t *one = member(body, "output");
    const json_t *url = member(body, "url");
    const json_t *outputs = member(body, "outputs");
    if ((one != NULL) + (url != NULL) + (outputs != NULL) > 1) {
        return cs_fail_at(err, outputs != NULL ? "outputs" : "url", "one_of",
                          "a result has either outputs, url or output");
    }
    *ret_outputs = outputs != NULL ? json_incref((json_t *)outputs)
                   : url != NULL   ? json_pack("[{s:O}]", "url", url)
                   : one != NULL   ? json_pack("[O]", one)
                                   : NULL;
    return CS_OK;
}

const char *const gw_external_members[] = {"outputs", "url", "output", "data", "metrics", NULL};

void gw_external_complete_paths(const json_t *body, struct gw_paths *paths) {
    if (member(body, "outputs") == NULL && member(body, "url") != NULL) {
        gw_paths_add(paths, "outputs[0].url", "url");
        gw_paths_add(paths, "outputs[0]", "url");
    } else if (member(body, "outputs") == NULL) {
        gw_paths_add(paths, "outputs[0]", "output");
    }
}

enum cs_status gw_external_complete_read(const json_t *body, struct cs_arena *arena,
                                         Callsheet__V1__ReportExternalRequest *report, struct cs_err *err) {
    static const char *const output_known[] = {"url", "type", "name", NULL};
    CS_AUTO_JSON *out = json_object();
    CS_AUTO_JSON *outputs = NULL;
    ProtobufCMessage *message = NULL;
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", gw_external_members, arena, err));
    CS_TRY(find_outputs(body, &outputs, err));
    for (size_t i = 0; i < json_array_size(outputs); i++) {
        const char *path = path_element(arena, "outputs", i);
        CS_TRY(need_object(json_array_get(outputs, i), path, err));
        CS_TRY(need_only(json_array_get(outputs, i), path, output_known, arena, err));
    }
    if (outputs != NULL) {
        (void)json_object_set(out, "outputs", outputs);
    }
    if (member(body, "metrics") != NULL) {
        CS_TRY(put_metrics(member(body, "metrics"), arena, out, err));
    }
    if (member(body, "data") != NULL) {
        CS_AUTO_FREE char *text = NULL;
        CS_TRY(dump(member(body, "data"), "data", &text, err));
        SET(out, "data", json_string(text));
    }
    CS_TRY(cs_json_to_message(out, &callsheet__v1__succeeded__descriptor, "", arena, &message, err));
    report->report_case = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_SUCCEEDED;
    report->succeeded = (Callsheet__V1__Succeeded *)message;
    return CS_OK;
}

enum cs_status gw_external_fail_read(const json_t *body, struct cs_arena *arena,
                                     Callsheet__V1__ReportExternalRequest *report, struct cs_err *err) {
    static const char *const known[] = {"class", "code", "message", "retryAfterMs", NULL};
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", known, arena, err));
    CS_AUTO_JSON *out = json_copy((json_t *)body);
    json_t *word = json_incref(json_object_get(out, "class"));
    ProtobufCMessage *message = NULL;
    (void)json_object_del(out, "class");
    SET(out, "failureClass", word != NULL ? word : json_string("invalid_input")); /* final */
    if (cs_json_to_message(out, &callsheet__v1__failed__descriptor, "", arena, &message, err) != CS_OK) {
        if (cs_str_eq(err->path, "failureClass")) {
            cs_str_copy(err->path, sizeof(err->path), "class");
        }
        return err->status;
    }
    report->report_case = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_FAILED;
    report->failed = (Callsheet__V1__Failed *)message;
    return CS_OK;
}

enum cs_status gw_external_heartbeat_read(const json_t *body, struct cs_arena *arena,
                                          Callsheet__V1__ReportExternalRequest *report, struct cs_err *err) {
    static const char *const known[] = {"stage", "fraction", NULL};
    ProtobufCMessage *message = NULL;
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", known, arena, err));
    CS_TRY(cs_json_to_message(body, &callsheet__v1__progress__descriptor, "", arena, &message, err));
    report->report_case = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_PROGRESS;
    report->progress = (Callsheet__V1__Progress *)message;
    return CS_OK;
}
