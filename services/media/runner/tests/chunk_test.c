/* COVERS ops/chunk.c, ops/chunk_note.c: a long picture in chunks. */
#include <libavutil/avutil.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "captions/fonts.h"
#include "cs/base/text.h"
#include "cs/test.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

enum { WIDTH = 64, HEIGHT = 48, SECONDS = 34, FRAMES = SECONDS * 25, CHUNK = 250, CHUNKS = 4 };

static const char reframe[] = "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"1:1\"}}";
static const char captions[] = "{\"addSubtitles\":{\"video\":{\"input\":1},\"text\":\"one two three four\"}}";
static const char chain[] = "[{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":1}}],"
                            "\"transition\":{\"type\":\"fade\",\"duration\":1}}},"
                            "{\"addSubtitles\":{\"video\":{\"step\":1},\"text\":\"one two three four\"}}]";

static const char *make_long(struct studio *studio) {
    return studio_make(studio, "long.mp4",
                       "-f lavfi -i \"testsrc2=s=64x48:r=25:d=34\" -f lavfi -i \"sine=f=440:d=34:r=48000\" "
                       "-c:v libx264 -preset ultrafast -g 40 -bf 2 -pix_fmt yuv420p -c:a aac");
}

/* Each chunk by itself. */
static void make_chunks(struct studio *studio, const char *operation, const char *const *inputs,
                        const Callsheet__V1__RunnerSurvey *survey, const char *prefix, bool backwards) {
    for (uint32_t n = 0; n < survey->chunks; n++) {
        uint32_t i = backwards ? survey->chunks - 1 - n : n;
        int64_t first = (int64_t)i * survey->chunk_frames;
        int64_t left = survey->frames - first;
        int64_t frames = left < survey->chunk_frames ? left : survey->chunk_frames;
        const char *name = cs_arena_sprintf(studio->arena, "%s%u.mp4", prefix, i);
        assert_ok(studio_chunk(studio, operation, name, first, frames, inputs), &studio->err);
    }
}

static void join(struct studio *studio, const char *operation, const char *const *more, uint32_t chunks,
                 const char *prefix, const char *output) {
    const char *inputs[16] = {0};
    size_t count = 0;
    for (; more[count] != NULL; count++) {
        inputs[count] = more[count];
    }
    for (uint32_t i = 0; i < chunks; i++) {
        inputs[count + i] = studio_path(studio, cs_arena_sprintf(studio->arena, "%s%u.mp4", prefix, i));
    }
    assert_ok(studio_join(studio, operation, output, chunks, inputs), &studio->err);
}

TEST(a_long_picture_is_made_in_chunks_of_ten_seconds) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const Callsheet__V1__RunnerSurvey *survey = studio_survey(&studio, reframe, INPUTS(make_long(&studio)));
    assert_int_equal(survey->frames, FRAMES);
    assert_int_equal(survey->chunks, CHUNKS);
    assert_int_equal(survey->chunk_frames, CHUNK);
}

TEST(a_survey_says_what_its_bytes_depend_on_beside_the_job) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = make_long(&studio);
    const char *tools = studio_survey(&studio, reframe, INPUTS(input))->tools;
    CS_AUTO_FREE char *expected =
        cs_sprintf("ffmpeg %s fonts %llx", av_version_info(), (unsigned long long)med_fonts_sum());
    assert_true(med_fonts_sum() != 0);
    assert_string_equal(tools, expected);
    assert_string_equal(studio_survey(&studio, captions, INPUTS(input))->tools, expected);
}

TEST(a_short_picture_is_made_in_one_go) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = studio_make(&studio, "short.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=20 -preset ultrafast");
    assert_int_equal(studio_survey(&studio, reframe, INPUTS(input))->chunks, 1);
}

TEST(what_looks_at_all_of_a_picture_first_is_not_divided) {
    static const char *const whole[] = {
        "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"1:1\",\"mode\":\"smart\"}}",
        "{\"stabilise\":{\"video\":{\"input\":1}}}",
        "{\"denoise\":{\"video\":{\"input\":1}}}",
        "[{\"stabilise\":{\"video\":{\"input\":1}}},{\"reframe\":{\"video\":{\"step\":1},\"aspectRatio\":\"1:1\"}}]",
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = make_long(&studio);
    for (size_t i = 0; i < CS_COUNT(whole); i++) {
        assert_int_equal(studio_survey(&studio, whole[i], INPUTS(input))->chunks, 1);
    }
}

TEST(what_is_encoded_in_its_own_way_is_not_divided) {
    static const char *const whole[] = {
        "{\"convert\":{\"video\":{\"input\":1},\"container\":\"webm\"}}",
        "{\"convert\":{\"video\":{\"input\":1},\"container\":\"mp4\"}}",
        "{\"convert\":{\"video\":{\"input\":1},\"container\":\"mp4\",\"targetSizeMb\":1}}",
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = make_long(&studio);
    for (size_t i = 0; i < CS_COUNT(whole); i++) {
        assert_int_equal(studio_survey(&studio, whole[i], INPUTS(input))->chunks, 1);
    }
}

TEST(chunks_give_the_same_bytes_in_whatever_order_they_are_made) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = make_long(&studio);
    const Callsheet__V1__RunnerSurvey *survey = studio_survey(&studio, captions, INPUTS(input));
    make_chunks(&studio, captions, INPUTS(input), survey, "a", false);
    join(&studio, captions, INPUTS(input), survey->chunks, "a", "a.mp4");
    make_chunks(&studio, captions, INPUTS(input), survey, "b", true);
    join(&studio, captions, INPUTS(input), survey->chunks, "b", "b.mp4");
    studio_same(&studio, "a.mp4", "b.mp4");
}

/* Frame for frame what one go makes, but for coding; and the sound is the same. */
static void assert_like_one_go(struct studio *studio, const char *operation, const char *more, int width, int height) {
    const char *const *inputs = INPUTS(make_long(studio), more);
    size_t frames = 0;
    size_t whole_frames = 0;
    size_t samples = 0;
    size_t whole_samples = 0;
    const Callsheet__V1__RunnerSurvey *survey = studio_survey(studio, operation, inputs);
    assert_true(survey->chunks > 1);
    make_chunks(studio, operation, inputs, survey, "c", false);
    join(studio, operation, inputs, survey->chunks, "c", "chunks.mp4");
    assert_int_equal(studio->done->outputs[0]->video->frame_count, survey->frames);
    studio_must(studio, operation, "whole.mp4", inputs);
    CS_AUTO_FREE uint8_t *grey = studio_grey(studio, "chunks.mp4", width, height, &frames);
    CS_AUTO_FREE uint8_t *whole = studio_grey(studio, "whole.mp4", width, height, &whole_frames);
    assert_int_equal(frames, survey->frames);
    assert_int_equal(whole_frames, frames);
    size_t pixels = (size_t)width * (size_t)height;
    for (size_t n = 0; n < frames; n++) {
        unsigned long off = 0;
        for (size_t i = n * pixels; i < (n + 1) * pixels; i++) {
            off += (unsigned long)abs((int)grey[i] - (int)whole[i]);
        }
        if (off > pixels * 4) {
            fail_msg("frame %zu is off by %lu a pixel", n, off / pixels);
        }
    }
    CS_AUTO_FREE float *sound = studio_sound(studio, "chunks.mp4", &samples);
    CS_AUTO_FREE float *whole_sound = studio_sound(studio, "whole.mp4", &whole_samples);
    assert_int_equal(samples, whole_samples);
    assert_memory_equal(sound, whole_sound, samples * sizeof(float));
}

TEST(chunks_show_what_one_go_shows) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    assert_like_one_go(&studio, captions, NULL, WIDTH, HEIGHT);
}

TEST(chunks_of_a_chain_begin_in_transitions_and_behind_them) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    assert_like_one_go(&studio, chain, NULL, WIDTH, HEIGHT);
}

/* What lies over a picture begins, ends and starts again within chunks: each goes forward to where it begins. */
TEST(chunks_of_a_chain_begin_in_layers_texts_and_logos_that_move) {
    static const char operations[] =
        "[{\"layer\":{\"layers\":[{\"media\":{\"input\":1},\"main\":true},{\"media\":{\"input\":2},"
        "\"placement\":{\"words\":\"w-1/2 h-1/2 top-left\"},\"start\":1.3,\"duration\":27,\"loop\":true}]}},"
        "{\"overlayText\":{\"video\":{\"step\":1},\"texts\":[{\"text\":\"one\",\"start\":9.5,\"duration\":11,"
        "\"fontSize\":300,\"position\":\"center\"}]}},"
        "{\"brand\":{\"video\":{\"step\":2},\"logo\":{\"input\":2},\"logoSize\":0.5,\"logoStart\":3,\"logoEnd\":31}}]";
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *moving = studio_make(&studio, "moving.gif",
                                     "-f lavfi -i \"nullsrc=s=32x24:r=10:d=0.7,geq=lum='30+30*N':cb=128:cr=128\"");
    assert_like_one_go(&studio, operations, moving, WIDTH, HEIGHT);
}

/* ---- what was seen of them ---- */

static void assert_near(double value, double wanted, double by) {
    if (fabs(value - wanted) > by) {
        fail_msg("%.6f instead of %.6f", value, wanted);
    }
}

static void assert_same_spans(Callsheet__V1__MediaSpan *const *spans, size_t count,
                              Callsheet__V1__MediaSpan *const *whole, size_t whole_count) {
    assert_int_equal(count, whole_count);
    for (size_t i = 0; i < count; i++) {
        assert_near(spans[i]->start, whole[i]->start, 1e-9);
        assert_near(spans[i]->end, whole[i]->end, 1e-9);
    }
}

/* Black across one border, but not for long enough across another; standing still across the third. */
TEST(what_is_black_or_stands_still_across_chunks_is_told_as_of_one_go) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = studio_make(
        &studio, "spans.mp4",
        "-f lavfi -i \"testsrc2=s=64x48:r=25:d=34,drawbox=t=fill:color=black:enable='between(t,4,4.8)+between(t,9.7,"
        "10.3)+between(t,29.9,30.1)',drawbox=t=fill:color=gray:enable='between(t,19.2,21.6)+between(t,26,28.5)'\" "
        "-c:v libx264 -preset ultrafast -crf 10 -g 40 -pix_fmt yuv420p");
    const Callsheet__V1__RunnerSurvey *survey = studio_survey(&studio, reframe, INPUTS(input));
    assert_int_equal(survey->chunks, CHUNKS);
    make_chunks(&studio, reframe, INPUTS(input), survey, "s", false);
    join(&studio, reframe, INPUTS(input), survey->chunks, "s", "chunks.mp4");
    const Callsheet__V1__Quality *quality = studio.done->qualities[0]->quality;
    studio_must(&studio, reframe, "whole.mp4", INPUTS(input));
    const Callsheet__V1__Quality *whole = studio.done->qualities[0]->quality;
    assert_int_equal(whole->n_black, 2);
    assert_int_equal(whole->n_frozen, 2);
    assert_near(whole->black[1]->start, 9.7, 0.041);
    assert_near(whole->black[1]->end, 10.32, 0.041);
    assert_same_spans(quality->black, quality->n_black, whole->black, whole->n_black);
    assert_same_spans(quality->frozen, quality->n_frozen, whole->frozen, whole->n_frozen);
}

/* Of a chunk whose last bytes are others there is no report, and nothing else is lost. */
TEST(a_chunk_without_a_note_is_put_together_all_the_same) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = studio_make(&studio, "black.mp4",
                                    "-f lavfi -i color=black:s=64x48:r=25:d=34 -c:v libx264 -preset ultrafast -pix_fmt "
                                    "yuv420p");
    const Callsheet__V1__RunnerSurvey *survey = studio_survey(&studio, reframe, INPUTS(input));
    make_chunks(&studio, reframe, INPUTS(input), survey, "n", false);
    size_t size = 0;
    char *first = studio_read(&studio, "n0.mp4", &size);
    first[size - 1] ^= 1;
    studio_write(&studio, "n0.mp4", first, size);
    join(&studio, reframe, INPUTS(input), survey->chunks, "n", "out.mp4");
    const Callsheet__V1__Quality *quality = studio.done->qualities[0]->quality;
    assert_int_equal(quality->frame_count, FRAMES);
    assert_int_equal(quality->n_black, 1);
    assert_near(quality->black[0]->start, (double)(CHUNK - 1) / 25, 1e-9);
    assert_near(quality->black[0]->end, SECONDS, 1e-9);
}

TEST(what_is_no_chunk_of_the_output_is_refused) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *input = make_long(&studio);
    assert_fails(studio_chunk(&studio, reframe, "c.mp4", FRAMES - 1, 2, INPUTS(input)), &studio.err,
                 CS_INVALID_ARGUMENT, "bad_chunk");
    assert_fails(studio_join(&studio, reframe, "out.mp4", 2, INPUTS(input, input, input)), &studio.err,
                 CS_INVALID_ARGUMENT, "bad_chunk");
    assert_fails(studio_join(&studio, reframe, "out.mp4", CHUNKS, INPUTS(input, input, input, input, input)),
                 &studio.err, CS_INTERNAL, "bad_chunk");
    const char *none = studio_write(&studio, "none.mp4", "no film", 7);
    assert_fails(studio_join(&studio, reframe, "out.mp4", CHUNKS, INPUTS(input, none, none, none, none)), &studio.err,
                 CS_INTERNAL, "bad_chunk");
}

TEST_MAIN(CS_TEST(a_long_picture_is_made_in_chunks_of_ten_seconds),
          CS_TEST(a_survey_says_what_its_bytes_depend_on_beside_the_job), CS_TEST(a_short_picture_is_made_in_one_go),
          CS_TEST(what_looks_at_all_of_a_picture_first_is_not_divided),
          CS_TEST(what_is_encoded_in_its_own_way_is_not_divided),
          CS_TEST(chunks_give_the_same_bytes_in_whatever_order_they_are_made), CS_TEST(chunks_show_what_one_go_shows),
          CS_TEST(chunks_of_a_chain_begin_in_transitions_and_behind_them),
          CS_TEST(chunks_of_a_chain_begin_in_layers_texts_and_logos_that_move),
          CS_TEST(what_is_black_or_stands_still_across_chunks_is_told_as_of_one_go),
          CS_TEST(a_chunk_without_a_note_is_put_together_all_the_same),
          CS_TEST(what_is_no_chunk_of_the_output_is_refused))
