/* COVERS ops/denoise.c ops/stabilise.c graph/denoise.c graph/warp.c: less noise, less shaking. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cs/test.h"
#include "steady/motion.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

enum { W = 320, H = 180 };

/* ---- noise ---- */

/* How far neighbouring frames of a picture that does not change are apart. */
static double flicker_of(struct studio *studio, const char *name) {
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *grey = studio_grey(studio, name, W, H, &frames);
    double sum = 0;
    assert_true(frames > 8);
    for (size_t i = 4 * W * H; i + W * H < frames * W * H; i++) {
        sum += abs(grey[i] - grey[i + W * H]);
    }
    return sum / (double)((frames - 5) * W * H);
}

static const char *const noisy =
    "-f lavfi -i \"mandelbrot=s=320x180:r=25:maxiter=300:end_scale=3:start_scale=3,"
    "trim=end_frame=20,format=gray,noise=alls=8:allf=t:all_seed=7,format=yuv420p\" "
    "-f lavfi -i \"aevalsrc='0.3*sin(2*PI*1000*t)*lt(mod(t,0.4),0.2)+0.02*(random(0)-0.5)':s=48000:"
    "d=0.8\" -c:v libx264 -qp 8 -preset ultrafast -c:a pcm_s16le ";

TEST(pictures_are_denoised_by_strength) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "noisy.mov", noisy);
    double before = flicker_of(&studio, "noisy.mov");
    static const char *const words[] = {"\"picture\":\"low\"", "\"sound\":\"off\"", "\"picture\":\"high\""};
    static const double most[] = {0.85, 0.65, 0.35};
    for (size_t i = 0; i < CS_COUNT(words); i++) {
        const char *json = cs_arena_sprintf(studio.arena, "{\"denoise\":{\"video\":{\"input\":1},%s}}", words[i]);
        const Callsheet__V1__MediaFacts *facts = studio_must(&studio, json, "out.mp4", INPUTS(clip));
        double after = flicker_of(&studio, "out.mp4");
        print_message("flicker %.2f -> %.2f\n", before, after);
        assert_int_equal(facts->video->frame_count, 20);
        assert_true(after < most[i] * before);
    }
}

static double power(const float *samples, size_t from, size_t count) {
    double sum = 0;
    for (size_t i = from; i < from + count; i++) {
        sum += (double)samples[i] * (double)samples[i];
    }
    return sqrt(sum / (double)count);
}

TEST(sound_is_denoised_and_stays_where_it_was) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip =
        studio_make(&studio, "hiss.mov",
                    "-f lavfi -i color=s=64x64:r=25:d=4 -f lavfi -i \"aevalsrc='0.3*sin(2*PI*1000*t)*lt(mod(t,1),0.5)+"
                    "0.02*(random(0)-0.5)':s=48000:d=4\" -c:v libx264 -preset ultrafast -c:a pcm_s16le -ac 2");
    size_t samples = 0;
    CS_AUTO_FREE float *before = studio_sound(&studio, "hiss.mov", &samples);
    studio_must(&studio, "{\"denoise\":{\"video\":{\"input\":1},\"picture\":\"off\",\"sound\":\"high\"}}", "out.mp4",
                INPUTS(clip));
    size_t after_samples = 0;
    CS_AUTO_FREE float *after = studio_sound(&studio, "out.mp4", &after_samples);
    assert_true(after_samples >= samples - 1100);
    double hiss = power(after, 48000 * 2 + 36000, 9600) / power(before, 48000 * 2 + 36000, 9600);
    double tone = power(after, 48000 * 2 + 6000, 9600) / power(before, 48000 * 2 + 6000, 9600);
    print_message("hiss x %.2f, tone x %.2f\n", hiss, tone);
    assert_true(hiss < 0.5);
    assert_true(tone > 0.9 && tone < 1.1);
    /* the tone begins at 3 s, within 5 ms */
    size_t starts = 48000 * 3 - 4800;
    while (fabsf(after[starts]) < 0.15F) {
        starts++;
    }
    assert_in_range(starts, 48000 * 3 - 240, 48000 * 3 + 240);
}

/* ---- shaking ---- */

/* A textured wall, filmed by a hand that trembles by up to 9 pixels, and pans slowly. */
static const char *const shaken =
    "-f lavfi -i \"nullsrc=s=480x300:r=25:d=3,geq=lum='128+25*(sin(X*0.31)*cos(Y*0.27)+sin(X*0.11+Y*0.17)+"
    "cos(X*0.053-Y*0.23))+30*sin(X*0.6+2*sin(Y*0.21))*sin(Y*0.5+sin(X*0.13))':cb=128:cr=128,"
    "crop=320:180:x='60+n*0.5+5*sin(n*1.9)+4*sin(n*2.7)':y='50+4*sin(n*2.2)+3*cos(n*1.4)'\" "
    "-f lavfi -i sine=d=3 -c:v libx264 -crf 12 -preset veryfast -pix_fmt yuv420p ";

/* Root of the mean square of how the motion changes from frame to frame: an even one is none. */
static double shaking_of(struct studio *studio, const char *name) {
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *grey = studio_grey(studio, name, W, H, &frames);
    struct med_motion last = {0};
    double sum = 0;
    assert_int_equal(frames, 75);
    for (size_t n = 1; n < frames; n++) {
        struct med_motion motion;
        assert_true(med_motion_between(grey + (n - 1) * W * H, grey + n * W * H, W, H, &motion));
        if (n > 1) {
            sum += pow(motion.x - last.x, 2) + pow(motion.y - last.y, 2);
        }
        last = motion;
    }
    return sqrt(sum / (double)(frames - 2));
}

TEST(a_shaken_video_is_steadied_without_borders) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "shaken.mp4", shaken);
    double before = shaking_of(&studio, "shaken.mp4");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"stabilise\":{\"video\":{\"input\":1}}}", "out.mp4", INPUTS(clip));
    double after = shaking_of(&studio, "out.mp4");
    print_message("shaking %.2f -> %.2f pixels\n", before, after);
    assert_int_equal(facts->video->width, W);
    assert_int_equal(facts->video->frame_count, 75);
    assert_true(facts->audio != NULL);
    assert_true(before > 4);
    assert_true(after < 0.3 * before);
    /* no border: the edges change as the wall does, they are neither black nor smeared */
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "out.mp4", W, H, &frames);
    for (size_t n = 0; n < frames; n++) {
        for (int side = 0; side < 2; side++) {
            const uint8_t *row = grey + n * W * H + (side == 0 ? 0 : (H - 1) * W);
            const uint8_t *beside = side == 0 ? row + 2 * W : row - 2 * W;
            double sum = 0;
            double change = 0;
            for (int x = 0; x < W; x++) {
                sum += row[x];
                change += abs(row[x] - beside[x]);
            }
            assert_true(sum / W > 80);
            assert_true(change / W > 2);
        }
    }
}

TEST(a_steady_video_is_left_as_it_is) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip =
        studio_make(&studio, "still.mp4",
                    "-f lavfi -i \"mandelbrot=s=320x180:r=25:maxiter=300:end_scale=3:start_scale=3,trim=end_frame=20\" "
                    "-c:v libx264 -pix_fmt yuv420p -preset veryfast");
    studio_must(&studio, "{\"stabilise\":{\"video\":{\"input\":1},\"strength\":\"high\"}}", "out.mp4", INPUTS(clip));
    assert_string_equal(studio.done->metrics[0]->name, "zoom");
    assert_true(studio.done->metrics[0]->value < 1.02);
    assert_fails(
        studio_run(&studio, "{\"stabilise\":{\"video\":{\"input\":1},\"strength\":\"most\"}}", "out.mp4", INPUTS(clip)),
        &studio.err, CS_INVALID_ARGUMENT, "unknown_word");
    assert_string_equal(studio.err.path, "strength");
}

TEST_MAIN(CS_TEST(pictures_are_denoised_by_strength), CS_TEST(sound_is_denoised_and_stays_where_it_was),
          CS_TEST(a_shaken_video_is_steadied_without_borders), CS_TEST(a_steady_video_is_left_as_it_is))
