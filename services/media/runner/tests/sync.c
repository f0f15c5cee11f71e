#include "sync.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"

enum {
    HZ = 4000,
    WINDOW = HZ / 2,
    LAG_MAX = HZ / 5,
    STEP = HZ / 20, /* where windows may begin */
};

static const double reach_s = 0.25;       /* how far pictures are looked for */
static const double picture_noise = .001; /* of likeness, by the encoder; in flat pictures it is more: */
static const double flat_noise = .4;      /* … and by rounding, by this over the variance of the squares */
static const double sound_noise = .01;
static const double sound_sure = .6;
static const double sound_floor = 1e-4; /* what is softer is silence */

/* ---- reading ---- */

static void read_times(struct studio *studio, const char *command, double **ret_times, size_t *ret_count) {
    size_t capacity = 256;
    double *times = cs_arena_array(studio->arena, capacity, sizeof(*times));
    size_t count = 0;
    char line[4096];
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    while (fgets(line, sizeof(line), pipe) != NULL) {
        const char *found = strstr(line, " pts_time:");
        if (found == NULL) {
            continue;
        }
        if (count == capacity) {
            double *more = cs_arena_array(studio->arena, 2 * capacity, sizeof(*more));
            memcpy(more, times, count * sizeof(*more));
            times = more;
            capacity *= 2;
        }
        times[count++] = strtod(found + strlen(" pts_time:"), NULL);
    }
    if (pclose(pipe) != 0 || count == 0) {
        fail_msg("%s", command);
    }
    *ret_times = times;
    *ret_count = count;
}

/* Of the upper half: captions stand below. */
static void read_pictures(struct studio *studio, const char *path, const char *limit, const char *filter,
                          struct sync_film *film) {
    double *times = NULL;
    size_t size = 0;
    const char *command =
        cs_arena_sprintf(studio->arena,
                         "ffmpeg -nostdin -y -copyts %s -i '%s' -an -sn -dn -vsync 0 -vf "
                         "\"%scrop=iw:ih/2:0:0,scale=%d:%d:flags=area,format=gray,showinfo\" -f rawvideo '%s' 2>&1",
                         limit, path, filter, (int)SYNC_SIDE, (int)SYNC_SIDE, studio_path(studio, "sync.gray"));
    read_times(studio, command, &times, &film->count);
    film->pictures = (uint8_t *)studio_read(studio, "sync.gray", &size);
    assert_int_equal(size, film->count * SYNC_SQUARES);
    film->times = cs_arena_array(studio->arena, film->count + 1, sizeof(*film->times));
    memcpy(film->times, times, film->count * sizeof(*times));
    double last = film->count > 1 ? times[film->count - 1] - times[film->count - 2] : 0.1;
    film->times[film->count] = times[film->count - 1] + last;
}

static void read_sound(struct studio *studio, const char *path, const char *limit, struct sync_film *film) {
    size_t size = 0;
    const char *command = cs_arena_sprintf(
        studio->arena,
        "ffmpeg -nostdin -v quiet -y -copyts %s -i '%s' -vn -sn -dn -af "
        "'aresample=48000:async=1:min_hard_comp=0.01:first_pts=0,aformat=channel_layouts=mono,aresample=%d' "
        "-f f32le '%s'",
        limit, path, (int)HZ, studio_path(studio, "sync.f32"));
    if (system(command) != 0) {
        return; /* it has none */
    }
    film->sound = (float *)(void *)studio_read(studio, "sync.f32", &size);
    film->samples = size / sizeof(float);
}

struct sync_film sync_read(struct studio *studio, const char *path, double seconds, const char *filter) {
    struct sync_film film = {0};
    const char *limit = isinf(seconds) ? "" : cs_arena_sprintf(studio->arena, "-t %.3f", seconds);
    read_pictures(studio, path, limit, filter, &film);
    read_sound(studio, path, limit, &film);
    double first = film.times[0];
    for (size_t i = 0; i <= film.count; i++) {
        film.times[i] -= first;
    }
    size_t skipped = (size_t)llround(fmax(first, 0) * HZ);
    skipped = skipped < film.samples ? skipped : film.samples;
    film.sound = film.sound != NULL ? film.sound + skipped : NULL;
    film.samples -= skipped;
    return film;
}

/* ---- pictures ---- */

double sync_likeness(const uint8_t *a, const uint8_t *b) {
    double mean_a = 0;
    double mean_b = 0;
    double aa = 0;
    double bb = 0;
    double ab = 0;
    for (size_t i = 0; i < SYNC_SQUARES; i++) {
        mean_a += a[i] / (double)SYNC_SQUARES;
        mean_b += b[i] / (double)SYNC_SQUARES;
    }
    for (size_t i = 0; i < SYNC_SQUARES; i++) {
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
        ab += (a[i] - mean_a) * (b[i] - mean_b);
    }
    return aa < 4 * SYNC_SQUARES || bb < 4 * SYNC_SQUARES ? NAN : ab / sqrt(aa * bb);
}

/* Seconds from a moment to when a picture is shown; 0: it is shown then. */
static double distance(const struct sync_film *film, size_t picture, double at) {
    return fmax(0, fmax(film->times[picture] - at, at - film->times[picture + 1]));
}

static double variance(const uint8_t *picture) {
    double mean = 0;
    double sum = 0;
    for (size_t i = 0; i < SYNC_SQUARES; i++) {
        mean += picture[i] / (double)SYNC_SQUARES;
    }
    for (size_t i = 0; i < SYNC_SQUARES; i++) {
        sum += (picture[i] - mean) * (picture[i] - mean) / (double)SYNC_SQUARES;
    }
    return sum;
}

static double look_for(const uint8_t *picture, const struct sync_film *source, double at) {
    double noise = picture_noise + flat_noise / fmax(variance(picture), 1);
    double best = -1;
    double nearest = 0;
    for (int pass = 0; pass < 2; pass++) {
        nearest = INFINITY;
        for (size_t i = 0; i < source->count; i++) {
            double away = distance(source, i, at);
            double like = away <= reach_s ? sync_likeness(picture, source->pictures + i * SYNC_SQUARES) : -1;
            if (isnan(like)) {
                return 0;
            }
            best = fmax(best, like);
            nearest = like >= best - noise ? fmin(nearest, away) : nearest;
        }
    }
    return nearest;
}

double sync_pictures(const struct sync_film *output, const struct sync_film *source, struct sync_part part) {
    enum { LOOKED_AT = 48 };
    double worst = 0;
    size_t first = 0;
    size_t end = 0;
    for (size_t i = 0; i < output->count; i++) {
        first = output->times[i] < part.at - 1e-3 ? i + 1 : first;
        end = output->times[i] < part.at + part.seconds - 1e-3 ? i + 1 : end;
    }
    size_t step = end > first + LOOKED_AT ? (end - first) / LOOKED_AT : 1;
    for (size_t i = first; i < end; i += step) {
        double at = output->times[i] - part.at + part.from;
        worst = fmax(worst, look_for(output->pictures + i * SYNC_SQUARES, source, at));
    }
    return worst;
}

/* ---- sound ---- */

static double energy(const float *samples, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)samples[i] * samples[i];
    }
    return sum;
}

static double product(const float *a, const float *b, long count) {
    double sum = 0;
    for (long i = 0; i < count; i++) {
        sum += (double)a[i] * b[i];
    }
    return sum;
}

/* How alike the sounds are for each lag; -1 where the source has none. Returns the best. */
static double likes_of(const float *heard, const struct sync_film *source, long from, long window,
                       double ret_likes[2 * LAG_MAX + 1]) {
    double own = product(heard, heard, window);
    double best = 0;
    double other = -1; /* energy of the source's window, which slides */
    for (long lag = -LAG_MAX; lag <= LAG_MAX; lag++) {
        const float *at = source->sound + (from - lag);
        ret_likes[lag + LAG_MAX] = -1;
        if (from - lag < 0 || from - lag + window > (long)source->samples) {
            other = -1;
            continue;
        }
        other = other < 0 ? product(at, at, window) : other + (double)at[0] * at[0] - (double)at[window] * at[window];
        double size = sqrt(own * fmax(other, 0));
        ret_likes[lag + LAG_MAX] = size > 0 ? product(heard, at, window) / size : 0;
        best = fmax(best, ret_likes[lag + LAG_MAX]);
    }
    return best;
}

/* Of a window of the output at `at`, which the source has at `from`. */
static double lag_of(const struct sync_film *output, const struct sync_film *source, long at, long from, long window) {
    double likes[2 * LAG_MAX + 1];
    double best = likes_of(output->sound + at, source, from, window, likes);
    if (best < sound_sure) {
        return NAN;
    }
    for (long lag = 0;; lag++) {
        if (likes[LAG_MAX + lag] >= best - sound_noise) {
            return (double)lag / HZ;
        }
        if (likes[LAG_MAX - lag] >= best - sound_noise) {
            return (double)-lag / HZ;
        }
    }
}

/* The loudest window between two moments of the part. */
static double lag_between(const struct sync_film *output, const struct sync_film *source, struct sync_part part,
                          double begin, double end) {
    long window = lround(fmin(WINDOW, (end - begin) * HZ));
    long loudest = -1;
    double most = sound_floor * sound_floor * (double)window;
    for (long at = lround((part.at + begin) * HZ); at + window <= lround((part.at + end) * HZ); at += STEP) {
        if (at + window > (long)output->samples) {
            break;
        }
        double size = energy(output->sound + at, (size_t)window);
        loudest = size > most ? at : loudest;
        most = fmax(size, most);
    }
    if (loudest < 0) {
        return NAN;
    }
    return lag_of(output, source, loudest, loudest + lround((part.from - part.at) * HZ), window);
}

void sync_sound(const struct sync_film *output, const struct sync_film *source, struct sync_part part,
                double *ret_begin, double *ret_end) {
    *ret_begin = NAN;
    *ret_end = NAN;
    if (output->sound != NULL && source->sound != NULL) {
        double edge = fmin(part.seconds / 2, 10);
        *ret_begin = lag_between(output, source, part, 0, edge);
        *ret_end = lag_between(output, source, part, part.seconds - edge, part.seconds);
    }
}
