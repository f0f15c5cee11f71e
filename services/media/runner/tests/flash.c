#include "flash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"

enum {
    HZ = 48000,
    REACH = HZ * 2 / 5, /* how far from its flash a sound is looked for */
    BRIGHT = 100,       /* the mean of a white frame is beyond it */
};

static const double tone_hz = 1000;
static const double tone_level = 0.7;
static const double heard_level = 0.05; /* what is softer everywhere is no sound */

/* ---- making ---- */

static struct flash_film with_defaults(const struct flash_film *film) {
    struct flash_film whole = *film;
    whole.rate_num = whole.rate_num == 0 ? 30 : whole.rate_num;
    whole.rate_den = whole.rate_den == 0 ? 1 : whole.rate_den;
    whole.width = whole.width == 0 ? 160 : whole.width;
    whole.height = whole.height == 0 ? 120 : whole.height;
    whole.frames = whole.frames == 0 ? 4 * whole.rate_num / whole.rate_den : whole.frames;
    whole.flash_frames = whole.flash_frames == 0 ? FLASH_FRAMES : whole.flash_frames;
    whole.encode = whole.encode == NULL ? "" : whole.encode;
    return whole;
}

static double frames_per_s(const struct flash_film *film) {
    return (double)film->rate_num / film->rate_den;
}

static bool is_bright(const struct flash_film *film, int64_t frame) {
    double rate = frames_per_s(film);
    int64_t second = (int64_t)floor((double)frame / rate);
    int64_t first = llround(((double)second + 0.5) * rate);
    return frame >= first && frame < first + film->flash_frames;
}

static int64_t sample_of(const struct flash_film *film, int64_t frame) {
    return llround((double)frame * HZ / frames_per_s(film));
}

static const char *write_sound(struct studio *studio, const char *name, const struct flash_film *film) {
    size_t count = (size_t)sample_of(film, film->frames);
    CS_AUTO_FREE float *sound = calloc(count + 1, sizeof(float));
    assert_non_null(sound);
    for (int64_t frame = 0; frame < film->frames; frame++) {
        int64_t end = sample_of(film, frame + 1);
        for (int64_t i = sample_of(film, frame); is_bright(film, frame) && i < end; i++) {
            sound[i] = (float)(tone_level * sin(2 * M_PI * tone_hz * (double)i / HZ));
        }
    }
    return studio_write(studio, cs_arena_sprintf(studio->arena, "%s.pcm", name), sound, count * sizeof(float));
}

const char *flash_make(struct studio *studio, const char *name, const struct flash_film *film) {
    const struct flash_film whole = with_defaults(film);
    const char *path = studio_path(studio, name);
    const char *sound = write_sound(studio, name, &whole);
    const char *command =
        cs_arena_sprintf(studio->arena,
                         "ffmpeg -nostdin -v error -y -f rawvideo -pix_fmt gray -s %dx%d -r %d/%d -i pipe:0 -f f32le "
                         "-ar %d -ac 1 -i '%s' "
                         "-map 0:v -map 1:a -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -b:a 128k %s '%s'",
                         whole.width, whole.height, whole.rate_num, whole.rate_den, HZ, sound, whole.encode, path);
    FILE *pipe = popen(command, "w");
    assert_non_null(pipe);
    size_t size = (size_t)whole.width * (size_t)whole.height;
    CS_AUTO_FREE uint8_t *picture = malloc(size);
    assert_non_null(picture);
    for (int64_t frame = 0; frame < whole.frames; frame++) {
        memset(picture, is_bright(&whole, frame) ? 255 : 0, size);
        assert_int_equal(fwrite(picture, 1, size, pipe), size);
    }
    if (pclose(pipe) != 0) {
        fail_msg("%s", command);
    }
    return path;
}

/* ---- looking ---- */

/* The middle of what sounds between two samples; NAN when nothing does. */
static double middle_of_sound(const float *sound, int64_t from, int64_t until) {
    double peak = until > from ? studio_loudest(sound, (size_t)from, (size_t)(until - from)) : 0;
    double energy = 0;
    double moment = 0;
    for (int64_t i = from; i < until && peak > heard_level; i++) {
        double size = fabs((double)sound[i]);
        if (size > peak / 4) { /* what codecs add is softer */
            energy += size * size;
            moment += size * size * ((double)i + 0.5);
        }
    }
    return energy > 0 ? moment / energy : NAN;
}

/* The straight line through the offsets, and how sure of its slope they make us. */
static void fit_line(struct flash_sight *sight, double rate) {
    double n = (double)sight->count;
    double x = 0;
    double y = 0;
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (size_t i = 0; i < sight->count; i++) {
        double minutes = sight->items[i].frame / rate / 60;
        double late_ms = sight->items[i].offset * 1000 / HZ;
        x += minutes;
        y += late_ms;
        xx += minutes * minutes;
        xy += minutes * late_ms;
        yy += late_ms * late_ms;
    }
    if (sight->count >= 3) {
        double spread = xx - x * x / n;
        sight->slope = (xy - x * y / n) / spread;
        sight->slope_error = sqrt(fmax(0, yy - y * y / n - sight->slope * sight->slope * spread) / (n - 2) / spread);
    }
}

static void find_flashes(const uint8_t *bright, size_t frames, struct flash_sight *sight) {
    for (size_t n = 0; n < frames; n++) {
        size_t first = n;
        while (n < frames && bright[n] > BRIGHT) {
            n++;
        }
        if (n > first) {
            assert_true(sight->count < FLASHES_MAX);
            sight->items[sight->count++] = (struct flash){.frame = (double)first, .frames = (double)(n - first)};
        }
    }
}

/* From one flash to the next, but no further away than REACH. */
static void find_sounds(const float *sound, double rate, struct flash_sight *sight) {
    double per_frame = HZ / rate;
    for (size_t i = 0; i < sight->count; i++) {
        struct flash *flash = &sight->items[i];
        double begin = flash->frame * per_frame;
        double end = begin + flash->frames * per_frame;
        double before = i > 0 ? (flash[-1].frame + flash[-1].frames) * per_frame : 0;
        double after = i + 1 < sight->count ? flash[1].frame * per_frame : (double)sight->samples;
        double from = i > 0 ? fmax((before + begin) / 2, begin - REACH) : fmax(0, begin - REACH);
        double until = i + 1 < sight->count ? fmin((end + after) / 2, end + REACH) : fmin(after, end + REACH);
        flash->offset = middle_of_sound(sound, llround(from), llround(until)) - (begin + end) / 2;
        sight->offset_max = isnan(flash->offset) ? INFINITY : fmax(sight->offset_max, fabs(flash->offset));
    }
}

struct flash_sight flash_look(struct studio *studio, const char *output, int rate_num, int rate_den) {
    struct flash_sight sight = {0};
    double rate = (double)rate_num / rate_den;
    size_t frames = 0;
    size_t samples = 0;
    CS_AUTO_FREE uint8_t *bright = studio_brightness(studio, output, &frames);
    CS_AUTO_FREE float *sound = studio_sound_in_time(studio, output, &samples);
    sight.frames = (int64_t)frames;
    sight.samples = (int64_t)samples;
    find_flashes(bright, frames, &sight);
    find_sounds(sound, rate, &sight);
    fit_line(&sight, rate);
    return sight;
}

void flash_expect(const struct flash_sight *sight, size_t count, int rate_num, int rate_den) {
    double frame = (double)HZ * rate_den / rate_num;
    if (sight->count != count || !(sight->offset_max <= frame) || !(fabs(sight->slope) - 3 * sight->slope_error <= 1)) {
        fail_msg("%zu flashes of %zu, their sound up to %.1f samples away (a frame has %.1f), %.2f±%.2f ms a minute",
                 sight->count, count, sight->offset_max, frame, sight->slope, sight->slope_error);
    }
}
