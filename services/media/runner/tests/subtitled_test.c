/* COVERS ops/add_subtitles.c, captions/: subtitles of all kinds, in the picture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"

enum { WIDTH = 320, HEIGHT = 180, PIXELS = WIDTH * HEIGHT, RATE = 10 };

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

static const char *make_grey(struct studio *studio) {
    return studio_make(studio, "grey.mp4",
                       "-f lavfi -i color=0x606060:s=320x180:r=10:d=4 -f lavfi -i sine=440:d=4 -c:v libx264 "
                       "-preset ultrafast -pix_fmt yuv420p -colorspace bt709");
}

static const char *write_text(struct studio *studio, const char *name, const char *text) {
    return studio_write(studio, name, text, strlen(text));
}

/* Where a frame differs from the first one, which shows nothing. */
struct extent {
    size_t pixels;
    int left, right, top, bottom;
};

static struct extent drawn(const uint8_t *grey, size_t frame) {
    struct extent extent = {.left = WIDTH, .top = HEIGHT, .right = -1, .bottom = -1};
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            size_t at = (size_t)(y * WIDTH + x);
            if (abs(grey[frame * PIXELS + at] - grey[at]) > 24) {
                extent.pixels++;
                extent.left = x < extent.left ? x : extent.left;
                extent.right = x > extent.right ? x : extent.right;
                extent.top = y < extent.top ? y : extent.top;
                extent.bottom = y > extent.bottom ? y : extent.bottom;
            }
        }
    }
    return extent;
}

static uint8_t *subtitled(struct studio *studio, const char *file, const char *params) {
    size_t frames = 0;
    const char *clip = make_grey(studio);
    const char *plan = cs_arena_sprintf(
        studio->arena, "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":2}%s}}", params);
    (void)studio_must(studio, plan, "out.mp4", INPUTS(clip, file));
    uint8_t *grey = studio_grey(studio, "out.mp4", WIDTH, HEIGHT, &frames);
    assert_int_equal(frames, 40);
    return grey;
}

static double metric(const struct studio *studio, const char *name) {
    for (size_t i = 0; i < studio->done->n_metrics; i++) {
        if (strcmp(studio->done->metrics[i]->name, name) == 0) {
            return studio->done->metrics[i]->value;
        }
    }
    return -1;
}

static char *text_of(struct studio *studio, const char *name) {
    char text[8192];
    FILE *file = fopen(studio_path(studio, name), "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    (void)fclose(file);
    return cs_arena_strdup(studio->arena, text);
}

static const char two_cues[] = "1\n00:00:01,000 --> 00:00:02,000\nHi\n\n"
                               "2\n00:00:02,500 --> 00:00:03,500\nTwo lines of\n<i>this subtitle</i> here\n";

TEST(cues_of_a_file_are_shown_when_and_as_they_are) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    CS_AUTO_FREE uint8_t *grey = subtitled(&studio, write_text(&studio, "two.srt", two_cues), "");
    struct extent one = drawn(grey, 15);
    struct extent two = drawn(grey, 30);
    assert_int_equal(drawn(grey, 5).pixels, 0);
    assert_int_equal(drawn(grey, 22).pixels, 0);
    assert_int_equal(drawn(grey, 38).pixels, 0);
    assert_true(one.pixels > 20 && one.top > HEIGHT / 2);
    assert_true(two.bottom - two.top > 3 * (one.bottom - one.top) / 2); /* two lines */
    assert_true(two.right - two.left > 2 * (one.right - one.left));
    assert_true(metric(&studio, "droppedCues") == 0 && metric(&studio, "malformedTimes") == 0);
}

TEST(the_plan_may_group_the_words_of_a_file_anew) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    CS_AUTO_FREE uint8_t *grey =
        subtitled(&studio, write_text(&studio, "two.srt", two_cues), ",\"style\":{\"wordsPerCaption\":1}");
    struct extent early = drawn(grey, 26);
    struct extent late = drawn(grey, 34);
    assert_true(early.pixels > 20 && late.pixels > 20);
    assert_true(early.right - early.left < WIDTH / 3 && late.right - late.left < WIDTH / 3);
}

TEST(subtitles_are_given_as_files_of_all_kinds_when_asked_for) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_grey(&studio);
    const char *file = write_text(&studio, "two.srt", two_cues);
    assert_ok(studio_run(&studio,
                         "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":2},\"subtitleFiles\":"
                         "true,\"language\":\"de\"}}",
                         "out.mp4", INPUTS(clip, file)),
              &studio.err);
    assert_int_equal(studio.done->n_outputs, 5);
    assert_int_equal(studio.done->outputs[1]->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT);
    assert_string_equal(text_of(&studio, "subtitles.srt"),
                        "1\n00:00:01,000 --> 00:00:02,000\nHi\n\n"
                        "2\n00:00:02,500 --> 00:00:03,500\nTwo lines of\n<i>this subtitle</i> here\n\n");
    assert_non_null(strstr(text_of(&studio, "subtitles.vtt"), "00:00:02.500 --> 00:00:03.500\nTwo lines of\n<i>this"));
    assert_non_null(
        strstr(text_of(&studio, "subtitles.ass"),
               "Dialogue: 0,0:00:02.50,0:00:03.50,Default,,0,0,0,,Two lines of\\N{\\i1}this subtitle{\\i0} "));
    assert_non_null(strstr(text_of(&studio, "transcript.json"), "\"language\": \"de\""));
}

TEST_MAIN(CS_TEST(cues_of_a_file_are_shown_when_and_as_they_are), CS_TEST(the_plan_may_group_the_words_of_a_file_anew),
          CS_TEST(subtitles_are_given_as_files_of_all_kinds_when_asked_for))
