#include "graph/window.h"

#include <libavutil/display.h>
#include <math.h>

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

bool med_lies_sideways(struct med_orientation turn) {
    return turn.degrees % 180 != 0;
}

AVRational med_sane_sar(AVRational sar) {
    bool sane = sar.num > 0 && sar.den > 0 && av_q2d(sar) > 1.0 / 16 && av_q2d(sar) < 16;
    return sane ? sar : (AVRational){1, 1};
}

void med_shown_size(int width, int height, AVRational sar, struct med_orientation turn, int *ret_width,
                    int *ret_height) {
    sar = med_sane_sar(sar);
    int shown_width = (int)lround(width * av_q2d(sar));
    *ret_width = med_lies_sideways(turn) ? height : shown_width;
    *ret_height = med_lies_sideways(turn) ? shown_width : height;
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
    double shown_width = in_width * av_q2d(med_sane_sar(sar));
    double target = (double)width / height;
    struct med_window window = {.width = in_width, .height = in_height};
    if (shown_width / in_height > target) {
        window.width = clamp((int)lround(in_height * target / av_q2d(med_sane_sar(sar))), smallest(in_width), in_width);
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
    double shown_width = in_width * av_q2d(med_sane_sar(sar));
    double scale = fmin(width / shown_width, (double)height / in_height);
    struct med_window window = {
        .width = clamp((int)lround(shown_width * scale / 2) * 2, 2, width),
        .height = clamp((int)lround(in_height * scale / 2) * 2, 2, height),
    };
    window.x = (width - window.width) / 2 & ~1;
    window.y = (height - window.height) / 2 & ~1;
    return window;
}
