/*
 * denoise: nodes that take noise out of a picture (over space and time) and out of sound (by its spectrum).
 *
 * Sound stays where it was: what the filter delays is taken back.
 */
#ifndef MED_DENOISE_H
#define MED_DENOISE_H

#include "graph/graph.h"

enum med_strength { MED_STRENGTH_OFF, MED_STRENGTH_LOW, MED_STRENGTH_MEDIUM, MED_STRENGTH_HIGH };

/* OFF: the source itself. */
struct med_video *med_denoise_picture(struct med_graph *graph, struct med_video *source, enum med_strength strength);
struct med_audio *med_denoise_sound(struct med_graph *graph, struct med_audio *source, enum med_strength strength);

#endif
