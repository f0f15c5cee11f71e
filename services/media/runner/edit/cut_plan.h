/*
 * cut_plan: which spans of a recording stay, from what is said in it and when.
 *
 *     words + rules -> spans that alternate, from 0 to the end of the media
 *
 * Rules    In this order: (1) a gap without words of min_pause or more is cut, also the one before the first word and
 *          the one behind the last; (2) a filler, of one word or several, is cut with `filler_margin` around it, but
 *          never into a neighbouring word; (3) cuts with at most `merge` between them and no word there become one;
 *          (4) cuts shorter than min_cut are dropped; (5) what stays but is shorter than min_keep joins the kept span
 *          before it (the cut between them is dropped), else the one behind it; without a word in it it is cut;
 *          (6) what stays and is longer than max_keep is split in its pauses of split_pause or more, else evenly.
 *          So no cut goes through a word, and no word but a filler is lost.
 * Times    whole centiseconds.
 * Same     words and rules give the same plan, byte for byte.
 * Threads  pure. Everything lives in the arena.
 */
#ifndef MED_CUT_PLAN_H
#define MED_CUT_PLAN_H

#include "captions/words.h"

enum { MED_CUT_SPANS_MAX = 20000, MED_CUT_REASON_BYTES_MAX = 512 /* nothing is joined to a longer one */ };

struct med_cut_rules {
    int64_t min_pause_cs;
    int64_t min_cut_cs;
    int64_t min_keep_cs;
    int64_t max_keep_cs;
    int64_t merge_cs;
    const char *const *fillers; /* "um", "you know" */
    size_t filler_count;
};
enum { MED_FILLER_MARGIN_CS = 30, MED_SPLIT_PAUSE_CS = 50 };

struct med_cut_rules med_cut_rules_default(void);

enum med_span_sound {
    MED_SPAN_HEARD,
    MED_SPAN_MUTED,
    MED_SPAN_ROOM_TONE, /* the room without the talk */
};

struct med_cut_span {
    int64_t start_cs;
    int64_t end_cs;
    bool keep;
    const char *reason; /* "content", "silence_1500ms", "filler_word_you_know", "too_short_0.80s", joined by "+" */
    double confidence;  /* 0 … 1 */
    /* of what stays; the planner leaves both alone */
    enum med_span_sound sound;
    int speed;        /* in thousandths; 0: as recorded */
    const char *text; /* of a cut: what is said around and in it; NULL unknown */
    bool measured;    /* below: how loud it is where the cut begins and ends */
    double start_db;
    double end_db;
};

/* How the plan was made besides its rules. */
struct med_cut_method {
    bool silence; /* by the sound alone */
    int64_t margin_cs;
    int64_t snap_cs; /* 0: cuts are where words say */
};

struct med_cut_plan {
    struct med_cut_span *spans;
    size_t count;
};

/* OUT_OF_RANGE "too_many_cuts" beyond MED_CUT_SPANS_MAX. */
enum cs_status med_cut_plan_make(const struct med_words *words, int64_t duration_cs, const struct med_cut_rules *rules,
                                 struct cs_arena *arena, struct med_cut_plan *ret_plan, struct cs_err *err) CS_MUST_USE;

/* ---- as JSON: {schemaVersion: "1.0.0", cuts: [{start, end, type, reason, confidence}], metadata: {parameters}} ----
 * type: "keep", "cut", "mute" (stays without its sound), "roomTone" (with that of the room instead), "speed" with
 * `factor` (0.1 … 10, thousandths count) and, if wanted, `mute`: true.
 */

/* A cut also has `text` and `spliceDb`, [where it begins, where it ends], when they are known. */
void med_cut_plan_write(const struct med_cut_plan *plan, const struct med_cut_rules *rules,
                        const struct med_cut_method *method, struct cs_buf *out);
/* Times as numbers of seconds, or as text: "5.50", "1:05.5", "0:01:05.5". INVALID_ARGUMENT "bad_cut_plan" for spans
 * that are out of order, overlap or go beyond duration_cs (by more than a frame of 1/24 s; less is cut off), and when
 * nothing stays. */
enum cs_status med_cut_plan_read(const char *json, size_t size_bytes, int64_t duration_cs, struct cs_arena *arena,
                                 struct med_cut_plan *ret_plan, struct cs_err *err) CS_MUST_USE;

#endif
