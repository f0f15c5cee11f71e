/*
 * sync: where pictures and sound of an output lie, against what the ffmpeg program shows and plays of its source at
 * the same time: pictures in a few grey squares, sound by correlation.
 *
 * Fails    by failing the test with a sentence.
 */
#ifndef MED_SYNC_H
#define MED_SYNC_H

#include "studio.h"

enum { SYNC_SIDE = 16, SYNC_SQUARES = SYNC_SIDE * SYNC_SIDE };

/* Of two grey pictures: 1 the same but for brightness and contrast, as tone mapping changes them; NAN one is flat. */
double sync_likeness(const uint8_t *a, const uint8_t *b);

/* A film as it is shown from its first picture on. */
struct sync_film {
    size_t count;
    double *times; /* seconds; count + 1 of them, the last one is the end of the last picture */
    uint8_t *pictures;
    float *sound; /* mono; sound[0] is heard with the first picture; NULL: there is none */
    size_t samples;
};

/* seconds: at most so much of it; filter: what is done to its pictures ("crop=iw/2:ih,"), "" nothing. In the arena. */
struct sync_film sync_read(struct studio *studio, const char *path, double seconds, const char *filter);

/* A part of the output and where it comes from. */
struct sync_part {
    double at; /* seconds of the output */
    double from;
    double seconds;
};

/* How far the worst picture of the part is from the one that the source shows then: seconds that its own is earlier or
 * later than that. Where pictures are alike nothing is off. */
double sync_pictures(const struct sync_film *output, const struct sync_film *source, struct sync_part part);
/* By how many seconds its sound is late (negative: early) near the beginning and near the end of the part; NAN where
 * nothing is heard that could be told. */
void sync_sound(const struct sync_film *output, const struct sync_film *source, struct sync_part part,
                double *ret_begin, double *ret_end);

#endif
