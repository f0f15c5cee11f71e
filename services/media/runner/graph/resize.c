#include "graph/resize.h"

#include "graph/av.h"
#include "graph/chain.h"

struct resize {
    struct med_filter filter;
    struct med_chain chain;
};

static enum cs_status start(struct resize *resize, const AVFrame *frame, struct cs_err *err) {
    const struct med_picture_format *format = &resize->filter.pad.format;
    struct med_number width, height;
    const char *scale[] = {"width", med_number(format->width, &width), "height", med_number(format->height, &height),
                           "flags", "bicubic+accurate_rnd+bitexact",   NULL};
    CS_TRY(med_chain_start(&resize->chain, frame, 1, err));
    CS_TRY(med_chain_add(&resize->chain, "scale", scale, err));
    return med_chain_finish(&resize->chain, "buffersink", err);
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct resize *resize = (struct resize *)self;
    MED_AUTO_FRAME *frame = NULL;
    CS_TRY(resize->filter.source->pull(resize->filter.source, &frame, err));
    if (resize->chain.graph == NULL) {
        CS_TRY(start(resize, frame, err));
    }
    CS_TRY(med_chain_apply(&resize->chain, frame, ret_frame, err));
    (*ret_frame)->sample_aspect_ratio = (AVRational){1, 1}; /* sides are rounded to even ones */
    return CS_OK;
}

static void close_resize(struct med_video *self) {
    med_chain_fini(&((struct resize *)self)->chain);
    med_filter_close(self);
}

struct med_video *med_resize(struct med_graph *graph, struct med_video *source, int width, int height) {
    if (source->format.width == width && source->format.height == height) {
        return source;
    }
    struct resize *resize = (struct resize *)med_graph_add_filter(graph, sizeof(*resize), source);
    resize->filter.pad.format.width = width;
    resize->filter.pad.format.height = height;
    resize->filter.pad.pull = pull;
    resize->filter.pad.close = close_resize;
    return &resize->filter.pad;
}
