/*
 * placement: where a layer lies on a canvas, from the words and sums of a plan.
 *
 * Rules    Both sides known: the area is exactly that big, and fit says how the picture fills it. One side known: the
 *          picture keeps its shape. None: it keeps its size, or is made smaller until the canvas holds it. Sides are
 *          floored to even numbers, places too: pictures are stored with half as many colours as pixels.
 * Limits   sides of 2 … CS_LAYER_SIDE_MAX, places within CS_LAYER_PLACE_MAX pixels of the canvas's corner.
 * Fails    INVALID_ARGUMENT at the field of the placement: "unknown_word", "bad_expression", "one_of", "bad_ratio",
 *          "out_of_range".
 * Trust    placements come from clients.
 */
#ifndef CS_PLACEMENT_H
#define CS_PLACEMENT_H

#include <stdbool.h>

#include "callsheet/v1/operations.pb-c.h"
#include "cs/base/err.h"

enum { CS_LAYER_SIDE_MAX = 8192, CS_LAYER_PLACE_MAX = 16384, CS_LAYER_PADDING_MAX = 4096 };

struct cs_size {
    int width;
    int height;
};

struct cs_placed {
    int x; /* even, may be negative: layers may lie over the edges */
    int y;
    struct cs_size size;
};

/* placement may be NULL: all of the canvas. fit: COVER and STRETCH fill the area, CONTAIN makes it as small as the
 * picture in it. canvas and picture are positive. */
enum cs_status cs_placement(const Callsheet__V1__Placement *placement, Callsheet__V1__LayerFit fit,
                            struct cs_size canvas, struct cs_size picture, struct cs_placed *ret_placed,
                            struct cs_err *err) CS_MUST_USE;

/* What can be said before sizes are known: unknown words, sums that cannot be read, and the like. */
enum cs_status cs_placement_check(const Callsheet__V1__Placement *placement, struct cs_err *err) CS_MUST_USE;

/* "top-left" "topLeft" "top_left" "bottom" …: column and row -1, 0 or 1. */
bool cs_anchor(const char *word, int *ret_column, int *ret_row);
/* "0x00FF00", "#0F0", "#00FF00" or "00FF00" as 0xRRGGBB. */
bool cs_key_color(const char *text, uint32_t *ret_rgb);

#endif
