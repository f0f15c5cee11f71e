#include "package/ladder.h"

#include <math.h>
#include <stdio.h>

/* What 1080p at 30 frames a second may cost. Smaller pictures have more detail in each pixel, and pictures that follow
 * quickly differ less. */
static const double reference_bits_per_s = 5e6;
static const double reference_pixels = 1920.0 * 1080;
static const double reference_rate = 30;

static int64_t suitable_bits_per_s(int width, int height, AVRational rate) {
    double pixels = (double)width * height / reference_pixels;
    double frames = fmax(av_q2d(rate) / reference_rate, 0.5);
    return llround(reference_bits_per_s * pow(pixels, 0.85) * sqrt(frames) / 1000) * 1000;
}

static int even(double side) {
    int rounded = (int)lround(side / 2) * 2;
    return rounded < 2 ? 2 : rounded;
}

static void fill(const struct med_picture_format *picture, int height, uint32_t kbps, struct med_rung *rung) {
    bool upright = picture->height > picture->width;
    int shorter = upright ? picture->width : picture->height;
    int longer = upright ? picture->height : picture->width;
    int other = even((double)longer * height / shorter);
    rung->width = upright ? height : other;
    rung->height = upright ? other : height;
    rung->bits_per_s = kbps > 0 ? (int64_t)kbps * 1000 : suitable_bits_per_s(rung->width, rung->height, picture->rate);
}

size_t med_ladder(const struct med_picture_format *picture, const struct cs_package_rung *wanted, size_t count,
                  struct med_rung ret_rungs[MED_LADDER_MAX]) {
    int shorter = picture->width < picture->height ? picture->width : picture->height;
    size_t rungs = 0;
    size_t left_out = 0;
    while (left_out < count && (int64_t)wanted[left_out].height > shorter) {
        left_out++;
    }
    bool fits = left_out < count && (left_out == 0 || (int)wanted[left_out].height == shorter);
    if (!fits) {
        (void)snprintf(ret_rungs[0].stem, sizeof(ret_rungs[0].stem), "video_source");
        fill(picture, shorter, 0, &ret_rungs[rungs++]);
    }
    for (size_t i = left_out; i < count && rungs < MED_LADDER_MAX; i++) {
        (void)snprintf(ret_rungs[rungs].stem, sizeof(ret_rungs[rungs].stem), "video_%u", wanted[i].height);
        fill(picture, (int)wanted[i].height, wanted[i].bitrate_kbps, &ret_rungs[rungs++]);
    }
    return rungs;
}
