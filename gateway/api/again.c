/* An execution once more: /api/execute/ID/retry, /v1/executions/ID/retry and rerun. */
#include <string.h>

#include "api/body.h"
#include "api/call.h"
#include "api/created.h"
#include "api/errors.h"
#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "dialect/reader.h"
#include "view/execution_view.h"

static const ProtobufCServiceDescriptor *const orchestrator = &callsheet__v1__orchestrator__descriptor;

/* An id that cannot be one is like one that is not there; otherwise answers 404. */
static bool id_plausible(struct gw_request *request, const char *id) {
    struct cs_err err = {0};
    if (cs_id_valid(id, GW_EXECUTION_ID_MAX)) {
        return true;
    }
    (void)cs_fail(&err, CS_NOT_FOUND, "no_such_execution", "Execution not found");
    gw_answer_error(request, &err);
    return false;
}

/* The header Idempotency-Key over that of the body. */
static enum cs_status read_key(const struct gw_request *request, char *from_body, struct gw_paths *paths,
                               char **ret_key, struct cs_err *err) {
    Callsheet__V1__CreateExecutionRequest carrier = CALLSHEET__V1__CREATE_EXECUTION_REQUEST__INIT;
    const struct gw_submission submission = {.request = &carrier, .paths = paths};
    carrier.idempotency_key = from_body;
    CS_TRY(gw_api_idempotency_key(request, &submission, err));
    *ret_key = carrier.idempotency_key;
    return CS_OK;
}

static void answer_created(struct gw_call *call, const ProtobufCMessage *reply) {
    const Callsheet__V1__CreateExecutionReply *created = (const Callsheet__V1__CreateExecutionReply *)reply;
    gw_answer_created(call->request, created, gw_view_created(created));
}

/* ---- retry ---- */

static enum cs_status read_retry(struct gw_request *request, Callsheet__V1__RetryExecutionRequest *retry,
                                 struct cs_err *err) {
    static const char *const known[] = {"idempotencyKey", NULL};
    struct cs_arena *arena = gw_request_arena(request);
    CS_AUTO_JSON *body = NULL;
    char *key = NULL;
    CS_TRY(gw_body_read(request, &body, err));
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", known, arena, err));
    CS_TRY(read_text(member(body, "idempotencyKey"), "idempotencyKey", arena, &key, err));
    return read_key(request, key != NULL ? key : (char *)"", gw_paths_create(arena), &retry->idempotency_key, err);
}

void gw_handle_retry(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__RetryExecutionRequest retry = CALLSHEET__V1__RETRY_EXECUTION_REQUEST__INIT;
    struct cs_err err = {0};
    if (!id_plausible(request, arg)) {
        return;
    }
    if (read_retry(request, &retry, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    retry.tenant = (char *)gw_request_tenant(request);
    retry.execution_id = (char *)arg;
    gw_call_start(gw_call_create(api, request, answer_created), orchestrator, "RetryExecution", &retry.base);
}

/* ---- rerun: what the operations are is asked first ---- */

struct rerun {
    const char *id;
    struct gw_paths *paths;
};

static void translate(struct gw_call *call, const struct cs_err *err, struct cs_err *ret_told) {
    const struct rerun *rerun = call->user;
    if (err->path[0] != '\0') {
        (void)gw_paths_translate_err(rerun->paths, ret_told);
    }
}

static enum cs_status read_rerun(struct gw_call *call, const Callsheet__V1__Execution *execution,
                                 Callsheet__V1__RerunExecutionRequest *message, struct cs_err *err) {
    const struct rerun *rerun = call->user;
    CS_AUTO_JSON *body = NULL;
    CS_TRY(gw_body_read(call->request, &body, err));
    CS_TRY(gw_dialect_read_rerun(body, execution, gw_request_arena(call->request), message, rerun->paths, err));
    return read_key(call->request, message->idempotency_key, rerun->paths, &message->idempotency_key, err);
}

static void start_rerun(struct gw_call *call, const ProtobufCMessage *reply) {
    Callsheet__V1__RerunExecutionRequest message = CALLSHEET__V1__RERUN_EXECUTION_REQUEST__INIT;
    struct rerun *rerun = call->user;
    struct cs_err err = {0};
    if (read_rerun(call, (const Callsheet__V1__Execution *)reply, &message, &err) != CS_OK) {
        gw_answer_error(call->request, &err);
        return;
    }
    message.tenant = (char *)gw_request_tenant(call->request);
    message.execution_id = (char *)rerun->id;
    call->replied = answer_created;
    gw_call_start(call, orchestrator, "RerunExecution", &message.base);
}

void gw_handle_rerun(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__GetExecutionRequest get = CALLSHEET__V1__GET_EXECUTION_REQUEST__INIT;
    if (!id_plausible(request, arg)) {
        return;
    }
    struct rerun *rerun = cs_arena_alloc(gw_request_arena(request), sizeof(*rerun));
    *rerun = (struct rerun){.id = arg, .paths = gw_paths_create(gw_request_arena(request))};
    struct gw_call *call = gw_call_create(api, request, start_rerun);
    call->user = rerun;
    call->failed = translate;
    get.tenant = (char *)gw_request_tenant(request);
    get.execution_id = (char *)arg;
    gw_call_start(call, orchestrator, "GetExecution", &get.base);
}
