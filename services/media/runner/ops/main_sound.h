/*
 * main_sound: what operations on sound begin with: a video whose picture stays as it is, or sound alone.
 */
#ifndef MED_MAIN_SOUND_H
#define MED_MAIN_SOUND_H

#include "ops/ops.h"

struct med_main_sound {
    struct med_clip clip;
    struct med_piece piece;
};

/* One of video and audio is set. Fills ret_made: the picture as it is, the sound's length, and the file's sample rate,
 * which is the input's own where the output can have it. Sound and self are for the caller. */
enum cs_status med_main_sound_read(struct med_job *job, const Callsheet__V1__MediaRef *video,
                                   const Callsheet__V1__MediaRef *audio, const char *format,
                                   struct med_main_sound *ret_main, struct med_made *ret_made,
                                   struct cs_err *err) CS_MUST_USE;

#endif
