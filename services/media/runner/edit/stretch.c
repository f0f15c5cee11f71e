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

/* The run that begins at span *index; leaves *index behind it. run->stretches has room. */
static void read_run(const struct med_cut_plan *plan, AVRational rate, size_t *index, struct med_run *run) {
    int64_t end_ticks = 0; /* exact */
    do {
        const struct med_cut_span *span = &plan->spans[*index];
        const struct med_cut_span *last = span;
        for ((*index)++; goes_on(plan, *index) && same_done(span, &plan->spans[*index]); (*index)++) {
            last = &plan->spans[*index];
        }
        int64_t first = frame_of(span->start_cs, rate);
        int64_t source_frames = frame_of(last->end_cs, rate) - first;
        end_ticks += av_rescale(med_ticks_at_frame(source_frames, rate), AS_RECORDED, speed_of(span));
        int64_t frames = med_frames_at(end_ticks, rate) - run->frames;
        med_run_add(run, (struct med_stretch){
                             .first = first, .source_frames = source_frames, .frames = frames, .sound = span->sound});
    } while (goes_on(plan, *index));
}

struct med_runs med_runs_of_plan(const struct med_cut_plan *plan, AVRational rate, struct cs_arena *arena) {
    struct med_runs runs = {.items = cs_arena_array(arena, plan->count + 1, sizeof(struct med_run))};
    struct med_stretch *room = cs_arena_array(arena, plan->count + 1, sizeof(*room));
    for (size_t i = 0; i < plan->count;) {
        if (!plan->spans[i].keep) {
            i++;
            continue;
        }
        struct med_run *run = &runs.items[runs.count];
        *run = (struct med_run){.stretches = room};
        read_run(plan, rate, &i, run);
        room += run->count;
        runs.count += run->count > 0;
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
