/*
 * pick: single frames of a pad, each as a pad of its own: the source is gone through once.
 */
#ifndef MED_PICK_H
#define MED_PICK_H

#include "graph/graph.h"

/* frames: which, in order, no two the same. Fills as many pads, of one frame each, which are pulled in that order. */
void med_pick(struct med_graph *graph, struct med_video *source, const int64_t *frames, size_t count,
              struct med_video **ret_pads);

#endif
