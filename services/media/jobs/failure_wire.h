/*
 * failure_wire: failure classes of the worker contract <-> errors, by one table.
 *
 * An error's reason is the failure's code, its message the sentence.
 */
#ifndef MED_FAILURE_WIRE_H
#define MED_FAILURE_WIRE_H

#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/err.h"

/* Fills ret_err and returns its status. */
enum cs_status med_failure_from_wire(const Callsheet__V1__Failed *failed, struct cs_err *ret_err);
Callsheet__V1__FailureClass med_failure_class(const struct cs_err *err);

#endif
