#include "graph/true_peak.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256, HALF = MED_PEAK_TAPS / 2 };

/* A windowed sinc for each place. */
void med_true_peak_init(struct med_true_peak *peak) {
    *peak = (struct med_true_peak){.reach = 1};
    for (int place = 0; place < MED_PEAK_PLACES; place++) {
        float sum = 0;
        for (int tap = 0; tap < MED_PEAK_TAPS; tap++) {
            double x = tap - HALF + (double)(place + 1) / (MED_PEAK_PLACES + 1);
            double tap_at_x = sin(M_PI * x) / (M_PI * x) * (0.5 + 0.5 * cos(M_PI * x / HALF));
            peak->taps[place][tap] = (float)tap_at_x;
            sum += fabsf((float)tap_at_x);
        }
        peak->reach = fmaxf(peak->reach, sum);
    }
}

static float loudest(const float *samples, size_t count) {
    float most = 0;
    for (size_t i = 0; i < count; i++) {
        float size = fabsf(samples[i]);
        most = size > most ? size : most;
    }
    return most;
}

/* The curve at one place behind each of `count` samples; samples has MED_PEAK_TAPS more. */
static float highest(const float *taps, const float *samples, size_t count) {
    float curve[BLOCK] = {0};
    for (size_t tap = 0; tap < MED_PEAK_TAPS; tap++) {
        for (size_t i = 0; i < count; i++) {
            curve[i] += taps[tap] * samples[i + tap];
        }
    }
    return loudest(curve, count);
}

static void add_side(struct med_true_peak *peak, int side, const float *stereo, size_t count) {
    float samples[MED_PEAK_TAPS + BLOCK];
    memcpy(samples, peak->before[side], sizeof(peak->before[side]));
    for (size_t i = 0; i < count; i++) {
        samples[MED_PEAK_TAPS + i] = stereo[2 * i + (size_t)side];
    }
    float most = loudest(samples, MED_PEAK_TAPS + count);
    peak->peak = fmaxf(peak->peak, most);
    for (int place = 0; place < MED_PEAK_PLACES && most * peak->reach > peak->peak; place++) {
        peak->peak = fmaxf(peak->peak, highest(peak->taps[place], samples + 1, count));
    }
    memcpy(peak->before[side], samples + count, sizeof(peak->before[side]));
}

void med_true_peak_add(struct med_true_peak *peak, const float *stereo, size_t count) {
    while (count > 0) {
        size_t block = count < BLOCK ? count : BLOCK;
        add_side(peak, 0, stereo, block);
        add_side(peak, 1, stereo, block);
        stereo += 2 * block;
        count -= block;
    }
}
