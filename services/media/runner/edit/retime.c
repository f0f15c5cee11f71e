#include "edit/retime.h"

#include "edit/stretch.h"
#include "graph/timeline.h"

static int64_t ticks_of(int64_t time_cs) {
    return time_cs * (MED_TICKS_PER_S / 100);
}

/* A time inside the run, which afterwards begins at frame `at`. */
static int64_t moved_cs(const struct med_run *run, int64_t time_cs, int64_t at, AVRational rate) {
    int64_t ticks = med_ticks_at_frame(at, rate) + med_run_place(run, ticks_of(time_cs), rate);
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

/* Those that are heard in the stretch, from *next on; leaves *next behind them. */
static void move_words(const struct med_words *words, const struct med_run *run, const struct med_stretch *stretch,
                       int64_t at, AVRational rate, size_t *next, struct med_words *out) {
    int64_t from_ticks = med_ticks_at_frame(stretch->first, rate);
    int64_t until_ticks = med_ticks_at_frame(stretch->first + stretch->source_frames, rate);
    for (; *next < words->count; (*next)++) {
        struct med_word word = words->items[*next];
        int64_t middle_ticks = ticks_of(word.start_cs + word.end_cs) / 2;
        if (middle_ticks >= until_ticks) {
            break;
        }
        if (middle_ticks >= from_ticks && stretch->sound == MED_SPAN_HEARD) {
            word.start_cs = moved_cs(run, word.start_cs, at, rate);
            word.end_cs = moved_cs(run, word.end_cs, at, rate);
            add_word(out, word);
        }
    }
}

int64_t med_retime(const struct med_words *words, const struct med_cut_plan *plan, const struct med_cut_clock *clock,
                   struct cs_arena *arena, struct med_words *ret_words) {
    struct med_words out = {.items = cs_arena_array(arena, words->count + 1, sizeof(struct med_word))};
    const struct med_runs runs = med_runs_of_plan(plan, clock->rate, arena);
    int64_t at = 0; /* frame at which the run begins afterwards */
    size_t word = 0;
    for (size_t i = 0; i < runs.count; i++) {
        const struct med_run *run = &runs.items[i];
        at -= i > 0 ? clock->overlap_frames : 0;
        at = at > 0 ? at : 0; /* parameters may name a transition that is longer than what stays */
        for (size_t k = 0; k < run->count; k++) {
            move_words(words, run, &run->stretches[k], at, clock->rate, &word, &out);
        }
        at += run->frames;
    }
    *ret_words = out;
    return at;
}

enum cs_status med_cut_overlap(const struct med_cut_plan *plan, AVRational rate, int64_t frames, struct cs_arena *arena,
                               int64_t *ret_overlap_frames, struct cs_err *err) {
    const struct med_runs runs = med_runs_of_plan(plan, rate, arena);
    int64_t joins = runs.count > 1 ? (int64_t)runs.count - 1 : 0;
    int64_t sum = 0;
    for (size_t i = 0; i < runs.count; i++) {
        sum += runs.items[i].frames;
    }
    int64_t shared = sum - frames;
    if (shared < 0 || (joins == 0 && shared != 0) || (joins > 0 && shared % joins != 0)) {
        return cs_fail_at(err, "video", "timing_mismatch", "a video of %lld frames was not cut by this plan of %lld",
                          (long long)frames, (long long)sum);
    }
    *ret_overlap_frames = joins > 0 ? shared / joins : 0;
    return CS_OK;
}
