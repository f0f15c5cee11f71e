#include "api/api.h"

#include <string.h>

#include "api/internal.h"
#include "cs/base/id.h"
#include "wire/approval_wire.h"
#include "wire/external_wire.h"
#include "wire/page_token.h"
#include "wire/plan_wire.h"

enum cs_status orc_target_check(const char *tenant, const char *execution_id, struct cs_err *err) {
    CS_TRY(orc_tenant_check(tenant, err));
    if (!cs_id_valid(execution_id, CS_ID_LENGTH)) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_execution", "Execution not found");
    }
    return CS_OK;
}

/* ---- answers of the engine; ctx is the call ---- */

static void on_created(const Callsheet__V1__CreateExecutionReply *reply, const struct cs_err *err, void *ctx) {
    if (reply == NULL) {
        cs_rpc_refuse(ctx, err);
    } else {
        cs_rpc_reply(ctx, &reply->base);
    }
}

static void on_execution(const Callsheet__V1__Execution *execution, const struct cs_err *err, void *ctx) {
    if (execution == NULL) {
        cs_rpc_refuse(ctx, err);
    } else {
        cs_rpc_reply(ctx, &execution->base);
    }
}

static bool is_forwarded(const struct cs_rpc_call *call) {
    return cs_rpc_call_metadata(call, ORC_FORWARDED_KEY) != NULL;
}

void orc_api_get(struct orc_api *api, const char *tenant, const char *id, bool forwarded, orc_read_fn *done,
                 void *ctx) {
    Callsheet__V1__GetExecutionRequest request = CALLSHEET__V1__GET_EXECUTION_REQUEST__INIT;
    request.tenant = (char *)tenant;
    request.execution_id = (char *)id;
    struct orc_asked *asked = orc_asked_create(api->forward, &request.base, forwarded, done, ctx);
    orc_engine_get(api->engine, tenant, id, orc_asked_answer, asked);
}

/* ---- handlers ---- */

/* The message lives until the call is answered. */
static enum cs_status create_on_base(struct cs_rpc_call *call, const ProtobufCMessage *message, struct orc_api *api,
                                     struct cs_err *err) {
    CS_TRY(orc_gate_enter(&api->gate, err));
    cs_rpc_defer(call);
    orc_engine_submit_on_base(api->engine, (Callsheet__V1__CreateExecutionRequest *)message, cs_rpc_call_trace(call),
                              on_created, call);
    orc_gate_leave(&api->gate);
    return CS_OK;
}

static enum cs_status create_execution(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                       struct cs_err *err) {
    struct orc_api *api = ctx;
    if (((const Callsheet__V1__CreateExecutionRequest *)message)->base_execution_id[0] != '\0') {
        return create_on_base(call, message, api, err);
    }
    struct orc_submission *submission = NULL;
    /* The message is the dispatcher's and goes with the call: numbering the inputs in it harms nobody. */
    Callsheet__V1__CreateExecutionRequest *request = (Callsheet__V1__CreateExecutionRequest *)message;
    CS_TRY(orc_submission_from(request, cs_rpc_call_trace(call), &submission, err));
    if (orc_gate_enter(&api->gate, err) != CS_OK) {
        orc_submission_destroy(submission);
        return err->status;
    }
    cs_rpc_defer(call);
    orc_engine_submit(api->engine, submission, on_created, call);
    orc_gate_leave(&api->gate);
    return CS_OK;
}

static enum cs_status retry_execution(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                      struct cs_err *err) {
    struct orc_api *api = ctx;
    const Callsheet__V1__RetryExecutionRequest *request = (const Callsheet__V1__RetryExecutionRequest *)message;
    CS_TRY(orc_target_check(request->tenant, request->execution_id, err));
    CS_TRY(orc_gate_enter(&api->gate, err));
    cs_rpc_defer(call);
    orc_engine_retry(api->engine, request, cs_rpc_call_trace(call), on_created, call);
    orc_gate_leave(&api->gate);
    return CS_OK;
}

static enum cs_status rerun_execution(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                      struct cs_err *err) {
    struct orc_api *api = ctx;
    const Callsheet__V1__RerunExecutionRequest *request = (const Callsheet__V1__RerunExecutionRequest *)message;
    CS_TRY(orc_target_check(request->tenant, request->execution_id, err));
    CS_TRY(orc_gate_enter(&api->gate, err));
    cs_rpc_defer(call);
    orc_engine_rerun(api->engine, request, cs_rpc_call_trace(call), on_created, call);
    orc_gate_leave(&api->gate);
    return CS_OK;
}

static enum cs_status get_execution(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                    struct cs_err *err) {
    struct orc_api *api = ctx;
    const Callsheet__V1__GetExecutionRequest *request = (const Callsheet__V1__GetExecutionRequest *)message;
    CS_TRY(orc_target_check(request->tenant, request->execution_id, err));
    CS_TRY(orc_gate_enter(&api->gate, err));
    cs_rpc_defer(call);
    orc_api_get(api, request->tenant, request->execution_id, is_forwarded(call), on_execution, call);
    orc_gate_leave(&api->gate);
    return CS_OK;
}

static enum cs_status cancel_execution(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                       struct cs_err *err) {
    struct orc_api *api = ctx;
    const Callsheet__V1__CancelExecutionRequest *request = (const Callsheet__V1__CancelExecutionRequest *)message;
    CS_TRY(orc_target_check(request->tenant, request->execution_id, err));
    if (strlen(request->reason) > ORC_CANCEL_REASON_BYTES_MAX) {
        return cs_fail_at(err, "reason", "bad_reason", "a reason has at most %d bytes", ORC_CANCEL_REASON_BYTES_MAX);
    }
    CS_TRY(orc_gate_enter(&api->gate, err));
    cs_rpc_defer(call);
    struct orc_asked *asked = orc_asked_create(api->forward, message, is_forwarded(call), on_execution, call);
    orc_engine_cancel(api->engine, request->tenant, request->execution_id, request->reason, orc_asked_answer, asked);
    orc_gate_leave(&api->gate);
    return CS_OK;
}

/* Takes the change over. */
static enum cs_status start_change(struct cs_rpc_call *call, const ProtobufCMessage *message, struct orc_api *api,
                                   const char *tenant, const char *id, struct orc_change *change, struct cs_err *err) {
    if (orc_gate_enter(&api->gate, err) != CS_OK) {
        orc_change_destroy(change);
        return err->status;
    }
    cs_rpc_defer(call);
    struct orc_asked *asked = orc_asked_create(api->forward, message, is_forwarded(call), on_execution, call);
    orc_engine_change(api->engine, tenant, id, change, orc_asked_answer, asked);
    orc_gate_leave(&api->gate);
    return CS_OK;
}

static enum cs_status append_jobs(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                  struct cs_err *err) {
    const Callsheet__V1__AppendJobsRequest *request = (const Callsheet__V1__AppendJobsRequest *)message;
    struct orc_change *change = NULL;
    CS_TRY(orc_target_check(request->tenant, request->execution_id, err));
    CS_TRY(orc_change_from_append(request, &change, err));
    return start_change(call, message, ctx, request->tenant, request->execution_id, change, err);
}

static enum cs_status edit_job(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                               struct cs_err *err) {
    const Callsheet__V1__EditJobRequest *request = (const Callsheet__V1__EditJobRequest *)message;
    struct orc_change *change = NULL;
    CS_TRY(orc_target_check(request->tenant, request->execution_id, err));
    CS_TRY(orc_change_from_edit(request, &change, err));
    return start_change(call, message, ctx, request->tenant, request->execution_id, change, err);
}

static enum cs_status remove_job(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                 struct cs_err *err) {
    const Callsheet__V1__RemoveJobRequest *request = (const Callsheet__V1__RemoveJobRequest *)message;
    struct orc_change *change = NULL;
    CS_TRY(orc_target_check(request->tenant, request->execution_id, err));
    CS_TRY(orc_change_from_remove(request, &change, err));
    return start_change(call, message, ctx, request->tenant, request->execution_id, change, err);
}

static enum cs_status check_list(const Callsheet__V1__ListExecutionsRequest *request, struct cs_err *err) {
    struct orc_page_start start;
    CS_TRY(orc_tenant_check(request->tenant, err));
    if (request->page_size > ORC_PAGE_SIZE_MAX) {
        return cs_fail_at(err, "pageSize", "bad_page_size", "a page has 1 to %d executions", ORC_PAGE_SIZE_MAX);
    }
    if (request->since_ms < 0) {
        return cs_fail_at(err, "sinceMs", "out_of_range", "a time is not negative");
    }
    if (request->n_execution_ids > ORC_LIST_IDS_MAX) {
        return cs_fail_at(err, "executionIds", "too_many", "a list names at most %d executions", ORC_LIST_IDS_MAX);
    }
    if (request->skip > ORC_LIST_SKIP_MAX) {
        return cs_fail_at(err, "skip", "out_of_range", "a list skips at most %d executions; page tokens go on",
                          ORC_LIST_SKIP_MAX);
    }
    return orc_page_token_parse(request->page_token, &start, err);
}

static enum cs_status list_executions(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                      struct cs_err *err) {
    struct orc_api *api = ctx;
    Callsheet__V1__ListExecutionsRequest request = *(const Callsheet__V1__ListExecutionsRequest *)message;
    CS_TRY(check_list(&request, err));
    request.page_size = request.page_size > 0 ? request.page_size : ORC_PAGE_SIZE_DEFAULT;
    Callsheet__V1__ListExecutionsReply *reply = NULL;
    CS_TRY(orc_gate_enter(&api->gate, err));
    enum cs_status status = orc_engine_list(api->engine, &request, cs_rpc_call_arena(call), &reply, err);
    orc_gate_leave(&api->gate);
    CS_TRY(status);
    cs_rpc_reply(call, &reply->base);
    return CS_OK;
}

static enum cs_status decide_approval(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                      struct cs_err *err) {
    struct orc_api *api = ctx;
    const Callsheet__V1__DecideApprovalRequest *request = (const Callsheet__V1__DecideApprovalRequest *)message;
    CS_TRY(orc_target_check(request->tenant, request->execution_id, err));
    CS_TRY(orc_decision_check(request, err));
    if (strlen(request->job_id) > ORC_JOB_ID_BYTES_MAX) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_job", "the execution has no job of this id");
    }
    CS_TRY(orc_gate_enter(&api->gate, err));
    cs_rpc_defer(call);
    struct orc_asked *asked = orc_asked_create(api->forward, message, is_forwarded(call), on_execution, call);
    orc_engine_decide(api->engine, request, orc_asked_answer, asked);
    orc_gate_leave(&api->gate);
    return CS_OK;
}

/* An execution that is gone looks like a token that never was one. */
static void on_reported(const Callsheet__V1__Execution *execution, const struct cs_err *err, void *ctx) {
    struct cs_err told = {0};
    if (execution == NULL && err->status == CS_NOT_FOUND) {
        (void)orc_external_unknown(&told);
        err = &told;
    }
    on_execution(execution, err, ctx);
}

static enum cs_status report_external(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                      struct cs_err *err) {
    struct orc_api *api = ctx;
    struct orc_external_token token;
    Callsheet__V1__ReportExternalRequest request = *(const Callsheet__V1__ReportExternalRequest *)message;
    CS_TRY(orc_engine_read_token(api->engine, request.token, &token, err));
    CS_TRY(orc_external_report_check(&request, err));
    request.tenant = token.tenant; /* that is where it is sent on to */
    request.execution_id = token.execution;
    CS_TRY(orc_gate_enter(&api->gate, err));
    cs_rpc_defer(call);
    struct orc_asked *asked = orc_asked_create(api->forward, &request.base, is_forwarded(call), on_reported, call);
    orc_engine_report(api->engine, &request, &token, orc_asked_answer, asked);
    orc_gate_leave(&api->gate);
    return CS_OK;
}

static void on_metrics(const char *text, const struct cs_err *err, void *ctx) {
    Callsheet__V1__GetMetricsReply reply = CALLSHEET__V1__GET_METRICS_REPLY__INIT;
    if (text == NULL) {
        cs_rpc_refuse(ctx, err);
        return;
    }
    reply.text = (char *)text;
    cs_rpc_reply(ctx, &reply.base);
}

static enum cs_status get_metrics(struct cs_rpc_call *call, __attribute__((unused)) const ProtobufCMessage *message,
                                  void *ctx, struct cs_err *err) {
    struct orc_api *api = ctx;
    CS_TRY(orc_gate_enter(&api->gate, err));
    cs_rpc_defer(call);
    orc_engine_ask_metrics(api->engine, on_metrics, call);
    orc_gate_leave(&api->gate);
    return CS_OK;
}

static enum cs_status invalidate_cache(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                       struct cs_err *err) {
    struct orc_api *api = ctx;
    const Callsheet__V1__InvalidateCacheRequest *request = (const Callsheet__V1__InvalidateCacheRequest *)message;
    Callsheet__V1__InvalidateCacheReply reply = CALLSHEET__V1__INVALIDATE_CACHE_REPLY__INIT;
    CS_TRY(orc_target_check(request->tenant, request->execution_id, err));
    CS_TRY(orc_gate_enter(&api->gate, err));
    enum cs_status status =
        orc_engine_invalidate(api->engine, request->tenant, request->execution_id, &reply.entries, err);
    orc_gate_leave(&api->gate);
    CS_TRY(status);
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

static const struct cs_rpc_method methods[] = {
    {.name = "CreateExecution", .unary = create_execution},
    {.name = "GetExecution", .unary = get_execution},
    {.name = "ListExecutions", .unary = list_executions},
    {.name = "WatchExecution", .stream = &orc_watch_events},
    {.name = "AppendJobs", .unary = append_jobs},
    {.name = "EditJob", .unary = edit_job},
    {.name = "RemoveJob", .unary = remove_job},
    {.name = "DecideApproval", .unary = decide_approval},
    {.name = "ReportExternal", .unary = report_external},
    {.name = "RetryExecution", .unary = retry_execution},
    {.name = "RerunExecution", .unary = rerun_execution},
    {.name = "CancelExecution", .unary = cancel_execution},
    {.name = "GetMetrics", .unary = get_metrics},
    {.name = "InvalidateCache", .unary = invalidate_cache},
};

/* ---- life ---- */

struct orc_api *orc_api_create(struct orc_engine *engine, const struct orc_peers_config *peers) {
    struct orc_api *api = cs_alloc(sizeof(*api));
    api->engine = engine;
    api->forward = orc_forward_create(engine, peers);
    orc_gate_init(&api->gate);
    (void)pthread_mutex_init(&api->watchers_lock, NULL);
    return api;
}

void orc_api_destroy(struct orc_api *api) {
    if (api == NULL) {
        return;
    }
    orc_forward_destroy(api->forward);
    orc_gate_fini(&api->gate);
    (void)pthread_mutex_destroy(&api->watchers_lock);
    free(api);
}

struct cs_rpc_service orc_api_service(struct orc_api *api) {
    return (struct cs_rpc_service){
        .descriptor = &callsheet__v1__orchestrator__descriptor,
        .methods = methods,
        .method_count = CS_COUNT(methods),
        .ctx = api,
    };
}

void orc_api_drain(struct orc_api *api) {
    orc_engine_end_lists(api->engine);
    orc_gate_close(&api->gate);
    orc_watchers_end(api);
    orc_forward_stop(api->forward);
}
