/*
 * width: how many columns of a terminal a text takes, and what it may do there.
 */
#ifndef CLI_WATCH_WIDTH_H
#define CLI_WATCH_WIDTH_H

#include <stdbool.h>
#include <stddef.h>

#include "cs/base/mem.h"

/* Columns of UTF-8 text: 0 for combining marks, 2 for East Asian wide characters and pictographs. */
size_t cli_text_width(const char *text);

/* One line that only shows: control characters, also those beyond ASCII, become blanks. In place. */
void cli_text_clean(char *text);

/* Puts text into at most columns, cut with an ellipsis when it is longer; pads with blanks when pad. Without unicode
 * anything beyond ASCII becomes "?". */
void cli_put_cell(struct cs_buf *out, const char *text, size_t columns, bool pad, bool unicode);

#endif
