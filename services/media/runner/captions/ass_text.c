#include "captions/ass_text.h"

#include <stdio.h>
#include <string.h>

uint32_t med_utf8_next(const char **text, const char *end) {
    const unsigned char *s = (const unsigned char *)*text;
    size_t left = (size_t)(end - *text);
    size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    uint32_t value = length == 1 ? s[0] : length == 2 ? s[0] & 0x1fU : length == 3 ? s[0] & 0x0fU : s[0] & 0x07U;
    bool good = length > 0 && length <= left && s[0] <= 0xf4;
    for (size_t i = 1; good && i < length; i++) {
        good = (s[i] & 0xc0) == 0x80;
        value = value << 6 | (s[i] & 0x3fU);
    }
    *text += good ? length : 1;
    return good ? value : 0xfffd;
}

void med_utf8_put(struct cs_buf *out, uint32_t c) {
    if (c < 0x80) {
        cs_buf_putc(out, (char)c);
    } else if (c < 0x800) {
        cs_buf_putc(out, (char)(0xc0 | c >> 6));
        cs_buf_putc(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        cs_buf_putc(out, (char)(0xe0 | c >> 12));
        cs_buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
        cs_buf_putc(out, (char)(0x80 | (c & 0x3f)));
    } else {
        cs_buf_putc(out, (char)(0xf0 | c >> 18));
        cs_buf_putc(out, (char)(0x80 | (c >> 12 & 0x3f)));
        cs_buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
        cs_buf_putc(out, (char)(0x80 | (c & 0x3f)));
    }
}

/* Belongs to whatever stands before it: spaces, joiners, marks, variation selectors, direction marks. */
static bool follows(uint32_t c) {
    return c <= ' ' || c == 0xa0 || (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || (c >= 0xfe00 && c <= 0xfe0f) ||
           (c >= 0xe0100 && c <= 0xe01ef);
}

void med_ass_put_character(struct cs_buf *out, uint32_t c, bool keep_lines) {
    switch (c) {
    case '{':
    case '}':
        cs_buf_putc(out, '\\');
        cs_buf_putc(out, (char)c);
        break;
    case '\\': /* a word joiner after it: no letter that follows makes it a command */
        cs_buf_putc(out, '\\');
        med_utf8_put(out, 0x2060);
        break;
    case '\n':
        cs_buf_puts(out, keep_lines ? "\\N" : " ");
        break;
    default:
        if (c < ' ' || c == 0x7f || c == 0x2028 || c == 0x2029 || c == 0x85) {
            cs_buf_putc(out, ' ');
        } else {
            med_utf8_put(out, c);
        }
        break;
    }
}

static void put_font(const struct med_ass_writer *writer, const char *family) {
    cs_buf_printf(writer->out, "{\\fn%s", family);
    if (!writer->keep_size) {
        cs_buf_printf(writer->out, "\\fs%.1f", writer->size * med_fonts_size_ratio(family, writer->family));
    }
    cs_buf_putc(writer->out, '}');
    med_font_set_add(writer->fonts, family);
}

void med_ass_put(const struct med_ass_writer *writer, const char *text, size_t length) {
    const char *end = text + length;
    const char *current = writer->family;
    med_font_set_add(writer->fonts, writer->family);
    while (text < end) {
        uint32_t c = med_utf8_next(&text, end);
        if (!follows(c)) {
            const char *family = med_fonts_for(c, writer->family, writer->language);
            if (family == NULL) {
                continue;
            }
            if (strcmp(family, current) != 0) {
                put_font(writer, family);
                current = family;
            }
        }
        med_ass_put_character(writer->out, c, writer->keep_lines);
    }
    if (strcmp(current, writer->family) != 0) {
        put_font(writer, writer->family);
    }
}

void med_ass_time(int64_t centiseconds, char ret_text[MED_ASS_TIME_SIZE]) {
    if (centiseconds < 0) {
        centiseconds = 0;
    }
    snprintf(ret_text, MED_ASS_TIME_SIZE, "%lld:%02d:%02d.%02d", (long long)(centiseconds / 360000 % 100000),
             (int)(centiseconds / 6000 % 60), (int)(centiseconds / 100 % 60), (int)(centiseconds % 100));
}

void med_ass_put_head(struct cs_buf *out, int width, int height) {
    cs_buf_printf(out,
                  "[Script Info]\nScriptType: v4.00+\nPlayResX: %d\nPlayResY: %d\nWrapStyle: 0\n"
                  "ScaledBorderAndShadow: yes\nYCbCr Matrix: None\n\n[V4+ Styles]\n"
                  "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, "
                  "Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, "
                  "Alignment, MarginL, MarginR, MarginV, Encoding\n",
                  width, height);
}

void med_ass_put_events_head(struct cs_buf *out) {
    cs_buf_puts(out, "\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n");
}
