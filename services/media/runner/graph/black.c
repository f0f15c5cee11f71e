#include "graph/black.h"

#include <string.h>

#include "graph/av.h"

enum { BLACK = 16, GREY = 128 };

struct black {
    struct med_video pad;
    AVFrame *frame; /* all of them share it */
    int64_t next;
};

enum cs_status med_black_frame(const struct med_picture_format *format, AVFrame **ret_frame, struct cs_err *err) {
    MED_AUTO_FRAME *frame = av_frame_alloc();
    int result = AVERROR(ENOMEM);
    if (frame != NULL) {
        frame->format = AV_PIX_FMT_YUV420P;
        frame->width = format->width;
        frame->height = format->height;
        med_frame_tag(frame);
        result = av_frame_get_buffer(frame, 0);
    }
    if (result < 0) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "a frame");
    }
    for (int plane = 0; plane < 3; plane++) {
        int rows = plane == 0 ? frame->height : frame->height / 2;
        memset(frame->data[plane], plane == 0 ? BLACK : GREY, (size_t)frame->linesize[plane] * (size_t)rows);
    }
    *ret_frame = frame;
    frame = NULL;
    return CS_OK;
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct black *black = (struct black *)self;
    if (black->frame == NULL) {
        CS_TRY(med_black_frame(&self->format, &black->frame, err));
    }
    AVFrame *frame = av_frame_clone(black->frame);
    if (frame == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "a frame");
    }
    frame->pts = black->next++;
    *ret_frame = frame;
    return CS_OK;
}

static enum cs_status skip(struct med_video *self, int64_t frames, struct cs_err *err) {
    (void)err;
    ((struct black *)self)->next += frames;
    return CS_OK;
}

static void close_black(struct med_video *self) {
    av_frame_free(&((struct black *)self)->frame);
}

struct med_video *med_black(struct med_graph *graph, const struct med_picture_format *format, int64_t frames) {
    struct black *black = (struct black *)med_graph_add_video(graph, sizeof(*black));
    black->pad =
        (struct med_video){.format = *format, .frames = frames, .pull = pull, .skip = skip, .close = close_black};
    return &black->pad;
}
