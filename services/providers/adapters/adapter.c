#include "adapters/adapter.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"

static bool serves(const struct prv_model *model, const char *operation) {
    for (size_t i = 0; model->operations[i] != NULL; i++) {
        if (cs_str_eq(model->operations[i], operation)) {
            return true;
        }
    }
    return false;
}

const struct prv_model *prv_adapter_model(const struct prv_adapter *adapter, const char *operation, const char *model) {
    for (size_t i = 0; i < adapter->model_count; i++) {
        const struct prv_model *row = &adapter->models[i];
        if (serves(row, operation) && (cs_str_empty(model) || cs_str_eq(row->id, model))) {
            return row;
        }
    }
    return NULL;
}

bool prv_adapter_host_allowed(const struct prv_adapter *adapter, const char *host) {
    for (size_t i = 0; adapter->output_hosts != NULL && adapter->output_hosts[i] != NULL; i++) {
        const char *allowed = adapter->output_hosts[i];
        size_t length = strlen(host);
        size_t tail = strlen(allowed);
        if (cs_str_eq(host, allowed) ||
            (length > tail && host[length - tail - 1] == '.' && cs_str_ends(host, allowed))) {
            return true;
        }
    }
    return false;
}

struct status_row {
    int from;
    int to;
    Callsheet__V1__FailureClass failure_class;
    const char *code; /* NULL: http_STATUS */
    const char *sentence;
};

static const struct status_row rows[] = {
    {400, 400, PRV_CLASS(INVALID_INPUT), "bad_request", "does not accept the request"},
    {401, 401, PRV_CLASS(AUTH), "provider_auth", "does not accept the API key; configure another one"},
    {402, 402, PRV_CLASS(BILLING), "provider_billing", "wants to be paid first"},
    {403, 403, PRV_CLASS(AUTH), "provider_forbidden", "does not allow this with the API key; configure one that may"},
    {404, 404, PRV_CLASS(INVALID_INPUT), "not_found", "does not know this model or prediction"},
    {413, 413, PRV_CLASS(INVALID_INPUT), "too_big", "finds the request too big"},
    {422, 422, PRV_CLASS(INVALID_INPUT), "bad_request", "does not accept the parameters"},
    {429, 429, PRV_CLASS(RATE_LIMITED), "rate_limited", "wants fewer requests"},
    {408, 408, PRV_CLASS(TRANSIENT), NULL, "was too slow"},
    {409, 409, PRV_CLASS(TRANSIENT), NULL, "is busy with it"},
    {425, 425, PRV_CLASS(TRANSIENT), NULL, "is not ready"},
    {400, 499, PRV_CLASS(INVALID_INPUT), NULL, "does not accept the request"},
    {0, 999, PRV_CLASS(TRANSIENT), NULL, "has failed"},
};

struct prv_failure prv_failure_from_status(const char *provider, int status, const char *detail,
                                           int64_t retry_after_ms) {
    const struct status_row *row = rows;
    while (status < row->from || status > row->to) {
        row++;
    }
    char code[PRV_CODE_SIZE];
    (void)snprintf(code, sizeof(code), "http_%d", status);
    struct prv_failure failure =
        prv_failure_make(row->failure_class, row->code != NULL ? row->code : code, "%s %s (HTTP %d)%s%s", provider,
                         row->sentence, status, cs_str_empty(detail) ? "" : ": ", detail != NULL ? detail : "");
    failure.retry_after_ms = retry_after_ms;
    return failure;
}

bool prv_status_is_refusal(int status) {
    return status >= 400 && status <= 499 && status != 408 && status != 409 && status != 425;
}
