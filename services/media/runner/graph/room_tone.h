/*
 * room_tone: how a room sounds when nobody talks, as long as it is wanted.
 *
 * It is the quietest half second of a recording that is not digital silence, repeated with equal-power cross-fades. The
 * recording is read through when the first sample is wanted, once for all that was made of it.
 *
 * Owns     the graph owns it; a second of sound is kept.
 * Threads  all that is made of one tone is pulled on one thread.
 */
#ifndef MED_ROOM_TONE_H
#define MED_ROOM_TONE_H

#include "graph/graph.h"

struct med_room_tone;

/* recording: the whole of it; nobody else pulls it. */
struct med_room_tone *med_room_tone_of(struct med_graph *graph, struct med_audio *recording);
struct med_audio *med_room_tone_audio(struct med_graph *graph, struct med_room_tone *tone, int64_t samples);

#endif
