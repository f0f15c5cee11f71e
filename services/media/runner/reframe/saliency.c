#include "reframe/saliency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float noise = 5; /* a difference that is none */
static const float plain = 8; /* what moves counts even without detail */
static const float detail_most = 64;
static const float middle = 0.3F;     /* how much less the edges count */
static const float stillness = 1e-3F; /* detail without motion, beside motion */
static const float fading = 0.5F;     /* of what was seen in the sample before */

static int along(const struct med_saliency *saliency) {
    return saliency->down ? saliency->height : saliency->width;
}

static float mean_change(const uint8_t *now, const uint8_t *before, int size) {
    long sum = 0;
    for (int i = 0; i < size; i++) {
        sum += abs(now[i] - before[i]);
    }
    return (float)sum / (float)size;
}

static float detail_at(const uint8_t *point, int stride) {
    float detail = (float)(abs(point[1] - point[-1]) + abs(point[stride] - point[-stride]));
    return detail < detail_most ? detail : detail_most;
}

/* Adds up what is seen, across the axis. */
static void add_up(const struct med_saliency *saliency, const uint8_t *now, const uint8_t *before, float *motion,
                   float *detail) {
    int width = saliency->width;
    float usual = before == NULL ? 0 : mean_change(now, before, width * saliency->height);
    for (int y = 1; y + 1 < saliency->height; y++) {
        for (int x = 1; x + 1 < width; x++) {
            int at = y * width + x;
            int line = saliency->down ? y : x;
            float edge = detail_at(now + at, width);
            float moved = before == NULL ? 0 : fabsf((float)(now[at] - before[at])) - noise - usual;
            motion[line] += moved > 0 ? moved * (plain + edge) : 0;
            detail[line] += edge;
        }
    }
}

static float middleness(int line, int lines, float strength) {
    float off = 2 * ((float)line + 0.5F) / (float)lines - 1;
    return 1 - strength * off * off;
}

/* How much the window sees with its centre there; its edges count less than its middle. */
static float seen_from(const float *profile, int lines, float centre, float half, float *ret_moment) {
    float sum = 0;
    float moment = 0;
    int first = (int)ceilf(centre - half);
    int last = (int)floorf(centre + half);
    for (int i = first < 0 ? 0 : first; i <= last && i < lines; i++) {
        float off = ((float)i - centre) / half;
        float value = profile[i] * (1 - off * off);
        sum += value;
        moment += value * (float)i;
    }
    *ret_moment = moment;
    return sum;
}

/* The centre that sees most, then drawn to the middle of what it sees. */
static float best_centre(const float *profile, int lines, float half) {
    float best = (float)(lines - 1) / 2;
    float moment = 0;
    float most = seen_from(profile, lines, best, half, &moment);
    for (int i = 0; i < lines; i++) {
        float seen = seen_from(profile, lines, (float)i, half, &moment);
        if (seen > most * 1.0001F) {
            most = seen;
            best = (float)i;
        }
    }
    for (int i = 0; i < 4; i++) {
        float seen = seen_from(profile, lines, best, half, &moment);
        best = seen > 0 ? moment / seen : best;
    }
    return best;
}

struct med_sight med_saliency_look(struct med_saliency *saliency, const uint8_t *now, const uint8_t *before,
                                   int64_t frame) {
    float motion[MED_MAP_SIDE_MAX] = {0};
    float detail[MED_MAP_SIDE_MAX] = {0};
    int lines = along(saliency);
    float half = (float)(saliency->share * lines / 2);
    float weight = 0;
    if (before == NULL) {
        memset(saliency->lately, 0, sizeof(saliency->lately));
    }
    add_up(saliency, now, before, motion, detail);
    for (int i = 0; i < lines; i++) {
        saliency->lately[i] = fading * saliency->lately[i] + motion[i];
        motion[i] =
            saliency->lately[i] * middleness(i, lines, middle) + stillness * detail[i] * middleness(i, lines, 1);
        weight += motion[i];
    }
    float centre = best_centre(motion, lines, half < 1 ? 1 : half);
    return (struct med_sight){.frame = frame, .at = (centre + 0.5F) / (float)lines, .weight = weight};
}
