/*
 * decode_check: whether a finished file decodes, at its beginning, its end and places between; a short one as a
 * whole, unless its pictures are many and big.
 */
#ifndef MED_DECODE_CHECK_H
#define MED_DECODE_CHECK_H

#include "graph/facts.h"

struct med_decode_check {
    int64_t frames;  /* decoded */
    int64_t samples; /* of each channel */
    bool all;        /* nothing was left out */
};

/* INTERNAL "verify_failed" when anything that was looked at does not decode. */
enum cs_status med_decode_check(int fd, const struct med_facts *facts, struct med_decode_check *ret_check,
                                struct cs_err *err) CS_MUST_USE;
/* The same with fewer pictures: of an output that was put together from coded ones, and checked where it was. Of a long
 * one with an imprint only the first and the last key frame: its packets are those that were put together. */
enum cs_status med_decode_check_coded(int fd, const struct med_facts *facts, struct med_decode_check *ret_check,
                                      struct cs_err *err) CS_MUST_USE;

#endif
