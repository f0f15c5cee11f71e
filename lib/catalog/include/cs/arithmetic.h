/*
 * arithmetic: the sums that plans may write where a number is meant: "W-w-20", "(iw/2)*0.9".
 *
 * Digits, a decimal point, + - * / with their usual precedence, a sign, brackets, and the names that the caller gives.
 * Nothing else, and no text is ever run as code.
 *
 * Limits   CS_ARITHMETIC_BYTES_MAX of text, CS_ARITHMETIC_DEPTH_MAX brackets and signs inside each other.
 * Fails    INVALID_ARGUMENT "bad_expression": with what is wrong and where; division by zero and results that are not
 *          finite too.
 * Trust    the text comes from clients.
 */
#ifndef CS_ARITHMETIC_H
#define CS_ARITHMETIC_H

#include <stddef.h>

#include "cs/base/err.h"

enum { CS_ARITHMETIC_BYTES_MAX = 128, CS_ARITHMETIC_DEPTH_MAX = 16 };

struct cs_arithmetic_name {
    const char *name; /* letters; case counts */
    double value;
};

/* names ends with one whose name is NULL. */
enum cs_status cs_arithmetic(const char *text, const struct cs_arithmetic_name *names, double *ret_value,
                             struct cs_err *err) CS_MUST_USE;

#endif
