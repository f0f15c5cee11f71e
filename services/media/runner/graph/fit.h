/*
 * fit: makes any decoded picture a frame of the output: upright, square pixels, the wanted size, 8-bit 4:2:0, BT.709
 * limited range. HDR (PQ, HLG) is tone-mapped; transparency lies on black, unless it is to be kept.
 *
 * Rotation and pixel aspect are applied here and only here. A picture that needs nothing passes untouched. A crop moves
 * by whole chroma samples, without copying.
 */
#ifndef MED_FIT_H
#define MED_FIT_H

#include <libavformat/avformat.h>
#include <stdbool.h>
#include <stdint.h>

#include "graph/backdrop.h"
#include "graph/chain.h"
#include "graph/key.h"
#include "graph/window.h"

enum med_fit_mode {
    MED_FIT_PAD,      /* whole picture, centred on one colour */
    MED_FIT_CROP,     /* the largest window of the target's ratio */
    MED_FIT_BLUR_PAD, /* whole picture, centred on itself, enlarged and blurred */
    MED_FIT_STRETCH,
};

struct med_path;

struct med_fit {
    enum med_fit_mode mode;
    enum med_anchor anchor; /* of the crop */
    int width;
    int height;
    int threads;
    uint32_t pad_rgb;         /* 0xRRGGBB */
    struct med_window region; /* what of the picture, as it is shown, is used; width 0: all of it */
    /* Where the crop is at each frame, instead of its anchor; or NULL. It is for who has the frames to follow it, see
     * med_fit_place. */
    const struct med_path *path;
    /* What is transparent stays so, and what lies beside a padded picture is: frames are YUVA 4:2:0, their colours
     * multiplied by alpha, when they have any. */
    bool keep_alpha;
    const struct med_key *key; /* or NULL; of pictures whose alpha is kept, instead of their own */
    /* below: fit.c's */
    struct med_chain chain;
    struct med_chain keyed;       /* behind the key, which chain ends before */
    struct med_backdrop backdrop; /* width 0: none */
    bool ready;
    bool nothing_to_do;
    bool keys;   /* key is looked for between the two chains */
    bool placed; /* the crop is at place_x, place_y of the picture as shown, not at its anchor */
    int place_x, place_y;
    struct med_window window; /* of the upright picture, as stored */
    int upright_width, upright_height;
    int in_width, in_height, in_format, in_range, in_matrix, in_transfer;
    AVRational in_sar;
    struct med_orientation in_turn;
};

/* The crop's corner for the pictures to come, in pixels of the picture as shown. Says whether it has moved. */
bool med_fit_place(struct med_fit *fit, int x, int y);

/* stream: of `in`, or NULL for a frame of a pad. */
enum cs_status med_fit_apply(struct med_fit *fit, AVFrame *in, const AVStream *stream, AVFrame **ret_out,
                             struct cs_err *err) CS_MUST_USE;
void med_fit_fini(struct med_fit *fit);

#endif
