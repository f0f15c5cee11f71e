/*
 * request_check: what must hold for the parts of a CreateExecutionRequest around its plan.
 */
#ifndef ORC_WIRE_REQUEST_CHECK_H
#define ORC_WIRE_REQUEST_CHECK_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"

enum { ORC_LABELS_MAX = 64, ORC_LABEL_KEY_BYTES_MAX = 128 };

/* Tenant, idempotency key, webhook, timeout, labels, size of the whole; not the plan. */
enum cs_status orc_request_check(const Callsheet__V1__CreateExecutionRequest *request, struct cs_err *err) CS_MUST_USE;

#endif
