#include "graph/fit.h"

#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <stdio.h>

#include "cs/base/auto.h"
#include "graph/av.h"

/* ---- geometry ---- */

static const int32_t *matrix_of(const AVFrame *frame, const AVStream *stream) {
    const AVFrameSideData *own = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
    if (own != NULL && own->size >= 9 * sizeof(int32_t)) {
        return (const int32_t *)(const void *)own->data;
    }
    size_t size = 0;
    const uint8_t *shared = stream == NULL ? NULL : av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return shared != NULL && size >= 9 * sizeof(int32_t) ? (const int32_t *)(const void *)shared : NULL;
}

struct med_orientation med_orientation_of(const AVFrame *frame, const AVStream *stream) {
    struct med_orientation turn = {0};
    const int32_t *matrix = matrix_of(frame, stream);
    if (matrix == NULL) {
        return turn;
    }
    /* Coordinates map by x' = a x + c y, y' = b x + d y, with y downwards. A mirrored one has a negative determinant.
     */
    double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
    turn.mirror_x = a * d - b * c < 0;
    if (turn.mirror_x) { /* mirror after the turn: undo it to read the turn alone */
        a = -a;
    }
    double angle = atan2(b, a) * 180 / M_PI;
    turn.degrees = isnan(angle) ? 0 : ((int)lround(angle / 90) * 90 + 360) % 360;
    return turn;
}

static bool lies_sideways(struct med_orientation turn) {
    return turn.degrees % 180 != 0;
}

static AVRational sane_sar(AVRational sar) {
    bool sane = sar.num > 0 && sar.den > 0 && av_q2d(sar) > 1.0 / 16 && av_q2d(sar) < 16;
    return sane ? sar : (AVRational){1, 1};
}

void med_shown_size(int width, int height, AVRational sar, struct med_orientation turn, int *ret_width,
                    int *ret_height) {
    sar = sane_sar(sar);
    int shown_width = (int)lround(width * av_q2d(sar));
    *ret_width = lies_sideways(turn) ? height : shown_width;
    *ret_height = lies_sideways(turn) ? shown_width : height;
}

/* Fewer pixels than share one chroma sample cannot be cut out. */
enum { WINDOW_SIDE_MIN = 4 };

static int clamp(int value, int low, int high) {
    return value < low ? low : value > high ? high : value;
}

static int smallest(int side) {
    return side < WINDOW_SIDE_MIN ? side : WINDOW_SIDE_MIN;
}

struct med_window med_crop_window(int in_width, int in_height, AVRational sar, int width, int height,
                                  enum med_anchor anchor) {
    double shown_width = in_width * av_q2d(sane_sar(sar));
    double target = (double)width / height;
    struct med_window window = {.width = in_width, .height = in_height};
    if (shown_width / in_height > target) {
        window.width = clamp((int)lround(in_height * target / av_q2d(sane_sar(sar))), smallest(in_width), in_width);
    } else {
        window.height = clamp((int)lround(shown_width / target), smallest(in_height), in_height);
    }
    window.x = (in_width - window.width) / 2;
    window.y = (in_height - window.height) / 2;
    switch (anchor) {
    case MED_ANCHOR_TOP:
        window.y = 0;
        break;
    case MED_ANCHOR_BOTTOM:
        window.y = in_height - window.height;
        break;
    case MED_ANCHOR_LEFT:
        window.x = 0;
        break;
    case MED_ANCHOR_RIGHT:
        window.x = in_width - window.width;
        break;
    case MED_ANCHOR_CENTER:
        break;
    }
    return window;
}

struct med_window med_pad_window(int in_width, int in_height, AVRational sar, int width, int height) {
    double shown_width = in_width * av_q2d(sane_sar(sar));
    double scale = fmin(width / shown_width, (double)height / in_height);
    struct med_window window = {
        .width = clamp((int)lround(shown_width * scale / 2) * 2, 2, width),
        .height = clamp((int)lround(in_height * scale / 2) * 2, 2, height),
    };
    window.x = (width - window.width) / 2 & ~1;
    window.y = (height - window.height) / 2 & ~1;
    return window;
}

/* ---- filters ---- */

struct number {
    char text[24];
};

static const char *text_of(int value, struct number *number) {
    snprintf(number->text, sizeof(number->text), "%d", value);
    return number->text;
}

static enum cs_status add_turn(struct med_chain *chain, struct med_orientation turn, struct cs_err *err) {
    if (turn.degrees == 90 || turn.degrees == 270) {
        const char *way = turn.degrees == 90 ? "clock" : "cclock";
        CS_TRY(med_chain_add(chain, "transpose", (const char *[]){"dir", way, NULL}, err));
    } else if (turn.degrees == 180) {
        CS_TRY(med_chain_add(chain, "hflip", NULL, err));
        CS_TRY(med_chain_add(chain, "vflip", NULL, err));
    }
    return turn.mirror_x ? med_chain_add(chain, "hflip", NULL, err) : CS_OK;
}

static enum cs_status add_crop(struct med_chain *chain, struct med_window window, struct cs_err *err) {
    struct number x, y, w, h;
    const char *options[] = {"out_w", text_of(window.width, &w), "out_h", text_of(window.height, &h),
                             "x",     text_of(window.x, &x),     "y",     text_of(window.y, &y),
                             NULL};
    return med_chain_add(chain, "crop", options, err);
}

/* Untagged pictures: BT.601 when small, BT.709 from 720 lines on, as players guess. */
static const char *matrix_in(const AVFrame *in) {
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(in->format);
    if ((format->flags & AV_PIX_FMT_FLAG_RGB) != 0 || in->colorspace != AVCOL_SPC_UNSPECIFIED) {
        return "auto";
    }
    return in->height >= 720 ? "bt709" : "bt601";
}

static enum cs_status add_scale(struct med_chain *chain, const AVFrame *in, int width, int height, bool to_709,
                                struct cs_err *err) {
    struct number w, h;
    const char *options[] = {"width", text_of(width, &w), "height", text_of(height, &h), "flags",
                             "bicubic+accurate_rnd+bitexact", "in_color_matrix", matrix_in(in),
                             /* the two below only when the colours change here */
                             to_709 ? "out_color_matrix" : NULL, "bt709", "out_range", "tv", NULL};
    return med_chain_add(chain, "scale", options, err);
}

static enum cs_status add_format(struct med_chain *chain, const char *format, struct cs_err *err) {
    return med_chain_add(chain, "format", (const char *[]){"pix_fmts", format, NULL}, err);
}

static bool is_hdr(const AVFrame *in) {
    return in->color_trc == AVCOL_TRC_SMPTE2084 || in->color_trc == AVCOL_TRC_ARIB_STD_B67;
}

static enum cs_status add_tone_map(struct med_chain *chain, const AVFrame *in, struct cs_err *err) {
    const char *transfer = in->color_trc == AVCOL_TRC_SMPTE2084 ? "smpte2084" : "arib-std-b67";
    CS_TRY(med_chain_add(chain, "zscale",
                         (const char *[]){"transferin", transfer, "primariesin", "bt2020", "matrixin", "bt2020nc",
                                          "transfer", "linear", "npl", "100", NULL},
                         err));
    CS_TRY(add_format(chain, "gbrpf32le", err));
    CS_TRY(med_chain_add(chain, "zscale", (const char *[]){"primaries", "bt709", NULL}, err));
    CS_TRY(med_chain_add(chain, "tonemap", (const char *[]){"tonemap", "hable", "desat", "0", NULL}, err));
    CS_TRY(med_chain_add(chain, "zscale",
                         (const char *[]){"transfer", "bt709", "matrix", "bt709", "range", "limited", NULL}, err));
    return add_format(chain, "yuv420p", err);
}

static bool has_alpha(const AVFrame *in) {
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(in->format);
    return format != NULL && (format->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
}

static enum cs_status add_premultiply(struct med_chain *chain, struct cs_err *err) {
    CS_TRY(add_format(chain, "gbrap", err));
    return med_chain_add(chain, "premultiply", (const char *[]){"inplace", "1", NULL}, err);
}

static enum cs_status add_flatten(struct med_chain *chain, struct cs_err *err) {
    CS_TRY(add_premultiply(chain, err));
    return add_format(chain, "gbrp", err);
}

static enum cs_status add_pad(struct med_chain *chain, struct med_window inner, int width, int height,
                              struct cs_err *err) {
    struct number x, y, w, h;
    const char *options[] = {"width",  text_of(width, &w),
                             "height", text_of(height, &h),
                             "x",      text_of(inner.x, &x),
                             "y",      text_of(inner.y, &y),
                             "color",  "black",
                             NULL};
    return med_chain_add(chain, "pad", options, err);
}

static bool is_ours_already(const AVFrame *in) {
    bool matrix = in->colorspace == AVCOL_SPC_BT709 || (in->colorspace == AVCOL_SPC_UNSPECIFIED && in->height >= 720);
    return in->format == AV_PIX_FMT_YUV420P && in->color_range != AVCOL_RANGE_JPEG && matrix && !is_hdr(in);
}

static enum cs_status build(struct med_fit *fit, const AVFrame *in, AVRational sar, struct med_orientation turn,
                            struct cs_err *err) {
    struct med_chain *chain = &fit->chain;
    int width = lies_sideways(turn) ? in->height : in->width;
    int height = lies_sideways(turn) ? in->width : in->height;
    sar = lies_sideways(turn) ? av_inv_q(sar) : sar;
    struct med_window inner = {.width = fit->width, .height = fit->height};
    struct med_window window = {.width = width, .height = height};
    if (fit->mode == MED_FIT_CROP) {
        window = med_crop_window(width, height, sar, fit->width, fit->height, fit->anchor);
    } else {
        inner = med_pad_window(width, height, sar, fit->width, fit->height);
    }
    bool turned = turn.degrees != 0 || turn.mirror_x;
    bool cropped = window.width != width || window.height != height;
    bool scaled = window.width != inner.width || window.height != inner.height;
    bool padded = inner.width != fit->width || inner.height != fit->height;
    fit->nothing_to_do = !turned && !cropped && !scaled && !padded && is_ours_already(in);
    if (fit->nothing_to_do) {
        return CS_OK;
    }
    CS_TRY(med_chain_start(chain, in, fit->threads, err));
    CS_TRY(add_turn(chain, turn, err));
    if (cropped) {
        CS_TRY(add_crop(chain, window, err));
    }
    if (has_alpha(in)) {
        CS_TRY(add_flatten(chain, err));
    }
    if (scaled || !is_ours_already(in)) {
        CS_TRY(add_scale(chain, in, inner.width, inner.height, !is_hdr(in), err));
    }
    CS_TRY(is_hdr(in) ? add_tone_map(chain, in, err) : add_format(chain, "yuv420p", err));
    if (padded) {
        CS_TRY(add_pad(chain, inner, fit->width, fit->height, err));
    }
    return med_chain_finish(chain, "buffersink", err);
}

static bool same_input(const struct med_fit *fit, const AVFrame *in, AVRational sar, struct med_orientation turn) {
    return fit->ready && fit->in_width == in->width && fit->in_height == in->height && fit->in_format == in->format &&
           fit->in_range == (int)in->color_range && fit->in_matrix == (int)in->colorspace &&
           fit->in_transfer == (int)in->color_trc && av_cmp_q(fit->in_sar, sar) == 0 &&
           fit->in_turn.degrees == turn.degrees && fit->in_turn.mirror_x == turn.mirror_x;
}

static void remember(struct med_fit *fit, const AVFrame *in, AVRational sar, struct med_orientation turn) {
    fit->in_width = in->width;
    fit->in_height = in->height;
    fit->in_format = in->format;
    fit->in_range = (int)in->color_range;
    fit->in_matrix = (int)in->colorspace;
    fit->in_transfer = (int)in->color_trc;
    fit->in_sar = sar;
    fit->in_turn = turn;
    fit->ready = true;
}

static void tag(AVFrame *frame) {
    frame->sample_aspect_ratio = (AVRational){1, 1};
    frame->color_range = AVCOL_RANGE_MPEG;
    frame->colorspace = AVCOL_SPC_BT709;
    frame->color_primaries = AVCOL_PRI_BT709;
    frame->color_trc = AVCOL_TRC_BT709;
    frame->chroma_location = AVCHROMA_LOC_LEFT;
    frame->pict_type = AV_PICTURE_TYPE_NONE;
    frame->key_frame = 0;
    frame->interlaced_frame = 0;
    while (frame->nb_side_data > 0) {
        av_frame_remove_side_data(frame, frame->side_data[0]->type);
    }
}

enum cs_status med_fit_apply(struct med_fit *fit, AVFrame *in, const AVStream *stream, AVFrame **ret_out,
                             struct cs_err *err) {
    struct med_orientation turn = med_orientation_of(in, stream);
    AVRational sar =
        in->sample_aspect_ratio.num > 0 || stream == NULL ? in->sample_aspect_ratio : stream->sample_aspect_ratio;
    sar = sane_sar(sar);
    if (!same_input(fit, in, sar, turn)) {
        med_fit_fini(fit);
        CS_TRY(build(fit, in, sar, turn, err));
        remember(fit, in, sar, turn);
    }
    AVFrame *out = NULL;
    if (fit->nothing_to_do) {
        out = av_frame_clone(in);
        if (out == NULL) {
            return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "filtering");
        }
    } else {
        CS_TRY(med_chain_apply(&fit->chain, in, &out, err));
    }
    tag(out);
    *ret_out = out;
    return CS_OK;
}

void med_fit_fini(struct med_fit *fit) {
    med_chain_fini(&fit->chain);
    fit->ready = false;
}

static enum cs_status build_cutout(struct med_chain *chain, const AVFrame *in, const AVStream *stream, int width,
                                   int height, struct cs_err *err) {
    CS_TRY(med_chain_start(chain, in, 1, err));
    CS_TRY(add_turn(chain, med_orientation_of(in, stream), err));
    if (has_alpha(in)) {
        CS_TRY(add_premultiply(chain, err));
    }
    CS_TRY(add_scale(chain, in, width, height, true, err));
    CS_TRY(add_format(chain, "yuva444p", err));
    return med_chain_finish(chain, "buffersink", err);
}

enum cs_status med_fit_cutout(AVFrame *in, const AVStream *stream, int width, int height, AVFrame **ret_out,
                              struct cs_err *err) {
    struct med_chain chain = {0};
    enum cs_status status = build_cutout(&chain, in, stream, width, height, err);
    if (status == CS_OK) {
        status = med_chain_apply(&chain, in, ret_out, err);
    }
    med_chain_fini(&chain);
    return status;
}
