#include "graph/room_tone.h"

#include <math.h>
#include <string.h>

#include "graph/timeline.h"

enum {
    WINDOW = MED_SAMPLE_RATE / 100,
    TONE_WINDOWS = 50,
    TONE = TONE_WINDOWS * WINDOW,
    FADE = MED_SAMPLE_RATE / 20, /* of each repetition */
    LOOP = TONE - FADE,
};

static const double silence_energy = 1e-10; /* of a sample: -100 dB is digital silence */

struct med_room_tone {
    struct med_audio *recording;
    bool found;
    float *loop; /* LOOP stereo samples that may follow themselves; all 0 when it is never quiet */
};

/* The latest TONE samples, and how loud their windows are. */
struct scan {
    float *samples;
    double energies[TONE_WINDOWS];
    int64_t windows; /* read so far */
    double quietest;
};

struct room_tone {
    struct med_audio pad;
    struct med_room_tone *tone;
    int64_t given;
};

static double energy_of(const float *stereo) {
    double energy = 0;
    for (size_t i = 0; i < 2 * (size_t)WINDOW; i++) {
        energy += (double)stereo[i] * (double)stereo[i];
    }
    return energy / (2 * WINDOW);
}

/* A stretch is as loud as its loudest window: a cough does not average out. */
static bool is_quieter(struct scan *scan) {
    double loudest = 0;
    for (int i = 0; i < TONE_WINDOWS; i++) {
        if (scan->energies[i] < silence_energy) {
            return false;
        }
        loudest = fmax(loudest, scan->energies[i]);
    }
    bool quieter = loudest < scan->quietest;
    scan->quietest = quieter ? loudest : scan->quietest;
    return quieter;
}

/* The end of the stretch leads into its begin. */
static void take_loop(const struct scan *scan, float *loop) {
    size_t oldest = (size_t)(scan->windows % TONE_WINDOWS) * WINDOW;
    for (size_t i = 0; i < LOOP; i++) {
        const float *at = scan->samples + 2 * ((oldest + FADE + i) % TONE);
        loop[2 * i] = at[0];
        loop[2 * i + 1] = at[1];
    }
    for (size_t i = 0; i < FADE; i++) {
        const float *lead = scan->samples + 2 * ((oldest + i) % TONE);
        float *at = loop + 2 * (LOOP - FADE + i);
        float in = sinf((float)M_PI_2 * (float)(i + 1) / (FADE + 1));
        float out = cosf((float)M_PI_2 * (float)(i + 1) / (FADE + 1));
        at[0] = at[0] * out + lead[0] * in;
        at[1] = at[1] * out + lead[1] * in;
    }
}

static enum cs_status find(struct med_room_tone *tone, struct cs_err *err) {
    CS_AUTO_FREE float *samples = cs_alloc_array((size_t)TONE * 2, sizeof(float));
    struct scan scan = {.samples = samples, .quietest = INFINITY};
    struct med_audio *recording = tone->recording;
    int64_t count = recording->samples / WINDOW;
    while (scan.windows < count) {
        size_t slot = (size_t)(scan.windows % TONE_WINDOWS);
        float *window = samples + 2 * slot * WINDOW;
        CS_TRY(recording->pull(recording, window, WINDOW, err));
        scan.energies[slot] = energy_of(window);
        scan.windows++;
        if (scan.windows >= TONE_WINDOWS && is_quieter(&scan)) {
            take_loop(&scan, tone->loop);
        }
    }
    if (recording->close != NULL) {
        recording->close(recording);
    }
    tone->found = true;
    return CS_OK;
}

struct med_room_tone *med_room_tone_of(struct med_graph *graph, struct med_audio *recording) {
    struct med_room_tone *tone = cs_arena_alloc(graph->arena, sizeof(*tone));
    *tone = (struct med_room_tone){.recording = recording,
                                   .loop = cs_arena_array(graph->arena, (size_t)LOOP * 2, sizeof(float))};
    return tone;
}

static enum cs_status pull(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct room_tone *node = (struct room_tone *)self;
    if (!node->tone->found) {
        CS_TRY(find(node->tone, err));
    }
    while (count > 0) {
        size_t at = (size_t)(node->given % LOOP);
        size_t have = LOOP - at < count ? LOOP - at : count;
        memcpy(ret_stereo, node->tone->loop + 2 * at, have * 2 * sizeof(float));
        ret_stereo += 2 * have;
        node->given += (int64_t)have;
        count -= have;
    }
    return CS_OK;
}

struct med_audio *med_room_tone_audio(struct med_graph *graph, struct med_room_tone *tone, int64_t samples) {
    struct room_tone *node = (struct room_tone *)med_graph_add_audio(graph, sizeof(*node));
    node->pad = (struct med_audio){.samples = samples, .pull = pull};
    node->tone = tone;
    return &node->pad;
}
