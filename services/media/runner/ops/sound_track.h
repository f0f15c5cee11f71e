/*
 * sound_track: a sound that is laid over others: music, a voice, noises.
 */
#ifndef MED_OPS_SOUND_TRACK_H
#define MED_OPS_SOUND_TRACK_H

#include "graph/clip.h"
#include "graph/sound.h"

struct med_sound_track {
    struct med_clip clip;  /* that has sound */
    double start_s;        /* of the output */
    double trim_s;         /* of its own that are left out */
    const char *trim_path; /* of that parameter, for errors */
    double duration_s;     /* it lasts at most so long; 0: to its end, or with loop to that of the output */
    bool loop;             /* it begins again, from trim_s on, until then */
    double gain_db;        /* -INFINITY: it is not heard */
    double fade_in_s;
    double fade_out_s; /* up to where it ends in the output */
    /* below: med_sound_track_lay's */
    int64_t start;   /* samples of the output */
    int64_t samples; /* that it lasts there; 0 or less: not at all */
    int64_t period;  /* of one repetition, at least 1 */
};

/* The gain of a volume, 0 … 1. */
double med_gain_of_volume(double volume);

/* Its place in an output of so many samples. INVALID_ARGUMENT "out_of_range" at trim_path when nothing is left of it,
 * "too_short" at the clip's path when it would be repeated too often. */
enum cs_status med_sound_track_lay(struct med_sound_track *track, int64_t output, struct cs_err *err) CS_MUST_USE;

bool med_sound_track_is_heard(const struct med_sound_track *track);
/* A layer for med_sound_mix; of one that is heard. */
struct med_sound_part med_sound_track_part(struct med_graph *graph, const struct med_sound_track *track);

#endif
