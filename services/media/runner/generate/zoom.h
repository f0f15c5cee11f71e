/*
 * zoom: a slow move into (or out of) a still picture, at sub-pixel steps.
 */
#ifndef MED_ZOOM_H
#define MED_ZOOM_H

#include <stdbool.h>

#include "graph/clip.h"

/* The still fills the frame (cropped around its centre). */
struct med_video *med_zoom(struct med_graph *graph, const struct med_clip *still,
                           const struct med_picture_format *format, int64_t frames, bool outwards);

#endif
