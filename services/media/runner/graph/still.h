/*
 * still: the first frame of a pad as a picture file.
 */
#ifndef MED_STILL_H
#define MED_STILL_H

#include "graph/graph.h"

enum med_still_format { MED_PNG, MED_JPG, MED_WEBP };

enum cs_status med_still_write(struct med_graph *graph, struct med_video *video, enum med_still_format format, int fd,
                               struct cs_arena *arena, Callsheet__V1__MediaFacts **ret_facts,
                               struct cs_err *err) CS_MUST_USE;

#endif
