/*
 * division: a long picture as chunks, each made by a run of its own.
 *
 * Where chunks begin depends on the output alone, and a chunk lies in storage under a name that says all that its bytes
 * depend on: whoever makes it, on whatever node, in whatever attempt, makes the same bytes under the same name.
 *
 * Threads  a division is read by many.
 * Owns     all in the arena that it was made with.
 */
#ifndef MED_DIVISION_H
#define MED_DIVISION_H

#include "rendering.h"

enum { MED_DIVISION_INPUT_BYTES_MIN = 4 << 20 }; /* less is not worth a look at what would come out */

struct med_division {
    size_t count;   /* 0: made in one go */
    int64_t frames; /* of the whole */
    int64_t chunk_frames;
    double rate;
    unsigned char plan[CS_SHA256_BYTES]; /* of all that the bytes depend on */
    const char *folder;                  /* of the chunks, in storage */
};

/* Looks at what `whole` would make. Also one that will fail is made in one go: then it says why. output_prefix: of an
 * attempt; chunks lie beside it. */
enum cs_status med_divide(const struct med_studio *studio, const Callsheet__V1__RunnerJob *whole, const int *fds,
                          const char *output_prefix, struct med_stop *stop, struct cs_arena *arena,
                          struct med_division *ret_division, struct cs_err *err) CS_MUST_USE;
int64_t med_division_frames_of(const struct med_division *division, size_t index);
/* Makes the chunk and puts it into storage; of fds only the inputs are used. */
enum cs_status med_division_make(const struct med_studio *studio, const struct med_division *division, size_t index,
                                 const Callsheet__V1__RunnerJob *whole, const int *fds,
                                 const struct med_rendering *rendering, struct cs_err *err) CS_MUST_USE;
/* Fails as storage does. Caller closes. */
enum cs_status med_division_open(const struct med_studio *studio, const struct med_division *division, size_t index,
                                 int *ret_fd, struct cs_err *err) CS_MUST_USE;
/* Removes all chunks from storage. What cannot be removed stays. */
void med_division_forget(const struct med_studio *studio, const struct med_division *division);

#endif
