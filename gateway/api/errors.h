/*
 * errors: a cs_err as an HTTP answer. One table maps statuses, one body serves every client:
 *
 *     {error, message, code, path?, details?, requestId}
 *
 * `error` says what the Synthome dialects expect. What went wrong inside is never told.
 */
#ifndef GW_API_ERRORS_H
#define GW_API_ERRORS_H

#include <jansson.h>

#include "cs/base/err.h"
#include "http/request.h"

/* The reason of a failure inside that kept an execution from being made: 500 "Execution failed". */
#define GW_EXECUTION_FAILED "execution_failed"

unsigned gw_error_http_status(const struct cs_err *err);
/* The body; request_id may be "". */
json_t *gw_error_body(const struct cs_err *err, const char *request_id);
/* Answers, with Retry-After, WWW-Authenticate … where they belong. */
void gw_answer_error(struct gw_request *request, const struct cs_err *err);

/* An error of a call to the orchestrator: its refusal of our own credentials is not the client's fault. */
struct cs_err gw_error_of_call(const struct cs_err *err);

#endif
