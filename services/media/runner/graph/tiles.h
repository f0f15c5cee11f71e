/*
 * tiles: the first frames of several pads beside and below one another, as one picture on black. Each pad is closed
 * when its frame has been taken: memory does not grow with their number.
 */
#ifndef MED_TILES_H
#define MED_TILES_H

#include "graph/graph.h"

/* All pads have one format, of even sides; the list outlives the graph. In rows, from the top left. */
struct med_video *med_tiles(struct med_graph *graph, struct med_video *const *pads, size_t count, int columns);

#endif
