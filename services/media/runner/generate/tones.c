#include "generate/tones.h"

#include <math.h>

#include "graph/sound.h"
#include "graph/timeline.h"

enum {
    VOICES = 4,
    NOTES = 10,
    FADE_IN = MED_SAMPLE_RATE / 2,
    FADE_OUT = MED_SAMPLE_RATE,
};

struct voice {
    double frequency, detune, level, swell, phase, pan;
};

struct tones {
    struct med_audio pad;
    struct voice voices[VOICES];
    double notes[NOTES];
    double beat_s;
    int64_t given;
};

static double pitch(double root, int semitones) {
    return root * pow(2, semitones / 12.0);
}

static double chord(const struct tones *tones, double time, double side) {
    double sum = 0;
    for (int i = 0; i < VOICES; i++) {
        const struct voice *voice = &tones->voices[i];
        double swell = 0.6 + 0.4 * sin(voice->swell * time + voice->phase);
        double pan = 1 + side * voice->pan;
        double angle = 2 * M_PI * (voice->frequency + side * voice->detune) * time + voice->phase;
        sum += voice->level * swell * pan * (sin(angle) + 0.25 * sin(2 * angle) + 0.08 * sin(3 * angle));
    }
    return sum;
}

/* One note a beat, each dying away. */
static double pluck(const struct tones *tones, double time, double side) {
    int64_t beat = (int64_t)(time / tones->beat_s);
    double since = time - (double)beat * tones->beat_s;
    double frequency = tones->notes[beat % NOTES];
    if (frequency == 0) {
        return 0;
    }
    double attack = fmin(since / 0.008, 1);
    double angle = 2 * M_PI * frequency * since;
    double end = fmin((tones->beat_s - since) / 0.02, 1);
    double pan = 1 + side * 0.3 * sin(1.7 * (double)beat);
    return 0.030 * pan * attack * end * exp(-3.2 * since) * (sin(angle) + 0.3 * sin(2 * angle) * exp(-4 * since));
}

static enum cs_status pull(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct tones *tones = (struct tones *)self;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        double time = (double)(tones->given + (int64_t)i) / MED_SAMPLE_RATE;
        ret_stereo[2 * i] = (float)(chord(tones, time, -1) + pluck(tones, time, -1));
        ret_stereo[2 * i + 1] = (float)(chord(tones, time, 1) + pluck(tones, time, 1));
    }
    int64_t longest = tones->pad.samples / 3;
    med_sound_fade_head(ret_stereo, count, tones->given, FADE_IN < longest ? FADE_IN : longest);
    med_sound_fade_tail(ret_stereo, count, tones->given, tones->pad.samples, FADE_OUT < longest ? FADE_OUT : longest);
    tones->given += (int64_t)count;
    return CS_OK;
}

struct med_audio *med_tones(struct med_graph *graph, int64_t samples, struct med_seed seed) {
    static const int chords[][VOICES] = {{0, 7, 12, 16}, {0, 7, 12, 15}, {0, 5, 12, 16}, {0, 7, 14, 17}};
    static const int scale[] = {12, 14, 16, 19, 21, 24, 26, 28};
    struct tones *tones = (struct tones *)med_graph_add_audio(graph, sizeof(*tones));
    tones->pad = (struct med_audio){.samples = samples, .pull = pull};
    double root = pitch(110, (int)(med_seed_next(&seed) % 12));
    const int *steps = chords[med_seed_next(&seed) % (sizeof(chords) / sizeof(chords[0]))];
    for (int i = 0; i < VOICES; i++) {
        tones->voices[i] = (struct voice){
            .frequency = pitch(root, steps[i]),
            .detune = med_seed_range(&seed, 0.1, 0.5),
            .level = 0.022 / (1 + 0.35 * i),
            .swell = med_seed_range(&seed, 0.3, 1.1),
            .phase = med_seed_range(&seed, 0, 2 * M_PI),
            .pan = med_seed_range(&seed, -0.4, 0.4),
        };
    }
    tones->beat_s = med_seed_range(&seed, 0.42, 0.62);
    for (int i = 0; i < NOTES; i++) {
        bool rest = med_seed_next(&seed) % 3 == 0;
        tones->notes[i] = rest ? 0 : pitch(root, scale[med_seed_next(&seed) % (sizeof(scale) / sizeof(scale[0]))]);
    }
    return &tones->pad;
}
