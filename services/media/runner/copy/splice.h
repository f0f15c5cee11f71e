/*
 * splice: a picture made of stretches of inputs, as parts that are copied and parts that are encoded.
 *
 * Inputs that share their parameter sets, size and format form a group; the one with most copied frames is kept, the
 * stretches of all others are encoded from their own pads.
 *
 * Owns     med_splice_fini frees it; small things lie in the arena. Nothing is open afterwards: inputs are read one
 *          after the other, and memory does not grow with their length.
 */
#ifndef MED_SPLICE_H
#define MED_SPLICE_H

#include "copy/plan.h"
#include "graph/clip.h"
#include "graph/made.h"

struct med_source { /* one input */
    const struct med_clip *clip;
    const char *reason; /* why nothing of it is copied, or NULL */
    AVCodecParameters *params;
    struct med_sets sets;
    size_t group; /* the first source like it */
    int64_t copied;
    bool open; /* groups */
};

struct med_splice_piece {
    const struct med_piece *piece;
    struct med_source *source;
    int64_t out;
    struct med_copy_parts parts; /* of a kept one; others are encoded whole */
    bool kept;
};

struct med_splice {
    struct cs_arena *arena;
    struct med_picture_format format;
    int64_t frames;
    struct med_splice_piece *pieces;
    size_t count;
    struct med_source *sources;
    size_t source_count;
    const struct med_source *like; /* one of the kept group; NULL: nothing is copied */
    int64_t copied;                /* frames */
    int64_t encoded;
    int64_t work; /* in quarters of the effort of encoding one frame */
    int reorder;  /* of the copied parts */
    const char *reason;
};

/* CS_OK also when nothing is worth copying: like is NULL, and reason says why. */
enum cs_status med_splice_plan(const struct med_made *made, struct cs_arena *arena, struct med_splice *ret_splice,
                               struct cs_err *err) CS_MUST_USE;
void med_splice_fini(struct med_splice *splice);

/* A reader of a source whose frames are those of the output's rate. known: see reader.h. */
enum cs_status med_source_reader(const struct med_source *source, const struct med_splice *splice, bool known,
                                 struct med_reader **ret_reader, struct cs_err *err) CS_MUST_USE;

#endif
