#include "transfer.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TIMEOUT_MS = 30000,
    ANSWER_BYTES_MAX = 64 * 1024,
    METHOD_BYTES_MAX = 16,
};

/* ---- what was asked for ---- */

static const char *find_header(const struct cs_http_answer *answer, const char *name) {
    return cs_fields_find(&((const struct transfer *)(const void *)answer)->fields, name);
}

static bool method_valid(const char *method) {
    size_t length = strlen(method);
    return length > 0 && length <= METHOD_BYTES_MAX && method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

static bool header_valid(const struct cs_http_header *header) {
    if (header->name == NULL || header->value == NULL || header->name[0] == '\0') {
        return false;
    }
    for (const char *c = header->name; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || *c == ':') {
            return false;
        }
    }
    return header->value[strcspn(header->value, "\r\n")] == '\0';
}

static void copy_headers(struct transfer *transfer, const struct cs_http_request *request) {
    for (size_t i = 0; i < request->header_count; i++) {
        const struct cs_http_header *header = &request->headers[i];
        if (!header_valid(header)) {
            (void)cs_fail(&transfer->refused, CS_INVALID_ARGUMENT, "bad_request",
                          "a header has bytes that are not allowed");
            return;
        }
        /* libcurl takes "name;" for an empty value */
        cs_buf_printf(&transfer->headers, header->value[0] != '\0' ? "%s: %s" : "%s;%s", header->name, header->value);
        cs_buf_putc(&transfer->headers, '\0');
    }
    if (request->trace != NULL) {
        char traceparent[CS_TRACEPARENT_SIZE];
        cs_trace_format(request->trace, traceparent);
        cs_buf_printf(&transfer->headers, "traceparent: %s", traceparent);
        cs_buf_putc(&transfer->headers, '\0');
    }
}

static void copy_policy(struct transfer *transfer, const struct cs_http_policy *policy) {
    if (policy == NULL) {
        return;
    }
    transfer->guarded = true;
    transfer->policy = *policy;
    transfer->ports = cs_alloc_array(policy->port_count + 1, sizeof(*transfer->ports));
    if (policy->port_count > 0) {
        memcpy(transfer->ports, policy->ports, policy->port_count * sizeof(*transfer->ports));
    }
    transfer->policy.ports = transfer->ports;
}

static uint64_t answer_bytes_max(const struct cs_http_request *request) {
    if (request->answer_bytes_max > 0) {
        return request->answer_bytes_max;
    }
    return request->data != NULL ? UINT64_MAX : ANSWER_BYTES_MAX; /* what is handed on takes no memory here */
}

struct transfer *transfer_create(const struct cs_http_request *request, cs_http_done_fn *done, void *user) {
    struct transfer *transfer = cs_alloc(sizeof(*transfer));
    int64_t timeout_ms = request->timeout_ms == 0 ? TIMEOUT_MS : request->timeout_ms;
    *transfer = (struct transfer){
        .done = done,
        .user = user,
        .body_user = request->user != NULL ? request->user : user,
        .method = cs_strdup(request->method != NULL ? request->method : "GET"),
        .url_text = cs_strdup(request->url != NULL ? request->url : ""),
        .connect_timeout_ms = request->connect_timeout_ms > 0 ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS,
        .deadline_ms = timeout_ms < 0 ? INT64_MAX : cs_clock_mono_ms() + timeout_ms,
        .idle_timeout_ms = request->idle_timeout_ms,
        .answer_bytes_max = answer_bytes_max(request),
        .may_be_cut = request->answer_may_be_cut,
        .fd = request->answer_fd,
        .data = request->data,
        .progress = request->progress,
    };
    transfer->answer.header = find_header;
    if (!method_valid(transfer->method)) {
        (void)cs_fail(&transfer->refused, CS_INVALID_ARGUMENT, "bad_request", "the method is not valid");
    }
    cs_buf_put(&transfer->body, request->body != NULL ? request->body : "",
               request->body != NULL ? request->body_size : 0);
    copy_policy(transfer, request->guard);
    copy_headers(transfer, request);
    return transfer;
}

static void drop_hop(struct transfer *transfer) {
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->sent_headers);
    curl_slist_free_all(transfer->pin);
    transfer->easy = NULL;
    transfer->sent_headers = NULL;
    transfer->pin = NULL;
}

void transfer_destroy(struct transfer *transfer) {
    drop_hop(transfer);
    cs_fields_fini(&transfer->fields);
    cs_buf_fini(&transfer->received);
    cs_buf_fini(&transfer->body);
    cs_buf_fini(&transfer->headers);
    free(transfer->ports);
    free(transfer->method);
    free(transfer->url_text);
    free(transfer);
}

/* ---- one hop; hop.c connects it ---- */

enum cs_status transfer_begin(struct transfer *transfer, int64_t now_ms, bool *ret_resolve, struct cs_err *err) {
    if (transfer->refused.status != CS_OK) {
        *err = transfer->refused;
        return err->status;
    }
    CS_TRY(cs_url_parse(transfer->url_text, &transfer->url, err));
    if (transfer->guarded) {
        CS_TRY(cs_url_judge(&transfer->url, &transfer->policy, err));
    }
    transfer->hop_started_ms = now_ms;
    transfer->last_byte_ms = now_ms;
    *ret_resolve = !transfer->url.host_is_ip;
    return CS_OK;
}

/* ---- how it ended ---- */

static enum cs_status fail_code(const struct transfer *transfer, CURLcode code, struct cs_err *err) {
    const char *host = transfer->url.host;
    const char *what = curl_easy_strerror(code);
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return cs_fail(err, CS_DEADLINE_EXCEEDED, "timeout", "%s did not answer in time", host);
    case CURLE_COULDNT_CONNECT:
        return cs_fail(err, CS_UNAVAILABLE, "connect_failed", "connecting to %s failed", host);
    case CURLE_COULDNT_RESOLVE_HOST:
        return cs_fail(err, CS_UNAVAILABLE, "dns_failed", "%s cannot be resolved", host);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return cs_fail(err, CS_UNAVAILABLE, "tls_failed", "no trusted TLS connection to %s: %s", host, what);
    case CURLE_URL_MALFORMAT:
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_url", "the URL is not valid");
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return cs_fail(err, CS_UNAVAILABLE, "connection_lost", "the connection to %s was lost: %s", host, what);
    default:
        return cs_fail(err, CS_UNAVAILABLE, "bad_answer", "%s did not answer in HTTP: %s", host, what);
    }
}

/* What Location says, as a whole URL without fragment; NULL when it cannot be one. Hosts are left as they were written
 * (libcurl would rewrite numbers in disguise to addresses): only paths are resolved by it. Caller frees. */
static char *whole_location(const struct transfer *transfer, const char *location) {
    size_t length = strcspn(location, "#");
    size_t scheme = strcspn(location, ":/?#");
    if (strncmp(location + scheme, "://", 3) == 0) {
        return cs_strndup(location, length);
    }
    if (strncmp(location, "//", 2) == 0) {
        return cs_sprintf("%s:%.*s", transfer->url.scheme, (int)length, location);
    }
    char here[CS_URL_BUILT_SIZE];
    cs_url_build(&transfer->url, here);
    CS_AUTO_FREE char *relative = cs_strndup(location, length);
    char *text = NULL;
    CURLU *url = curl_url();
    bool ok = url != NULL && curl_url_set(url, CURLUPART_URL, here, 0) == CURLUE_OK &&
              curl_url_set(url, CURLUPART_URL, relative, 0) == CURLUE_OK &&
              curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK;
    char *copy = ok ? cs_strdup(text) : NULL;
    curl_free(text);
    curl_url_cleanup(url);
    return copy;
}

/* Whatever is wrong with the next hop, the tenant hears one thing. */
static enum cs_status next_hop(struct transfer *transfer, struct cs_err *err) {
    CS_AUTO_FREE char *text = whole_location(transfer, cs_fields_find(&transfer->fields, "location"));
    struct cs_url next;
    if (text == NULL || cs_url_parse(text, &next, err) != CS_OK) {
        return cs_target_refused(transfer->url.host, "redirect to a bad URL", err);
    }
    if (cs_str_eq(transfer->url.scheme, "https") && cs_str_eq(next.scheme, "http")) {
        return cs_target_refused(transfer->url.host, "redirect from https to http", err);
    }
    transfer->moved_host |= !cs_str_eq(next.host, transfer->url.host) || next.port != transfer->url.port ||
                            !cs_str_eq(next.scheme, transfer->url.scheme);
    free(transfer->url_text);
    transfer->url_text = cs_steal(&text);
    return CS_OK;
}

static void fill_answer(struct transfer *transfer) {
    struct cs_http_answer *answer = &transfer->answer;
    long status = 0;
    long sent = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
    answer->status = (int)status;
    answer->request_sent |= sent > 0;
    answer->retry_after_ms = cs_retry_after_ms(cs_fields_find(&transfer->fields, "retry-after"),
                                               cs_fields_find(&transfer->fields, "retry-after-ms"), cs_clock_unix_ms());
}

enum cs_status transfer_ended(struct transfer *transfer, CURLcode code, bool *ret_again, struct cs_err *err) {
    fill_answer(transfer);
    *ret_again = false;
    if (transfer->failed.status != CS_OK) {
        *err = transfer->failed;
        return err->status;
    }
    if (transfer->following && (code == CURLE_OK || code == CURLE_WRITE_ERROR)) {
        CS_TRY(next_hop(transfer, err));
        drop_hop(transfer);
        transfer->hops++;
        transfer->following = false;
        *ret_again = true;
        return CS_OK;
    }
    if (code == CURLE_OK || transfer->cut) {
        return CS_OK;
    }
    return fail_code(transfer, code, err);
}

void transfer_finish(struct transfer *transfer, const struct cs_err *err) {
    struct cs_http_answer *answer = &transfer->answer;
    const char *type = cs_fields_find(&transfer->fields, "content-type");
    answer->content_type = type != NULL ? type : "";
    answer->body = transfer->received.data != NULL ? transfer->received.data : "";
    answer->body_size = transfer->received.size;
    if (err != NULL) {
        answer->status = 0;
    }
    transfer->done(answer, err, transfer->user);
}
