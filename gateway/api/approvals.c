/* Decisions about what awaits an approval: /v1/executions/ID/approve and reject, /api/v3/jobs/ID/approve. */
#include "api/body.h"
#include "api/call.h"
#include "api/errors.h"
#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "dialect/reader.h"
#include "view/execution_view.h"
#include "view/scene_view.h"

static const char somebody[] = "api"; /* who decided, when they do not say */

static void start(struct gw_call *call, const char *method, const ProtobufCMessage *message) {
    gw_call_start(call, &callsheet__v1__orchestrator__descriptor, method, message);
}

/* ---- /v1 ---- */

static void answer_decided(struct gw_call *call, const ProtobufCMessage *reply) {
    const struct gw_links links = gw_api_links(call->api);
    gw_answer_header(call->request, "Cache-Control", "no-store");
    gw_answer_json(call->request, 200,
                   gw_view_execution((const Callsheet__V1__Execution *)reply, GW_VIEW_WHOLE, &links));
}

static enum cs_status read_decision(struct gw_request *request, Callsheet__V1__DecideApprovalRequest *decide,
                                    struct cs_err *err) {
    static const char *const known[] = {"jobId", "comment", "by", NULL};
    struct cs_arena *arena = gw_request_arena(request);
    CS_AUTO_JSON *body = NULL;
    char *job = NULL;
    char *comment = NULL;
    char *by = NULL;
    CS_TRY(gw_body_read(request, &body, err));
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", known, arena, err));
    CS_TRY(read_text(member(body, "jobId"), "jobId", arena, &job, err));
    CS_TRY(read_text(member(body, "comment"), "comment", arena, &comment, err));
    CS_TRY(read_text(member(body, "by"), "by", arena, &by, err));
    decide->job_id = job != NULL ? job : decide->job_id;
    decide->comment = comment != NULL ? comment : decide->comment;
    decide->by = !cs_str_empty(by) ? by : (char *)somebody;
    return CS_OK;
}

static void decide(struct gw_api *api, struct gw_request *request, const char *id, bool approve) {
    Callsheet__V1__DecideApprovalRequest message = CALLSHEET__V1__DECIDE_APPROVAL_REQUEST__INIT;
    struct cs_err err = {0};
    if (!cs_id_valid(id, GW_EXECUTION_ID_MAX)) {
        (void)cs_fail(&err, CS_NOT_FOUND, "no_such_execution", "Execution not found");
        gw_answer_error(request, &err);
        return;
    }
    if (read_decision(request, &message, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    message.tenant = (char *)gw_request_tenant(request);
    message.execution_id = (char *)id;
    message.approve = approve;
    start(gw_call_create(api, request, answer_decided), "DecideApproval", &message.base);
}

void gw_handle_approve(struct gw_api *api, struct gw_request *request, const char *arg) {
    decide(api, request, arg, true);
}

void gw_handle_reject(struct gw_api *api, struct gw_request *request, const char *arg) {
    decide(api, request, arg, false);
}

/* ---- /api/v3: a job there is an execution here ---- */

struct elix {
    struct gw_call *call;
    const char *id;
    char reason[CS_ERR_MESSAGE_MAX]; /* why it cannot be approved */
};

static void answer_not_found(struct gw_request *request, const char *id) {
    gw_answer_json(request, 404, json_pack("{s:s, s:s}", "error", "Job not found", "job_id", id));
}

static void answer_unapprovable(struct gw_call *call, const ProtobufCMessage *reply) {
    const struct elix *elix = call->user;
    gw_answer_json(call->request, 422,
                   json_pack("{s:s, s:s, s:s, s:s}", "error", "Job cannot be approved", "job_id", elix->id,
                             "current_status", gw_elix_status((const Callsheet__V1__Execution *)reply), "reason",
                             elix->reason));
}

/* The answer needs its state; a request that is parked stays so. */
static void ask_state(struct elix *elix, const struct cs_err *err) {
    Callsheet__V1__GetExecutionRequest get = CALLSHEET__V1__GET_EXECUTION_REQUEST__INIT;
    cs_str_copy(elix->reason, sizeof(elix->reason), err->message);
    get.tenant = (char *)gw_request_tenant(elix->call->request);
    get.execution_id = (char *)elix->id;
    start(elix->call, "GetExecution", &get.base);
}

static void on_elix(const ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct elix *elix = user;
    struct gw_request *request = elix->call->request;
    if (reply != NULL) {
        gw_answer_json(request, 200,
                       json_pack("{s:s, s:s, s:s}", "message", "Job approved successfully", "job_id", elix->id,
                                 "status", "approved"));
    } else if (err->status == CS_NOT_FOUND) {
        answer_not_found(request, elix->id);
    } else if (err->status == CS_FAILED_PRECONDITION) {
        ask_state(elix, err);
    } else {
        struct cs_err told = gw_error_of_call(err);
        gw_answer_error(request, &told);
    }
}

void gw_handle_elix_approve(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__DecideApprovalRequest message = CALLSHEET__V1__DECIDE_APPROVAL_REQUEST__INIT;
    if (!cs_id_valid(arg, GW_EXECUTION_ID_MAX)) {
        answer_not_found(request, arg);
        return;
    }
    struct elix *elix = cs_arena_alloc(gw_request_arena(request), sizeof(*elix));
    elix->id = arg;
    elix->call = gw_call_create(api, request, answer_unapprovable);
    elix->call->user = elix;
    message.tenant = (char *)gw_request_tenant(request);
    message.execution_id = (char *)arg;
    message.approve = true;
    message.by = (char *)somebody;
    elix->call->ended = on_elix;
    start(elix->call, "DecideApproval", &message.base);
}
