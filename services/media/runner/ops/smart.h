/*
 * smart: where the window of a smart reframe goes: a look at all of the clip, and the path that follows from it.
 */
#ifndef MED_OPS_SMART_H
#define MED_OPS_SMART_H

#include "ops/ops.h"
#include "reframe/path.h"

/* The path's sizes, rate and frames, without shots: for a crop of the clip to made's shape. */
struct med_path med_smart_like(const struct med_clip *clip, const struct med_made *made);
/* Takes the clip's pictures once. ret_path lives in the job's arena. */
enum cs_status med_smart_find(struct med_job *job, const struct med_clip *clip, const struct med_made *made,
                              struct med_path *ret_path, struct cs_err *err) CS_MUST_USE;

#endif
