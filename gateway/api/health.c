#include <string.h>

#include "api/api.h"
#include "api/errors.h"
#include "api/events.h"
#include "callsheet/v1/orchestrator.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"

enum { CHECK_TIMEOUT_MS = 2000, METRICS_TIMEOUT_MS = 1000 };

struct check {
    struct gw_api *api;
    struct gw_request *request;
};

static void answer_health(struct gw_api *api, struct gw_request *request, const char *orchestrator) {
    bool draining = atomic_load(&api->draining);
    bool ready = !draining && strcmp(orchestrator, "serving") == 0;
    gw_answer_header(request, "Cache-Control", "no-store");
    gw_answer_json(request, ready ? 200 : 503,
                   json_pack("{s:s, s:b, s:b, s:s}", "status",
                             ready      ? "ok"
                             : draining ? "draining"
                                        : "unavailable",
                             "live", 1, "ready", ready, "orchestrator", orchestrator));
}

static void checked(const ProtobufCMessage *reply, __attribute__((unused)) const struct cs_err *err, void *user) {
    const struct check *check = user;
    const Grpc__Health__V1__HealthCheckResponse *health = (const Grpc__Health__V1__HealthCheckResponse *)reply;
    bool serving = health != NULL && health->status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    answer_health(check->api, check->request, serving ? "serving" : health != NULL ? "not_serving" : "unreachable");
}

void gw_handle_health(struct gw_api *api, struct gw_request *request, __attribute__((unused)) const char *arg) {
    Grpc__Health__V1__HealthCheckRequest message = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct check *check = cs_arena_alloc(gw_request_arena(request), sizeof(*check));
    const struct cs_rpc_options options = {.timeout_ms = CHECK_TIMEOUT_MS, .trace = gw_request_trace(request)};
    struct cs_err err = {0};
    *check = (struct check){api, request};
    if (!gw_api_enter(api, &err)) {
        gw_answer_error(request, &err);
        return;
    }
    gw_request_park(request);
    cs_rpc_invoke_async(api->calls, &grpc__health__v1__health__descriptor, "Check", &message.base, &options, checked,
                        check);
    gw_api_leave(api);
}

void gw_handle_live(__attribute__((unused)) struct gw_api *api, struct gw_request *request,
                    __attribute__((unused)) const char *arg) {
    gw_answer_json(request, 200, json_pack("{s:s}", "status", "ok"));
}

static void put_gauge(struct cs_buf *out, const char *name, const char *type, const char *help, uint64_t value) {
    cs_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
                  (unsigned long long)value);
}

/* Ours, and those of the orchestrator when it has answered. */
static void answer_metrics(struct gw_api *api, struct gw_request *request, const char *more) {
    CS_AUTO_BUF text = {0};
    gw_metrics_write(api->metrics, &text);
    put_gauge(&text, "callsheet_http_connections", "gauge", "open connections", gw_server_connections(api->server));
    put_gauge(&text, "callsheet_http_open_requests", "gauge", "requests that are not finished",
              gw_server_open_requests(api->server));
    put_gauge(&text, "callsheet_http_reaped_total", "counter", "connections cut because they were too slow",
              gw_server_reaped(api->server));
    put_gauge(&text, "callsheet_http_event_streams", "gauge", "open event streams", gw_events_count(api->events));
    cs_rpc_metrics(api->rpc, &text);
    put_gauge(&text, "callsheet_orchestrator_up", "gauge", "whether it answered with its metrics", more != NULL);
    cs_buf_puts(&text, more != NULL ? more : "");
    gw_answer_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", text.data);
}

static void got_metrics(const ProtobufCMessage *reply, __attribute__((unused)) const struct cs_err *err, void *user) {
    const struct check *check = user;
    const Callsheet__V1__GetMetricsReply *metrics = (const Callsheet__V1__GetMetricsReply *)reply;
    answer_metrics(check->api, check->request, metrics != NULL ? metrics->text : NULL);
}

void gw_handle_metrics(struct gw_api *api, struct gw_request *request, __attribute__((unused)) const char *arg) {
    Callsheet__V1__GetMetricsRequest message = CALLSHEET__V1__GET_METRICS_REQUEST__INIT;
    struct check *check = cs_arena_alloc(gw_request_arena(request), sizeof(*check));
    const struct cs_rpc_options options = {.timeout_ms = METRICS_TIMEOUT_MS, .trace = gw_request_trace(request)};
    struct cs_err err = {0};
    *check = (struct check){api, request};
    if (!gw_api_enter(api, &err)) {
        answer_metrics(api, request, NULL);
        return;
    }
    gw_request_park(request);
    cs_rpc_invoke_async(api->calls, &callsheet__v1__orchestrator__descriptor, "GetMetrics", &message.base, &options,
                        got_metrics, check);
    gw_api_leave(api);
}
