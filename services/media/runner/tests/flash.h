/*
 * flash: a film that tells whether picture and sound keep together, and who looks at it.
 *
 * Black, with a white flash at half past each second and a tone that sounds exactly as long as it is seen: from the
 * first sample of its first frame on. What is compared are the middles of the two, so it also holds for what was
 * turned around, stretched or brought to another rate.
 *
 * Fails    by failing the test with a sentence.
 */
#ifndef MED_FLASH_H
#define MED_FLASH_H

#include "studio.h"

enum { FLASH_FRAMES = 2, FLASHES_MAX = 256 };

struct flash_film {
    int width; /* 0: 160x120 */
    int height;
    int rate_num;       /* 0: 30 */
    int rate_den;       /* 0: 1 */
    int64_t frames;     /* 0: 4 s */
    int flash_frames;   /* 0: FLASH_FRAMES */
    const char *encode; /* more arguments for ffmpeg's output ("-c:a pcm_s16le"); NULL none */
};

/* Makes DIR/name, H.264 and 48 kHz mono AAC unless `encode` says otherwise; returns its path. */
const char *flash_make(struct studio *studio, const char *name, const struct flash_film *film);

struct flash {
    double frame;  /* its first */
    double frames; /* that are bright */
    double offset; /* samples by which its sound is late; NAN: there is none */
};

struct flash_sight {
    int64_t frames; /* of the whole output */
    int64_t samples;
    size_t count;
    struct flash items[FLASHES_MAX];
    double offset_max;  /* samples, of any; INFINITY when a flash has no sound */
    double slope;       /* ms that the sound falls behind in a minute; 0 for fewer than three flashes */
    double slope_error; /* its standard error: flashes are on whole frames, so few of them tell little */
};

/* Looks at an output of constant rate. */
struct flash_sight flash_look(struct studio *studio, const char *output, int rate_num, int rate_den);

/* So many flashes, none more than a frame from its sound, none seen to drift by more than 1 ms a minute: by the
 * slope, less three times its error. */
void flash_expect(const struct flash_sight *sight, size_t count, int rate_num, int rate_den);

#endif
