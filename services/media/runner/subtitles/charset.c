#include "subtitles/charset.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "captions/ass_text.h"
#include "cs/base/text.h"

enum { BYTES_LOOKED_AT = 4096 };

/* 0x80 … 0x9f of Windows-1252; the rest of it is Latin-1. */
static const uint16_t western[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

/* 0x80 … 0xbf of Windows-1251; letters from А to я follow. */
static const uint16_t cyrillic[64] = {
    0x0402, 0x0403, 0x201a, 0x0453, 0x201e, 0x2026, 0x2020, 0x2021, 0x20ac, 0x2030, 0x0409, 0x2039, 0x040a,
    0x040c, 0x040b, 0x040f, 0x0452, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0xfffd, 0x2122,
    0x0459, 0x203a, 0x045a, 0x045c, 0x045b, 0x045f, 0x00a0, 0x040e, 0x045e, 0x0408, 0x00a4, 0x0490, 0x00a6,
    0x00a7, 0x0401, 0x00a9, 0x0404, 0x00ab, 0x00ac, 0x00ad, 0x00ae, 0x0407, 0x00b0, 0x00b1, 0x0406, 0x0456,
    0x0491, 0x00b5, 0x00b6, 0x00b7, 0x0451, 0x2116, 0x0454, 0x00bb, 0x0458, 0x0405, 0x0455, 0x0457,
};

/* ---- which one ---- */

static bool is_ascii_letter(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool mostly_beyond_ascii(const unsigned char *bytes, size_t size) {
    size_t plain = 0;
    size_t beyond = 0;
    for (size_t i = 0; i < size; i++) {
        plain += is_ascii_letter(bytes[i]);
        beyond += bytes[i] >= 0xc0;
    }
    return beyond > plain;
}

/* Where the NULs are when the text is Latin letters in two bytes each: 1 or 0; -1: it is not. */
static int nul_side(const unsigned char *bytes, size_t size) {
    size_t nuls[2] = {0};
    size = (size < BYTES_LOOKED_AT ? size : BYTES_LOOKED_AT) & ~(size_t)1;
    for (size_t i = 0; i < size; i++) {
        nuls[i & 1] += bytes[i] == 0;
    }
    if (size == 0 || (nuls[0] != 0 && nuls[1] != 0)) {
        return -1;
    }
    return nuls[1] * 4 > size ? 1 : nuls[0] * 4 > size ? 0 : -1;
}

static enum med_charset charset_of(const unsigned char *bytes, size_t size, size_t *ret_mark_bytes) {
    *ret_mark_bytes = 2;
    if (size >= 2 && bytes[0] == 0xff && bytes[1] == 0xfe) {
        return MED_CHARSET_UTF16LE;
    }
    if (size >= 2 && bytes[0] == 0xfe && bytes[1] == 0xff) {
        return MED_CHARSET_UTF16BE;
    }
    *ret_mark_bytes = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    int side = *ret_mark_bytes == 0 ? nul_side(bytes, size) : -1;
    if (side >= 0) {
        return side == 1 ? MED_CHARSET_UTF16LE : MED_CHARSET_UTF16BE;
    }
    if (*ret_mark_bytes == 3 || cs_utf8_valid((const char *)bytes, size)) {
        return MED_CHARSET_UTF8;
    }
    return mostly_beyond_ascii(bytes, size) ? MED_CHARSET_WINDOWS_1251 : MED_CHARSET_WINDOWS_1252;
}

/* ---- to UTF-8 ---- */

static void decode_utf16(const unsigned char *bytes, size_t size, bool little, struct cs_buf *out) {
    uint32_t high = 0; /* a first half that waits for its second */
    for (size_t i = 0; i + 1 < size; i += 2) {
        uint32_t unit = little ? bytes[i] | (uint32_t)bytes[i + 1] << 8 : bytes[i + 1] | (uint32_t)bytes[i] << 8;
        bool second = unit >= 0xdc00 && unit <= 0xdfff;
        if (high != 0 && second) {
            med_utf8_put(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
            high = 0;
            continue;
        }
        if (high != 0) {
            med_utf8_put(out, 0xfffd);
        }
        high = unit >= 0xd800 && unit <= 0xdbff ? unit : 0;
        if (high == 0) {
            med_utf8_put(out, second ? 0xfffd : unit);
        }
    }
    if (high != 0) {
        med_utf8_put(out, 0xfffd);
    }
}

static void decode_utf8(const char *text, const char *end, struct cs_buf *out) {
    while (text < end) {
        med_utf8_put(out, med_utf8_next(&text, end));
    }
}

static uint32_t from_windows(unsigned char c, enum med_charset charset) {
    if (c < 0x80) {
        return c;
    }
    if (charset == MED_CHARSET_WINDOWS_1251) {
        return c < 0xc0 ? cyrillic[c - 0x80] : 0x410U + (c - 0xc0U);
    }
    return c < 0xa0 ? western[c - 0x80] : c;
}

enum med_charset med_charset_decode(const char *bytes, size_t size_bytes, struct cs_buf *out) {
    size_t mark = 0;
    const unsigned char *from = (const unsigned char *)bytes;
    enum med_charset charset = charset_of(from, size_bytes, &mark);
    switch (charset) {
    case MED_CHARSET_UTF8:
        decode_utf8(bytes + mark, bytes + size_bytes, out);
        break;
    case MED_CHARSET_UTF16LE:
    case MED_CHARSET_UTF16BE:
        decode_utf16(from + mark, size_bytes - mark, charset == MED_CHARSET_UTF16LE, out);
        break;
    default:
        for (size_t i = mark; i < size_bytes; i++) {
            med_utf8_put(out, from_windows(from[i], charset));
        }
        break;
    }
    return charset;
}
