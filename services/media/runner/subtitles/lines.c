#include "subtitles/lines.h"

#include <string.h>
#include <strings.h>

bool med_line_next(struct med_lines *lines, struct med_line *ret_line) {
    const char *at = lines->at;
    if (at >= lines->end) {
        return false;
    }
    while (at < lines->end && *at != '\n' && *at != '\r') {
        at++;
    }
    *ret_line = (struct med_line){lines->at, (size_t)(at - lines->at)};
    const char *returns = at;
    while (returns < lines->end && *returns == '\r') {
        returns++;
    }
    bool feed = returns < lines->end && *returns == '\n'; /* any returns before it belong to it */
    lines->at = feed ? returns + 1 : at < lines->end ? at + 1 : at;
    return true;
}

bool med_line_blank(const struct med_line *line) {
    for (size_t i = 0; i < line->size_bytes; i++) {
        if (line->text[i] != ' ' && line->text[i] != '\t') {
            return false;
        }
    }
    return true;
}

bool med_line_starts(const struct med_line *line, const char *start) {
    size_t size = strlen(start);
    return line->size_bytes >= size && strncasecmp(line->text, start, size) == 0;
}
