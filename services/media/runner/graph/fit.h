/*
 * fit: makes any decoded picture a frame of the output: upright, square pixels, the wanted size, 8-bit 4:2:0, BT.709
 * limited range. HDR (PQ, HLG) is tone-mapped; transparency lies on black.
 *
 * Rotation and pixel aspect are applied here and only here. A picture that needs nothing passes untouched.
 */
#ifndef MED_FIT_H
#define MED_FIT_H

#include <libavformat/avformat.h>
#include <stdbool.h>
#include <stdint.h>

#include "graph/chain.h"

enum med_fit_mode {
    MED_FIT_PAD,  /* whole picture, centred on black */
    MED_FIT_CROP, /* the largest window of the target's ratio, placed by the anchor */
};

enum med_anchor { MED_ANCHOR_CENTER, MED_ANCHOR_TOP, MED_ANCHOR_BOTTOM, MED_ANCHOR_LEFT, MED_ANCHOR_RIGHT };

struct med_orientation {
    int degrees;   /* clockwise, to make it upright */
    bool mirror_x; /* after the turn */
};

struct med_window {
    int x, y, width, height;
};

struct med_fit {
    enum med_fit_mode mode;
    enum med_anchor anchor;
    int width;
    int height;
    int threads;
    /* below: fit.c's */
    struct med_chain chain;
    bool ready;
    bool nothing_to_do;
    int in_width, in_height, in_format, in_range, in_matrix, in_transfer;
    AVRational in_sar;
    struct med_orientation in_turn;
};

/* From the frame's own display matrix (JPEG's EXIF) or else the stream's. */
struct med_orientation med_orientation_of(const AVFrame *frame, const AVStream *stream);
/* Size once upright with square pixels. */
void med_shown_size(int width, int height, AVRational sar, struct med_orientation turn, int *ret_width,
                    int *ret_height);
/* The window of a picture (already upright, pixels of aspect sar) that has the ratio width:height on a screen. */
struct med_window med_crop_window(int in_width, int in_height, AVRational sar, int width, int height,
                                  enum med_anchor anchor);
/* Where and how big the whole picture lies inside width x height; even numbers. */
struct med_window med_pad_window(int in_width, int in_height, AVRational sar, int width, int height);

/* stream: of `in`, or NULL for a frame of a pad. */
enum cs_status med_fit_apply(struct med_fit *fit, AVFrame *in, const AVStream *stream, AVFrame **ret_out,
                             struct cs_err *err) CS_MUST_USE;
void med_fit_fini(struct med_fit *fit);

/* A picture to be laid over others: upright, stretched to exactly this size, 4:4:4 BT.709 limited with alpha. Its
 * colours are multiplied by its alpha. */
enum cs_status med_fit_cutout(AVFrame *in, const AVStream *stream, int width, int height, AVFrame **ret_out,
                              struct cs_err *err) CS_MUST_USE;

#endif
