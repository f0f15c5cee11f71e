/*
 * http: HTTP client on one libcurl multi loop, and the guard that stands before every URL of a user.
 *
 * The loop runs in a thread of its own; thousands of requests wait in it without a thread each.
 *
 * Guard    url policy and address pinning as in docs/security.md: strict parser, forbidden ranges (IPv4, IPv6 and the
 *          embedded forms), every DNS answer checked, connection pinned to the checked address, redirects (if allowed)
 *          re-checked one by one, no proxy. Tenants get one generic error, reason "target_not_allowed".
 * Threads  any; completions run on the loop thread and must not block.
 * Limits   named in struct cs_http_request; the header section at most 32 KiB. A request with a method other than GET
 *          or HEAD gets a connection of its own: a kept one that had died would be noticed too late, and the request
 *          sent twice.
 * Fails    DEADLINE_EXCEEDED "timeout"; UNAVAILABLE "connect_failed" "dns_failed" "tls_failed" "connection_lost"
 *          "bad_answer"; PERMISSION_DENIED "target_not_allowed"; OUT_OF_RANGE "too_big"; INVALID_ARGUMENT "bad_url"
 *          "bad_request"; CANCELLED "cancelled"; an errno of answer_fd. Messages never contain the URL's query or
 *          userinfo.
 */
#ifndef CS_HTTP_H
#define CS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "cs/trace.h"

/* ---- the guard ---- */

struct cs_http_policy {
    bool allow_http;       /* else https only */
    bool allow_private;    /* development switch: private and loopback targets, any port; never link-local (metadata) */
    const uint16_t *ports; /* besides 80, 443 and 8443 */
    size_t port_count;
    int redirects_max; /* 0 for webhooks, at most 3 for media; beyond, the 3xx itself is the answer. GET and HEAD only
                        */
};

struct cs_url {
    char scheme[8];
    char host[256]; /* lower case, IPv6 without brackets */
    uint16_t port;
    char path[2049]; /* path and query, begins with "/" */
    bool host_is_ip;
};

/* Parses strictly and applies what can be told without DNS. "bad_url" or "target_not_allowed". */
enum cs_status cs_url_check(const char *text, const struct cs_http_policy *policy, struct cs_url *ret_url,
                            struct cs_err *err) CS_MUST_USE;
/* Whether an address (textual, IPv4 or IPv6) is forbidden for guarded fetches. Unparsable: true. */
bool cs_address_forbidden(const char *address);
/* "https://host/path" without query, fragment and userinfo: for logs. */
void cs_url_for_log(const char *text, char *ret_text, size_t capacity);

/* ---- the client ---- */

struct cs_http;
enum cs_status cs_http_create(struct cs_http **ret_http, struct cs_err *err) CS_MUST_USE;
void cs_http_destroy(struct cs_http *http); /* aborts what is open: done runs with CANCELLED */
CS_DEFINE_AUTO(cs_http, cs_http_destroy)

struct cs_http_header {
    const char *name;
    const char *value;
};

struct cs_http_request {
    const char *method; /* "GET" */
    const char *url;
    const struct cs_http_header *headers;
    size_t header_count;
    const void *body; /* copied */
    size_t body_size;
    int64_t connect_timeout_ms; /* 0: 5 s, DNS and TLS included */
    int64_t timeout_ms;         /* whole; 0: 30 s; < 0: none */
    int64_t idle_timeout_ms;    /* no byte for so long; 0: none */
    uint64_t answer_bytes_max;  /* 0: 64 KiB, with `data` none. Beyond: "too_big", or cut when answer_may_be_cut */
    bool answer_may_be_cut;
    int answer_fd; /* > 0: the body goes there instead of memory (caller keeps it open) */
    /* The body goes here as it comes, instead of memory (server-sent events); loop thread. false aborts: CANCELLED. */
    bool (*data)(const void *bytes, size_t size, void *user);
    const struct cs_http_policy *guard; /* NULL: a configured, trusted target (no guard, no redirects) */
    const struct cs_trace *trace;       /* sends traceparent */
    void (*progress)(uint64_t received, uint64_t expected, void *user); /* loop thread; expected 0 unknown */
    void *user; /* for progress and data; NULL: what cs_http_start was given */
};

struct cs_http_answer {
    int status;       /* 200 … */
    const char *body; /* NUL-terminated; "" with answer_fd */
    size_t body_size;
    uint64_t received_bytes;
    const char *content_type; /* "" when missing */
    int64_t retry_after_ms;   /* from Retry-After (seconds or date) or retry-after-ms; 0 none; at most 24 h */
    char address[64];         /* that was connected to */
    bool request_sent;        /* at least one byte of the request had left, also meaningful on failure */
    const char *(*header)(const struct cs_http_answer *answer, const char *name); /* first value or NULL */
};

/* Any status is a success here (err is NULL); a failure means no complete answer. answer is never NULL (status 0 then).
 * Valid during the call only. */
typedef void cs_http_done_fn(const struct cs_http_answer *answer, const struct cs_err *err, void *user);

/* Starts; done runs exactly once, also when the URL is refused. Returns a handle for cs_http_cancel. */
uint64_t cs_http_start(struct cs_http *http, const struct cs_http_request *request, cs_http_done_fn *done, void *user);
/* done runs with CANCELLED unless it ran already. Any thread. */
void cs_http_cancel(struct cs_http *http, uint64_t handle);

/* Waits. The body is put in ret_body, the status in ret_status. Not from the loop thread. */
enum cs_status cs_http_fetch(struct cs_http *http, const struct cs_http_request *request, int *ret_status,
                             struct cs_buf *ret_body, struct cs_err *err) CS_MUST_USE;

/* Runs fn on the loop thread after delay_ms (0: soon). For engines that live on the loop. What is still waiting when
 * the loop is destroyed does not run. */
void cs_http_after(struct cs_http *http, int64_t delay_ms, void (*fn)(void *ctx), void *ctx);
/* The same; drop runs on ctx instead of fn when the loop is destroyed first. */
void cs_http_after_or(struct cs_http *http, int64_t delay_ms, void (*fn)(void *ctx), void *ctx,
                      void (*drop)(void *ctx));

#endif
