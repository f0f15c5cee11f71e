/*
 * stretch: what of a recording plays, how fast, on whole frames.
 *
 *     plan → runs, which are joined → stretches, which follow each other in the recording
 *
 * Clock    A stretch begins and ends on frames of the recording. How long it lasts is rounded against the exact sum of
 *          the run so far, and how long a run lasts against the exact sum of the plan so far: an edge of a run is then the
 *          second nearest frame. So rounding never accumulates, however many runs there are.
 * Threads  pure. Everything lives in the arena.
 */
#ifndef MED_STRETCH_H
#define MED_STRETCH_H

#include <libavutil/rational.h>

#include "edit/cut_plan.h"

struct med_stretch {
    int64_t first;         /* frame of the recording */
    int64_t source_frames; /* of the recording; 0: time stands still */
    int64_t frames;        /* that it lasts, at least 1 */
    int64_t at;            /* frame of the run at which it begins */
    bool still;            /* all of them show `first` */
    enum med_span_sound sound;
};

struct med_run {
    struct med_stretch *stretches;
    size_t count;   /* at least 1 */
    int64_t frames; /* of all of them */
};

struct med_runs {
    struct med_run *items;
    size_t count;
};

/* Spans that stay and touch each other are one run. What is too short to be seen is left out. */
struct med_runs med_runs_of_plan(const struct med_cut_plan *plan, AVRational rate, struct cs_arena *arena);

/* Behind those that are there; what has no frames is left out. run->stretches has room, `at` is filled in. */
void med_run_add(struct med_run *run, struct med_stretch stretch);

/* Frames of the recording from the run's first one on, to its last. */
int64_t med_run_source_frames(const struct med_run *run);

/* Which frame of the recording the stretch shows in its frame n: the one in the middle of that time. */
int64_t med_stretch_shows(const struct med_stretch *stretch, int64_t n);

/* Where a time of the recording (ticks) lies in the run, in ticks from its begin; before and behind: its ends. */
int64_t med_run_place(const struct med_run *run, int64_t ticks, AVRational rate);

#endif
