/*
 * body: the JSON of a request.
 *
 * Threads  that of the request.
 */
#ifndef GW_API_BODY_H
#define GW_API_BODY_H

#include <jansson.h>

#include "cs/base/err.h"
#include "http/request.h"

/* None is an empty object. The caller has a reference. */
enum cs_status gw_body_read(struct gw_request *request, json_t **ret_value, struct cs_err *err) CS_MUST_USE;

#endif
