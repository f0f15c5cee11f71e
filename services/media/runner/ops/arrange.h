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
#include "ops/ops.h"

struct med_arrangement {
    struct med_clip clip;
    struct med_runs runs;       /* at least one */
    const char *transition;     /* between the runs, an xfade name; NULL: hard joins */
    int64_t transition_frames;  /* of each, exactly */
    int64_t audio_fade_samples; /* of each, at most as long as the transition; in its middle */
    bool tape;                  /* speed changes the pitch */
};

/* A transition of the parameters: its name and frames. Absent or without a type: no transition. */
struct med_joining {
    const char *transition;
    int64_t frames;
};
enum cs_status med_joining_read(const Callsheet__V1__Transition *wire, double seconds_default, AVRational rate,
                                struct med_joining *ret_joining, struct cs_err *err) CS_MUST_USE;

/* Describes it; the arrangement is copied, what it points to lives in the job's arena. "segment_too_short" at
 * transition.duration when a run is shorter than the transitions at its ends. */
enum cs_status med_arrange(struct med_job *job, const struct med_arrangement *arrangement, struct med_made *ret_made,
                           struct cs_err *err) CS_MUST_USE;

#endif
