/*
 * number: numbers that parameters may leave out.
 */
#ifndef MED_OPS_NUMBER_H
#define MED_OPS_NUMBER_H

#include "callsheet/v1/operations.pb-c.h"
#include "cs/base/err.h"

double med_number_or(const Google__Protobuf__DoubleValue *value, double absent);
/* INVALID_ARGUMENT "out_of_range" at path when it is none of min to max. */
enum cs_status med_number_read(const Google__Protobuf__DoubleValue *value, double absent, double min, double max,
                               const char *path, double *ret_number, struct cs_err *err) CS_MUST_USE;

#endif
