#include "steady/steady.h"

#include <math.h>
#include <string.h>

#include "cs/base/auto.h"
#include "cs/base/mem.h"

static const double zoom_spare = 1.005; /* rounding shows no edge either */
static const double angle_max = 0.04;   /* radians */

/* ---- one value over one shot ---- */

struct lane {
    double *way;      /* where the camera was */
    double *smoothed; /* where it should have been */
    size_t count;
};

/* Means over a window that shrinks towards the ends, by running sums: evenly, so that ends stay where they are. */
static void average(const double *in, double *out, size_t count, size_t reach) {
    CS_AUTO_FREE double *sums = cs_alloc_array(count + 1, sizeof(double));
    for (size_t i = 0; i < count; i++) {
        sums[i + 1] = sums[i] + in[i];
    }
    for (size_t i = 0; i < count; i++) {
        size_t room = i < count - 1 - i ? i : count - 1 - i;
        size_t span = room < reach ? room : reach;
        out[i] = (sums[i + span + 1] - sums[i - span]) / (double)(2 * span + 1);
    }
}

/* Three times a mean is nearly a bell. */
static void smooth_lane(struct lane *lane, double smooth) {
    CS_AUTO_FREE double *between = cs_alloc_array(lane->count, sizeof(double));
    size_t reach = (size_t)fmax(1, smooth);
    average(lane->way, lane->smoothed, lane->count, reach);
    average(lane->smoothed, between, lane->count, reach);
    average(between, lane->smoothed, lane->count, reach);
}

static double *value_of(struct med_motion *motion, int lane) {
    return lane == 0 ? &motion->x : lane == 1 ? &motion->y : &motion->angle;
}

/* Motions become what the camera was off its smoothed way. */
static void smooth_shot(struct med_steady_step *steps, size_t count, double smooth) {
    CS_AUTO_FREE double *way = cs_alloc_array(count, sizeof(double));
    CS_AUTO_FREE double *smoothed = cs_alloc_array(count, sizeof(double));
    for (int lane = 0; lane < 3; lane++) {
        double at = 0;
        for (size_t i = 0; i < count; i++) {
            at += i == 0 ? 0 : *value_of(&steps[i].motion, lane);
            way[i] = at;
        }
        struct lane one = {way, smoothed, count};
        smooth_lane(&one, smooth);
        for (size_t i = 0; i < count; i++) {
            *value_of(&steps[i].motion, lane) = way[i] - smoothed[i];
        }
    }
}

/* ---- zoom ---- */

static double clamp(double value, double limit) {
    return value < -limit ? -limit : value > limit ? limit : value;
}

/* So that the moved picture still covers its frame. */
static double zoom_for(const struct med_motion *off, double half_width, double half_height) {
    double cosine = cos(off->angle);
    double sine = fabs(sin(off->angle));
    double across = (cosine * half_width + sine * half_height) / (half_width - fabs(off->x));
    double down = (cosine * half_height + sine * half_width) / (half_height - fabs(off->y));
    return fmax(across, down);
}

/* No more than the greatest zoom has room for. */
static void limit(struct med_motion *off, double half_width, double half_height) {
    double most = MED_STEADY_ZOOM_MAX / zoom_spare;
    off->x = clamp(off->x, half_width * 0.15);
    off->y = clamp(off->y, half_height * 0.15);
    off->angle = clamp(off->angle, angle_max);
    for (int i = 0; i < 16 && zoom_for(off, half_width, half_height) > most; i++) {
        off->x *= 0.9;
        off->y *= 0.9;
        off->angle *= 0.8;
    }
}

double med_steady_plan(struct med_steady_step *steps, size_t count, int width, int height, double smooth) {
    double zoom = 1;
    for (size_t first = 0; first < count;) {
        size_t end = first + 1;
        while (end < count && !steps[end].begins) {
            end++;
        }
        smooth_shot(steps + first, end - first, smooth);
        first = end;
    }
    for (size_t i = 0; i < count; i++) {
        limit(&steps[i].motion, width / 2.0, height / 2.0);
        zoom = fmax(zoom, zoom_for(&steps[i].motion, width / 2.0, height / 2.0));
    }
    return zoom * zoom_spare;
}
