#include "generate/scene.h"

#include <math.h>

#include "graph/av.h"

enum {
    CELL = 8,      /* pixels of a grid cell */
    LIGHTS = 5,    /* moving pools of colour */
    SPECKS = 26,   /* soft discs */
    DITHER = 64,   /* side of the dither tile */
    FINE_BITS = 7, /* the grid holds 1/128 of a level */
};

struct light {
    double r, g, b;          /* linear 0 … 1 */
    double x, y;             /* rest position, in short sides */
    double swing_x, swing_y; /* how far it wanders */
    double speed_x, speed_y; /* radians a second */
    double phase_x, phase_y;
    double spread;
};

struct speck {
    double x, y, radius, rise, sway, phase, level;
};

struct scene {
    struct med_video pad;
    struct light lights[LIGHTS];
    struct speck specks[SPECKS];
    double warp_phase[3];
    int grid_width, grid_height;
    int16_t *grid; /* Y, Cb, Cr planes of the grid, in 1/128 levels */
    uint8_t dither[DITHER * DITHER];
    int64_t next;
};

/* ---- colours ---- */

static double hue_channel(double hue, double offset) {
    double k = fmod(hue + offset, 1.0) * 6;
    return fmin(fmax(fabs(k - 3) - 1, 0), 1);
}

static void set_color(struct light *light, double hue, double saturation, double value) {
    light->r = value * (1 - saturation + saturation * hue_channel(hue, 0));
    light->g = value * (1 - saturation + saturation * hue_channel(hue, 2.0 / 3));
    light->b = value * (1 - saturation + saturation * hue_channel(hue, 1.0 / 3));
}

/* Neighbouring hues, a complement as accent, and a deep ground. */
static void choose_lights(struct scene *scene, struct med_seed *seed, double wide, double high) {
    double base = med_seed_range(seed, 0, 1);
    double step = med_seed_range(seed, 0.06, 0.11);
    const double hue[LIGHTS] = {base, base + step, base + 1 - step, base + 0.5 + step / 2, base + 2 * step};
    const double value[LIGHTS] = {0.22, 0.98, 0.80, 1.0, 0.62};
    const double saturation[LIGHTS] = {0.75, 0.72, 0.80, 0.62, 0.85};
    const double spread[LIGHTS] = {0.95, 0.48, 0.55, 0.30, 0.50};
    for (int i = 0; i < LIGHTS; i++) {
        struct light *light = &scene->lights[i];
        set_color(light, fmod(hue[i], 1), saturation[i], value[i]);
        light->x = wide * (i == 0 ? 0.5 : med_seed_range(seed, 0.1, 0.9));
        light->y = high * (i == 0 ? 0.9 : med_seed_range(seed, 0.05, 0.75));
        light->swing_x = wide * med_seed_range(seed, 0.12, 0.3);
        light->swing_y = high * med_seed_range(seed, 0.1, 0.25);
        light->speed_x = med_seed_range(seed, 0.25, 0.7);
        light->speed_y = med_seed_range(seed, 0.25, 0.7);
        light->phase_x = med_seed_range(seed, 0, 2 * M_PI);
        light->phase_y = med_seed_range(seed, 0, 2 * M_PI);
        light->spread = spread[i];
    }
}

static void choose_specks(struct scene *scene, struct med_seed *seed, double wide, double high) {
    for (int i = 0; i < SPECKS; i++) {
        double near = med_seed_range(seed, 0, 1);
        scene->specks[i] = (struct speck){
            .x = med_seed_range(seed, 0, wide),
            .y = med_seed_range(seed, 0, high),
            .radius = 0.004 + 0.035 * near * near,
            .rise = 0.01 + 0.05 * near,
            .sway = med_seed_range(seed, 0.005, 0.03),
            .phase = med_seed_range(seed, 0, 2 * M_PI),
            .level = 10 + 34 * (1 - near),
        };
    }
}

static void fill_dither(struct scene *scene) {
    struct med_seed fixed = {.state = 1};
    for (int i = 0; i < DITHER * DITHER; i++) { /* triangular */
        uint64_t noise = med_seed_next(&fixed);
        scene->dither[i] = (uint8_t)(((noise & 0x7f) + (noise >> 8 & 0x7f)) / 2);
    }
}

/* ---- one frame ---- */

static void put_cell(struct scene *scene, size_t cell, const double rgb[3]) {
    size_t plane = (size_t)scene->grid_width * (size_t)scene->grid_height;
    double y = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
    double one = 1 << FINE_BITS;
    scene->grid[cell] = (int16_t)lround(one * (16 + 219 * y));
    scene->grid[cell + plane] = (int16_t)lround(one * (128 + 224 * (rgb[2] - y) / 1.8556));
    scene->grid[cell + 2 * plane] = (int16_t)lround(one * (128 + 224 * (rgb[0] - y) / 1.5748));
}

static void color_at(const struct scene *scene, const double at[LIGHTS][2], double x, double y, double time,
                     double rgb[3]) {
    double wx = x + 0.10 * sin(3.1 * y + 0.5 * time + scene->warp_phase[0]) + 0.04 * sin(7.3 * y - 0.4 * time);
    double wy = y + 0.10 * sin(2.7 * x - 0.4 * time + scene->warp_phase[1]) + 0.04 * sin(6.1 * x + 0.3 * time);
    double total = 0.02;
    rgb[0] = rgb[1] = rgb[2] = 0.0;
    for (int i = 0; i < LIGHTS; i++) {
        const struct light *light = &scene->lights[i];
        double dx = wx - at[i][0];
        double dy = wy - at[i][1];
        double weight = exp(-(dx * dx + dy * dy) / (light->spread * light->spread));
        rgb[0] += weight * light->r;
        rgb[1] += weight * light->g;
        rgb[2] += weight * light->b;
        total += weight;
    }
    double folds = 0.94 + 0.06 * sin(9 * (wx + 0.6 * wy) + 0.6 * time + scene->warp_phase[2]);
    for (int c = 0; c < 3; c++) {
        rgb[c] = fmin(rgb[c] / total * folds, 1);
    }
}

static void paint_grid(struct scene *scene, double time) {
    double shorter =
        scene->pad.format.width < scene->pad.format.height ? scene->pad.format.width : scene->pad.format.height;
    double wide = scene->pad.format.width / shorter;
    double high = scene->pad.format.height / shorter;
    double at[LIGHTS][2];
    for (int i = 0; i < LIGHTS; i++) {
        const struct light *light = &scene->lights[i];
        at[i][0] = light->x + light->swing_x * sin(light->speed_x * time + light->phase_x);
        at[i][1] = light->y + light->swing_y * sin(light->speed_y * time + light->phase_y);
    }
    for (int row = 0; row < scene->grid_height; row++) {
        for (int column = 0; column < scene->grid_width; column++) {
            double x = column * CELL / shorter;
            double y = row * CELL / shorter;
            double rgb[3];
            color_at(scene, at, x, y, time, rgb);
            double off_x = x / wide - 0.5;
            double off_y = y / high - 0.5;
            double vignette = 1 - 0.5 * (off_x * off_x + off_y * off_y);
            for (int c = 0; c < 3; c++) {
                rgb[c] *= vignette;
            }
            put_cell(scene, (size_t)row * (size_t)scene->grid_width + (size_t)column, rgb);
        }
    }
}

/* Straight lines between the grid's points, `cell` pixels apart. */
static void spread_plane(const struct scene *scene, int plane, int cell, uint8_t *out, int stride, int width,
                         int height) {
    const int16_t *grid = scene->grid + (ptrdiff_t)plane * scene->grid_width * scene->grid_height;
    int bits = FINE_BITS + (cell == CELL ? 6 : 4); /* cell is 8 or 4: cell * cell is 2^6 or 2^4 */
    for (int y = 0; y < height; y++) {
        const int16_t *upper = grid + (ptrdiff_t)(y / cell) * scene->grid_width;
        const int16_t *lower = upper + scene->grid_width;
        int down = y % cell;
        const uint8_t *dither = scene->dither + (y % DITHER) * DITHER;
        for (int x = 0; x < width; x++) {
            int column = x / cell;
            int right = x % cell;
            int top = upper[column] * (cell - right) + upper[column + 1] * right;
            int bottom = lower[column] * (cell - right) + lower[column + 1] * right;
            int value = top * (cell - down) + bottom * down;
            out[(ptrdiff_t)y * stride + x] = (uint8_t)((value + (dither[x % DITHER] << (bits - FINE_BITS))) >> bits);
        }
    }
}

static void paint_speck(const struct scene *scene, const struct speck *speck, double time, AVFrame *frame) {
    double shorter = frame->width < frame->height ? frame->width : frame->height;
    double high = frame->height / shorter + 0.2;
    double radius = speck->radius * shorter;
    double center_x = (speck->x + speck->sway * sin(0.7 * time + speck->phase)) * shorter;
    double center_y = (fmod(speck->y + 100 * high - speck->rise * time, high) - 0.1) * shorter;
    double level = speck->level * (0.7 + 0.3 * sin(1.3 * time + 2 * speck->phase));
    int left = (int)fmax(center_x - radius, 0);
    int right = (int)fmin(center_x + radius + 1, frame->width);
    int top = (int)fmax(center_y - radius, 0);
    int bottom = (int)fmin(center_y + radius + 1, frame->height);
    (void)scene;
    for (int y = top; y < bottom; y++) {
        uint8_t *row = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        for (int x = left; x < right; x++) {
            double distance = hypot(x - center_x, y - center_y) / radius;
            double edge = fmin(fmax((1 - distance) / 0.35, 0), 1);
            int value = row[x] + (int)(level * edge * edge * (3 - 2 * edge));
            row[x] = (uint8_t)(value > 235 ? 235 : value);
        }
    }
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct scene *scene = (struct scene *)self;
    MED_AUTO_FRAME *frame = av_frame_alloc();
    int result = frame == NULL ? AVERROR(ENOMEM) : 0;
    if (result == 0) {
        frame->format = AV_PIX_FMT_YUV420P;
        frame->width = scene->pad.format.width;
        frame->height = scene->pad.format.height;
        result = av_frame_get_buffer(frame, 0);
    }
    if (result < 0) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "a frame");
    }
    double time = (double)scene->next / av_q2d(scene->pad.format.rate);
    paint_grid(scene, time);
    spread_plane(scene, 0, CELL, frame->data[0], frame->linesize[0], frame->width, frame->height);
    for (int plane = 1; plane < 3; plane++) {
        spread_plane(scene, plane, CELL / 2, frame->data[plane], frame->linesize[plane], (frame->width + 1) / 2,
                     (frame->height + 1) / 2);
    }
    for (int i = 0; i < SPECKS; i++) {
        paint_speck(scene, &scene->specks[i], time, frame);
    }
    med_frame_tag(frame);
    frame->pts = scene->next++;
    *ret_frame = frame;
    frame = NULL;
    return CS_OK;
}

struct med_video *med_scene(struct med_graph *graph, const struct med_picture_format *format, int64_t frames,
                            struct med_seed seed) {
    struct scene *scene = (struct scene *)med_graph_add_video(graph, sizeof(*scene));
    scene->pad = (struct med_video){.format = *format, .frames = frames, .pull = pull};
    double shorter = format->width < format->height ? format->width : format->height;
    choose_lights(scene, &seed, format->width / shorter, format->height / shorter);
    choose_specks(scene, &seed, format->width / shorter, format->height / shorter);
    for (int i = 0; i < 3; i++) {
        scene->warp_phase[i] = med_seed_range(&seed, 0, 2 * M_PI);
    }
    fill_dither(scene);
    scene->grid_width = format->width / CELL + 2;
    scene->grid_height = format->height / CELL + 2;
    scene->grid =
        cs_arena_array(graph->arena, 3 * (size_t)scene->grid_width * (size_t)scene->grid_height, sizeof(int16_t));
    return &scene->pad;
}
