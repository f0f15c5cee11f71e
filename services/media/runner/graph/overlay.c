#include "graph/overlay.h"

#include <math.h>

#include "graph/av.h"
#include "graph/stream.h"

enum { ONE = 1 << 16, BLACK = 16, GREY = 128 };

/* What becomes of the sample below: (below * keep + add) / ONE. */
struct paint {
    int32_t keep;
    int32_t add;
};

struct overlay {
    struct med_filter filter;
    struct med_window window;
    struct paint *planes[3];
};

/* The picture's samples were multiplied by alpha around `zero`. share: alpha 0 … 1. */
static struct paint paint_of(double sample, double share, int zero, double opacity) {
    double add = opacity * (sample - zero + zero * share);
    return (struct paint){.keep = (int32_t)lround(ONE * (1 - share * opacity)), .add = (int32_t)lround(ONE * add)};
}

static double mean_of(const AVFrame *picture, int plane, int x, int y, int step) {
    unsigned sum = 0;
    for (int row = y; row < y + step; row++) {
        for (int column = x; column < x + step; column++) {
            sum += picture->data[plane][(ptrdiff_t)row * picture->linesize[plane] + column];
        }
    }
    return (double)sum / (step * step);
}

static struct paint *paint_plane(struct med_graph *graph, const AVFrame *picture, int plane, double opacity) {
    int step = plane == 0 ? 1 : 2;
    size_t count = (size_t)(picture->width / step) * (size_t)(picture->height / step);
    struct paint *paint = cs_arena_array(graph->arena, count, sizeof(*paint));
    size_t n = 0;
    for (int y = 0; y + step <= picture->height; y += step) {
        for (int x = 0; x + step <= picture->width; x += step) {
            double share = mean_of(picture, 3, x, y, step) / 255;
            paint[n++] = paint_of(mean_of(picture, plane, x, y, step), share, plane == 0 ? BLACK : GREY, opacity);
        }
    }
    return paint;
}

static void lay(const struct overlay *overlay, AVFrame *frame, int plane) {
    int shift = plane == 0 ? 0 : 1;
    const struct med_window *window = &overlay->window;
    const struct paint *paint = overlay->planes[plane];
    for (int y = 0; y < window->height >> shift; y++) {
        uint8_t *out =
            frame->data[plane] + (ptrdiff_t)((window->y >> shift) + y) * frame->linesize[plane] + (window->x >> shift);
        for (int x = 0; x < window->width >> shift; x++, paint++) {
            int32_t value = (out[x] * paint->keep + paint->add + ONE / 2) / ONE;
            out[x] = (uint8_t)(value < 0 ? 0 : value > UINT8_MAX ? UINT8_MAX : value);
        }
    }
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct overlay *overlay = (struct overlay *)self;
    MED_AUTO_FRAME *frame = NULL;
    CS_TRY(overlay->filter.source->pull(overlay->filter.source, &frame, err));
    int64_t pts = frame->pts;
    int result = av_frame_make_writable(frame);
    if (result < 0) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "laying a picture over a frame");
    }
    frame->pts = pts;
    for (int plane = 0; plane < 3; plane++) {
        lay(overlay, frame, plane);
    }
    *ret_frame = cs_steal(&frame);
    return CS_OK;
}

static enum cs_status read_picture(const struct med_clip *clip, const struct med_window *window, AVFrame **ret_picture,
                                   struct cs_err *err) {
    CS_AUTO(med_stream) *stream = NULL;
    MED_AUTO_FRAME *frame = NULL;
    CS_TRY(med_stream_open(clip->fd, clip->facts->video.stream, 1, INT64_MIN, &stream, err));
    CS_TRY(med_stream_next(stream, &frame, err));
    if (frame == NULL) {
        return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "the picture cannot be decoded");
    }
    return med_fit_cutout(frame, med_stream_info(stream), window->width, window->height, ret_picture, err);
}

enum cs_status med_overlay(struct med_graph *graph, struct med_video *video, const struct med_clip *picture,
                           const struct med_window *window, double opacity, struct med_video **ret_video,
                           struct cs_err *err) {
    MED_AUTO_FRAME *cutout = NULL;
    if (read_picture(picture, window, &cutout, err) != CS_OK || cutout == NULL) {
        return cs_err_at(err, picture->path);
    }
    struct overlay *overlay = (struct overlay *)med_graph_add_filter(graph, sizeof(*overlay), video);
    overlay->filter.pad.pull = pull;
    overlay->window = *window;
    for (int plane = 0; plane < 3; plane++) {
        overlay->planes[plane] = paint_plane(graph, cutout, plane, opacity);
    }
    *ret_video = &overlay->filter.pad;
    return CS_OK;
}
