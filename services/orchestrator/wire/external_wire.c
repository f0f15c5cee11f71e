#include "wire/external_wire.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/json.h"
#include "cs/rpc.h"
#include "domain/fsm.h"

/* ---- parameters ---- */

static enum cs_status check_json(const char *path, const char *text, struct cs_err *err) {
    CS_AUTO_JSON *value = NULL;
    struct cs_err why = {0};
    if (text[0] != '\0' && cs_json_parse(text, strlen(text), &value, &why) != CS_OK) {
        return cs_fail_at(err, path, "bad_json", "%s is not JSON: %s", path, why.message);
    }
    return CS_OK;
}

enum cs_status orc_external_check(const Callsheet__V1__Operation *operation, struct cs_err *err) {
    return operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_EXTERNAL
               ? check_json("data", operation->external->data, err)
               : CS_OK;
}

enum cs_status orc_external_params(const struct orc_plan_job *planned, struct cs_arena *arena,
                                   const Callsheet__V1__External **ret_params, struct cs_err *err) {
    ProtobufCMessage *operation = NULL;
    *ret_params = NULL;
    if (!planned->operation->external) {
        return CS_OK;
    }
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__operation__descriptor, planned->params, planned->params_size,
                                       arena, &operation, err));
    *ret_params = ((const Callsheet__V1__Operation *)operation)->external;
    return CS_OK;
}

enum cs_status orc_external_status(const struct orc_execution *execution, uint32_t index, struct cs_arena *arena,
                                   Callsheet__V1__ExternalStatus **ret_status, struct cs_err *err) {
    const struct orc_job *job = &execution->jobs[index];
    const Callsheet__V1__External *params = NULL;
    *ret_status = NULL;
    CS_TRY(orc_external_params(&execution->plan->jobs[index], arena, &params, err));
    if (params == NULL) {
        return CS_OK;
    }
    Callsheet__V1__ExternalStatus *status = cs_arena_alloc(arena, sizeof(*status));
    callsheet__v1__external_status__init(status);
    status->name = params->name;
    status->instructions = params->instructions;
    status->data = params->data;
    status->deadline_ms = job->state == ORC_JOB_RUNNING ? job->deadline_ms : 0;
    *ret_status = status;
    return CS_OK;
}

/* ---- reports ---- */

static enum cs_status check_length(const char *path, const char *text, size_t bytes_max, struct cs_err *err) {
    if (strlen(text) > bytes_max) {
        return cs_fail_at(err, path, "too_long", "%s has at most %zu bytes", path, bytes_max);
    }
    return CS_OK;
}

static enum cs_status check_output(const Callsheet__V1__Artifact *output, size_t index, struct cs_err *err) {
    char path[48];
    (void)snprintf(path, sizeof(path), "outputs[%zu].url", index);
    if (output->url[0] == '\0') {
        return cs_fail_at(err, path, "required", "%s is required", path);
    }
    if (!cs_web_url_valid(output->url)) {
        return cs_fail_at(err, path, "bad_url", "%s must be an http or https URL of at most %d bytes", path,
                          CS_URL_BYTES_MAX);
    }
    (void)snprintf(path, sizeof(path), "outputs[%zu].name", index);
    return check_length(path, output->name, ORC_EXTERNAL_NAME_BYTES_MAX, err);
}

static enum cs_status check_succeeded(const Callsheet__V1__Succeeded *succeeded, struct cs_err *err) {
    if (succeeded->n_outputs > ORC_EXTERNAL_OUTPUTS_MAX) {
        return cs_fail_at(err, "outputs", "too_many", "at most %d outputs are allowed", ORC_EXTERNAL_OUTPUTS_MAX);
    }
    if (succeeded->n_metrics > ORC_EXTERNAL_METRICS_MAX) {
        return cs_fail_at(err, "metrics", "too_many", "at most %d metrics are allowed", ORC_EXTERNAL_METRICS_MAX);
    }
    for (size_t i = 0; i < succeeded->n_outputs; i++) {
        CS_TRY(check_output(succeeded->outputs[i], i, err));
    }
    for (size_t i = 0; i < succeeded->n_metrics; i++) {
        CS_TRY(check_length("metrics", succeeded->metrics[i]->name, ORC_EXTERNAL_NAME_BYTES_MAX, err));
        CS_TRY(check_length("metrics", succeeded->metrics[i]->word, ORC_EXTERNAL_NAME_BYTES_MAX, err));
        if (!isfinite(succeeded->metrics[i]->value)) {
            return cs_fail_at(err, "metrics", "out_of_range", "a metric is a number");
        }
    }
    CS_TRY(check_length("data", succeeded->data, CS_EXTERNAL_DATA_BYTES_MAX, err));
    return check_json("data", succeeded->data, err);
}

enum cs_status orc_external_report_check(const Callsheet__V1__ReportExternalRequest *request, struct cs_err *err) {
    switch (request->report_case) {
    case CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_SUCCEEDED:
        return check_succeeded(request->succeeded, err);
    case CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_FAILED:
        CS_TRY(check_length("code", request->failed->code, ORC_EXTERNAL_CODE_BYTES_MAX, err));
        return check_length("message", request->failed->message, ORC_EXTERNAL_MESSAGE_BYTES_MAX, err);
    case CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_PROGRESS:
        return CS_OK;
    default:
        return cs_fail(err, CS_INVALID_ARGUMENT, "no_report", "a report says that it is done, failed or at work");
    }
}

/* ---- results ---- */

static Callsheet__V1__Artifact *reduce(const Callsheet__V1__Artifact *output, int type, struct cs_arena *arena) {
    Callsheet__V1__Artifact *reduced = cs_arena_alloc(arena, sizeof(*reduced));
    callsheet__v1__artifact__init(reduced);
    reduced->url = output->url;
    reduced->name = output->name;
    reduced->type = (Callsheet__V1__MediaType)type;
    return reduced;
}

enum cs_status orc_external_result(const Callsheet__V1__Succeeded *succeeded, int type, struct cs_arena *arena,
                                   const void **ret_bytes, size_t *ret_size_bytes, struct cs_err *err) {
    Callsheet__V1__Succeeded reduced = CALLSHEET__V1__SUCCEEDED__INIT;
    reduced.outputs = cs_arena_array(arena, succeeded->n_outputs, sizeof(Callsheet__V1__Artifact *));
    for (size_t i = 0; i < succeeded->n_outputs; i++) {
        int given = (int)succeeded->outputs[i]->type;
        if (type == 0 || (given != 0 && given != type)) {
            char path[48];
            (void)snprintf(path, sizeof(path), "outputs[%zu].type", i);
            return cs_fail_at(err, path, "type_mismatch", "the job does not give outputs of this type");
        }
        reduced.outputs[reduced.n_outputs++] = reduce(succeeded->outputs[i], type, arena);
    }
    reduced.n_metrics = succeeded->n_metrics;
    reduced.metrics = succeeded->metrics;
    reduced.data = succeeded->data;
    uint8_t *bytes = cs_arena_alloc(arena, protobuf_c_message_get_packed_size(&reduced.base) + 1);
    *ret_size_bytes = protobuf_c_message_pack(&reduced.base, bytes);
    *ret_bytes = bytes;
    return CS_OK;
}

/* ---- repeated reports ---- */

static bool same_result(const Callsheet__V1__JobStatus *job, const Callsheet__V1__Succeeded *succeeded,
                        struct cs_arena *arena) {
    Callsheet__V1__Succeeded kept = CALLSHEET__V1__SUCCEEDED__INIT;
    int type = job->n_outputs != 0 ? (int)job->outputs[0]->type : 0;
    const void *bytes = NULL;
    size_t size = 0;
    struct cs_err why = {0};
    kept.n_outputs = job->n_outputs;
    kept.outputs = job->outputs;
    kept.n_metrics = job->n_metrics;
    kept.metrics = job->metrics;
    kept.data = job->external->result;
    uint8_t *want = cs_arena_alloc(arena, protobuf_c_message_get_packed_size(&kept.base) + 1);
    size_t want_size = protobuf_c_message_pack(&kept.base, want);
    if (orc_external_result(succeeded, type, arena, &bytes, &size, &why) != CS_OK) {
        return false;
    }
    assert(bytes != NULL);
    return size == want_size && memcmp(bytes, want, size) == 0;
}

static bool same_failure(const Callsheet__V1__JobError *error, const Callsheet__V1__Failed *failed) {
    const char *code = failed->code[0] != '\0' ? failed->code : ORC_EXTERNAL_CODE_DEFAULT;
    return error != NULL && error->failure_class == failed->failure_class && cs_str_eq(error->code, code) &&
           cs_str_eq(error->message, failed->message);
}

enum cs_status orc_external_repeats(const Callsheet__V1__JobStatus *job,
                                    const Callsheet__V1__ReportExternalRequest *request, struct cs_arena *arena,
                                    struct cs_err *err) {
    bool completed = job->state == CALLSHEET__V1__JOB_STATE__JOB_STATE_COMPLETED;
    bool failed = job->state == CALLSHEET__V1__JOB_STATE__JOB_STATE_FAILED ||
                  job->state == CALLSHEET__V1__JOB_STATE__JOB_STATE_RETRYING;
    switch (request->report_case) {
    case CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_SUCCEEDED:
        if (completed && same_result(job, request->succeeded, arena)) {
            return CS_OK;
        }
        break;
    case CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_FAILED:
        if (failed && same_failure(job->error, request->failed)) {
            return CS_OK;
        }
        break;
    default:
        break;
    }
    return cs_fail(err, CS_FAILED_PRECONDITION, "already_ended", "the work has already ended: it is %s",
                   orc_job_fsm.state_names[(unsigned)job->state < ORC_JOB_STATES ? (unsigned)job->state : 0]);
}
