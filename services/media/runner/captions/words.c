#include "captions/words.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "captions/ass_text.h"
#include "cs/json.h"

enum {
    SECONDS_MAX = 100000,
};

/* ---- collecting ---- */

struct collector {
    struct cs_arena *arena;
    struct cs_buf items;
    uint32_t cue; /* that words belong to; 0 none */
    uint8_t line;
};

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t characters_of(const char *text, size_t size) {
    size_t count = 0;
    for (const char *at = text, *end = text + size; at < end; count++) {
        (void)med_utf8_next(&at, end);
    }
    return count;
}

static void add(struct collector *collector, const char *text, size_t size, int64_t start_cs, int64_t end_cs,
                bool glued) {
    while (size > 0 && is_space(text[0])) {
        text++;
        size--;
    }
    while (size > 0 && is_space(text[size - 1])) {
        size--;
    }
    if (size > 0) {
        struct med_word word = {
            .text = cs_arena_strndup(collector->arena, text, size),
            .size_bytes = size,
            .characters = characters_of(text, size),
            .start_cs = start_cs,
            .end_cs = end_cs < start_cs ? start_cs : end_cs,
            .glued = glued,
            .cue = collector->cue,
            .line = collector->line,
        };
        cs_buf_put(&collector->items, &word, sizeof(word));
    }
}

static int by_start(const void *a, const void *b) {
    const struct med_word *x = a;
    const struct med_word *y = b;
    return x->start_cs != y->start_cs ? (x->start_cs > y->start_cs) - (x->start_cs < y->start_cs)
                                      : (x->text > y->text) - (x->text < y->text); /* keeps the order of equals */
}

static enum cs_status finish(struct collector *collector, struct med_words *ret_words, struct cs_err *err) {
    size_t count = collector->items.size / sizeof(struct med_word);
    if (count > MED_WORDS_MAX) {
        cs_buf_fini(&collector->items);
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_words", "captions may have %d words at most", MED_WORDS_MAX);
    }
    ret_words->items = cs_arena_array(collector->arena, count, sizeof(struct med_word));
    ret_words->count = count;
    if (count > 0) {
        memcpy(ret_words->items, collector->items.data, count * sizeof(struct med_word));
        bool sorted = true; /* cues are as they are: one may begin before another has ended */
        for (size_t i = 1; i < count && sorted; i++) {
            sorted = ret_words->items[i - 1].start_cs <= ret_words->items[i].start_cs || ret_words->items[i].cue != 0;
        }
        if (!sorted) {
            qsort(ret_words->items, count, sizeof(struct med_word), by_start);
        }
    }
    cs_buf_fini(&collector->items);
    return CS_OK;
}

static int64_t centiseconds(double seconds) {
    return llround(seconds * 100);
}

/* ---- plain text ---- */

bool med_is_unspaced(uint32_t c) {
    return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
           (c >= 0x20000 && c <= 0x3ffff);
}

/* Adds a token; a long one in a script without spaces in pieces. */
static void add_token(struct collector *collector, const char *token, const char *end) {
    const char *piece = token;
    const char *at = token;
    size_t characters = 0;
    bool unspaced = false;
    while (at < end) {
        unspaced |= med_is_unspaced(med_utf8_next(&at, end));
        characters++;
        if (unspaced && characters >= MED_PIECE_CHARACTERS && end - at > 3) {
            add(collector, piece, (size_t)(at - piece), 0, 0, piece > token);
            piece = at;
            characters = 0;
        }
    }
    add(collector, piece, (size_t)(end - piece), 0, 0, piece > token);
}

enum cs_status med_words_from_text(const char *text, int64_t start_cs, int64_t end_cs, struct cs_arena *arena,
                                   struct med_words *ret_words, struct cs_err *err) {
    struct collector collector = {.arena = arena};
    while (*text != '\0') {
        const char *end = text;
        while (*end != '\0' && !is_space(*end)) {
            end++;
        }
        add_token(&collector, text, end);
        text = *end == '\0' ? end : end + 1;
    }
    CS_TRY(finish(&collector, ret_words, err));
    int64_t span = end_cs > start_cs ? end_cs - start_cs : 0;
    for (size_t i = 0; i < ret_words->count; i++) { /* cumulative: the last one ends at the end */
        ret_words->items[i].start_cs = start_cs + span * (int64_t)i / (int64_t)ret_words->count;
        ret_words->items[i].end_cs = start_cs + span * (int64_t)(i + 1) / (int64_t)ret_words->count;
    }
    return CS_OK;
}

/* ---- timed words ---- */

static bool is_time(double seconds) {
    return seconds >= 0 && seconds <= SECONDS_MAX;
}

enum cs_status med_words_from_wire(Callsheet__V1__Word *const *words, size_t count, struct cs_arena *arena,
                                   struct med_words *ret_words, struct cs_err *err) {
    struct collector collector = {.arena = arena};
    for (size_t i = 0; i < count; i++) {
        if (!is_time(words[i]->start) || !is_time(words[i]->end)) {
            cs_buf_fini(&collector.items);
            return cs_fail_at(err, cs_arena_sprintf(arena, "words[%zu]", i), "out_of_range",
                              "a word has a time out of range");
        }
        add(&collector, words[i]->word, strlen(words[i]->word), centiseconds(words[i]->start),
            centiseconds(words[i]->end), false);
    }
    return finish(&collector, ret_words, err);
}

/* ---- transcripts ---- */

static bool add_json_words(struct collector *collector, const json_t *array) {
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(array, i, item) {
        const json_t *text = json_object_get(item, "word");
        const json_t *start = json_object_get(item, "start");
        const json_t *end = json_object_get(item, "end");
        text = text != NULL ? text : json_object_get(item, "text");
        if (!json_is_string(text) || !json_is_number(start) || !json_is_number(end) ||
            !is_time(json_number_value(start)) || !is_time(json_number_value(end))) {
            return false;
        }
        json_int_t line = json_integer_value(json_object_get(item, "line"));
        collector->line = collector->cue != 0 && line > 0 && line <= UINT8_MAX ? (uint8_t)line : 0;
        add(collector, json_string_value(text), json_string_length(text), centiseconds(json_number_value(start)),
            centiseconds(json_number_value(end)), json_is_true(json_object_get(item, "glued")));
    }
    return json_is_array(array);
}

static bool add_transcript(struct collector *collector, const json_t *value) {
    if (json_is_array(value)) {
        return add_json_words(collector, value);
    }
    const json_t *segments = json_object_get(value, "segments");
    if (!json_is_array(segments) || json_object_get(value, "words") != NULL) {
        return add_json_words(collector, json_object_get(value, "words"));
    }
    size_t i = 0;
    const json_t *segment = NULL;
    json_array_foreach(segments, i, segment) {
        collector->cue = json_is_true(json_object_get(segment, "cue")) ? (uint32_t)i + 1 : 0;
        if (!add_json_words(collector, json_object_get(segment, "words"))) {
            return false;
        }
    }
    return true;
}

enum cs_status med_words_from_json(const char *json, size_t size_bytes, struct cs_arena *arena,
                                   struct med_words *ret_words, struct cs_err *err) {
    CS_AUTO_JSON *value = NULL;
    struct collector collector = {.arena = arena};
    if (cs_json_parse(json, size_bytes, &value, err) != CS_OK || !add_transcript(&collector, value)) {
        cs_buf_fini(&collector.items);
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_transcript",
                       "a transcript is a JSON list of words, each with word, start and end");
    }
    return finish(&collector, ret_words, err);
}
