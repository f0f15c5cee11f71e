/*
 * style: how captions look, from a preset and what a plan changes of it.
 *
 * Numbers are for a canvas whose shorter side is 1080 (1080x1920 for a phone video). A preset's vertical margin is
 * meant for 1920 lines and shrinks with the canvas; a margin that the plan names is taken as it is.
 */
#ifndef MED_STYLE_H
#define MED_STYLE_H

#include <stdbool.h>
#include <stdint.h>

#include "callsheet/v1/operations.pb-c.h"
#include "cs/base/err.h"

struct med_style {
    const char *family;
    bool bold;
    double size;
    uint32_t color; /* ASS: &HAABBGGRR, AA transparent at ff */
    uint32_t outline_color;
    uint32_t box_color;
    bool box;
    double padding;
    double radius; /* of a box's corners */
    double outline;
    double shadow;
    int alignment; /* numeric keypad */
    int margin_v, margin_l, margin_r;
    bool keeps_cues; /* of a subtitle file: no limit of captions is named in the plan */
    uint32_t words_max;
    int64_t duration_max_cs;
    uint32_t characters_max;
    bool highlight;
    uint32_t active_color;
    uint32_t inactive_color;
    double active_scale;
    Callsheet__V1__CaptionAnimation animation;
};

/* "#RGB" "#RRGGBB" "RRGGBB" "&HAABBGGRR" */
bool med_color_parse(const char *text, uint32_t *ret_color);
/* wire may be NULL: the default preset. INVALID_ARGUMENT "unknown_preset", "bad_color" at its path. */
enum cs_status med_style_resolve(const Callsheet__V1__CaptionStyle *wire, int canvas_height,
                                 struct med_style *ret_style, struct cs_err *err) CS_MUST_USE;

#endif
