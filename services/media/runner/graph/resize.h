/*
 * resize: the pictures of a pad in another size.
 */
#ifndef MED_RESIZE_H
#define MED_RESIZE_H

#include "graph/graph.h"

/* Stretched to that even size; source itself when it has it. */
struct med_video *med_resize(struct med_graph *graph, struct med_video *source, int width, int height);

#endif
