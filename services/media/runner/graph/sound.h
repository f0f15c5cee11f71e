/*
 * sound: what is done with PCM: silence, levels, fades, joins and mixes.
 */
#ifndef MED_SOUND_H
#define MED_SOUND_H

#include <stdbool.h>

#include "graph/graph.h"

struct med_audio *med_sound_silence(struct med_graph *graph, int64_t samples);

/* A cut through sound must not click. */
enum { MED_CUT_FADE_SAMPLES = 240 };

void med_sound_scale(float *stereo, size_t count, float volume);
/* Fades out over the last fade_samples of total; stereo holds count samples from `from` on. */
void med_sound_fade_tail(float *stereo, size_t count, int64_t from, int64_t total, int64_t fade_samples);
void med_sound_fade_head(float *stereo, size_t count, int64_t from, int64_t fade_samples);

/* Parts one after the other. `overlap` samples of part i and i+1 sound together, cross-faded: in a straight line, or
 * with equal power, which keeps the level of sounds that have nothing in common; `start` is the sample at which the
 * part starts. samples: of the whole. */
struct med_sound_part {
    struct med_audio *audio;
    int64_t start;
    int64_t overlap;
    int64_t fade; /* they are faded only so long, in the middle of the overlap; 0: all of it */
    bool equal_power;
};
struct med_audio *med_sound_join(struct med_graph *graph, const struct med_sound_part *parts, size_t count,
                                 int64_t samples);

/* What hard joins of sounds share, with equal power. */
enum { MED_JOIN_SAMPLES = 480 };

/* Layers over a base, each from its start on, summed at their own level; the encoder bends what is too loud. */
struct med_audio *med_sound_mix(struct med_graph *graph, struct med_audio *base, const struct med_sound_part *layers,
                                size_t count);

#endif
