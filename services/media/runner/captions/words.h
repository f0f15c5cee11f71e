/*
 * words: what is said and when, from plain text, from the plan, or from a transcript file.
 *
 * Times are whole centiseconds, ASS's own unit, so nothing drifts by rounding twice.
 * Fails    INVALID_ARGUMENT "bad_transcript" for a file that is no transcript; OUT_OF_RANGE "too_many_words".
 */
#ifndef MED_WORDS_H
#define MED_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "callsheet/v1/operations.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"

/* How a subtitle file wants a word to look. */
enum {
    MED_LOOK_BOLD = 1,
    MED_LOOK_ITALIC = 2,
    MED_LOOK_UNDERLINE = 4,
    MED_LOOK_COLOR = 8,
};

struct med_word {
    const char *text;
    size_t size_bytes;
    size_t characters;
    int64_t start_cs;
    int64_t end_cs;
    bool glued;     /* no space before it: cut out of a text without spaces */
    uint32_t cue;   /* words of the same are shown together, as a subtitle file says; 0: nobody said */
    uint8_t line;   /* of its cue, from 0 */
    uint8_t look;   /* MED_LOOK_ */
    uint32_t color; /* 0xBBGGRR, with MED_LOOK_COLOR */
};

struct med_words {
    struct med_word *items; /* by start */
    size_t count;
};

/* Split at white space; each word gets an equal share of the interval. Long runs of Chinese or Japanese are cut too. */
enum cs_status med_words_from_text(const char *text, int64_t start_cs, int64_t end_cs, struct cs_arena *arena,
                                   struct med_words *ret_words, struct cs_err *err) CS_MUST_USE;
enum cs_status med_words_from_wire(Callsheet__V1__Word *const *words, size_t count, struct cs_arena *arena,
                                   struct med_words *ret_words, struct cs_err *err) CS_MUST_USE;
/* [{word,start,end}], {"words": …} or {"segments": [{"words": …}]}; "text" may stand for "word". A segment with
 * "cue": true is a cue, and its words may have "line" and "glued". */
enum cs_status med_words_from_json(const char *json, size_t size_bytes, struct cs_arena *arena,
                                   struct med_words *ret_words, struct cs_err *err) CS_MUST_USE;

/* Chinese, Japanese: written without spaces. */
bool med_is_unspaced(uint32_t c);
/* What such a text is cut into. */
enum { MED_PIECE_CHARACTERS = 8 };

#endif
