/* Pipelines: /v1/pipelines. */
#include <assert.h>
#include <string.h>

#include "api/call.h"
#include "api/created.h"
#include "api/errors.h"
#include "callsheet/v1/pipelines.pb-c.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "dialect/reader.h"
#include "pipeline/params.h"
#include "pipeline/pipeline.h"
#include "view/json_parts.h"

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))

static void start(struct gw_call *call, const char *method, const ProtobufCMessage *message) {
    gw_call_start(call, &callsheet__v1__pipelines__descriptor, method, message);
}

static void fail(struct gw_request *request, enum cs_status status, const char *reason, const char *message) {
    struct cs_err err = {0};
    (void)cs_fail(&err, status, reason, "%s", message);
    gw_answer_error(request, &err);
}

/* A name that cannot be one is like one that is not there; otherwise answers 404. */
static bool name_plausible(struct gw_request *request, const char *name) {
    if (gw_pipeline_name_valid(name)) {
        return true;
    }
    fail(request, CS_NOT_FOUND, "no_such_pipeline", "Pipeline not found");
    return false;
}

/* Keeps the sentence that names what is missing. */
static void tell_missing(__attribute__((unused)) struct gw_call *call, const struct cs_err *err,
                         struct cs_err *ret_told) {
    if (err->status == CS_NOT_FOUND) {
        *ret_told = *err;
    }
}

static json_t *head(const char *name, unsigned version, bool builtin) {
    json_t *object = json_object();
    SET(object, "name", json_string(name));
    SET(object, "version", json_integer(version));
    SET(object, "builtin", json_boolean(builtin));
    return object;
}

/* ---- PUT /v1/pipelines/NAME ---- */

static void answer_put(struct gw_call *call, const ProtobufCMessage *reply) {
    const Callsheet__V1__PutPipelineReply *stored = (const Callsheet__V1__PutPipelineReply *)reply;
    json_t *body = head(call->user, stored->version, false);
    SET(body, "createdAt", view_time_or_null(stored->created_at_ms));
    gw_answer_json(call->request, stored->existing ? 200 : 201, body);
}

/* The checked template as canonical text. */
static enum cs_status read_template(struct gw_request *request, char **ret_text, struct cs_err *err) {
    const struct cs_buf *body = gw_request_body(request);
    CS_AUTO_JSON *template = NULL;
    if (body->size > GW_PIPELINE_TEMPLATE_BYTES_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_big", "a template has at most %d bytes",
                       GW_PIPELINE_TEMPLATE_BYTES_MAX);
    }
    CS_TRY(cs_json_parse(body->data != NULL ? body->data : "", body->size, &template, err));
    CS_TRY(gw_pipeline_check(template, gw_request_arena(request), err));
    char *text = json_dumps(template, JSON_COMPACT | JSON_PRESERVE_ORDER);
    *ret_text = cs_arena_strdup(gw_request_arena(request), text);
    free(text);
    return CS_OK;
}

void gw_handle_pipeline_put(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__PutPipelineRequest put = CALLSHEET__V1__PUT_PIPELINE_REQUEST__INIT;
    char *text = NULL;
    struct cs_err err = {0};
    if (!name_plausible(request, arg)) {
        return;
    }
    if (gw_builtin_pipeline_find(arg, 0) != NULL) {
        fail(request, CS_ALREADY_EXISTS, "reserved_name", "this name belongs to a pipeline that comes with Callsheet");
        return;
    }
    if (read_template(request, &text, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    assert(text != NULL);
    struct gw_call *call = gw_call_create(api, request, answer_put);
    call->user = (void *)arg;
    put.tenant = (char *)gw_request_tenant(request);
    put.name = (char *)arg;
    put.template_.data = (uint8_t *)text;
    put.template_.len = strlen(text);
    start(call, "PutPipeline", &put.base);
}

/* ---- GET /v1/pipelines, GET /v1/pipelines/NAME ---- */

static void answer_list(struct gw_call *call, const ProtobufCMessage *reply) {
    const Callsheet__V1__ListPipelinesReply *list = (const Callsheet__V1__ListPipelinesReply *)reply;
    json_t *pipelines = json_array();
    json_t *body = json_object();
    for (size_t i = 0; i < gw_builtin_pipeline_count; i++) {
        const struct gw_builtin_pipeline *row = &gw_builtin_pipelines[i];
        if (gw_builtin_pipeline_find(row->name, 0) == row) {
            (void)json_array_append_new(pipelines, head(row->name, row->version, true));
        }
    }
    for (size_t i = 0; i < list->n_pipelines; i++) {
        json_t *object = head(list->pipelines[i]->name, list->pipelines[i]->version, false);
        SET(object, "createdAt", view_time_or_null(list->pipelines[i]->created_at_ms));
        (void)json_array_append_new(pipelines, object);
    }
    SET(body, "pipelines", pipelines);
    gw_answer_json(call->request, 200, body);
}

void gw_handle_pipeline_list(struct gw_api *api, struct gw_request *request, __attribute__((unused)) const char *arg) {
    Callsheet__V1__ListPipelinesRequest list = CALLSHEET__V1__LIST_PIPELINES_REQUEST__INIT;
    list.tenant = (char *)gw_request_tenant(request);
    start(gw_call_create(api, request, answer_list), "ListPipelines", &list.base);
}

static void answer_template(struct gw_request *request, json_t *object, const char *text, size_t size) {
    json_t *template = json_loadb(text, size, 0, NULL);
    SET(object, "template", template != NULL ? template : json_null());
    gw_answer_json(request, 200, object);
}

static void answer_get(struct gw_call *call, const ProtobufCMessage *reply) {
    const Callsheet__V1__Pipeline *pipeline = (const Callsheet__V1__Pipeline *)reply;
    json_t *object = head(pipeline->name, pipeline->version, false);
    SET(object, "createdAt", view_time_or_null(pipeline->created_at_ms));
    answer_template(call->request, object, (const char *)pipeline->template_.data, pipeline->template_.len);
}

static void start_get(struct gw_call *call, const char *name, uint32_t version) {
    Callsheet__V1__GetPipelineRequest get = CALLSHEET__V1__GET_PIPELINE_REQUEST__INIT;
    get.tenant = (char *)gw_request_tenant(call->request);
    get.name = (char *)name;
    get.version = version;
    call->failed = tell_missing;
    start(call, "GetPipeline", &get.base);
}

void gw_handle_pipeline_get(struct gw_api *api, struct gw_request *request, const char *arg) {
    const char *text = gw_request_query(request, "version");
    int64_t version = 0;
    struct cs_err err = {0};
    if (!name_plausible(request, arg)) {
        return;
    }
    if (text != NULL && !cs_parse_i64(text, 1, INT32_MAX, &version)) {
        (void)cs_fail_at(&err, "version", "out_of_range", "version must be a whole number from 1 on");
        gw_answer_error(request, &err);
        return;
    }
    const struct gw_builtin_pipeline *builtin = gw_builtin_pipeline_find(arg, (unsigned)version);
    if (builtin != NULL) {
        answer_template(request, head(arg, builtin->version, true), builtin->template, strlen(builtin->template));
        return;
    }
    start_get(gw_call_create(api, request, answer_get), arg, (uint32_t)version);
}

/* ---- POST /v1/pipelines/NAME/runs ---- */

/* A run under way: first its template is asked for, then its execution is made. */
struct run {
    const char *name;
    uint32_t version;
    struct gw_paths *paths; /* body of the submission -> template */
    struct gw_submission submission;
};

static void answer_created(struct gw_call *call, const ProtobufCMessage *reply) {
    const struct run *run = call->user;
    json_t *pipeline = json_object();
    json_t *body = gw_view_created((const Callsheet__V1__CreateExecutionReply *)reply);
    SET(pipeline, "name", json_string(run->name));
    SET(pipeline, "version", json_integer(run->version));
    SET(body, "pipeline", pipeline);
    gw_answer_created(call->request, (const Callsheet__V1__CreateExecutionReply *)reply, body);
}

static void tell_in_template(struct gw_call *call, __attribute__((unused)) const struct cs_err *err,
                             struct cs_err *ret_told) {
    const struct run *run = call->user;
    (void)gw_paths_translate_err(run->submission.paths, ret_told);
    (void)gw_paths_translate_err(run->paths, ret_told);
}

/* {params, skip, version} are the pipeline's; the rest is that of a native submission. */
static enum cs_status read_run(struct gw_request *request, json_t **ret_body, int64_t *ret_version,
                               struct cs_err *err) {
    static const char *const known[] = {"params",    "skip",   "version",        "webhook",
                                        "timeoutMs", "labels", "idempotencyKey", NULL};
    const struct cs_buf *text = gw_request_body(request);
    CS_AUTO_JSON *body = NULL;
    CS_TRY(cs_json_parse(text->size != 0 ? text->data : "{}", text->size != 0 ? text->size : 2, &body, err));
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", known, gw_request_arena(request), err));
    const json_t *version = member(body, "version");
    if (version != NULL &&
        (!json_is_integer(version) || json_integer_value(version) < 1 || json_integer_value(version) > INT32_MAX)) {
        return cs_fail_at(err, "version", "out_of_range", "version must be a whole number from 1 on");
    }
    *ret_version = json_integer_value(version);
    *ret_body = cs_steal(&body);
    return CS_OK;
}

/* The template's labels with those of the run over them; webhook, time limit and key are the run's alone. */
static void join(json_t *submission, const json_t *run) {
    static const char *const names[] = {"webhook", "timeoutMs", "idempotencyKey"};
    json_t *labels = json_object_get(submission, "labels");
    json_t *own = json_object_get(run, "labels");
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        if (member(run, names[i]) != NULL) {
            (void)json_object_set(submission, names[i], json_object_get(run, names[i]));
        }
    }
    if (json_is_object(labels) && json_is_object(own)) {
        (void)json_object_update(labels, own);
    } else if (own != NULL) {
        (void)json_object_set(submission, "labels", own);
    }
}

static enum cs_status expand(struct gw_call *call, const char *text, size_t size, struct cs_err *err) {
    struct run *run = call->user;
    struct cs_arena *arena = gw_request_arena(call->request);
    CS_AUTO_JSON *template = NULL;
    CS_AUTO_JSON *body = NULL;
    CS_AUTO_JSON *values = NULL;
    CS_AUTO_JSON *submission = NULL;
    int64_t version = 0;
    CS_TRY(cs_json_parse(text, size, &template, err));
    CS_TRY(read_run(call->request, &body, &version, err));
    CS_TRY(gw_pipeline_params_read(member(template, "params"), member(body, "params"), "params", arena, &values, err));
    run->paths = gw_paths_create(arena);
    CS_TRY(gw_pipeline_expand(template, values, member(body, "skip"), arena, run->paths, &submission, err));
    join(submission, body);
    if (gw_dialect_read(submission, arena, &run->submission, err) != CS_OK) {
        return gw_paths_translate_err(run->paths, err);
    }
    return gw_api_idempotency_key(call->request, &run->submission, err);
}

static void create(struct gw_call *call, const char *text, size_t size) {
    struct run *run = call->user;
    struct cs_arena *arena = gw_request_arena(call->request);
    struct cs_err err = {0};
    if (expand(call, text, size, &err) != CS_OK) {
        gw_answer_error(call->request, &err);
        return;
    }
    Callsheet__V1__CreateExecutionRequest *request = run->submission.request;
    request->tenant = (char *)gw_request_tenant(call->request);
    request->pipeline = cs_arena_alloc(arena, sizeof(*request->pipeline));
    callsheet__v1__pipeline_ref__init(request->pipeline);
    request->pipeline->name = (char *)run->name;
    request->pipeline->version = run->version;
    call->replied = answer_created;
    call->failed = tell_in_template;
    gw_call_start(call, &callsheet__v1__orchestrator__descriptor, "CreateExecution", &request->base);
}

static void on_template(struct gw_call *call, const ProtobufCMessage *reply) {
    const Callsheet__V1__Pipeline *pipeline = (const Callsheet__V1__Pipeline *)reply;
    struct run *run = call->user;
    run->version = pipeline->version;
    create(call, (const char *)pipeline->template_.data, pipeline->template_.len);
}

void gw_handle_pipeline_run(struct gw_api *api, struct gw_request *request, const char *arg) {
    CS_AUTO_JSON *body = NULL;
    int64_t version = 0;
    struct cs_err err = {0};
    if (!name_plausible(request, arg)) {
        return;
    }
    if (read_run(request, &body, &version, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    struct gw_call *call = gw_call_create(api, request, on_template);
    struct run *run = cs_arena_alloc(gw_request_arena(request), sizeof(*run));
    const struct gw_builtin_pipeline *builtin = gw_builtin_pipeline_find(arg, (unsigned)version);
    *run = (struct run){.name = arg};
    call->user = run;
    if (builtin != NULL) {
        run->version = builtin->version;
        create(call, builtin->template, strlen(builtin->template));
    } else {
        start_get(call, arg, (uint32_t)version);
    }
}
