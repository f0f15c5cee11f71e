/*
 * frame_part: what is shown before and after a video: an intro, an outro.
 */
#ifndef MED_OPS_FRAME_PART_H
#define MED_OPS_FRAME_PART_H

#include "ops/ops.h"

/* Where it is asked for, for errors. */
struct med_frame_part_names {
    const char *part;
    const char *duration;
};

/* A video or an image, and how long it is shown: the duration's seconds (absent: 3), but of a video no longer than it
 * is. INVALID_ARGUMENT "no_video" at its path, "out_of_range" at the duration's. */
enum cs_status med_frame_part_read(struct med_job *job, const Callsheet__V1__MediaRef *ref,
                                   const Google__Protobuf__DoubleValue *duration,
                                   const struct med_frame_part_names *names, struct med_clip *ret_clip,
                                   struct med_segment *ret_segment, struct cs_err *err) CS_MUST_USE;

/* How long what lies side by side fades into one another, in frames; absent: half a second. "out_of_range" at
 * "fadeDuration". */
enum cs_status med_frame_fade_read(const Google__Protobuf__DoubleValue *duration, AVRational rate, int64_t *ret_frames,
                                   struct cs_err *err) CS_MUST_USE;

#endif
