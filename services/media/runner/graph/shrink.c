#include "graph/shrink.h"

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/mem.h"
#include "graph/av.h"

enum { LINES_MAX = 4 /* of those that become one: more would tell no more */ };

void med_shrink_init(struct med_shrink *shrink, int width, int height) {
    *shrink = (struct med_shrink){.width = width, .height = height};
    shrink->lying = cs_alloc((size_t)width * (size_t)height);
}

void med_shrink_fini(struct med_shrink *shrink) {
    med_chain_fini(&shrink->chain);
    free(shrink->lying);
    shrink->lying = NULL;
}

/* ---- brightness that is there ---- */

static bool has_luma(const AVPixFmtDescriptor *format) {
    const uint64_t other = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_BE |
                           AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_HWACCEL;
    return (format->flags & other) == 0 && format->comp[0].plane == 0 && format->comp[0].depth >= 8 &&
           format->comp[0].depth <= 16;
}

static uint32_t sum_bytes(const uint8_t *at, int step, int count) {
    uint32_t sum = 0;
    if (step == 1) {
        for (int i = 0; i < count; i++) {
            sum += at[i];
        }
    } else {
        for (int i = 0; i < count; i++) {
            sum += at[(ptrdiff_t)i * step];
        }
    }
    return sum;
}

static uint32_t sum_words(const uint8_t *at, int step, int count) {
    uint32_t sum = 0;
    for (int i = 0; i < count; i++) {
        const uint8_t *word = at + (ptrdiff_t)i * step;
        sum += (uint32_t)(word[0] | word[1] << 8);
    }
    return sum;
}

static int edge(int index, int count, int size) {
    return (int)((int64_t)index * size / count);
}

struct luma {
    const AVFrame *frame;
    int step;
    int offset;
    int bits; /* beyond 8 */
    bool words;
};

static uint8_t mean_of(const struct luma *luma, int left, int right, int top, int bottom) {
    int lines = bottom - top < LINES_MAX ? bottom - top : LINES_MAX;
    uint64_t sum = 0;
    for (int i = 0; i < lines; i++) {
        ptrdiff_t y = top + edge(i, lines, bottom - top);
        const uint8_t *at =
            luma->frame->data[0] + y * luma->frame->linesize[0] + (ptrdiff_t)left * luma->step + luma->offset;
        sum += luma->words ? sum_words(at, luma->step, right - left) : sum_bytes(at, luma->step, right - left);
    }
    uint64_t mean = sum / ((uint64_t)lines * (uint64_t)(right - left)) >> luma->bits;
    return (uint8_t)(mean > 255 ? 255 : mean);
}

static void shrink_luma(const AVFrame *in, const AVPixFmtDescriptor *format, uint8_t *small, int width, int height) {
    const struct luma luma = {
        .frame = in,
        .step = format->comp[0].step,
        .offset = format->comp[0].offset,
        .bits = format->comp[0].depth + format->comp[0].shift - 8,
        .words = format->comp[0].depth > 8,
    };
    for (int y = 0; y < height; y++) {
        int top = edge(y, height, in->height);
        int bottom = edge(y + 1, height, in->height);
        for (int x = 0; x < width; x++) {
            int left = edge(x, width, in->width);
            int right = edge(x + 1, width, in->width);
            *small++ = mean_of(&luma, left, right > left ? right : left + 1, top, bottom > top ? bottom : top + 1);
        }
    }
}

/* ---- other formats ---- */

static enum cs_status start_chain(struct med_shrink *shrink, const AVFrame *in, int width, int height,
                                  struct cs_err *err) {
    struct med_number w, h;
    const char *scale[] = {"width", med_number(width, &w),        "height", med_number(height, &h),
                           "flags", "area+accurate_rnd+bitexact", NULL};
    med_chain_fini(&shrink->chain);
    CS_TRY(med_chain_start(&shrink->chain, in, 1, err));
    CS_TRY(med_chain_add(&shrink->chain, "scale", scale, err));
    CS_TRY(med_chain_add(&shrink->chain, "format", (const char *[]){"pix_fmts", "gray", NULL}, err));
    CS_TRY(med_chain_finish(&shrink->chain, "buffersink", err));
    shrink->in_width = in->width;
    shrink->in_height = in->height;
    shrink->in_format = in->format;
    return CS_OK;
}

static enum cs_status shrink_any(struct med_shrink *shrink, AVFrame *in, uint8_t *small, int width, int height,
                                 struct cs_err *err) {
    MED_AUTO_FRAME *grey = NULL;
    if (shrink->chain.graph == NULL || shrink->in_width != in->width || shrink->in_height != in->height ||
        shrink->in_format != in->format) {
        CS_TRY(start_chain(shrink, in, width, height, err));
    }
    CS_TRY(med_chain_apply(&shrink->chain, in, &grey, err));
    av_image_copy_plane(small, width, grey->data[0], grey->linesize[0], width, height);
    return CS_OK;
}

/* ---- upright ---- */

static void turn_up(const uint8_t *lying, int width, int height, struct med_orientation turn, uint8_t *upright,
                    int upright_width, int upright_height) {
    for (int v = 0; v < upright_height; v++) {
        for (int u = 0; u < upright_width; u++) {
            int across = turn.mirror_x ? upright_width - 1 - u : u;
            int x = turn.degrees == 90    ? v
                    : turn.degrees == 270 ? width - 1 - v
                    : turn.degrees == 180 ? width - 1 - across
                                          : across;
            int y = turn.degrees == 90    ? height - 1 - across
                    : turn.degrees == 270 ? across
                    : turn.degrees == 180 ? height - 1 - v
                                          : v;
            *upright++ = lying[y * width + x];
        }
    }
}

enum cs_status med_shrink_apply(struct med_shrink *shrink, AVFrame *in, const AVStream *stream, uint8_t *ret_grey,
                                struct cs_err *err) {
    struct med_orientation turn = med_orientation_of(in, stream);
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(in->format);
    bool sideways = med_lies_sideways(turn);
    bool lies = turn.degrees != 0 || turn.mirror_x;
    int width = sideways ? shrink->height : shrink->width;
    int height = sideways ? shrink->width : shrink->height;
    uint8_t *small = lies ? shrink->lying : ret_grey;
    if (format != NULL && has_luma(format)) {
        shrink_luma(in, format, small, width, height);
    } else {
        CS_TRY(shrink_any(shrink, in, small, width, height, err));
    }
    if (lies) {
        turn_up(small, width, height, turn, ret_grey, shrink->width, shrink->height);
    }
    return CS_OK;
}
