#include <string.h>

#include "api/call.h"
#include "api/created.h"
#include "api/errors.h"
#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "dialect/dialect.h"

enum { PAGE_TOKEN_BYTES_MAX = 512 };
enum { SKIP_MAX = 10000, WATCHED_MAX = 100 }; /* as the orchestrator has them */

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))

static void start(struct gw_call *call, const char *method, const ProtobufCMessage *message) {
    gw_call_start(call, &callsheet__v1__orchestrator__descriptor, method, message);
}

/* An id that cannot be one is like one that is not there; otherwise answers 404. */
static bool id_plausible(struct gw_request *request, const char *id) {
    if (cs_id_valid(id, GW_EXECUTION_ID_MAX)) {
        return true;
    }
    struct cs_err err = {0};
    (void)cs_fail(&err, CS_NOT_FOUND, "no_such_execution", "Execution not found");
    gw_answer_error(request, &err);
    return false;
}

/* ---- create ---- */

static void answer_created(struct gw_call *call, const ProtobufCMessage *reply) {
    const Callsheet__V1__CreateExecutionReply *created = (const Callsheet__V1__CreateExecutionReply *)reply;
    gw_answer_created(call->request, created, gw_view_created(created));
}

static enum cs_status read_submission(struct gw_request *request, struct gw_submission *submission,
                                      struct cs_err *err) {
    const struct cs_buf *body = gw_request_body(request);
    CS_AUTO_JSON *value = NULL;
    CS_TRY(cs_json_parse(body->data != NULL ? body->data : "", body->size, &value, err));
    CS_TRY(gw_dialect_read(value, gw_request_arena(request), submission, err));
    return gw_api_idempotency_key(request, submission, err);
}

static void translate(struct gw_call *call, __attribute__((unused)) const struct cs_err *err, struct cs_err *ret_told) {
    (void)gw_paths_translate_err(call->user, ret_told);
    if (gw_error_http_status(ret_told) == 500) { /* clients tell what could not be made from what broke in between */
        cs_str_copy(ret_told->reason, sizeof(ret_told->reason), GW_EXECUTION_FAILED);
        ret_told->path[0] = '\0';
    }
}

void gw_handle_create(struct gw_api *api, struct gw_request *request, __attribute__((unused)) const char *arg) {
    struct gw_submission submission = {0};
    struct cs_err err = {0};
    if (read_submission(request, &submission, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    struct gw_call *call = gw_call_create(api, request, answer_created);
    call->user = submission.paths;
    call->failed = translate;
    submission.request->tenant = (char *)gw_request_tenant(request);
    start(call, "CreateExecution", &submission.request->base);
}

/* ---- read ---- */

static void answer_execution(struct gw_call *call, const ProtobufCMessage *reply) {
    const struct gw_links links = gw_api_links(call->api);
    gw_answer_header(call->request, "Cache-Control", "no-store");
    gw_answer_json(call->request, 200,
                   gw_view_execution((const Callsheet__V1__Execution *)reply, GW_VIEW_WHOLE, &links));
}

static void answer_status(struct gw_call *call, const ProtobufCMessage *reply) {
    const struct gw_links links = gw_api_links(call->api);
    gw_answer_header(call->request, "Cache-Control", "no-store");
    gw_answer_json(call->request, 200, gw_view_status((const Callsheet__V1__Execution *)reply, call->user, &links));
}

static void start_get(struct gw_call *call, const char *id) {
    Callsheet__V1__GetExecutionRequest get = CALLSHEET__V1__GET_EXECUTION_REQUEST__INIT;
    get.tenant = (char *)gw_request_tenant(call->request);
    get.execution_id = (char *)id;
    start(call, "GetExecution", &get.base);
}

void gw_handle_get(struct gw_api *api, struct gw_request *request, const char *arg) {
    if (id_plausible(request, arg)) {
        start_get(gw_call_create(api, request, answer_execution), arg);
    }
}

void gw_handle_status(struct gw_api *api, struct gw_request *request, const char *arg) {
    if (!id_plausible(request, arg)) {
        return;
    }
    struct gw_call *call = gw_call_create(api, request, answer_status);
    bool is_v1 = cs_str_eq(gw_request_query(request, "dialect"), "v1");
    call->user = (char *)(is_v1 ? "in_progress" : "processing"); /* the word for what is under way */
    start_get(call, arg);
}

/* ---- list ---- */

static json_t *view_heads(const struct gw_call *call, const Callsheet__V1__ListExecutionsReply *list) {
    const struct gw_links links = gw_api_links(call->api);
    json_t *executions = json_array();
    for (size_t i = 0; i < list->n_executions; i++) {
        (void)json_array_append_new(executions, gw_view_execution(list->executions[i], GW_VIEW_HEAD, &links));
    }
    return executions;
}

static void answer_list(struct gw_call *call, const ProtobufCMessage *reply) {
    const Callsheet__V1__ListExecutionsReply *list = (const Callsheet__V1__ListExecutionsReply *)reply;
    json_t *body = json_object();
    SET(body, "executions", view_heads(call, list));
    SET(body, "nextPageToken", list->next_page_token[0] != '\0' ? json_string(list->next_page_token) : json_null());
    gw_answer_header(call->request, "Cache-Control", "no-store");
    gw_answer_json(call->request, 200, body);
}

static enum cs_status read_flag(const struct gw_request *request, const char *name, protobuf_c_boolean *ret_value,
                                struct cs_err *err) {
    const char *text = gw_request_query(request, name);
    if (text != NULL && !cs_str_eq(text, "true") && !cs_str_eq(text, "false")) {
        return cs_fail_at(err, name, "unknown_word", "%s must be true or false", name);
    }
    *ret_value = cs_str_eq(text, "true");
    return CS_OK;
}

static enum cs_status read_page(const struct gw_request *request, Callsheet__V1__ListExecutionsRequest *list,
                                struct cs_err *err) {
    const char *limit = gw_request_query(request, "limit");
    const char *token = gw_request_query(request, "pageToken");
    int64_t size = GW_PAGE_SIZE_DEFAULT;
    if (limit != NULL && !cs_parse_i64(limit, 1, GW_PAGE_SIZE_MAX, &size)) {
        return cs_fail_at(err, "limit", "out_of_range", "limit must be from 1 to %d", GW_PAGE_SIZE_MAX);
    }
    if (token != NULL && (strlen(token) > PAGE_TOKEN_BYTES_MAX || !cs_utf8_valid(token, strlen(token)))) {
        return cs_fail_at(err, "pageToken", "bad_page_token", "pageToken is not one of ours");
    }
    CS_TRY(read_flag(request, "active", &list->active_only, err));
    list->page_size = (uint32_t)size;
    list->page_token = (char *)(token != NULL ? token : "");
    return CS_OK;
}

void gw_handle_list(struct gw_api *api, struct gw_request *request, __attribute__((unused)) const char *arg) {
    Callsheet__V1__ListExecutionsRequest list = CALLSHEET__V1__LIST_EXECUTIONS_REQUEST__INIT;
    struct cs_err err = {0};
    if (read_page(request, &list, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    list.tenant = (char *)gw_request_tenant(request);
    start(gw_call_create(api, request, answer_list), "ListExecutions", &list.base);
}

/* ---- the list of a dashboard: pages by number, what is new since its last look, and what it watches ---- */

struct page {
    int64_t number; /* from 1 on */
    int64_t limit;
};

static void answer_dashboard(struct gw_call *call, const ProtobufCMessage *reply) {
    const Callsheet__V1__ListExecutionsReply *list = (const Callsheet__V1__ListExecutionsReply *)reply;
    const struct page *page = call->user;
    json_t *body = json_object();
    SET(body, "executions", view_heads(call, list));
    SET(body, "page", json_integer(page->number));
    SET(body, "limit", json_integer(page->limit));
    SET(body, "hasMore", json_boolean(list->next_page_token[0] != '\0'));
    gw_answer_header(call->request, "Cache-Control", "no-store");
    gw_answer_json(call->request, 200, body);
}

/* "id,id"; ids that cannot be ones are like ones that are not there. */
static enum cs_status read_watched(struct gw_request *request, Callsheet__V1__ListExecutionsRequest *list,
                                   struct cs_err *err) {
    const char *text = gw_request_query(request, "watchIds");
    struct cs_arena *arena = gw_request_arena(request);
    char *state = NULL;
    char *rest = cs_arena_strdup(arena, text != NULL ? text : "");
    list->execution_ids = cs_arena_array(arena, WATCHED_MAX, sizeof(char *));
    for (char *id = strtok_r(rest, ",", &state); id != NULL; id = strtok_r(NULL, ",", &state)) {
        if (!cs_id_valid(id, GW_EXECUTION_ID_MAX)) {
            continue;
        }
        if (list->n_execution_ids == WATCHED_MAX) {
            return cs_fail_at(err, "watchIds", "too_many", "watchIds names at most %d executions", WATCHED_MAX);
        }
        list->execution_ids[list->n_execution_ids++] = id;
    }
    return CS_OK;
}

static enum cs_status read_dashboard(struct gw_request *request, struct page *ret_page,
                                     Callsheet__V1__ListExecutionsRequest *list, struct cs_err *err) {
    const char *page = gw_request_query(request, "page");
    const char *limit = gw_request_query(request, "limit");
    const char *since = gw_request_query(request, "since");
    ret_page->number = 1;
    ret_page->limit = GW_PAGE_SIZE_DEFAULT;
    if (limit != NULL && !cs_parse_i64(limit, 1, GW_PAGE_SIZE_MAX, &ret_page->limit)) {
        return cs_fail_at(err, "limit", "out_of_range", "limit must be from 1 to %d", GW_PAGE_SIZE_MAX);
    }
    const int64_t pages_max = SKIP_MAX / ret_page->limit + 1;
    if (page != NULL && !cs_parse_i64(page, 1, pages_max, &ret_page->number)) {
        return cs_fail_at(err, "page", "out_of_range", "page must be from 1 to %lld; /v1/executions goes further",
                          (long long)pages_max);
    }
    if (since != NULL && !cs_parse_iso8601(since, &list->since_ms) &&
        !cs_parse_i64(since, 0, INT64_MAX, &list->since_ms)) {
        return cs_fail_at(err, "since", "bad_time",
                          "since must be a time such as 2026-01-31T12:00:00Z, or milliseconds");
    }
    list->page_size = (uint32_t)ret_page->limit;
    list->skip = (uint32_t)((ret_page->number - 1) * ret_page->limit);
    CS_TRY(read_flag(request, "activeOnly", &list->active_only, err));
    return read_watched(request, list, err);
}

void gw_handle_dashboard(struct gw_api *api, struct gw_request *request, __attribute__((unused)) const char *arg) {
    Callsheet__V1__ListExecutionsRequest list = CALLSHEET__V1__LIST_EXECUTIONS_REQUEST__INIT;
    struct gw_call *call = gw_call_create(api, request, answer_dashboard);
    struct page *page = cs_arena_alloc(gw_request_arena(request), sizeof(*page));
    struct cs_err err = {0};
    if (read_dashboard(request, page, &list, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    call->user = page;
    list.tenant = (char *)gw_request_tenant(request);
    start(call, "ListExecutions", &list.base);
}

/* ---- kept results ---- */

static void answer_invalidated(struct gw_call *call, __attribute__((unused)) const ProtobufCMessage *reply) {
    gw_answer_json(call->request, 200, json_pack("{s:s}", "message", "Cache invalidated"));
}

void gw_handle_invalidate(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__InvalidateCacheRequest invalidate = CALLSHEET__V1__INVALIDATE_CACHE_REQUEST__INIT;
    if (!id_plausible(request, arg)) {
        return;
    }
    invalidate.tenant = (char *)gw_request_tenant(request);
    invalidate.execution_id = (char *)arg;
    start(gw_call_create(api, request, answer_invalidated), "InvalidateCache", &invalidate.base);
}

/* ---- cancel ---- */

static enum cs_status read_reason(struct gw_request *request, char **ret_reason, struct cs_err *err) {
    const struct cs_buf *body = gw_request_body(request);
    CS_AUTO_JSON *value = NULL;
    const char *name = NULL;
    json_t *member = NULL;
    *ret_reason = "";
    if (body->size == 0) {
        return CS_OK;
    }
    CS_TRY(cs_json_parse(body->data, body->size, &value, err));
    if (!json_is_object(value)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "wrong_type", "the body must be an object");
    }
    json_object_foreach(value, name, member) {
        if (strcmp(name, "reason") != 0) {
            return cs_fail_at(err, name, "unknown_field", "the body has only a reason");
        }
    }
    const json_t *reason = json_object_get(value, "reason");
    if (reason != NULL && (!json_is_string(reason) || json_string_length(reason) > GW_CANCEL_REASON_BYTES_MAX)) {
        return cs_fail_at(err, "reason", "bad_text", "reason is text of at most %d bytes", GW_CANCEL_REASON_BYTES_MAX);
    }
    *ret_reason = cs_arena_strdup(gw_request_arena(request), json_string_value(reason));
    return CS_OK;
}

void gw_handle_cancel(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__CancelExecutionRequest cancel = CALLSHEET__V1__CANCEL_EXECUTION_REQUEST__INIT;
    struct cs_err err = {0};
    if (!id_plausible(request, arg)) {
        return;
    }
    if (read_reason(request, &cancel.reason, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    cancel.tenant = (char *)gw_request_tenant(request);
    cancel.execution_id = (char *)arg;
    start(gw_call_create(api, request, answer_execution), "CancelExecution", &cancel.base);
}
