/*
 * failure: from our errors to the classes that the orchestrator's retry policy knows.
 */
#ifndef WORKER_FAILURE_H
#define WORKER_FAILURE_H

#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/err.h"

/* A full disk or queue is TRANSIENT; only a peer that said how long to wait makes it RATE_LIMITED. */
Callsheet__V1__FailureClass failure_class_of(const struct cs_err *err);

#endif
