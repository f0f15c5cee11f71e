/* COVERS arithmetic.c, placement.c: sums, words and where layers end up. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/arithmetic.h"
#include "cs/base/auto.h"
#include "cs/placement.h"
#include "cs/test.h"

#define FIT(word) CALLSHEET__V1__LAYER_FIT__LAYER_FIT_##word

static const struct cs_size canvas = {1280, 720};
static const struct cs_size picture = {640, 480};
static const struct cs_arithmetic_name names[] = {{"iw", 1280}, {"ih", 720}, {"W", 1280}, {"w", 101}, {NULL, 0}};

TEST(sy_097_x6_sums_are_worked_out_as_they_are_written) {
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"20", 20},
        {" 1 + 2*3 ", 7},
        {"(1+2)*3", 9},
        {"10-4-3", 3},
        {"16/4/2", 2},
        {"iw/2-40", 600},
        {"W-w-20", 1159},
        {"-w", -101},
        {"--3", 3},
        {"2*-3", -6},
        {".5*ih", 360},
        {"1.25", 1.25},
        {"((((((((1))))))))", 1},
        {"0/5", 0},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        double value = NAN;
        struct cs_err err = {0};
        if (cs_arithmetic(cases[i].text, names, &value, &err) != CS_OK || fabs(value - cases[i].value) > 1e-9) {
            fail_msg("%s gives %g, %s", cases[i].text, value, err.message);
        }
    }
}

TEST(sy_097_x6_what_is_no_sum_is_refused_and_never_run) {
    static const char *const bad[] = {
        "",
        " ",
        "1/0",
        "1/(2-2)",
        "1+",
        "(1",
        "1)",
        "1 2",
        "full",
        "iW",
        "x",
        "0x10",
        "1e3",
        "1..2",
        ".",
        "2**3",
        "1%2",
        "nan",
        "inf",
        "w w",
        "W(2)",
        "system(1)",
        "1;2",
        "1,2",
        "1<2",
        "__a",
        "1\n+2",
        "iw/*",
        "1/0.0",
        "1/-0",
        "wW",
        "\xc3\xa4",
        "((((((((((((((((((1))))))))))))))))))",
        "----------------------------------1",
        ("1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
         "1"
         "11111111111111111111111111111111111111"),
    };
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        double value = 0;
        struct cs_err err = {0};
        if (cs_arithmetic(bad[i], names, &value, &err) == CS_OK) {
            fail_msg("\"%s\" is worked out as %g", bad[i], value);
        }
        assert_string_equal(err.reason, "bad_expression");
    }
}

struct placing {
    const char *words, *width, *height, *x, *y, *ratio;
    int padding;
    Callsheet__V1__LayerFit fit;
    int at_x, at_y, at_width, at_height;
};

static enum cs_status place(const struct placing *placing, struct cs_placed *ret_placed, struct cs_err *err) {
    Callsheet__V1__Placement placement = CALLSHEET__V1__PLACEMENT__INIT;
    Callsheet__V1__PlacementPosition position = CALLSHEET__V1__PLACEMENT_POSITION__INIT;
    Google__Protobuf__UInt32Value padding = GOOGLE__PROTOBUF__UINT32_VALUE__INIT;
#define SET(field, from)                                                                                               \
    if ((from) != NULL) {                                                                                              \
        (field) = (char *)(uintptr_t)(from);                                                                           \
    }
    SET(placement.words, placing->words)
    SET(placement.width, placing->width)
    SET(placement.height, placing->height)
    SET(placement.aspect_ratio, placing->ratio)
    SET(position.x, placing->x)
    SET(position.y, placing->y)
#undef SET
    placement.position = placing->x != NULL || placing->y != NULL ? &position : NULL;
    padding.value = (uint32_t)placing->padding;
    placement.padding = placing->padding != 0 ? &padding : NULL;
    return cs_placement(&placement, placing->fit, canvas, picture, ret_placed, err);
}

TEST(sy_097_m6_layers_lie_where_words_and_sums_say) {
    static const struct placing cases[] = {
        {.words = "full", .at_width = 1280, .at_height = 720},
        {.words = "center", .at_x = 320, .at_y = 120, .at_width = 640, .at_height = 480},
        {.words = "pip", .at_x = 940, .at_y = 520, .at_width = 320, .at_height = 180},
        {.words = "picture-in-picture", .at_x = 940, .at_y = 520, .at_width = 320, .at_height = 180},
        {.words = "w-1/2 h-1/3 top-right", .at_x = 640, .at_y = 0, .at_width = 640, .at_height = 240},
        {.words = "bottom-center h-1/3 w-1/2", .at_x = 320, .at_y = 480, .at_width = 640, .at_height = 240},
        {.words = "w-1/2", .at_x = 320, .at_y = 120, .at_width = 640, .at_height = 480},
        {.words = "h-1/2 left", .at_x = 0, .at_y = 180, .at_width = 480, .at_height = 360},
        {.words = "w-full h-full", .at_width = 1280, .at_height = 720},
        {.words = "top-left", .at_width = 640, .at_height = 480},
        {.words = "top", .at_x = 320, .at_width = 640, .at_height = 480},
        {.words = "top-center", .at_x = 320, .at_width = 640, .at_height = 480},
        {.words = "top-right", .at_x = 640, .at_width = 640, .at_height = 480},
        {.words = "left", .at_y = 120, .at_width = 640, .at_height = 480},
        {.words = "center-left", .at_y = 120, .at_width = 640, .at_height = 480},
        {.words = "right", .at_x = 640, .at_y = 120, .at_width = 640, .at_height = 480},
        {.words = "center-right", .at_x = 640, .at_y = 120, .at_width = 640, .at_height = 480},
        {.words = "bottom-left", .at_y = 240, .at_width = 640, .at_height = 480},
        {.words = "bottom", .at_x = 320, .at_y = 240, .at_width = 640, .at_height = 480},
        {.words = "bottom-right", .at_x = 640, .at_y = 240, .at_width = 640, .at_height = 480},
        {.words = "bottomRight w-1/4", .padding = 10, .at_x = 950, .at_y = 470, .at_width = 320, .at_height = 240},
        {.words = "w-1/3 h-1/7", .at_x = 426, .at_y = 308, .at_width = 426, .at_height = 102}, /* SY-098 */
        {.width = "iw/2",
         .height = "ih/2",
         .x = "W-w-21",
         .y = "20.9",
         .at_x = 618,
         .at_y = 20,
         .at_width = 640,
         .at_height = 360},
        {.width = "301",
         .x = "right",
         .y = "top",
         .padding = 5,
         .at_x = 974,
         .at_y = 4,
         .at_width = 300,
         .at_height = 224},
        {.width = "320", .ratio = "16:9", .at_x = 480, .at_y = 270, .at_width = 320, .at_height = 180},
        {.ratio = "1:1", .at_x = 280, .at_y = 0, .at_width = 720, .at_height = 720},
        {.words = "full", .fit = FIT(CONTAIN), .at_x = 160, .at_width = 960, .at_height = 720},
        {.words = "w-1/2 h-1/3 top-right", .fit = FIT(CONTAIN), .at_x = 960, .at_width = 320, .at_height = 240},
        {.width = "100",
         .height = "100",
         .x = "-50",
         .y = "H-50",
         .at_x = -50,
         .at_y = 670,
         .at_width = 100,
         .at_height = 100},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct cs_placed got = {0};
        struct cs_err err = {0};
        const struct placing *want = &cases[i];
        if (place(want, &got, &err) != CS_OK || got.x != want->at_x || got.y != want->at_y ||
            got.size.width != want->at_width || got.size.height != want->at_height) {
            fail_msg("case %zu (%s): %d,%d %dx%d instead of %d,%d %dx%d; %s", i, want->words, got.x, got.y,
                     got.size.width, got.size.height, want->at_x, want->at_y, want->at_width, want->at_height,
                     err.message);
        }
    }
}

TEST(sy_097_without_a_placement_a_layer_fills_the_canvas) {
    struct cs_placed got = {0};
    struct cs_err err = {0};
    assert_ok(cs_placement(NULL, FIT(UNSPECIFIED), canvas, picture, &got, &err), &err);
    assert_int_equal(got.size.width, 1280);
    assert_int_equal(got.size.height, 720);
    /* without a size, the biggest that the canvas holds */
    Callsheet__V1__Placement center = CALLSHEET__V1__PLACEMENT__INIT;
    assert_ok(cs_placement(&center, FIT(UNSPECIFIED), canvas, (struct cs_size){4000, 3000}, &got, &err), &err);
    assert_int_equal(got.size.width, 960);
    assert_int_equal(got.size.height, 720);
}

TEST(sy_097_bad_placements_are_refused_with_their_path) {
    static const struct {
        struct placing placing;
        const char *path;
        const char *reason;
    } cases[] = {
        {{.words = "middle-earth"}, "words", "unknown_word"},
        {{.words = "w-1/0"}, "words", "unknown_word"},
        {{.words = "w--1/2"}, "words", "unknown_word"},
        {{.words = "w-0/2"}, "words", "unknown_word"},
        {{.words = "w-1/2 w-1/3"}, "words", "one_of"},
        {{.words = "full pip"}, "words", "one_of"},
        {{.words = "top bottom"}, "words", "one_of"},
        {{.words = "w-1/2", .width = "100"}, "width", "one_of"},
        {{.words = "top", .x = "10"}, "position", "one_of"},
        {{.words = "w-10000/1"}, "width", "out_of_range"},
        {{.width = "1/0"}, "width", "bad_expression"},
        {{.width = "w-full"}, "width", "bad_expression"},
        {{.width = "-5"}, "width", "out_of_range"},
        {{.height = "99999"}, "height", "out_of_range"},
        {{.x = "w*900"}, "position.x", "out_of_range"},
        {{.y = "exec"}, "position.y", "bad_expression"},
        {{.width = "10", .ratio = "16x9"}, "aspectRatio", "bad_ratio"},
        {{.ratio = "1:0"}, "aspectRatio", "bad_ratio"},
        {{.words = "full", .ratio = "1:1"}, "aspectRatio", "one_of"},
        {{.padding = 5000}, "padding", "out_of_range"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct cs_placed got = {0};
        struct cs_err err = {0};
        assert_fails(place(&cases[i].placing, &got, &err), &err, CS_INVALID_ARGUMENT, cases[i].reason);
        assert_string_equal(err.path, cases[i].path);
    }
}

TEST(sy_097_keys_are_colours) {
    uint32_t rgb = 0;
    assert_true(cs_key_color("0x00FF00", &rgb) && rgb == 0x00FF00);
    assert_true(cs_key_color("#0000fe", &rgb) && rgb == 0x0000FE);
    assert_true(cs_key_color("f00000", &rgb) && rgb == 0xF00000);
    assert_false(cs_key_color("green", &rgb));
    assert_false(cs_key_color("0x#00FF00", &rgb));
    assert_false(cs_key_color("&H00FF00FF", &rgb));
}

/* ---- whatever is written ---- */

static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void scribble(uint32_t *state, const char *const *pieces, size_t count, char text[160]) {
    size_t used = 0;
    for (uint32_t left = next_random(state) % 9; left > 0; left--) {
        const char *piece = pieces[next_random(state) % count];
        int length = snprintf(text + used, 160 - used, "%s", piece);
        used += (size_t)length;
    }
    text[used] = '\0';
}

TEST(sy_098_random_placements_never_give_odd_negative_or_huge_sizes) {
    static const char *const words[] = {"w-",     "h-",  "1/2",    "full", " ",      " ",     "top",
                                        "-right", "pip", "3/7",    "0",    "center", "/",     "\x7f",
                                        "é",      "-",   "9999/1", "left", "w-1/3",  "h-9/2", " bottom-left"};
    static const char *const sums[] = {"1", "20", ".",  "+",  "-", "*", "/",     "(", ")",   "W",  "H",
                                       "w", "h",  "iw", "ih", "0", "e", "99999", " ", "7.5", "\t", "("};
    static const char *const ratios[] = {"16", ":", "9", "0", "/", "1e9", "-", "x"};
    uint32_t state = 20240229;
    size_t placed = 0;
    for (int round = 0; round < 200000; round++) {
        char text[6][160];
        struct cs_placed got = {0};
        struct cs_err err = {0};
        for (size_t i = 0; i < 6; i++) {
            scribble(&state,
                     i == 0   ? words
                     : i == 5 ? ratios
                              : sums,
                     i == 0   ? CS_COUNT(words)
                     : i == 5 ? CS_COUNT(ratios)
                              : CS_COUNT(sums),
                     text[i]);
        }
        uint32_t use = next_random(&state);
        const struct placing placing = {
            .words = use & 1 ? text[0] : NULL,
            .width = use & 2 ? text[1] : NULL,
            .height = use & 4 ? text[2] : NULL,
            .x = use & 8 ? text[3] : NULL,
            .y = use & 16 ? text[4] : NULL,
            .ratio = (use & 96) == 96 ? text[5] : NULL,
            .padding = (use & 384) == 384 ? (int)(use >> 9 & 0xfff) : 0,
            .fit = (Callsheet__V1__LayerFit)(use >> 21 & 3),
        };
        if (place(&placing, &got, &err) != CS_OK) {
            assert_int_equal(err.status, CS_INVALID_ARGUMENT);
            assert_true(err.path[0] != '\0');
            continue;
        }
        placed++;
        assert_true(got.size.width >= 2 && got.size.width <= CS_LAYER_SIDE_MAX && got.size.width % 2 == 0);
        assert_true(got.size.height >= 2 && got.size.height <= CS_LAYER_SIDE_MAX && got.size.height % 2 == 0);
        assert_true(abs(got.x) <= CS_LAYER_PLACE_MAX + 1 && abs(got.y) <= CS_LAYER_PLACE_MAX + 1);
        assert_true(got.x % 2 == 0 && got.y % 2 == 0);
    }
    print_message("%zu of 200000 random placements mean something\n", placed);
    assert_true(placed > 1000);
}

TEST_MAIN(CS_TEST(sy_097_x6_sums_are_worked_out_as_they_are_written),
          CS_TEST(sy_097_x6_what_is_no_sum_is_refused_and_never_run),
          CS_TEST(sy_097_m6_layers_lie_where_words_and_sums_say),
          CS_TEST(sy_097_without_a_placement_a_layer_fills_the_canvas),
          CS_TEST(sy_097_bad_placements_are_refused_with_their_path), CS_TEST(sy_097_keys_are_colours),
          CS_TEST(sy_098_random_placements_never_give_odd_negative_or_huge_sizes))
