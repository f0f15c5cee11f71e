#include "graph/loudness.h"

#include <ebur128.h>
#include <math.h>
#include <stdlib.h>

#include "cs/base/auto.h"
#include "graph/progress.h"
#include "graph/timeline.h"
#include "graph/true_peak.h"

enum { BLOCK = 4096 };

struct med_meter {
    ebur128_state *state;
    struct med_true_peak peak;
    float *finite;
};

struct med_meter *med_meter_create(void) {
    struct med_meter *meter = cs_alloc(sizeof(*meter));
    meter->state = ebur128_init(2, MED_SAMPLE_RATE, EBUR128_MODE_I | EBUR128_MODE_LRA);
    med_true_peak_init(&meter->peak);
    meter->finite = cs_alloc_array((size_t)BLOCK * 2, sizeof(float));
    if (meter->state == NULL) {
        med_meter_destroy(meter);
        return NULL;
    }
    return meter;
}

void med_meter_destroy(struct med_meter *meter) {
    if (meter != NULL) {
        if (meter->state != NULL) {
            ebur128_destroy(&meter->state);
        }
        free(meter->finite);
        free(meter);
    }
}

static enum cs_status no_memory(struct cs_err *err) {
    return cs_fail(err, CS_UNAVAILABLE, "out_of_memory", "the loudness cannot be measured");
}

enum cs_status med_meter_add(struct med_meter *meter, const float *stereo, size_t count, struct cs_err *err) {
    while (count > 0) {
        size_t block = count < BLOCK ? count : BLOCK;
        for (size_t i = 0; i < 2 * block; i++) { /* floating-point files may hold such */
            meter->finite[i] = isfinite(stereo[i]) ? stereo[i] : 0;
        }
        if (ebur128_add_frames_float(meter->state, meter->finite, block) != EBUR128_SUCCESS) {
            return no_memory(err);
        }
        med_true_peak_add(&meter->peak, meter->finite, block);
        stereo += 2 * block;
        count -= block;
    }
    return CS_OK;
}

static double decibels(double level) {
    return level > 0 ? 20 * log10(level) : -HUGE_VAL;
}

enum cs_status med_meter_read(const struct med_meter *meter, struct med_loudness *ret_loudness, struct cs_err *err) {
    struct med_loudness loudness = {0};
    if (ebur128_loudness_global(meter->state, &loudness.integrated) != EBUR128_SUCCESS ||
        ebur128_loudness_range(meter->state, &loudness.range) != EBUR128_SUCCESS) {
        return cs_fail(err, CS_INTERNAL, "loudness", "the loudness cannot be measured");
    }
    loudness.true_peak = decibels(meter->peak.peak);
    loudness.silent = !isfinite(loudness.integrated) || !isfinite(loudness.true_peak);
    *ret_loudness = loudness;
    return CS_OK;
}

static int64_t us_of(int64_t samples) {
    return med_ticks_to_us(med_ticks_from(samples, (AVRational){1, MED_SAMPLE_RATE}));
}

enum cs_status med_loudness_measure(struct med_audio *audio, const struct med_render_events *events,
                                    struct med_loudness *ret_loudness, struct cs_err *err) {
    CS_AUTO(med_meter) *meter = med_meter_create();
    CS_AUTO_FREE float *stereo = cs_alloc_array((size_t)BLOCK * 2, sizeof(float));
    struct med_progress progress = med_progress_begin(events, "measuring", us_of(audio->samples));
    progress.part = true;
    if (meter == NULL) {
        return no_memory(err);
    }
    for (int64_t done = 0; done < audio->samples;) {
        int64_t left = audio->samples - done;
        size_t count = left < BLOCK ? (size_t)left : BLOCK;
        CS_TRY(audio->pull(audio, stereo, count, err));
        CS_TRY(med_meter_add(meter, stereo, count, err));
        done += (int64_t)count;
        med_progress_tell(&progress, us_of(done));
    }
    return med_meter_read(meter, ret_loudness, err);
}
