/*
 * lines: bytes that come in pieces, given out as lines.
 *
 * Limits   a line beyond CLI_LINE_MAX is given out in pieces of that size.
 */
#ifndef CLI_UP_LINES_H
#define CLI_UP_LINES_H

#include "cs/base/mem.h"

enum { CLI_LINE_MAX = 65536 };

struct cli_lines {
    struct cs_buf rest;
};

/* Calls line for each whole line (without its newline). */
void cli_lines_feed(struct cli_lines *lines, const char *bytes, size_t size,
                    void (*line)(const char *text, size_t size, void *ctx), void *ctx);
/* The end: what is left is a line too. Frees the memory. */
void cli_lines_finish(struct cli_lines *lines, void (*line)(const char *text, size_t size, void *ctx), void *ctx);

#endif
