/*
 * loop: an input again and again. Each round opens it anew, so memory does not grow with their number.
 */
#ifndef MED_LOOP_H
#define MED_LOOP_H

#include "graph/clip.h"

/* As med_clip_fitted, but after `round` frames (at least 1) the clip begins again. */
struct med_video *med_loop(struct med_graph *graph, const struct med_clip *clip,
                           const struct med_picture_format *format, int64_t frames, int64_t round,
                           const struct med_fit *fit);
/* As med_clip_audio in the same way: round k begins with frame k * round of `rate`, which may be that of samples. */
struct med_audio *med_loop_audio(struct med_graph *graph, const struct med_clip *clip, int64_t samples, AVRational rate,
                                 int64_t round, double volume);

#endif
