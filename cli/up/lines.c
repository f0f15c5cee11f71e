#include "up/lines.h"

#include <string.h>

static void give(struct cli_lines *lines, const char *bytes, size_t size,
                 void (*line)(const char *text, size_t size, void *ctx), void *ctx) {
    cs_buf_put(&lines->rest, bytes, size);
    line(lines->rest.data, lines->rest.size, ctx);
    cs_buf_clear(&lines->rest);
}

void cli_lines_feed(struct cli_lines *lines, const char *bytes, size_t size,
                    void (*line)(const char *text, size_t size, void *ctx), void *ctx) {
    while (size != 0) {
        const char *newline = memchr(bytes, '\n', size);
        size_t length = newline != NULL ? (size_t)(newline - bytes) : size;
        size_t room = CLI_LINE_MAX - lines->rest.size;
        if (length > room) {
            give(lines, bytes, room, line, ctx);
            bytes += room;
            size -= room;
        } else if (newline != NULL) {
            give(lines, bytes, length, line, ctx);
            bytes += length + 1;
            size -= length + 1;
        } else {
            cs_buf_put(&lines->rest, bytes, size);
            size = 0;
        }
    }
}

void cli_lines_finish(struct cli_lines *lines, void (*line)(const char *text, size_t size, void *ctx), void *ctx) {
    if (lines->rest.size != 0) {
        give(lines, "", 0, line, ctx);
    }
    cs_buf_fini(&lines->rest);
}
