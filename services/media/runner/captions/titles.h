/*
 * titles: texts that stand somewhere on the picture for a while, as an ASS document.
 *
 * Numbers are for the canvas (captions/draw.h). Text is escaped by ass_text; nothing of it is ever read as markup.
 * Words run in their own direction and lines are broken where they meet the margins.
 */
#ifndef MED_TITLES_H
#define MED_TITLES_H

#include <stdbool.h>
#include <stdint.h>

#include "captions/fonts.h"
#include "cs/base/mem.h"

enum { MED_TITLE_BYTES_MAX = 2000 };

struct med_title {
    const char *text;
    const char *family; /* an installed one, see med_fonts_family */
    double size;
    bool bold;
    const char *second; /* under it, smaller; or "" */
    double second_size;
    const char *language;
    uint32_t color; /* ASS: 0xAABBGGRR, AA transparent at ff */
    uint32_t outline_color;
    uint32_t box_color;
    bool box;
    double outline;
    double padding; /* of the box */
    double shadow;
    double opacity; /* of all of it, 0 … 1 */
    int column;     /* -1 left, 0, 1 right: of the place, and of the lines */
    int row;        /* -1 top, 0, 1 bottom */
    int margin_x;
    int margin_y;
    bool placed; /* x and y are its corner (or side, or middle: as column and row), not the margins */
    double x, y;
    double bar; /* width of an upright line beside it; 0: none */
    uint32_t bar_color;
    int64_t start_cs;
    int64_t end_cs;
    int fade_in_ms;
    int fade_out_ms;
    int slide_ms; /* in from the side; 0: it stands */
};

void med_titles(const struct med_title *titles, size_t count, int canvas_width, int canvas_height, struct cs_buf *out,
                struct med_font_set *ret_fonts);

/* The centisecond at which captions show frame n first. */
int64_t med_title_cs_at(int64_t frame, int rate_num, int rate_den);

#endif
