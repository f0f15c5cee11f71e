/* COVERS ops/brand.c frame_part.c retime_subtitles.c, graph/overlay.c loudness.c level.c, fit.c's cutouts: intro,
 * outro, logo and loudness. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "flash.h"

enum { WIDTH = 200, HEIGHT = 100 };

static const char talk[] = "-f lavfi -i color=gray:s=200x100:r=25:d=4 -f lavfi -i "
                           "\"sine=f=997:d=4,volume=-12dB,aformat=channel_layouts=stereo\" -c:a aac -b:a 192k";
static const char red_intro[] =
    "-f lavfi -i color=red:s=100x100:r=30:d=5 -f lavfi -i \"sine=f=440:sample_rate=44100:d=5\" -c:a aac";

static const uint8_t *pixel(const uint8_t *rgb, size_t frame, int x, int y) {
    return rgb + ((frame * HEIGHT + (size_t)y) * WIDTH + (size_t)x) * 3;
}

static void assert_color(const uint8_t *got, int red, int green, int blue) {
    static const int coding = 15; /* small saturated spots suffer most */
    if (abs(got[0] - red) > coding || abs(got[1] - green) > coding || abs(got[2] - blue) > coding) {
        fail_msg("got %d,%d,%d instead of %d,%d,%d", got[0], got[1], got[2], red, green, blue);
    }
}

TEST(ta_046_t13_the_logo_lies_in_its_corner_with_its_size_margin_and_opacity) {
    static const struct {
        const char *corner;
        int x, y; /* of the logo's own first pixel: 20x20 at a margin of 10 */
    } cases[] = {{"topLeft", 10, 10}, {"topRight", 170, 10}, {"bottomLeft", 10, 70}, {"", 170, 70}};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", "-f lavfi -i color=gray:s=200x100:r=25:d=0.4");
    const char *logo = studio_make(&studio, "logo.png", "-f lavfi -i color=red:s=64x64 -frames:v 1");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *params = cs_arena_sprintf(
            studio.arena, "{\"brand\":{\"video\":{\"input\":1},\"logo\":{\"input\":2},\"logoPosition\":\"%s\"}}",
            cases[i].corner);
        const Callsheet__V1__MediaFacts *facts =
            studio_must(&studio, params, "branded.mp4", (const char *[]){clip, logo, NULL});
        assert_null(facts->audio);
        size_t frames = 0;
        CS_AUTO_FREE uint8_t *rgb = studio_rgb(&studio, "branded.mp4", WIDTH, HEIGHT, &frames);
        assert_int_equal(frames, 10);
        for (size_t frame = 0; frame < frames; frame += 9) {
            /* gray 128: 0.8 of red, 0.2 of gray */
            assert_color(pixel(rgb, frame, cases[i].x + 4, cases[i].y + 4), 230, 26, 26);
            assert_color(pixel(rgb, frame, cases[i].x + 15, cases[i].y + 15), 230, 26, 26);
            assert_color(pixel(rgb, frame, cases[i].x - 5, cases[i].y + 10), 128, 128, 128);
            assert_color(pixel(rgb, frame, cases[i].x + 10, cases[i].y - 5), 128, 128, 128);
            assert_color(pixel(rgb, frame, cases[i].x + 24, cases[i].y + 10), 128, 128, 128);
            assert_color(pixel(rgb, frame, cases[i].x + 10, cases[i].y + 24), 128, 128, 128);
        }
    }
}

TEST(ta_046_what_is_transparent_in_the_logo_shows_the_video) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", "-f lavfi -i color=gray:s=200x100:r=25:d=0.2");
    /* the left half is green, the right one transparent white */
    const char *logo =
        studio_make(&studio, "logo.png",
                    "-f lavfi -i \"color=white:s=80x80,format=rgba,geq=r='255*gte(X,40)':g=255:b='255*gte(X,40)':"
                    "a='255*lt(X,40)'\" -frames:v 1");
    studio_must(
        &studio,
        "{\"brand\":{\"video\":{\"input\":1},\"logo\":{\"input\":2},\"logoPosition\":\"topLeft\",\"logoSize\":0.4,"
        "\"logoOpacity\":1,\"logoMargin\":0}}",
        "branded.mp4", (const char *[]){clip, logo, NULL});
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *rgb = studio_rgb(&studio, "branded.mp4", WIDTH, HEIGHT, &frames);
    assert_color(pixel(rgb, 0, 16, 40), 0, 255, 0);
    assert_color(pixel(rgb, 0, 64, 40), 128, 128, 128);
    assert_color(pixel(rgb, 0, 90, 40), 128, 128, 128);
}

TEST(ta_046_intro_and_outro_of_other_shapes_are_padded_and_faded_to_the_frame) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", talk);
    const char *intro = studio_make(&studio, "intro.mp4", red_intro);
    const char *outro = studio_make(&studio, "outro.png", "-f lavfi -i color=blue:s=400x200 -frames:v 1");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"brand\":{\"video\":{\"input\":1},\"intro\":{\"input\":2},\"outro\":{\"input\":3}}}",
                    "branded.mp4", (const char *[]){clip, intro, outro, NULL});
    assert_int_equal(facts->video->width, WIDTH);
    assert_int_equal(facts->video->height, HEIGHT);
    assert_int_equal(facts->video->frame_count, 75 + 100 + 75 - 2 * 13); /* 0.5 s at 25 fps, to the nearest frame */
    size_t frames = 0;
    size_t samples = 0;
    CS_AUTO_FREE uint8_t *rgb = studio_rgb(&studio, "branded.mp4", WIDTH, HEIGHT, &frames);
    CS_AUTO_FREE float *sound = studio_sound(&studio, "branded.mp4", &samples);
    assert_int_equal(frames, 224);
    assert_color(pixel(rgb, 0, 100, 50), 254, 0, 0);
    assert_color(pixel(rgb, 0, 20, 50), 0, 0, 0); /* a square lies on black */
    assert_color(pixel(rgb, 61, 100, 50), 254, 0, 0);
    assert_color(pixel(rgb, 68, 100, 50), 191, 64, 64); /* the middle of the fade */
    assert_color(pixel(rgb, 76, 100, 50), 128, 128, 128);
    assert_color(pixel(rgb, 148, 100, 50), 128, 128, 128);
    assert_color(pixel(rgb, 223, 100, 50), 0, 0, 254);
    assert_in_range(samples, (size_t)(224 * 1920 - 1100), (size_t)(224 * 1920 + 2100));
    assert_true(studio_loudest(sound, 6L * 48000 + 30000, 48000) < 0.01); /* an image is silent */
}

TEST(ta_046_a_short_intro_is_not_stretched_and_hard_cuts_are_possible) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", talk);
    const char *intro = studio_make(&studio, "intro.mp4", "-f lavfi -i color=red:s=64x64:r=25:d=1");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"brand\":{\"video\":{\"input\":1},\"intro\":{\"input\":2},\"fadeDuration\":0}}",
                    "branded.mp4", (const char *[]){clip, intro, NULL});
    assert_int_equal(facts->video->frame_count, 25 + 100);
    facts = studio_must(&studio,
                        "{\"brand\":{\"video\":{\"input\":1},\"outro\":{\"input\":2},\"outroDuration\":0.4,"
                        "\"fadeDuration\":0.2}}",
                        "branded.mp4", (const char *[]){clip, intro, NULL});
    assert_int_equal(facts->video->frame_count, 100 + 10 - 5);
}

TEST(ta_046_the_sound_is_as_loud_as_asked_for_within_0_2_lu) {
    static const struct {
        const char *sound;
        const char *loudness;
        double target;
        bool limited;
    } cases[] = {
        {"sine=f=997:d=6,volume=-20dB", "", -16, false},
        {"sine=f=997:d=6,volume=12dB", "\"loudness\":-23,", -23, false},
        {"anoisesrc=d=6:a=0.02:c=pink:seed=7", "", -16, false},
        /* quiet speech-like bursts with a crest that must be limited */
        {"aevalsrc='0.02*sin(2*PI*300*t)+0.5*sin(2*PI*1000*t)*lt(mod(t,0.5),0.004)':s=48000:d=6", "", -16, true},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *made = cs_arena_sprintf(
            studio.arena, "-f lavfi -i color=gray:s=64x64:r=25:d=6 -f lavfi -i \"%s\" -c:a pcm_s16le", cases[i].sound);
        const char *clip = studio_make(&studio, "talk.mov", made);
        const char *params =
            cs_arena_sprintf(studio.arena, "{\"brand\":{%s\"video\":{\"input\":1}}}", cases[i].loudness);
        studio_must(&studio, params, "branded.mp4", (const char *[]){clip, NULL});
        double measured = studio_level(&studio, "branded.mp4", "I:");
        print_message("case %zu: %.2f LUFS, peak %.2f dBFS, we say %.2f\n", i, measured,
                      studio_level(&studio, "branded.mp4", "Peak:"), studio_metric(&studio, "integratedLoudness"));
        assert_true(fabs(measured - cases[i].target) <= 0.25); /* ffmpeg prints one decimal */
        assert_true(fabs(studio_metric(&studio, "integratedLoudness") - measured) <= 0.2);
        assert_true(studio_level(&studio, "branded.mp4", "Peak:") <= -0.9);
        assert_int_equal((int)studio_metric(&studio, "peaksLimited"), cases[i].limited);
    }
}

TEST(ta_046_silence_and_sound_that_is_to_be_kept_are_left_alone) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *silent = studio_make(
        &studio, "silent.mp4", "-f lavfi -i color=gray:s=64x64:r=25:d=2 -f lavfi -i anullsrc=d=2 -shortest -c:a aac");
    studio_must(&studio, "{\"brand\":{\"video\":{\"input\":1}}}", "branded.mp4", (const char *[]){silent, NULL});
    assert_true(studio_metric(&studio, "loudnessGain") == 0);
    assert_true(isnan(studio_metric(&studio, "integratedLoudness")));
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "branded.mp4", &samples);
    assert_true(studio_loudest(sound, 0, samples) < 0.001);
    const char *clip = studio_make(&studio, "talk.mp4", talk);
    studio_must(&studio, "{\"brand\":{\"video\":{\"input\":1},\"keepLoudness\":true}}", "branded.mp4",
                (const char *[]){clip, NULL});
    assert_true(fabs(studio_level(&studio, "branded.mp4", "I:") - studio_level(&studio, "talk.mp4", "I:")) <= 0.3);
}

TEST(ta_047_what_cannot_be_branded_is_refused_with_its_path) {
    static const struct {
        const char *params;
        const char *path;
        const char *reason;
    } cases[] = {
        {"\"video\":{\"input\":3}", "video", "no_video"},
        {"\"video\":{\"input\":1},\"logo\":{\"input\":1}", "logo", "no_image"},
        {"\"video\":{\"input\":1},\"logo\":{\"input\":2}", "logo", "no_image"},
        {"\"video\":{\"input\":1},\"intro\":{\"input\":2}", "intro", "no_video"},
        {"\"video\":{\"input\":1},\"outro\":{\"input\":9}", "outro", "no_input"},
        {"\"video\":{\"input\":1},\"logoPosition\":\"middle\"", "logoPosition", "unknown_word"},
        {"\"video\":{\"input\":1},\"logoSize\":2", "logoSize", "out_of_range"},
        {"\"video\":{\"input\":1},\"loudness\":3", "loudness", "out_of_range"},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", talk);
    const char *sound = studio_make(&studio, "sound.wav", "-f lavfi -i sine=d=1");
    const char *image = studio_make(&studio, "image.png", "-f lavfi -i color=blue:s=40x20 -frames:v 1");
    const char *broken = studio_write(&studio, "broken.png", "\x89PNG\r\n\x1a\nnothing", 15);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *params = cs_arena_sprintf(studio.arena, "{\"brand\":{%s}}", cases[i].params);
        assert_fails(studio_run(&studio, params, "branded.mp4", (const char *[]){clip, sound, image, NULL}),
                     &studio.err, CS_INVALID_ARGUMENT, cases[i].reason);
        assert_string_equal(studio.err.path, cases[i].path);
    }
    assert_int_not_equal(studio_run(&studio, "{\"brand\":{\"video\":{\"input\":1},\"logo\":{\"input\":2}}}",
                                    "branded.mp4", (const char *[]){clip, broken, NULL}),
                         CS_OK);
    assert_string_equal(studio.err.path, "logo");
}

TEST(ta_046_real_logos_and_turned_photos_lie_upright) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", "-f lavfi -i color=gray:s=200x100:r=25:d=0.2");
    static const char *const names[] = {"images/logo_alpha_256.png", "images/animation_circle.gif",
                                        "images/exif_orientation_6_landscape.jpg", "images/white_1x1.jpg"};
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        const char *logo = studio_real(&studio, names[i]);
        if (logo != NULL) {
            studio_must(&studio, "{\"brand\":{\"video\":{\"input\":1},\"logo\":{\"input\":2},\"logoSize\":1}}",
                        "branded.mp4", (const char *[]){clip, logo, NULL});
        }
    }
}

/* Milliseconds at which the first cue begins. */
static double first_cue_ms(struct studio *studio) {
    int hours = 0, minutes = 0, seconds = 0, ms = 0;
    const char *srt = studio_read(studio, "subtitles.srt", NULL);
    assert_int_equal(sscanf(srt, "1\n%d:%d:%d,%d", &hours, &minutes, &seconds, &ms), 4);
    return ((hours * 60 + minutes) * 60 + seconds) * 1000.0 + ms;
}

/* The first flash is said to be at its half second; it is looked for in what was branded. */
TEST(ta_045_ta_046_subtitles_are_where_the_branded_video_says_them) {
    static const char cue[] = "1\n00:00:00,500 --> 00:00:00,900\nflash\n";
    static const char format[] = "{\"video\":{\"input\":1},\"intro\":{\"input\":2}%s%s}";
    static const struct {
        const char *intro, *durations;
    } cases[] = {
        {"image", ""},
        {"image", ",\"introDuration\":1.5,\"fadeDuration\":0"},
        {"video", ",\"introDuration\":20,\"fadeDuration\":2"}, /* 0.6 s long: at most half of it is shared */
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = flash_make(&studio, "film.mp4", &(struct flash_film){.rate_num = 25, .frames = 75});
    const char *image = studio_make(&studio, "image.png", "-f lavfi -i color=black:s=64x64 -frames:v 1");
    const char *video = studio_make(&studio, "video.mp4", "-f lavfi -i color=black:s=64x64:r=30:d=0.6");
    const char *srt = studio_write(&studio, "said.srt", cue, sizeof(cue) - 1);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *intro = cases[i].intro[0] == 'i' ? image : video;
        const char *brand = cs_arena_sprintf(studio.arena, format, cases[i].durations, "");
        (void)studio_must(&studio, cs_arena_sprintf(studio.arena, "{\"brand\":%s}", brand), "branded.mp4",
                          (const char *[]){film, intro, NULL});
        struct flash_sight sight = flash_look(&studio, "branded.mp4", 25, 1);
        assert_true(sight.count >= 2);
        const char *retime =
            cs_arena_sprintf(studio.arena, format, cases[i].durations, ",\"transcript\":{\"input\":3}");
        assert_ok(studio_run(&studio, cs_arena_sprintf(studio.arena, "{\"retimeSubtitles\":%s}", retime),
                             "words_after.json", (const char *[]){film, intro, srt, NULL}),
                  &studio.err);
        double seen_ms = sight.items[sight.count - 3].frame * 40;
        if (fabs(first_cue_ms(&studio) - seen_ms) > 40) {
            fail_msg("case %zu: the cue is at %g, the flash at %g ms", i, first_cue_ms(&studio), seen_ms);
        }
    }
    assert_fails(studio_run(&studio, "{\"retimeSubtitles\":{\"transcript\":{\"input\":1},\"intro\":{\"input\":2}}}",
                            "words_after.json", (const char *[]){srt, image, NULL}),
                 &studio.err, CS_INVALID_ARGUMENT, "required");
    assert_string_equal(studio.err.path, "video");
}

TEST_MAIN(CS_TEST(ta_045_ta_046_subtitles_are_where_the_branded_video_says_them),
          CS_TEST(ta_046_t13_the_logo_lies_in_its_corner_with_its_size_margin_and_opacity),
          CS_TEST(ta_046_what_is_transparent_in_the_logo_shows_the_video),
          CS_TEST(ta_046_intro_and_outro_of_other_shapes_are_padded_and_faded_to_the_frame),
          CS_TEST(ta_046_a_short_intro_is_not_stretched_and_hard_cuts_are_possible),
          CS_TEST(ta_046_the_sound_is_as_loud_as_asked_for_within_0_2_lu),
          CS_TEST(ta_046_silence_and_sound_that_is_to_be_kept_are_left_alone),
          CS_TEST(ta_047_what_cannot_be_branded_is_refused_with_its_path),
          CS_TEST(ta_046_real_logos_and_turned_photos_lie_upright))
