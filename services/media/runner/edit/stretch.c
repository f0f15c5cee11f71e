#include "edit/stretch.h"

#include <libavutil/mathematics.h>

#include "graph/timeline.h"

enum { AS_RECORDED = 1000 };

static int speed_of(const struct med_cut_span *span) {
    return span->speed > 0 ? span->speed : AS_RECORDED;
}

static int64_t frame_of(int64_t time_cs, AVRational rate) {
    return med_frames_at(time_cs * (MED_TICKS_PER_S / 100), rate);
}

static bool goes_on(const struct med_cut_plan *plan, size_t index) {
    return index < plan->count && plan->spans[index].keep &&
           plan->spans[index].start_cs == plan->spans[index - 1].end_cs;
}

/* Neighbours to which the same is done are one stretch. */
static bool same_done(const struct med_cut_span *a, const struct med_cut_span *b) {
    return a->sound == b->sound && speed_of(a) == speed_of(b);
}

void med_run_add(struct med_run *run, struct med_stretch stretch) {
    if (stretch.frames > 0) {
        stretch.at = run->frames;
        run->stretches[run->count++] = stretch;
        run->frames += stretch.frames;
    }
}

static int64_t ticks_of(const struct med_cut_span *span) {
    int64_t ticks = (span->end_cs - span->start_cs) * (MED_TICKS_PER_S / 100);
    return av_rescale(ticks, AS_RECORDED, speed_of(span));
}

/* The run that begins at span *index; leaves *index behind it. run->stretches has room. Returns its exact length. */
static int64_t read_run(const struct med_cut_plan *plan, AVRational rate, size_t *index, struct med_run *run) {
    int64_t exact_ticks = 0;
    int64_t end_ticks = 0; /* of the whole frames, before they are paced */
    do {
        const struct med_cut_span *span = &plan->spans[*index];
        const struct med_cut_span *last = span;
        exact_ticks += ticks_of(span);
        for ((*index)++; goes_on(plan, *index) && same_done(span, &plan->spans[*index]); (*index)++) {
            last = &plan->spans[*index];
            exact_ticks += ticks_of(last);
        }
        int64_t first = frame_of(span->start_cs, rate);
        int64_t source_frames = frame_of(last->end_cs, rate) - first;
        end_ticks += av_rescale(med_ticks_at_frame(source_frames, rate), AS_RECORDED, speed_of(span));
        int64_t frames = med_frames_at(end_ticks, rate) - run->frames;
        med_run_add(run, (struct med_stretch){
                             .first = first, .source_frames = source_frames, .frames = frames, .sound = span->sound});
    } while (goes_on(plan, *index));
    return exact_ticks;
}

static bool can_grow(const struct med_stretch *stretch, int64_t by) {
    return stretch->frames == stretch->source_frames && stretch->frames + by > 0;
}

/* Makes a run longer or shorter where it ends or else where it begins, so that it stays between two frames of the
 * recording; what is paced there stays. */
static void settle(struct med_run *run, int64_t by, int64_t floor, int64_t ceiling) {
    if (by == 0 || run->count == 0) {
        return;
    }
    struct med_stretch *first = &run->stretches[0];
    struct med_stretch *last = &run->stretches[run->count - 1];
    if (can_grow(last, by) && last->first + last->source_frames + by <= ceiling) {
        last->source_frames += by;
        last->frames += by;
    } else if (can_grow(first, by) && first->first - by >= floor) {
        first->first -= by;
        first->source_frames += by;
        first->frames += by;
        for (size_t i = 1; i < run->count; i++) {
            run->stretches[i].at += by;
        }
    } else {
        return;
    }
    run->frames += by;
}

/* The frame at which the next span that stays begins, or the plan ends. */
static int64_t next_kept(const struct med_cut_plan *plan, size_t index, AVRational rate) {
    while (index < plan->count && !plan->spans[index].keep) {
        index++;
    }
    return frame_of(index < plan->count ? plan->spans[index].start_cs : plan->spans[plan->count - 1].end_cs, rate);
}

struct med_runs med_runs_of_plan(const struct med_cut_plan *plan, AVRational rate, struct cs_arena *arena) {
    struct med_runs runs = {.items = cs_arena_array(arena, plan->count + 1, sizeof(struct med_run))};
    struct med_stretch *room = cs_arena_array(arena, plan->count + 1, sizeof(*room));
    int64_t exact_ticks = 0;
    int64_t frames = 0; /* of the runs so far */
    int64_t floor = 0;
    for (size_t i = 0; i < plan->count;) {
        if (!plan->spans[i].keep) {
            i++;
            continue;
        }
        struct med_run *run = &runs.items[runs.count];
        *run = (struct med_run){.stretches = room};
        exact_ticks += read_run(plan, rate, &i, run);
        settle(run, med_frames_at(exact_ticks, rate) - frames - run->frames, floor, next_kept(plan, i, rate));
        if (run->count > 0) {
            frames += run->frames;
            floor = run->stretches[0].first + med_run_source_frames(run);
            room += run->count;
            runs.count++;
        }
    }
    return runs;
}

int64_t med_run_source_frames(const struct med_run *run) {
    const struct med_stretch *last = &run->stretches[run->count - 1];
    int64_t shown = last->source_frames > 0 ? last->source_frames : 1;
    return last->first + shown - run->stretches[0].first;
}

int64_t med_stretch_shows(const struct med_stretch *stretch, int64_t n) {
    int64_t on = stretch->still ? 0 : (2 * n + 1) * stretch->source_frames / (2 * stretch->frames);
    return stretch->first + on;
}

int64_t med_run_place(const struct med_run *run, int64_t ticks, AVRational rate) {
    for (size_t i = 0; i < run->count; i++) {
        const struct med_stretch *stretch = &run->stretches[i];
        int64_t at = med_ticks_at_frame(stretch->at, rate);
        int64_t on = ticks - med_ticks_at_frame(stretch->first, rate);
        if (on < 0) {
            return at; /* before the run, or in what is too short to be seen */
        }
        if (on < med_ticks_at_frame(stretch->source_frames, rate)) {
            return at + av_rescale(on, stretch->frames, stretch->source_frames);
        }
    }
    return med_ticks_at_frame(run->frames, rate);
}
