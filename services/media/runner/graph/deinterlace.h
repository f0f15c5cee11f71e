/*
 * deinterlace: combed pictures become whole ones, each in its place, as soon as a stream shows its first one.
 *
 * One picture of delay: what was put comes out after the next put or the flush.
 */
#ifndef MED_DEINTERLACE_H
#define MED_DEINTERLACE_H

#include <stdbool.h>

#include "graph/chain.h"

struct med_deinterlace {
    struct med_chain chain;
    bool active;
    int width, height, format;
};

/* Whether this picture has to go through. */
bool med_deinterlace_wants(const struct med_deinterlace *deinterlace, const AVFrame *frame);
/* The picture has another shape than those inside: flush and take first, then put. */
bool med_deinterlace_changes(const struct med_deinterlace *deinterlace, const AVFrame *frame);
/* Takes the frame; NULL flushes. FFmpeg's error or 0. */
int med_deinterlace_put(struct med_deinterlace *deinterlace, AVFrame *frame);
/* AVERROR(EAGAIN): put more; AVERROR_EOF: flushed, ready for another shape. */
int med_deinterlace_take(struct med_deinterlace *deinterlace, AVFrame **ret_frame);
void med_deinterlace_fini(struct med_deinterlace *deinterlace);

#endif
