/*
 * xfade: one transition, frame pair by frame pair.
 */
#ifndef MED_XFADE_H
#define MED_XFADE_H

#include <libavfilter/avfilter.h>

#include "graph/graph.h"

struct med_xfade {
    AVFilterGraph *graph;
    AVFilterContext *from, *to, *sink;
};

/* For `frames` pairs. transition: a name from the catalogue. */
enum cs_status med_xfade_start(struct med_xfade *xfade, const char *transition, int64_t frames,
                               const struct med_picture_format *format, struct cs_err *err) CS_MUST_USE;
/* Pair n (from 0) in, blended frame n out. Takes both frames. */
enum cs_status med_xfade_blend(struct med_xfade *xfade, int64_t n, AVFrame *from, AVFrame *to, AVFrame **ret_frame,
                               struct cs_err *err) CS_MUST_USE;
void med_xfade_fini(struct med_xfade *xfade);

#endif
