/*
 * black: frames of nothing, for others to lie on.
 */
#ifndef MED_BLACK_H
#define MED_BLACK_H

#include "graph/graph.h"

struct med_video *med_black(struct med_graph *graph, const struct med_picture_format *format, int64_t frames);

/* One such frame. */
enum cs_status med_black_frame(const struct med_picture_format *format, AVFrame **ret_frame,
                               struct cs_err *err) CS_MUST_USE;

#endif
