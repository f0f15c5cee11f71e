/* COVERS graph/key.c: which pixels a key makes transparent. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/mem.h"
#include "cs/test.h"
#include "graph/key.h"

enum { W = 37, H = 19, GREEN_U = 42, GREEN_V = 26 }; /* 0x00FF00 in BT.709 */

static const struct med_key green = {.rgb = 0x00FF00, .similarity = 0.1, .blend = 0.2};

static AVFrame *picture_of(int u, int v, int alpha) {
    AVFrame *frame = av_frame_alloc();
    frame->format = AV_PIX_FMT_YUVA444P;
    frame->width = W;
    frame->height = H;
    assert_int_equal(0, av_frame_get_buffer(frame, 0));
    const int levels[] = {126, u, v, alpha};
    for (int plane = 0; plane < 4; plane++) {
        memset(frame->data[plane], levels[plane], (size_t)frame->linesize[plane] * H);
    }
    return frame;
}

static uint8_t *at(const AVFrame *frame, int plane, int x, int y) {
    return frame->data[plane] + (ptrdiff_t)y * frame->linesize[plane] + x;
}

static double distance_at(const AVFrame *frame, int x, int y) {
    x = x < 0 ? 0 : x >= W ? W - 1 : x;
    y = y < 0 ? 0 : y >= H ? H - 1 : y;
    return hypot(*at(frame, 1, x, y) - GREEN_U, *at(frame, 2, x, y) - GREEN_V) / (255 * sqrt(2));
}

/* What the header says, one pixel at a time. */
static double expected_at(const AVFrame *frame, const struct med_key *key, int x, int y) {
    double sum = 0;
    for (int i = 0; i < 9; i++) {
        sum += distance_at(frame, x + i % 3 - 1, y + i / 3 - 1);
    }
    double alpha = key->blend > 0 ? (sum / 9 - key->similarity) / key->blend : sum / 9 > key->similarity;
    return 255 * fmin(fmax(alpha, 0), 1);
}

static void assert_all(const AVFrame *frame, int alpha) {
    for (int i = 0; i < W * H; i++) {
        assert_int_equal(*at(frame, 3, i % W, i / W), alpha);
    }
}

TEST(the_key_goes_and_what_is_far_from_it_stays) {
    AVFrame *gone = picture_of(GREEN_U, GREEN_V, 255);
    AVFrame *left = picture_of(128, 128, 255);
    assert_int_equal(CS_OK, med_key_apply(&green, gone, NULL));
    assert_int_equal(CS_OK, med_key_apply(&green, left, NULL));
    assert_all(gone, 0);
    assert_all(left, 255);
    av_frame_free(&gone);
    av_frame_free(&left);
}

TEST(what_was_transparent_stays_so) {
    AVFrame *frame = picture_of(128, 128, 90);
    assert_int_equal(CS_OK, med_key_apply(&green, frame, NULL));
    assert_all(frame, 90);
    av_frame_free(&frame);
}

TEST(each_pixel_counts_with_those_around_it) {
    static const double blends[] = {0.2, 0.05, 0};
    for (size_t i = 0; i < CS_COUNT(blends); i++) {
        const struct med_key key = {.rgb = 0x00FF00, .similarity = 0.1, .blend = blends[i]};
        AVFrame *frame = picture_of(0, 0, 255);
        for (int n = 0; n < W * H; n++) {
            *at(frame, 1, n % W, n / W) = (uint8_t)(GREEN_U + n * 7 % 60);
            *at(frame, 2, n % W, n / W) = (uint8_t)(GREEN_V + n * 11 % 90);
        }
        assert_int_equal(CS_OK, med_key_apply(&key, frame, NULL));
        for (int n = 0; n < W * H; n++) {
            assert_true(fabs(expected_at(frame, &key, n % W, n / W) - *at(frame, 3, n % W, n / W)) <= 1);
        }
        av_frame_free(&frame);
    }
}

TEST_MAIN(CS_TEST(the_key_goes_and_what_is_far_from_it_stays), CS_TEST(what_was_transparent_stays_so),
          CS_TEST(each_pixel_counts_with_those_around_it))
