/* Words -> cues -> subtitle files and transcripts. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "captions/ass_text.h"
#include "cs/json.h"
#include "edit/retime.h"

enum { RATE = 30 };

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))

/* ---- grouping ---- */

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

/* The words behind `first` that stand in the same cue. */
static size_t cue_end(const struct med_words *words, size_t first) {
    size_t end = first + 1;
    while (end < words->count && words->items[end].cue == words->items[first].cue) {
        end++;
    }
    return end;
}

static struct med_cue cue_at(const struct med_words *words, size_t first) {
    if (words->items[first].cue != 0) {
        return (struct med_cue){.first_word = first, .word_count = cue_end(words, first) - first};
    }
    size_t end = reach(words, first);
    size_t one = line_of(words, first, end);
    size_t two = first + one < end ? line_of(words, first + one, end) : 0;
    return (struct med_cue){.first_word = first, .word_count = one + two, .line_break = two != 0 ? one : 0};
}

static int64_t frame_of(int64_t time_cs) {
    return (time_cs * RATE + 50) / 100;
}

static int64_t ms_of(int64_t frame) {
    return (frame * 1000 + RATE / 2) / RATE;
}

struct med_cues med_cues_of(const struct med_words *words, enum med_cue_times times, struct cs_arena *arena) {
    struct med_cues cues = {.items = cs_arena_array(arena, words->count + 1, sizeof(struct med_cue))};
    int64_t shown_frame = 0;
    for (size_t first = 0; first < words->count;) {
        struct med_cue cue = cue_at(words, first);
        int64_t start_cs = words->items[first].start_cs;
        int64_t end_cs = words->items[first + cue.word_count - 1].end_cs;
        if (times == MED_CUES_AS_SAID) {
            cue.start_ms = start_cs * 10;
            cue.end_ms = end_cs * 10;
        } else {
            int64_t start_frame = frame_of(start_cs) > shown_frame ? frame_of(start_cs) : shown_frame;
            shown_frame = frame_of(end_cs) > start_frame ? frame_of(end_cs) : start_frame + 1;
            cue.start_ms = ms_of(start_frame);
            cue.end_ms = ms_of(shown_frame);
        }
        cues.items[cues.count++] = cue;
        first += cue.word_count;
    }
    return cues;
}

/* ---- files ---- */

enum format { PLAIN, SRT, VTT, ASS };

static void put_text(const struct med_word *word, enum format format, struct cs_buf *out) {
    if (format == ASS) {
        for (const char *at = word->text, *end = word->text + word->size_bytes; at < end;) {
            med_ass_put_character(out, med_utf8_next(&at, end), false);
        }
        return;
    }
    for (size_t k = 0; k < word->size_bytes; k++) {
        char c = word->text[k];
        const char *escaped = format != VTT ? NULL : c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : NULL;
        if (escaped != NULL) {
            cs_buf_puts(out, escaped);
        } else {
            cs_buf_put(out, c == '\n' || c == '\r' ? " " : &c, 1);
        }
    }
}

/* A look is put on before a word, or taken off behind it. */
static void put_look(const struct med_word *word, enum format format, bool on, struct cs_buf *out) {
    static const struct {
        uint8_t bit;
        char name;
    } switches[] = {{MED_LOOK_BOLD, 'b'}, {MED_LOOK_ITALIC, 'i'}, {MED_LOOK_UNDERLINE, 'u'}};
    if (word->look == 0 || format == PLAIN) {
        return;
    }
    bool colored = (word->look & MED_LOOK_COLOR) != 0 && format != VTT;
    uint32_t rgb = (word->color & 0xff) << 16 | (word->color & 0xff00) | (word->color >> 16 & 0xff);
    if (format == ASS) {
        cs_buf_puts(out, "{");
        for (size_t i = 0; i < CS_COUNT(switches); i++) {
            if ((word->look & switches[i].bit) != 0) {
                cs_buf_printf(out, on ? "\\%c1" : "\\%c0", switches[i].name);
            }
        }
        if (colored) {
            cs_buf_printf(out, on ? "\\c&H%06X&" : "\\c", (unsigned)(word->color & 0xffffff));
        }
        cs_buf_puts(out, "}");
        return;
    }
    if (colored && !on) {
        cs_buf_puts(out, "</font>");
    }
    for (size_t i = 0; i < CS_COUNT(switches); i++) { /* the last one on is the first one off */
        size_t k = on ? i : CS_COUNT(switches) - 1 - i;
        if ((word->look & switches[k].bit) != 0) {
            cs_buf_printf(out, on ? "<%c>" : "</%c>", switches[k].name);
        }
    }
    if (colored && on) {
        cs_buf_printf(out, "<font color=\"#%06x\">", (unsigned)rgb);
    }
}

static bool same_look(const struct med_word *a, const struct med_word *b) {
    return a->look == b->look && ((a->look & MED_LOOK_COLOR) == 0 || a->color == b->color);
}

static void put_words(const struct med_words *words, const struct med_cue *cue, enum format format,
                      struct cs_buf *out) {
    const struct med_word *before = NULL;
    for (size_t i = 0; i < cue->word_count; i++) {
        const struct med_word *word = &words->items[cue->first_word + i];
        bool breaks = before != NULL && (i == cue->line_break || word->line != before->line);
        bool changes = before == NULL || !same_look(before, word);
        if (changes && before != NULL) {
            put_look(before, format, false, out);
        }
        if (breaks) {
            cs_buf_puts(out, format == ASS ? "\\N" : format == PLAIN ? " " : "\n");
        } else if (before != NULL && !word->glued) {
            cs_buf_puts(out, " ");
        }
        if (changes) {
            put_look(word, format, true, out);
        }
        put_text(word, format, out);
        before = word;
    }
    if (before != NULL) {
        put_look(before, format, false, out);
    }
}

static void put_time(int64_t ms, char separator, struct cs_buf *out) {
    cs_buf_printf(out, "%02" PRId64 ":%02" PRId64 ":%02" PRId64 "%c%03" PRId64, ms / 3600000, ms / 60000 % 60,
                  ms / 1000 % 60, separator, ms % 1000);
}

static void put_cue(const struct med_words *words, const struct med_cue *cue, enum format format, struct cs_buf *out) {
    put_time(cue->start_ms, format == VTT ? '.' : ',', out);
    cs_buf_puts(out, " --> ");
    put_time(cue->end_ms, format == VTT ? '.' : ',', out);
    cs_buf_puts(out, "\n");
    put_words(words, cue, format, out);
    cs_buf_puts(out, "\n\n");
}

void med_cues_write_srt(const struct med_words *words, const struct med_cues *cues, struct cs_buf *out) {
    for (size_t i = 0; i < cues->count; i++) {
        cs_buf_printf(out, "%zu\n", i + 1);
        put_cue(words, &cues->items[i], SRT, out);
    }
}

void med_cues_write_vtt(const struct med_words *words, const struct med_cues *cues, struct cs_buf *out) {
    cs_buf_puts(out, "WEBVTT\n\n");
    for (size_t i = 0; i < cues->count; i++) {
        put_cue(words, &cues->items[i], VTT, out);
    }
}

void med_cues_write_ass(const struct med_words *words, const struct med_cues *cues, struct cs_buf *out) {
    cs_buf_puts(out,
                "[Script Info]\nScriptType: v4.00+\nPlayResX: 1920\nPlayResY: 1080\nWrapStyle: 0\n"
                "ScaledBorderAndShadow: yes\n\n[V4+ Styles]\n"
                "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, "
                "Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, "
                "Alignment, MarginL, MarginR, MarginV, Encoding\n"
                "Style: Default,Arial,60,&H00FFFFFF,&H00FFFFFF,&H00000000,&H60000000,0,0,0,0,100,100,0,0,1,3,0,2,"
                "60,60,60,1\n\n[Events]\n"
                "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n");
    for (size_t i = 0; i < cues->count; i++) {
        char start[MED_ASS_TIME_SIZE];
        char end[MED_ASS_TIME_SIZE];
        med_ass_time((cues->items[i].start_ms + 5) / 10, start);
        med_ass_time((cues->items[i].end_ms + 5) / 10, end);
        cs_buf_printf(out, "Dialogue: 0,%s,%s,Default,,0,0,0,,", start, end);
        put_words(words, &cues->items[i], ASS, out);
        cs_buf_puts(out, "\n");
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
    json_t *object = json_object();
    json_t *list = json_array();
    put_words(words, cue, PLAIN, &text);
    for (size_t i = 0; i < cue->word_count; i++) {
        const struct med_word *word = &words->items[cue->first_word + i];
        json_t *item = json_object();
        SET(item, "word", json_stringn(word->text, word->size_bytes));
        SET(item, "start", seconds(word->start_cs));
        SET(item, "end", seconds(word->end_cs));
        if (word->line > 0) {
            SET(item, "line", json_integer(word->line));
        }
        if (word->glued) {
            SET(item, "glued", json_true());
        }
        if (confidences != NULL) {
            SET(item, "confidence", rounded(confidences[cue->first_word + i]));
        }
        (void)json_array_append_new(list, item);
    }
    SET(object, "id", json_integer((json_int_t)id));
    SET(object, "start", seconds(words->items[cue->first_word].start_cs));
    SET(object, "end", seconds(words->items[cue->first_word + cue->word_count - 1].end_cs));
    SET(object, "text", json_stringn(text.data, text.size));
    if (words->items[cue->first_word].cue != 0) {
        SET(object, "cue", json_true());
    }
    SET(object, "words", list);
    return object;
}

void med_transcript_write(const struct med_words *words, const struct med_cues *cues,
                          const struct med_transcript_about *about, struct cs_buf *out) {
    CS_AUTO_JSON *object = json_object();
    CS_AUTO_BUF text = {0};
    json_t *segments = json_array();
    struct med_cue all = {.word_count = words->count};
    put_words(words, &all, PLAIN, &text);
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
    if (about->limits != NULL) {
        SET(object, "limits", json_string(about->limits));
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
