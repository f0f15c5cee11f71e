/* COVERS ops/trim.c cut.c speed.c freeze.c reverse.c arrange.c, graph/reverse.c, edit/stretch.c, graph/pace_*.c
 * room_tone.c: what is done to the time of a video. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "flash.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

enum { HZ = 48000, NUM = 30000, DEN = 1001 };

static const struct flash_film film_ntsc = {.rate_num = NUM, .rate_den = DEN, .frames = 300}; /* 10.01 s */

static const char *write_plan(struct studio *studio, const char *spans) {
    const char *json = cs_arena_sprintf(studio->arena, "{\"cuts\":[%s]}", spans);
    return studio_write(studio, "plan.json", json, strlen(json));
}

/* Runs it on the film; the output has so many frames and flashes, and its sound keeps to them. */
static struct flash_sight expect(struct studio *studio, const char *operation, const char *const *inputs,
                                 int64_t frames, size_t flashes) {
    const Callsheet__V1__MediaFacts *facts = studio_must(studio, operation, "out.mp4", inputs);
    int num = facts->video->frame_rate->num;
    int den = facts->video->frame_rate->den;
    struct flash_sight sight = flash_look(studio, "out.mp4", num, den);
    assert_int_equal(facts->video->frame_count, frames);
    assert_int_equal(sight.frames, frames);
    assert_int_equal(facts->audio->sample_count, llround((double)frames * HZ * den / num));
    flash_expect(&sight, flashes, num, den);
    return sight;
}

static void refused(struct studio *studio, const char *operation, const char *const *inputs, const char *reason,
                    const char *path) {
    assert_fails(studio_run(studio, operation, "out.mp4", inputs), &studio->err, CS_INVALID_ARGUMENT, reason);
    assert_string_equal(studio->err.path, path);
}

/* ---- trim ---- */

TEST(m7_trim_keeps_ranges_to_the_frame) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = flash_make(&studio, "film.mp4", &film_ntsc);
    struct flash_sight sight = expect(&studio,
                                      "{\"trim\":{\"video\":{\"input\":1},\"keep\":[{\"start\":1,\"end\":2},"
                                      "{\"start\":4.2,\"end\":7},{\"start\":7,\"end\":8}]}}",
                                      INPUTS(film), 30 + (240 - 126), 5);
    assert_true(sight.items[0].frame == 45 - 30 && sight.items[1].frame == 30 + 135 - 126);
    expect(&studio, "{\"trim\":{\"video\":{\"input\":1},\"start\":3,\"duration\":2.5}}", INPUTS(film), 165 - 90, 2);
    expect(&studio, "{\"trim\":{\"video\":{\"input\":1},\"end\":4}}", INPUTS(film), 120, 4);
    expect(&studio, "{\"trim\":{\"video\":{\"input\":1},\"start\":9}}", INPUTS(film), 30, 1);
}

TEST(trim_drops_ranges_and_what_lies_behind_the_end) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = flash_make(&studio, "film.mp4", &film_ntsc);
    expect(&studio,
           "{\"trim\":{\"video\":{\"input\":1},\"drop\":[{\"start\":0,\"end\":1},{\"start\":3,\"end\":4},"
           "{\"start\":9,\"end\":100}]}}",
           INPUTS(film), 300 - 30 - 30 - 30, 7);
}

TEST(trim_refuses_ranges_that_are_none) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = flash_make(&studio, "film.mp4", &(struct flash_film){0});
    refused(&studio, "{\"trim\":{\"video\":{\"input\":1},\"keep\":[{\"start\":1,\"end\":1.01}]}}", INPUTS(film),
            "empty_range", "keep[0]");
    refused(&studio,
            "{\"trim\":{\"video\":{\"input\":1},\"drop\":[{\"start\":1,\"end\":2},{\"start\":1.5,\"end\":3}]}}",
            INPUTS(film), "overlapping_ranges", "drop[1]");
    refused(&studio, "{\"trim\":{\"video\":{\"input\":1},\"keep\":[{\"start\":50,\"end\":60}]}}", INPUTS(film),
            "nothing_left", "keep");
    refused(&studio, "{\"trim\":{\"video\":{\"input\":1},\"drop\":[{\"start\":0,\"end\":60}]}}", INPUTS(film),
            "nothing_left", "drop");
    refused(&studio, "{\"trim\":{\"video\":{\"input\":1},\"start\":-1}}", INPUTS(film), "out_of_range", "end");
}

TEST(trim_and_cut_of_a_variable_rate_keep_picture_and_sound_together) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    flash_make(&studio, "film.mkv", &film_ntsc);
    const char *film = studio_make(&studio, "vfr.mkv",
                                   cs_arena_sprintf(studio.arena,
                                                    "-i %s/film.mkv -vf \"select='not(eq(mod(n,7),3))'\" -vsync vfr "
                                                    "-c:v libx264 -preset ultrafast -c:a copy",
                                                    studio.dir));
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"trim\":{\"video\":{\"input\":1},\"start\":2,\"end\":8}}", "out.mp4", INPUTS(film));
    int num = facts->video->frame_rate->num;
    int den = facts->video->frame_rate->den;
    assert_int_equal(facts->video->frame_count, llround(8.0 * num / den) - llround(2.0 * num / den));
    struct flash_sight sight = flash_look(&studio, "out.mp4", num, den);
    flash_expect(&sight, 6, num, den);
    const char *plan = write_plan(&studio, "{\"start\":1,\"end\":3,\"type\":\"keep\"},"
                                           "{\"start\":3,\"end\":5,\"type\":\"cut\"},"
                                           "{\"start\":5,\"end\":9,\"type\":\"keep\"}");
    (void)studio_must(&studio, "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2}}}", "out.mp4",
                      INPUTS(film, plan));
    sight = flash_look(&studio, "out.mp4", num, den);
    flash_expect(&sight, 6, num, den);
}

/* ---- cut ---- */

TEST(ta_040_a_plan_cuts_mutes_and_changes_the_speed) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = flash_make(&studio, "film.mp4", &film_ntsc);
    const char *plan = write_plan(&studio, "{\"start\":0,\"end\":2,\"type\":\"keep\"},"
                                           "{\"start\":2,\"end\":4,\"type\":\"speed\",\"factor\":0.5},"
                                           "{\"start\":4,\"end\":5,\"type\":\"cut\"},"
                                           "{\"start\":5,\"end\":9,\"type\":\"speed\",\"factor\":2},"
                                           "{\"start\":9,\"end\":10,\"type\":\"keep\"}");
    struct flash_sight sight = expect(&studio, "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2}}}",
                                      INPUTS(film, plan), 60 + 120 + 60 + 30, 9);
    assert_true(sight.items[2].frame == 60 + 2 * 15 && sight.items[3].frame == 60 + 2 * 45);
    assert_int_equal(studio.done->n_metrics, 2);
    plan = write_plan(&studio, "{\"start\":0,\"end\":3,\"type\":\"keep\"},"
                               "{\"start\":3,\"end\":6,\"type\":\"mute\"},"
                               "{\"start\":6,\"end\":8,\"type\":\"speed\",\"factor\":4,\"mute\":true}");
    (void)studio_must(&studio, "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2}}}", "out.mp4",
                      INPUTS(film, plan));
    sight = flash_look(&studio, "out.mp4", NUM, DEN);
    assert_int_equal(sight.frames, 90 + 90 + 15);
    for (size_t i = 0; i < sight.count; i++) {
        assert_int_equal(isnan(sight.items[i].offset), i >= 3);
    }
}

/* The level of a stretch, in dB. */
static double level_of(const float *sound, double from_s, double to_s) {
    double energy = 0;
    size_t from = (size_t)(from_s * HZ);
    size_t to = (size_t)(to_s * HZ);
    for (size_t i = from; i < to; i++) {
        energy += (double)sound[i] * (double)sound[i];
    }
    return 10 * log10(energy / (double)(to - from) + 1e-12);
}

TEST(muted_spans_are_silent_or_sound_like_the_room) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    /* a hum that is loud but for 4.1 … 4.9 s, and noise all the time */
    const char *talk = studio_make(
        &studio, "talk.mov",
        "-f lavfi -i color=blue:s=64x64:r=25:d=8 -f lavfi -i \"aevalsrc='if(between(t,4.1,4.9),0,0.3*sin(440*t))+"
        "0.01*(random(0)-0.5)':s=48000:d=8\" -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s16le");
    const char *plan = write_plan(&studio, "{\"start\":0,\"end\":1,\"type\":\"keep\"},"
                                           "{\"start\":1,\"end\":3,\"type\":\"mute\"},"
                                           "{\"start\":3,\"end\":7,\"type\":\"keep\"},"
                                           "{\"start\":7,\"end\":8,\"type\":\"roomTone\"}");
    size_t samples = 0;
    (void)studio_must(&studio, "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2}}}", "out.mp4",
                      INPUTS(talk, plan));
    CS_AUTO_FREE float *silent = studio_sound(&studio, "out.mp4", &samples);
    double room = level_of(silent, 4.2, 4.8);
    assert_true(room > -55 && room < -47);
    assert_true(level_of(silent, 1.1, 2.9) < -80);
    assert_true(fabs(level_of(silent, 7.1, 7.9) - room) < 1.5);
    (void)studio_must(&studio, "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2},\"gapFill\":\"roomTone\"}}",
                      "out.mp4", INPUTS(talk, plan));
    CS_AUTO_FREE float *filled = studio_sound(&studio, "out.mp4", &samples);
    for (double at = 1.1; at < 2.8; at += 0.1) { /* also where it is repeated */
        assert_true(fabs(level_of(filled, at, at + 0.1) - room) < 2);
    }
    refused(&studio, "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2},\"gapFill\":\"applause\"}}",
            INPUTS(talk, plan), "unknown_word", "gapFill");
}

TEST(joins_of_sound_neither_click_nor_dip) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *hum = studio_make(&studio, "hum.mov",
                                  "-f lavfi -i color=blue:s=64x64:r=25:d=8 -f lavfi -i "
                                  "\"anoisesrc=a=0.2:r=48000:d=8:seed=7,lowpass=f=400\" -c:v libx264 -preset ultrafast "
                                  "-pix_fmt yuv420p -c:a pcm_s16le");
    const char *plan = write_plan(&studio, "{\"start\":0,\"end\":1,\"type\":\"keep\"},"
                                           "{\"start\":3,\"end\":4,\"type\":\"keep\"},"
                                           "{\"start\":5.3,\"end\":8,\"type\":\"keep\"}");
    (void)studio_must(&studio, "[{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2}}}]", "out.mp4",
                      INPUTS(hum, plan));
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "out.mp4", &samples);
    double usual = level_of(sound, 0.2, 0.8);
    for (int join = 1; join <= 2; join++) {
        double dip = level_of(sound, join - 0.012, join + 0.002) - usual;
        assert_true(dip > -6 && dip < 6);
        float step = 0;
        for (int i = join * HZ - 600; i < join * HZ + 200; i++) {
            step = fmaxf(step, fabsf(sound[i] - sound[i - 1]));
        }
        assert_true(step < 0.05F);
    }
}

/* ---- speed ---- */

TEST(speed_changes_the_time_of_picture_and_sound_alike) {
    static const struct {
        const char *factor;
        int64_t frames;
    } cases[] = {{"2", 900}, {"0.5", 3600}, {"1.25", 1440}, {"1.01", 1782}};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const struct flash_film minute = {.width = 64, .height = 48, .frames = 1800, .flash_frames = 6};
    const char *film = flash_make(&studio, "film.mp4", &minute);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        for (int tape = 0; tape < 2; tape++) {
            expect(&studio,
                   cs_arena_sprintf(studio.arena, "{\"speed\":{\"video\":{\"input\":1},\"factor\":%s%s}}",
                                    cases[i].factor, tape ? ",\"keepPitch\":false" : ""),
                   INPUTS(film), cases[i].frames, 60);
        }
    }
}

TEST(speed_reaches_from_a_tenth_to_ten_times) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const struct flash_film long_flashes = {
        .width = 64, .height = 48, .rate_num = NUM, .rate_den = DEN, .frames = 300, .flash_frames = 15};
    const char *film = flash_make(&studio, "film.mp4", &long_flashes);
    expect(&studio, "{\"speed\":{\"video\":{\"input\":1},\"factor\":10,\"keepPitch\":false}}", INPUTS(film), 30, 10);
    expect(&studio, "{\"speed\":{\"video\":{\"input\":1},\"factor\":0.25}}", INPUTS(film), 1200, 10);
    expect(&studio, "{\"speed\":{\"video\":{\"input\":1},\"factor\":0.1,\"end\":2,\"keepPitch\":false}}", INPUTS(film),
           600 + 240, 10);
    (void)studio_must(&studio, "{\"speed\":{\"video\":{\"input\":1},\"factor\":0.1,\"end\":2}}", "out.mp4",
                      INPUTS(film));
    struct flash_sight sight = flash_look(&studio, "out.mp4", NUM, DEN);
    assert_int_equal(sight.frames, 600 + 240);
    assert_true(sight.offset_max < 0.01 * 10 * HZ); /* a hundredth of a second of what was recorded */
    refused(&studio, "{\"speed\":{\"video\":{\"input\":1},\"factor\":0.05}}", INPUTS(film), "out_of_range", "factor");
    refused(&studio, "{\"speed\":{\"video\":{\"input\":1},\"factor\":2,\"start\":30}}", INPUTS(film), "empty_range",
            "start");
}

/* The film ends in a flash. */
TEST(sound_that_is_slowed_down_lasts_to_the_end_of_its_picture) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const struct flash_film ends_bright = {
        .width = 64, .height = 48, .rate_num = 25, .frames = 50, .flash_frames = 13, .encode = "-c:a pcm_s16le"};
    const char *film = flash_make(&studio, "film.mov", &ends_bright);
    for (int tape = 0; tape < 2; tape++) {
        size_t samples = 0;
        (void)studio_must(&studio,
                          cs_arena_sprintf(studio.arena, "{\"speed\":{\"video\":{\"input\":1},\"factor\":0.1%s}}",
                                           tape ? ",\"keepPitch\":false" : ""),
                          "out.mp4", INPUTS(film));
        CS_AUTO_FREE float *sound = studio_sound_in_time(&studio, "out.mp4", &samples);
        size_t end = (size_t)20 * HZ;
        assert_true(samples >= end);
        double full = studio_loudest(sound, end - HZ, HZ / 2);
        double last = studio_loudest(sound, end - HZ / 40, HZ / 100); /* 25 to 15 ms before it: less than a frame */
        if (last < full * 0.8) {
            fail_msg("tape %d: its last frame is %g of %g loud", tape, last, full);
        }
    }
}

/* How often the sound goes up through zero in a second. */
static double pitch_of(const float *sound, size_t from, size_t count) {
    size_t rises = 0;
    for (size_t i = from + 1; i < from + count; i++) {
        rises += sound[i - 1] < 0 && sound[i] >= 0;
    }
    return (double)rises * HZ / (double)count;
}

TEST(speed_keeps_the_pitch_unless_told_not_to) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *tone = studio_make(&studio, "tone.mp4",
                                   "-f lavfi -i color=red:s=64x64:r=25:d=4 -f lavfi -i sine=f=440:d=4:r=48000 "
                                   "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac");
    size_t samples = 0;
    (void)studio_must(&studio, "{\"speed\":{\"video\":{\"input\":1},\"factor\":1.5}}", "out.mp4", INPUTS(tone));
    CS_AUTO_FREE float *kept = studio_sound(&studio, "out.mp4", &samples);
    assert_true(fabs(pitch_of(kept, HZ / 2, HZ) - 440) < 5);
    (void)studio_must(&studio, "{\"speed\":{\"video\":{\"input\":1},\"factor\":1.5,\"keepPitch\":false}}", "out.mp4",
                      INPUTS(tone));
    CS_AUTO_FREE float *tape = studio_sound(&studio, "out.mp4", &samples);
    assert_true(fabs(pitch_of(tape, HZ / 2, HZ) - 660) < 5);
}

TEST(speed_of_a_part_leaves_the_rest_alone) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = flash_make(&studio, "film.mp4", &film_ntsc);
    struct flash_sight sight = expect(
        &studio, "{\"speed\":{\"video\":{\"input\":1},\"factor\":2,\"start\":3,\"end\":5}}", INPUTS(film), 270, 10);
    assert_true(sight.items[2].frame == 75 && sight.items[5].frame == 165 - 30);
}

/* ---- freeze ---- */

TEST(freeze_stops_the_time_or_only_the_picture) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = flash_make(&studio, "film.mp4", &film_ntsc);
    struct flash_sight sight =
        expect(&studio, "{\"freeze\":{\"video\":{\"input\":1},\"at\":3,\"duration\":1.5}}", INPUTS(film), 345, 10);
    assert_true(sight.items[2].frame == 75 && sight.items[3].frame == 105 + 45);
    expect(&studio, "{\"freeze\":{\"video\":{\"input\":1},\"at\":3,\"duration\":0.4,\"sound\":\"continuing\"}}",
           INPUTS(film), 300, 10);
    expect(&studio, "{\"freeze\":{\"video\":{\"input\":1},\"at\":0,\"duration\":1}}", INPUTS(film), 330, 10);
    expect(&studio, "{\"freeze\":{\"video\":{\"input\":1},\"at\":10.01,\"duration\":1}}", INPUTS(film), 330, 10);
    refused(&studio, "{\"freeze\":{\"video\":{\"input\":1},\"at\":11,\"duration\":1}}", INPUTS(film), "out_of_range",
            "at");
    refused(&studio, "{\"freeze\":{\"video\":{\"input\":1},\"at\":1,\"duration\":0}}", INPUTS(film), "out_of_range",
            "duration");
}

/* ---- reverse ---- */

TEST(reverse_turns_picture_and_sound_around) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = flash_make(&studio, "film.mp4", &film_ntsc);
    struct flash_sight sight = expect(&studio, "{\"reverse\":{\"video\":{\"input\":1}}}", INPUTS(film), 300, 10);
    for (size_t i = 0; i < sight.count; i++) {
        assert_true(sight.items[i].frame == 300 - (15 + 30 * (double)(9 - i)) - FLASH_FRAMES);
    }
    expect(&studio,
           "[{\"trim\":{\"video\":{\"input\":1},\"start\":2,\"end\":6}},{\"reverse\":{\"video\":{\"step\":1}}}]",
           INPUTS(film), 120, 4);
}

/* Whatever is turned around twice is what it was: also across chunks of pictures and of sound. */
TEST(reverse_in_chunks_is_seamless) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mov",
                                   "-f lavfi -i \"nullsrc=s=64x48:r=30:d=23,geq=lum='16+8*mod(N,25)':cb=128:cr=128\" "
                                   "-f lavfi -i \"sine=f=300:r=44100:d=23\" "
                                   "-c:v libx264 -preset veryfast -bf 3 -b_strategy 0 -crf 4 -g 70 -c:a pcm_s16le");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"reverse\":{\"video\":{\"input\":1}}}", "once.mp4", INPUTS(film));
    assert_int_equal(facts->video->frame_count, 690);
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "once.mp4", &samples);
    for (size_t i = HZ / 10; i + HZ / 10 < 23 * HZ; i++) { /* a tone has no steps */
        assert_true(fabsf(sound[i] - sound[i - 1]) < 0.02F);
    }
    const char *once = studio_path(&studio, "once.mp4");
    (void)studio_must(&studio, "{\"reverse\":{\"video\":{\"input\":1}}}", "twice.mp4", INPUTS(once));
    size_t before = 0;
    size_t after = 0;
    CS_AUTO_FREE uint8_t *source = studio_brightness(&studio, "film.mov", &before);
    CS_AUTO_FREE uint8_t *result = studio_brightness(&studio, "twice.mp4", &after);
    assert_int_equal(before, after);
    for (size_t n = 0; n < before; n++) { /* each frame is 9 brighter than the one before, or black */
        assert_in_range(result[n] + 4, source[n], source[n] + 8);
    }
}

/* ---- real recordings ---- */

TEST(real_talks_and_films_keep_their_length) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_real(&studio, "video/bbb_720p25_h264_aac51_5s.mp4");
    if (film == NULL) {
        return;
    }
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio, "{\"trim\":{\"video\":{\"input\":1},\"drop\":[{\"start\":1,\"end\":2.5}]}}", "out.mp4", INPUTS(film));
    int64_t whole = 132;
    assert_int_equal(facts->video->frame_count, whole - (63 - 25));
    facts = studio_must(
        &studio,
        "[{\"trim\":{\"video\":{\"input\":1},\"end\":1}},{\"speed\":{\"video\":{\"step\":1},\"factor\":0.5}},"
        "{\"reverse\":{\"video\":{\"step\":2}}}]",
        "out.mp4", INPUTS(film));
    assert_int_equal(facts->video->frame_count, 50);
    assert_int_equal(facts->audio->sample_count, 2 * HZ);
}

TEST_MAIN(CS_TEST(m7_trim_keeps_ranges_to_the_frame), CS_TEST(trim_drops_ranges_and_what_lies_behind_the_end),
          CS_TEST(trim_refuses_ranges_that_are_none),
          CS_TEST(trim_and_cut_of_a_variable_rate_keep_picture_and_sound_together),
          CS_TEST(ta_040_a_plan_cuts_mutes_and_changes_the_speed),
          CS_TEST(muted_spans_are_silent_or_sound_like_the_room), CS_TEST(joins_of_sound_neither_click_nor_dip),
          CS_TEST(speed_changes_the_time_of_picture_and_sound_alike), CS_TEST(speed_reaches_from_a_tenth_to_ten_times),
          CS_TEST(sound_that_is_slowed_down_lasts_to_the_end_of_its_picture),
          CS_TEST(speed_keeps_the_pitch_unless_told_not_to), CS_TEST(speed_of_a_part_leaves_the_rest_alone),
          CS_TEST(freeze_stops_the_time_or_only_the_picture), CS_TEST(reverse_turns_picture_and_sound_around),
          CS_TEST(reverse_in_chunks_is_seamless), CS_TEST(real_talks_and_films_keep_their_length))
