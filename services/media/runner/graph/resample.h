/*
 * resample: sound at another rate than the graph's, for an encoder. Nothing else takes such a pad.
 */
#ifndef MED_RESAMPLE_H
#define MED_RESAMPLE_H

#include "graph/graph.h"

/* As long as source, to the nearest sample of the rate; source itself when that is the graph's own. */
struct med_audio *med_resample(struct med_graph *graph, struct med_audio *source, int rate);

#endif
