/*
 * clip: sources. A stretch of an input, from its start or a later picture on, made to fit the output. The input is a
 * file, or what an earlier operation of the same job makes.
 *
 * Clock    Output frame n shows the picture whose time, rounded to the nearest frame, is at or before n: variable
 *          rates become constant here and nowhere else. A picture that lasts longer than its clip's sound, or sound
 *          that starts late, is filled by the last picture and by silence. Sound is aligned to the first picture.
 * Fails    "corrupt_input" when an input ends earlier than its header promised (by a tenth and half a second).
 */
#ifndef MED_CLIP_H
#define MED_CLIP_H

#include "graph/facts.h"
#include "graph/fit.h"
#include "graph/graph.h"

struct med_made;

struct med_clip {
    int fd;
    const struct med_made *made;   /* instead of fd, or NULL; outlives the graph */
    const struct med_facts *facts; /* outlives the graph */
    const char *path;              /* of the parameter, for errors; outlives the graph */
    int64_t from_ticks;            /* where the stretch begins, on a frame of the output; 0: at its start */
    bool bare_head;                /* its sound is not faded in where it is cut: the caller does */
    bool bare_tail;
    int64_t *began; /* told the frame of its file from which on it is decoded, at the output's rate; or NULL */
};

/* Where reading may begin, in stream time: early enough that decoders are at rest by the clip's begin. INT64_MIN: at
 * the start. start_ticks: the input's time 0 in stream time. */
int64_t med_clip_seek_ticks(const struct med_clip *clip, int64_t start_ticks);

/* Its picture may be made from any frame on: see med_made.divisible. */
bool med_clip_is_divisible(const struct med_clip *clip);

/* Picture of a video or a still. */
struct med_video *med_clip_video(struct med_graph *graph, const struct med_clip *clip,
                                 const struct med_picture_format *format, int64_t frames, enum med_fit_mode mode,
                                 enum med_anchor anchor);
/* The same, in every way that fit.h knows; of `fit` its size and threads are not looked at, and what it points to
 * outlives the graph. What has transparency that is kept is YUVA 4:2:0. */
struct med_video *med_clip_fitted(struct med_graph *graph, const struct med_clip *clip,
                                  const struct med_picture_format *format, int64_t frames, const struct med_fit *fit);
/* Sound; silence when the input has none. volume 0 … 1. */
struct med_audio *med_clip_audio(struct med_graph *graph, const struct med_clip *clip, int64_t samples, double volume);

#endif
