/*
 * arrange: what is left of one video when parts of it go, play at another speed, stand still or lose their sound: what
 * trimming, cutting, changing the speed and freezing have in common.
 *
 * The parts (edit/stretch.h) are whole frames of the video. Sound is cut as PCM; where sounds meet they are cross-faded
 * with equal power for 10 ms, which changes no length.
 */
#ifndef MED_OPS_ARRANGE_H
#define MED_OPS_ARRANGE_H

#include "edit/stretch.h"
#include "ops/joining.h"

struct med_arrangement {
    struct med_clip clip;
    struct med_runs runs;       /* at least one */
    struct med_joining joining; /* of the runs; each transition has all its frames */
    int64_t audio_fade_samples; /* of each, at most as long as the transition; in its middle */
    bool tape;                  /* speed changes the pitch */
};

/* Describes it; the arrangement is copied, what it points to lives in the job's arena. "segment_too_short" at
 * transition.duration when a run is shorter than the transitions at its ends. */
enum cs_status med_arrange(struct med_job *job, const struct med_arrangement *arrangement, struct med_made *ret_made,
                           struct cs_err *err) CS_MUST_USE;

#endif
