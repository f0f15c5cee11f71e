/*
 * blend: libass's one-colour masks laid over a 4:2:0 BT.709 limited-range frame.
 */
#ifndef MED_BLEND_H
#define MED_BLEND_H

#include <ass/ass.h>
#include <libavutil/frame.h>

/* frame is writable. Masks beyond its edges are clipped. box_radius: pixels by which the corners of opaque boxes (not
 * of letters) are rounded; 0 is square. */
void med_blend(AVFrame *frame, const ASS_Image *images, double box_radius);

#endif
