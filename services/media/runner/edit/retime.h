/*
 * retime: what was said, on the timeline of the recording after a cut plan; and words as subtitle files.
 *
 * Rules    A word stays when its middle is in a span that stays; what of it lies outside is cut off. Joins that overlap
 *          (a transition) pull what follows forward by the overlap. Words never overlap afterwards. Cues begin and end
 *          on frames of 1/30 s, so that they are wrong by 33 ms at most, in order, and never overlap; they have at most
 *          MED_CUE_LINES lines of MED_CUE_LINE_CHARACTERS.
 * Threads  pure. Everything lives in the arena.
 */
#ifndef MED_RETIME_H
#define MED_RETIME_H

#include "captions/words.h"
#include "edit/cut_plan.h"

enum {
    MED_CUE_LINES = 2,
    MED_CUE_LINE_CHARACTERS = 42,
    MED_CUE_LENGTH_CS = 600, /* at most; and a silence of MED_CUE_SILENCE_CS ends a cue */
    MED_CUE_SILENCE_CS = 100,
};

/* overlap_cs: of each join. Returns the length of the recording afterwards. */
int64_t med_retime(const struct med_words *words, const struct med_cut_plan *plan, int64_t overlap_cs,
                   struct cs_arena *arena, struct med_words *ret_words);

/* ---- subtitle files ---- */

struct med_cue {
    int64_t start_frame; /* of 1/30 s */
    int64_t end_frame;
    size_t first_word;
    size_t word_count;
    size_t line_break; /* words before it are the first line; 0: there is one line */
};

struct med_cues {
    struct med_cue *items;
    size_t count;
};

struct med_cues med_cues_of(const struct med_words *words, struct cs_arena *arena);
void med_cues_write_srt(const struct med_words *words, const struct med_cues *cues, struct cs_buf *out);
void med_cues_write_vtt(const struct med_words *words, const struct med_cues *cues, struct cs_buf *out);

/* {text, language, segments: [{id, start, end, text, words: [{word, start, end}]}], wordCount}; a segment is a cue. */
void med_transcript_write(const struct med_words *words, const struct med_cues *cues, const char *language,
                          struct cs_buf *out);

#endif
