/*
 * clip_made: clips whose input is what an earlier operation makes. For clip only.
 */
#ifndef MED_CLIP_MADE_H
#define MED_CLIP_MADE_H

#include "graph/clip.h"

struct med_video *med_clip_made_video(struct med_graph *graph, const struct med_clip *clip,
                                      const struct med_picture_format *format, int64_t frames,
                                      const struct med_fit *fit);
struct med_audio *med_clip_made_audio(struct med_graph *graph, const struct med_clip *clip, int64_t samples,
                                      double volume);

/* Puts the window of a fit that has a path where it is at this frame; says whether it has moved. */
bool med_clip_follow(struct med_fit *fit, int64_t frame);

#endif
