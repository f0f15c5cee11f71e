/*
 * clip_made: clips whose input is what an earlier operation makes. For clip only.
 */
#ifndef MED_CLIP_MADE_H
#define MED_CLIP_MADE_H

#include "graph/clip.h"

struct med_video *med_clip_made_video(struct med_graph *graph, const struct med_clip *clip,
                                      const struct med_picture_format *format, int64_t frames, enum med_fit_mode mode,
                                      enum med_anchor anchor);
struct med_audio *med_clip_made_audio(struct med_graph *graph, const struct med_clip *clip, int64_t samples,
                                      double volume);

#endif
