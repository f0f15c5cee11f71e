/* COVERS ops/gif.c, graph/animation.c */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

enum { WIDTH = 160, HEIGHT = 120 };

/* 4 s: red, then blue from the third on. */
static const char *make_two_colors(struct studio *studio) {
    return studio_make(studio, "two.mp4",
                       "-f lavfi -i \"color=red:s=160x120:r=25:d=2[a];color=blue:s=160x120:r=25:d=2[b];[a][b]concat\" "
                       "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -colorspace bt709 -color_range tv");
}

static void assert_color(const uint8_t *rgb, size_t frame, int red, int blue) {
    const uint8_t *pixel = rgb + (frame * WIDTH * HEIGHT + WIDTH * HEIGHT / 2 + WIDTH / 2) * 3;
    if (abs(pixel[0] - red) > 24 || pixel[1] > 24 || abs(pixel[2] - blue) > 24) {
        fail_msg("frame %zu is %d,%d,%d", frame, pixel[0], pixel[1], pixel[2]);
    }
}

TEST(a_stretch_becomes_a_gif_of_its_frames_and_colors) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = make_two_colors(&studio);
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio, "{\"gif\":{\"video\":{\"input\":1},\"start\":1,\"duration\":2,\"fps\":10}}", "out.gif", INPUTS(input));
    size_t frames = 0;
    assert_int_equal(facts->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE);
    assert_int_equal(facts->video->width, WIDTH); /* not enlarged to 480 */
    CS_AUTO_FREE uint8_t *rgb = studio_rgb(&studio, "out.gif", WIDTH, HEIGHT, &frames);
    assert_int_equal(frames, 20);
    assert_color(rgb, 0, 255, 0);
    assert_color(rgb, 9, 255, 0);
    assert_color(rgb, 10, 0, 255);
    assert_color(rgb, 19, 0, 255);
}

/* "NETSCAPE2.0", 3, 1 and how often it comes again. */
static int loop_of(struct studio *studio, const char *name) {
    char bytes[1024] = {0};
    FILE *file = fopen(studio_path(studio, name), "rb");
    assert_non_null(file);
    size_t got = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    const uint8_t *found = memmem(bytes, got, "NETSCAPE2.0", 11);
    return found == NULL ? -1 : found[13] + 256 * found[14];
}

TEST(a_gif_is_shown_as_often_as_asked_for) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = make_two_colors(&studio);
    static const struct {
        int loop;
        int again;
    } cases[] = {{0, 0}, {1, -1}, {3, 2}};
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *json = cs_arena_sprintf(
            studio.arena, "{\"gif\":{\"video\":{\"input\":1},\"duration\":0.3,\"loop\":%d}}", cases[i].loop);
        studio_must(&studio, json, "loop.gif", INPUTS(input));
        assert_int_equal(loop_of(&studio, "loop.gif"), cases[i].again);
    }
}

TEST(a_moving_webp_has_the_size_asked_for) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = make_two_colors(&studio);
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio, "{\"gif\":{\"video\":{\"input\":1},\"width\":80,\"start\":1,\"duration\":2,\"format\":\"webp\"}}",
        "out.webp", INPUTS(input));
    char head[40] = {0};
    assert_int_equal(facts->video->width, 80);
    assert_int_equal(facts->video->height, 60);
    FILE *file = fopen(studio_path(&studio, "out.webp"), "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof(head), file), sizeof(head));
    (void)fclose(file);
    assert_memory_equal(head, "RIFF", 4);
    assert_memory_equal(head + 8, "WEBPVP8X", 8);
    assert_true((head[20] & 2) != 0); /* it moves */
}

TEST(what_cannot_be_a_gif_is_refused_with_its_path) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = make_two_colors(&studio);
    static const struct {
        const char *params;
        const char *path;
        const char *reason;
    } cases[] = {{"\"start\":5", "start", "out_of_range"},
                 {"\"duration\":90", "duration", "out_of_range"},
                 {"\"fps\":99", "fps", "out_of_range"}};
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *json = cs_arena_sprintf(studio.arena, "{\"gif\":{\"video\":{\"input\":1},%s}}", cases[i].params);
        assert_fails(studio_run(&studio, json, "out.gif", INPUTS(input)), &studio.err, CS_INVALID_ARGUMENT,
                     cases[i].reason);
        assert_string_equal(studio.err.path, cases[i].path);
    }
}

TEST(a_gif_of_too_many_pictures_is_refused) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = studio_make(&studio, "long.mp4", "-f lavfi -i color=red:s=32x32:r=10:d=61 -preset ultrafast");
    assert_fails(
        studio_run(&studio, "{\"gif\":{\"video\":{\"input\":1},\"duration\":60,\"fps\":50}}", "out.gif", INPUTS(input)),
        &studio.err, CS_INVALID_ARGUMENT, "too_long");
}

TEST_MAIN(CS_TEST(a_stretch_becomes_a_gif_of_its_frames_and_colors), CS_TEST(a_gif_is_shown_as_often_as_asked_for),
          CS_TEST(a_moving_webp_has_the_size_asked_for), CS_TEST(what_cannot_be_a_gif_is_refused_with_its_path),
          CS_TEST(a_gif_of_too_many_pictures_is_refused))
