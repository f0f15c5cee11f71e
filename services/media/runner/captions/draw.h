/*
 * draw: an ASS document drawn into the frames by libass, from memory, blended straight into Y, Cb and Cr.
 */
#ifndef MED_DRAW_H
#define MED_DRAW_H

#include "captions/fonts.h"
#include "graph/graph.h"

/* document is copied. box_radius: of the corners of boxes, on the canvas. INTERNAL "captions" when libass refuses. */
enum cs_status med_draw(struct med_graph *graph, struct med_video *video, const char *document, size_t size_bytes,
                        const struct med_font_set *fonts, double box_radius, struct med_video **ret_video,
                        struct cs_err *err) CS_MUST_USE;

/* Canvas whose shorter side is 1080, in the picture's shape: what the numbers of a document mean. */
void med_canvas(const struct med_picture_format *format, int *ret_width, int *ret_height);

#endif
