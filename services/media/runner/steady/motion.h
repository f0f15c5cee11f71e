/*
 * motion: how a camera moved between two small grey pictures: along, down, and around the middle.
 *
 * Blocks of the first picture are found again in the second; what moves by itself is outvoted. Pure.
 */
#ifndef MED_STEADY_MOTION_H
#define MED_STEADY_MOTION_H

#include <stdbool.h>
#include <stdint.h>

enum { MED_MOTION_SIDE_MIN = 64, MED_MOTION_SIDE_MAX = 320 };

struct med_motion {
    double x; /* pixels by which what is seen has moved */
    double y;
    double angle; /* radians, clockwise */
};

/* false: the pictures have too little in common; *ret_motion is none. */
bool med_motion_between(const uint8_t *before, const uint8_t *now, int width, int height,
                        struct med_motion *ret_motion);

#endif
