/* Sound at another level. The limiter looks ahead: the gain that a peak needs is held down and smoothed over a window
 * that ends at the peak, so that it has all of it in time. */
#include <math.h>
#include <string.h>

#include "graph/loudness.h"
#include "graph/sound.h"
#include "graph/timeline.h"

enum {
    BLOCK = 1024,
    WINDOW = 240,  /* samples looked ahead: 5 ms */
    PHASES = 4,    /* places between two samples where a peak is looked for */
    TAPS = 12,     /* of each, for one place */
    CENTRE = 6,    /* samples of a place's taps that come after it */
    HISTORY = 512, /* a power of two above WINDOW + TAPS */
};

static const double release_s = 0.1;

struct level {
    struct med_audio pad;
    struct med_audio *source;
    float gain;
    bool limited;
    /* below: of the limiter. Sample n is at n % HISTORY. */
    float ceiling;
    int64_t *limited_samples;
    float taps[PHASES][TAPS];
    float harmless;     /* no curve through samples below it gets above the ceiling */
    int64_t loud_until; /* behind the last sample that is not, as long as taps reach it */
    float sound[HISTORY][2];
    double wanted[HISTORY]; /* gain that each sample needs */
    double held[WINDOW];    /* the lowest one of the window behind it, released slowly */
    double held_sum;
    double held_last;
    int64_t lowest[HISTORY]; /* samples of the window whose gain is below that of all later ones */
    size_t lowest_first, lowest_count;
    int64_t taken; /* samples put in */
    int64_t given;
    int64_t pulled;
    float block[BLOCK * 2];
    size_t block_used, block_size;
};

static size_t at(int64_t sample) {
    return (size_t)(sample & (HISTORY - 1));
}

/* A windowed sinc for each place between two samples. */
static void set_up_taps(struct level *level) {
    float reach = 1;
    for (int phase = 0; phase < PHASES; phase++) {
        float sum = 0;
        for (int tap = 0; tap < TAPS; tap++) {
            double x = tap - (TAPS - 1 - CENTRE) - (double)phase / PHASES;
            double sinc = x == 0 ? 1 : sin(M_PI * x) / (M_PI * x);
            double hann = 0.5 + 0.5 * cos(M_PI * x / (CENTRE + 1));
            level->taps[phase][tap] = (float)(sinc * hann);
            sum += fabsf(level->taps[phase][tap]);
        }
        reach = fmaxf(reach, sum);
    }
    level->harmless = level->ceiling / reach * 0.999F; /* sums of floats are rounded */
}

/* Of the curve from this sample to the next. */
static float peak_at(const struct level *level, int64_t sample) {
    float peak = 0;
    for (int phase = 0; phase < PHASES; phase++) {
        float left = 0;
        float right = 0;
        for (int tap = 0; tap < TAPS; tap++) {
            const float *stereo = level->sound[at(sample - (TAPS - 1 - CENTRE) + tap)];
            left += stereo[0] * level->taps[phase][tap];
            right += stereo[1] * level->taps[phase][tap];
        }
        peak = fmaxf(peak, fmaxf(fabsf(left), fabsf(right)));
    }
    return peak;
}

/* The lowest gain wanted by the last WINDOW samples up to this one. */
static double lowest_of_window(struct level *level, int64_t sample) {
    while (level->lowest_count > 0) {
        int64_t last = level->lowest[(level->lowest_first + level->lowest_count - 1) % HISTORY];
        if (level->wanted[at(last)] < level->wanted[at(sample)]) {
            break;
        }
        level->lowest_count--;
    }
    level->lowest[(level->lowest_first + level->lowest_count++) % HISTORY] = sample;
    if (level->lowest[level->lowest_first] <= sample - WINDOW) {
        level->lowest_first = (level->lowest_first + 1) % HISTORY;
        level->lowest_count--;
    }
    return level->wanted[at(level->lowest[level->lowest_first])];
}

/* All that sample `sample` means for the gain. */
static void follow(struct level *level, int64_t sample) {
    float peak = sample < level->loud_until ? peak_at(level, sample) : 0;
    level->wanted[at(sample)] = peak > level->ceiling ? (double)level->ceiling / (double)peak : 1;
    double released = level->held_last + (1 - level->held_last) / (release_s * MED_SAMPLE_RATE);
    level->held_last = fmin(released, lowest_of_window(level, sample));
    double *slot = &level->held[(size_t)(sample % WINDOW)];
    level->held_sum += level->held_last - *slot;
    *slot = level->held_last;
}

static enum cs_status next_sample(struct level *level, float *ret_stereo, struct cs_err *err) {
    if (level->block_used == level->block_size) {
        int64_t left = level->source->samples - level->pulled;
        level->block_size = BLOCK;
        level->block_used = 0;
        memset(level->block, 0, sizeof(level->block));
        size_t count = left < BLOCK ? (size_t)left : BLOCK;
        if (count > 0) {
            CS_TRY(level->source->pull(level->source, level->block, count, err));
        }
        level->pulled += (int64_t)count;
    }
    for (int side = 0; side < 2; side++) {
        float value = level->block[2 * level->block_used + (size_t)side] * level->gain;
        ret_stereo[side] = isfinite(value) ? value : 0;
    }
    if (fabsf(ret_stereo[0]) > level->harmless || fabsf(ret_stereo[1]) > level->harmless) {
        level->loud_until = level->taken + TAPS;
    }
    level->block_used++;
    return CS_OK;
}

static enum cs_status pull_limited(struct level *level, float *ret_stereo, size_t count, struct cs_err *err) {
    for (size_t i = 0; i < count;) {
        CS_TRY(next_sample(level, level->sound[at(level->taken)], err));
        int64_t known = level->taken++ - CENTRE; /* the latest sample whose taps are all there */
        if (known < 0) {
            continue;
        }
        follow(level, known);
        if (known < WINDOW - 1) {
            continue;
        }
        float gain = (float)(level->held_sum / WINDOW);
        if (gain < 0.999F && level->limited_samples != NULL) {
            ++*level->limited_samples;
        }
        const float *stereo = level->sound[at(level->given++)];
        ret_stereo[2 * i] = stereo[0] * gain;
        ret_stereo[2 * i + 1] = stereo[1] * gain;
        i++;
    }
    return CS_OK;
}

static enum cs_status pull(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct level *level = (struct level *)self;
    if (level->limited) {
        return pull_limited(level, ret_stereo, count, err);
    }
    CS_TRY(level->source->pull(level->source, ret_stereo, count, err));
    med_sound_scale(ret_stereo, count, level->gain);
    return CS_OK;
}

static float factor(double decibels) {
    return (float)pow(10, decibels / 20);
}

struct med_audio *med_level(struct med_graph *graph, struct med_audio *audio, const struct med_level *wanted) {
    struct level *level = (struct level *)med_graph_add_audio(graph, sizeof(*level));
    level->pad = (struct med_audio){.samples = audio->samples, .pull = pull};
    level->source = audio;
    level->gain = factor(wanted->gain_db);
    level->limited = wanted->limited;
    level->ceiling = factor(wanted->ceiling_db);
    level->limited_samples = wanted->limited_samples;
    level->held_last = 1;
    level->held_sum = WINDOW;
    for (size_t i = 0; i < WINDOW; i++) {
        level->held[i] = 1;
    }
    set_up_taps(level);
    return &level->pad;
}
