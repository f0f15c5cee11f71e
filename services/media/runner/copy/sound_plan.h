/*
 * sound_plan: which packets of the pieces' sound are copied, and where each lies. AAC-LC in MP4 and MOV, of one
 * configuration.
 *
 * The output's sound is a row of places of 1,024 samples. A piece's packets are put on the nearest places: its sound is
 * off by at most half of one, and never by more than a picture, counted from the exact begin of each piece, so that
 * nothing accumulates; the first one is not off at all. A packet says something of its own place and the next one; what
 * is heard at a place is the sum of both. Packets are copied where all that they say belongs to their piece; between
 * those, places are encoded again.
 *
 * Why not  no_file no_sound container codec changed configuration gaps offset short
 */
#ifndef MED_COPY_SOUND_PLAN_H
#define MED_COPY_SOUND_PLAN_H

#include <libavcodec/avcodec.h>

#include "graph/clip.h"
#include "graph/made.h"

enum {
    MED_PLACE = 1024,     /* samples */
    MED_EDGE_PLACES = 16, /* between copied ones, at most */
};

struct med_sound_piece {
    const struct med_clip *clip;
    int64_t start; /* samples of the output; its sound is moved from there to the nearest place */
    int64_t place; /* of the input's first packet; may be before the first of the output */
    int64_t first; /* copied places */
    int64_t last;
    int64_t heard_from; /* samples of the output, as moved: nothing of its sound is before, */
    int64_t heard_to;   /* or from here on */
    bool cut;           /* it would go on there */
};

struct med_sound_plan {
    AVCodecParameters *params;
    struct med_sound_piece *pieces;
    size_t count;
    int64_t phase;      /* the sample at which place 0 is: negative, what is before 0 is not heard */
    int64_t places;     /* of the output */
    int64_t samples;    /* of the output, at its own rate */
    int64_t moved;      /* samples by which any piece was, at most */
    const char *reason; /* why nothing is, or NULL */
};

enum cs_status med_sound_plan_make(const struct med_made *made, struct cs_arena *arena, struct med_sound_plan *ret_plan,
                                   struct cs_err *err) CS_MUST_USE;
void med_sound_plan_fini(struct med_sound_plan *plan);

int64_t med_sound_plan_at(const struct med_sound_plan *plan, int64_t place);

#endif
