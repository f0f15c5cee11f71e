/* COVERS ops/sequence.c joining.c transitions.c stitch.c merge.c: videos one after the other. */
#include <libavfilter/avfilter.h>
#include <libavutil/opt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/catalog.h"
#include "cs/test.h"
#include "flash.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

enum { HZ = 48000 };

static void expect(struct studio *studio, const char *operation, const char *const *inputs, int64_t frames,
                   size_t flashes) {
    const Callsheet__V1__MediaFacts *facts = studio_must(studio, operation, "out.mp4", inputs);
    int num = facts->video->frame_rate->num;
    int den = facts->video->frame_rate->den;
    struct flash_sight sight = flash_look(studio, "out.mp4", num, den);
    assert_int_equal(facts->video->frame_count, frames);
    assert_int_equal(sight.frames, frames);
    assert_int_equal(facts->audio->sample_count, llround((double)frames * HZ * den / num));
    flash_expect(&sight, flashes, num, den);
}

/* ---- transitions ---- */

TEST(ta_043_two_videos_are_as_long_as_both_less_the_transition) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = flash_make(&studio, "a.mp4", &(struct flash_film){.frames = 90});
    const char *b = flash_make(&studio, "b.mp4", &(struct flash_film){.frames = 120, .width = 120, .height = 160});
    expect(&studio,
           "{\"transitions\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}],"
           "\"transition\":{\"duration\":0.5}}}",
           INPUTS(a, b), 195, 7); /* 6.5 s */
    expect(&studio, "{\"transitions\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}]}}", INPUTS(a, b),
           210 - 9, 7);
}

TEST(ta_042_t9_transitions_may_be_as_long_as_what_they_join_and_not_longer) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = flash_make(&studio, "a.mp4", &(struct flash_film){.frames = 30});
    const char *b = flash_make(&studio, "b.mp4", &(struct flash_film){.frames = 60});
    static const char format[] = "{\"transitions\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}},"
                                 "{\"media\":{\"input\":3}}],\"transition\":{\"type\":\"fade\",\"duration\":%s}}}";
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, cs_arena_sprintf(studio.arena, format, "1"), "out.mp4", INPUTS(a, b, a));
    assert_int_equal(facts->video->frame_count, 60);
    assert_fails(studio_run(&studio, cs_arena_sprintf(studio.arena, format, "1.1"), "out.mp4", INPUTS(a, b, a)),
                 &studio.err, CS_INVALID_ARGUMENT, "segment_too_short");
    assert_string_equal(studio.err.path, "transition.duration");
}

TEST(ta_044_one_video_or_one_span_needs_no_transition) {
    static const char one[] = "{\"cuts\":[{\"start\":1,\"end\":2,\"type\":\"keep\"}]}";
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = flash_make(&studio, "a.mp4", &(struct flash_film){0});
    const char *plan = studio_write(&studio, "plan.json", one, strlen(one));
    expect(&studio, "{\"transitions\":{\"items\":[{\"media\":{\"input\":1}}]}}", INPUTS(a), 120, 4);
    expect(&studio, "{\"transitions\":{\"items\":[{\"media\":{\"input\":1}}],\"plan\":{\"input\":2}}}", INPUTS(a, plan),
           30, 1);
}

/* A film whose clicks are only in its first second, and one whose are only in its last. */
TEST(ta_043_t9_sound_fades_within_its_transition_and_moves_nothing) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = flash_make(&studio, "film.mp4", &(struct flash_film){.frames = 300});
    static const char spans[] =
        "{\"cuts\":[{\"start\":0,\"end\":3,\"type\":\"keep\"},"
        "{\"start\":4,\"end\":7,\"type\":\"keep\"},{\"start\":8,\"end\":10,\"type\":\"keep\"}]}";
    const char *plan = studio_write(&studio, "plan.json", spans, strlen(spans));
    expect(&studio,
           "{\"transitions\":{\"items\":[{\"media\":{\"input\":1}}],\"plan\":{\"input\":2},"
           "\"transition\":{\"type\":\"wipeleft\",\"duration\":0.4},\"audioFadeDuration\":0.1}}",
           INPUTS(film, plan), 240 - 24, 8);
    const char *loud = studio_make(&studio, "loud.mov",
                                   "-f lavfi -i color=red:s=64x64:r=25:d=2 -f lavfi -i sine=f=500:r=48000:d=2 "
                                   "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s16le");
    const char *mute = studio_make(&studio, "mute.mov",
                                   "-f lavfi -i color=red:s=64x64:r=25:d=2 -f lavfi -i anullsrc=r=48000:d=2 "
                                   "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s16le");
    (void)studio_must(&studio,
                      "{\"transitions\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}],"
                      "\"transition\":{\"type\":\"fade\",\"duration\":1},\"audioFadeDuration\":0.2}}",
                      "out.mp4", INPUTS(loud, mute));
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "out.mp4", &samples); /* fades from 1.4 to 1.6 s */
    double full = studio_loudest(sound, HZ / 2, HZ / 10);
    assert_true(fabs(studio_loudest(sound, HZ * 135 / 100, HZ / 50) - full) < full / 10);
    assert_true(studio_loudest(sound, HZ * 165 / 100, HZ / 10) < full / 20);
    assert_fails(studio_run(&studio,
                            "{\"transitions\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}],"
                            "\"audioFadeDuration\":2}}",
                            "out.mp4", INPUTS(loud, mute)),
                 &studio.err, CS_INVALID_ARGUMENT, "out_of_range");
}

/* FFmpeg's own list, without the one whose expression is code. */
TEST(every_transition_of_ffmpeg_joins_two_videos) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = flash_make(&studio, "a.mp4", &(struct flash_film){.width = 64, .height = 48, .frames = 20});
    const AVFilter *xfade = avfilter_get_by_name("xfade");
    const AVClass *options = xfade->priv_class;
    const AVOption *option = NULL;
    size_t count = 0;
    assert_null(cs_transition_name("custom"));
    assert_string_equal(cs_transition_name("crossfade"), "fade");
    assert_string_equal(cs_transition_name("wipe"), "wipeleft");
    while ((option = av_opt_next(&options, option)) != NULL) {
        if (option->type != AV_OPT_TYPE_CONST || strcmp(option->unit, "transition") != 0 ||
            strcmp(option->name, "custom") == 0) {
            continue;
        }
        assert_string_equal(cs_transition_name(option->name), option->name);
        const Callsheet__V1__MediaFacts *facts =
            studio_must(&studio,
                        cs_arena_sprintf(studio.arena,
                                         "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":1}}],"
                                         "\"transition\":{\"type\":\"%s\",\"duration\":0.2}}}",
                                         option->name),
                        "out.mp4", INPUTS(a));
        assert_int_equal(facts->video->frame_count, 34);
        count++;
    }
    assert_true(count >= 44);
}

/* ---- stitch ---- */

TEST(ex_038_stitch_joins_scenes_as_each_says) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = flash_make(&studio, "a.mp4", &(struct flash_film){.frames = 90});
    const char *b =
        flash_make(&studio, "b.mp4", &(struct flash_film){.frames = 75, .rate_num = 25, .width = 120, .height = 160});
    static const char scenes[] = "{\"stitch\":{\"scenes\":[{\"media\":{\"input\":1},\"transition\":\"%s\"},"
                                 "{\"media\":{\"input\":2}%s},{\"media\":{\"input\":1},\"transition\":\"fade\"}]%s}}";
    expect(&studio, cs_arena_sprintf(studio.arena, scenes, "", "", ""), INPUTS(a, b), 270, 9);
    expect(&studio, cs_arena_sprintf(studio.arena, scenes, "dissolve", "", ""), INPUTS(a, b), 270 - 15, 9);
    expect(&studio,
           cs_arena_sprintf(studio.arena, scenes, "cut", "", ",\"transition\":{\"type\":\"fade\",\"duration\":0.4}"),
           INPUTS(a, b), 270 - 12, 9);
    expect(&studio, cs_arena_sprintf(studio.arena, scenes, "cut", ",\"duration\":2", ""), INPUTS(a, b), 240, 8);
    assert_fails(studio_run(&studio, cs_arena_sprintf(studio.arena, scenes, "jump", "", ""), "out.mp4", INPUTS(a, b)),
                 &studio.err, CS_INVALID_ARGUMENT, "unknown_transition");
    assert_string_equal(studio.err.path, "scenes[0].transition");
}

TEST(stitch_lays_music_under_its_scenes) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = studio_make(&studio, "a.mp4", "-f lavfi -i color=red:s=64x64:r=25:d=2 -pix_fmt yuv420p");
    const char *music = studio_make(&studio, "music.wav", "-f lavfi -i sine=f=500:r=48000:d=3");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio,
                    "{\"stitch\":{\"scenes\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":1}}],"
                    "\"audio\":{\"input\":2},\"audioVolume\":0.5}}",
                    "out.mp4", INPUTS(a, music));
    assert_int_equal(facts->video->frame_count, 100);
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "out.mp4", &samples);
    double level = studio_loudest(sound, HZ, HZ);
    assert_true(level > 0.05 && level < 0.075); /* sine makes an eighth */
    assert_true(studio_loudest(sound, HZ * 31 / 10, HZ / 2) < 0.001);
    assert_fails(studio_run(&studio, "{\"stitch\":{\"scenes\":[{\"media\":{\"input\":1}}],\"audio\":{\"input\":1}}}",
                            "out.mp4", INPUTS(a)),
                 &studio.err, CS_INVALID_ARGUMENT, "no_audio");
}

/* The loudest of a tenth of a second around a moment. */
static double loud_at(const float *sound, double seconds) {
    return studio_loudest(sound, (size_t)llround((seconds - 0.05) * HZ), HZ / 10);
}

TEST(music_is_repeated_and_fades_in_and_out) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *scene = studio_make(&studio, "a.mp4", "-f lavfi -i color=red:s=64x64:r=25:d=2 -pix_fmt yuv420p");
    const char *music = studio_make(&studio, "music.wav", "-f lavfi -i sine=f=500:r=48000:d=0.75");
    size_t samples = 0;
    (void)studio_must(&studio,
                      "{\"stitch\":{\"scenes\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":1}}],\"audio\":"
                      "{\"input\":2},\"audioLoop\":true,\"audioFadeIn\":1,\"audioFadeOut\":1}}",
                      "out.mp4", INPUTS(scene, music));
    CS_AUTO_FREE float *stitched = studio_sound(&studio, "out.mp4", &samples);
    double full = loud_at(stitched, 2);
    assert_true(full > 0.1); /* sine makes an eighth */
    assert_true(fabs(loud_at(stitched, 1.6) - full) < full / 10 && fabs(loud_at(stitched, 2.9) - full) < full / 10);
    assert_true(loud_at(stitched, 0.1) < full * 0.2 && fabs(loud_at(stitched, 0.5) - full * 0.55) < full * 0.1);
    assert_true(fabs(loud_at(stitched, 3.5) - full * 0.55) < full * 0.1 && loud_at(stitched, 3.9) < full * 0.2);
}

TEST(sy_083_a_merged_sound_is_trimmed_repeated_and_fades) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *scene = studio_make(&studio, "a.mp4", "-f lavfi -i color=red:s=64x64:r=25:d=4 -pix_fmt yuv420p");
    /* the first half of a second of it is silent */
    const char *music =
        studio_make(&studio, "music.wav", "-f lavfi -i \"sine=f=500:r=48000:d=1,volume=0:enable='lt(t,0.5)'\"");
    static const char format[] = "{\"merge\":{\"items\":[{\"media\":{\"input\":1}%s},{\"media\":{\"input\":2},"
                                 "\"offset\":0.5%s}]}}";
    size_t samples = 0;
    (void)studio_must(
        &studio,
        cs_arena_sprintf(studio.arena, format, "", ",\"trimStart\":0.5,\"loop\":true,\"duration\":3,\"fadeOut\":1"),
        "out.mp4", INPUTS(scene, music));
    CS_AUTO_FREE float *merged = studio_sound(&studio, "out.mp4", &samples);
    double full = loud_at(merged, 1);
    assert_true(full > 0.1);
    for (double at = 0.6; at < 2.4; at += 0.1) {
        assert_true(fabs(loud_at(merged, at) - full) < full / 10);
    }
    assert_true(loud_at(merged, 0.3) < 0.001 && loud_at(merged, 3.7) < 0.001);
    assert_true(fabs(loud_at(merged, 3) - full * 0.55) < full * 0.1);
    assert_fails(studio_run(&studio, cs_arena_sprintf(studio.arena, format, ",\"loop\":true", ""), "out.mp4",
                            INPUTS(scene, music)),
                 &studio.err, CS_INVALID_ARGUMENT, "not_applicable");
    assert_string_equal(studio.err.path, "items[0].media");
    assert_fails(studio_run(&studio, cs_arena_sprintf(studio.arena, format, "", ",\"trimStart\":1"), "out.mp4",
                            INPUTS(scene, music)),
                 &studio.err, CS_INVALID_ARGUMENT, "out_of_range");
    assert_string_equal(studio.err.path, "items[1].trimStart");
}

TEST(thirty_seven_scenes_of_75_frames_neither_grow_nor_drift) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip =
        flash_make(&studio, "clip.mp4",
                   &(struct flash_film){.width = 64, .height = 48, .rate_num = 30000, .rate_den = 1001, .frames = 75});
    const char *inputs[] = {clip, NULL};
    CS_AUTO_BUF scenes = {0};
    for (int i = 0; i < 37; i++) {
        cs_buf_printf(&scenes, "%s{\"media\":{\"input\":1}}", i > 0 ? "," : "");
    }
    expect(&studio, cs_arena_sprintf(studio.arena, "{\"stitch\":{\"scenes\":[%s]}}", scenes.data), inputs, 2775, 74);
    expect(&studio, cs_arena_sprintf(studio.arena, "{\"merge\":{\"items\":[%s]}}", scenes.data), inputs, 2775, 74);
    expect(&studio,
           cs_arena_sprintf(studio.arena, "{\"transitions\":{\"items\":[%s],\"transition\":{\"duration\":0.1}}}",
                            scenes.data),
           inputs, 2775 - 36 * 3, 74);
}

TEST_MAIN(CS_TEST(ta_043_two_videos_are_as_long_as_both_less_the_transition),
          CS_TEST(ta_042_t9_transitions_may_be_as_long_as_what_they_join_and_not_longer),
          CS_TEST(ta_044_one_video_or_one_span_needs_no_transition),
          CS_TEST(ta_043_t9_sound_fades_within_its_transition_and_moves_nothing),
          CS_TEST(every_transition_of_ffmpeg_joins_two_videos), CS_TEST(ex_038_stitch_joins_scenes_as_each_says),
          CS_TEST(stitch_lays_music_under_its_scenes), CS_TEST(music_is_repeated_and_fades_in_and_out),
          CS_TEST(sy_083_a_merged_sound_is_trimmed_repeated_and_fades),
          CS_TEST(thirty_seven_scenes_of_75_frames_neither_grow_nor_drift))
