/*
 * window: where pictures lie in each other: what of one is cut out, and where a whole one goes.
 */
#ifndef MED_WINDOW_H
#define MED_WINDOW_H

#include <libavformat/avformat.h>
#include <stdbool.h>

enum med_anchor { MED_ANCHOR_CENTER, MED_ANCHOR_TOP, MED_ANCHOR_BOTTOM, MED_ANCHOR_LEFT, MED_ANCHOR_RIGHT };

struct med_orientation {
    int degrees;   /* clockwise, to make it upright */
    bool mirror_x; /* after the turn */
};

struct med_window {
    int x, y, width, height;
};

/* From the frame's own display matrix (JPEG's EXIF) or else the stream's; without a stream, upright. */
struct med_orientation med_orientation_of(const AVFrame *frame, const AVStream *stream);
bool med_lies_sideways(struct med_orientation turn);
/* Square, when it is absent or beyond belief. */
AVRational med_sane_sar(AVRational sar);
/* Size once upright with square pixels. */
void med_shown_size(int width, int height, AVRational sar, struct med_orientation turn, int *ret_width,
                    int *ret_height);
/* The window of a picture (already upright, pixels of aspect sar) that has the ratio width:height on a screen. */
struct med_window med_crop_window(int in_width, int in_height, AVRational sar, int width, int height,
                                  enum med_anchor anchor);
/* Where and how big the whole picture lies inside width x height; even numbers. */
struct med_window med_pad_window(int in_width, int in_height, AVRational sar, int width, int height);

#endif
