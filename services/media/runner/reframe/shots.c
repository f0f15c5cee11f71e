#include "reframe/shots.h"

#include <stdlib.h>
#include <string.h>

#include "reframe/path.h"

enum { BINS = 32 };

static const double certain = 0.35;      /* of a difference from 0 to 1: a cut, if it is */
static const double certain_times = 2.5; /* that many times the usual one */
static const double likely = 0.16;
static const double likely_times = 8;
static const double same = 0.12; /* after a flash */
static const double usual_least = 0.01;
static const double memory = 0.9; /* of what is usual, per picture */
static const double points_full = 64;

void med_shots_init(struct med_shots *shots, int width, int height, int64_t flash_frames) {
    size_t size = (size_t)width * (size_t)height;
    *shots = (struct med_shots){.width = width, .height = height, .flash_frames = flash_frames, .usual = usual_least};
    shots->last = cs_alloc(size);
    shots->before = cs_alloc(size);
    struct med_cut first = {.before = -1, .at = 0};
    cs_buf_put(&shots->cuts, &first, sizeof(first));
}

double med_shots_difference(const uint8_t *a, const uint8_t *b, size_t size) {
    int bins[BINS] = {0};
    long points = 0;
    long moved = 0;
    for (size_t i = 0; i < size; i++) {
        points += abs(a[i] - b[i]);
        bins[a[i] * BINS / 256]++;
        bins[b[i] * BINS / 256]--;
    }
    for (int i = 0; i < BINS; i++) {
        moved += labs(bins[i]);
    }
    double apart = (double)points / (double)size / points_full;
    double spread = (double)moved / (double)size / 2;
    return 0.5 * (apart > 1 ? 1 : apart) + 0.5 * spread;
}

static void settle(struct med_shots *shots, bool cut) {
    if (cut && shots->cuts.size < MED_PATH_SHOTS_MAX * sizeof(struct med_cut)) {
        cs_buf_put(&shots->cuts, &shots->doubtful, sizeof(shots->doubtful));
    }
    shots->in_doubt = false;
}

static bool is_cut(const struct med_shots *shots, double change) {
    return (change > certain && change > certain_times * shots->usual) ||
           (change > likely && change > likely_times * shots->usual);
}

bool med_shots_look(struct med_shots *shots, const uint8_t *grey, int64_t frame) {
    size_t size = (size_t)shots->width * (size_t)shots->height;
    double change = shots->seen ? med_shots_difference(shots->last, grey, size) : 0;
    bool cut = shots->seen && is_cut(shots, change);
    if (shots->in_doubt && frame - shots->doubtful.at > shots->flash_frames) {
        settle(shots, true);
    }
    if (shots->in_doubt && med_shots_difference(shots->before, grey, size) < same) {
        settle(shots, false);
    } else if (cut && !shots->in_doubt) {
        memcpy(shots->before, shots->last, size);
        shots->doubtful = (struct med_cut){.before = shots->last_frame, .at = frame};
        shots->in_doubt = true;
    }
    if (!cut) {
        shots->usual = memory * shots->usual + (1 - memory) * change;
        shots->usual = shots->usual < usual_least ? usual_least : shots->usual;
    }
    memcpy(shots->last, grey, size);
    shots->seen = true;
    shots->last_frame = frame;
    return cut;
}

const struct med_cut *med_shots_end(struct med_shots *shots, size_t *ret_count) {
    if (shots->in_doubt) {
        settle(shots, true);
    }
    *ret_count = shots->cuts.size / sizeof(struct med_cut);
    return (const struct med_cut *)(const void *)shots->cuts.data;
}

void med_shots_fini(struct med_shots *shots) {
    free(shots->last);
    free(shots->before);
    cs_buf_fini(&shots->cuts);
}
