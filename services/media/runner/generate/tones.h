/*
 * tones: the quiet sound bed of a preview: a slow chord and a few plucked notes, from the prompt's seed.
 */
#ifndef MED_TONES_H
#define MED_TONES_H

#include "generate/seed.h"
#include "graph/graph.h"

/* Fades in and out at its ends. */
struct med_audio *med_tones(struct med_graph *graph, int64_t samples, struct med_seed seed);

#endif
