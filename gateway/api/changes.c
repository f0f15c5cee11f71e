/* Plans that change under way: POST /v1/executions/ID/jobs, PATCH and DELETE /v1/executions/ID/jobs/JOB. */
#include <string.h>

#include "api/body.h"
#include "api/call.h"
#include "api/errors.h"
#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "dialect/dialect.h"
#include "view/execution_view.h"

static void start(struct gw_call *call, const char *method, const ProtobufCMessage *message) {
    gw_call_start(call, &callsheet__v1__orchestrator__descriptor, method, message);
}

/* Which job of which execution; lives in the request's arena. */
struct target {
    char *execution;
    char *job; /* or NULL */
    const struct gw_paths *paths;
};

static void answer_changed(struct gw_call *call, const ProtobufCMessage *reply) {
    const struct gw_links links = gw_api_links(call->api);
    gw_answer_header(call->request, "Cache-Control", "no-store");
    gw_answer_json(call->request, 200,
                   gw_view_execution((const Callsheet__V1__Execution *)reply, GW_VIEW_WHOLE, &links));
}

static void put_words(struct gw_call *call, __attribute__((unused)) const struct cs_err *err, struct cs_err *ret_told) {
    const struct target *target = call->user;
    if (target->paths != NULL) {
        (void)gw_paths_translate_err(target->paths, ret_told);
    }
}

/* "ID" or "ID/jobs/JOB"; answers 404 when it cannot be one. */
static struct target *target_of(struct gw_request *request, const char *arg) {
    struct target *target = cs_arena_alloc(gw_request_arena(request), sizeof(*target));
    target->execution = cs_arena_strdup(gw_request_arena(request), arg);
    char *rest = strchr(target->execution, '/');
    if (rest != NULL) {
        *rest = '\0';
        target->job = strrchr(rest + 1, '/') + 1;
    }
    if (cs_id_valid(target->execution, GW_EXECUTION_ID_MAX)) {
        return target;
    }
    struct cs_err err = {0};
    (void)cs_fail(&err, CS_NOT_FOUND, "no_such_execution", "Execution not found");
    gw_answer_error(request, &err);
    return NULL;
}

static struct gw_call *call_of(struct gw_api *api, struct gw_request *request, struct target *target,
                               void (*replied)(struct gw_call *call, const ProtobufCMessage *reply)) {
    struct gw_call *call = gw_call_create(api, request, replied);
    call->user = target;
    call->failed = put_words;
    return call;
}

/* ---- append ---- */

static enum cs_status read_append(struct gw_request *request, struct target *target,
                                  Callsheet__V1__AppendJobsRequest *append, struct cs_err *err) {
    CS_AUTO_JSON *body = NULL;
    struct gw_paths *paths = NULL;
    CS_TRY(gw_body_read(request, &body, err));
    CS_TRY(gw_dialect_read_append(body, gw_request_arena(request), append, &paths, err));
    target->paths = paths;
    return CS_OK;
}

void gw_handle_append(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__AppendJobsRequest append = CALLSHEET__V1__APPEND_JOBS_REQUEST__INIT;
    struct target *target = target_of(request, arg);
    struct cs_err err = {0};
    if (target == NULL) {
        return;
    }
    if (read_append(request, target, &append, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    append.tenant = (char *)gw_request_tenant(request);
    append.execution_id = target->execution;
    start(call_of(api, request, target, answer_changed), "AppendJobs", &append.base);
}

/* ---- edit: the job says how its parameters are read ---- */

static const char *operation_of(const Callsheet__V1__Execution *execution, const char *job) {
    for (size_t i = 0; i < execution->n_jobs; i++) {
        if (strcmp(execution->jobs[i]->id, job) == 0) {
            return execution->jobs[i]->operation;
        }
    }
    return NULL;
}

static enum cs_status read_edit(struct gw_call *call, const Callsheet__V1__Execution *execution,
                                Callsheet__V1__EditJobRequest *edit, struct cs_err *err) {
    struct target *target = call->user;
    CS_AUTO_JSON *body = NULL;
    const char *operation = operation_of(execution, target->job);
    struct gw_paths *paths = NULL;
    if (operation == NULL) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_job", "Job not found");
    }
    CS_TRY(gw_body_read(call->request, &body, err));
    CS_TRY(gw_dialect_read_params(body, operation, gw_request_arena(call->request), &edit->operation, &paths, err));
    target->paths = paths;
    return CS_OK;
}

static void edit_known(struct gw_call *call, const ProtobufCMessage *reply) {
    Callsheet__V1__EditJobRequest edit = CALLSHEET__V1__EDIT_JOB_REQUEST__INIT;
    struct target *target = call->user;
    struct cs_err err = {0};
    if (read_edit(call, (const Callsheet__V1__Execution *)reply, &edit, &err) != CS_OK) {
        gw_answer_error(call->request, &err);
        return;
    }
    edit.tenant = (char *)gw_request_tenant(call->request);
    edit.execution_id = target->execution;
    edit.job_id = target->job;
    call->replied = answer_changed;
    start(call, "EditJob", &edit.base);
}

void gw_handle_edit_job(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__GetExecutionRequest get = CALLSHEET__V1__GET_EXECUTION_REQUEST__INIT;
    struct target *target = target_of(request, arg);
    struct cs_err err = {0};
    if (target == NULL) {
        return;
    }
    CS_AUTO_JSON *body = NULL; /* read again when the job is known: the request keeps it */
    if (gw_body_read(request, &body, &err) != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    get.tenant = (char *)gw_request_tenant(request);
    get.execution_id = target->execution;
    start(call_of(api, request, target, edit_known), "GetExecution", &get.base);
}

/* ---- remove ---- */

void gw_handle_remove_job(struct gw_api *api, struct gw_request *request, const char *arg) {
    Callsheet__V1__RemoveJobRequest take_away = CALLSHEET__V1__REMOVE_JOB_REQUEST__INIT;
    struct target *target = target_of(request, arg);
    const char *cascade = gw_request_query(request, "cascade");
    if (target == NULL) {
        return;
    }
    if (cascade != NULL && !cs_str_eq(cascade, "true") && !cs_str_eq(cascade, "false")) {
        struct cs_err err = {0};
        (void)cs_fail_at(&err, "cascade", "unknown_word", "cascade must be true or false");
        gw_answer_error(request, &err);
        return;
    }
    take_away.tenant = (char *)gw_request_tenant(request);
    take_away.execution_id = target->execution;
    take_away.job_id = target->job;
    take_away.cascade = cs_str_eq(cascade, "true");
    start(call_of(api, request, target, answer_changed), "RemoveJob", &take_away.base);
}
