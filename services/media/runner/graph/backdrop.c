#include "graph/backdrop.h"

#include <libavutil/imgutils.h>
#include <math.h>
#include <string.h>

#include "graph/av.h"

enum { BLUR_LINES = 108, BLUR_SIDE_MIN = 16, BLUR_RADIUS = 6 /* of so many lines */ };

static AVFrame *new_frame(int width, int height) {
    AVFrame *frame = av_frame_alloc();
    if (frame != NULL) {
        frame->format = AV_PIX_FMT_YUV420P;
        frame->width = width;
        frame->height = height;
        if (av_frame_get_buffer(frame, 0) < 0) {
            av_frame_free(&frame);
        }
    }
    return frame;
}

static enum cs_status no_memory(struct cs_err *err) {
    return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "a frame");
}

/* ---- one colour ---- */

static void bt709_of(uint32_t rgb, uint8_t ret_yuv[3]) {
    double r = (double)(rgb >> 16 & 0xff) / 255;
    double g = (double)(rgb >> 8 & 0xff) / 255;
    double b = (double)(rgb & 0xff) / 255;
    double y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    ret_yuv[0] = (uint8_t)lround(16 + 219 * y);
    ret_yuv[1] = (uint8_t)lround(128 + 224 * (b - y) / 1.8556);
    ret_yuv[2] = (uint8_t)lround(128 + 224 * (r - y) / 1.5748);
}

static AVFrame *paint(const struct med_backdrop *backdrop) {
    uint8_t yuv[3];
    AVFrame *frame = new_frame(backdrop->width, backdrop->height);
    bt709_of(backdrop->rgb, yuv);
    for (int plane = 0; frame != NULL && plane < 3; plane++) {
        int lines = plane == 0 ? backdrop->height : backdrop->height / 2;
        memset(frame->data[plane], yuv[plane], (size_t)frame->linesize[plane] * (size_t)lines);
    }
    return frame;
}

static enum cs_status make_flat(struct med_backdrop *backdrop, AVFrame **ret_frame, struct cs_err *err) {
    if (backdrop->flat == NULL) {
        backdrop->flat = paint(backdrop);
    }
    AVFrame *frame = backdrop->flat == NULL ? NULL : new_frame(backdrop->width, backdrop->height);
    if (frame == NULL) {
        return no_memory(err);
    }
    av_frame_copy(frame, backdrop->flat);
    *ret_frame = frame;
    return CS_OK;
}

/* ---- blurred ---- */

static int side_of_blur(int side, int shorter) {
    int small = shorter <= BLUR_LINES ? side : (int)lround((double)side * BLUR_LINES / shorter);
    return small < BLUR_SIDE_MIN ? BLUR_SIDE_MIN : small & ~1;
}

static enum cs_status add_scale(struct med_chain *chain, int width, int height, struct cs_err *err) {
    struct med_number w, h;
    const char *options[] = {"width", med_number(width, &w),           "height", med_number(height, &h),
                             "flags", "bicubic+accurate_rnd+bitexact", NULL};
    return med_chain_add(chain, "scale", options, err);
}

static enum cs_status add_blur(struct med_chain *chain, int shorter, struct cs_err *err) {
    int radius = shorter * BLUR_RADIUS / BLUR_LINES;
    struct med_number luma, chroma;
    const char *options[] = {"luma_radius",
                             med_number(radius < 2 ? 2 : radius, &luma),
                             "luma_power",
                             "3",
                             "chroma_radius",
                             med_number(radius < 4 ? 1 : radius / 2, &chroma),
                             "chroma_power",
                             "3",
                             NULL};
    return med_chain_add(chain, "boxblur", options, err);
}

static enum cs_status start_blur(struct med_backdrop *backdrop, const AVFrame *like, struct cs_err *err) {
    struct med_chain *chain = &backdrop->chain;
    int shorter = backdrop->width < backdrop->height ? backdrop->width : backdrop->height;
    int width = side_of_blur(backdrop->width, shorter);
    int height = side_of_blur(backdrop->height, shorter);
    struct med_window cover = med_crop_window(like->width, like->height, (AVRational){1, 1}, backdrop->width,
                                              backdrop->height, MED_ANCHOR_CENTER);
    CS_TRY(med_chain_start(chain, like, 1, err));
    CS_TRY(med_chain_add_crop(chain, cover.x, cover.y, cover.width, cover.height, err));
    CS_TRY(add_scale(chain, width, height, err));
    CS_TRY(add_blur(chain, width < height ? width : height, err));
    CS_TRY(add_scale(chain, backdrop->width, backdrop->height, err));
    return med_chain_finish(chain, "buffersink", err);
}

static enum cs_status make_blurred(struct med_backdrop *backdrop, const AVFrame *picture, AVFrame **ret_frame,
                                   struct cs_err *err) {
    if (backdrop->chain.graph == NULL) {
        CS_TRY(start_blur(backdrop, picture, err));
    }
    CS_TRY(med_chain_apply(&backdrop->chain, (AVFrame *)(uintptr_t)picture, ret_frame, err));
    if (av_frame_make_writable(*ret_frame) < 0) {
        av_frame_free(ret_frame);
        return no_memory(err);
    }
    return CS_OK;
}

/* ---- both ---- */

static void lay(AVFrame *frame, const AVFrame *picture, const struct med_window *inner) {
    for (int plane = 0; plane < 3; plane++) {
        int shift = plane > 0;
        ptrdiff_t line = frame->linesize[plane];
        av_image_copy_plane(frame->data[plane] + (inner->y >> shift) * line + (inner->x >> shift),
                            frame->linesize[plane], picture->data[plane], picture->linesize[plane],
                            inner->width >> shift, inner->height >> shift);
    }
}

enum cs_status med_backdrop_apply(struct med_backdrop *backdrop, const AVFrame *picture, AVFrame **ret_frame,
                                  struct cs_err *err) {
    if (backdrop->blurred) {
        CS_TRY(make_blurred(backdrop, picture, ret_frame, err));
    } else {
        CS_TRY(make_flat(backdrop, ret_frame, err));
    }
    lay(*ret_frame, picture, &backdrop->inner);
    return CS_OK;
}

void med_backdrop_fini(struct med_backdrop *backdrop) {
    med_chain_fini(&backdrop->chain);
    av_frame_free(&backdrop->flat);
}
