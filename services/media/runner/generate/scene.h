/*
 * scene: the moving picture of a preview: slow coloured light with drifting specks, all from the prompt's seed.
 *
 * Colours are mixed on a grid eight times coarser than the picture and spread smoothly, with a fixed dither against
 * banding.
 */
#ifndef MED_SCENE_H
#define MED_SCENE_H

#include "generate/seed.h"
#include "graph/graph.h"

struct med_video *med_scene(struct med_graph *graph, const struct med_picture_format *format, int64_t frames,
                            struct med_seed seed);

#endif
