/* hop: one hop of a transfer as a libcurl handle: pinned to the checked addresses, with callbacks that watch every
 * limit. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "address.h"
#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "transfer.h"

/* Headers of the caller that may go to another host after a redirect. */
static const char *const harmless_headers[] = {"accept", "accept-language", "range", "user-agent"};

static bool is_read(const struct transfer *transfer) {
    return cs_str_eq(transfer->method, "GET") || cs_str_eq(transfer->method, "HEAD");
}

/* ---- addresses ---- */

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
