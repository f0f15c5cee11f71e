/*
 * ass_text: the one way of user text into an ASS document.
 *
 * Escapes what ASS would read as markup, turns line breaks and control characters into spaces (or \N where lines are
 * meant), and names the font of each run of characters that the main font lacks. A character that no font has is left
 * out.
 */
#ifndef MED_ASS_TEXT_H
#define MED_ASS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "captions/fonts.h"
#include "cs/base/mem.h"

struct med_ass_writer {
    struct cs_buf *out;
    const char *family;   /* of the style: what \fn without a name returns to */
    double size;          /* of the style */
    const char *language; /* BCP 47 or "" */
    struct med_font_set *fonts;
    bool keep_lines; /* a line break stays one */
    bool keep_size;  /* another font has the same size: not the same height of letters */
};

/* At most length bytes of UTF-8; a broken sequence becomes U+FFFD. */
void med_ass_put(const struct med_ass_writer *writer, const char *text, size_t length);

/* Without fonts: one character, escaped. */
void med_ass_put_character(struct cs_buf *out, uint32_t c, bool keep_lines);

/* The next character; advances *text, never beyond end. */
uint32_t med_utf8_next(const char **text, const char *end);
void med_utf8_put(struct cs_buf *out, uint32_t c);

/* What a document begins with, up to its styles, and between those and its events. */
void med_ass_put_head(struct cs_buf *out, int width, int height);
void med_ass_put_events_head(struct cs_buf *out);

/* "h:mm:ss.cc" from whole centiseconds. */
enum { MED_ASS_TIME_SIZE = 24 };
void med_ass_time(int64_t centiseconds, char ret_text[MED_ASS_TIME_SIZE]);

#endif
