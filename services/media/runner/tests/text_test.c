/* COVERS ops/overlay_text.c lower_third.c, captions/titles.c, brand's times: texts where and when they are asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"

enum { WIDTH = 320, HEIGHT = 180, BLACK_MAX = 40, INK_MIN = 150 };

static const char black_film[] = "-f lavfi -i color=black:s=320x180:r=25:d=1";

struct ink {
    int left, right, top, bottom; /* of what is bright; left > right: nothing */
};

static struct ink ink_of(const uint8_t *grey, size_t frame) {
    struct ink ink = {.left = WIDTH, .right = -1, .top = HEIGHT, .bottom = -1};
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            if (grey[(frame * HEIGHT + (size_t)y) * WIDTH + (size_t)x] >= INK_MIN) {
                ink.left = x < ink.left ? x : ink.left;
                ink.right = x > ink.right ? x : ink.right;
                ink.top = y < ink.top ? y : ink.top;
                ink.bottom = y > ink.bottom ? y : ink.bottom;
            }
        }
    }
    return ink;
}

static bool has_ink(const struct ink *ink) {
    return ink->right >= ink->left;
}

static uint8_t *draw(struct studio *studio, const char *film, const char *text, size_t *ret_frames) {
    const char *plan =
        cs_arena_sprintf(studio->arena, "{\"overlayText\":{\"video\":{\"input\":1},\"texts\":[%s]}}", text);
    studio_must(studio, plan, "out.mp4", (const char *[]){film, NULL});
    return studio_grey(studio, "out.mp4", WIDTH, HEIGHT, ret_frames);
}

TEST(ex_037_texts_stand_at_their_places_with_a_margin) {
    static const struct {
        const char *position;
        int column, row;
    } cases[] = {{"top_left", -1, -1},  {"top-center", 0, -1}, {"top_right", 1, -1},
                 {"center", 0, 0},      {"bottomLeft", -1, 1}, {"", 0, 1},
                 {"bottom-right", 1, 1}};
    enum { MARGIN = 50 / 6, LINE = 60 }; /* the canvas has 1080 lines, the film 180 */
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", "-f lavfi -i color=black:s=320x180:r=25:d=0.2");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        size_t frames = 0;
        const char *text = cs_arena_sprintf(
            studio.arena, "{\"text\":\"HXH\",\"fontSize\":120,\"position\":\"%s\",\"fadeIn\":0,\"fadeOut\":0}",
            cases[i].position);
        CS_AUTO_FREE uint8_t *grey = draw(&studio, film, text, &frames);
        assert_int_equal(frames, 5);
        struct ink ink = ink_of(grey, 2);
        assert_true(has_ink(&ink));
        int middle_x = (ink.left + ink.right) / 2;
        bool x_right = cases[i].column < 0   ? ink.left >= MARGIN && ink.left < MARGIN + 8
                       : cases[i].column > 0 ? ink.right < WIDTH - MARGIN && ink.right >= WIDTH - MARGIN - 8
                                             : abs(middle_x - WIDTH / 2) <= 2;
        bool y_right = cases[i].row < 0   ? ink.top >= MARGIN && ink.bottom < LINE
                       : cases[i].row > 0 ? ink.bottom < HEIGHT - MARGIN && ink.top >= HEIGHT - LINE
                                          : abs((ink.top + ink.bottom) / 2 - HEIGHT / 2) <= 4;
        if (!x_right || !y_right) {
            fail_msg("\"%s\" is at %d…%d, %d…%d", cases[i].position, ink.left, ink.right, ink.top, ink.bottom);
        }
    }
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *grey = draw(
        &studio, film, "{\"text\":\"HXH\",\"at\":{\"x\":\"W/2\",\"y\":\"H/3\"},\"fadeIn\":0,\"fadeOut\":0}", &frames);
    struct ink ink = ink_of(grey, 2);
    assert_true(ink.left >= 160 && ink.left <= 164 && ink.top >= 60 && ink.bottom < 72);
}

TEST(ex_037_a_text_is_there_from_its_start_to_its_end_to_the_frame) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    static const char *const rates[] = {"25", "30000/1001", "24000/1001", "60"};
    static const int num[] = {25, 30000, 24000, 60};
    static const int den[] = {1, 1001, 1001, 1};
    for (size_t i = 0; i < CS_COUNT(rates); i++) {
        size_t frames = 0;
        const char *film =
            studio_make(&studio, "film.mp4",
                        cs_arena_sprintf(studio.arena, "-f lavfi -i color=black:s=320x180:r=%s:d=1", rates[i]));
        CS_AUTO_FREE uint8_t *grey =
            draw(&studio, film,
                 "{\"text\":\"HXH\",\"fontSize\":200,\"start\":0.21,\"end\":0.6,\"fadeIn\":0,\"fadeOut\":0}", &frames);
        size_t first = (size_t)(0.21 * num[i] / den[i] + 0.5);
        size_t last = (size_t)(0.6 * num[i] / den[i] + 0.5);
        for (size_t frame = 0; frame < frames; frame++) {
            struct ink ink = ink_of(grey, frame);
            if (has_ink(&ink) != (frame >= first && frame < last)) {
                fail_msg("at %s, frame %zu is wrong (%zu to %zu)", rates[i], frame, first, last);
            }
        }
    }
}

static int brightest(const uint8_t *grey, size_t frame) {
    int most = 0;
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++) {
        int level = grey[frame * WIDTH * HEIGHT + i];
        most = level > most ? level : most;
    }
    return most;
}

TEST(ex_037_texts_fade_in_and_out) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    size_t frames = 0;
    const char *film = studio_make(&studio, "film.mp4", "-f lavfi -i color=black:s=320x180:r=25:d=2");
    CS_AUTO_FREE uint8_t *grey =
        draw(&studio, film, "{\"text\":\"HHH\",\"fontSize\":300,\"position\":\"center\"}", &frames);
    assert_int_equal(frames, 50);
    assert_true(brightest(grey, 0) < BLACK_MAX);
    assert_true(brightest(grey, 6) > 90 && brightest(grey, 6) < 170); /* half of 0.5 s */
    assert_true(brightest(grey, 25) > 230);
    assert_true(brightest(grey, 43) > 90 && brightest(grey, 43) < 190);
    assert_true(brightest(grey, 49) < 60);
}

TEST(ex_037_a_box_has_its_colour_and_opacity) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    size_t frames = 0;
    const char *film = studio_make(&studio, "film.mp4", black_film);
    CS_AUTO_FREE uint8_t *grey = draw(&studio, film,
                                      "{\"text\":\"H\",\"color\":\"white\",\"boxColor\":\"#FFFFFF\",\"padding\":100,"
                                      "\"opacity\":0.5,\"position\":\"center\",\"fadeIn\":0,\"fadeOut\":0}",
                                      &frames);
    int got = grey[((size_t)2 * HEIGHT + 90) * WIDTH + 160 - 16];
    assert_true(abs(got - 128) <= 5);
    assert_true(grey[((size_t)2 * HEIGHT + 90) * WIDTH + 20] < BLACK_MAX);
}

TEST(ex_037_no_text_is_read_as_markup) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    size_t frames = 0;
    const char *film = studio_make(&studio, "film.mp4", "-f lavfi -i color=black:s=320x180:r=25:d=0.2");
    CS_AUTO_FREE uint8_t *grey =
        draw(&studio, film,
             "{\"text\":\"{\\\\an8\\\\pos(100,20)}X\\\\N\\nDialogue: 0,0:00:00.00,9:00:00.00,T0,,0,0,0,,{\\\\an8}Y\","
             "\"fadeIn\":0,\"fadeOut\":0}",
             &frames);
    struct ink ink = ink_of(grey, 2);
    assert_true(has_ink(&ink));
    assert_true(ink.top > HEIGHT / 2); /* nothing of it moved to the top */
}

TEST(ex_037_scripts_of_all_directions_are_drawn) {
    static const char *const texts[] = {"مرحبا بالعالم", "שלום עולם",  "字幕テスト",
                                        "자막 시험",     "नमस्ते दुनिया", "Привет 👋"};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", "-f lavfi -i color=black:s=320x180:r=25:d=0.2");
    for (size_t i = 0; i < CS_COUNT(texts); i++) {
        size_t frames = 0;
        const char *text =
            cs_arena_sprintf(studio.arena, "{\"text\":\"%s\",\"fontSize\":150,\"fadeIn\":0,\"fadeOut\":0}", texts[i]);
        CS_AUTO_FREE uint8_t *grey = draw(&studio, film, text, &frames);
        struct ink ink = ink_of(grey, 2);
        if (!has_ink(&ink) || ink.right - ink.left < 40) {
            fail_msg("nothing is seen of %s", texts[i]);
        }
    }
}

TEST(ex_037_bad_texts_are_refused_with_their_path) {
    static const struct {
        const char *text;
        const char *path;
        const char *reason;
    } cases[] = {
        {"{\"text\":\"\"}", "texts[0].text", "out_of_range"},
        {"{\"text\":\"a\",\"position\":\"aside\"}", "texts[0].position", "unknown_word"},
        {"{\"text\":\"a\",\"at\":{\"x\":\"1/0\"}}", "texts[0].at.x", "bad_expression"},
        {"{\"text\":\"a\",\"at\":{\"y\":\"W*100\"}}", "texts[0].at.y", "out_of_range"},
        {"{\"text\":\"a\",\"color\":\"mud\"}", "texts[0].color", "bad_color"},
        {"{\"text\":\"a\",\"fontSize\":4000}", "texts[0].fontSize", "out_of_range"},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", black_film);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *plan =
            cs_arena_sprintf(studio.arena, "{\"overlayText\":{\"video\":{\"input\":1},\"texts\":[%s]}}", cases[i].text);
        assert_fails(studio_run(&studio, plan, "out.mp4", (const char *[]){film, NULL}), &studio.err,
                     CS_INVALID_ARGUMENT, cases[i].reason);
        assert_string_equal(studio.err.path, cases[i].path);
    }
}

TEST(ta_046_a_logo_is_there_from_its_start_to_its_end_to_the_frame) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", black_film);
    const char *logo = studio_make(&studio, "logo.png", "-f lavfi -i color=white:s=64x64 -frames:v 1");
    studio_must(&studio,
                "{\"brand\":{\"video\":{\"input\":1},\"logo\":{\"input\":2},\"logoOpacity\":1,\"logoStart\":0.2,"
                "\"logoEnd\":0.6}}",
                "out.mp4", (const char *[]){film, logo, NULL});
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "out.mp4", WIDTH, HEIGHT, &frames);
    assert_int_equal(frames, 25);
    for (size_t frame = 0; frame < frames; frame++) {
        struct ink ink = ink_of(grey, frame);
        if (has_ink(&ink) != (frame >= 5 && frame < 15)) {
            fail_msg("frame %zu is wrong", frame);
        }
    }
    assert_fails(
        studio_run(&studio,
                   "{\"brand\":{\"video\":{\"input\":1},\"logo\":{\"input\":2},\"logoStart\":2,\"logoEnd\":1}}",
                   "out.mp4", (const char *[]){film, logo, NULL}),
        &studio.err, CS_INVALID_ARGUMENT, "out_of_range");
    assert_string_equal(studio.err.path, "logoEnd");
}

TEST(ta_046_a_lower_third_comes_from_its_side_and_goes) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", "-f lavfi -i color=black:s=320x180:r=25:d=3");
    static const struct {
        const char *how;
        bool slides, fades;
    } cases[] = {{"\"animation\":\"slide\"", true, false},
                 {"\"animation\":\"fade\",\"style\":\"plain\"", false, true},
                 {"\"animation\":\"none\",\"style\":\"box\",\"accentColor\":\"blue\"", false, false}};
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *plan =
            cs_arena_sprintf(studio.arena,
                             "{\"brand\":{\"video\":{\"input\":1},\"lowerThird\":{\"title\":\"Ada Lovelace\","
                             "\"subtitle\":\"Analyst\",\"start\":0.4,\"duration\":1.6,%s}}}",
                             cases[i].how);
        studio_must(&studio, plan, "out.mp4", (const char *[]){film, NULL});
        size_t frames = 0;
        CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "out.mp4", WIDTH, HEIGHT, &frames);
        assert_int_equal(frames, 75);
        struct ink before = ink_of(grey, 9);
        struct ink coming = ink_of(grey, 16);
        struct ink there = ink_of(grey, 30);
        struct ink after = ink_of(grey, 50);
        assert_false(has_ink(&before));
        assert_true(has_ink(&there));
        assert_true(there.top > HEIGHT * 6 / 10 && there.bottom < HEIGHT - 15);
        assert_true(there.left >= 10 && there.left < 40 && there.right < WIDTH / 2 + 20);
        assert_false(has_ink(&after));
        assert_true(cases[i].fades || (coming.right < there.right - 4) == cases[i].slides);
    }
    assert_fails(studio_run(&studio,
                            "{\"brand\":{\"video\":{\"input\":1},\"lowerThird\":{\"title\":\"A\",\"style\":\"neon\"}}}",
                            "out.mp4", (const char *[]){film, NULL}),
                 &studio.err, CS_INVALID_ARGUMENT, "unknown_word");
    assert_string_equal(studio.err.path, "lowerThird.style");
}

TEST_MAIN(CS_TEST(ex_037_texts_stand_at_their_places_with_a_margin),
          CS_TEST(ex_037_a_text_is_there_from_its_start_to_its_end_to_the_frame), CS_TEST(ex_037_texts_fade_in_and_out),
          CS_TEST(ex_037_a_box_has_its_colour_and_opacity), CS_TEST(ex_037_no_text_is_read_as_markup),
          CS_TEST(ex_037_scripts_of_all_directions_are_drawn), CS_TEST(ex_037_bad_texts_are_refused_with_their_path),
          CS_TEST(ta_046_a_logo_is_there_from_its_start_to_its_end_to_the_frame),
          CS_TEST(ta_046_a_lower_third_comes_from_its_side_and_goes))
