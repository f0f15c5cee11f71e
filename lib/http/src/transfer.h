/*
 * transfer: one request from start to answer, over all its hops. A hop is: judge the URL, resolve, check every address,
 * pin, send. The loop tells it what happened; it answers with what comes next.
 *
 * Threads  created on any, then owned by the loop thread.
 */
#ifndef CS_HTTP_TRANSFER_H
#define CS_HTTP_TRANSFER_H

#include "cs/base/hash.h"
#include <curl/curl.h>

#include "answer.h"
#include "resolver.h"
#include "url.h"

struct transfer {
    struct cs_http_answer answer; /* first: answer->header finds the rest */
    UT_hash_handle hh;
    uint64_t id;
    cs_http_done_fn *done;
    void *user;      /* of done */
    void *body_user; /* of progress and data */

    /* what was asked for, copied */
    char *method;
    char *url_text;
    struct cs_buf body;
    struct cs_buf headers; /* "name: value\0…" */
    int64_t connect_timeout_ms;
    int64_t deadline_ms; /* monotonic; INT64_MAX none */
    int64_t idle_timeout_ms;
    uint64_t answer_bytes_max;
    bool may_be_cut;
    int fd;
    bool guarded;
    struct cs_http_policy policy;
    uint16_t *ports;
    bool (*data)(const void *bytes, size_t size, void *user);
    void (*progress)(uint64_t received, uint64_t expected, void *user);
    struct cs_err refused; /* bad from the start */

    /* where it is */
    struct cs_url url;
    int hops;
    bool resolving;
    bool moved_host; /* a redirect left the first host: only harmless headers go on */
    int64_t hop_started_ms;
    int64_t last_byte_ms;
    CURL *easy;
    struct curl_slist *sent_headers;
    struct curl_slist *pin;
    struct cs_fields fields;
    struct cs_buf received;
    bool following;       /* this answer is a redirect that will be followed */
    bool cut;             /* enough was read */
    struct cs_err failed; /* a callback stopped it, and why */
};

struct transfer *transfer_create(const struct cs_http_request *request, cs_http_done_fn *done, void *user);
void transfer_destroy(struct transfer *transfer);

/* Begins a hop. *ret_resolve tells whether the host must be resolved first (else the hop can be connected). */
enum cs_status transfer_begin(struct transfer *transfer, int64_t now_ms, bool *ret_resolve,
                              struct cs_err *err) CS_MUST_USE;
/* Checks all addresses and builds the easy handle, pinned to them. addresses is NULL for an address in the URL. */
enum cs_status transfer_connect(struct transfer *transfer, const struct cs_addresses *addresses, int64_t now_ms,
                                struct cs_err *err) CS_MUST_USE;
/* libcurl has ended. Sets *ret_again when a redirect is to be followed: call transfer_begin again. */
enum cs_status transfer_ended(struct transfer *transfer, CURLcode code, bool *ret_again,
                              struct cs_err *err) CS_MUST_USE;
/* Runs done; err NULL for an answer. */
void transfer_finish(struct transfer *transfer, const struct cs_err *err);

/* The last line before a socket, for tests: libcurl's CURLOPT_OPENSOCKETFUNCTION with a struct transfer. */
curl_socket_t transfer_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address);

#endif
