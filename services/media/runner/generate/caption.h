/*
 * caption: what marks a generated picture as a preview, and the prompt that it stands for.
 */
#ifndef MED_CAPTION_H
#define MED_CAPTION_H

#include "graph/graph.h"

enum cs_status med_preview_caption(struct med_graph *graph, struct med_video *video, const char *prompt,
                                   struct med_video **ret_video, struct cs_err *err) CS_MUST_USE;

#endif
