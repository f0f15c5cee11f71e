/*
 * pace: pictures and sound faster, slower, or standing still.
 *
 * A recording is pulled once, forwards; memory is one picture, or a tenth of a second of sound.
 */
#ifndef MED_PACE_H
#define MED_PACE_H

#include "edit/stretch.h"
#include "graph/graph.h"

/* The pictures of a run. source begins at the run's first frame and has med_run_source_frames of them. run outlives the
 * graph. */
struct med_video *med_pace_video(struct med_graph *graph, struct med_video *source, const struct med_run *run);

/* How a sound's time changes. */
struct med_pace {
    int64_t source_samples;
    int64_t samples; /* that they become, exactly */
    bool keep_pitch; /* false: like a tape */
};

/* How much of what was recorded before is wanted: slower sound at its own pitch runs ahead without. */
int64_t med_pace_lead(const struct med_pace *pace);

/* source: `lead` samples, at most as many as wanted, and behind them the source_samples. */
struct med_audio *med_pace_audio(struct med_graph *graph, struct med_audio *source, const struct med_pace *pace);

#endif
