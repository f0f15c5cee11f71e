#include "captions/titles.h"

#include <math.h>
#include <string.h>

#include "captions/ass_text.h"

enum { CENTISECONDS = 100, SLIDE_WAY_PARTS = 4 /* of the canvas */, BAR_GAP_PARTS = 3 /* of a letter's height */ };

struct author {
    struct cs_buf *out;
    int width, height;
    struct med_font_set *fonts;
};

static uint32_t faded(uint32_t color, double opacity) {
    double shown = (double)(0xFF - (color >> 24)) * opacity;
    return (color & 0xFFFFFFU) | (uint32_t)(0xFF - (int)lround(shown)) << 24;
}

/* As on a numeric keypad. */
static int alignment_of(const struct med_title *title) {
    return (title->row > 0 ? 0 : title->row == 0 ? 3 : 6) + title->column + 2;
}

/* A box is libass's one rectangle behind the whole event (border style 4), padded by the shadow's distance. */
static void put_style(const struct author *author, const struct med_title *title, size_t index) {
    cs_buf_printf(
        author->out, "Style: T%zu,%s,%g,&H%08X,&H%08X,&H%08X,&H%08X,%d,0,0,0,100,100,0,0,%d,%g,%g,%d,%d,%d,%d,-1\n",
        index, title->family, title->size, faded(title->color, title->opacity), faded(title->color, title->opacity),
        faded(title->outline_color, title->opacity), faded(title->box ? title->box_color : 0x60000000U, title->opacity),
        title->bold ? -1 : 0, title->box ? 4 : 1, title->outline, title->box ? title->padding : title->shadow,
        alignment_of(title), title->margin_x, title->margin_x, title->margin_y);
}

static void put_header(const struct author *author, const struct med_title *titles, size_t count) {
    med_ass_put_head(author->out, author->width, author->height);
    for (size_t i = 0; i < count; i++) {
        put_style(author, &titles[i], i);
    }
    med_ass_put_events_head(author->out);
}

/* ---- where ---- */

static double margin_place(int where, double margin, double whole) {
    return where < 0 ? margin : where > 0 ? whole - margin : whole / 2;
}

static void place_of(const struct author *author, const struct med_title *title, double *ret_x, double *ret_y) {
    *ret_x = title->placed ? title->x : margin_place(title->column, title->margin_x, author->width);
    *ret_y = title->placed ? title->y : margin_place(title->row, title->margin_y, author->height);
}

static void open_event(const struct author *author, const struct med_title *title, size_t index, double x, double y) {
    char start[MED_ASS_TIME_SIZE];
    char end[MED_ASS_TIME_SIZE];
    double from = x + (title->column > 0 ? 1 : -1) * (double)author->width / SLIDE_WAY_PARTS;
    med_ass_time(title->start_cs, start);
    med_ass_time(title->end_cs, end);
    cs_buf_printf(author->out, "Dialogue: %zu,%s,%s,T%zu,,0,0,0,,{", index, start, end, index);
    if (title->slide_ms > 0) {
        cs_buf_printf(author->out, "\\move(%.2f,%.2f,%.2f,%.2f,0,%d)", from, y, x, y, title->slide_ms);
    } else if (title->placed || title->bar > 0) {
        cs_buf_printf(author->out, "\\pos(%.2f,%.2f)", x, y);
    }
    if (title->fade_in_ms > 0 || title->fade_out_ms > 0) {
        cs_buf_printf(author->out, "\\fad(%d,%d)", title->fade_in_ms, title->fade_out_ms);
    }
}

/* ---- what ---- */

static void put_text(const struct author *author, const struct med_title *title) {
    struct med_ass_writer writer = {
        .out = author->out,
        .family = title->family,
        .size = title->size,
        .language = title->language,
        .fonts = author->fonts,
        .keep_lines = true,
    };
    med_ass_put(&writer, title->text, strlen(title->text));
    if (title->second[0] != '\0') {
        cs_buf_printf(author->out, "\\N{\\b0\\fs%g}", title->second_size);
        writer.size = title->second_size;
        med_ass_put(&writer, title->second, strlen(title->second));
    }
    cs_buf_puts(author->out, "\n");
}

/* As high as its lines, on the side that they begin at. */
static void put_bar(const struct author *author, const struct med_title *title, size_t index, double x, double y) {
    double height = title->size + (title->second[0] != '\0' ? title->second_size : 0);
    double gap = title->size / BAR_GAP_PARTS;
    double at = title->column > 0 ? x + gap : x - gap;
    open_event(author, title, index, at, y);
    cs_buf_printf(author->out, "\\bord0\\shad0\\1c&H%06X&\\1a&H%02X&\\p1}m 0 0 l %.2f 0 l %.2f %.2f l 0 %.2f{\\p0}\n",
                  title->bar_color & 0xFFFFFFU, faded(title->bar_color, title->opacity) >> 24, title->bar, title->bar,
                  height, height);
}

static void put_title(const struct author *author, const struct med_title *title, size_t index) {
    double x = 0;
    double y = 0;
    place_of(author, title, &x, &y);
    if (title->bar > 0) {
        put_bar(author, title, index, x, y);
    }
    open_event(author, title, index, x, y);
    cs_buf_puts(author->out, "}");
    put_text(author, title);
}

void med_titles(const struct med_title *titles, size_t count, int canvas_width, int canvas_height, struct cs_buf *out,
                struct med_font_set *ret_fonts) {
    const struct author author = {.out = out, .width = canvas_width, .height = canvas_height, .fonts = ret_fonts};
    for (size_t i = 0; i < count; i++) {
        med_font_set_add(ret_fonts, titles[i].family);
    }
    put_header(&author, titles, count);
    for (size_t i = 0; i < count; i++) {
        put_title(&author, &titles[i], i);
    }
}

/* draw asks for whole milliseconds, rounded down; ASS knows whole centiseconds. */
int64_t med_title_cs_at(int64_t frame, int rate_num, int rate_den) {
    return frame * rate_den * CENTISECONDS / rate_num;
}
