#include "wire/request_check.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "wire/plan_wire.h"

enum cs_status orc_tenant_check(const char *tenant, struct cs_err *err) {
    size_t length = strlen(tenant);
    if (length == 0 || length > ORC_TENANT_BYTES_MAX ||
        strspn(tenant, "abcdefghijklmnopqrstuvwxyz0123456789_-") != length) {
        return cs_fail_at(err, "tenant", "bad_tenant", "a tenant is 1 to %d bytes of [a-z0-9_-]", ORC_TENANT_BYTES_MAX);
    }
    return CS_OK;
}

bool orc_pipeline_name_valid(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= ORC_PIPELINE_NAME_BYTES_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static bool has_control(const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c < 0x20 || *c == 0x7F) {
            return true;
        }
    }
    return false;
}

static enum cs_status check_webhook(const Callsheet__V1__WebhookTarget *webhook, struct cs_err *err) {
    if (webhook == NULL) {
        return CS_OK;
    }
    if (!cs_web_url_valid(webhook->url)) {
        return cs_fail_at(err, "webhook.url", "bad_webhook_url",
                          "a webhook's URL is http(s)://host… without user and password, at most %d bytes",
                          CS_URL_BYTES_MAX);
    }
    if (strlen(webhook->secret) > ORC_WEBHOOK_SECRET_BYTES_MAX) {
        return cs_fail_at(err, "webhook.secret", "bad_webhook_secret", "a webhook's secret has at most %d bytes",
                          ORC_WEBHOOK_SECRET_BYTES_MAX);
    }
    return CS_OK;
}

static bool label_key_taken(const Callsheet__V1__CreateExecutionRequest *request, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (cs_str_eq(request->labels[i]->key, request->labels[index]->key)) {
            return true;
        }
    }
    return false;
}

static enum cs_status check_label(const Callsheet__V1__CreateExecutionRequest *request, size_t index,
                                  struct cs_err *err) {
    const Callsheet__V1__Label *label = request->labels[index];
    const char *wrong = NULL;
    if (label->key[0] == '\0' || strlen(label->key) > ORC_LABEL_KEY_BYTES_MAX) {
        wrong = "a label's key has 1 to 128 bytes";
    } else if (has_control(label->key)) {
        wrong = "a label's key has no control characters";
    } else if (label_key_taken(request, index)) {
        wrong = "another label has this key";
    }
    if (wrong == NULL) {
        return CS_OK;
    }
    char prefix[32];
    (void)snprintf(prefix, sizeof(prefix), "labels[%zu]", index);
    (void)cs_fail_at(err, "key", "bad_label", "%s", wrong);
    return cs_err_at(err, prefix);
}

static enum cs_status check_labels(const Callsheet__V1__CreateExecutionRequest *request, struct cs_err *err) {
    if (request->n_labels > ORC_LABELS_MAX) {
        return cs_fail_at(err, "labels", "labels_too_big", "an execution has at most %d labels", ORC_LABELS_MAX);
    }
    size_t total = 0;
    for (size_t i = 0; i < request->n_labels; i++) {
        CS_TRY(check_label(request, i, err));
        total += strlen(request->labels[i]->key) + strlen(request->labels[i]->value);
    }
    if (total > ORC_LABELS_BYTES_MAX) {
        return cs_fail_at(err, "labels", "labels_too_big", "labels have at most %d bytes in all", ORC_LABELS_BYTES_MAX);
    }
    return CS_OK;
}

static enum cs_status check_pipeline(const Callsheet__V1__PipelineRef *pipeline, struct cs_err *err) {
    if (pipeline == NULL) {
        return CS_OK;
    }
    if (!orc_pipeline_name_valid(pipeline->name)) {
        return cs_fail_at(err, "pipeline.name", "bad_name", "a pipeline's name is 1 to %d of a-z 0-9 -",
                          ORC_PIPELINE_NAME_BYTES_MAX);
    }
    if (pipeline->version == 0 || pipeline->version > INT32_MAX) {
        return cs_fail_at(err, "pipeline.version", "out_of_range", "versions count from 1");
    }
    return CS_OK;
}

enum cs_status orc_request_check(const Callsheet__V1__CreateExecutionRequest *request, struct cs_err *err) {
    if (protobuf_c_message_get_packed_size(&request->base) > ORC_REQUEST_BYTES_MAX) {
        return cs_fail_at(err, "", "request_too_big", "a request has at most %d bytes", ORC_REQUEST_BYTES_MAX);
    }
    CS_TRY(orc_tenant_check(request->tenant, err));
    if (strlen(request->idempotency_key) > ORC_IDEMPOTENCY_KEY_BYTES_MAX || has_control(request->idempotency_key)) {
        return cs_fail_at(err, "idempotencyKey", "bad_idempotency_key",
                          "an idempotency key has at most %d bytes and no control characters",
                          ORC_IDEMPOTENCY_KEY_BYTES_MAX);
    }
    CS_TRY(check_webhook(request->webhook, err));
    CS_TRY(check_pipeline(request->pipeline, err));
    if (request->timeout_ms < 0 || request->timeout_ms > ORC_TIMEOUT_MS_MAX) {
        return cs_fail_at(err, "timeoutMs", "bad_timeout", "a timeout is 1 to %lld ms, or 0 for the default",
                          (long long)ORC_TIMEOUT_MS_MAX);
    }
    return check_labels(request, err);
}
