#include "graph/fit.h"

#include <libavutil/pixdesc.h>
#include <math.h>

#include "cs/base/auto.h"
#include "graph/av.h"

/* ---- filters ---- */

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
    struct med_number w, h;
    const char *options[] = {"width", med_number(width, &w), "height", med_number(height, &h), "flags",
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
    return med_chain_add(chain, "premultiply", (const char *[]){"inplace", "1", NULL}, err);
}

static enum cs_status add_flatten(struct med_chain *chain, struct cs_err *err) {
    CS_TRY(add_format(chain, "gbrap", err));
    CS_TRY(add_premultiply(chain, err));
    return add_format(chain, "gbrp", err);
}

static enum cs_status add_resize(struct med_chain *chain, int width, int height, struct cs_err *err) {
    struct med_number w, h;
    const char *options[] = {"width", med_number(width, &w),           "height", med_number(height, &h),
                             "flags", "bicubic+accurate_rnd+bitexact", NULL};
    return med_chain_add(chain, "scale", options, err);
}

/* Full colour, BT.709, with alpha. */
static enum cs_status add_full_color(struct med_chain *chain, const AVFrame *in, const struct med_window *window,
                                     struct cs_err *err) {
    CS_TRY(is_hdr(in) ? add_tone_map(chain, in, err) : add_scale(chain, in, window->width, window->height, true, err));
    return add_format(chain, "yuva444p", err);
}

/* Colours multiplied by alpha, in their size. */
static enum cs_status add_cutout(struct med_chain *chain, const struct med_window *inner, struct cs_err *err) {
    CS_TRY(add_premultiply(chain, err));
    CS_TRY(add_resize(chain, inner->width, inner->height, err));
    return add_format(chain, "yuva420p", err);
}

static enum cs_status add_pad(struct med_chain *chain, struct med_window inner, int width, int height,
                              const char *color, struct cs_err *err) {
    struct med_number x, y, w, h;
    const char *options[] = {"width",  med_number(width, &w),
                             "height", med_number(height, &h),
                             "x",      med_number(inner.x, &x),
                             "y",      med_number(inner.y, &y),
                             "color",  color,
                             NULL};
    return med_chain_add(chain, "pad", options, err);
}

static bool is_ours_already(const AVFrame *in) {
    bool matrix = in->colorspace == AVCOL_SPC_BT709 || (in->colorspace == AVCOL_SPC_UNSPECIFIED && in->height >= 720);
    return in->format == AV_PIX_FMT_YUV420P && in->color_range != AVCOL_RANGE_JPEG && matrix && !is_hdr(in);
}

/* ---- what goes where ---- */

/* The used part of an upright picture of pixels of aspect sar. */
static struct med_window region_of(const struct med_fit *fit, int width, int height, AVRational sar) {
    struct med_window all = {.width = width, .height = height};
    const struct med_window *wanted = &fit->region;
    if (wanted->width <= 0 || wanted->height <= 0) {
        return all;
    }
    struct med_window region = {
        .x = (int)lround(wanted->x / av_q2d(sar)),
        .y = wanted->y,
        .width = (int)lround(wanted->width / av_q2d(sar)),
        .height = wanted->height,
    };
    bool inside = region.x >= 0 && region.y >= 0 && region.width > 0 && region.x + region.width <= width &&
                  region.y + region.height <= height;
    return inside ? region : all; /* a picture of another size than the first */
}

static int within(int at, int size, int whole) {
    int most = whole - size;
    return at < 0 ? 0 : at > most ? most : at;
}

/* Whole chroma samples; the sides of odd pictures stay reachable. */
static void place(const struct med_fit *fit, AVRational sar, struct med_window *window) {
    int x = (int)lround(fit->place_x / av_q2d(sar)) & ~1;
    window->x = within(x, window->width, fit->upright_width);
    window->y = within(fit->place_y & ~1, window->height, fit->upright_height);
}

static struct med_window window_of(const struct med_fit *fit, AVRational sar) {
    struct med_window region = region_of(fit, fit->upright_width, fit->upright_height, sar);
    if (fit->mode != MED_FIT_CROP) {
        return region;
    }
    struct med_window window = med_crop_window(region.width, region.height, sar, fit->width, fit->height, fit->anchor);
    window.x += region.x;
    window.y += region.y;
    if (fit->placed) {
        place(fit, sar, &window);
    }
    return window;
}

/* Where the window goes in the frame. */
static struct med_window inner_of(const struct med_fit *fit, AVRational sar) {
    bool whole = fit->mode == MED_FIT_PAD || fit->mode == MED_FIT_BLUR_PAD;
    return whole ? med_pad_window(fit->window.width, fit->window.height, sar, fit->width, fit->height)
                 : (struct med_window){.width = fit->width, .height = fit->height};
}

/* Black comes for nothing: the filter lets the picture be made inside it. */
static bool needs_backdrop(const struct med_fit *fit) {
    return !fit->keep_alpha && (fit->mode == MED_FIT_BLUR_PAD || fit->pad_rgb != 0);
}

static enum cs_status add_surroundings(struct med_fit *fit, struct med_chain *chain, const struct med_window *inner,
                                       struct cs_err *err) {
    if (!needs_backdrop(fit)) {
        return add_pad(chain, *inner, fit->width, fit->height, fit->keep_alpha ? "black@0" : "black", err);
    }
    fit->backdrop = (struct med_backdrop){
        .width = fit->width,
        .height = fit->height,
        .inner = *inner,
        .blurred = fit->mode == MED_FIT_BLUR_PAD,
        .rgb = fit->pad_rgb,
    };
    return CS_OK;
}

static AVRational upright_sar(AVRational sar, struct med_orientation turn) {
    return med_lies_sideways(turn) ? av_inv_q(sar) : sar;
}

static enum cs_status add_pixels(struct med_fit *fit, const AVFrame *in, const struct med_window *inner, bool scaled,
                                 struct cs_err *err) {
    struct med_chain *chain = &fit->chain;
    if (has_alpha(in)) {
        CS_TRY(add_flatten(chain, err));
    }
    if (scaled || !is_ours_already(in)) {
        CS_TRY(add_scale(chain, in, inner->width, inner->height, !is_hdr(in), err));
    }
    return is_hdr(in) ? add_tone_map(chain, in, err) : add_format(chain, "yuv420p", err);
}

/* From full colours on, or from those of add_pixels. */
static enum cs_status add_rest(struct med_fit *fit, struct med_chain *chain, const struct med_window *inner,
                               bool cutout, struct cs_err *err) {
    bool padded = inner->width != fit->width || inner->height != fit->height;
    if (cutout) {
        CS_TRY(add_cutout(chain, inner, err));
    } else if (padded && fit->keep_alpha) {
        CS_TRY(add_format(chain, "yuva420p", err));
    }
    if (padded) {
        CS_TRY(add_surroundings(fit, chain, inner, err));
    }
    return med_chain_finish(chain, "buffersink", err);
}

static enum cs_status build(struct med_fit *fit, const AVFrame *in, AVRational sar, struct med_orientation turn,
                            struct cs_err *err) {
    struct med_chain *chain = &fit->chain;
    int width = fit->upright_width = med_lies_sideways(turn) ? in->height : in->width;
    int height = fit->upright_height = med_lies_sideways(turn) ? in->width : in->height;
    fit->window = window_of(fit, upright_sar(sar, turn));
    const struct med_window window = fit->window;
    const struct med_window inner = inner_of(fit, upright_sar(sar, turn));
    bool turned = turn.degrees != 0 || turn.mirror_x;
    bool cropped = window.width != width || window.height != height;
    bool scaled = window.width != inner.width || window.height != inner.height;
    bool padded = inner.width != fit->width || inner.height != fit->height;
    bool cutout = fit->keep_alpha && (fit->key != NULL || has_alpha(in));
    fit->nothing_to_do = !turned && !cropped && !scaled && !padded && !cutout && is_ours_already(in);
    if (fit->nothing_to_do) {
        return CS_OK;
    }
    CS_TRY(med_chain_start(chain, in, fit->threads, err));
    CS_TRY(add_turn(chain, turn, err));
    if (cropped) {
        CS_TRY(med_chain_add_crop(chain, window.x, window.y, window.width, window.height, err));
    }
    CS_TRY(cutout ? add_full_color(chain, in, &window, err) : add_pixels(fit, in, &inner, scaled, err));
    fit->keys = cutout && fit->key != NULL;
    return fit->keys ? med_chain_finish(chain, "buffersink", err) : add_rest(fit, chain, &inner, cutout, err);
}

/* Before anything is scaled: no green is mixed into what stays. */
static enum cs_status cut_key(struct med_fit *fit, AVFrame *picture, AVRational sar, AVFrame **ret_out,
                              struct cs_err *err) {
    CS_TRY(med_key_apply(fit->key, picture, err));
    if (fit->keyed.graph == NULL) {
        const struct med_window inner = inner_of(fit, sar);
        CS_TRY(med_chain_start(&fit->keyed, picture, fit->threads, err));
        CS_TRY(add_rest(fit, &fit->keyed, &inner, true, err));
    }
    return med_chain_apply(&fit->keyed, picture, ret_out, err);
}

bool med_fit_place(struct med_fit *fit, int x, int y) {
    bool moved = !fit->placed || fit->place_x != x || fit->place_y != y;
    fit->placed = true;
    fit->place_x = x;
    fit->place_y = y;
    return moved;
}

/* The chain is there; its window may have to move. */
static enum cs_status follow(struct med_fit *fit, AVRational sar, struct med_orientation turn, struct cs_err *err) {
    struct med_window window = window_of(fit, upright_sar(sar, turn));
    bool moved = window.x != fit->window.x || window.y != fit->window.y;
    fit->window = window;
    return moved ? med_chain_move_crop(&fit->chain, window.x, window.y, err) : CS_OK;
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
    med_frame_tag(frame);
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
    sar = med_sane_sar(sar);
    if (!same_input(fit, in, sar, turn)) {
        med_fit_fini(fit);
        CS_TRY(build(fit, in, sar, turn, err));
        remember(fit, in, sar, turn);
    } else if (fit->placed) {
        CS_TRY(follow(fit, sar, turn, err));
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
    if (fit->keys) {
        MED_AUTO_FRAME *picture = out;
        out = NULL;
        CS_TRY(cut_key(fit, picture, upright_sar(sar, turn), &out, err));
    }
    if (fit->backdrop.width > 0) {
        MED_AUTO_FRAME *picture = out;
        out = NULL;
        CS_TRY(med_backdrop_apply(&fit->backdrop, picture, &out, err));
    }
    tag(out);
    *ret_out = out;
    return CS_OK;
}

void med_fit_fini(struct med_fit *fit) {
    med_chain_fini(&fit->chain);
    med_chain_fini(&fit->keyed);
    med_backdrop_fini(&fit->backdrop);
    fit->backdrop.width = 0;
    fit->ready = false;
}
