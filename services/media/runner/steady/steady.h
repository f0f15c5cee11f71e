/*
 * steady: from how a camera moved to how each picture is moved so that it seems to have moved smoothly.
 *
 * The way that the camera went is smoothed, shot by shot; a picture is moved by what is between both. All pictures are
 * enlarged by one factor, so that none shows what was never filmed.
 *
 * Limits   MED_STEADY_ZOOM_MAX: what needs more is moved less.
 */
#ifndef MED_STEADY_STEADY_H
#define MED_STEADY_STEADY_H

#include <stddef.h>

#include "steady/motion.h"

#define MED_STEADY_ZOOM_MAX 1.25

struct med_steady_step {
    struct med_motion motion; /* in: since the picture before, in pixels; out: by which this one is off its place */
    bool begins;              /* a shot */
};

/* width, height: of the pictures that the motions are of. smooth: pictures over which the way is smoothed, to either
 * side. Returns the zoom, at least 1. */
double med_steady_plan(struct med_steady_step *steps, size_t count, int width, int height, double smooth);

#endif
