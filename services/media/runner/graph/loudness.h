/*
 * loudness: how loud sound is to people (ITU-R BS.1770), and sound at another level whose peaks stay below a ceiling.
 */
#ifndef MED_LOUDNESS_H
#define MED_LOUDNESS_H

#include <stdbool.h>

#include "cs/base/auto.h"
#include "graph/graph.h"

struct med_loudness {
    bool silent;       /* nothing in it is louder than -70 LUFS for 0.4 s: the rest means nothing */
    double integrated; /* LUFS */
    double true_peak;  /* dBTP */
    double range;      /* LU */
};

/* Takes sound as it comes by. */
struct med_meter;
/* NULL: no memory. */
struct med_meter *med_meter_create(void);
void med_meter_destroy(struct med_meter *meter);
CS_DEFINE_AUTO(med_meter, med_meter_destroy)
/* 48 kHz stereo; what is no number counts as silence. */
enum cs_status med_meter_add(struct med_meter *meter, const float *stereo, size_t count,
                             struct cs_err *err) CS_MUST_USE;
enum cs_status med_meter_read(const struct med_meter *meter, struct med_loudness *ret_loudness,
                              struct cs_err *err) CS_MUST_USE;

/* Reads all of audio, which is spent then; says "measuring" to events. */
enum cs_status med_loudness_measure(struct med_audio *audio, const struct med_render_events *events,
                                    struct med_loudness *ret_loudness, struct cs_err *err) CS_MUST_USE;

struct med_level {
    double gain_db;
    bool limited;
    double ceiling_db;        /* of true peaks, when limited */
    int64_t *limited_samples; /* counts those that were turned down; or NULL */
};

/* A limited one turns the level down a few milliseconds before a peak, and up again over a tenth of a second. */
struct med_audio *med_level(struct med_graph *graph, struct med_audio *audio, const struct med_level *level);

#endif
