#include "each.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/auto.h"
#include "cs/base/text.h"
#include "cs/test.h"

enum { WIDTH = 160, HEIGHT = 90 };

/* ---- what becomes of a film ---- */

static double rate_of(const struct each_film *film) {
    return (double)film->rate_num / film->rate_den;
}

static double length_of(const struct each_film *film) {
    return (double)film->frames / rate_of(film);
}

static int64_t frame_at(const struct each_film *film, double seconds) {
    return llround(seconds * rate_of(film));
}

/* A part of a film, at another place in the output, at another speed. */
struct part {
    const struct each_film *film;
    double from; /* seconds of the film */
    double until;
    double at;    /* seconds of the output */
    double speed; /* 0: 1 */
    double head;  /* seconds that are faded at its begin */
    double tail;
};

static void add_flash(struct each_film *out, double from, double until, bool sure) {
    assert_true(out->count < EACH_FLASHES_MAX);
    out->flashes[out->count++] = (struct each_flash){.from = from, .until = until, .sure = sure};
}

static void add_part(struct each_film *out, struct part part) {
    double near_edge = 2 / rate_of(out);
    double speed = part.speed > 0 ? part.speed : 1;
    for (size_t i = 0; i < part.film->count; i++) {
        struct each_flash flash = part.film->flashes[i];
        if (flash.until < part.from - near_edge || flash.from > part.until + near_edge) {
            continue;
        }
        flash.sure = flash.sure && flash.from >= part.from + part.head + near_edge &&
                     flash.until <= part.until - part.tail - near_edge;
        add_flash(out, part.at + (flash.from - part.from) / speed, part.at + (flash.until - part.from) / speed,
                  flash.sure);
    }
}

static struct each_film like(const struct each_film *in) {
    return (struct each_film){
        .rate_num = in->rate_num, .rate_den = in->rate_den, .frames = in->frames, .on_grid = in->on_grid};
}

static void plan_same(const struct each_film *in, const struct each_film *fixture, struct each_film *out) {
    (void)fixture;
    *out = *in;
}

/* The film, then so much of the fixture, both fading into one another. */
static void follow(const struct each_film *in, const struct each_film *fixture, double seconds, double fade_s,
                   struct each_film *out) {
    double rate = rate_of(in);
    int64_t fade = frame_at(in, fade_s);
    *out = like(in);
    out->frames = llround((length_of(in) + seconds) * rate) - fade;
    out->on_grid = in->on_grid && in->rate_num == fixture->rate_num && in->rate_den == fixture->rate_den;
    add_part(out, (struct part){.film = in, .until = length_of(in), .tail = (double)fade / rate});
    add_part(out, (struct part){.film = fixture,
                                .until = seconds,
                                .at = (double)(in->frames - fade) / rate,
                                .head = (double)fade / rate});
}

static void plan_merge(const struct each_film *in, const struct each_film *fixture, struct each_film *out) {
    follow(in, fixture, length_of(fixture), 0.3, out);
}

static void plan_transitions(const struct each_film *in, const struct each_film *fixture, struct each_film *out) {
    follow(in, fixture, length_of(fixture), 0.2, out);
}

static void plan_stitch(const struct each_film *in, const struct each_film *fixture, struct each_film *out) {
    follow(in, fixture, (double)frame_at(in, 1.2) / rate_of(in), 0, out);
}

static void plan_trim(const struct each_film *in, const struct each_film *fixture, struct each_film *out) {
    int64_t first = frame_at(in, 0.2);
    (void)fixture;
    *out = like(in);
    out->frames = in->frames - first;
    add_part(out, (struct part){.film = in, .from = (double)first / rate_of(in), .until = length_of(in)});
}

/* The whole of it, in the hundredths of seconds of cut plans. */
static double last_cut_at(const struct each_film *in) {
    return floor(length_of(in) * 100 + 1e-6) / 100;
}

static void plan_cut(const struct each_film *in, const struct each_film *fixture, struct each_film *out) {
    int64_t first = frame_at(in, 0.9);
    int64_t again = frame_at(in, 1.2);
    int64_t end = frame_at(in, last_cut_at(in));
    (void)fixture;
    *out = like(in);
    out->frames = end - (again - first);
    add_part(out, (struct part){.film = in, .until = (double)first / rate_of(in)});
    add_part(out, (struct part){.film = in,
                                .from = (double)again / rate_of(in),
                                .until = (double)end / rate_of(in),
                                .at = (double)first / rate_of(in)});
}

static void plan_speed(const struct each_film *in, const struct each_film *fixture, struct each_film *out) {
    (void)fixture;
    *out = like(in);
    out->frames = llround((double)in->frames / 1.25);
    out->on_grid = false;
    add_part(out, (struct part){.film = in, .until = length_of(in), .speed = (double)in->frames / (double)out->frames});
}

static void plan_reverse(const struct each_film *in, const struct each_film *fixture, struct each_film *out) {
    (void)fixture;
    *out = *in;
    for (size_t i = 0; i < in->count; i++) {
        const struct each_flash *flash = &in->flashes[in->count - 1 - i];
        out->flashes[i] = (struct each_flash){length_of(in) - flash->until, length_of(in) - flash->from, flash->sure};
    }
}

/* What is frozen may be a flash. */
static void plan_freeze(const struct each_film *in, const struct each_film *fixture, struct each_film *out) {
    double at = (double)frame_at(in, 1) / rate_of(in);
    double more = (double)frame_at(in, 0.4) / rate_of(in);
    (void)fixture;
    *out = like(in);
    out->frames = in->frames + frame_at(in, 0.4);
    add_part(out, (struct part){.film = in, .until = at});
    if (out->count > 0 && out->flashes[out->count - 1].until > at - 2 / rate_of(in)) {
        add_flash(out, at, at + more, false);
    }
    add_part(out, (struct part){.film = in, .from = at, .until = length_of(in), .at = at + more});
}

static void plan_brand(const struct each_film *in, const struct each_film *fixture, struct each_film *out) {
    int64_t intro = frame_at(in, 0.5);
    (void)fixture;
    *out = like(in);
    out->frames = in->frames + intro;
    add_part(out, (struct part){.film = in, .until = length_of(in), .at = (double)intro / rate_of(in)});
}

static void plan_rate(const struct each_film *in, const struct each_film *fixture, struct each_film *out) {
    (void)fixture;
    *out = *in;
    out->rate_num = 24;
    out->rate_den = 1;
    out->frames = llround(length_of(in) * 24);
    out->on_grid = false;
}

/* ---- the table ---- */

#define REFRAME(mode) "{\"reframe\":{\"video\":@,\"width\":96,\"height\":96,\"mode\":\"" mode "\"}}"
#define CONVERT(wish) "{\"convert\":{\"video\":@," wish "}}"

const struct each_op each_ops[] = {
    {"merge",
     "{\"merge\":{\"items\":[{\"media\":@},{\"media\":#1}],\"transition\":{\"type\":\"fade\",\"duration\":0.3}}}",
     {"fixture.mp4"},
     .plan = plan_merge},
    {"trim", "{\"trim\":{\"video\":@,\"start\":0.2}}", .plan = plan_trim},
    {"cut", "{\"cut\":{\"video\":@,\"plan\":#1}}", {"plan.json"}, .plan = plan_cut},
    {"transitions",
     "{\"transitions\":{\"items\":[{\"media\":@},{\"media\":#1}],\"transition\":{\"duration\":0.2}}}",
     {"fixture.mp4"},
     .plan = plan_transitions},
    {"stitch",
     "{\"stitch\":{\"scenes\":[{\"media\":@},{\"media\":#1,\"duration\":1.2}]}}",
     {"fixture.mp4"},
     .plan = plan_stitch},
    {"reframe crop", REFRAME("crop"), .plan = plan_same},
    {"reframe pad", REFRAME("pad"), .plan = plan_same},
    {"reframe blurPad", REFRAME("blurPad"), .plan = plan_same},
    {"reframe stretch", REFRAME("stretch"), .plan = plan_same},
    {"reframe smart", REFRAME("smart"), .alone = true, .plan = plan_same},
    {"addSubtitles burn", "{\"addSubtitles\":{\"video\":@,\"text\":\"one two\"}}", .plan = plan_same},
    {"addSubtitles soft", "{\"addSubtitles\":{\"video\":@,\"text\":\"one two\",\"mode\":\"soft\"}}", .alone = true,
     .plan = plan_same},
    {"lipSync", "{\"lipSync\":{\"video\":@,\"audio\":@}}", .plan = plan_same},
    {"extractAudio, lipSync",
     "{\"lipSync\":{\"video\":@,\"audio\":#1}}",
     {"own.mp3"},
     .alone = true,
     .of_own_sound = true,
     .plan = plan_same},
    {"mixAudio",
     "{\"mixAudio\":{\"video\":@,\"tracks\":[{\"audio\":#1,\"loop\":true}]}}",
     {"bed.wav"},
     .plan = plan_same},
    {"loudness", "{\"loudness\":{\"video\":@}}", .plan = plan_same},
    {"brand",
     "{\"brand\":{\"video\":@,\"logo\":#1,\"intro\":#2,\"introDuration\":0.5,\"fadeDuration\":0}}",
     {"logo.png", "black.png"},
     .plan = plan_brand},
    {"layer",
     "{\"layer\":{\"layers\":[{\"media\":@,\"main\":true},{\"media\":#1,\"placement\":{\"words\":\"pip\"}}]}}",
     {"logo.png"},
     .plan = plan_same},
    {"replaceGreenScreen",
     "{\"replaceGreenScreen\":{\"video\":@,\"background\":[#1]}}",
     {"black.png"},
     .plan = plan_same},
    {"overlayText", "{\"overlayText\":{\"video\":@,\"texts\":[{\"text\":\"one\"}]}}", .plan = plan_same},
    {"speed", "{\"speed\":{\"video\":@,\"factor\":1.25}}", .plan = plan_speed},
    {"reverse", "{\"reverse\":{\"video\":@}}", .plan = plan_reverse},
    {"freeze", "{\"freeze\":{\"video\":@,\"at\":1,\"duration\":0.4}}", .plan = plan_freeze},
    {"denoise", "{\"denoise\":{\"video\":@,\"sound\":\"low\"}}", .plan = plan_same},
    {"stabilise", "{\"stabilise\":{\"video\":@}}", .alone = true, .plan = plan_same},
    {"convert mp4", CONVERT("\"frameRate\":\"24\""), .plan = plan_rate},
    {"convert mov", CONVERT("\"container\":\"mov\",\"videoCodec\":\"hevc\""), .suffix = ".mov", .plan = plan_same},
    {"convert webm", CONVERT("\"container\":\"webm\""), .suffix = ".webm", .plan = plan_same},
    {"convert mkv", CONVERT("\"container\":\"mkv\",\"audioCodec\":\"mp3\""), .suffix = ".mkv", .plan = plan_same},
    {"package", "{\"package\":{\"video\":@,\"rungs\":[{\"height\":64}]}}", .last = true, .plan = plan_same},
};
const size_t each_ops_count = CS_COUNT(each_ops);

/* ---- running ---- */

static const char playlist[] = "master.m3u8";

const char *each_prepare(struct studio *studio, int rate_num, int rate_den, int seconds,
                         struct each_film *ret_fixture) {
    const struct flash_film film = {.width = WIDTH,
                                    .height = HEIGHT,
                                    .rate_num = rate_num,
                                    .rate_den = rate_den,
                                    .frames = llround(seconds * (double)rate_num / rate_den)};
    struct each_film fixture = {.rate_num = rate_num, .rate_den = rate_den, .frames = film.frames, .on_grid = true};
    for (int second = 0; second < seconds; second++) {
        double first = (double)llround((second + 0.5) * rate_num / rate_den);
        add_flash(&fixture, first / rate_of(&fixture), (first + FLASH_FRAMES) / rate_of(&fixture), true);
    }
    studio_make(studio, "logo.png", "-f lavfi -i color=red:s=16x16 -frames:v 1");
    studio_make(studio, "black.png", "-f lavfi -i color=black:s=160x90 -frames:v 1");
    studio_make(studio, "bed.wav", "-f lavfi -i \"aevalsrc='0.005*sin(2*PI*200*t)':s=48000:d=1\"");
    *ret_fixture = fixture;
    return flash_make(studio, "fixture.mp4", &film);
}

/* main: what stands for the video; first: the number of its first further input. */
static char *json_of(struct studio *studio, const struct each_op *op, const char *main, size_t first) {
    CS_AUTO_BUF json = {0};
    for (const char *at = op->json; *at != '\0'; at++) {
        if (*at == '@') {
            cs_buf_puts(&json, main);
        } else if (*at == '#') {
            cs_buf_printf(&json, "{\"input\":%zu}", first + (size_t)(*++at - '1'));
        } else {
            cs_buf_putc(&json, *at);
        }
    }
    return cs_arena_sprintf(studio->arena, "%.*s", (int)json.size, (const char *)json.data);
}

static const char *write_plan(struct studio *studio, const struct each_film *in) {
    static const char format[] = "{\"cuts\":[{\"start\":0,\"end\":0.9,\"type\":\"keep\"},{\"start\":0.9,\"end\":1.2,"
                                 "\"type\":\"cut\"},{\"start\":1.2,\"end\":%.2f,\"type\":\"keep\"}]}";
    const char *plan = cs_arena_sprintf(studio->arena, format, last_cut_at(in));
    return studio_write(studio, cs_arena_sprintf(studio->arena, "plan-%.2f.json", last_cut_at(in)), plan, strlen(plan));
}

/* Appends the paths of its further inputs; returns how many there are then. */
static size_t add_inputs(struct studio *studio, const struct each_op *op, const struct each_film *in,
                         const char **inputs, size_t count) {
    for (size_t i = 0; i < EACH_INPUTS_MAX && op->inputs[i] != NULL; i++) {
        bool plan = cs_str_eq(op->inputs[i], "plan.json");
        inputs[count++] = plan ? write_plan(studio, in) : studio_path(studio, op->inputs[i]);
    }
    inputs[count] = NULL;
    return count;
}

static const char *named(struct studio *studio, const struct each_op *op, const char *output) {
    return cs_arena_sprintf(studio->arena, "%s%s", output, op->suffix != NULL ? op->suffix : ".mp4");
}

/* What a package of one rung plays. */
static const char *mux(struct studio *studio, const char *name) {
    studio_make(studio, name,
                cs_arena_sprintf(studio->arena, "-i %s -i %s -c copy", studio_path(studio, "video_64.mp4"),
                                 studio_path(studio, "audio.mp4")));
    return name;
}

/* Smart reframes give their path, too. */
static void must(struct studio *studio, const char *json, const char *output, const char *const *inputs) {
    if (studio_run(studio, json, output, inputs) != CS_OK) {
        fail_msg("%s: %s: %s", json, studio->err.reason, studio->err.message);
    }
}

const char *each_run(struct studio *studio, const struct each_op *op, const struct each_film *in, const char *path,
                     const char *output) {
    const char *inputs[2 + EACH_INPUTS_MAX] = {path};
    const char *name = named(studio, op, output);
    if (op->of_own_sound) {
        must(studio, "{\"extractAudio\":{\"media\":{\"input\":1}}}", op->inputs[0], (const char *[]){path, NULL});
    }
    add_inputs(studio, op, in, inputs, 1);
    must(studio, json_of(studio, op, "{\"input\":1}", 2), op->last ? playlist : name, inputs);
    return op->last ? mux(studio, name) : name;
}

const char *each_run_both(struct studio *studio, const struct each_op *first, const struct each_film *in,
                          const struct each_op *second, const struct each_film *between, const char *path,
                          const char *output) {
    const char *inputs[2 + 2 * EACH_INPUTS_MAX] = {path};
    const char *name = named(studio, second, output);
    size_t count = add_inputs(studio, first, in, inputs, 1);
    add_inputs(studio, second, between, inputs, count);
    must(studio,
         cs_arena_sprintf(studio->arena, "[%s,%s]", json_of(studio, first, "{\"input\":1}", 2),
                          json_of(studio, second, "{\"step\":1}", count + 1)),
         second->last ? playlist : name, inputs);
    return second->last ? mux(studio, name) : name;
}
