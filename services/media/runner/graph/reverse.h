/*
 * reverse: pictures and sound from their end to their begin.
 *
 * A chunk is read forwards, from the key frame before it on, and given backwards; then the one before it is read.
 * Memory is one chunk, whatever the length; where key frames are far apart, pictures are decoded more than once.
 *
 * Each chunk is a graph of its own, built and closed when it is wanted.
 */
#ifndef MED_REVERSE_H
#define MED_REVERSE_H

#include "graph/clip.h"

/* The first `frames` frames of the clip, the last one first. */
struct med_video *med_reverse_video(struct med_graph *graph, const struct med_clip *clip,
                                    const struct med_picture_format *format, int64_t frames);
struct med_audio *med_reverse_audio(struct med_graph *graph, const struct med_clip *clip, int64_t samples);

#endif
