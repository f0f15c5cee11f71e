#include "engine/transport.h"

#include <string.h>

#include "cs/base/text.h"

struct http_transport {
    struct prv_transport base;
    struct cs_http *http;
    char *base_url;
    char *authorization;
    struct cs_http_policy policy; /* of outputs */
    char own_host[256];           /* of base_url: outputs may come from there too */
};

struct waiting_call {
    prv_called_fn *done;
    void *user;
};

struct waiting_fetch {
    prv_fetched_fn *done;
    void *user;
};

static void on_called(const struct cs_http_answer *answer, const struct cs_err *err, void *user) {
    struct waiting_call call = *(struct waiting_call *)user;
    free(user);
    struct prv_answer out = {.status = answer->status,
                             .body = answer->body,
                             .body_size = answer->body_size,
                             .retry_after_ms = answer->retry_after_ms};
    call.done(&out, err, answer->request_sent, call.user);
}

static uint64_t call_http(struct prv_transport *base, const struct prv_call *call,
                          const struct prv_call_options *options, prv_called_fn *done, void *user) {
    struct http_transport *transport = (struct http_transport *)base;
    CS_AUTO_FREE char *url = cs_sprintf("%s%s", transport->base_url, call->path);
    struct cs_http_header headers[PRV_CALL_HEADERS_MAX + 2];
    size_t count = 0;
    headers[count++] = (struct cs_http_header){"Authorization", transport->authorization};
    if (call->body_size > 0) {
        headers[count++] = (struct cs_http_header){"Content-Type", "application/json"};
    }
    for (size_t i = 0; i < call->header_count; i++) {
        headers[count++] = call->headers[i];
    }
    struct waiting_call *waiting = cs_alloc(sizeof(*waiting));
    *waiting = (struct waiting_call){done, user};
    struct cs_http_request request = {
        .method = call->method,
        .url = url,
        .headers = headers,
        .header_count = count,
        .body = call->body,
        .body_size = call->body_size,
        .timeout_ms = PRV_CALL_TIMEOUT_MS,
        .answer_bytes_max = PRV_CALL_ANSWER_BYTES_MAX,
        .trace = options->trace,
    };
    return cs_http_start(transport->http, &request, on_called, waiting);
}

static void on_fetched(const struct cs_http_answer *answer, const struct cs_err *err, void *user) {
    struct waiting_fetch fetch = *(struct waiting_fetch *)user;
    free(user);
    struct cs_err own = {0};
    if (err == NULL && answer->status != 200) {
        /* a signed URL that has run out: the next attempt asks for a fresh one */
        (void)cs_fail(&own, CS_UNAVAILABLE, "output_lost", "the provider's output answers %d", answer->status);
        err = &own;
    }
    fetch.done(err, fetch.user);
}

struct refusal {
    struct waiting_fetch fetch;
    struct cs_err err;
};

static void refuse_later(void *ctx) {
    struct refusal *refusal = ctx;
    refusal->fetch.done(&refusal->err, refusal->fetch.user);
    free(refusal);
}

static bool host_allowed(const struct http_transport *transport, const struct prv_adapter *adapter, const char *url) {
    struct cs_url parsed;
    return cs_url_check(url, &transport->policy, &parsed, NULL) == CS_OK &&
           (prv_adapter_host_allowed(adapter, parsed.host) || cs_str_eq(parsed.host, transport->own_host));
}

static uint64_t fetch_http(struct prv_transport *base, const struct prv_adapter *adapter, const char *id,
                           const char *output_url, int fd, prv_fetched_fn *done, void *user) {
    struct http_transport *transport = (struct http_transport *)base;
    (void)id;
    if (!host_allowed(transport, adapter, output_url)) {
        struct refusal *refusal = cs_alloc(sizeof(*refusal));
        refusal->fetch = (struct waiting_fetch){done, user};
        (void)cs_fail(&refusal->err, CS_INTERNAL, "output_host",
                      "the provider's output is at a host that is not its own");
        cs_http_after_or(transport->http, 0, refuse_later, refusal, free);
        return 0;
    }
    struct waiting_fetch *waiting = cs_alloc(sizeof(*waiting));
    *waiting = (struct waiting_fetch){done, user};
    struct cs_http_request request = {
        .url = output_url,
        .timeout_ms = -1,
        .idle_timeout_ms = PRV_FETCH_IDLE_MS,
        .answer_bytes_max = PRV_OUTPUT_BYTES_MAX,
        .answer_fd = fd,
        .guard = &transport->policy,
    };
    return cs_http_start(transport->http, &request, on_fetched, waiting);
}

static void abort_http(struct prv_transport *base, uint64_t handle) {
    cs_http_cancel(((struct http_transport *)base)->http, handle);
}

static void destroy_http(struct prv_transport *base) {
    struct http_transport *transport = (struct http_transport *)base;
    free(transport->base_url);
    free(transport->authorization);
    free(transport);
}

static const struct prv_transport_ops ops = {
    .call = call_http, .fetch = fetch_http, .abort = abort_http, .destroy = destroy_http};

struct prv_transport *prv_http_transport_create(struct cs_http *http, const char *base_url, const char *authorization,
                                                bool allow_private_targets) {
    struct http_transport *transport = cs_alloc(sizeof(*transport));
    struct cs_http_policy any = {.allow_http = true, .allow_private = true};
    struct cs_url parsed = {0};
    *transport = (struct http_transport){
        .base = {.ops = &ops},
        .http = http,
        .base_url = cs_strdup(base_url),
        .authorization = cs_strdup(authorization),
        .policy = {.allow_http = allow_private_targets, .allow_private = allow_private_targets, .redirects_max = 1},
    };
    if (cs_url_check(base_url, &any, &parsed, NULL) == CS_OK) {
        cs_str_copy(transport->own_host, sizeof(transport->own_host), parsed.host);
    }
    return &transport->base;
}

void prv_transport_destroy(struct prv_transport *transport) {
    if (transport != NULL) {
        transport->ops->destroy(transport);
    }
}
