#include "edit/retime.h"

#include "graph/timeline.h"

/* Spans that stay and touch each other. */
struct part {
    int64_t start_cs, end_cs;
    int64_t first_frame, frames;
};

static int64_t ticks_of(int64_t time_cs) {
    return time_cs * (MED_TICKS_PER_S / 100);
}

/* The part that begins at span *index or later; leaves *index behind it. */
static bool next_part(const struct med_cut_plan *plan, AVRational rate, size_t *index, struct part *ret_part) {
    while (*index < plan->count && !plan->spans[*index].keep) {
        (*index)++;
    }
    if (*index == plan->count) {
        return false;
    }
    const struct med_cut_span *span = &plan->spans[*index];
    *ret_part = (struct part){.start_cs = span->start_cs, .end_cs = span->end_cs};
    for ((*index)++; *index < plan->count; (*index)++) {
        span = &plan->spans[*index];
        if (!span->keep || span->start_cs != ret_part->end_cs) {
            break;
        }
        ret_part->end_cs = span->end_cs;
    }
    ret_part->first_frame = med_frames_at(ticks_of(ret_part->start_cs), rate);
    ret_part->frames = med_frames_at(ticks_of(ret_part->end_cs), rate) - ret_part->first_frame;
    return true;
}

/* A time inside the part, which afterwards begins at frame `at`. */
static int64_t moved_cs(const struct part *part, int64_t time_cs, int64_t at, AVRational rate) {
    int64_t ticks = ticks_of(time_cs) - med_ticks_at_frame(part->first_frame, rate) + med_ticks_at_frame(at, rate);
    int64_t earliest = med_ticks_at_frame(at, rate);
    int64_t latest = med_ticks_at_frame(at + part->frames, rate);
    ticks = ticks < earliest ? earliest : ticks > latest ? latest : ticks;
    return (ticks + MED_TICKS_PER_S / 200) / (MED_TICKS_PER_S / 100);
}

/* Words never overlap: who came first ends where the next one begins. */
static void add_word(struct med_words *out, struct med_word word) {
    struct med_word *last = out->count > 0 ? &out->items[out->count - 1] : NULL;
    if (last != NULL && last->end_cs > word.start_cs) {
        last->end_cs = word.start_cs > last->start_cs ? word.start_cs : last->start_cs;
        word.start_cs = last->end_cs;
        word.end_cs = word.end_cs > word.start_cs ? word.end_cs : word.start_cs;
    }
    out->items[out->count++] = word;
}

/* Those of the part, from *next on; leaves *next behind them. */
static void move_words(const struct med_words *words, const struct part *part, int64_t at, AVRational rate,
                       size_t *next, struct med_words *out) {
    for (; *next < words->count; (*next)++) {
        struct med_word word = words->items[*next];
        int64_t middle_cs = (word.start_cs + word.end_cs) / 2;
        if (middle_cs >= part->end_cs) {
            break;
        }
        if (middle_cs >= part->start_cs && part->frames > 0) {
            word.start_cs = moved_cs(part, word.start_cs, at, rate);
            word.end_cs = moved_cs(part, word.end_cs, at, rate);
            add_word(out, word);
        }
    }
}

int64_t med_retime(const struct med_words *words, const struct med_cut_plan *plan, const struct med_cut_clock *clock,
                   struct cs_arena *arena, struct med_words *ret_words) {
    struct med_words out = {.items = cs_arena_array(arena, words->count + 1, sizeof(struct med_word))};
    struct part part;
    int64_t at = 0; /* frame at which the part begins afterwards */
    size_t word = 0;
    bool first = true;
    for (size_t span = 0; next_part(plan, clock->rate, &span, &part);) {
        at -= first || part.frames <= 0 ? 0 : clock->overlap_frames;
        at = at > 0 ? at : 0; /* parameters may name a transition that is longer than what stays */
        first = first && part.frames <= 0;
        move_words(words, &part, at, clock->rate, &word, &out);
        at += part.frames;
    }
    *ret_words = out;
    return at;
}

enum cs_status med_cut_overlap(const struct med_cut_plan *plan, AVRational rate, int64_t frames,
                               int64_t *ret_overlap_frames, struct cs_err *err) {
    struct part part;
    int64_t sum = 0;
    int64_t parts = 0;
    for (size_t span = 0; next_part(plan, rate, &span, &part);) {
        sum += part.frames;
        parts += part.frames > 0;
    }
    int64_t joins = parts > 1 ? parts - 1 : 0;
    int64_t shared = sum - frames;
    if (shared < 0 || (joins == 0 && shared != 0) || (joins > 0 && shared % joins != 0)) {
        return cs_fail_at(err, "video", "timing_mismatch", "a video of %lld frames was not cut by this plan of %lld",
                          (long long)frames, (long long)sum);
    }
    *ret_overlap_frames = joins > 0 ? shared / joins : 0;
    return CS_OK;
}
