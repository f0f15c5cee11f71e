#include "ops/deliver.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <utlist.h>

#include "cs/base/clock.h"
#include "cs/base/crash.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "domain/signature.h"
#include "domain/verdict.h"

struct delivery {
    struct delivery *prev;
    struct delivery *next;
    struct whk_deliverer *deliverer;
    struct cs_assignment *assignment;
    uint64_t request; /* of cs_http */
    int64_t started_ms;
};

struct whk_deliverer {
    struct cs_http *http;
    struct cs_http_policy policy;
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct delivery *open;
};

enum { HEADERS_MAX = 8 };

/* The headers of one try; the texts live as long as the struct. */
struct headers {
    struct cs_http_header rows[HEADERS_MAX];
    size_t count;
    char timestamp[24];
    struct whk_signatures signatures;
};

static void add(struct headers *headers, const char *name, const char *value) {
    headers->rows[headers->count++] = (struct cs_http_header){name, value};
}

static enum cs_status make_headers(const Callsheet__V1__DeliverWebhook *webhook, int64_t now_s, struct headers *headers,
                                   struct cs_err *err) {
    (void)snprintf(headers->timestamp, sizeof(headers->timestamp), "%" PRId64, now_s);
    add(headers, "Content-Type", "application/json");
    add(headers, "webhook-id", webhook->event_id);
    add(headers, "webhook-timestamp", headers->timestamp);
    if (cs_str_empty(webhook->secret)) {
        return CS_OK;
    }
    struct whk_message message = {webhook->event_id, now_s, webhook->body.data, webhook->body.len};
    CS_TRY(whk_sign(webhook->secret, &message, &headers->signatures, err));
    add(headers, "webhook-signature", headers->signatures.standard);
    add(headers, "X-Webhook-Signature", headers->signatures.sha256);
    add(headers, "x-synthome-signature", headers->signatures.synthome);
    return CS_OK;
}

/* ---- the end ---- */

static void log_try(struct cs_assignment *assignment, const struct whk_verdict *verdict, int status,
                    const char *address, int64_t took_ms) {
    const Callsheet__V1__Assign *assign = cs_assignment_get(assignment);
    const Callsheet__V1__DeliverWebhook *webhook = assign->operation->deliver_webhook;
    char url[256];
    char trace[CS_TRACE_ID_HEX_SIZE];
    cs_url_for_log(webhook->url, url, sizeof(url));
    cs_trace_id_hex(cs_assignment_trace(assignment), trace);
    const struct cs_kv pairs[] = {
        CS_KV("execution", assign->execution),
        CS_KV("job", assign->job),
        CS_KVI("attempt", assign->attempt),
        CS_KVI("try", webhook->tries),
        CS_KV("event_id", webhook->event_id),
        CS_KV("url", url),
        CS_KV("address", address),
        CS_KVI("status", status),
        CS_KVI("took_ms", took_ms),
        CS_KV("code", verdict->delivered ? NULL : verdict->code),
        CS_KV("trace", trace),
    };
    if (verdict->delivered) {
        cs_log_write(CS_LOG_INFO, "webhook delivered", pairs, CS_COUNT(pairs));
    } else {
        cs_log_write(CS_LOG_WARN, "webhook not delivered", pairs, CS_COUNT(pairs));
    }
}

static void report(struct cs_assignment *assignment, const struct whk_verdict *verdict, int status) {
    if (!verdict->delivered) {
        cs_report_failed(assignment, verdict->failure_class, verdict->code, verdict->retry_after_ms, "%s",
                         verdict->sentence);
        return;
    }
    Callsheet__V1__Metric metric = CALLSHEET__V1__METRIC__INIT;
    Callsheet__V1__Metric *metrics[] = {&metric};
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    metric.name = (char *)"httpStatus";
    metric.value = status;
    succeeded.n_metrics = 1;
    succeeded.metrics = metrics;
    cs_report_succeeded(assignment, &succeeded);
}

static void answered(const struct cs_http_answer *answer, const struct cs_err *err, void *user) {
    struct delivery *delivery = user;
    struct whk_deliverer *deliverer = delivery->deliverer;
    (void)pthread_mutex_lock(&deliverer->lock);
    DL_DELETE(deliverer->open, delivery);
    (void)pthread_mutex_unlock(&deliverer->lock);

    struct whk_verdict verdict =
        err == NULL ? whk_verdict_of_answer(answer->status, answer->retry_after_ms) : whk_verdict_of_error(err);
    log_try(delivery->assignment, &verdict, answer->status, answer->address, cs_clock_mono_ms() - delivery->started_ms);
    cs_crash_at(CS_CRASH_WEBHOOKS_BEFORE_RESULT);
    report(delivery->assignment, &verdict, answer->status);
    free(delivery);
}

/* ---- the try ---- */

static void send_try(struct whk_deliverer *deliverer, struct cs_assignment *assignment, const struct headers *headers) {
    const Callsheet__V1__DeliverWebhook *webhook = cs_assignment_get(assignment)->operation->deliver_webhook;
    int64_t left_ms = cs_assignment_left_ms(assignment);
    struct cs_http_request request = {
        .method = "POST",
        .url = webhook->url,
        .headers = headers->rows,
        .header_count = headers->count,
        .body = webhook->body.data,
        .body_size = webhook->body.len,
        .connect_timeout_ms = WHK_CONNECT_TIMEOUT_MS,
        .timeout_ms = left_ms > 0 && left_ms < WHK_TIMEOUT_MS ? left_ms : WHK_TIMEOUT_MS,
        .answer_bytes_max = WHK_ANSWER_BYTES_MAX,
        .answer_may_be_cut = true,
        .guard = &deliverer->policy,
        .trace = cs_assignment_trace(assignment),
    };
    struct delivery *delivery = cs_alloc(sizeof(*delivery));
    *delivery = (struct delivery){.deliverer = deliverer, .assignment = assignment, .started_ms = cs_clock_mono_ms()};
    (void)pthread_mutex_lock(&deliverer->lock);
    DL_APPEND(deliverer->open, delivery);
    delivery->request = cs_http_start(deliverer->http, &request, answered, delivery);
    (void)pthread_mutex_unlock(&deliverer->lock);
}

static enum cs_status check(const Callsheet__V1__Assign *assign, struct cs_err *err) {
    if (assign->operation == NULL ||
        assign->operation->params_case != CALLSHEET__V1__OPERATION__PARAMS_DELIVER_WEBHOOK) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "unknown_operation", "this worker delivers webhooks and nothing else");
    }
    if (assign->operation->deliver_webhook->body.len > WHK_BODY_BYTES_MAX) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "too_big", "a webhook's body has at most %d bytes",
                       WHK_BODY_BYTES_MAX);
    }
    return CS_OK;
}

static void start(struct cs_assignment *assignment, void *ctx) {
    const Callsheet__V1__Assign *assign = cs_assignment_get(assignment);
    struct headers headers = {0};
    struct cs_err err = {0};
    enum cs_status status = check(assign, &err);
    if (status == CS_OK) {
        status = make_headers(assign->operation->deliver_webhook, cs_clock_unix_ms() / 1000, &headers, &err);
    }
    if (status != CS_OK) {
        cs_report_failed(assignment, CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT, err.reason, 0, "%s",
                         err.message);
        return;
    }
    cs_crash_at(CS_CRASH_WEBHOOKS_BEFORE_SEND);
    send_try(ctx, assignment, &headers);
}

static void cancel(struct cs_assignment *assignment, const char *reason, void *ctx) {
    struct whk_deliverer *deliverer = ctx;
    struct delivery *delivery = NULL;
    (void)reason;
    (void)pthread_mutex_lock(&deliverer->lock);
    DL_SEARCH_SCALAR(deliverer->open, delivery, assignment, assignment);
    uint64_t request = delivery != NULL ? delivery->request : 0;
    (void)pthread_mutex_unlock(&deliverer->lock);
    if (request != 0) {
        cs_http_cancel(deliverer->http, request);
    }
}

const struct cs_worker_ops whk_deliver_ops = {.start = start, .cancel = cancel};

struct whk_deliverer *whk_deliverer_create(struct cs_http *http, bool allow_private_targets) {
    struct whk_deliverer *deliverer = cs_alloc(sizeof(*deliverer));
    deliverer->http = http;
    deliverer->policy = (struct cs_http_policy){.allow_http = true, .allow_private = allow_private_targets};
    (void)pthread_mutex_init(&deliverer->lock, NULL);
    return deliverer;
}

void whk_deliverer_destroy(struct whk_deliverer *deliverer) {
    if (deliverer != NULL) {
        (void)pthread_mutex_destroy(&deliverer->lock);
        free(deliverer);
    }
}
