#include "edit/refine.h"

#include <math.h>
#include <string.h>

static int64_t lower(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t higher(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* ---- snapping ---- */

/* From where to where the border at `at_cs` may move without touching a word; *next: the first word that is not said
 * long before, kept from border to border. */
static void between_words(const struct med_words *words, size_t *next, int64_t at_cs, int64_t reach_cs, int64_t *low_cs,
                          int64_t *high_cs) {
    while (*next < words->count && words->items[*next].end_cs < at_cs - reach_cs) {
        (*next)++;
    }
    for (size_t i = *next; i < words->count && words->items[i].start_cs < *high_cs; i++) {
        const struct med_word *word = &words->items[i];
        if (word->start_cs + word->end_cs < 2 * at_cs) {
            *low_cs = higher(*low_cs, lower(word->end_cs, at_cs));
        } else {
            *high_cs = lower(*high_cs, higher(word->start_cs, at_cs));
        }
    }
}

/* A border of silence is as good as its inside. */
static double level_beside(const struct med_levels *levels, int64_t time_cs) {
    return fmin(med_level_of(levels, time_cs - 1), med_level_of(levels, time_cs));
}

static int64_t quietest(const struct med_levels *levels, int64_t at_cs, int64_t low_cs, int64_t high_cs) {
    int64_t best_cs = at_cs;
    double best = level_beside(levels, at_cs);
    for (int64_t off = 1; off <= higher(at_cs - low_cs, high_cs - at_cs); off++) {
        for (int side = -1; side <= 1; side += 2) {
            int64_t time_cs = at_cs + side * off;
            double level = time_cs < low_cs || time_cs > high_cs ? best : level_beside(levels, time_cs);
            if (level < best) {
                best = level;
                best_cs = time_cs;
            }
        }
    }
    return best_cs;
}

void med_cut_plan_snap(struct med_cut_plan *plan, const struct med_words *words, const struct med_cut_rules *rules,
                       const struct med_levels *levels, int64_t reach_cs) {
    size_t next = 0;
    for (size_t i = 0; i + 1 < plan->count; i++) {
        struct med_cut_span *before = &plan->spans[i];
        struct med_cut_span *after = &plan->spans[i + 1];
        int64_t at_cs = before->end_cs;
        int64_t low_cs = higher(at_cs - reach_cs, before->start_cs + (before->keep ? 1 : rules->min_cut_cs));
        int64_t high_cs = lower(at_cs + reach_cs, after->end_cs - (after->keep ? 1 : rules->min_cut_cs));
        if (before->keep == after->keep) {
            continue;
        }
        low_cs = lower(low_cs, at_cs);
        high_cs = higher(high_cs, at_cs);
        between_words(words, &next, at_cs, reach_cs, &low_cs, &high_cs);
        before->end_cs = quietest(levels, at_cs, low_cs, high_cs);
        after->start_cs = before->end_cs;
    }
}

/* ---- measuring ---- */

static double tenths(double value) {
    return round(value * 10) / 10;
}

double med_cut_plan_measure(struct med_cut_plan *plan, const struct med_levels *levels) {
    double loudest = MED_LEVEL_DB_MIN;
    for (size_t i = 0; i < plan->count; i++) {
        struct med_cut_span *span = &plan->spans[i];
        if (span->keep) {
            continue;
        }
        span->measured = true;
        span->start_db = tenths(med_level_at(levels, span->start_cs));
        span->end_db = tenths(med_level_at(levels, span->end_cs));
        loudest = fmax(loudest, fmax(span->start_db, span->end_db));
        if (strncmp(span->reason, "silence_", 8) == 0 && strchr(span->reason, '+') == NULL) {
            double quiet = round(med_levels_quiet(levels, span->start_cs, span->end_cs) * 100) / 100;
            span->confidence = quiet < span->confidence ? quiet : span->confidence;
        }
    }
    return loudest;
}

/* ---- explaining ---- */

static void put_words(const struct med_words *words, size_t first, size_t end, struct cs_buf *out) {
    for (size_t i = first; i < end; i++) {
        cs_buf_puts(out, out->size > 0 && out->data[out->size - 1] != '[' && !words->items[i].glued ? " " : "");
        cs_buf_put(out, words->items[i].text, words->items[i].size_bytes);
    }
}

static void explain(struct med_cut_span *span, const struct med_words *words, size_t first, size_t end,
                    struct cs_arena *arena) {
    CS_AUTO_BUF text = {0};
    size_t shown = end - first > 2 * MED_CONTEXT_WORDS ? first + 2 * MED_CONTEXT_WORDS : end;
    put_words(words, first > MED_CONTEXT_WORDS ? first - MED_CONTEXT_WORDS : 0, first, &text);
    cs_buf_puts(&text, text.size > 0 ? " [" : "[");
    put_words(words, first, shown, &text);
    cs_buf_puts(&text, shown < end ? " \xe2\x80\xa6]" : "]");
    put_words(words, end, end + MED_CONTEXT_WORDS < words->count ? end + MED_CONTEXT_WORDS : words->count, &text);
    span->text = cs_arena_strndup(arena, text.data, text.size);
}

void med_cut_plan_explain(struct med_cut_plan *plan, const struct med_words *words, struct cs_arena *arena) {
    size_t first = 0;
    for (size_t i = 0; i < plan->count; i++) {
        struct med_cut_span *span = &plan->spans[i];
        while (first < words->count && words->items[first].start_cs + words->items[first].end_cs < 2 * span->start_cs) {
            first++;
        }
        size_t end = first;
        while (end < words->count && words->items[end].start_cs + words->items[end].end_cs < 2 * span->end_cs) {
            end++;
        }
        if (!span->keep) {
            explain(span, words, first, end, arena);
        }
        first = end;
    }
}
