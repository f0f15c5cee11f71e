/*
 * animation: a pad as a picture that moves by itself: GIF, in colours chosen for all of its frames, or WebP.
 *
 * A GIF needs its frames twice: once for the palette, once to be written. Memory holds one frame and the palette.
 */
#ifndef MED_ANIMATION_H
#define MED_ANIMATION_H

#include "graph/graph.h"

/* The colours that suit all frames of the pad best. Caller frees. */
enum cs_status med_palette_find(struct med_video *video, int colors, AVFrame **ret_palette,
                                struct cs_err *err) CS_MUST_USE;

/* palette NULL: WebP. loop: how often it is shown, 0 for ever. */
enum cs_status med_animation_write(struct med_graph *graph, struct med_video *video, AVFrame *palette, int loop, int fd,
                                   struct cs_arena *arena, Callsheet__V1__MediaFacts **ret_facts,
                                   struct cs_err *err) CS_MUST_USE;

#endif
