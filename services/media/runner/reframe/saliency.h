/*
 * saliency: where in a picture the eye goes, along one axis: to what moves and has detail, a little rather to the
 * middle.
 *
 * Pure; small grey pictures in, a place out. What all of the picture does (a camera that moves, a fade) counts for
 * nothing; where nothing moves, detail near the middle counts, with little weight.
 */
#ifndef MED_REFRAME_SALIENCY_H
#define MED_REFRAME_SALIENCY_H

#include <stdbool.h>
#include <stdint.h>

enum { MED_MAP_SIDE_MAX = 160 };

struct med_saliency {
    int width; /* of the pictures; at most MED_MAP_SIDE_MAX a side */
    int height;
    bool down;    /* along y, else along x */
    double share; /* the window's part of that side, 0 … 1 */
    /* below: saliency.c's */
    float lately[MED_MAP_SIDE_MAX];
};

struct med_sight {
    int64_t frame;
    float at;     /* of the centre, 0 … 1 of the side */
    float weight; /* 0: nobody knows */
};

/* before: the picture some tenths of a second earlier, of the same shot; or NULL. */
struct med_sight med_saliency_look(struct med_saliency *saliency, const uint8_t *now, const uint8_t *before,
                                   int64_t frame);

#endif
