#include "graph/bed.h"

#include <math.h>
#include <string.h>

#include "graph/sound.h"
#include "graph/timeline.h"

enum {
    STEP = 48, /* samples between two looks at the speech: a millisecond */
    BLOCK = 4096,
};

static const double rms_s = 0.010;

/* ---- shape ---- */

struct shape {
    struct med_audio pad;
    struct med_audio *source;
    struct med_shape wanted;
    float gain;
    int64_t given;
};

static enum cs_status pull_shape(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct shape *shape = (struct shape *)self;
    CS_TRY(shape->source->pull(shape->source, ret_stereo, count, err));
    med_sound_scale(ret_stereo, count, shape->gain);
    med_sound_fade_head(ret_stereo, count, shape->given, shape->wanted.fade_in);
    med_sound_fade_tail(ret_stereo, count, shape->given, self->samples, shape->wanted.fade_out);
    shape->given += (int64_t)count;
    return CS_OK;
}

static enum cs_status skip_shape(struct med_audio *self, int64_t samples, struct cs_err *err) {
    struct shape *shape = (struct shape *)self;
    shape->given += samples;
    return med_audio_skip(shape->source, samples, err);
}

static void close_shape(struct med_audio *self) {
    struct shape *shape = (struct shape *)self;
    if (shape->source->close != NULL) {
        shape->source->close(shape->source);
    }
}

struct med_audio *med_shape(struct med_graph *graph, struct med_audio *source, const struct med_shape *wanted) {
    if (wanted->gain_db == 0 && wanted->fade_in == 0 && wanted->fade_out == 0) {
        return source;
    }
    struct shape *shape = (struct shape *)med_graph_add_audio(graph, sizeof(*shape));
    shape->pad =
        (struct med_audio){.samples = source->samples, .pull = pull_shape, .skip = skip_shape, .close = close_shape};
    shape->source = source;
    shape->wanted = *wanted;
    shape->gain = (float)pow(10, wanted->gain_db / 20);
    return &shape->pad;
}

/* ---- ducking ---- */

struct duck {
    struct med_audio pad;
    struct med_audio *speech;
    struct med_audio *bed;
    double threshold_db;
    double slope; /* decibels less for each above the threshold */
    double floor_db;
    double attack; /* parts of the old value that are left after a step */
    double release;
    double smooth;
    double power;      /* mean square of the speech */
    double gain_db;    /* at the end of the step that is going on */
    float gain;        /* now */
    float gain_change; /* of a sample */
    int step_left;
    float block[BLOCK * 2];
};

static double left_after(double samples, double time_s) {
    return time_s > 0 ? exp(-samples / (time_s * MED_SAMPLE_RATE)) : 0;
}

/* Where the gain goes during the next step; the speech of that step is at hand. */
static void look(struct duck *duck, const float *speech, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        double value = isfinite(speech[i]) ? (double)speech[i] : 0;
        sum += value * value;
    }
    double mean = sum / (2 * (double)count);
    duck->power = mean + (duck->power - mean) * duck->smooth;
    double level_db = duck->power > 1e-12 ? 10 * log10(duck->power) : -120;
    double over_db = fmax(0, level_db - duck->threshold_db);
    double wanted_db = fmax(duck->floor_db, -over_db * duck->slope);
    double kept = wanted_db < duck->gain_db ? duck->attack : duck->release;
    duck->gain_db = wanted_db + (duck->gain_db - wanted_db) * kept;
    duck->gain_change = ((float)pow(10, duck->gain_db / 20) - duck->gain) / STEP;
    duck->step_left = STEP;
}

static enum cs_status pull_block(struct duck *duck, float *out, size_t count, struct cs_err *err) {
    CS_TRY(duck->speech->pull(duck->speech, out, count, err));
    CS_TRY(duck->bed->pull(duck->bed, duck->block, count, err));
    for (size_t i = 0; i < count; i++) {
        if (duck->step_left == 0) {
            look(duck, out + 2 * i, count - i < STEP ? count - i : STEP);
        }
        duck->gain += duck->gain_change;
        duck->step_left--;
        out[2 * i] += duck->block[2 * i] * duck->gain;
        out[2 * i + 1] += duck->block[2 * i + 1] * duck->gain;
    }
    return CS_OK;
}

static enum cs_status pull_duck(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct duck *duck = (struct duck *)self;
    while (count > 0) {
        size_t chunk = count < BLOCK ? count : BLOCK;
        CS_TRY(pull_block(duck, ret_stereo, chunk, err));
        ret_stereo += 2 * chunk;
        count -= chunk;
    }
    return CS_OK;
}

struct med_audio *med_duck(struct med_graph *graph, struct med_audio *speech, struct med_audio *bed,
                           const struct med_ducking *ducking) {
    struct duck *duck = (struct duck *)med_graph_add_audio(graph, sizeof(*duck));
    duck->pad = (struct med_audio){.samples = speech->samples, .pull = pull_duck};
    duck->speech = speech;
    duck->bed = bed;
    duck->threshold_db = ducking->threshold_db;
    duck->slope = 1 - 1 / ducking->ratio;
    duck->floor_db = ducking->floor_db;
    duck->attack = left_after(STEP, ducking->attack_ms / 1000);
    duck->release = left_after(STEP, ducking->release_ms / 1000);
    duck->smooth = left_after(STEP, rms_s);
    duck->gain = 1;
    return &duck->pad;
}
