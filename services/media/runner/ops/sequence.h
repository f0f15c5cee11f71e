/*
 * sequence: clips one after the other, made to fit one frame and rate, joined hard or by transitions, with sounds laid
 * over them: what merging, stitching and transitions have in common.
 *
 * Clock    as in render.h: natural lengths are summed exactly, named ones are whole frames.
 */
#ifndef MED_OPS_SEQUENCE_H
#define MED_OPS_SEQUENCE_H

#include "ops/joining.h"
#include "ops/sound_track.h"

struct med_sequence_item {
    struct med_clip clip;
    double duration_s;      /* cut to at most this, a still lasts so long; 0: natural, a still a second */
    double volume;          /* 0 … 1 */
    bool hard;              /* joins the next one without a transition */
    const char *transition; /* to the next one, instead of the sequence's */
};

struct med_sequence {
    struct med_sequence_item *visuals;
    size_t visual_count; /* at least 1 */
    struct med_sound_track *overlays;
    size_t overlay_count;
    struct med_picture_format format;
    struct med_fit fit;
    struct med_joining joining;
    bool exact;                 /* a part that is too short for its transitions is refused, not spared */
    int64_t audio_fade_samples; /* in the middle of each transition; 0: all of it */
};

/* The first visual's size and rate, or what the parameters say ("" nothing). "unknown_ratio", "bad_frame_rate" */
enum cs_status med_sequence_format(struct med_sequence *sequence, const char *aspect_ratio, const char *frame_rate,
                                   struct cs_err *err) CS_MUST_USE;

/* Describes it; what the sequence points to lives in the job's arena. */
enum cs_status med_sequence_make(struct med_job *job, const struct med_sequence *sequence, struct med_made *ret_made,
                                 struct cs_err *err) CS_MUST_USE;

#endif
