#include "graph/deinterlace.h"

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>

#include "graph/av.h"

enum { SIDE_MIN = 16 };

bool med_deinterlace_wants(const struct med_deinterlace *deinterlace, const AVFrame *frame) {
    return deinterlace->active || (frame->interlaced_frame && frame->width >= SIDE_MIN && frame->height >= SIDE_MIN);
}

bool med_deinterlace_changes(const struct med_deinterlace *deinterlace, const AVFrame *frame) {
    return deinterlace->active && (deinterlace->width != frame->width || deinterlace->height != frame->height ||
                                   deinterlace->format != frame->format);
}

static int start(struct med_deinterlace *deinterlace, const AVFrame *frame) {
    struct med_chain *chain = &deinterlace->chain;
    struct cs_err err = {0};
    /* only marked pictures are touched; the others just keep their place in the line */
    enum cs_status status = med_chain_start(chain, frame, 1, &err);
    if (status == CS_OK) {
        status =
            med_chain_add(chain, "bwdif", (const char *[]){"mode", "send_frame", "deint", "interlaced", NULL}, &err);
    }
    if (status == CS_OK) {
        status = med_chain_finish(chain, "buffersink", &err);
    }
    deinterlace->width = frame->width;
    deinterlace->height = frame->height;
    deinterlace->format = frame->format;
    deinterlace->active = status == CS_OK;
    return status == CS_OK ? 0 : status == CS_UNAVAILABLE ? AVERROR(ENOMEM) : AVERROR_BUG;
}

int med_deinterlace_put(struct med_deinterlace *deinterlace, AVFrame *frame) {
    MED_AUTO_FRAME *owned = frame;
    if (frame == NULL) {
        return deinterlace->active ? av_buffersrc_add_frame(deinterlace->chain.source, NULL) : 0;
    }
    int result = deinterlace->active ? 0 : start(deinterlace, frame);
    return result < 0 ? result : av_buffersrc_add_frame(deinterlace->chain.source, owned);
}

int med_deinterlace_take(struct med_deinterlace *deinterlace, AVFrame **ret_frame) {
    MED_AUTO_FRAME *frame = av_frame_alloc();
    if (!deinterlace->active) {
        return AVERROR_EOF;
    }
    int result = frame == NULL ? AVERROR(ENOMEM) : av_buffersink_get_frame(deinterlace->chain.sink, frame);
    if (result == AVERROR_EOF) {
        med_deinterlace_fini(deinterlace);
    }
    if (result < 0) {
        return result;
    }
    /* the filter counts half ticks */
    frame->pts = av_rescale_q(frame->pts, av_buffersink_get_time_base(deinterlace->chain.sink),
                              deinterlace->chain.source->outputs[0]->time_base);
    frame->interlaced_frame = 0;
    *ret_frame = frame;
    frame = NULL;
    return 0;
}

void med_deinterlace_fini(struct med_deinterlace *deinterlace) {
    med_chain_fini(&deinterlace->chain);
    deinterlace->active = false;
}
