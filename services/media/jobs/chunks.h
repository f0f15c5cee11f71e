/*
 * chunks: a long render as many short ones, on as many slots as are idle, and one that puts them together.
 *
 * Each finished chunk lies in storage, beside the job's attempts, and the job's checkpoint says which do: another
 * attempt, on whatever node, makes only those that are missing. A render that is short, or cannot be divided, is made
 * in one go. Where chunks begin depends on the output alone, so that what comes out does not depend on nodes, slots or
 * crashes.
 *
 * Fails    as rendering.h and storage do. What runs when a chunk fails is waited for.
 */
#ifndef MED_CHUNKS_H
#define MED_CHUNKS_H

#include "cs/worker.h"
#include "rendering.h"

enum { MED_CHUNKS_INPUT_BYTES_MIN = 4 << 20 }; /* less is not worth a look at what would come out */

struct med_chunks {
    const struct med_studio *studio;
    struct cs_assignment *assignment;
    struct med_stop *stop;
    med_rendering_progress_fn *progress;
    void *user;
    struct cs_arena *arena;
    /* below: chunks.c's */
    struct chunk *items;
    size_t count; /* 0: made in one go */
    unsigned char plan[CS_SHA256_BYTES];
};

/* wire and fds as med_render takes them; all outputs of wire are made. */
enum cs_status med_chunks_render(struct med_chunks *chunks, Callsheet__V1__RunnerJob *wire, const int *fds,
                                 size_t fd_count, Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) CS_MUST_USE;
/* Removes the chunks from storage, once the whole is safe there. What cannot be removed stays. */
void med_chunks_forget(const struct med_chunks *chunks);

#endif
