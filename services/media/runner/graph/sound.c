#include "graph/sound.h"

#include <math.h>
#include <string.h>

/* ---- levels ---- */

void med_sound_scale(float *stereo, size_t count, float volume) {
    if (volume == 1) {
        return;
    }
    for (size_t i = 0; i < count * 2; i++) {
        stereo[i] *= volume;
    }
}

void med_sound_fade_tail(float *stereo, size_t count, int64_t from, int64_t total, int64_t fade_samples) {
    for (size_t i = 0; i < count; i++) {
        int64_t left = total - (from + (int64_t)i);
        if (left <= fade_samples) {
            float gain = left > 0 ? (float)left / (float)(fade_samples + 1) : 0;
            stereo[2 * i] *= gain;
            stereo[2 * i + 1] *= gain;
        }
    }
}

void med_sound_fade_head(float *stereo, size_t count, int64_t from, int64_t fade_samples) {
    for (size_t i = 0; i < count && from + (int64_t)i < fade_samples; i++) {
        float gain = (float)(from + (int64_t)i + 1) / (float)(fade_samples + 1);
        stereo[2 * i] *= gain;
        stereo[2 * i + 1] *= gain;
    }
}

/* ---- silence ---- */

static enum cs_status pull_silence(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    (void)self, (void)err;
    memset(ret_stereo, 0, count * 2 * sizeof(float));
    return CS_OK;
}

struct med_audio *med_sound_silence(struct med_graph *graph, int64_t samples) {
    struct med_audio *node = med_graph_add_audio(graph, sizeof(*node));
    *node = (struct med_audio){.samples = samples, .pull = pull_silence};
    return node;
}

/* ---- joins ---- */

enum { SCRATCH = 4096 };

struct join {
    struct med_audio pad;
    const struct med_sound_part *parts;
    size_t count;
    size_t first; /* the earliest part that still sounds */
    int64_t given;
    float *scratch;
};

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* How loud a part is in an overlap, `at` samples into its fade: in or out. */
static float level_at(int64_t at, int64_t fade, bool in, bool equal_power) {
    int64_t step = in ? at + 1 : fade - at;
    if (step <= 0 || step > fade) {
        return step <= 0 ? 0 : 1;
    }
    float share = (float)step / (float)(fade + 1);
    return equal_power ? sinf((float)M_PI_2 * share) : share;
}

/* Fades in or out over the overlap that begins at sample `begin` of the part; stereo holds what is from `from` on. */
static void shape_overlap(const struct med_sound_part *join, float *stereo, size_t count, int64_t from, int64_t begin,
                          bool in) {
    int64_t fade = join->fade > 0 ? smaller(join->fade, join->overlap) : join->overlap;
    int64_t fade_begin = begin + (join->overlap - fade) / 2;
    int64_t first = begin > from ? begin - from : 0;
    int64_t last = smaller((int64_t)count, begin + join->overlap - from);
    for (int64_t i = first; i < last; i++) {
        float level = level_at(from + i - fade_begin, fade, in, join->equal_power);
        stereo[2 * i] *= level;
        stereo[2 * i + 1] *= level;
    }
}

/* Parts fade in over the overlap with the one before and out over the one with the next. */
static void shape(const struct join *join, size_t index, float *stereo, size_t count, int64_t from) {
    const struct med_sound_part *part = &join->parts[index];
    if (index > 0) {
        shape_overlap(part - 1, stereo, count, from, 0, true);
    }
    shape_overlap(part, stereo, count, from, part->audio->samples - part->overlap, false);
}

static enum cs_status add_part(struct join *join, size_t index, float *out, size_t count, struct cs_err *err) {
    const struct med_sound_part *part = &join->parts[index];
    int64_t end = part->start + part->audio->samples;
    int64_t from = part->start > join->given ? part->start : join->given;
    int64_t until = smaller(end, join->given + (int64_t)count);
    if (until <= from) {
        return CS_OK;
    }
    size_t length = (size_t)(until - from);
    CS_TRY(part->audio->pull(part->audio, join->scratch, length, err));
    shape(join, index, join->scratch, length, from - part->start);
    float *target = out + 2 * (from - join->given);
    for (size_t i = 0; i < length * 2; i++) {
        target[i] += join->scratch[i];
    }
    if (until == end && part->audio->close != NULL) {
        part->audio->close(part->audio);
    }
    return CS_OK;
}

static enum cs_status pull_join(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct join *join = (struct join *)self;
    while (count > 0) {
        size_t chunk = count < SCRATCH ? count : SCRATCH;
        memset(ret_stereo, 0, chunk * 2 * sizeof(float));
        for (size_t i = join->first; i < join->count && join->parts[i].start < join->given + (int64_t)chunk; i++) {
            CS_TRY(add_part(join, i, ret_stereo, chunk, err));
        }
        join->given += (int64_t)chunk;
        while (join->first < join->count &&
               join->parts[join->first].start + join->parts[join->first].audio->samples <= join->given) {
            join->first++;
        }
        ret_stereo += 2 * chunk;
        count -= chunk;
    }
    return CS_OK;
}

struct med_audio *med_sound_join(struct med_graph *graph, const struct med_sound_part *parts, size_t count,
                                 int64_t samples) {
    struct join *join = (struct join *)med_graph_add_audio(graph, sizeof(*join));
    join->pad = (struct med_audio){.samples = samples, .pull = pull_join};
    join->parts = cs_arena_copy(graph->arena, parts, count * sizeof(*parts));
    join->count = count;
    join->scratch = cs_arena_array(graph->arena, SCRATCH * 2, sizeof(float));
    return &join->pad;
}

/* ---- mixes ---- */

struct mix {
    struct med_audio pad;
    struct med_audio *base;
    const struct med_sound_part *layers;
    size_t count;
    int64_t given;
    float *scratch;
};

static enum cs_status add_layer(struct mix *mix, const struct med_sound_part *layer, float *out, size_t count,
                                struct cs_err *err) {
    int64_t from = layer->start > mix->given ? layer->start : mix->given;
    int64_t until = smaller(layer->start + layer->audio->samples, mix->given + (int64_t)count);
    if (until <= from) {
        return CS_OK;
    }
    size_t length = (size_t)(until - from);
    CS_TRY(layer->audio->pull(layer->audio, mix->scratch, length, err));
    float *target = out + 2 * (from - mix->given);
    for (size_t i = 0; i < length * 2; i++) {
        target[i] += mix->scratch[i];
    }
    return CS_OK;
}

static enum cs_status pull_mix(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct mix *mix = (struct mix *)self;
    while (count > 0) {
        size_t chunk = count < SCRATCH ? count : SCRATCH;
        CS_TRY(mix->base->pull(mix->base, ret_stereo, chunk, err));
        for (size_t i = 0; i < mix->count; i++) {
            CS_TRY(add_layer(mix, &mix->layers[i], ret_stereo, chunk, err));
        }
        mix->given += (int64_t)chunk;
        ret_stereo += 2 * chunk;
        count -= chunk;
    }
    return CS_OK;
}

struct med_audio *med_sound_mix(struct med_graph *graph, struct med_audio *base, const struct med_sound_part *layers,
                                size_t count) {
    struct mix *mix = (struct mix *)med_graph_add_audio(graph, sizeof(*mix));
    mix->pad = (struct med_audio){.samples = base->samples, .pull = pull_mix};
    mix->base = base;
    mix->layers = cs_arena_copy(graph->arena, layers, count * sizeof(*layers));
    mix->count = count;
    mix->scratch = cs_arena_array(graph->arena, SCRATCH * 2, sizeof(float));
    return &mix->pad;
}
