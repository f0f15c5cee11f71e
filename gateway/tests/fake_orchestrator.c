#include "tests/fake_orchestrator.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cs/base/text.h"
#include "cs/json.h"
#include "cs/test.h"

static void remember(struct fake *fake, struct cs_rpc_call *call, const ProtobufCMessage *request) {
    CS_AUTO_JSON *value = cs_json_from_message(request, 0);
    (void)pthread_mutex_lock(&fake->lock);
    free(fake->last);
    fake->last = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER);
    cs_trace_id_hex(cs_rpc_call_trace(call), fake->last_trace);
    (void)pthread_mutex_unlock(&fake->lock);
}

static enum cs_status planned(struct fake *fake, struct cs_err *err) {
    (void)pthread_mutex_lock(&fake->lock);
    struct cs_err failure = fake->failure;
    (void)pthread_mutex_unlock(&fake->lock);
    if (failure.status != CS_OK) {
        *err = failure;
    }
    return failure.status;
}

static enum cs_status create(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    struct fake *fake = ctx;
    Callsheet__V1__CreateExecutionReply reply = CALLSHEET__V1__CREATE_EXECUTION_REPLY__INIT;
    remember(fake, call, request);
    CS_TRY(planned(fake, err));
    reply.execution_id = "e1";
    reply.state = CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_PENDING;
    reply.created_at_ms = 1;
    reply.existing = fake->existing;
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

static void hang(struct fake *fake, struct cs_rpc_call *call) {
    cs_rpc_defer(call);
    (void)pthread_mutex_lock(&fake->lock);
    fake->hanging[fake->hanging_count++] = call;
    (void)pthread_cond_broadcast(&fake->changed);
    (void)pthread_mutex_unlock(&fake->lock);
}

static enum cs_status answer_execution(struct fake *fake, struct cs_rpc_call *call, const char *id,
                                       Callsheet__V1__ExecutionState state, struct cs_err *err) {
    Callsheet__V1__Execution execution = CALLSHEET__V1__EXECUTION__INIT;
    Callsheet__V1__JobStatus job = CALLSHEET__V1__JOB_STATUS__INIT;
    Callsheet__V1__Artifact artifact = CALLSHEET__V1__ARTIFACT__INIT;
    Callsheet__V1__JobStatus *jobs[] = {&job};
    Callsheet__V1__Artifact *outputs[] = {&artifact};
    CS_TRY(planned(fake, err));
    if (strcmp(id, "hang") == 0) {
        hang(fake, call);
        return CS_OK;
    }
    if (strcmp(id, "e1") != 0) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_execution", "there is no execution %s", id);
    }
    artifact.key = "dev/default/e1/m/1/merged.mp4";
    artifact.name = "merged.mp4";
    artifact.content_type = "video/mp4";
    artifact.type = CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO;
    job.id = "m";
    job.operation = "merge";
    job.state = CALLSHEET__V1__JOB_STATE__JOB_STATE_RUNNING;
    if (state == CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED) {
        job.state = CALLSHEET__V1__JOB_STATE__JOB_STATE_COMPLETED;
        job.outputs = outputs;
        job.n_outputs = 1;
        execution.result_job_id = "m";
    }
    execution.id = (char *)id;
    execution.state = state;
    execution.jobs = jobs;
    execution.n_jobs = 1;
    execution.created_at_ms = 1;
    cs_rpc_reply(call, &execution.base);
    return CS_OK;
}

static enum cs_status get(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    remember(ctx, call, request);
    return answer_execution(ctx, call, ((const Callsheet__V1__GetExecutionRequest *)request)->execution_id,
                            CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED, err);
}

static enum cs_status cancel(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    remember(ctx, call, request);
    return answer_execution(ctx, call, ((const Callsheet__V1__CancelExecutionRequest *)request)->execution_id,
                            CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_CANCELLED, err);
}

static enum cs_status invalidate(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx,
                                 struct cs_err *err) {
    const char *id = ((const Callsheet__V1__InvalidateCacheRequest *)request)->execution_id;
    Callsheet__V1__InvalidateCacheReply reply = CALLSHEET__V1__INVALIDATE_CACHE_REPLY__INIT;
    remember(ctx, call, request);
    if (strcmp(id, "e1") != 0) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_execution", "there is no execution %s", id);
    }
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

static enum cs_status decide(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    const Callsheet__V1__DecideApprovalRequest *decision = (const Callsheet__V1__DecideApprovalRequest *)request;
    remember(ctx, call, request);
    if (((struct fake *)ctx)->decided) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "not_awaiting_approval",
                       "the execution does not await an approval: it is completed");
    }
    return answer_execution(ctx, call, decision->execution_id, CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_PENDING,
                            err);
}

static enum cs_status report(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    const char *token = ((const Callsheet__V1__ReportExternalRequest *)request)->token;
    remember(ctx, call, request);
    if (strcmp(token, "ext.good") != 0) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_work", "there is no work to report about with this token");
    }
    return answer_execution(ctx, call, "e1", CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED, err);
}

static enum cs_status list(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    Callsheet__V1__ListExecutionsReply reply = CALLSHEET__V1__LIST_EXECUTIONS_REPLY__INIT;
    Callsheet__V1__Execution execution = CALLSHEET__V1__EXECUTION__INIT;
    Callsheet__V1__Execution *executions[] = {&execution};
    remember(ctx, call, request);
    CS_TRY(planned(ctx, err));
    execution.id = "e1";
    execution.state = CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_PROCESSING;
    reply.executions = executions;
    reply.n_executions = 1;
    reply.next_page_token = "next";
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

static enum cs_status metrics(struct cs_rpc_call *call, __attribute__((unused)) const ProtobufCMessage *request,
                              void *ctx, struct cs_err *err) {
    Callsheet__V1__GetMetricsReply reply = CALLSHEET__V1__GET_METRICS_REPLY__INIT;
    CS_TRY(planned(ctx, err));
    reply.text = "callsheet_jobs_ready 7\n";
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

/* ---- watches ---- */

static enum cs_status watch_opened(struct cs_rpc_stream *stream, const ProtobufCMessage *request, void *ctx,
                                   struct cs_err *err) {
    struct fake *fake = ctx;
    const char *id = ((const Callsheet__V1__WatchExecutionRequest *)request)->execution_id;
    if (strcmp(id, "e1") != 0) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_execution", "there is no execution %s", id);
    }
    cs_rpc_stream_set_user(stream, fake);
    (void)pthread_mutex_lock(&fake->lock);
    fake->watches[fake->watch_count++] = cs_rpc_stream_ref(stream);
    (void)pthread_cond_broadcast(&fake->changed);
    (void)pthread_mutex_unlock(&fake->lock);
    return CS_OK;
}

static void watch_closed(__attribute__((unused)) struct cs_rpc_stream *stream,
                         __attribute__((unused)) const struct cs_err *err, void *user) {
    struct fake *fake = user;
    (void)pthread_mutex_lock(&fake->lock);
    fake->closed_count++;
    (void)pthread_cond_broadcast(&fake->changed);
    (void)pthread_mutex_unlock(&fake->lock);
}

static const struct cs_rpc_stream_events watch_events = {.opened = watch_opened, .closed = watch_closed};

static bool await(struct fake *fake, const int *counter, int count) {
    struct timespec until;
    int waited = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FAKE_PATIENCE_S;
    (void)pthread_mutex_lock(&fake->lock);
    while (*counter < count && waited == 0) {
        waited = pthread_cond_timedwait(&fake->changed, &fake->lock, &until);
    }
    bool reached = *counter >= count;
    (void)pthread_mutex_unlock(&fake->lock);
    return reached;
}

bool fake_await_watches(struct fake *fake, int count) {
    return await(fake, &fake->watch_count, count);
}

bool fake_await_closed(struct fake *fake, int count) {
    return await(fake, &fake->closed_count, count);
}

bool fake_await_hanging(struct fake *fake, int count) {
    return await(fake, &fake->hanging_count, count);
}

static struct cs_rpc_stream *newest(struct fake *fake) {
    (void)pthread_mutex_lock(&fake->lock);
    struct cs_rpc_stream *stream = fake->watch_count != 0 ? fake->watches[fake->watch_count - 1] : NULL;
    (void)pthread_mutex_unlock(&fake->lock);
    assert_non_null(stream);
    return stream;
}

bool fake_send(struct fake *fake, bool snapshot, Callsheet__V1__ExecutionState state, uint64_t revision,
               size_t padding) {
    Callsheet__V1__ExecutionUpdate update = CALLSHEET__V1__EXECUTION_UPDATE__INIT;
    Callsheet__V1__Execution execution = CALLSHEET__V1__EXECUTION__INIT;
    Callsheet__V1__JobStatus job = CALLSHEET__V1__JOB_STATUS__INIT;
    Callsheet__V1__JobStatus *jobs[] = {&job};
    struct cs_err err = {0};
    CS_AUTO_FREE char *error = cs_alloc(padding + 1);
    memset(error, 'x', padding);
    job.id = "m";
    job.operation = "merge";
    job.state = CALLSHEET__V1__JOB_STATE__JOB_STATE_RUNNING;
    execution.id = "e1";
    execution.state = state;
    execution.revision = revision;
    execution.error = error;
    execution.jobs = jobs;
    execution.n_jobs = 1;
    update.snapshot = snapshot;
    update.execution = &execution;
    return cs_rpc_stream_send(newest(fake), &update.base, &err) == CS_OK;
}

void fake_end_watch(struct fake *fake, enum cs_status status) {
    struct cs_err err = {0};
    (void)cs_fail(&err, status, "scripted", "the watch ends as the test says");
    cs_rpc_stream_finish(newest(fake), status == CS_OK ? NULL : &err);
}

/* ---- life ---- */

static enum cs_status not_here(__attribute__((unused)) struct cs_rpc_call *call,
                               __attribute__((unused)) const ProtobufCMessage *request,
                               __attribute__((unused)) void *ctx, struct cs_err *err) {
    return cs_fail(err, CS_UNIMPLEMENTED, "not_here", "the fake does not do this");
}

/* Every method of the service: what it does, or that it does not. */
static size_t fill_methods(struct fake *fake) {
    static const struct cs_rpc_method scripted[] = {
        {"CreateExecution", create, NULL},     {"GetExecution", get, NULL},
        {"ListExecutions", list, NULL},        {"WatchExecution", NULL, &watch_events},
        {"CancelExecution", cancel, NULL},     {"GetMetrics", metrics, NULL},
        {"DecideApproval", decide, NULL},      {"ReportExternal", report, NULL},
        {"RetryExecution", create, NULL},      {"RerunExecution", create, NULL},
        {"InvalidateCache", invalidate, NULL},
    };
    const ProtobufCServiceDescriptor *service = &callsheet__v1__orchestrator__descriptor;
    assert_true(service->n_methods <= CS_COUNT(fake->methods));
    for (unsigned i = 0; i < service->n_methods; i++) {
        fake->methods[i] = (struct cs_rpc_method){service->methods[i].name, not_here, NULL};
        for (size_t k = 0; k < CS_COUNT(scripted); k++) {
            if (strcmp(scripted[k].name, service->methods[i].name) == 0) {
                fake->methods[i] = scripted[k];
            }
        }
    }
    return service->n_methods;
}

void fake_start(struct fake *fake) {
    struct cs_err err = {0};
    *fake = (struct fake){0};
    size_t method_count = fill_methods(fake);
    (void)pthread_mutex_init(&fake->lock, NULL);
    (void)pthread_cond_init(&fake->changed, NULL);
    fake->service =
        (struct cs_rpc_service){&callsheet__v1__orchestrator__descriptor, fake->methods, method_count, fake};
    const struct cs_rpc_server_config config = {
        .listen = "127.0.0.1:0", .services = &fake->service, .service_count = 1};
    assert_ok(cs_rpc_create(&(struct cs_rpc_config){0}, &fake->rpc, &err), &err);
    assert_ok(cs_rpc_server_start(fake->rpc, &config, &fake->server, &err), &err);
}

void fake_stop(struct fake *fake) {
    struct cs_err err = {0};
    (void)cs_fail(&err, CS_UNAVAILABLE, "stopping", "the test is over");
    (void)pthread_mutex_lock(&fake->lock);
    for (int i = 0; i < fake->hanging_count; i++) {
        cs_rpc_refuse(fake->hanging[i], &err);
    }
    (void)pthread_mutex_unlock(&fake->lock);
    cs_rpc_server_destroy(fake->server);
    for (int i = 0; i < fake->watch_count; i++) {
        cs_rpc_stream_unref(fake->watches[i]);
    }
    cs_rpc_destroy(fake->rpc);
    free(fake->last);
    (void)pthread_cond_destroy(&fake->changed);
    (void)pthread_mutex_destroy(&fake->lock);
}

const char *fake_address(const struct fake *fake) {
    return cs_rpc_server_address(fake->server);
}

void fake_fail_with(struct fake *fake, enum cs_status status, const char *reason, const char *path,
                    const char *message) {
    (void)pthread_mutex_lock(&fake->lock);
    fake->failure = (struct cs_err){0};
    if (status != CS_OK) {
        (void)cs_fail(&fake->failure, status, reason, "%s", message);
        cs_str_copy(fake->failure.path, sizeof(fake->failure.path), path);
    }
    (void)pthread_mutex_unlock(&fake->lock);
}

char *fake_last(struct fake *fake) {
    (void)pthread_mutex_lock(&fake->lock);
    char *last = cs_strdup(fake->last != NULL ? fake->last : "");
    (void)pthread_mutex_unlock(&fake->lock);
    return last;
}
