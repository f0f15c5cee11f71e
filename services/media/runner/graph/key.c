#include "graph/key.h"

#include <math.h>

#include "cs/base/auto.h"
#include "cs/base/mem.h"
#include "graph/av.h"

enum { AROUND = 3 /* pixels a side that count for one */, ROWS = AROUND + 1 };

static const double blend_min = 0.0001; /* less is none */

/* Of the sum of nine distances, in levels: alpha is sum * slope - offset, from 0 to 255. */
struct ramp {
    float u, v; /* of the key */
    float slope;
    float offset;
};

static struct ramp ramp_of(const struct med_key *key) {
    const double farthest = 255 * M_SQRT2 * AROUND * AROUND;
    double r = (key->rgb >> 16 & 0xff) / 255.0;
    double g = (key->rgb >> 8 & 0xff) / 255.0;
    double b = (key->rgb & 0xff) / 255.0;
    double y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    double blend = key->blend > blend_min ? key->blend : blend_min;
    return (struct ramp){
        .u = roundf((float)(128 + 224 * (b - y) / 1.8556)),
        .v = roundf((float)(128 + 224 * (r - y) / 1.5748)),
        .slope = (float)(255 / (farthest * blend)),
        .offset = (float)(255 * key->similarity / blend),
    };
}

static void measure_row(const struct ramp *ramp, const uint8_t *restrict u, const uint8_t *restrict v, int count,
                        float *restrict out) {
    for (int x = 0; x < count; x++) {
        float du = (float)u[x] - ramp->u;
        float dv = (float)v[x] - ramp->v;
        out[x] = sqrtf(du * du + dv * dv);
    }
}

/* Each with its neighbours; what is beside the picture is like its edge. */
static void sum_row(const float *restrict in, int count, float *restrict out) {
    for (int x = 1; x < count - 1; x++) {
        out[x] = in[x - 1] + in[x] + in[x + 1];
    }
    out[0] = in[0] + in[0] + in[count > 1 ? 1 : 0];
    out[count - 1] = in[count > 1 ? count - 2 : 0] + in[count - 1] + in[count - 1];
}

static void fade_row(const struct ramp *ramp, const float *restrict above, const float *restrict here,
                     const float *restrict below, int count, uint8_t *restrict alpha) {
    for (int x = 0; x < count; x++) {
        float value = (above[x] + here[x] + below[x]) * ramp->slope - ramp->offset;
        value = value > 255 ? 255 : value;
        value = value < 0 ? 0 : value;
        alpha[x] = (uint8_t)((int)value * alpha[x] / 255);
    }
}

/* Sums of the latest rows. */
struct sums {
    float *rows;
    size_t width;
};

static float *row_of(const struct sums *sums, int y) {
    return sums->rows + (size_t)(y % AROUND) * sums->width;
}

static void take_row(const struct ramp *ramp, const AVFrame *picture, int y, const struct sums *sums) {
    float *measured = sums->rows + AROUND * sums->width;
    measure_row(ramp, picture->data[1] + (ptrdiff_t)y * picture->linesize[1],
                picture->data[2] + (ptrdiff_t)y * picture->linesize[2], picture->width, measured);
    sum_row(measured, picture->width, row_of(sums, y));
}

enum cs_status med_key_apply(const struct med_key *key, AVFrame *picture, struct cs_err *err) {
    const struct ramp ramp = ramp_of(key);
    const int last = picture->height - 1;
    int result = av_frame_make_writable(picture);
    if (result < 0) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "keying");
    }
    CS_AUTO_FREE float *rows = cs_alloc_array((size_t)ROWS * (size_t)picture->width, sizeof(float));
    const struct sums sums = {.rows = rows, .width = (size_t)picture->width};
    take_row(&ramp, picture, 0, &sums);
    for (int y = 0; y <= last; y++) {
        if (y < last) {
            take_row(&ramp, picture, y + 1, &sums);
        }
        fade_row(&ramp, row_of(&sums, y > 0 ? y - 1 : 0), row_of(&sums, y), row_of(&sums, y < last ? y + 1 : last),
                 picture->width, picture->data[3] + (ptrdiff_t)y * picture->linesize[3]);
    }
    return CS_OK;
}
