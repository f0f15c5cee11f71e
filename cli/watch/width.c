#include "watch/width.h"

#include <stdint.h>
#include <string.h>

struct range {
    uint32_t first;
    uint32_t last;
};

static const struct range zero_ranges[] = {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};
static const struct range wide_ranges[] = {
    {0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD},
};

static bool in(uint32_t c, const struct range *ranges, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

static size_t width_of(uint32_t c) {
    return in(c, zero_ranges, CS_COUNT(zero_ranges)) ? 0 : in(c, wide_ranges, CS_COUNT(wide_ranges)) ? 2 : 1;
}

/* One character; a byte that is not UTF-8 counts as one. */
static size_t next(const char *text, uint32_t *ret_char) {
    unsigned char c = (unsigned char)text[0];
    size_t length = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    uint32_t value = length == 1 ? c : c & (0xFFU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80) {
            *ret_char = c;
            return 1;
        }
        value = value << 6 | ((unsigned char)text[i] & 0x3F);
    }
    *ret_char = value;
    return length;
}

size_t cli_text_width(const char *text) {
    size_t width = 0;
    for (uint32_t c = 0; *text != '\0';) {
        text += next(text, &c);
        width += width_of(c);
    }
    return width;
}

void cli_text_clean(char *text) {
    for (uint32_t c = 0; *text != '\0';) {
        size_t length = next(text, &c);
        if (c < 0x20 || (c >= 0x7F && c < 0xA0)) {
            memset(text, ' ', length);
        }
        text += length;
    }
}

static void put_char(struct cs_buf *out, const char *text, size_t length, bool unicode) {
    if (length > 1 && !unicode) {
        cs_buf_putc(out, '?');
    } else {
        cs_buf_put(out, text, length);
    }
}

void cli_put_cell(struct cs_buf *out, const char *text, size_t columns, bool pad, bool unicode) {
    bool cut = cli_text_width(text) > columns;
    size_t room = cut && columns > 0 ? columns - 1 : columns;
    size_t used = 0;
    for (uint32_t c = 0; *text != '\0';) {
        size_t length = next(text, &c);
        if (used + width_of(c) > room) {
            break;
        }
        put_char(out, text, length, unicode);
        used += width_of(c);
        text += length;
    }
    if (cut && columns > 0) {
        cs_buf_puts(out, unicode ? "…" : "~");
        used++;
    }
    for (; pad && used < columns; used++) {
        cs_buf_putc(out, ' ');
    }
}
