/* COVERS ops/execute.c, graph/made.c clip_made.c, skipping: several operations as one job. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

enum { WIDTH = 160, HEIGHT = 120 };

/* The number of a frame is written in its brightness: 16 + 4 for each, from 0 again after 50. */
static const char *make_counter(struct studio *studio, const char *name, int seconds) {
    return studio_make(
        studio, name,
        cs_arena_sprintf(studio->arena,
                         "-f lavfi -i \"nullsrc=s=160x120:r=25:d=%d,geq=lum='16+4*mod(N,50)':cb=128:cr=128\" "
                         "-f lavfi -i \"aevalsrc='if(lt(mod(t,1),0.03),0.7*sin(2*PI*1000*t),0)':d=%d:s=48000\" "
                         "-c:v libx264 -preset ultrafast -crf 10 -bf 2 -g 12 -pix_fmt yuv420p -c:a aac",
                         seconds, seconds));
}

static int brightness(const uint8_t *grey, size_t frame) {
    const uint8_t *pixels = grey + frame * WIDTH * HEIGHT;
    unsigned sum = 0;
    for (size_t i = 0; i < WIDTH * HEIGHT; i++) {
        sum += pixels[i];
    }
    return (int)(sum / (WIDTH * HEIGHT));
}

/* The frames of two files are the same but for coding. */
static void assert_same_pictures(struct studio *studio, const char *a, const char *b, int tolerance) {
    size_t frames_a = 0;
    size_t frames_b = 0;
    CS_AUTO_FREE uint8_t *grey_a = studio_grey(studio, a, WIDTH, HEIGHT, &frames_a);
    CS_AUTO_FREE uint8_t *grey_b = studio_grey(studio, b, WIDTH, HEIGHT, &frames_b);
    assert_int_equal(frames_a, frames_b);
    for (size_t n = 0; n < frames_a; n++) {
        int off = abs(brightness(grey_a, n) - brightness(grey_b, n));
        if (off > tolerance) {
            fail_msg("frame %zu: %d and %d", n, brightness(grey_a, n), brightness(grey_b, n));
        }
    }
}

static void assert_same_sound(struct studio *studio, const char *a, const char *b) {
    size_t samples_a = 0;
    size_t samples_b = 0;
    CS_AUTO_FREE float *sound_a = studio_sound(studio, a, &samples_a);
    CS_AUTO_FREE float *sound_b = studio_sound(studio, b, &samples_b);
    for (size_t at = 0; at + 480 <= samples_a && at + 480 <= samples_b; at += 480) {
        double off = studio_loudest(sound_a, at, 480) - studio_loudest(sound_b, at, 480);
        if (fabs(off) > 0.15) {
            fail_msg("sound at %zu differs by %g", at, off);
        }
    }
}

static const char merge_two[] = "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}],"
                                "\"transition\":{\"type\":\"fade\",\"duration\":0.4}}}";

TEST(a_chain_makes_what_its_operations_make_one_by_one) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = make_counter(&studio, "a.mp4", 2);
    const char *b = make_counter(&studio, "b.mp4", 3);
    const char *logo = studio_make(&studio, "logo.png", "-f lavfi -i color=red:s=40x40 -frames:v 1");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio,
                    "[{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}],"
                    "\"transition\":{\"type\":\"fade\",\"duration\":0.4}}},"
                    "{\"addSubtitles\":{\"video\":{\"step\":1},\"text\":\"one two three\"}},"
                    "{\"brand\":{\"video\":{\"step\":2},\"logo\":{\"input\":3}}}]",
                    "chain.mp4", INPUTS(a, b, logo));
    assert_int_equal(facts->video->frame_count, 115);
    assert_int_equal(studio.done->n_steps_before, 2);
    assert_string_equal(studio.done->steps_before[1]->metrics[0]->name, "wordCount");

    studio_must(&studio, merge_two, "1.mp4", INPUTS(a, b));
    studio_must(&studio, "{\"addSubtitles\":{\"video\":{\"input\":1},\"text\":\"one two three\"}}", "2.mp4",
                INPUTS(studio_path(&studio, "1.mp4")));
    studio_must(&studio, "{\"brand\":{\"video\":{\"input\":1},\"logo\":{\"input\":2}}}", "3.mp4",
                INPUTS(studio_path(&studio, "2.mp4"), logo));
    assert_same_pictures(&studio, "chain.mp4", "3.mp4", 2);
    assert_same_sound(&studio, "chain.mp4", "3.mp4");
}

/* A cut goes forward in what comes before it: through clips, transitions and drawings. */
TEST(a_cut_of_a_step_takes_the_frames_of_its_plan) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = make_counter(&studio, "a.mp4", 2);
    const char *b = make_counter(&studio, "b.mp4", 3);
    static const char plan[] =
        "{\"cuts\":[{\"start\":0,\"end\":0.6,\"type\":\"keep\"},{\"start\":0.6,\"end\":1.2,"
        "\"type\":\"cut\"},{\"start\":1.2,\"end\":1.8,\"type\":\"keep\"},{\"start\":1.8,\"end\":3,"
        "\"type\":\"cut\"},{\"start\":3,\"end\":4.6,\"type\":\"keep\"}]}";
    const char *cuts = studio_write(&studio, "plan.json", plan, strlen(plan));
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio,
                    "[{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}],"
                    "\"transition\":{\"type\":\"fade\",\"duration\":0.4}}},"
                    "{\"cut\":{\"video\":{\"step\":1},\"plan\":{\"input\":3}}}]",
                    "chain.mp4", INPUTS(a, b, cuts));
    assert_int_equal(facts->video->frame_count, 15 + 15 + 40);
    studio_must(&studio, merge_two, "merged.mp4", INPUTS(a, b));
    studio_must(&studio, "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2}}}", "cut.mp4",
                INPUTS(studio_path(&studio, "merged.mp4"), cuts));
    assert_same_pictures(&studio, "chain.mp4", "cut.mp4", 2);
    assert_same_sound(&studio, "chain.mp4", "cut.mp4");
}

TEST(a_step_of_another_rate_and_size_is_fitted_like_a_file) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = make_counter(&studio, "a.mp4", 2);
    const char *b = make_counter(&studio, "b.mp4", 2);
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio,
                    "[{\"merge\":{\"items\":[{\"media\":{\"input\":1}}],\"frameRate\":\"30000/1001\"}},"
                    "{\"merge\":{\"items\":[{\"media\":{\"input\":2}},{\"media\":{\"step\":1}}]}}]",
                    "chain.mp4", INPUTS(a, b));
    assert_int_equal(facts->video->frame_count, 100);
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "chain.mp4", WIDTH, HEIGHT, &frames);
    for (size_t n = 0; n < frames; n++) { /* there and back again: at most one picture off */
        int expected = (int)(n % 50) * 4;
        int got = (int)lround((brightness(grey, n)) * 219.0 / 255);
        if (abs(got - expected) > 6) {
            fail_msg("frame %zu: %d instead of %d", n, got, expected);
        }
    }
}

TEST(a_step_that_does_not_come_before_is_no_input) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    assert_fails(studio_run(&studio, "[{\"reframe\":{\"video\":{\"step\":1},\"aspectRatio\":\"1:1\"}}]", "out.mp4",
                            INPUTS(NULL)),
                 &studio.err, CS_INVALID_ARGUMENT, "no_input");
    assert_string_equal(studio.err.path, "video");
}

TEST(a_chain_fails_with_the_path_of_the_parameter_at_fault) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = make_counter(&studio, "a.mp4", 1);
    assert_fails(studio_run(&studio,
                            "[{\"extractAudio\":{\"media\":{\"input\":1}}},"
                            "{\"reframe\":{\"video\":{\"step\":1},\"aspectRatio\":\"1:1\"}}]",
                            "out.mp4", INPUTS(a)),
                 &studio.err, CS_INVALID_ARGUMENT, "no_video");
}

TEST_MAIN(CS_TEST(a_chain_makes_what_its_operations_make_one_by_one),
          CS_TEST(a_cut_of_a_step_takes_the_frames_of_its_plan),
          CS_TEST(a_step_of_another_rate_and_size_is_fitted_like_a_file),
          CS_TEST(a_step_that_does_not_come_before_is_no_input),
          CS_TEST(a_chain_fails_with_the_path_of_the_parameter_at_fault))
