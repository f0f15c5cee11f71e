/*
 * chunks: a long render as many short ones, on as many slots as are idle, here and on other nodes, and one that puts
 * them together.
 *
 * Each finished chunk lies in storage, beside the job's attempts, and the job's checkpoint says which do: another
 * attempt, on whatever node, makes only those that are missing. Those that nobody is at are offered to others all the
 * while; the job's own slots go on with the first ones, and make the last also themselves when all that is left is
 * under way elsewhere: who is ready first wins, as the bytes are the same. A render that is short, or cannot be
 * divided, is made in one go.
 *
 * Fails    as rendering.h and storage do. What runs when a chunk fails is waited for.
 */
#ifndef MED_CHUNKS_H
#define MED_CHUNKS_H

#include "cs/worker.h"
#include "division.h"
#include "hands.h"

struct med_chunks {
    const struct med_studio *studio;
    struct cs_assignment *assignment;
    struct med_hands *hands;
    const struct med_rendering *rendering; /* of the whole */
    struct cs_arena *arena;
    struct med_division division; /* once it has begun; may be forgotten when the whole is safe */
    struct chunk *items;          /* chunks.c's */
};

/* wire and fds as med_render takes them; all outputs of wire are made. */
enum cs_status med_chunks_render(struct med_chunks *chunks, Callsheet__V1__RunnerJob *wire, const int *fds,
                                 size_t fd_count, Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) CS_MUST_USE;

#endif
