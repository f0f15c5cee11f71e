#include "graph/loudness.h"

#include <ebur128.h>
#include <math.h>

#include "cs/base/auto.h"
#include "cs/base/clock.h"
#include "graph/timeline.h"

enum { BLOCK = 4096, TELL_EVERY_MS = 100 };

static void free_meter(ebur128_state **meter) {
    if (*meter != NULL) {
        ebur128_destroy(meter);
    }
}

static void tell(const struct med_render_events *events, const struct med_audio *audio, int64_t done,
                 int64_t *told_ms) {
    int64_t now = cs_clock_mono_ms();
    if (events == NULL || events->progress == NULL || now - *told_ms < TELL_EVERY_MS) {
        return;
    }
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    progress.stage = (char *)(uintptr_t) "measuring";
    progress.media_time_us = med_ticks_to_us(med_ticks_from(done, (AVRational){1, MED_SAMPLE_RATE}));
    progress.media_duration_us = med_ticks_to_us(med_ticks_from(audio->samples, (AVRational){1, MED_SAMPLE_RATE}));
    events->progress(&progress, events->user);
    *told_ms = now;
}

static enum cs_status feed(ebur128_state *meter, struct med_audio *audio, const struct med_render_events *events,
                           struct cs_err *err) {
    CS_AUTO_FREE float *stereo = cs_alloc_array((size_t)BLOCK * 2, sizeof(float));
    int64_t told_ms = cs_clock_mono_ms();
    for (int64_t done = 0; done < audio->samples;) {
        int64_t left = audio->samples - done;
        size_t count = left < BLOCK ? (size_t)left : BLOCK;
        CS_TRY(audio->pull(audio, stereo, count, err));
        for (size_t i = 0; i < 2 * count; i++) { /* floating-point files may hold such */
            stereo[i] = isfinite(stereo[i]) ? stereo[i] : 0;
        }
        if (ebur128_add_frames_float(meter, stereo, count) != EBUR128_SUCCESS) {
            return cs_fail(err, CS_UNAVAILABLE, "out_of_memory", "the loudness cannot be measured");
        }
        done += (int64_t)count;
        tell(events, audio, done, &told_ms);
    }
    return CS_OK;
}

static double decibels(double level) {
    return level > 0 ? 20 * log10(level) : -HUGE_VAL;
}

enum cs_status med_loudness_measure(struct med_audio *audio, const struct med_render_events *events,
                                    struct med_loudness *ret_loudness, struct cs_err *err) {
    __attribute__((cleanup(free_meter))) ebur128_state *meter =
        ebur128_init(2, MED_SAMPLE_RATE, EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK);
    if (meter == NULL) {
        return cs_fail(err, CS_UNAVAILABLE, "out_of_memory", "the loudness cannot be measured");
    }
    CS_TRY(feed(meter, audio, events, err));
    double peaks[2] = {0};
    if (ebur128_loudness_global(meter, &ret_loudness->integrated) != EBUR128_SUCCESS ||
        ebur128_true_peak(meter, 0, &peaks[0]) != EBUR128_SUCCESS ||
        ebur128_true_peak(meter, 1, &peaks[1]) != EBUR128_SUCCESS) {
        return cs_fail(err, CS_INTERNAL, "loudness", "the loudness cannot be measured");
    }
    ret_loudness->true_peak = decibels(fmax(peaks[0], peaks[1]));
    ret_loudness->silent = !isfinite(ret_loudness->integrated) || !isfinite(ret_loudness->true_peak);
    return CS_OK;
}
