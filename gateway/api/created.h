/*
 * created: what every way to make an execution shares.
 *
 * Threads  the one that has the request.
 */
#ifndef GW_API_CREATED_H
#define GW_API_CREATED_H

#include "dialect/dialect.h"
#include "http/request.h"

/* The header Idempotency-Key, which must agree with the body's, into the submission. */
enum cs_status gw_api_idempotency_key(const struct gw_request *request, const struct gw_submission *submission,
                                      struct cs_err *err) CS_MUST_USE;

/* 202 with Location; takes body. */
void gw_answer_created(struct gw_request *request, const Callsheet__V1__CreateExecutionReply *created, json_t *body);

#endif
