/* ASS and SSA: the events, by the names that their Format line gives the columns. */
#include <string.h>
#include <strings.h>

#include "subtitles/lines.h"
#include "subtitles/markup.h"
#include "subtitles/read.h"
#include "subtitles/times.h"

static const struct med_time_shape shape = {1, 2, "."};
static const char usual_columns[] = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text";

enum { COLUMNS_MAX = 32 };

struct columns {
    size_t count;
    size_t start, end;
};

static struct columns columns_of(const char *names, size_t size) {
    struct columns columns = {.start = COLUMNS_MAX, .end = COLUMNS_MAX};
    const char *stop = names + size;
    while (names < stop && columns.count < COLUMNS_MAX) {
        const char *comma = memchr(names, ',', (size_t)(stop - names));
        const char *end = comma != NULL ? comma : stop;
        while (names < end && (*names == ' ' || *names == '\t')) {
            names++;
        }
        columns.start =
            (size_t)(end - names) >= 5 && strncasecmp(names, "Start", 5) == 0 ? columns.count : columns.start;
        columns.end = (size_t)(end - names) >= 3 && strncasecmp(names, "End", 3) == 0 ? columns.count : columns.end;
        columns.count++;
        names = comma != NULL ? comma + 1 : stop;
    }
    return columns;
}

/* Text is the last column: it may hold commas. */
static void read_event(const struct columns *columns, const struct med_line *line, struct med_cue_list *list,
                       size_t *bad_times) {
    const char *at = line->text;
    const char *end = line->text + line->size_bytes;
    int64_t times[2] = {-1, -1};
    size_t bad = 0;
    for (size_t i = 0; i + 1 < columns->count; i++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        if (comma == NULL) {
            list->dropped++;
            return;
        }
        if (i == columns->start || i == columns->end) {
            bool good = med_time_read(&at, comma, &shape, &times[i == columns->end], &bad);
            bad += !good;
        }
        at = comma + 1;
    }
    *bad_times += bad > 0;
    med_cue_list_open(list);
    med_markup_ass(list, at, (size_t)(end - at));
    med_cue_list_close(list, times[0], times[1]);
}

void med_read_ass(const char *text, size_t size_bytes, struct med_cue_list *list, size_t *bad_times) {
    struct columns columns = columns_of(usual_columns, sizeof(usual_columns) - 1);
    struct med_lines lines = {text, text + size_bytes};
    struct med_line line;
    bool events = false;
    while (med_line_next(&lines, &line)) {
        if (line.size_bytes > 0 && line.text[0] == '[') {
            events = med_line_starts(&line, "[Events]");
        } else if (events && med_line_starts(&line, "Format:")) {
            columns = columns_of(line.text + 7, line.size_bytes - 7);
        } else if (events && med_line_starts(&line, "Dialogue:")) {
            struct med_line rest = {line.text + 9, line.size_bytes - 9};
            read_event(&columns, &rest, list, bad_times);
        }
    }
}
