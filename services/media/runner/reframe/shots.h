/*
 * shots: where one shot ends and the next begins, seen on small grey pictures as they come.
 *
 * A cut is a picture whose brightnesses are spread otherwise, or whose points differ, far more than has been usual. It
 * is told with some pictures of delay: a flash, after which all is as before, is none.
 */
#ifndef MED_REFRAME_SHOTS_H
#define MED_REFRAME_SHOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/mem.h"

struct med_cut {
    int64_t before; /* the last picture seen of the shot before; -1 none */
    int64_t at;     /* the first one seen of this shot */
};

struct med_shots {
    int width;
    int height;
    int64_t flash_frames; /* a flash lasts that long at most */
    /* below: shots.c's */
    struct cs_buf cuts; /* struct med_cut */
    uint8_t *last;
    uint8_t *before; /* the picture in front of a cut in doubt */
    struct med_cut doubtful;
    int64_t last_frame;
    bool seen;
    bool in_doubt;
    double usual;
};

void med_shots_init(struct med_shots *shots, int width, int height, int64_t flash_frames);
/* Says whether the picture looks like another shot than the one before it; that may still turn out a flash. */
bool med_shots_look(struct med_shots *shots, const uint8_t *grey, int64_t frame);
/* Where each shot begins; the first at 0. Owned by shots. */
const struct med_cut *med_shots_end(struct med_shots *shots, size_t *ret_count);
/* Of two pictures: 0 the same … 1 nothing in common. */
double med_shots_difference(const uint8_t *a, const uint8_t *b, size_t size);
void med_shots_fini(struct med_shots *shots);

#endif
