#include "reframe/camera.h"

#include <math.h>
#include <stdlib.h>

#include "cs/base/auto.h"

static const double rest_share = 0.35;  /* of the window: things that stray less let it rest */
static const double stray_share = 0.05; /* of the weight: what strays further is an exception */
static const double pan_least = 0.35;   /* of the window */
static const double pan_error = 0.12;
static const double smooth_s = 0.5;
static const double ahead_s = 0.25;
static const double settle_s = 0.35;
static const double key_error = 1; /* pixels that a keyframe may be left out for, at first */

/* One shot along the one axis on which the window can move. */
struct track {
    const struct med_sight *sights;
    size_t count;
    double rate; /* frames a second */
    double side; /* of the picture, pixels */
    double window;
    double *at;   /* of the window's corner, one per sight */
    double error; /* pixels that a keyframe may be left out for */
};

static double frame_of(const struct track *track, size_t i) {
    return (double)track->sights[i].frame;
}

static double clamp(double value, double low, double high) {
    return value < low ? low : value > high ? high : value;
}

static double corner_of(const struct track *track, size_t i) {
    return clamp((double)track->sights[i].at * track->side - track->window / 2, 0, track->side - track->window);
}

/* ---- rest ---- */

struct weighed {
    double at;
    double weight;
};

static int by_place(const void *a, const void *b) {
    double x = ((const struct weighed *)a)->at;
    double y = ((const struct weighed *)b)->at;
    return (x > y) - (x < y);
}

/* The place that this share of the weight lies before. */
static double place_of(const struct weighed *sorted, size_t count, double share) {
    double total = 0;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        total += sorted[i].weight;
    }
    for (size_t i = 0; i < count; i++) {
        sum += sorted[i].weight;
        if (sum >= share * total) {
            return sorted[i].at;
        }
    }
    return sorted[count - 1].at;
}

static bool may_rest(const struct track *track, double *ret_at) {
    CS_AUTO_FREE struct weighed *sorted = cs_alloc_array(track->count, sizeof(*sorted));
    for (size_t i = 0; i < track->count; i++) {
        sorted[i] = (struct weighed){corner_of(track, i), (double)track->sights[i].weight};
    }
    qsort(sorted, track->count, sizeof(*sorted), by_place);
    double low = place_of(sorted, track->count, stray_share);
    double high = place_of(sorted, track->count, 1 - stray_share);
    *ret_at = (low + high) / 2;
    return high - low <= rest_share * track->window;
}

/* ---- pan ---- */

/* The straight line through what was seen, by weight. */
static bool fit_line(const struct track *track, double *ret_start, double *ret_slope) {
    double w = 0, t = 0, x = 0, tt = 0, tx = 0;
    double origin = frame_of(track, 0);
    for (size_t i = 0; i < track->count; i++) {
        double weight = (double)track->sights[i].weight;
        double time = frame_of(track, i) - origin;
        w += weight;
        t += weight * time;
        x += weight * corner_of(track, i);
        tt += weight * time * time;
        tx += weight * time * corner_of(track, i);
    }
    double spread = w * tt - t * t;
    if (!(spread > 1e-9 * w * w)) {
        return false;
    }
    *ret_slope = (w * tx - t * x) / spread;
    *ret_start = (x - *ret_slope * t) / w;
    return true;
}

static bool may_pan(const struct track *track, double *ret_from, double *ret_to) {
    double slope = 0;
    double error = 0;
    double weight = 0;
    if (track->count < 3 || !fit_line(track, ret_from, &slope)) {
        return false;
    }
    double most = track->side - track->window;
    double span = frame_of(track, track->count - 1) - frame_of(track, 0);
    *ret_to = clamp(*ret_from + slope * span, 0, most);
    *ret_from = clamp(*ret_from, 0, most);
    slope = (*ret_to - *ret_from) / span;
    for (size_t i = 0; i < track->count; i++) {
        double line = *ret_from + slope * (frame_of(track, i) - frame_of(track, 0));
        error += (double)track->sights[i].weight * fabs(corner_of(track, i) - line);
        weight += (double)track->sights[i].weight;
    }
    return fabs(slope) * track->rate <= MED_CAMERA_SPEED * track->window &&
           fabs(*ret_to - *ret_from) >= pan_least * track->window && error <= pan_error * track->window * weight;
}

/* ---- follow ---- */

/* What was seen around that time, by weight. */
static double smoothed(const struct track *track, double frame, size_t *from) {
    double sum = 0;
    double weight = 0;
    double reach = smooth_s * track->rate;
    while (*from + 1 < track->count && frame_of(track, *from) < frame - reach) {
        (*from)++;
    }
    for (size_t i = *from; i < track->count && frame_of(track, i) <= frame + reach; i++) {
        double off = (frame_of(track, i) - frame) / reach;
        double share = ((double)track->sights[i].weight + 1e-6) * (1.001 - off * off);
        sum += share * corner_of(track, i);
        weight += share;
    }
    return weight > 0 ? sum / weight : corner_of(track, *from);
}

/* Towards its goal, as fast as it may and so that it can still stop there. */
static void follow(struct track *track) {
    const double speed_most = MED_CAMERA_SPEED * track->window;
    const double push_most = MED_CAMERA_PUSH * track->window;
    size_t from = 0;
    double speed = 0;
    double at = smoothed(track, frame_of(track, 0), &from);
    track->at[0] = at;
    for (size_t i = 1; i < track->count; i++) {
        double time = (frame_of(track, i) - frame_of(track, i - 1)) / track->rate;
        double way = smoothed(track, frame_of(track, i) + ahead_s * track->rate, &from) - at;
        double most = fmin(speed_most, sqrt(2 * push_most * fabs(way)));
        double wanted = clamp(way / settle_s, -most, most);
        speed += clamp(wanted - speed, -push_most * time, push_most * time);
        at += speed * time;
        track->at[i] = at = clamp(at, 0, track->side - track->window);
    }
}

/* ---- keyframes ---- */

static double off_line(const struct track *track, size_t first, size_t last, size_t i) {
    double share = (frame_of(track, i) - frame_of(track, first)) / (frame_of(track, last) - frame_of(track, first));
    return fabs(track->at[i] - (track->at[first] + share * (track->at[last] - track->at[first])));
}

/* Marks those that cannot be left out: by halves, without recursion. */
static void mark_keys(const struct track *track, bool *wanted) {
    CS_AUTO_FREE size_t *ends = cs_alloc_array(track->count, sizeof(size_t));
    size_t depth = 0;
    size_t first = 0;
    wanted[0] = wanted[track->count - 1] = true;
    ends[depth++] = track->count - 1;
    while (depth > 0) {
        size_t last = ends[depth - 1];
        size_t worst = first;
        double most = track->error;
        for (size_t i = first + 1; i < last; i++) {
            double off = off_line(track, first, last, i);
            if (off > most) {
                most = off;
                worst = i;
            }
        }
        if (worst == first) {
            first = last;
            depth--;
        } else {
            wanted[worst] = true;
            ends[depth++] = worst;
        }
    }
}

static struct med_path_key key_at(const struct med_path *path, int64_t frame, double at) {
    bool down = path->window_height < path->height;
    int most = down ? path->height - path->window_height : path->width - path->window_width;
    int place = (int)clamp(round(at), 0, most);
    return (struct med_path_key){.frame = frame, .x = down ? 0 : place, .y = down ? place : 0};
}

static void take_keys(const struct med_path *path, const struct track *track, struct med_path_shot *shot,
                      struct cs_arena *arena) {
    CS_AUTO_FREE bool *wanted = cs_alloc(track->count * sizeof(bool));
    mark_keys(track, wanted);
    for (size_t i = 0; i < track->count; i++) {
        shot->key_count += wanted[i];
    }
    shot->keys = cs_arena_array(arena, shot->key_count, sizeof(*shot->keys));
    shot->key_count = 0;
    for (size_t i = 0; i < track->count; i++) {
        if (wanted[i]) {
            shot->keys[shot->key_count++] = key_at(path, track->sights[i].frame, track->at[i]);
        }
    }
}

/* ---- shots ---- */

static void shoot(const struct med_path *path, struct track *track, struct med_path_shot *shot,
                  struct cs_arena *arena) {
    double from = (track->side - track->window) / 2;
    double to = 0;
    shot->keys = cs_arena_array(arena, 2, sizeof(*shot->keys));
    shot->key_count = 1;
    if (track->count == 0 || may_rest(track, &from)) {
        shot->camera = MED_CAMERA_STATIONARY;
        shot->keys[0] = key_at(path, shot->start, from);
    } else if (may_pan(track, &from, &to)) {
        shot->camera = MED_CAMERA_PAN;
        shot->keys[0] = key_at(path, track->sights[0].frame, from);
        shot->keys[1] = key_at(path, track->sights[track->count - 1].frame, to);
        shot->key_count = 2;
    } else {
        CS_AUTO_FREE double *at = cs_alloc_array(track->count, sizeof(double));
        shot->camera = MED_CAMERA_TRACK;
        shot->key_count = 0;
        track->at = at;
        follow(track);
        take_keys(path, track, shot, arena);
    }
}

static size_t shoot_all(struct med_path *path, const struct med_sight *sights, size_t sight_count,
                        const struct med_cut *cuts, size_t cut_count, double error, struct cs_arena *arena) {
    bool down = path->window_height < path->height;
    size_t next = 0;
    size_t keys = 0;
    path->shot_count = 0;
    for (size_t i = 0; i < cut_count && cuts[i].at < path->frames; i++) {
        int64_t end = i + 1 < cut_count && cuts[i + 1].at < path->frames ? cuts[i + 1].at : path->frames;
        size_t first = next;
        while (next < sight_count && sights[next].frame < end) {
            next++;
        }
        struct track track = {
            .sights = sights + first,
            .count = next - first,
            .rate = (double)path->rate_num / path->rate_den,
            .side = down ? path->height : path->width,
            .window = down ? path->window_height : path->window_width,
            .error = error,
        };
        struct med_path_shot *shot = &path->shots[path->shot_count++];
        shot->start = cuts[i].at;
        shoot(path, &track, shot, arena);
        keys += shot->key_count;
    }
    return keys;
}

void med_camera_shoot(struct med_path *path, const struct med_sight *sights, size_t sight_count,
                      const struct med_cut *cuts, size_t cut_count, struct cs_arena *arena) {
    path->shots = cs_arena_array(arena, cut_count, sizeof(*path->shots));
    double error = key_error;
    while (shoot_all(path, sights, sight_count, cuts, cut_count, error, arena) > MED_PATH_KEYS_MAX) {
        error *= 2;
    }
}
