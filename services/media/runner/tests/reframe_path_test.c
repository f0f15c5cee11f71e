/* COVERS reframe/: shots, what the eye goes to, the camera and its path, on made-up pictures. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/auto.h"
#include "cs/test.h"
#include "reframe/camera.h"
#include "reframe/path.h"
#include "reframe/saliency.h"
#include "reframe/shots.h"

enum { W = 160, H = 90, RATE = 30, STEP = 5, PICTURE = 1920, WINDOW = 608 };

/* ---- pictures ---- */

/* Texture that lies still, of one of several scenes. */
static uint8_t texture(int scene, int x, int y) {
    unsigned hash = (unsigned)(x * 73 + y * 179 + scene * 7919);
    hash = (hash ^ hash >> 7) * 2654435761U;
    return (uint8_t)(60 + 50 * (scene % 3) + (int)(hash >> 27));
}

/* A scene with a striped blob of 20x30 around (at, 45). */
static void paint(uint8_t *grey, int scene, double at) {
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            bool blob = fabs(x - at) < 10 && abs(y - 45) < 15;
            grey[y * W + x] = blob ? ((x - (int)lround(at)) / 3 + y / 4) % 2 == 0 ? 230 : 20 : texture(scene, x, y);
        }
    }
}

/* Where the blob is, in cells, at a frame. */
typedef double blob_at(int64_t frame);

struct film {
    struct med_path path;
    struct med_shots shots;
    struct cs_buf sights;
};

/* scene_frames: a cut that often; 0 never. */
static void shoot(struct film *film, int frames, int scene_frames, blob_at *at, struct cs_arena *arena) {
    struct med_saliency saliency = {.width = W, .height = H, .share = (double)WINDOW / PICTURE};
    static uint8_t now[W * H];
    static uint8_t before[W * H];
    bool fresh = true;
    film->sights = (struct cs_buf){0};
    med_shots_init(&film->shots, W, H, 6);
    for (int64_t frame = 0; frame < frames; frame++) {
        paint(now, scene_frames > 0 ? (int)(frame / scene_frames) : 0, at(frame));
        bool cut = med_shots_look(&film->shots, now, frame);
        if (cut || frame % STEP == 0) {
            fresh = fresh || cut;
            struct med_sight sight = med_saliency_look(&saliency, now, fresh ? NULL : before, frame);
            cs_buf_put(&film->sights, &sight, sizeof(sight));
            memcpy(before, now, sizeof(now));
            fresh = false;
        }
    }
    size_t count = 0;
    const struct med_cut *cuts = med_shots_end(&film->shots, &count);
    film->path = (struct med_path){.width = PICTURE,
                                   .height = 1080,
                                   .window_width = WINDOW,
                                   .window_height = 1080,
                                   .rate_num = RATE,
                                   .rate_den = 1,
                                   .frames = frames};
    med_camera_shoot(&film->path, (const struct med_sight *)(void *)film->sights.data,
                     film->sights.size / sizeof(struct med_sight), cuts, count, arena);
}

static void end(struct film *film) {
    med_shots_fini(&film->shots);
    cs_buf_fini(&film->sights);
}

static int x_at(const struct film *film, int64_t frame) {
    int x = 0;
    int y = 0;
    med_path_at(&film->path, frame, &x, &y);
    assert_in_range(x, 0, PICTURE - WINDOW);
    assert_int_equal(y, 0);
    return x;
}

/* The part of the frames that show all of the blob. */
static double inside(const struct film *film, blob_at *at) {
    int64_t seen = 0;
    for (int64_t frame = 0; frame < film->path.frames; frame++) {
        double centre = at(frame) * PICTURE / W;
        int x = x_at(film, frame);
        seen += centre - 120 >= x && centre + 120 <= x + WINDOW;
    }
    return (double)seen / (double)film->path.frames;
}

static bool starts_shot(const struct film *film, int64_t frame) {
    for (size_t i = 0; i < film->path.shot_count; i++) {
        if (film->path.shots[i].start == frame) {
            return true;
        }
    }
    return false;
}

/* Within shots: no faster and no more suddenly than a camera may, but for the rounding of keyframes. */
static void expect_caps(const struct film *film) {
    double speed_before = 0;
    double fastest = MED_CAMERA_SPEED * WINDOW / RATE;
    double push = MED_CAMERA_PUSH * WINDOW * STEP / RATE / RATE; /* from one look to the next */
    for (int64_t frame = 1; frame < film->path.frames; frame++) {
        if (starts_shot(film, frame)) {
            speed_before = NAN;
            continue;
        }
        double speed = x_at(film, frame) - x_at(film, frame - 1);
        assert_true(fabs(speed) <= fastest + 2);
        if (!isnan(speed_before)) {
            assert_true(fabs(speed - speed_before) <= 2 * push + 3);
        }
        speed_before = speed;
    }
}

/* ---- blobs ---- */

static double still(int64_t frame) {
    (void)frame;
    return 110;
}

static double trembling(int64_t frame) {
    return 40 + 5 * sin((double)frame * 0.7);
}

static double crossing(int64_t frame) {
    return 27 + 106.0 * (double)frame / 240;
}

static double wandering(int64_t frame) {
    return 80 + 55 * sin(2 * M_PI * (double)frame / 300);
}

static double leaping(int64_t frame) {
    return frame / 60 % 2 == 0 ? 30 : 130;
}

static double elsewhere(int64_t frame) {
    return 30 + 50.0 * (double)(frame / 90 % 3) + (double)(frame % 90) * 0.05;
}

TEST(a_still_scene_does_not_move_the_window) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    blob_at *const blobs[] = {still, trembling};
    for (size_t i = 0; i < CS_COUNT(blobs); i++) {
        struct film film;
        shoot(&film, 300, 0, blobs[i], arena);
        assert_int_equal(film.path.shot_count, 1);
        assert_int_equal(film.path.shots[0].camera, MED_CAMERA_STATIONARY);
        assert_int_equal(film.path.shots[0].key_count, 1);
        assert_true(inside(&film, blobs[i]) > 0.99);
        end(&film);
    }
}

TEST(what_crosses_the_picture_is_panned_after) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct film film;
    shoot(&film, 240, 0, crossing, arena);
    assert_int_equal(film.path.shot_count, 1);
    assert_int_equal(film.path.shots[0].camera, MED_CAMERA_PAN);
    assert_true(inside(&film, crossing) > 0.97);
    expect_caps(&film);
    end(&film);
}

TEST(what_wanders_is_followed_and_stays_inside) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct film film;
    shoot(&film, 900, 0, wandering, arena);
    assert_int_equal(film.path.shots[0].camera, MED_CAMERA_TRACK);
    assert_true(inside(&film, wandering) > 0.97);
    expect_caps(&film);
    end(&film);
}

TEST(what_leaps_is_followed_without_a_jump) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct film film;
    shoot(&film, 600, 0, leaping, arena);
    assert_int_equal(film.path.shot_count, 1);
    expect_caps(&film);
    end(&film);
}

TEST(the_window_jumps_only_where_a_shot_begins) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct film film;
    shoot(&film, 450, 90, elsewhere, arena);
    assert_int_equal(film.path.shot_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(film.path.shots[i].start, (int64_t)i * 90);
    }
    assert_true(inside(&film, elsewhere) > 0.97);
    for (int64_t frame = 1; frame < 450; frame++) {
        bool jumps = abs(x_at(&film, frame) - x_at(&film, frame - 1)) > 60;
        assert_true(jumps == (frame == 90 || frame == 180 || frame == 270 || frame == 360));
    }
    end(&film);
}

TEST(a_flash_is_no_cut_and_a_fade_is_none) {
    static uint8_t grey[W * H];
    struct med_shots shots;
    size_t count = 0;
    med_shots_init(&shots, W, H, 6);
    for (int64_t frame = 0; frame < 120; frame++) {
        paint(grey, 0, still(frame));
        for (int i = 0; i < W * H; i++) {
            bool flash = frame == 40 || frame == 41;
            int faded = frame > 80 ? grey[i] - (int)(frame - 80) * 3 : grey[i];
            grey[i] = flash ? 250 : (uint8_t)(faded < 0 ? 0 : faded);
        }
        (void)med_shots_look(&shots, grey, frame);
    }
    (void)med_shots_end(&shots, &count);
    assert_int_equal(count, 1);
    med_shots_fini(&shots);
}

TEST(a_window_moves_down_as_well_as_along) {
    struct med_saliency saliency = {.width = H, .height = W, .down = true, .share = 0.3};
    static uint8_t before[W * H];
    static uint8_t now[W * H];
    for (int i = 0; i < W * H; i++) {
        before[i] = now[i] = texture(0, i % H, i / H);
    }
    for (int y = 120; y < 140; y++) {
        memset(now + y * H + 30, y % 4 < 2 ? 255 : 0, 20);
    }
    struct med_sight sight = med_saliency_look(&saliency, now, before, 7);
    assert_true(fabs((double)sight.at - 130.0 / W) < 0.05);
    assert_int_equal(sight.frame, 7);
}

/* ---- JSON ---- */

TEST(a_path_reads_back_as_it_was_written) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct film film;
    struct med_path again;
    struct cs_err err = {0};
    CS_AUTO_BUF first = {0};
    CS_AUTO_BUF second = {0};
    shoot(&film, 450, 90, elsewhere, arena);
    med_path_write(&film.path, &first);
    assert_ok(med_path_read(first.data, first.size, &film.path, arena, &again, &err), &err);
    med_path_write(&again, &second);
    assert_string_equal(first.data, second.data);
    for (int64_t frame = 0; frame < 450; frame++) {
        int x = 0;
        int y = 0;
        med_path_at(&again, frame, &x, &y);
        assert_int_equal(x, x_at(&film, frame));
    }
    end(&film);
}

#define HEAD                                                                                                           \
    "\"picture\":{\"width\":1920,\"height\":1080},\"window\":{\"width\":608,\"height\":1080},\"frameRate\":\"30/1\","  \
    "\"frames\":100,"
#define SHOT(start, keys) "{\"start\":" start ",\"camera\":\"track\",\"keyframes\":[" keys "]}"

TEST(an_edited_path_is_checked) {
    static const char *const bad[] = {
        "",
        "[]",
        "{" HEAD "\"shots\":[]}",
        "{" HEAD "\"shots\":[" SHOT("1", "{\"frame\":1,\"x\":0,\"y\":0}") "]}",
        "{" HEAD "\"shots\":[" SHOT("0", "") "]}",
        "{" HEAD "\"shots\":[" SHOT("0", "{\"frame\":0,\"x\":1313,\"y\":0}") "]}",
        "{" HEAD "\"shots\":[" SHOT("0", "{\"frame\":0,\"x\":0,\"y\":1}") "]}",
        "{" HEAD "\"shots\":[" SHOT("0", "{\"frame\":0,\"x\":0.5,\"y\":0}") "]}",
        "{" HEAD "\"shots\":[" SHOT("0", "{\"frame\":100,\"x\":0,\"y\":0}") "]}",
        "{" HEAD "\"shots\":[" SHOT("0", "{\"frame\":5,\"x\":0,\"y\":0},{\"frame\":5,\"x\":9,\"y\":0}") "]}",
        "{" HEAD
        "\"shots\":[" SHOT("0", "{\"frame\":0,\"x\":0,\"y\":0}") "," SHOT("0", "{\"frame\":0,\"x\":0,\"y\":0}") "]}",
        "{" HEAD "\"shots\":[{\"start\":0,\"camera\":\"drone\",\"keyframes\":[{\"frame\":0,\"x\":0,\"y\":0}]}]}",
        "{\"picture\":{\"width\":1280,\"height\":720},\"shots\":[" SHOT("0", "{\"frame\":0,\"x\":0,\"y\":0}") "]}",
    };
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const struct med_path like = {.width = 1920,
                                  .height = 1080,
                                  .window_width = 608,
                                  .window_height = 1080,
                                  .rate_num = 30,
                                  .rate_den = 1,
                                  .frames = 100};
    struct med_path path;
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct cs_err err = {0};
        assert_fails(med_path_read(bad[i], strlen(bad[i]), &like, arena, &path, &err), &err, CS_INVALID_ARGUMENT,
                     "bad_reframe_path");
    }
    static const char good[] =
        "{" HEAD "\"shots\":[" SHOT("0", "{\"frame\":10,\"x\":100,\"y\":0},{\"frame\":20,\"x\":131,"
                                         "\"y\":0}") "," SHOT("50", "{\"frame\":60,\"x\":7,\"y\":0}") "]}";
    struct cs_err err = {0};
    assert_ok(med_path_read(good, strlen(good), &like, arena, &path, &err), &err);
    static const int expected[][2] = {{0, 100},  {10, 100}, {11, 103}, {15, 116}, {19, 128},
                                      {20, 131}, {49, 131}, {50, 7},   {99, 7}};
    for (size_t i = 0; i < CS_COUNT(expected); i++) {
        int x = 0;
        int y = 0;
        med_path_at(&path, expected[i][0], &x, &y);
        assert_int_equal(x, expected[i][1]);
    }
}

TEST_MAIN(CS_TEST(a_still_scene_does_not_move_the_window), CS_TEST(what_crosses_the_picture_is_panned_after),
          CS_TEST(what_wanders_is_followed_and_stays_inside), CS_TEST(what_leaps_is_followed_without_a_jump),
          CS_TEST(the_window_jumps_only_where_a_shot_begins), CS_TEST(a_flash_is_no_cut_and_a_fade_is_none),
          CS_TEST(a_window_moves_down_as_well_as_along), CS_TEST(a_path_reads_back_as_it_was_written),
          CS_TEST(an_edited_path_is_checked))
