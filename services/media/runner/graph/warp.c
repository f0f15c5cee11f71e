#include "graph/warp.h"

#include <math.h>

#include "graph/av.h"

enum { POINT = 16, ONE = 1 << POINT, SHARES = 8 };

struct warp {
    struct med_filter filter;
    const struct med_warp *warps;
    double zoom;
    int64_t next;
};

/* Source coordinates of a plane in 1/65536, linear in x and y of the output. */
struct affine {
    int64_t x, y;           /* of the output's first point */
    int64_t x_by_x, y_by_x; /* from point to point */
    int64_t x_by_y, y_by_y; /* from line to line */
};

static struct affine affine_of(const struct warp *node, const struct med_warp *warp, int width, int height, int shift) {
    double cosine = cos((double)warp->angle) / node->zoom;
    double sine = sin((double)warp->angle) / node->zoom;
    double middle_x = (width - 1) / 2.0;
    double middle_y = (height - 1) / 2.0;
    double x = middle_x + (double)warp->x / (1 << shift) - cosine * middle_x + sine * middle_y;
    double y = middle_y + (double)warp->y / (1 << shift) - sine * middle_x - cosine * middle_y;
    return (struct affine){
        .x = llround(x * ONE),
        .y = llround(y * ONE),
        .x_by_x = llround(cosine * ONE),
        .y_by_x = llround(sine * ONE),
        .x_by_y = llround(-sine * ONE),
        .y_by_y = llround(cosine * ONE),
    };
}

static int within(int64_t at, int last) {
    return at < 0 ? 0 : at > last ? last : (int)at;
}

static void warp_line(const uint8_t *in, int in_line, int width, int height, int64_t x, int64_t y,
                      const struct affine *step, uint8_t *out) {
    for (int i = 0; i < width; i++, x += step->x_by_x, y += step->y_by_x) {
        int left = within(x >> POINT, width - 1);
        int right = within((x >> POINT) + 1, width - 1);
        const uint8_t *upper = in + (ptrdiff_t)within(y >> POINT, height - 1) * in_line;
        const uint8_t *lower = in + (ptrdiff_t)within((y >> POINT) + 1, height - 1) * in_line;
        int part_x = (int)(x >> (POINT - SHARES)) & 255;
        int part_y = (int)(y >> (POINT - SHARES)) & 255;
        int above = upper[left] * (256 - part_x) + upper[right] * part_x;
        int below = lower[left] * (256 - part_x) + lower[right] * part_x;
        out[i] = (uint8_t)((above * (256 - part_y) + below * part_y + (1 << 15)) >> 16);
    }
}

static void warp_plane(const struct warp *node, const struct med_warp *warp, const AVFrame *in, AVFrame *out,
                       int plane) {
    int shift = plane > 0;
    int width = in->width >> shift;
    int height = in->height >> shift;
    struct affine affine = affine_of(node, warp, width, height, shift);
    for (int line = 0; line < height; line++) {
        warp_line(in->data[plane], in->linesize[plane], width, height, affine.x + line * affine.x_by_y,
                  affine.y + line * affine.y_by_y, &affine, out->data[plane] + (ptrdiff_t)line * out->linesize[plane]);
    }
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct warp *node = (struct warp *)self;
    MED_AUTO_FRAME *in = NULL;
    CS_TRY(node->filter.source->pull(node->filter.source, &in, err));
    MED_AUTO_FRAME *out = av_frame_alloc();
    if (out != NULL) {
        out->format = in->format;
        out->width = in->width;
        out->height = in->height;
    }
    if (out == NULL || av_frame_get_buffer(out, 0) < 0 || av_frame_copy_props(out, in) < 0) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "a frame");
    }
    for (int plane = 0; plane < 3; plane++) {
        warp_plane(node, &node->warps[node->next], in, out, plane);
    }
    node->next++;
    *ret_frame = out;
    out = NULL;
    return CS_OK;
}

static enum cs_status skip(struct med_video *self, int64_t frames, struct cs_err *err) {
    struct warp *node = (struct warp *)self;
    node->next += frames;
    return med_video_skip(node->filter.source, frames, err);
}

struct med_video *med_warp(struct med_graph *graph, struct med_video *source, const struct med_warp *warps,
                           double zoom) {
    struct warp *node = (struct warp *)med_graph_add_filter(graph, sizeof(*node), source);
    node->warps = warps;
    node->zoom = zoom;
    node->filter.pad.pull = pull;
    node->filter.pad.skip = skip;
    return &node->filter.pad;
}
