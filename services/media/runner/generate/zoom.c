#include "generate/zoom.h"

#include <math.h>

#include "graph/av.h"

enum { FINE = 16, FINE_ONE = 1 << FINE };

/* The picture is kept this much bigger than the frame, so that the closest view is still sharp. */
static const double closest = 1.15;

struct zoom {
    struct med_video pad;
    struct med_video *still; /* one frame, `closest` times as big */
    AVFrame *picture;
    bool outwards;
    int64_t next;
};

static inline unsigned between(unsigned a, unsigned b, unsigned part) {
    return a * (256 - part) + b * part;
}

/* Samples a window of the picture, smoothly between pixels. */
static void sample_plane(const AVFrame *picture, AVFrame *frame, int plane, double view) {
    int shift = plane == 0 ? 0 : 1;
    int in_width = picture->width >> shift;
    int in_height = picture->height >> shift;
    int width = frame->width >> shift;
    int height = frame->height >> shift;
    double step_x = in_width * view / width;
    double step_y = in_height * view / height;
    int64_t first_x = llround((in_width - in_width * view) / 2 * FINE_ONE);
    int64_t first_y = llround((in_height - in_height * view) / 2 * FINE_ONE);
    for (int y = 0; y < height; y++) {
        int64_t at_y = first_y + llround(y * step_y * FINE_ONE);
        int row = (int)(at_y >> FINE);
        unsigned down = (unsigned)(at_y >> 8) & 0xff;
        const uint8_t *upper = picture->data[plane] + (ptrdiff_t)row * picture->linesize[plane];
        const uint8_t *lower = row + 1 < in_height ? upper + picture->linesize[plane] : upper;
        uint8_t *out = frame->data[plane] + (ptrdiff_t)y * frame->linesize[plane];
        int64_t step = llround(step_x * FINE_ONE);
        int64_t at_x = first_x;
        for (int x = 0; x < width; x++, at_x += step) {
            int column = (int)(at_x >> FINE);
            int right = column + 1 < in_width ? column + 1 : column;
            unsigned part = (unsigned)(at_x >> 8) & 0xff;
            unsigned top = between(upper[column], upper[right], part);
            unsigned bottom = between(lower[column], lower[right], part);
            out[x] = (uint8_t)((top * (256 - down) + bottom * down + 32768) >> 16);
        }
    }
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct zoom *zoom = (struct zoom *)self;
    if (zoom->picture == NULL) {
        CS_TRY(zoom->still->pull(zoom->still, &zoom->picture, err));
    }
    MED_AUTO_FRAME *frame = av_frame_alloc();
    int result = frame == NULL ? AVERROR(ENOMEM) : av_frame_copy_props(frame, zoom->picture);
    if (result >= 0) {
        frame->format = AV_PIX_FMT_YUV420P;
        frame->width = zoom->pad.format.width;
        frame->height = zoom->pad.format.height;
        result = av_frame_get_buffer(frame, 0);
    }
    if (result < 0) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "a frame");
    }
    double progress = zoom->pad.frames > 1 ? (double)zoom->next / (double)(zoom->pad.frames - 1) : 0;
    double eased = progress * progress * (3 - 2 * progress);
    double view = 1 - (1 - 1 / closest) * (zoom->outwards ? 1 - eased : eased);
    for (int plane = 0; plane < 3; plane++) {
        sample_plane(zoom->picture, frame, plane, view);
    }
    frame->pts = zoom->next++;
    *ret_frame = frame;
    frame = NULL;
    return CS_OK;
}

static void close_zoom(struct med_video *self) {
    av_frame_free(&((struct zoom *)self)->picture);
}

static int even(double value) {
    return (int)lround(value / 2) * 2;
}

struct med_video *med_zoom(struct med_graph *graph, const struct med_clip *still,
                           const struct med_picture_format *format, int64_t frames, bool outwards) {
    struct med_picture_format big = *format;
    big.width = even(format->width * closest);
    big.height = even(format->height * closest);
    struct med_video *picture = med_clip_video(graph, still, &big, 1, MED_FIT_CROP, MED_ANCHOR_CENTER);
    struct zoom *zoom = (struct zoom *)med_graph_add_video(graph, sizeof(*zoom));
    zoom->pad = (struct med_video){.format = *format, .frames = frames, .pull = pull, .close = close_zoom};
    zoom->still = picture;
    zoom->outwards = outwards;
    return &zoom->pad;
}
