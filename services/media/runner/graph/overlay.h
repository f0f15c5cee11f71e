/*
 * overlay: a picture laid over every frame of a video, in one place.
 */
#ifndef MED_OVERLAY_H
#define MED_OVERLAY_H

#include "graph/clip.h"

/* The first picture of `picture`, read here and now, stretched to the window, whose numbers are even and inside the
 * frame. opacity 0 … 1, on top of the picture's own transparency. */
enum cs_status med_overlay(struct med_graph *graph, struct med_video *video, const struct med_clip *picture,
                           const struct med_window *window, double opacity, struct med_video **ret_video,
                           struct cs_err *err) CS_MUST_USE;

#endif
