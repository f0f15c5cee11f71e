/*
 * bed: sound that lies under speech: its level and fades, and how it makes room.
 */
#ifndef MED_BED_H
#define MED_BED_H

#include "graph/graph.h"

struct med_shape {
    double gain_db;
    int64_t fade_in; /* samples */
    int64_t fade_out;
};

/* At another level, fading in from its first sample and out to its last, in straight lines. */
struct med_audio *med_shape(struct med_graph *graph, struct med_audio *source, const struct med_shape *shape);

/* A compressor that listens to another sound: what that has above the threshold makes the bed quieter, to 1/ratio of
 * it. Both sides together, so that the bed does not wander. */
struct med_ducking {
    double threshold_db; /* RMS of the speech over some milliseconds, dBFS */
    double ratio;        /* at least 1 */
    double attack_ms;    /* in which most of a step is followed, downwards */
    double release_ms;   /* and upwards again */
    double floor_db;     /* the bed is never turned down further than by this; at most 0 */
};

/* speech and the bed that makes room for it, summed; as long as speech. */
struct med_audio *med_duck(struct med_graph *graph, struct med_audio *speech, struct med_audio *bed,
                           const struct med_ducking *ducking);

#endif
