/*
 * lines: a text line by line, whatever ends its lines: LF, CR LF, CR CR LF or CR.
 */
#ifndef MED_SUBTITLE_LINES_H
#define MED_SUBTITLE_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct med_lines {
    const char *at;
    const char *end;
};

struct med_line {
    const char *text;
    size_t size_bytes;
};

/* False behind the last one. */
bool med_line_next(struct med_lines *lines, struct med_line *ret_line);
/* Nothing but spaces. */
bool med_line_blank(const struct med_line *line);
/* Its first characters, without regard to case. */
bool med_line_starts(const struct med_line *line, const char *start);

#endif
