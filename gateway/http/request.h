/*
 * request: one HTTP request as the handlers see it.
 *
 * Every request is answered exactly once. A handler either answers before it returns, or parks the request first and
 * answers later from any thread:
 *
 *     gw_request_park(request);                     before the work that will answer is started
 *     cs_rpc_invoke_async(…, done, request);
 *     … in done: gw_answer_json(request, 200, value);
 *
 * Owns     a request lives until its `finished` event; after a parked one is answered it must not be touched.
 * Threads  the handler's thread; the one that answers a parked request owns it until then.
 */
#ifndef GW_HTTP_REQUEST_H
#define GW_HTTP_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "cs/trace.h"

struct gw_request;
struct gw_stream;

/* ---- what the client sent ---- */
const char *gw_request_method(const struct gw_request *request);
const char *gw_request_path(const struct gw_request *request);                     /* decoded, without query */
const char *gw_request_header(const struct gw_request *request, const char *name); /* NULL missing */
/* All that have this name, as one list with commas; NULL missing. In the request's arena. */
const char *gw_request_header_list(struct gw_request *request, const char *name);
const char *gw_request_query(const struct gw_request *request, const char *name); /* NULL missing */
const char *gw_request_client(const struct gw_request *request);                  /* address */
void gw_request_set_client(struct gw_request *request, const char *client); /* of whom a proxy speaks; lives as long */
const struct cs_buf *gw_request_body(const struct gw_request *request);
bool gw_request_has_body(const struct gw_request *request); /* or announces one */

/* ---- what we know of it ---- */
struct cs_arena *gw_request_arena(struct gw_request *request);
const char *gw_request_id(const struct gw_request *request);
const struct cs_trace *gw_request_trace(const struct gw_request *request);
const char *gw_request_tenant(const struct gw_request *request); /* "" unknown */
void gw_request_set_tenant(struct gw_request *request, const char *tenant);
const char *gw_request_route(const struct gw_request *request); /* "" unknown */
void gw_request_set_route(struct gw_request *request, const char *route);
void gw_request_set_user(struct gw_request *request, void *user);
void *gw_request_user(const struct gw_request *request);

/* ---- after it is finished ---- */
unsigned gw_request_status(const struct gw_request *request); /* 0: the client went away first */
int64_t gw_request_duration_ns(const struct gw_request *request);
uint64_t gw_request_answer_bytes(const struct gw_request *request); /* planned; 0 for streams */

/* ---- answers ---- */
void gw_request_park(struct gw_request *request);
/* Strings are copied. Before the answer. */
void gw_answer_header(struct gw_request *request, const char *name, const char *value);
/* The connection is closed after the answer. Before the answer. */
void gw_answer_close(struct gw_request *request);
void gw_answer_json(struct gw_request *request, unsigned status, json_t *value); /* takes value */
void gw_answer_text(struct gw_request *request, unsigned status, const char *content_type, const char *text);
void gw_answer_empty(struct gw_request *request, unsigned status);
/* size bytes of the file from offset; fd is taken. */
void gw_answer_file(struct gw_request *request, unsigned status, int fd, uint64_t offset, uint64_t size);
/* The stream's reference of the caller stays his. */
void gw_answer_stream(struct gw_request *request, unsigned status, const char *content_type, struct gw_stream *stream);

#endif
