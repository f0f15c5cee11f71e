/*
 * warp: a node that moves and turns each picture by its own amounts and enlarges all by the same.
 *
 * Points between samples are mixed of the four around them, in 1/256.
 */
#ifndef MED_WARP_H
#define MED_WARP_H

#include "graph/graph.h"

struct med_warp {
    float x; /* what is seen lies so many pixels off its place, */
    float y;
    float angle; /* and is turned by so many radians, clockwise */
};

/* warps: one per frame of the source; outlive the graph. zoom: at least 1, so much that no edge shows. */
struct med_video *med_warp(struct med_graph *graph, struct med_video *source, const struct med_warp *warps,
                           double zoom);

#endif
