/*
 * retime: what was said, on the timeline of the recording after a cut plan; and words as subtitle files.
 *
 * Rules    A word stays when its middle is in a span that stays and is heard; what of it lies outside is cut off. In
 *          spans that play faster or slower it follows them. Joins that overlap (a transition) pull what follows
 *          forward by the overlap. Words never overlap afterwards. Cues begin and end on frames of 1/30 s, so that they
 *          are wrong by 33 ms at most, in order, and never overlap; they have at most MED_CUE_LINES lines of
 *          MED_CUE_LINE_CHARACTERS, or what a subtitle file gave them.
 * Threads  pure. Everything lives in the arena.
 */
#ifndef MED_RETIME_H
#define MED_RETIME_H

#include <libavutil/rational.h>

#include "captions/words.h"
#include "edit/cut_plan.h"

enum {
    MED_CUE_LINES = 2,
    MED_CUE_LINE_CHARACTERS = 42,
    MED_CUE_LENGTH_CS = 600, /* at most; and a silence of MED_CUE_SILENCE_CS ends a cue */
    MED_CUE_SILENCE_CS = 100,
};

/* How the recording was cut: from frame to frame, as a Cut does. 100 a second and an overlap in hundredths: exactly. */
struct med_cut_clock {
    AVRational rate;
    int64_t overlap_frames; /* of each join */
};

/* Returns the length of the recording afterwards, in frames. */
int64_t med_retime(const struct med_words *words, const struct med_cut_plan *plan, const struct med_cut_clock *clock,
                   struct cs_arena *arena, struct med_words *ret_words);

/* The overlap that made the recording this long: INVALID_ARGUMENT "timing_mismatch" when none does. */
enum cs_status med_cut_overlap(const struct med_cut_plan *plan, AVRational rate, int64_t frames, struct cs_arena *arena,
                               int64_t *ret_overlap_frames, struct cs_err *err) CS_MUST_USE;

/* ---- subtitle files ---- */

struct med_cue {
    int64_t start_ms;
    int64_t end_ms;
    size_t first_word;
    size_t word_count;
    size_t line_break; /* words before it are the first line; 0: lines are as the words say */
};

struct med_cues {
    struct med_cue *items;
    size_t count;
};

enum med_cue_times {
    MED_CUES_ON_FRAMES, /* of 1/30 s, in order, apart */
    MED_CUES_AS_SAID,   /* as the words are */
};

/* Words that know their cue stay in it. */
struct med_cues med_cues_of(const struct med_words *words, enum med_cue_times times, struct cs_arena *arena);
void med_cues_write_srt(const struct med_words *words, const struct med_cues *cues, struct cs_buf *out);
void med_cues_write_vtt(const struct med_words *words, const struct med_cues *cues, struct cs_buf *out);
/* In a plain style of its own. */
void med_cues_write_ass(const struct med_words *words, const struct med_cues *cues, struct cs_buf *out);

struct med_transcript_about {
    const char *language;
    const char *model;         /* who heard it; NULL unknown */
    const char *quality;       /* "draft"; NULL unknown */
    const char *limits;        /* what it cannot do; NULL unknown */
    const double *confidences; /* of each word, 0 … 1; NULL unknown */
};

/* {text, language, model?, quality?, limits?, segments: [{id, start, end, text, words: [{word, start, end,
 * confidence?}]}], wordCount, averageConfidence?}; a segment is a cue, and says so ("cue": true, "line" and "glued" of
 * its words) when its words came with it. */
void med_transcript_write(const struct med_words *words, const struct med_cues *cues,
                          const struct med_transcript_about *about, struct cs_buf *out);

#endif
