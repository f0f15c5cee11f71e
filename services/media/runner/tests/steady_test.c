/* COVERS steady/: how a camera moved, and how its pictures are moved back. */
#include <math.h>
#include <stdlib.h>

#include "cs/base/auto.h"
#include "cs/test.h"
#include "steady/steady.h"

enum { W = 320, H = 180 };

/* A texture of waves and dots that is there at any place, not only at whole pixels. */
static double scene(double x, double y) {
    double waves = sin(x * 0.31) * cos(y * 0.27) + sin(x * 0.11 + y * 0.17) + cos(x * 0.053 - y * 0.23);
    double dots = sin(x * 0.6 + 2 * sin(y * 0.21)) * sin(y * 0.5 + sin(x * 0.13));
    return 128 + 25 * waves + 30 * dots;
}

/* The scene, moved and turned. */
static void film(uint8_t *grey, double dx, double dy, double angle) {
    double cosine = cos(angle);
    double sine = sin(angle);
    for (int i = 0; i < W * H; i++) {
        double x = i % W - W / 2.0 - dx;
        double y = i / W - H / 2.0 - dy;
        grey[i] = (uint8_t)lround(scene(cosine * x + sine * y, cosine * y - sine * x));
    }
}

TEST(known_motions_are_measured) {
    static uint8_t before[W * H];
    static uint8_t now[W * H];
    static const double motions[][3] = {{0, 0, 0},     {3, -2, 0},   {0.5, 0.25, 0},      {-7.3, 4.6, 0},   {14, 9, 0},
                                        {-25, -13, 0}, {0, 0, 0.01}, {2.4, -1.2, -0.015}, {-10, 5.5, 0.005}};
    film(before, 0, 0, 0);
    for (size_t i = 0; i < CS_COUNT(motions); i++) {
        struct med_motion motion;
        film(now, motions[i][0], motions[i][1], motions[i][2]);
        assert_true(med_motion_between(before, now, W, H, &motion));
        assert_true(fabs(motion.x - motions[i][0]) < 0.15);
        assert_true(fabs(motion.y - motions[i][1]) < 0.15);
        assert_true(fabs(motion.angle - motions[i][2]) < 0.001);
    }
}

TEST(what_moves_by_itself_is_outvoted) {
    static uint8_t before[W * H];
    static uint8_t now[W * H];
    struct med_motion motion;
    film(before, 0, 0, 0);
    film(now, 2, 1, 0);
    for (int y = 50; y < 130; y++) {
        for (int x = 100; x < 200; x++) {
            before[y * W + x] = (uint8_t)lround(scene(x * 2, y * 2));
            now[y * W + x] = (uint8_t)lround(scene((x - 6) * 2, (y + 4) * 2));
        }
    }
    assert_true(med_motion_between(before, now, W, H, &motion));
    assert_true(fabs(motion.x - 2) < 0.3 && fabs(motion.y - 1) < 0.3);
}

TEST(pictures_without_anything_in_common_did_not_move) {
    static uint8_t before[W * H];
    static uint8_t now[W * H];
    struct med_motion motion;
    film(before, 0, 0, 0);
    for (int i = 0; i < W * H; i++) {
        now[i] = (uint8_t)((unsigned)i * 2654435761U >> 24);
    }
    assert_false(med_motion_between(before, now, W, H, &motion));
    assert_true(motion.x == 0 && motion.y == 0 && motion.angle == 0);
    for (int i = 0; i < W * H; i++) { /* flat: nothing to hold on to */
        before[i] = now[i] = 100;
    }
    assert_false(med_motion_between(before, now, W, H, &motion));
}

TEST(a_shaken_way_becomes_a_smooth_one_within_the_zoom) {
    struct med_steady_step steps[200] = {{{0}, false}};
    double way[200];
    double rest = 0;
    double shake = 0;
    for (int i = 0; i < 200; i++) {
        way[i] = 0.4 * i + 3 * sin(i * 1.9) + 2 * sin(i * 2.7);
        steps[i].begins = i == 0;
        steps[i].motion.x = i == 0 ? 0 : way[i] - way[i - 1];
    }
    double zoom = med_steady_plan(steps, 200, W, H, 9);
    for (int i = 10; i < 190; i++) {
        double moved = way[i] - steps[i].motion.x - (way[i - 1] - steps[i - 1].motion.x);
        rest += (moved - 0.4) * (moved - 0.4);
        shake += (way[i] - way[i - 1] - 0.4) * (way[i] - way[i - 1] - 0.4);
    }
    assert_true(sqrt(rest / shake) < 0.1);
    assert_true(zoom > 1.01 && zoom <= MED_STEADY_ZOOM_MAX);
}

TEST(a_wild_way_is_followed_as_far_as_the_zoom_allows) {
    struct med_steady_step steps[100] = {{{0}, false}};
    for (int i = 0; i < 100; i++) {
        steps[i].begins = i == 0 || i == 50;
        steps[i].motion = (struct med_motion){i % 2 == 0 ? 90 : -90, i % 3 == 0 ? 60 : -30, i % 2 == 0 ? 0.3 : -0.3};
    }
    double zoom = med_steady_plan(steps, 100, W, H, 10);
    assert_true(zoom > 1.1 && zoom <= MED_STEADY_ZOOM_MAX + 1e-9);
    for (int i = 0; i < 100; i++) {
        assert_true(fabs(steps[i].motion.x) <= W / 2.0 * 0.2 && fabs(steps[i].motion.y) <= H / 2.0 * 0.2);
    }
}

TEST_MAIN(CS_TEST(known_motions_are_measured), CS_TEST(what_moves_by_itself_is_outvoted),
          CS_TEST(pictures_without_anything_in_common_did_not_move),
          CS_TEST(a_shaken_way_becomes_a_smooth_one_within_the_zoom),
          CS_TEST(a_wild_way_is_followed_as_far_as_the_zoom_allows))
