#include "edit/cut_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"

static const char *const default_fillers[] = {"um", "uh", "like", "you know", "so", "actually"};

struct med_cut_rules med_cut_rules_default(void) {
    return (struct med_cut_rules){
        .min_pause_cs = 150,
        .min_cut_cs = 50,
        .min_keep_cs = 300,
        .max_keep_cs = 30000,
        .merge_cs = 50,
        .fillers = default_fillers,
        .filler_count = CS_COUNT(default_fillers),
    };
}

struct planner {
    const struct med_words *words;
    const struct med_cut_rules *rules;
    int64_t duration_cs;
    struct cs_arena *arena;
    bool *filler;     /* for each word */
    int64_t *said_cs; /* for each word: when it and all before it have been said */
    struct med_cut_span *cuts;
    size_t cut_count;
};

/* Spans in order, from 0 to the end. */
struct spans {
    struct med_cut_span *items;
    size_t count;
};

/* ---- words ---- */

static int64_t limit(const struct planner *planner, int64_t time_cs) {
    return time_cs < 0 ? 0 : time_cs > planner->duration_cs ? planner->duration_cs : time_cs;
}

static int64_t start_of(const struct planner *planner, size_t word) {
    return limit(planner, planner->words->items[word].start_cs);
}

static int64_t end_of(const struct planner *planner, size_t word) {
    return limit(planner, planner->words->items[word].end_cs);
}

/* The first word that is not over at that time. */
static size_t word_after(const struct planner *planner, int64_t time_cs) {
    size_t low = 0;
    size_t high = planner->words->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (planner->said_cs[middle] > time_cs) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* Whether something that stays is said between the two. */
static bool spoken(const struct planner *planner, int64_t from_cs, int64_t to_cs) {
    for (size_t i = word_after(planner, from_cs); i < planner->words->count && start_of(planner, i) < to_cs; i++) {
        if (!planner->filler[i] && end_of(planner, i) > from_cs) {
            return true;
        }
    }
    return false;
}

/* ---- fillers ---- */

/* The letters of a word, small, with apostrophes and hyphens; bytes of other scripts stay as they are. */
static void normalize(const struct med_word *word, char *into, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < word->size_bytes && used + 1 < size; i++) {
        unsigned char c = (unsigned char)word->text[i];
        if (c >= 'A' && c <= 'Z') {
            into[used++] = (char)(c - 'A' + 'a');
        } else if ((c >= 'a' && c <= 'z') || c == '\'' || c == '-' || c >= 0x80) {
            into[used++] = (char)c;
        }
    }
    into[used] = '\0';
}

/* How many words from `first` on say the phrase; 0 when they do not. */
static size_t says(const struct planner *planner, size_t first, const char *phrase) {
    size_t count = 0;
    while (*phrase != '\0') {
        char word[64];
        size_t length = strcspn(phrase, " ");
        if (first + count == planner->words->count) {
            return 0;
        }
        normalize(&planner->words->items[first + count], word, sizeof(word));
        if (strlen(word) != length || strncmp(word, phrase, length) != 0) {
            return 0;
        }
        count++;
        phrase += length;
        phrase += strspn(phrase, " ");
    }
    return count;
}

/* The longest filler that begins with this word. */
static size_t filler_at(const struct planner *planner, size_t first, const char **ret_phrase) {
    size_t longest = 0;
    for (size_t i = 0; i < planner->rules->filler_count; i++) {
        size_t count = says(planner, first, planner->rules->fillers[i]);
        if (count > longest) {
            longest = count;
            *ret_phrase = planner->rules->fillers[i];
        }
    }
    return longest;
}

/* ---- cuts ---- */

static enum cs_status add_cut(struct planner *planner, int64_t start_cs, int64_t end_cs, const char *reason,
                              double confidence, struct cs_err *err) {
    if (end_cs <= start_cs) {
        return CS_OK;
    }
    if (planner->cut_count == MED_CUT_SPANS_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_cuts", "a plan has at most %d spans", MED_CUT_SPANS_MAX);
    }
    planner->cuts[planner->cut_count++] = (struct med_cut_span){start_cs, end_cs, false, reason, confidence};
    return CS_OK;
}

static enum cs_status add_gap(struct planner *planner, int64_t start_cs, int64_t end_cs, struct cs_err *err) {
    if (end_cs - start_cs < planner->rules->min_pause_cs) {
        return CS_OK;
    }
    const char *reason = cs_arena_sprintf(planner->arena, "silence_%" PRId64 "ms", (end_cs - start_cs) * 10);
    return add_cut(planner, start_cs, end_cs, reason, 1, err);
}

static enum cs_status find_gaps(struct planner *planner, struct cs_err *err) {
    int64_t said_cs = 0;
    for (size_t i = 0; i < planner->words->count; i++) {
        CS_TRY(add_gap(planner, said_cs, start_of(planner, i), err));
        said_cs = planner->said_cs[i];
    }
    return add_gap(planner, said_cs, planner->duration_cs, err);
}

static enum cs_status add_filler(struct planner *planner, size_t first, size_t count, const char *phrase,
                                 struct cs_err *err) {
    int64_t start_cs = start_of(planner, first) - MED_FILLER_MARGIN_CS;
    int64_t end_cs = end_of(planner, first + count - 1) + MED_FILLER_MARGIN_CS;
    int64_t before_cs = first > 0 ? planner->said_cs[first - 1] : 0;
    int64_t after_cs = first + count < planner->words->count ? start_of(planner, first + count) : planner->duration_cs;
    char *reason = cs_arena_sprintf(planner->arena, "filler_word_%s", phrase);
    for (char *c = reason; *c != '\0'; c++) {
        *c = *c == ' ' ? '_' : *c;
    }
    return add_cut(planner, start_cs > before_cs ? start_cs : before_cs, end_cs < after_cs ? end_cs : after_cs, reason,
                   0.9, err);
}

static enum cs_status find_fillers(struct planner *planner, struct cs_err *err) {
    for (size_t i = 0; i < planner->words->count;) {
        const char *phrase = NULL;
        size_t count = filler_at(planner, i, &phrase);
        for (size_t k = 0; k < count; k++) {
            planner->filler[i + k] = true;
        }
        if (count != 0) {
            CS_TRY(add_filler(planner, i, count, phrase, err));
        }
        i += count != 0 ? count : 1;
    }
    return CS_OK;
}

static int by_start(const void *a, const void *b) {
    const struct med_cut_span *x = a;
    const struct med_cut_span *y = b;
    if (x->start_cs != y->start_cs) {
        return (x->start_cs > y->start_cs) - (x->start_cs < y->start_cs);
    }
    return x->end_cs != y->end_cs ? (x->end_cs > y->end_cs) - (x->end_cs < y->end_cs) : strcmp(x->reason, y->reason);
}

static void join(struct planner *planner, struct med_cut_span *into, const struct med_cut_span *cut) {
    into->end_cs = cut->end_cs > into->end_cs ? cut->end_cs : into->end_cs;
    if (strlen(into->reason) < MED_CUT_REASON_BYTES_MAX) { /* of thousands of fillers in a row the first will do */
        into->reason = cs_arena_sprintf(planner->arena, "%s+%s", into->reason, cut->reason);
    }
    into->confidence = cut->confidence < into->confidence ? cut->confidence : into->confidence;
}

static void merge_cuts(struct planner *planner) {
    size_t kept = 0;
    qsort(planner->cuts, planner->cut_count, sizeof(*planner->cuts), by_start);
    for (size_t i = 0; i < planner->cut_count; i++) {
        struct med_cut_span *last = kept > 0 ? &planner->cuts[kept - 1] : NULL;
        const struct med_cut_span cut = planner->cuts[i];
        bool near = last != NULL && cut.start_cs - last->end_cs <= planner->rules->merge_cs &&
                    !spoken(planner, last->end_cs, cut.start_cs);
        if (near) {
            join(planner, last, &cut);
        } else {
            planner->cuts[kept++] = cut;
        }
    }
    planner->cut_count = kept;
}

static void drop_short_cuts(struct planner *planner) {
    size_t kept = 0;
    for (size_t i = 0; i < planner->cut_count; i++) {
        if (planner->cuts[i].end_cs - planner->cuts[i].start_cs >= planner->rules->min_cut_cs) {
            planner->cuts[kept++] = planner->cuts[i];
        }
    }
    planner->cut_count = kept;
}

/* ---- the timeline ---- */

static enum cs_status put(struct spans *spans, struct med_cut_span span, struct cs_err *err) {
    if (span.end_cs <= span.start_cs) {
        return CS_OK;
    }
    if (spans->count == MED_CUT_SPANS_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_cuts", "a plan has at most %d spans", MED_CUT_SPANS_MAX);
    }
    spans->items[spans->count++] = span;
    return CS_OK;
}

static bool is_short(const struct planner *planner, const struct med_cut_span *span) {
    return span->end_cs - span->start_cs < planner->rules->min_keep_cs;
}

/* Cuts and what is between them. What is too short to stay and says nothing is cut too, if anything is said at all. */
static enum cs_status alternate(struct planner *planner, struct spans *spans, struct cs_err *err) {
    bool talk = spoken(planner, 0, planner->duration_cs);
    int64_t from_cs = 0;
    for (size_t i = 0; i <= planner->cut_count; i++) {
        bool last = i == planner->cut_count;
        struct med_cut_span keep = {from_cs, last ? planner->duration_cs : planner->cuts[i].start_cs, true, "content",
                                    1};
        if (talk && is_short(planner, &keep) && !spoken(planner, keep.start_cs, keep.end_cs)) {
            keep.keep = false;
            keep.reason =
                cs_arena_sprintf(planner->arena, "too_short_%.2fs", (double)(keep.end_cs - keep.start_cs) / 100);
        }
        CS_TRY(put(spans, keep, err));
        if (!last) {
            CS_TRY(put(spans, planner->cuts[i], err));
            from_cs = planner->cuts[i].end_cs;
        }
    }
    return CS_OK;
}

/* Neighbouring cuts become one; a keep that is too short grows over the cut to its neighbour. */
static void settle(struct planner *planner, struct spans *spans) {
    size_t kept = 0;
    for (size_t i = 0; i < spans->count; i++) {
        const struct med_cut_span span = spans->items[i];
        struct med_cut_span *last = kept > 0 ? &spans->items[kept - 1] : NULL;
        struct med_cut_span *before = kept > 1 ? &spans->items[kept - 2] : NULL;
        if (last != NULL && !last->keep && !span.keep) {
            join(planner, last, &span);
        } else if (before != NULL && span.keep && (is_short(planner, &span) || is_short(planner, before))) {
            before->end_cs = span.end_cs;
            kept--;
        } else {
            spans->items[kept++] = span;
        }
    }
    spans->count = kept;
}

/* The middle of the last pause between the two that is long enough; -1 none. */
static int64_t pause_between(const struct planner *planner, int64_t from_cs, int64_t to_cs) {
    int64_t found_cs = -1;
    for (size_t i = word_after(planner, from_cs) + 1; i < planner->words->count && start_of(planner, i) <= to_cs; i++) {
        if (start_of(planner, i) - planner->said_cs[i - 1] >= MED_SPLIT_PAUSE_CS) {
            found_cs = (planner->said_cs[i - 1] + start_of(planner, i)) / 2;
        }
    }
    return found_cs;
}

static enum cs_status split(const struct planner *planner, struct med_cut_span keep, struct spans *into,
                            struct cs_err *err) {
    int64_t max_cs = planner->rules->max_keep_cs;
    while (keep.keep && keep.end_cs - keep.start_cs > max_cs) {
        int64_t parts = (keep.end_cs - keep.start_cs + max_cs - 1) / max_cs;
        int64_t at_cs = pause_between(planner, keep.start_cs, keep.start_cs + max_cs);
        struct med_cut_span part = keep;
        part.end_cs = at_cs > keep.start_cs ? at_cs : keep.start_cs + (keep.end_cs - keep.start_cs) / parts;
        CS_TRY(put(into, part, err));
        keep.start_cs = part.end_cs;
    }
    return put(into, keep, err);
}

enum cs_status med_cut_plan_make(const struct med_words *words, int64_t duration_cs, const struct med_cut_rules *rules,
                                 struct cs_arena *arena, struct med_cut_plan *ret_plan, struct cs_err *err) {
    struct planner planner = {
        .words = words,
        .rules = rules,
        .duration_cs = duration_cs,
        .arena = arena,
        .filler = cs_arena_array(arena, words->count + 1, sizeof(bool)),
        .said_cs = cs_arena_array(arena, words->count + 1, sizeof(int64_t)),
        .cuts = cs_arena_array(arena, MED_CUT_SPANS_MAX, sizeof(struct med_cut_span)),
    };
    struct spans spans = {.items = cs_arena_array(arena, MED_CUT_SPANS_MAX, sizeof(struct med_cut_span))};
    struct spans out = {.items = cs_arena_array(arena, MED_CUT_SPANS_MAX, sizeof(struct med_cut_span))};
    for (size_t i = 0; i < words->count; i++) {
        int64_t before_cs = i > 0 ? planner.said_cs[i - 1] : 0;
        planner.said_cs[i] = end_of(&planner, i) > before_cs ? end_of(&planner, i) : before_cs;
    }
    CS_TRY(find_gaps(&planner, err));
    CS_TRY(find_fillers(&planner, err));
    merge_cuts(&planner);
    drop_short_cuts(&planner);
    CS_TRY(alternate(&planner, &spans, err));
    settle(&planner, &spans);
    for (size_t i = 0; i < spans.count; i++) {
        CS_TRY(split(&planner, spans.items[i], &out, err));
    }
    *ret_plan = (struct med_cut_plan){out.items, out.count};
    return CS_OK;
}
