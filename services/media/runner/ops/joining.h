/*
 * joining: how parts meet, from the parameters.
 */
#ifndef MED_OPS_JOINING_H
#define MED_OPS_JOINING_H

#include "ops/ops.h"

struct med_joining {
    const char *transition; /* an xfade name; NULL: hard joins */
    int64_t frames;         /* of each transition, at least 1 */
};

/* Absent or without a type: hard joins. "unknown_transition", "out_of_range" */
enum cs_status med_joining_read(const Callsheet__V1__Transition *wire, double seconds_default, AVRational rate,
                                struct med_joining *ret_joining, struct cs_err *err) CS_MUST_USE;

/* "segment_too_short" at transition.duration unless every part is as long as the transitions at its ends. */
enum cs_status med_joining_check(const struct med_joining *joining, const struct med_segment *segments, size_t count,
                                 struct cs_err *err) CS_MUST_USE;

/* Lays the parts so that each transition has all its frames: out = a + b - transition. Returns the length. */
int64_t med_joining_lay(const struct med_joining *joining, struct med_segment *segments, size_t count);

#endif
