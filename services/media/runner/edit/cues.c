/* Words -> cues -> subtitle files and transcripts. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "cs/json.h"
#include "edit/retime.h"

enum { RATE = 30 };

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))

/* ---- grouping ---- */

static int64_t frame_of(int64_t time_cs) {
    return (time_cs * RATE + 50) / 100;
}

static size_t width_of(const struct med_word *word) {
    return word->characters + (word->glued ? 0 : 1);
}

/* How many words from `first` on fill a line; at least one. */
static size_t line_of(const struct med_words *words, size_t first, size_t end) {
    size_t width = words->items[first].characters;
    size_t count = 1;
    while (first + count < end && width + width_of(&words->items[first + count]) <= MED_CUE_LINE_CHARACTERS) {
        width += width_of(&words->items[first + count]);
        count++;
    }
    return count;
}

/* Up to where a cue that begins with this word may go: a silence or its length ends it. */
static size_t reach(const struct med_words *words, size_t first) {
    size_t end = first + 1;
    while (end < words->count && words->items[end].start_cs - words->items[end - 1].end_cs < MED_CUE_SILENCE_CS &&
           words->items[end].end_cs - words->items[first].start_cs <= MED_CUE_LENGTH_CS) {
        end++;
    }
    return end;
}

struct med_cues med_cues_of(const struct med_words *words, struct cs_arena *arena) {
    struct med_cues cues = {.items = cs_arena_array(arena, words->count + 1, sizeof(struct med_cue))};
    int64_t shown_frame = 0;
    for (size_t first = 0; first < words->count;) {
        size_t end = reach(words, first);
        size_t one = line_of(words, first, end);
        size_t two = first + one < end ? line_of(words, first + one, end) : 0;
        struct med_cue cue = {.first_word = first, .word_count = one + two, .line_break = two != 0 ? one : 0};
        cue.start_frame = frame_of(words->items[first].start_cs);
        cue.end_frame = frame_of(words->items[first + one + two - 1].end_cs);
        cue.start_frame = cue.start_frame > shown_frame ? cue.start_frame : shown_frame;
        cue.end_frame = cue.end_frame > cue.start_frame ? cue.end_frame : cue.start_frame + 1;
        shown_frame = cue.end_frame;
        cues.items[cues.count++] = cue;
        first += one + two;
    }
    return cues;
}

/* ---- files ---- */

static void put_words(const struct med_words *words, const struct med_cue *cue, bool vtt, struct cs_buf *out) {
    for (size_t i = 0; i < cue->word_count; i++) {
        const struct med_word *word = &words->items[cue->first_word + i];
        if (i > 0 && i == cue->line_break) {
            cs_buf_puts(out, "\n");
        } else if (i > 0 && !word->glued) {
            cs_buf_puts(out, " ");
        }
        for (size_t k = 0; k < word->size_bytes; k++) {
            char c = word->text[k];
            const char *escaped = !vtt ? NULL : c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : NULL;
            if (escaped != NULL) {
                cs_buf_puts(out, escaped);
            } else {
                cs_buf_put(out, c == '\n' || c == '\r' ? " " : &c, 1);
            }
        }
    }
}

static void put_time(int64_t frame, char separator, struct cs_buf *out) {
    int64_t ms = (frame * 1000 + RATE / 2) / RATE;
    cs_buf_printf(out, "%02" PRId64 ":%02" PRId64 ":%02" PRId64 "%c%03" PRId64, ms / 3600000, ms / 60000 % 60,
                  ms / 1000 % 60, separator, ms % 1000);
}

static void put_cue(const struct med_words *words, const struct med_cue *cue, bool vtt, struct cs_buf *out) {
    put_time(cue->start_frame, vtt ? '.' : ',', out);
    cs_buf_puts(out, " --> ");
    put_time(cue->end_frame, vtt ? '.' : ',', out);
    cs_buf_puts(out, "\n");
    put_words(words, cue, vtt, out);
    cs_buf_puts(out, "\n\n");
}

void med_cues_write_srt(const struct med_words *words, const struct med_cues *cues, struct cs_buf *out) {
    for (size_t i = 0; i < cues->count; i++) {
        cs_buf_printf(out, "%zu\n", i + 1);
        put_cue(words, &cues->items[i], false, out);
    }
}

void med_cues_write_vtt(const struct med_words *words, const struct med_cues *cues, struct cs_buf *out) {
    cs_buf_puts(out, "WEBVTT\n\n");
    for (size_t i = 0; i < cues->count; i++) {
        put_cue(words, &cues->items[i], true, out);
    }
}

/* ---- transcripts ---- */

static json_t *seconds(int64_t time_cs) {
    return json_real((double)time_cs / 100);
}

static json_t *rounded(double share) {
    return json_real(round(share * 1000) / 1000);
}

static double mean(const double *values, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
    }
    return count > 0 ? sum / (double)count : 0;
}

static json_t *segment_of(const struct med_words *words, const struct med_cue *cue, size_t id,
                          const double *confidences) {
    CS_AUTO_BUF text = {0};
    struct med_cue flat = *cue;
    json_t *object = json_object();
    json_t *list = json_array();
    flat.line_break = 0;
    put_words(words, &flat, false, &text);
    for (size_t i = 0; i < cue->word_count; i++) {
        const struct med_word *word = &words->items[cue->first_word + i];
        json_t *item = json_object();
        SET(item, "word", json_stringn(word->text, word->size_bytes));
        SET(item, "start", seconds(word->start_cs));
        SET(item, "end", seconds(word->end_cs));
        if (confidences != NULL) {
            SET(item, "confidence", rounded(confidences[cue->first_word + i]));
        }
        (void)json_array_append_new(list, item);
    }
    SET(object, "id", json_integer((json_int_t)id));
    SET(object, "start", seconds(words->items[cue->first_word].start_cs));
    SET(object, "end", seconds(words->items[cue->first_word + cue->word_count - 1].end_cs));
    SET(object, "text", json_stringn(text.data, text.size));
    SET(object, "words", list);
    return object;
}

void med_transcript_write(const struct med_words *words, const struct med_cues *cues,
                          const struct med_transcript_about *about, struct cs_buf *out) {
    CS_AUTO_JSON *object = json_object();
    CS_AUTO_BUF text = {0};
    json_t *segments = json_array();
    struct med_cue all = {.word_count = words->count};
    put_words(words, &all, false, &text);
    for (size_t i = 0; i < cues->count; i++) {
        (void)json_array_append_new(segments, segment_of(words, &cues->items[i], i, about->confidences));
    }
    SET(object, "text", json_stringn(text.data != NULL ? text.data : "", text.size));
    SET(object, "language", json_string(about->language));
    if (about->model != NULL) {
        SET(object, "model", json_string(about->model));
    }
    if (about->quality != NULL) {
        SET(object, "quality", json_string(about->quality));
    }
    SET(object, "segments", segments);
    SET(object, "wordCount", json_integer((json_int_t)words->count));
    if (about->confidences != NULL) {
        SET(object, "averageConfidence", rounded(mean(about->confidences, words->count)));
    }
    CS_AUTO_FREE char *dumped = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    cs_buf_puts(out, dumped);
    cs_buf_puts(out, "\n");
}
