/* COVERS ops/convert.c, graph/encoding.c encode.c sink.c, and of ops/execute.c the target size: files of other kinds.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

enum { WIDTH = 160, HEIGHT = 90, FRAMES = 50, PIXELS = WIDTH * HEIGHT };

static const char *make_clip(struct studio *studio, const char *name) {
    return studio_make(studio, name,
                       "-f lavfi -i testsrc2=s=160x90:r=25:d=2 -f lavfi -i sine=440:d=2:r=48000 -c:v libx264 "
                       "-preset ultrafast -crf 10 -pix_fmt yuv420p -colorspace bt709 -color_range tv -c:a aac");
}

static int64_t size_of(struct studio *studio, const char *name) {
    size_t size = 0;
    (void)studio_read(studio, name, &size);
    return (int64_t)size;
}

/* Peak signal to noise of the brightness, over all frames. */
static double psnr(struct studio *studio, const char *a, const char *b) {
    size_t frames_a = 0;
    size_t frames_b = 0;
    CS_AUTO_FREE uint8_t *grey_a = studio_grey(studio, a, WIDTH, HEIGHT, &frames_a);
    CS_AUTO_FREE uint8_t *grey_b = studio_grey(studio, b, WIDTH, HEIGHT, &frames_b);
    assert_int_equal(frames_a, frames_b);
    double sum = 0;
    for (size_t i = 0; i < frames_a * PIXELS; i++) {
        double off = (double)grey_a[i] - grey_b[i];
        sum += off * off;
    }
    return 10 * log10(255.0 * 255.0 * (double)(frames_a * PIXELS) / sum);
}

static const struct kind {
    const char *container;
    const char *codec;
    const char *audio;
    const char *facts_container;
} kinds[] = {
    {"mp4", "h264", "aac", "mov,mp4"},  {"mov", "hevc", "mp3", "mov,mp4"}, {"webm", "vp9", "opus", "matroska,webm"},
    {"mkv", "av1", "opus", "matroska"}, {"mp4", "av1", "opus", "mov,mp4"}, {"mkv", "h264", "mp3", "matroska"},
};

TEST(sy_105_every_kind_of_file_is_made_twice_the_same) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_clip(&studio, "clip.mp4");
    for (size_t i = 0; i < CS_COUNT(kinds); i++) {
        const struct kind *kind = &kinds[i];
        const char *first = cs_arena_sprintf(studio.arena, "first%zu.%s", i, kind->container);
        const char *again = cs_arena_sprintf(studio.arena, "again%zu.%s", i, kind->container);
        const char *json = cs_arena_sprintf(studio.arena,
                                            "{\"convert\":{\"video\":{\"input\":1},\"container\":\"%s\","
                                            "\"videoCodec\":\"%s\",\"audioCodec\":\"%s\",\"quality\":\"high\"}}",
                                            kind->container, kind->codec, kind->audio);
        const Callsheet__V1__MediaFacts *facts = studio_must(&studio, json, first, INPUTS(clip));
        assert_string_equal(facts->video->codec, kind->codec);
        assert_true(strstr(facts->audio->codec, kind->audio) != NULL);
        assert_true(strstr(facts->container, kind->facts_container) != NULL);
        assert_int_equal(facts->video->frame_count, FRAMES);
        assert_int_equal(facts->duration_us, 2000000);
        (void)studio_must(&studio, json, again, INPUTS(clip));
        studio_same(&studio, first, again);
        double like = psnr(&studio, "clip.mp4", first);
        if (like < 30) {
            fail_msg("%s: %.1f dB", first, like);
        }
    }
}

/* The atom or element that says where things are comes before the pictures. */
TEST(the_index_is_in_front) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    static const struct {
        const char *container, *index, *pictures;
        size_t length;
    } cases[] = {
        {"mp4", "moov", "mdat", 4}, {"mov", "moov", "mdat", 4}, {"webm", "\x1c\x53\xbb\x6b", "\x1f\x43\xb6\x75", 4}};
    const char *clip = make_clip(&studio, "clip.mp4");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        size_t size = 0;
        const char *name = cs_arena_sprintf(studio.arena, "out.%s", cases[i].container);
        (void)studio_must(&studio,
                          cs_arena_sprintf(studio.arena, "{\"convert\":{\"video\":{\"input\":1},\"container\":\"%s\"}}",
                                           cases[i].container),
                          name, INPUTS(clip));
        char *bytes = studio_read(&studio, name, &size);
        const uint8_t *index = memmem(bytes, size, cases[i].index, cases[i].length);
        const uint8_t *pictures = memmem(bytes, size, cases[i].pictures, cases[i].length);
        assert_non_null(index);
        assert_true(pictures != NULL && index < pictures);
    }
}

TEST(better_is_bigger_and_named_qualities_are_numbers) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_clip(&studio, "clip.mp4");
    static const char *const qualities[] = {"1", "low", "medium", "high", "100"};
    int64_t smaller = 0;
    for (size_t i = 0; i < CS_COUNT(qualities); i++) {
        const char *json =
            cs_arena_sprintf(studio.arena, "{\"convert\":{\"video\":{\"input\":1},\"quality\":\"%s\"}}", qualities[i]);
        (void)studio_must(&studio, json, "out.mp4", INPUTS(clip));
        assert_true(size_of(&studio, "out.mp4") > smaller);
        smaller = size_of(&studio, "out.mp4");
    }
    (void)studio_must(&studio, "{\"convert\":{\"video\":{\"input\":1},\"quality\":\"50\"}}", "a.mp4", INPUTS(clip));
    (void)studio_must(&studio, "{\"convert\":{\"video\":{\"input\":1},\"quality\":\"low\"}}", "b.mp4", INPUTS(clip));
    studio_same(&studio, "a.mp4", "b.mp4");
}

TEST(a_target_size_is_met_by_every_codec) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "noise.mp4",
                                   "-f lavfi -i testsrc2=s=160x90:r=25:d=2,noise=alls=60:allf=t+u "
                                   "-f lavfi -i sine=440:d=2:r=48000 -c:v libx264 -preset ultrafast -crf 5 "
                                   "-pix_fmt yuv420p -c:a aac");
    static const char *const codecs[] = {"h264", "hevc", "vp9", "av1"};
    for (size_t i = 0; i < CS_COUNT(codecs); i++) {
        const char *json = cs_arena_sprintf(studio.arena,
                                            "{\"convert\":{\"video\":{\"input\":1},\"container\":\"mkv\","
                                            "\"videoCodec\":\"%s\",\"audioBitrateKbps\":32,\"targetSizeMb\":0.06}}",
                                            codecs[i]);
        studio.progress_fell = false;
        (void)studio_must(&studio, json, "out.mkv", INPUTS(clip));
        assert_false(studio.progress_fell);
        int64_t size = size_of(&studio, "out.mkv");
        if (size > 60000 || size < 20000) {
            fail_msg("%s: %lld bytes", codecs[i], (long long)size);
        }
    }
    assert_int_equal(
        studio_run(&studio, "{\"convert\":{\"video\":{\"input\":1},\"targetSizeMb\":0.01}}", "out.mp4", INPUTS(clip)),
        CS_INVALID_ARGUMENT);
    assert_string_equal(studio.err.reason, "target_size_too_small");
    assert_string_equal(studio.err.path, "targetSizeMb");
}

TEST(a_capped_rate_is_kept) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "noise.mp4",
                                   "-f lavfi -i testsrc2=s=160x90:r=25:d=4,noise=alls=60:allf=t+u -c:v libx264 "
                                   "-preset ultrafast -crf 5 -pix_fmt yuv420p");
    (void)studio_must(&studio,
                      "{\"convert\":{\"video\":{\"input\":1},\"quality\":\"100\",\"maxBitrateKbps\":200,"
                      "\"audioCodec\":\"none\"}}",
                      "out.mp4", INPUTS(clip));
    assert_true(size_of(&studio, "out.mp4") < 200000 / 8 * (4 + 1) + 4000); /* the buffer's second, and the index */
}

TEST(size_and_rate_change_and_nothing_is_enlarged) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_clip(&studio, "clip.mp4");
    static const struct {
        const char *params;
        uint32_t width, height;
        int64_t frames;
    } cases[] = {
        {"\"width\":1920,\"height\":1080", 160, 90, 50},
        {"\"width\":80", 80, 46, 50},
        {"\"height\":30", 54, 30, 50},
        {"\"width\":100,\"height\":20", 36, 20, 50},
        {"\"frameRate\":\"30000/1001\"", 160, 90, 60},
        {"\"frameRate\":\"10\",\"width\":64", 64, 36, 20},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const Callsheet__V1__MediaFacts *facts = studio_must(
            &studio, cs_arena_sprintf(studio.arena, "{\"convert\":{\"video\":{\"input\":1},%s}}", cases[i].params),
            "out.mp4", INPUTS(clip));
        assert_int_equal(facts->video->width, cases[i].width);
        assert_int_equal(facts->video->height, cases[i].height);
        assert_int_equal(facts->video->frame_count, cases[i].frames);
    }
}

TEST(sound_can_be_left_out_and_may_be_missing) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_clip(&studio, "clip.mp4");
    const char *mute = studio_make(&studio, "mute.mp4", "-f lavfi -i testsrc2=s=160x90:r=25:d=1 -c:v libx264");
    assert_null(
        studio_must(&studio, "{\"convert\":{\"video\":{\"input\":1},\"audioCodec\":\"none\"}}", "a.mp4", INPUTS(clip))
            ->audio);
    assert_null(
        studio_must(&studio, "{\"convert\":{\"video\":{\"input\":1},\"container\":\"webm\"}}", "b.webm", INPUTS(mute))
            ->audio);
}

TEST(encoders_are_chosen_by_name_and_licence) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_clip(&studio, "clip.mp4");
    static const char *const refused[][3] = {
        {"\"encoder\":\"libvpx-vp9\"", "unknown_encoder", "encoder"},
        {"\"encoder\":\"h264_nvenc,rm\"", "unknown_encoder", "encoder"},
    };
    for (size_t i = 0; i < CS_COUNT(refused); i++) {
        const char *json = cs_arena_sprintf(studio.arena, "{\"convert\":{\"video\":{\"input\":1},%s}}", refused[i][0]);
        assert_int_equal(studio_run(&studio, json, "out.mp4", INPUTS(clip)), CS_INVALID_ARGUMENT);
        assert_string_equal(studio.err.reason, refused[i][1]);
        assert_string_equal(studio.err.path, refused[i][2]);
    }
    (void)studio_must(&studio, "{\"convert\":{\"video\":{\"input\":1},\"encoder\":\"libx264\"}}", "a.mp4",
                      INPUTS(clip));
    studio.no_gpl_encoders = true;
    assert_int_equal(studio_run(&studio, "{\"convert\":{\"video\":{\"input\":1}}}", "out.mp4", INPUTS(clip)),
                     CS_UNIMPLEMENTED);
    assert_string_equal(studio.err.reason, "encoder_unavailable");
    assert_int_equal(
        studio_run(&studio, "{\"convert\":{\"video\":{\"input\":1},\"encoder\":\"libx264\"}}", "out.mp4", INPUTS(clip)),
        CS_UNIMPLEMENTED);
    assert_string_equal(studio.err.reason, "encoder_unavailable");
    (void)studio_must(&studio, "{\"convert\":{\"video\":{\"input\":1},\"videoCodec\":\"vp9\"}}", "b.mp4", INPUTS(clip));
}

/* Whatever an operation makes: whole, behind steps, or of what could be copied but for its edges. */
TEST(without_gpl_encoders_no_operation_uses_one) {
    static const struct {
        const char *operation;
        const char *codec;
    } cases[] = {
        {"{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"1:1\"}}", "av1"},
        {"{\"trim\":{\"video\":{\"input\":1},\"start\":0.2,\"end\":0.9}}", "av1"},
        {"[{\"speed\":{\"video\":{\"input\":1},\"factor\":2}},{\"overlayText\":{\"video\":{\"step\":1},\"texts\":"
         "[{\"text\":\"a\"}]}}]",
         "av1"},
        {"{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":1}}]}}", "h264"}, /* copied */
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "clip.mp4",
                                   "-f lavfi -i testsrc2=s=160x90:r=25:d=2 -c:v libx264 -preset ultrafast -g 10 "
                                   "-sc_threshold 0 -pix_fmt yuv420p");
    studio.no_gpl_encoders = true;
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const Callsheet__V1__MediaFacts *facts = studio_must(&studio, cases[i].operation, "out.mp4", INPUTS(clip));
        if (strcmp(facts->video->codec, cases[i].codec) != 0) {
            fail_msg("%s made %s", cases[i].operation, facts->video->codec);
        }
    }
    const Callsheet__V1__RunnerSurvey *survey = studio_survey(
        &studio, "{\"layer\":{\"layers\":[{\"media\":{\"input\":1},\"loop\":true}],\"outputDuration\":60}}",
        INPUTS(clip));
    assert_int_equal(survey->chunks, 1);
}

TEST(a_conversion_ends_a_chain) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_clip(&studio, "clip.mp4");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio,
                    "[{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":1}}]}},"
                    "{\"convert\":{\"video\":{\"step\":1},\"container\":\"webm\",\"width\":80}}]",
                    "out.webm", INPUTS(clip));
    assert_string_equal(facts->video->codec, "vp9");
    assert_int_equal(facts->video->frame_count, 100);
    assert_int_equal(facts->video->width, 80);
}

TEST_MAIN(CS_TEST(sy_105_every_kind_of_file_is_made_twice_the_same), CS_TEST(the_index_is_in_front),
          CS_TEST(better_is_bigger_and_named_qualities_are_numbers), CS_TEST(a_target_size_is_met_by_every_codec),
          CS_TEST(a_capped_rate_is_kept), CS_TEST(size_and_rate_change_and_nothing_is_enlarged),
          CS_TEST(sound_can_be_left_out_and_may_be_missing), CS_TEST(encoders_are_chosen_by_name_and_licence),
          CS_TEST(without_gpl_encoders_no_operation_uses_one), CS_TEST(a_conversion_ends_a_chain))
