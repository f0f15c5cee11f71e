/*
 * client: what tests may replace.
 */
#ifndef CS_HTTP_CLIENT_H
#define CS_HTTP_CLIENT_H

#include "cs/http.h"
#include "resolver.h"

/* cs_http_create with a resolver of the caller's, which runs on resolver threads. */
enum cs_status cs_http_create_with(cs_resolve_fn *resolve, void *ctx, struct cs_http **ret_http,
                                   struct cs_err *err) CS_MUST_USE;

#endif
