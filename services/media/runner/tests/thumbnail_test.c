/* COVERS ops/thumbnail.c, graph/tiles.c */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

enum { WIDTH = 160, HEIGHT = 120 };

/* 8 s at 25 a second; each is brighter by 1 than the one before: 20 … 219. */
static const char *make_ramp(struct studio *studio) {
    return studio_make(studio, "ramp.mp4",
                       "-f lavfi -i \"nullsrc=s=160x120:r=25:d=8,geq=lum='20+N':cb=128:cr=128\" -c:v libx264 -preset "
                       "ultrafast -crf 4 -g 50 -pix_fmt yuv420p -colorspace bt709 -color_range tv");
}

/* The first frame whose brightness is nearest to that of an area. */
static int frame_of(const uint8_t *grey, int stride, int x, int y, int width, int height) {
    unsigned long sum = 0;
    for (int i = y + 4; i < y + height - 4; i++) {
        for (int j = x + 4; j < x + width - 4; j++) {
            sum += grey[i * stride + j];
        }
    }
    double mean = (double)sum / ((width - 8) * (height - 8));
    return (int)(mean * 219 / 255 + 16 - 20 + 0.5); /* a picture's range is full */
}

TEST(sy_105_a_picture_is_of_its_time) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *ramp = make_ramp(&studio);
    static const struct {
        const char *time;
        int frame;
    } cases[] = {{"", 25}, {"0", 0}, {"3", 75}, {"0:00:05.2", 130}, {"50%", 100}, {"100%", 199}, {"3600", 199}};
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        size_t frames = 0;
        const char *json = cs_arena_sprintf(
            studio.arena, "{\"thumbnail\":{\"video\":{\"input\":1},\"format\":\"png\",\"time\":\"%s\"}}",
            cases[i].time);
        const Callsheet__V1__MediaFacts *facts = studio_must(&studio, json, "thumbnail.png", INPUTS(ramp));
        assert_int_equal(facts->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE);
        CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "thumbnail.png", WIDTH, HEIGHT, &frames);
        int frame = frame_of(grey, WIDTH, 0, 0, WIDTH, HEIGHT);
        if (abs(frame - cases[i].frame) > 2) {
            fail_msg("\"%s\" gave frame %d", cases[i].time, frame);
        }
    }
}

TEST(pictures_come_in_three_formats_and_are_not_enlarged) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *ramp = make_ramp(&studio);
    static const char *const kinds[][2] = {{"jpg", "mjpeg"}, {"png", "png"}, {"webp", "webp"}};
    for (size_t i = 0; i < CS_COUNT(kinds); i++) {
        const char *json =
            cs_arena_sprintf(studio.arena, "{\"thumbnail\":{\"video\":{\"input\":1},\"format\":\"%s\",\"width\":%d}}",
                             kinds[i][0], i == 0 ? 80 : 900);
        const char *name = cs_arena_sprintf(studio.arena, "thumbnail.%s", kinds[i][0]);
        const Callsheet__V1__MediaFacts *facts = studio_must(&studio, json, name, INPUTS(ramp));
        assert_string_equal(facts->video->codec, kinds[i][1]);
        assert_int_equal(facts->video->width, i == 0 ? 80 : WIDTH);
        assert_int_equal(facts->video->height, i == 0 ? 60 : HEIGHT);
    }
}

TEST(the_best_picture_is_sharp_and_not_black) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip =
        studio_make(&studio, "clip.mp4",
                    "-f lavfi -i color=black:s=160x120:r=25:d=3 -f lavfi -i mandelbrot=s=160x120:r=25:maxiter=200 "
                    "-f lavfi -i color=gray:s=160x120:r=25:d=3 -filter_complex "
                    "\"[1]trim=duration=2[m];[0][m][2]concat=n=3\" -c:v libx264 -preset ultrafast -pix_fmt yuv420p");
    (void)studio_must(&studio, "{\"thumbnail\":{\"video\":{\"input\":1},\"mode\":\"best\"}}", "thumbnail.jpg",
                      INPUTS(clip));
    assert_string_equal(studio.done->metrics[0]->name, "time");
    double time = studio.done->metrics[0]->value;
    if (time < 3 || time >= 5) {
        fail_msg("the best picture is at %g s", time);
    }
}

TEST(a_sprite_has_a_storyboard_that_leads_to_its_tiles) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *ramp = make_ramp(&studio);
    size_t frames = 0;
    assert_ok(studio_run(&studio,
                         "{\"thumbnail\":{\"video\":{\"input\":1},\"mode\":\"sprite\",\"format\":\"png\",\"width\":40,"
                         "\"columns\":4,\"rows\":2}}",
                         "thumbnail.png", INPUTS(ramp)),
              &studio.err);
    assert_int_equal(studio.done->n_outputs, 2);
    assert_int_equal(studio.done->outputs[0]->video->width, 160);
    assert_int_equal(studio.done->outputs[0]->video->height, 60);
    CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "thumbnail.png", 160, 60, &frames);
    FILE *file = fopen(studio_path(&studio, "storyboard.vtt"), "r");
    assert_non_null(file);
    char line[128];
    int cue = 0;
    int x = 0, y = 0, width = 0, height = 0, from = 0, to = 0;
    assert_string_equal(fgets(line, sizeof(line), file), "WEBVTT\n");
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "00:00:%d.000 --> 00:00:%d.000", &from, &to) == 2) {
            assert_int_equal(from, cue);
            assert_int_equal(to, cue + 1);
        } else if (sscanf(line, "thumbnail.png#xywh=%d,%d,%d,%d", &x, &y, &width, &height) == 4) {
            int frame = frame_of(grey, 160, x, y, width, height);
            if (frame < from * 25 || frame > to * 25) {
                fail_msg("cue %d shows frame %d", cue, frame);
            }
            cue++;
        }
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(cue, 8);
}

TEST(a_sheet_that_is_too_big_is_refused) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *ramp = make_ramp(&studio);
    assert_int_equal(studio_run(&studio,
                                "{\"thumbnail\":{\"video\":{\"input\":1},\"mode\":\"contactSheet\",\"columns\":400}}",
                                "thumbnail.jpg", INPUTS(ramp)),
                     CS_INVALID_ARGUMENT);
    assert_string_equal(studio.err.reason, "out_of_range");
    assert_int_equal(studio_run(&studio,
                                "{\"thumbnail\":{\"video\":{\"input\":1},\"mode\":\"contactSheet\",\"columns\":400,"
                                "\"rows\":1}}",
                                "thumbnail.jpg", INPUTS(ramp)),
                     CS_OUT_OF_RANGE);
    assert_string_equal(studio.err.reason, "too_many_pixels");
}

TEST_MAIN(CS_TEST(sy_105_a_picture_is_of_its_time), CS_TEST(pictures_come_in_three_formats_and_are_not_enlarged),
          CS_TEST(the_best_picture_is_sharp_and_not_black), CS_TEST(a_sprite_has_a_storyboard_that_leads_to_its_tiles),
          CS_TEST(a_sheet_that_is_too_big_is_refused))
