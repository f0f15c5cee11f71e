/*
 * fetch_wire: what an answer, or none, to a fetch of an input means.
 */
#ifndef MED_FETCH_WIRE_H
#define MED_FETCH_WIRE_H

#include "cs/http.h"

/* err is NULL when there is an answer. CS_OK: the input is there. */
enum cs_status med_fetch_result(const struct cs_http_answer *answer, const struct cs_err *err,
                                struct cs_err *ret_err) CS_MUST_USE;

#endif
