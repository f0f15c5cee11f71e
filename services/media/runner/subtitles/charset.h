/*
 * charset: the text of a subtitle file as UTF-8, whatever it was saved as.
 *
 * A byte order mark decides; without one, bytes that are UTF-8 are, every other byte being NUL means UTF-16, and the
 * rest is one of the two old Windows encodings that such files come in: 1251 when most letters are beyond ASCII, else
 * 1252. What belongs to no character becomes U+FFFD.
 */
#ifndef MED_CHARSET_H
#define MED_CHARSET_H

#include <stddef.h>

#include "cs/base/mem.h"

enum med_charset {
    MED_CHARSET_UTF8,
    MED_CHARSET_UTF16LE,
    MED_CHARSET_UTF16BE,
    MED_CHARSET_WINDOWS_1251, /* a guess */
    MED_CHARSET_WINDOWS_1252, /* a guess */
};

/* out grows by at most three bytes for each of the file's. */
enum med_charset med_charset_decode(const char *bytes, size_t size_bytes, struct cs_buf *out);

#endif
