/*
 * levels: how loud a recording is, centisecond by centisecond, and which of it is silence.
 *
 * Silence  is measured against the recording's own noise: its floor is what a tenth of it stays below, and silence is
 * what is less than three tenths of the way (in decibels, 6 at least) up from there to its loud parts. A recording that
 * has no loud parts is silent; one that is equally loud throughout has no silence.
 * Threads  pure. Everything lives in the arena.
 */
#ifndef MED_LEVELS_H
#define MED_LEVELS_H

#include "captions/words.h"

enum { MED_LEVEL_RATE = 48000, MED_LEVEL_SAMPLES = MED_LEVEL_RATE / 100, MED_LEVEL_DB_MIN = -100 };

struct med_levels {
    float *power; /* mean square of each centisecond */
    size_t count;
    double floor_db;
    double threshold_db; /* what is below is silence */
    /* below: while they are taken */
    size_t room;
    double sum;
    size_t samples;
};

void med_levels_begin(struct med_levels *levels, int64_t samples, struct cs_arena *arena);
/* Interleaved stereo at MED_LEVEL_RATE. */
void med_levels_add(struct med_levels *levels, const float *stereo, size_t count);
void med_levels_end(struct med_levels *levels);

/* Of one centisecond, in dB. */
double med_level_of(const struct med_levels *levels, int64_t step);
/* Around a time: what is heard when the sound is cut there. */
double med_level_at(const struct med_levels *levels, int64_t time_cs);
/* The share of a span that is silence, 0 … 1. */
double med_levels_quiet(const struct med_levels *levels, int64_t start_cs, int64_t end_cs);

/* What is not silence, as words without text: sounds shorter than 0.1 s are noise, silences shorter than 0.2 s belong
 * to what is around them, and each keeps `margin_cs` of silence on both sides. */
enum cs_status med_levels_sounds(const struct med_levels *levels, int64_t margin_cs, struct cs_arena *arena,
                                 struct med_words *ret_sounds, struct cs_err *err) CS_MUST_USE;

#endif
