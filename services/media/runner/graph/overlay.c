#include "graph/overlay.h"

#include <math.h>
#include <string.h>

#include "graph/av.h"

enum { ONE = 1 << 16, BLACK = 16, GREY = 128 };

struct overlay {
    struct med_filter filter;
    struct med_overlay over;
    int64_t next;    /* frame to give */
    uint8_t *shares; /* alpha of a row of colours */
};

/* ---- one row ---- */

/* in was multiplied by alpha around `zero`, which nothing at all is. opacity: of ONE. */
static void lay_row(uint8_t *restrict out, const uint8_t *restrict in, const uint8_t *restrict alpha, int count,
                    int zero, int opacity) {
    for (int x = 0; x < count; x++) {
        int share = (int)((unsigned)alpha[x] * (unsigned)opacity * 257U >> 16); /* ONE is 65535 here */
        share += share >> 15;
        int value = (out[x] * (ONE - share) + (in[x] - zero) * opacity + zero * share + ONE / 2) >> 16;
        out[x] = (uint8_t)(value < 0 ? 0 : value > UINT8_MAX ? UINT8_MAX : value);
    }
}

static void mix_row(uint8_t *restrict out, const uint8_t *restrict in, int count, int opacity) {
    for (int x = 0; x < count; x++) {
        out[x] = (uint8_t)((out[x] * (ONE - opacity) + in[x] * opacity + ONE / 2) >> 16);
    }
}

/* A colour is as opaque as its four pixels are on average. */
static void average_row(uint8_t *restrict out, const uint8_t *restrict upper, const uint8_t *restrict lower,
                        int count) {
    for (int x = 0; x < count; x++) {
        out[x] = (uint8_t)((upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1] + 2) >> 2);
    }
}

/* ---- one picture ---- */

/* What of the picture lies on the frame, in samples of a plane. */
struct patch {
    int x, y;       /* in the frame */
    int in_x, in_y; /* in the picture */
    int width, height;
};

static int overlap(int at, int length, int room, int *ret_at, int *ret_in) {
    *ret_at = at < 0 ? 0 : at;
    *ret_in = *ret_at - at;
    int end = at + length < room ? at + length : room;
    return end > *ret_at ? end - *ret_at : 0;
}

static struct patch patch_of(const struct overlay *overlay, const AVFrame *frame, const AVFrame *picture, int shift) {
    const struct med_overlay *over = &overlay->over;
    struct patch patch;
    patch.width = overlap(over->x >> shift, picture->width >> shift, frame->width >> shift, &patch.x, &patch.in_x);
    patch.height = overlap(over->y >> shift, picture->height >> shift, frame->height >> shift, &patch.y, &patch.in_y);
    return patch;
}

static const uint8_t *row_of(const AVFrame *frame, int plane, int x, int y) {
    return frame->data[plane] + (ptrdiff_t)y * frame->linesize[plane] + x;
}

static const uint8_t *alpha_row(const struct overlay *overlay, const AVFrame *picture, const struct patch *patch,
                                int row, int shift) {
    int y = (patch->in_y + row) << shift;
    const uint8_t *upper = row_of(picture, 3, patch->in_x << shift, y);
    if (shift == 0) {
        return upper;
    }
    average_row(overlay->shares, upper, upper + picture->linesize[3], patch->width);
    return overlay->shares;
}

static void lay_plane(const struct overlay *overlay, AVFrame *frame, const AVFrame *picture, int plane, int opacity) {
    int shift = plane == 0 ? 0 : 1;
    struct patch patch = patch_of(overlay, frame, picture, shift);
    bool has_alpha = picture->format == AV_PIX_FMT_YUVA420P;
    for (int row = 0; patch.width > 0 && row < patch.height; row++) {
        uint8_t *out = frame->data[plane] + (ptrdiff_t)(patch.y + row) * frame->linesize[plane] + patch.x;
        const uint8_t *in = row_of(picture, plane, patch.in_x, patch.in_y + row);
        if (has_alpha) {
            lay_row(out, in, alpha_row(overlay, picture, &patch, row, shift), patch.width, plane == 0 ? BLACK : GREY,
                    opacity);
        } else if (opacity == ONE) {
            memcpy(out, in, (size_t)patch.width);
        } else {
            mix_row(out, in, patch.width, opacity);
        }
    }
}

static bool hides_all(const struct overlay *overlay, const AVFrame *picture) {
    const struct med_picture_format *format = &overlay->filter.pad.format;
    const struct med_overlay *over = &overlay->over;
    return picture->format == AV_PIX_FMT_YUV420P && over->opacity >= 1 && over->x == 0 && over->y == 0 &&
           picture->width == format->width && picture->height == format->height;
}

/* ---- the node ---- */

/* How many of `frames` frames from `next` on the picture lies on; *ret_before: frames before those. */
static int64_t covered(const struct overlay *overlay, int64_t frames, int64_t *ret_before) {
    int64_t from = overlay->over.from;
    int64_t end = from + overlay->over.picture->frames;
    int64_t first = overlay->next > from ? overlay->next : from;
    int64_t last = overlay->next + frames < end ? overlay->next + frames : end;
    *ret_before = first - overlay->next;
    return last > first ? last - first : 0;
}

static void close_picture(const struct overlay *overlay) {
    struct med_video *picture = overlay->over.picture;
    if (picture->close != NULL) {
        picture->close(picture);
    }
}

static enum cs_status pull_below(struct overlay *overlay, AVFrame **ret_frame, struct cs_err *err) {
    struct med_video *below = overlay->filter.source;
    return below->pull(below, ret_frame, err);
}

static enum cs_status lay(struct overlay *overlay, AVFrame **ret_frame, struct cs_err *err) {
    MED_AUTO_FRAME *picture = NULL;
    MED_AUTO_FRAME *frame = NULL;
    CS_TRY(overlay->over.picture->pull(overlay->over.picture, &picture, err));
    if (hides_all(overlay, picture)) {
        CS_TRY(med_video_skip(overlay->filter.source, 1, err));
        *ret_frame = cs_steal(&picture);
        return CS_OK;
    }
    CS_TRY(pull_below(overlay, &frame, err));
    int64_t pts = frame->pts;
    int result = av_frame_make_writable(frame);
    if (result < 0) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "laying a picture over a frame");
    }
    frame->pts = pts;
    for (int plane = 0; plane < 3; plane++) {
        lay_plane(overlay, frame, picture, plane, (int)lround(overlay->over.opacity * ONE));
    }
    *ret_frame = cs_steal(&frame);
    return CS_OK;
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct overlay *overlay = (struct overlay *)self;
    int64_t before = 0;
    bool lies = covered(overlay, 1, &before) > 0;
    CS_TRY(lies ? lay(overlay, ret_frame, err) : pull_below(overlay, ret_frame, err));
    (*ret_frame)->pts = overlay->next++;
    if (overlay->next == overlay->over.from + overlay->over.picture->frames) {
        close_picture(overlay);
    }
    return CS_OK;
}

static enum cs_status skip(struct med_video *self, int64_t frames, struct cs_err *err) {
    struct overlay *overlay = (struct overlay *)self;
    int64_t before = 0;
    int64_t count = covered(overlay, frames, &before);
    if (count > 0) {
        CS_TRY(med_video_skip(overlay->over.picture, count, err));
    }
    CS_TRY(med_video_skip(overlay->filter.source, frames, err));
    overlay->next += frames;
    return CS_OK;
}

static void close_overlay(struct med_video *self) {
    close_picture((struct overlay *)self);
    med_filter_close(self);
}

struct med_video *med_overlay(struct med_graph *graph, struct med_video *video, const struct med_overlay *over) {
    struct overlay *overlay = (struct overlay *)med_graph_add_filter(graph, sizeof(*overlay), video);
    overlay->filter.pad.pull = pull;
    overlay->filter.pad.skip = skip;
    overlay->filter.pad.close = close_overlay;
    overlay->over = *over;
    overlay->shares = cs_arena_alloc(graph->arena, (size_t)over->picture->format.width);
    return &overlay->filter.pad;
}
