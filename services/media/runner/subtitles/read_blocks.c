/* SRT and WebVTT: a line with two times, lines of text, and a blank line. */
#include <string.h>

#include "subtitles/lines.h"
#include "subtitles/markup.h"
#include "subtitles/read.h"
#include "subtitles/times.h"

static const struct med_time_shape srt_shape = {2, 3, ","};
static const struct med_time_shape vtt_shape = {0, 3, "."};

struct blocks {
    bool vtt;
    struct med_cue_list *list;
    size_t *bad_times;
    bool open;
    int64_t start_cs;
    int64_t end_cs;
    struct med_line first; /* of the text; its size grows to the whole of it */
    struct med_line last;
};

static const char *arrow_in(const struct med_line *line) {
    return memmem(line->text, line->size_bytes, "-->", 3);
}

/* "00:00:01,000 --> 00:00:02,000", and what players may do with it. */
static bool read_times(struct blocks *blocks, const struct med_line *line) {
    const struct med_time_shape *shape = blocks->vtt ? &vtt_shape : &srt_shape;
    const char *end = line->text + line->size_bytes;
    const char *arrow = arrow_in(line);
    const char *at = line->text;
    size_t bad = 0;
    bool good = med_time_read(&at, arrow, shape, &blocks->start_cs, &bad);
    at = arrow + 3;
    good = good && med_time_read(&at, end, shape, &blocks->end_cs, &bad);
    *blocks->bad_times += bad > 0 || !good;
    return good;
}

static void put_text(struct blocks *blocks) {
    if (blocks->first.text == NULL) {
        return;
    }
    size_t size = (size_t)(blocks->last.text + blocks->last.size_bytes - blocks->first.text);
    if (blocks->vtt) {
        med_markup_vtt(blocks->list, blocks->first.text, size);
    } else {
        med_markup_srt(blocks->list, blocks->first.text, size);
    }
}

static void end_cue(struct blocks *blocks) {
    if (blocks->open) {
        med_cue_list_open(blocks->list);
        put_text(blocks);
        med_cue_list_close(blocks->list, blocks->start_cs, blocks->end_cs);
    }
    blocks->open = false;
}

static bool is_number(const struct med_line *line) {
    size_t i = 0;
    while (i < line->size_bytes && line->text[i] >= '0' && line->text[i] <= '9') {
        i++;
    }
    return i > 0 && i == line->size_bytes;
}

/* Without a blank line before it, the next cue's number is the last line of this one's text. */
static void begin_cue(struct blocks *blocks, const struct med_line *line, const struct med_line *before) {
    if (blocks->open && is_number(&blocks->last)) {
        blocks->last = *before;
        if (before->text == NULL) {
            blocks->first = (struct med_line){0};
        }
    }
    end_cue(blocks);
    blocks->first = (struct med_line){0};
    blocks->last = (struct med_line){0};
    blocks->open = read_times(blocks, line);
    blocks->list->dropped += !blocks->open;
}

void med_read_blocks(const char *text, size_t size_bytes, bool vtt, struct med_cue_list *list, size_t *bad_times) {
    struct blocks blocks = {.vtt = vtt, .list = list, .bad_times = bad_times};
    struct med_lines lines = {text, text + size_bytes};
    struct med_line line;
    struct med_line before = {0}; /* the text's line before its last one */
    while (med_line_next(&lines, &line)) {
        if (arrow_in(&line) != NULL) {
            begin_cue(&blocks, &line, &before);
            before = (struct med_line){0};
        } else if (med_line_blank(&line)) {
            end_cue(&blocks);
        } else if (blocks.open) {
            before = blocks.last;
            blocks.first = blocks.first.text == NULL ? line : blocks.first;
            blocks.last = line;
        }
    }
    end_cue(&blocks);
}
