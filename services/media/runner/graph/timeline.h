/*
 * timeline: the rational clock. Where each clip starts and ends, in whole frames and whole samples.
 *
 * Times are int64 ticks of 1/705,600,000 s, which the usual frame rates (also x/1001), sample rates and time bases
 * divide exactly. Rules, see render.h: natural lengths are summed exactly and rounded once per join; a length that a
 * plan names is a whole number of frames; an overlap is a whole number of frames and at most half of either neighbour.
 */
#ifndef MED_TIMELINE_H
#define MED_TIMELINE_H

#include <libavutil/rational.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MED_TICKS_PER_S INT64_C(705600000)
enum { MED_SAMPLE_RATE = 48000 };

struct med_segment {
    int64_t length_ticks;   /* in: exact */
    bool named;             /* in: length_ticks comes from the plan, round it to whole frames on its own */
    bool hard;              /* in: nothing is shared with the next one */
    const char *transition; /* in: to the next one, instead of that of the whole; NULL none of its own */
    int64_t frames;         /* out: own length, at least 1 */
    int64_t start_frame;    /* out: where it starts in the output */
    int64_t overlap;        /* out: frames shared with the next one */
};

int64_t med_ticks_from_seconds(double seconds);
int64_t med_ticks_from(int64_t value, AVRational unit);
double med_ticks_to_seconds(int64_t ticks);
int64_t med_ticks_to_us(int64_t ticks);
/* Within a century of 0: sums and differences of two such cannot overflow. */
bool med_ticks_are_sane(int64_t ticks);
/* Nearest whole frame. */
int64_t med_frames_at(int64_t ticks, AVRational rate);
/* The sample at which frame n starts. */
int64_t med_samples_at_frame(int64_t frame, AVRational rate);
int64_t med_ticks_at_frame(int64_t frame, AVRational rate);

/* Fills the out fields; returns the output's length in frames. transition_frames: 0 hard joins. */
int64_t med_timeline_lay(struct med_segment *segments, size_t count, AVRational rate, int64_t transition_frames);

/* The standard rate within 0.2 % of it, else itself. */
AVRational med_rate_snap(AVRational rate);
/* "30", "29.97", "30000/1001"; false unless 1 … MED_RATE_MAX. */
bool med_rate_parse(const char *text, AVRational *ret_rate);

#endif
