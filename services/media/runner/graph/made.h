/*
 * made: what an operation makes, as pads on demand.
 *
 * An operation reads and checks its parameters and inputs once; what it leaves is a description that can be built into
 * any graph, any number of times, picture and sound apart: once to be encoded, once more to be measured, or as the
 * input (med_clip.made) of the operation behind it. Building is cheap: nodes open their inputs when the first frame is
 * wanted.
 *
 * Owns     it and `self` live in the job's arena.
 */
#ifndef MED_MADE_H
#define MED_MADE_H

#include "graph/encoding.h"
#include "graph/facts.h"
#include "graph/graph.h"

struct med_clip;
struct med_job;

/* A stretch of an input that fills frames of the output, and nothing is done to its picture but what makes it fit
 * (MED_FIT_PAD): one that fits already may be copied. */
struct med_piece {
    const struct med_clip *clip; /* its from_ticks is where the stretch begins */
    int64_t frames;
};

struct med_made {
    struct med_picture_format format;
    int64_t frames;  /* 0: no picture */
    int64_t samples; /* 0: no sound */
    void *self;
    struct med_encoding encoding; /* of the finished file, its container apart; all zero: as usual */
    int64_t bytes_max;            /* what that file may have: the picture is encoded coarser until it fits; 0 */
    enum cs_status (*picture)(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                              struct cs_err *err);
    enum cs_status (*sound)(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                            struct cs_err *err);
    /* Any stretch of the picture costs what it is long, and is the same whether or not what is before it was made. */
    bool divisible;
    /* Of a file of sound alone, when this was the last operation of the job: whether it has to be made again, otherwise
     * than before; or NULL. */
    enum cs_status (*judge)(const struct med_made *made, struct med_job *job, int fd, bool *ret_again,
                            struct cs_err *err);
    /* Behind the finished file, when this was the last operation of the job; or NULL. */
    enum cs_status (*finish)(const struct med_made *made, struct med_job *job, int fd, struct cs_err *err);
    /* The whole picture, when nothing else is done to it than to lay these one after the other; else NULL. */
    const struct med_piece *pieces;
    size_t piece_count;
    bool sound_of_pieces; /* nor to their sound */
};

enum cs_status med_made_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                struct cs_err *err) CS_MUST_USE;
enum cs_status med_made_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                              struct cs_err *err) CS_MUST_USE;

/* Facts for the operation behind it: those that a lossless file of it would have. */
struct med_facts med_made_facts(const struct med_made *made);

#endif
