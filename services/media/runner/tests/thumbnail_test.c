/* COVERS ops/thumbnail.c, graph/tiles.c keyframe.c pick.c */
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
    const char *stream = studio_make(&studio, "ramp.ts", cs_arena_sprintf(studio.arena, "-i '%s' -c copy", ramp));
    static const struct {
        const char *time;
        int frame;
    } cases[] = {{"", 25}, {"0", 0}, {"3", 75}, {"0:00:05.2", 130}, {"50%", 100}, {"100%", 199}, {"3600", 199}};
    for (size_t k = 0; k < 2 * CS_COUNT(cases); k++) {
        size_t i = k / 2;
        size_t frames = 0;
        const char *json = cs_arena_sprintf(
            studio.arena, "{\"thumbnail\":{\"video\":{\"input\":1},\"format\":\"png\",\"time\":\"%s\"}}",
            cases[i].time);
        const Callsheet__V1__MediaFacts *facts =
            studio_must(&studio, json, "thumbnail.png", INPUTS(k % 2 == 0 ? ramp : stream));
        assert_int_equal(facts->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE);
        CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "thumbnail.png", WIDTH, HEIGHT, &frames);
        int frame = frame_of(grey, WIDTH, 0, 0, WIDTH, HEIGHT);
        if (abs(frame - cases[i].frame) > 2) {
            fail_msg("\"%s\" of %s gave frame %d", cases[i].time, k % 2 == 0 ? "MP4" : "TS", frame);
        }
    }
}

TEST(ex_032_the_usual_picture_of_a_video_is_a_jpeg_of_640_by_360_at_one_second) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "v.mp4",
                                   "-f lavfi -i color=black:s=1280x720:r=10:d=1 -f lavfi -i color=white:s=1280x720:r=10"
                                   ":d=1 -filter_complex concat -c:v libx264 -preset ultrafast -pix_fmt yuv420p");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"thumbnail\":{\"video\":{\"input\":1},\"width\":640,\"height\":360}}", "thumbnail.jpg",
                    INPUTS(clip));
    assert_string_equal(facts->video->codec, "mjpeg");
    assert_true(facts->video->width == 640 && facts->video->height == 360);
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "thumbnail.jpg", 640, 360, &frames);
    assert_true(frames == 1 && grey[0] > 240); /* the first frame of the second second */
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

/* Which frames of the ramp (200) a sheet of so many by one tiles shows. */
static void look_at_sheet(struct studio *studio, const char *film, int tiles, int *ret_frames) {
    size_t frames = 0;
    (void)studio_must(studio,
                      cs_arena_sprintf(studio->arena,
                                       "{\"thumbnail\":{\"video\":{\"input\":1},\"mode\":\"contactSheet\",\"format\":"
                                       "\"png\",\"width\":40,\"columns\":%d,\"rows\":1}}",
                                       tiles),
                      "thumbnail.png", INPUTS(film));
    CS_AUTO_FREE uint8_t *grey = studio_grey(studio, "thumbnail.png", 40 * tiles, 30, &frames);
    for (int i = 0; i < tiles; i++) {
        ret_frames[i] = frame_of(grey, 40 * tiles, 40 * i, 0, 40, 30);
    }
}

/* Four tiles: the middles are frames 25, 75, 125 and 175. */
TEST(tiles_are_key_frames_where_those_are_frequent_and_exact_elsewhere) {
    static const struct {
        const char *name, *encode;
        int expected[4];
    } cases[] = {
        {"frequent.mp4", "-c:v libx264 -crf 4 -g 20 -sc_threshold 0", {20, 60, 120, 160}},
        {"frequent.mkv", "-c:v libx264 -crf 4 -g 20 -sc_threshold 0 -bf 3", {20, 60, 120, 160}},
        {"frequent.webm", "-c:v libvpx-vp9 -crf 10 -b:v 0 -g 20 -deadline realtime -cpu-used 8", {20, 60, 120, 160}},
        {"rare.mp4", "-c:v libx264 -crf 4 -g 60 -sc_threshold 0", {25, 75, 125, 175}},
        {"one.mp4", "-c:v libx264 -crf 4 -g 250 -sc_threshold 0", {25, 75, 125, 175}},
        {"no_index.ts", "-c:v libx264 -crf 4 -g 20 -sc_threshold 0", {25, 75, 125, 175}}, /* seeks are not exact */
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        int shown[4];
        const char *film = studio_make(
            &studio, cases[i].name,
            cs_arena_sprintf(studio.arena,
                             "-f lavfi -i \"nullsrc=s=160x120:r=25:d=8,geq=lum='20+N':cb=128:cr=128\" %s -pix_fmt "
                             "yuv420p -colorspace bt709 -color_range tv",
                             cases[i].encode));
        look_at_sheet(&studio, film, 4, shown);
        for (int k = 0; k < 4; k++) {
            if (abs(shown[k] - cases[i].expected[k]) > 2) {
                fail_msg("%s: tile %d shows frame %d", cases[i].name, k, shown[k]);
            }
        }
    }
}

TEST(tiles_nearer_than_key_frames_are_exact_though_the_film_is_gone_through_once) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    int shown[40];
    look_at_sheet(&studio, make_ramp(&studio), 40, shown);
    for (int i = 0; i < 40; i++) {
        if (abs(shown[i] - (5 * i + 2)) > 2) {
            fail_msg("tile %d shows frame %d", i, shown[i]);
        }
    }
}

/* Black, then blurred, then sharp, then moving fast, then white: seconds of each. */
TEST(the_best_picture_is_neither_blurred_nor_in_motion) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(
        &studio, "clip.mp4",
        "-f lavfi -i color=black:s=160x120:r=25:d=2 -f lavfi -i mandelbrot=s=160x120:r=25:maxiter=200 "
        "-f lavfi -i color=white:s=160x120:r=25:d=2 -filter_complex "
        "\"[1]trim=end_frame=1,loop=149:1,setpts=N/25/TB,split=3[m1][m2][m3];[m1]trim=duration=2,boxblur=8[blurred];"
        "[m2]trim=duration=2[sharp];[m3]trim=duration=2,scroll=h=0.2[moving];"
        "[0][blurred][sharp][moving][2]concat=n=5\" -c:v libx264 -preset ultrafast -pix_fmt yuv420p");
    (void)studio_must(&studio, "{\"thumbnail\":{\"video\":{\"input\":1},\"mode\":\"best\"}}", "thumbnail.jpg",
                      INPUTS(clip));
    double time = studio_metric(&studio, "time");
    if (time < 4 || time >= 6) {
        fail_msg("the best picture is at %g s", time);
    }
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

TEST_MAIN(CS_TEST(sy_105_a_picture_is_of_its_time),
          CS_TEST(ex_032_the_usual_picture_of_a_video_is_a_jpeg_of_640_by_360_at_one_second),
          CS_TEST(pictures_come_in_three_formats_and_are_not_enlarged),
          CS_TEST(the_best_picture_is_sharp_and_not_black), CS_TEST(a_sprite_has_a_storyboard_that_leads_to_its_tiles),
          CS_TEST(tiles_are_key_frames_where_those_are_frequent_and_exact_elsewhere),
          CS_TEST(tiles_nearer_than_key_frames_are_exact_though_the_film_is_gone_through_once),
          CS_TEST(the_best_picture_is_neither_blurred_nor_in_motion), CS_TEST(a_sheet_that_is_too_big_is_refused))
