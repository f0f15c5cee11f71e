#include "transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "address.h"
#include "cs/base/clock.h"
#include "cs/base/text.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TIMEOUT_MS = 30000,
    ANSWER_BYTES_MAX = 64 * 1024,
    METHOD_BYTES_MAX = 16,
};

/* Headers of the caller that may go to another host after a redirect. */
static const char *const harmless_headers[] = {"accept", "accept-language", "range", "user-agent"};

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

static bool is_read(const struct transfer *transfer) {
    return cs_str_eq(transfer->method, "GET") || cs_str_eq(transfer->method, "HEAD");
}

/* ---- one hop ---- */

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

static enum cs_status check_addresses(struct transfer *transfer, const struct cs_addresses *addresses,
                                      struct cs_err *err) {
    for (size_t i = 0; transfer->guarded && i < addresses->count; i++) {
        if (!cs_reach_allowed(cs_address_reach(addresses->text[i]), transfer->policy.allow_private)) {
            return cs_target_refused(transfer->url.host, "one of its addresses", err);
        }
    }
    return CS_OK;
}

/* "+host:port:addr,addr": for this transfer's lookup; "+" lets libcurl forget it later. */
static void pin_addresses(struct transfer *transfer, const struct cs_addresses *addresses) {
    CS_AUTO_BUF text = {0};
    cs_buf_printf(&text, "+%s:%u:", transfer->url.host, transfer->url.port);
    for (size_t i = 0; i < addresses->count; i++) {
        bool v6 = strchr(addresses->text[i], ':') != NULL;
        cs_buf_printf(&text, "%s%s%s%s", i > 0 ? "," : "", v6 ? "[" : "", addresses->text[i], v6 ? "]" : "");
    }
    transfer->pin = curl_slist_append(NULL, text.data);
    (void)curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->pin);
}

curl_socket_t transfer_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
    struct transfer *transfer = user;
    (void)purpose;
    if (transfer->guarded && !cs_reach_allowed(cs_sockaddr_reach(&address->addr), transfer->policy.allow_private)) {
        (void)cs_target_refused(transfer->url.host, "address at connect", &transfer->failed);
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Connected, nothing sent yet: the peer that the kernel names is judged once more. */
static int before_request(void *user, char *peer, char *local, int peer_port, int local_port) {
    struct transfer *transfer = user;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (transfer->guarded && !cs_reach_allowed(cs_address_reach(peer), transfer->policy.allow_private)) {
        (void)cs_target_refused(transfer->url.host, "peer address", &transfer->failed);
        return CURL_PREREQFUNC_ABORT;
    }
    cs_str_copy(transfer->answer.address, sizeof(transfer->answer.address), peer);
    transfer->last_byte_ms = cs_clock_mono_ms();
    transfer->answer.request_sent = true;
    return CURL_PREREQFUNC_OK;
}

static bool may_follow(const struct transfer *transfer, long status) {
    bool redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return redirect && transfer->guarded && is_read(transfer) && transfer->hops < transfer->policy.redirects_max &&
           cs_fields_find(&transfer->fields, "location") != NULL;
}

static size_t on_header(char *line, size_t unit, size_t count, void *user) {
    struct transfer *transfer = user;
    size_t size = unit * count;
    transfer->last_byte_ms = cs_clock_mono_ms();
    if (!cs_fields_add(&transfer->fields, line, size)) {
        (void)cs_fail(&transfer->failed, CS_OUT_OF_RANGE, "too_big", "the answer's header is beyond %d bytes",
                      CS_HTTP_HEADER_BYTES_MAX);
        return 0;
    }
    long status = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->following = may_follow(transfer, status);
    return size;
}

static enum cs_status write_all(int fd, const char *bytes, size_t size, struct cs_err *err) {
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return cs_fail_errno(err, errno, "writing the answer");
        }
        bytes += written;
        size -= (size_t)written;
    }
    return CS_OK;
}

static enum cs_status take_body(struct transfer *transfer, const char *bytes, size_t size, struct cs_err *err) {
    if (transfer->data != NULL) {
        return transfer->data(bytes, size, transfer->body_user)
                   ? CS_OK
                   : cs_fail(err, CS_CANCELLED, "cancelled", "the reader wants no more");
    }
    if (transfer->fd > 0) {
        return write_all(transfer->fd, bytes, size, err);
    }
    cs_buf_put(&transfer->received, bytes, size);
    return CS_OK;
}

static uint64_t expected_bytes(const struct transfer *transfer) {
    curl_off_t expected = -1;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &expected);
    return expected > 0 ? (uint64_t)expected : 0;
}

static size_t on_body(char *bytes, size_t unit, size_t count, void *user) {
    struct transfer *transfer = user;
    size_t size = unit * count;
    transfer->last_byte_ms = cs_clock_mono_ms();
    if (transfer->following) {
        return 0; /* nobody reads the body of a redirect */
    }
    uint64_t left = transfer->answer_bytes_max - transfer->answer.received_bytes;
    uint64_t expected = expected_bytes(transfer);
    if (!transfer->may_be_cut && (size > left || expected > transfer->answer_bytes_max)) {
        (void)cs_fail(&transfer->failed, CS_OUT_OF_RANGE, "too_big", "the answer is beyond %llu bytes",
                      (unsigned long long)transfer->answer_bytes_max);
        return 0;
    }
    transfer->cut = size > left;
    size_t used = transfer->cut ? (size_t)left : size;
    if (used > 0 && take_body(transfer, bytes, used, &transfer->failed) != CS_OK) {
        return 0;
    }
    transfer->answer.received_bytes += used;
    if (transfer->progress != NULL) {
        transfer->progress(transfer->answer.received_bytes, expected, transfer->body_user);
    }
    return transfer->cut ? 0 : size;
}

/* Whether the caller's header (a "name: value") may be sent in this hop. */
static bool may_send(const struct transfer *transfer, const char *line) {
    if (!transfer->moved_host) {
        return true;
    }
    size_t name = strcspn(line, ":;");
    for (size_t i = 0; i < CS_COUNT(harmless_headers); i++) {
        if (strlen(harmless_headers[i]) == name && strncasecmp(line, harmless_headers[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_header(const struct transfer *transfer, const char *name) {
    size_t length = strlen(name);
    const char *end = transfer->headers.data + transfer->headers.size;
    for (const char *line = transfer->headers.data; line != NULL && line < end; line += strlen(line) + 1) {
        if (strncasecmp(line, name, length) == 0 && (line[length] == ':' || line[length] == ';')) {
            return true;
        }
    }
    return false;
}

static void set_headers(struct transfer *transfer) {
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    const char *end = transfer->headers.data + transfer->headers.size;
    for (const char *line = transfer->headers.data; line != NULL && line < end; line += strlen(line) + 1) {
        if (may_send(transfer, line)) {
            list = curl_slist_append(list, line);
        }
    }
    if (!has_header(transfer, "user-agent")) {
        list = curl_slist_append(list, "User-Agent: Callsheet/" CS_VERSION);
    }
    if (!has_header(transfer, "content-type")) {
        list = curl_slist_append(list, "Content-Type:");
    }
    transfer->sent_headers = list;
    (void)curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, list);
}

static void set_method(struct transfer *transfer) {
    CURL *easy = transfer->easy;
    if (cs_str_eq(transfer->method, "HEAD")) {
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    bool sends = transfer->body.size > 0 || cs_str_eq(transfer->method, "POST") || cs_str_eq(transfer->method, "PUT") ||
                 cs_str_eq(transfer->method, "PATCH");
    if (sends) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body.size);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body.size > 0 ? transfer->body.data : "");
    }
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer->method);
}

static void set_safety(CURL *easy) {
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
}

static void set_times(struct transfer *transfer, int64_t now_ms) {
    int64_t connect_left = transfer->connect_timeout_ms - (now_ms - transfer->hop_started_ms);
    (void)curl_easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_left > 1 ? connect_left : 1));
    if (transfer->deadline_ms != INT64_MAX) {
        int64_t left = transfer->deadline_ms - now_ms;
        (void)curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, (long)(left > 1 ? left : 1));
    }
}

static void set_callbacks(struct transfer *transfer) {
    CURL *easy = transfer->easy;
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, transfer_open_socket);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

enum cs_status transfer_connect(struct transfer *transfer, const struct cs_addresses *addresses, int64_t now_ms,
                                struct cs_err *err) {
    if (addresses != NULL) {
        CS_TRY(check_addresses(transfer, addresses, err));
    }
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL) {
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_memory", "libcurl has no handle left");
    }
    char url[CS_URL_BUILT_SIZE];
    cs_url_build(&transfer->url, url);
    (void)curl_easy_setopt(transfer->easy, CURLOPT_URL, url);
    set_safety(transfer->easy);
    set_method(transfer);
    set_headers(transfer);
    set_times(transfer, now_ms);
    set_callbacks(transfer);
    if (addresses != NULL) {
        pin_addresses(transfer, addresses);
    }
    if (transfer->guarded || !is_read(transfer)) {
        (void)curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
    }
    if (transfer->guarded) {
        (void)curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
    }
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
