/*
 * overlay: pictures, still or moving, laid over the frames below them.
 *
 * Only the window is touched. A picture that hides all of a frame takes its place: the frame is skipped, not made.
 */
#ifndef MED_OVERLAY_H
#define MED_OVERLAY_H

#include "graph/graph.h"

struct med_overlay {
    struct med_video *picture; /* YUV 4:2:0, or YUVA 4:2:0 multiplied by its alpha; its rate is the frames' */
    int x;                     /* even; may be negative, or lie beyond the edges */
    int y;
    double opacity; /* 0 … 1 */
    int64_t from;   /* the frame that its first one lies on; after its last one there is nothing */
};

struct med_video *med_overlay(struct med_graph *graph, struct med_video *video, const struct med_overlay *over);

#endif
