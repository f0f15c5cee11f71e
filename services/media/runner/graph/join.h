/*
 * join: pictures one after the other, with transitions between neighbours.
 *
 * A transition blends `overlap` whole frames of both neighbours by libavfilter's xfade; only those frames pass through
 * it, so lengths are exact: out = a + b - overlap. At most two parts are open at once.
 */
#ifndef MED_JOIN_H
#define MED_JOIN_H

#include "graph/graph.h"
#include "graph/timeline.h"

/* parts[i] has segments[i].frames frames; segments come from med_timeline_lay. transition: an xfade name for segments
 * that have none of their own, or NULL. */
struct med_video *med_join_video(struct med_graph *graph, struct med_video *const *parts,
                                 const struct med_segment *segments, size_t count, const char *transition);

#endif
