/* What is reported about external jobs: /v1/external. The token of the attempt is the key. */
#include <string.h>
#include <strings.h>

#include "api/body.h"
#include "api/call.h"
#include "api/errors.h"
#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "dialect/external.h"
#include "view/json_parts.h"

typedef enum cs_status read_fn(const json_t *body, struct cs_arena *arena, Callsheet__V1__ReportExternalRequest *report,
                               struct cs_err *err);

/* Never in the URL: that is logged. "" none, which is no token of anything. */
static char *token_of(struct gw_request *request) {
    static const char scheme[] = "Bearer ";
    const char *authorization = gw_request_header(request, "Authorization");
    bool given = authorization != NULL && strncasecmp(authorization, scheme, strlen(scheme)) == 0;
    const char *token = given ? authorization + strlen(scheme) : "";
    return cs_utf8_valid(token, strlen(token)) ? (char *)token : "";
}

static void answer(struct gw_call *call, const ProtobufCMessage *reply) {
    const Callsheet__V1__Execution *execution = (const Callsheet__V1__Execution *)reply;
    json_t *body = json_object();
    if (execution->n_jobs == 1) {
        (void)json_object_set_new(body, "jobId", json_string(execution->jobs[0]->id));
        (void)json_object_set_new(body, "status",
                                  view_word(&callsheet__v1__job_state__descriptor, (int)execution->jobs[0]->state));
    }
    gw_answer_header(call->request, "Cache-Control", "no-store");
    gw_answer_json(call->request, 200, body);
}

static void put_words(struct gw_call *call, __attribute__((unused)) const struct cs_err *err, struct cs_err *ret_told) {
    (void)gw_paths_translate_err(call->user, ret_told);
}

static enum cs_status read_into(struct gw_request *request, read_fn *read_report,
                                Callsheet__V1__ReportExternalRequest *report, struct gw_paths *paths,
                                struct cs_err *err) {
    CS_AUTO_JSON *body = NULL;
    CS_TRY(gw_body_read(request, &body, err));
    if (read_report == gw_external_complete_read) {
        gw_external_complete_paths(body, paths);
    }
    return read_report(body, gw_request_arena(request), report, err) == CS_OK ? CS_OK
                                                                              : gw_paths_translate_err(paths, err);
}

static void report(struct gw_api *api, struct gw_request *request, read_fn *read_report) {
    Callsheet__V1__ReportExternalRequest message = CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__INIT;
    struct gw_paths *paths = gw_paths_create(gw_request_arena(request));
    struct cs_err err = {0};
    if (read_into(request, read_report, &message, paths, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    message.token = token_of(request);
    struct gw_call *call = gw_call_create(api, request, answer);
    call->failed = put_words;
    call->user = paths;
    gw_call_start(call, &callsheet__v1__orchestrator__descriptor, "ReportExternal", &message.base);
}

void gw_handle_external_complete(struct gw_api *api, struct gw_request *request,
                                 __attribute__((unused)) const char *arg) {
    report(api, request, gw_external_complete_read);
}

void gw_handle_external_fail(struct gw_api *api, struct gw_request *request, __attribute__((unused)) const char *arg) {
    report(api, request, gw_external_fail_read);
}

void gw_handle_external_heartbeat(struct gw_api *api, struct gw_request *request,
                                  __attribute__((unused)) const char *arg) {
    report(api, request, gw_external_heartbeat_read);
}
