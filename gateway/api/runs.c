/* Tracked runs: /v1/runs. */
#include <string.h>

#include "api/call.h"
#include "api/errors.h"
#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "dialect/runs.h"
#include "view/run_view.h"

enum { RUN_ID_BYTES_MAX = 80, QUERY_BYTES_MAX = 512 };

/* What is needed when a call has ended. Lives in the request's arena. */
struct run_call {
    struct gw_request *request;
    const char *id_path; /* where the client wrote the run id */
    void (*answer)(struct gw_request *request, const ProtobufCMessage *reply);
};

/* The orchestrator's words for fields -> the client's. */
static void translate_path(const struct run_call *call, struct cs_err *err) {
    if (cs_str_eq(err->path, "client")) {
        cs_str_copy(err->path, sizeof(err->path), "clientId");
    } else if (cs_str_eq(err->path, "runId")) {
        cs_str_copy(err->path, sizeof(err->path), call->id_path);
    }
}

static void done(const ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct run_call *call = user;
    if (reply != NULL) {
        gw_answer_header(call->request, "Cache-Control", "no-store");
        call->answer(call->request, reply);
        return;
    }
    struct cs_err told = gw_error_of_call(err);
    if (err->status == CS_NOT_FOUND) {
        told = *err; /* it names the run that is missing */
    }
    translate_path(call, &told);
    gw_answer_error(call->request, &told);
}

static void start_call(struct gw_api *api, struct gw_request *request, const char *id_path, const char *method,
                       const ProtobufCMessage *message,
                       void (*answer)(struct gw_request *request, const ProtobufCMessage *reply)) {
    struct run_call *run_call = cs_arena_alloc(gw_request_arena(request), sizeof(*run_call));
    struct gw_call *call = gw_call_create(api, request, NULL);
    *run_call = (struct run_call){request, id_path, answer};
    call->ended = done;
    call->user = run_call;
    gw_call_start(call, &callsheet__v1__runs__descriptor, method, message);
}

/* The body as JSON; an empty one is {} where that is enough. */
static enum cs_status read_body(struct gw_request *request, bool may_be_empty, json_t **ret_value, struct cs_err *err) {
    const struct cs_buf *body = gw_request_body(request);
    if (body->size == 0 && may_be_empty) {
        *ret_value = json_object();
        return CS_OK;
    }
    return cs_json_parse(body->data != NULL ? body->data : "", body->size, ret_value, err);
}

static enum cs_status check_id(const char *id, struct cs_err *err) {
    if (!cs_id_valid(id, RUN_ID_BYTES_MAX)) {
        return cs_fail_at(err, "runId", "bad_run_id", "a run id is YYMMDD-HHMMSS, with -_N and -client behind it");
    }
    return CS_OK;
}

/* ---- start ---- */

static void answer_started(struct gw_request *request, const ProtobufCMessage *reply) {
    const Callsheet__V1__StartRunReply *started = (const Callsheet__V1__StartRunReply *)reply;
    bool is_new = !started->already_running && !started->already_exists;
    gw_answer_header(request, "Location",
                     cs_arena_sprintf(gw_request_arena(request), "/v1/runs/%s", started->run->run_id));
    gw_answer_json(request, is_new ? 202 : 200, gw_view_run_started(started));
}

static enum cs_status read_start(struct gw_request *request, Callsheet__V1__StartRunRequest *start,
                                 const char **ret_id_path, struct cs_err *err) {
    const char *query_id = gw_request_query(request, "runId");
    CS_AUTO_JSON *body = NULL;
    CS_TRY(read_body(request, false, &body, err));
    if (!cs_str_empty(query_id)) {
        CS_TRY(check_id(query_id, err));
    }
    CS_TRY(gw_run_start_read(body, query_id, gw_request_arena(request), start, ret_id_path, err));
    start->tenant = (char *)gw_request_tenant(request);
    return CS_OK;
}

void gw_handle_run_start(struct gw_api *api, struct gw_request *request, __attribute__((unused)) const char *arg) {
    Callsheet__V1__StartRunRequest start;
    const char *id_path = "runId";
    struct cs_err err = {0};
    if (read_start(request, &start, &id_path, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    start_call(api, request, id_path, "StartRun", &start.base, answer_started);
}

/* ---- heartbeat, complete ---- */

static void answer_changed(struct gw_request *request, const ProtobufCMessage *reply) {
    gw_answer_json(request, 200, gw_view_run_changed((const Callsheet__V1__ChangeRunReply *)reply));
}

static enum cs_status read_heartbeat(struct gw_request *request, const char *id,
                                     Callsheet__V1__HeartbeatRunRequest *heartbeat, struct cs_err *err) {
    CS_AUTO_JSON *body = NULL;
    CS_TRY(check_id(id, err));
    CS_TRY(read_body(request, true, &body, err));
    CS_TRY(gw_run_heartbeat_read(body, gw_request_arena(request), heartbeat, err));
    heartbeat->tenant = (char *)gw_request_tenant(request);
    heartbeat->run_id = (char *)id;
    return CS_OK;
}

void gw_handle_run_heartbeat(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__HeartbeatRunRequest heartbeat;
    struct cs_err err = {0};
    if (read_heartbeat(request, arg, &heartbeat, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    start_call(api, request, "runId", "HeartbeatRun", &heartbeat.base, answer_changed);
}

static enum cs_status read_complete(struct gw_request *request, const char *id,
                                    Callsheet__V1__CompleteRunRequest *complete, struct cs_err *err) {
    CS_AUTO_JSON *body = NULL;
    CS_TRY(check_id(id, err));
    CS_TRY(read_body(request, false, &body, err));
    CS_TRY(gw_run_complete_read(body, gw_request_arena(request), complete, err));
    complete->tenant = (char *)gw_request_tenant(request);
    complete->run_id = (char *)id;
    return CS_OK;
}

void gw_handle_run_complete(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__CompleteRunRequest complete;
    struct cs_err err = {0};
    if (read_complete(request, arg, &complete, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    start_call(api, request, "runId", "CompleteRun", &complete.base, answer_changed);
}

/* ---- read ---- */

/* A text of the query, "" without one. */
static enum cs_status read_query(const struct gw_request *request, const char *name, char **ret_text,
                                 struct cs_err *err) {
    const char *text = gw_request_query(request, name);
    if (text != NULL && (strlen(text) > QUERY_BYTES_MAX || !cs_utf8_valid(text, strlen(text)))) {
        return cs_fail_at(err, name, "bad_text", "%s has at most %d bytes of UTF-8", name, QUERY_BYTES_MAX);
    }
    *ret_text = (char *)(text != NULL ? text : "");
    return CS_OK;
}

static void answer_run(struct gw_request *request, const ProtobufCMessage *reply) {
    gw_answer_json(request, 200, gw_view_run((const Callsheet__V1__Run *)reply, GW_RUN_VIEW_WHOLE));
}

void gw_handle_run_get(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__GetRunRequest get = CALLSHEET__V1__GET_RUN_REQUEST__INIT;
    struct cs_err err = {0};
    if (check_id(arg, &err) != CS_OK || read_query(request, "clientId", &get.client, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    get.tenant = (char *)gw_request_tenant(request);
    get.run_id = (char *)arg;
    start_call(api, request, "runId", "GetRun", &get.base, answer_run);
}

static void answer_list(struct gw_request *request, const ProtobufCMessage *reply) {
    gw_answer_json(request, 200, gw_view_runs((const Callsheet__V1__ListRunsReply *)reply));
}

static enum cs_status read_list(const struct gw_request *request, Callsheet__V1__ListRunsRequest *list,
                                struct cs_err *err) {
    const char *limit = gw_request_query(request, "limit");
    const char *running = gw_request_query(request, "running");
    const char *client = gw_request_query(request, "clientId");
    int64_t size = GW_PAGE_SIZE_DEFAULT;
    if (limit != NULL && !cs_parse_i64(limit, 1, GW_PAGE_SIZE_MAX, &size)) {
        return cs_fail_at(err, "limit", "out_of_range", "limit must be from 1 to %d", GW_PAGE_SIZE_MAX);
    }
    if (running != NULL && !cs_str_eq(running, "true") && !cs_str_eq(running, "false")) {
        return cs_fail_at(err, "running", "unknown_word", "running must be true or false");
    }
    const char *client_name = client != NULL ? "clientId" : "client";
    CS_TRY(read_query(request, client_name, &list->client, err));
    CS_TRY(read_query(request, "jobType", &list->job_type, err));
    CS_TRY(read_query(request, "pageToken", &list->page_token, err));
    list->without_client = gw_request_query(request, client_name) != NULL && list->client[0] == '\0';
    list->page_size = (uint32_t)size;
    list->running_only = cs_str_eq(running, "true");
    return CS_OK;
}

void gw_handle_run_list(struct gw_api *api, struct gw_request *request, __attribute__((unused)) const char *arg) {
    Callsheet__V1__ListRunsRequest list = CALLSHEET__V1__LIST_RUNS_REQUEST__INIT;
    struct cs_err err = {0};
    if (read_list(request, &list, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    list.tenant = (char *)gw_request_tenant(request);
    start_call(api, request, "runId", "ListRuns", &list.base, answer_list);
}
