/* COVERS render.c ops/ graph/ generate/ captions/draw.c captions/blend.c io/: whole jobs on real files, in process. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/test.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

/* A white flash and a click at each whole second: what shows whether picture and sound keep together. */
static const char *make_flashes(struct studio *studio, const char *name, const char *rate, const char *size,
                                int seconds, const char *sound) {
    const char *args = cs_arena_sprintf(
        studio->arena,
        "-f lavfi -i \"color=black:s=%s:r=%s:d=%d,drawbox=t=fill:color=white:enable='lt(mod(t+0.001,1),0.06)'\" "
        "-f lavfi -i \"aevalsrc='if(lt(mod(t,1),0.03),0.7*sin(2*PI*1000*t),0)':d=%d%s\" "
        "-c:v libx264 -preset ultrafast -pix_fmt yuv420p %s",
        size, rate, seconds, seconds, sound[0] == '-' ? "" : sound, sound[0] == '-' ? sound : "");
    return studio_make(studio, name, args);
}

static double mean_of(const uint8_t *pixels, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += pixels[i];
    }
    return sum / (double)count;
}

/* For each flash in the picture a click must start within a frame of it. Returns how many there were. */
static size_t check_flashes(struct studio *studio, const char *output, int width, int height, double rate) {
    size_t frames = 0;
    size_t samples = 0;
    size_t flashes = 0;
    CS_AUTO_FREE uint8_t *grey = studio_grey(studio, output, width, height, &frames);
    CS_AUTO_FREE float *sound = studio_sound(studio, output, &samples);
    bool bright = false;
    size_t frame_bytes = (size_t)width * (size_t)height;
    for (size_t n = 0; n < frames; n++) {
        bool now = mean_of(grey + n * frame_bytes, frame_bytes) > 60;
        if (now && !bright) {
            int64_t at = llround((double)n / rate * 48000);
            int64_t frame = llround(48000 / rate);
            int64_t from = at - frame - 48 < 0 ? 0 : at - frame - 48;
            assert_true((size_t)(at + frame) < samples);
            int64_t click = from;
            while (click < at + 2 * frame && fabsf(sound[click]) < 0.1F) {
                click++;
            }
            assert_in_range(click, from, at + frame);
            flashes++;
        }
        bright = now;
    }
    return flashes;
}

/* ---- merge ---- */

TEST(merge_of_unlike_clips_keeps_picture_and_sound_together) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = make_flashes(&studio, "a.mp4", "30000/1001", "160x120", 2, ":s=44100:c=mono");
    const char *b = make_flashes(&studio, "b.mkv", "25", "320x180", 2, ":s=48000:c=stereo");
    const char *c = make_flashes(&studio, "c.mov", "60", "90x160", 3, "-c:a pcm_s16le -ar 22050");
    const char *d = make_flashes(&studio, "d.mp4", "24000/1001", "160x120", 2, "-an");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio,
                    "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}},"
                    "{\"media\":{\"input\":3},\"duration\":2},{\"media\":{\"input\":4},\"volume\":0}]}}",
                    "out.mp4", INPUTS(a, b, c, d));
    assert_int_equal(facts->video->width, 160);
    assert_int_equal(facts->video->height, 120);
    assert_int_equal(facts->video->frame_rate->num, 30000);
    /* natural lengths 60/29.97, 50/25, cut 2 s, 48/23.976 */
    int64_t expected = llround((60 * 1001.0 / 30000 + 2 + 2 + 48 * 1001.0 / 24000) * 30000 / 1001);
    assert_in_range(facts->video->frame_count, expected - 1, expected + 1);
    assert_int_equal(facts->audio->sample_count, llround((double)facts->video->frame_count * 1001 / 30000 * 48000));
    assert_true(studio.progress_calls > 0 && !studio.progress_fell);
    assert_true(studio.progress_last == 1);
    size_t frames = 0;
    free(studio_grey(&studio, "out.mp4", 160, 120, &frames));
    assert_int_equal(frames, facts->video->frame_count);
    /* the last clip's flashes have no clicks: cut it off before looking */
    studio_make(&studio, "head.mp4",
                cs_arena_sprintf(studio.arena, "-i %s -t 5.9 -c copy", studio_path(&studio, "out.mp4")));
    assert_int_equal(check_flashes(&studio, "head.mp4", 160, 120, 30000 / 1001.0), 6);
}

TEST(thirty_seven_clips_of_75_frames_are_2775_frames) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "clip.mp4",
                                   "-f lavfi -i testsrc=s=64x48:r=30000/1001 -f lavfi -i sine=r=48000 -frames:v 75 "
                                   "-t 2.5025 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac");
    for (int named = 0; named < 2; named++) {
        CS_AUTO_BUF plan = {0};
        cs_buf_puts(&plan, "{\"merge\":{\"items\":[");
        for (int i = 0; i < 37; i++) {
            cs_buf_printf(&plan, "%s{\"media\":{\"input\":1}%s}", i > 0 ? "," : "", named ? ",\"duration\":2.5" : "");
        }
        cs_buf_puts(&plan, "]}}");
        const Callsheet__V1__MediaFacts *facts = studio_must(&studio, plan.data, "out.mp4", INPUTS(clip));
        assert_int_equal(facts->video->frame_count, 37 * 75);
        assert_int_equal(facts->audio->sample_count, 4444440);
        size_t frames = 0;
        size_t samples = 0;
        free(studio_grey(&studio, "out.mp4", 64, 48, &frames));
        free(studio_sound(&studio, "out.mp4", &samples));
        assert_int_equal(frames, 37 * 75);
        assert_in_range(samples, 4444440 - 1600, 4444440 + 1600);
    }
}

TEST(merge_with_a_fade_overlaps_picture_and_sound) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *white = studio_make(&studio, "w.mp4",
                                    "-f lavfi -i color=white:s=64x64:r=30:d=2 -f lavfi -i sine=440:d=2 -c:v libx264 "
                                    "-preset ultrafast -pix_fmt yuv420p");
    const char *black = studio_make(&studio, "b.mp4",
                                    "-f lavfi -i color=black:s=64x64:r=25:d=2 -c:v libx264 -preset ultrafast "
                                    "-pix_fmt yuv420p");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio,
                    "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}],"
                    "\"transition\":{\"type\":\"crossfade\",\"duration\":1}}}",
                    "out.mp4", INPUTS(white, black));
    assert_int_equal(facts->video->frame_count, 90);
    size_t frames = 0;
    size_t samples = 0;
    CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "out.mp4", 64, 64, &frames);
    CS_AUTO_FREE float *sound = studio_sound(&studio, "out.mp4", &samples);
    assert_true(mean_of(grey + 4096 * 20, 4096) > 240);
    assert_in_range((int)mean_of(grey + 4096 * 45, 4096), 100, 155); /* half way */
    assert_true(mean_of(grey + 4096 * 70, 4096) < 12);
    double full = studio_loudest(sound, 24000, 4800);
    double half = studio_loudest(sound, 72000 - 1200, 2400);
    assert_true(half > 0.4 * full && half < 0.6 * full);
    assert_true(studio_loudest(sound, 100000, 40000) < 0.01 * full);
}

TEST(merge_lays_sound_over_and_shows_pictures_for_their_time) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *picture = studio_make(&studio, "p.png", "-f lavfi -i color=red:s=101x75 -frames:v 1");
    const char *video = studio_make(&studio, "v.mp4",
                                    "-f lavfi -i color=blue:s=64x64:r=30:d=1 -f lavfi -i sine=300:d=1 -c:v libx264 "
                                    "-preset ultrafast -pix_fmt yuv420p");
    const char *tone = studio_make(&studio, "t.wav", "-f lavfi -i sine=1000:d=5:r=44100");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio,
                    "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2},\"volume\":0},"
                    "{\"media\":{\"input\":3},\"offset\":0.5,\"duration\":0.75,\"volume\":0.5},"
                    "{\"media\":{\"input\":3},\"offset\":7}]}}",
                    "out.mp4", INPUTS(picture, video, tone));
    assert_int_equal(facts->video->width, 100); /* even */
    assert_int_equal(facts->video->height, 74);
    assert_int_equal(facts->video->frame_count, 60); /* a picture without a duration: 1 s */
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "out.mp4", &samples);
    assert_true(studio_loudest(sound, 0, 23000) < 0.003);
    double loud = studio_loudest(sound, 30000, 20000);

    assert_true(loud > 0.04 && loud < 0.08); /* sine: 1/8, halved */
    assert_true(studio_loudest(sound, 61500, 30000) < 0.003);
    assert_string_equal(studio.done->metrics[0]->name, "itemCount");
    assert_true(studio.done->metrics[1]->value == 2);
}

TEST(merge_refuses_what_it_cannot_show) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *tone = studio_make(&studio, "t.wav", "-f lavfi -i sine=1000:d=1");
    assert_fails(studio_run(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}}", "out.mp4", INPUTS(tone)),
                 &studio.err, CS_INVALID_ARGUMENT, "no_visual");
    assert_fails(studio_run(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":2}}]}}", "out.mp4", INPUTS(tone)),
                 &studio.err, CS_INVALID_ARGUMENT, "no_input");
    assert_string_equal(studio.err.path, "items[0].media");
}

/* ---- reframe ---- */

static const struct {
    const char *ratio;
    int width, height;
} frames_by_ratio[] = {{"16:9", 1920, 1080}, {"9:16", 1080, 1920}, {"1:1", 1080, 1080},  {"4:5", 1080, 1350},
                       {"4:3", 1440, 1080},  {"3:4", 1080, 1440},  {"21:9", 2520, 1080}, {"9:21", 1080, 2520}};

TEST(reframe_has_the_size_of_its_ratio_from_a_small_source_too) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *small = studio_make(
        &studio, "s.mp4", "-f lavfi -i testsrc=s=62x48:r=10:d=0.3 -c:v libx264 -preset ultrafast -pix_fmt yuv420p");
    for (size_t i = 0; i < CS_COUNT(frames_by_ratio); i++) {
        const char *plan = cs_arena_sprintf(
            studio.arena, "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"%s\"}}", frames_by_ratio[i].ratio);
        const Callsheet__V1__MediaFacts *facts = studio_must(&studio, plan, "out.mp4", INPUTS(small));
        assert_int_equal(facts->video->width, frames_by_ratio[i].width);
        assert_int_equal(facts->video->height, frames_by_ratio[i].height);
        assert_int_equal(facts->video->frame_count, 3);
        assert_null(facts->audio);
    }
    assert_fails(studio_run(&studio, "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"5:9\"}}", "out.mp4",
                            INPUTS(small)),
                 &studio.err, CS_INVALID_ARGUMENT, "unknown_ratio");
}

/* Thirds of red, green and blue, side by side or on top of each other. */
static const char *make_thirds(struct studio *studio, const char *name, bool stacked) {
    const char *args = cs_arena_sprintf(studio->arena,
                                        "-f lavfi -i color=red:s=%s:r=5:d=0.4 -f lavfi -i color=lime:s=%s:r=5:d=0.4 -f "
                                        "lavfi -i color=blue:s=%s:r=5:d=0.4 "
                                        "-filter_complex %s=inputs=3 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
                                        stacked ? "100x200" : "200x100", stacked ? "100x200" : "200x100",
                                        stacked ? "100x200" : "200x100", stacked ? "vstack" : "hstack");
    return studio_make(studio, name, args);
}

static char main_color(const uint8_t *rgb, int width, int height) {
    const uint8_t *middle = rgb + 3 * ((size_t)height / 2 * (size_t)width + (size_t)width / 2);
    return middle[0] > middle[1] && middle[0] > middle[2] ? 'r' : middle[1] > middle[2] ? 'g' : 'b';
}

TEST(reframe_anchors_choose_the_region) {
    static const struct {
        bool stacked;
        const char *crop;
        char color;
    } cases[] = {{false, "left", 'r'}, {false, "center", 'g'}, {false, "right", 'b'},
                 {true, "top", 'r'},   {true, "center", 'g'},  {true, "bottom", 'b'}};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *beside = make_thirds(&studio, "beside.mp4", false);
    const char *stacked = make_thirds(&studio, "stacked.mp4", true);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *plan = cs_arena_sprintf(
            studio.arena, "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"1:1\",\"crop\":\"%s\"}}",
            cases[i].crop);
        (void)studio_must(&studio, plan, "out.mp4", INPUTS(cases[i].stacked ? stacked : beside));
        size_t frames = 0;
        CS_AUTO_FREE uint8_t *rgb = studio_rgb(&studio, "out.mp4", 1080, 1080, &frames);
        assert_int_equal(frames, 2);
        assert_int_equal(main_color(rgb, 1080, 1080), cases[i].color);
    }
}

/* ---- lip sync ---- */

TEST(lip_sync_ends_with_the_shorter_and_zero_mutes) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *video = studio_make(&studio, "v.mp4",
                                    "-f lavfi -i testsrc=s=64x64:r=25:d=2 -f lavfi -i sine=300:d=2 -c:v libx264 "
                                    "-preset ultrafast -pix_fmt yuv420p");
    const char *tone = studio_make(&studio, "t.mp3", "-f lavfi -i sine=1000:d=1:r=44100");
    const char *long_tone = studio_make(&studio, "l.wav", "-f lavfi -i sine=1000:d=3");
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio, "{\"lipSync\":{\"video\":{\"input\":1},\"audio\":{\"input\":2}}}", "out.mp4", INPUTS(video, tone));
    assert_in_range(facts->video->frame_count, 25, 27); /* MP3 counts its padding */
    facts = studio_must(&studio, "{\"lipSync\":{\"video\":{\"input\":1},\"audio\":{\"input\":2},\"volume\":0}}",
                        "out.mp4", INPUTS(video, long_tone));
    assert_int_equal(facts->video->frame_count, 50);
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "out.mp4", &samples);
    assert_true(studio_loudest(sound, 0, samples) < 0.0001);
}

/* ---- captions ---- */

static double row_difference(const uint8_t *a, const uint8_t *b, int width, int from, int to) {
    double most = 0;
    for (int y = from; y < to; y++) {
        double sum = 0;
        for (int x = 0; x < width; x++) {
            sum += abs(a[y * width + x] - b[y * width + x]);
        }
        most = fmax(most, sum / width);
    }
    return most;
}

TEST(captions_change_their_region_and_nothing_else) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *grey_clip = studio_make(&studio, "g.mp4",
                                        "-f lavfi -i color=gray:s=360x640:r=10:d=2 -c:v libx264 -preset ultrafast "
                                        "-pix_fmt yuv420p -colorspace bt709");
    (void)studio_must(&studio,
                      "{\"addSubtitles\":{\"video\":{\"input\":1},\"words\":[{\"word\":\"{\\\\b1}HELLO\",\"start\":0.5,"
                      "\"end\":1.5}],\"style\":{\"preset\":\"tiktok\",\"color\":\"#ffffff\"}}}",
                      "out.mp4", INPUTS(grey_clip));
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "out.mp4", 360, 640, &frames);
    assert_int_equal(frames, 20);
    const uint8_t *before = grey;
    const uint8_t *during = grey + (ptrdiff_t)10 * 360 * 640;
    const uint8_t *after = grey + (ptrdiff_t)18 * 360 * 640;
    assert_true(row_difference(before, during, 360, 500, 570) > 10); /* 250 of 1920 above the bottom */
    assert_true(row_difference(before, during, 360, 0, 480) < 2);
    assert_true(row_difference(before, during, 360, 590, 640) < 2);
    assert_true(row_difference(before, after, 360, 0, 640) < 2);
}

TEST(captions_come_from_text_and_from_transcripts) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "g.mp4",
                                   "-f lavfi -i color=gray:s=320x180:r=10:d=1 -c:v libx264 -preset ultrafast "
                                   "-pix_fmt yuv420p");
    static const char json[] =
        "[{\"word\":\"\u5b57\u5e55\",\"start\":0,\"end\":0.5},{\"word\":\"ok\",\"start\":0.5,\"end\":1}]";
    const char *transcript = studio_write(&studio, "t.json", json, sizeof(json) - 1);
    (void)studio_must(&studio, "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":2}}}", "out.mp4",
                      INPUTS(clip, transcript));
    assert_true(studio.done->metrics[0]->value == 2);
    (void)studio_must(
        &studio,
        "{\"addSubtitles\":{\"video\":{\"input\":1},\"text\":\"one two three four\",\"style\":{\"preset\":"
        "\"bold\",\"animation\":\"typewriter\",\"position\":\"top\"},\"start\":0,\"end\":1}}",
        "out.mp4", INPUTS(clip));
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "out.mp4", 320, 180, &frames);
    assert_true(row_difference(grey + (ptrdiff_t)320 * 180 * 7, grey, 320, 0, 60) > 1); /* typing goes on */
    assert_fails(studio_run(&studio, "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":1}}}",
                            "out.mp4", INPUTS(clip)),
                 &studio.err, CS_INVALID_ARGUMENT, "bad_transcript");
}

/* ---- generation ---- */

TEST(generated_video_has_the_wanted_length_and_size_and_repeats) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    static const char plan[] = "{\"generateVideo\":{\"prompt\":\"A fox {\\\\an8} in snow\",\"provider\":\"local\","
                               "\"duration\":0.7,\"resolution\":\"480p\",\"aspectRatio\":\"9:16\",\"seed\":7}}";
    const Callsheet__V1__MediaFacts *facts = studio_must(&studio, plan, "a.mp4", (const char *[]){NULL});
    assert_int_equal(facts->video->width, 480);
    assert_int_equal(facts->video->height, 854);
    assert_int_equal(facts->video->frame_count, 21);
    assert_int_equal(facts->audio->sample_count, 33600);
    (void)studio_must(&studio, plan, "b.mp4", (const char *[]){NULL});
    const char *compare = cs_arena_sprintf(studio.arena, "cmp -s %s/a.mp4 %s/b.mp4", studio.dir, studio.dir);
    assert_int_equal(system(compare), 0);
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "a.mp4", 480, 854, &frames);
    assert_true(row_difference(grey, grey + (ptrdiff_t)480 * 854 * 20, 480, 200, 500) > 1); /* it moves */
}

TEST(generated_video_moves_over_a_given_picture_with_a_given_sound) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *picture = studio_make(&studio, "p.png", "-f lavfi -i testsrc=s=300x200 -frames:v 1");
    const char *tone = studio_make(&studio, "t.wav", "-f lavfi -i sine=1000:d=0.5");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio,
                    "{\"generateVideo\":{\"provider\":\"local\",\"resolution\":\"480p\",\"aspectRatio\":\"1:1\","
                    "\"startImage\":{\"input\":1},\"endImage\":{\"input\":1},\"audio\":{\"input\":2}}}",
                    "out.mp4", INPUTS(picture, tone));
    assert_int_equal(facts->video->width, 480);
    assert_int_equal(facts->video->frame_count, 15); /* as long as the sound */
}

TEST(generated_pictures_come_in_three_formats) {
    static const char *const formats[][2] = {{"png", "png"}, {"jpg", "mjpeg"}, {"webp", "webp"}};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(formats); i++) {
        const char *plan = cs_arena_sprintf(studio.arena,
                                            "{\"generateImage\":{\"prompt\":\"Sea\",\"provider\":\"local\","
                                            "\"aspectRatio\":\"4:3\",\"outputFormat\":\"%s\"}}",
                                            formats[i][0]);
        const Callsheet__V1__MediaFacts *facts = studio_must(&studio, plan, "out", (const char *[]){NULL});
        assert_int_equal(facts->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE);
        assert_string_equal(facts->video->codec, formats[i][1]);
        assert_int_equal(facts->video->width, 1366);
        assert_int_equal(facts->video->height, 1024);
    }
}

TEST(generated_speech_is_heard_and_faster_when_asked) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    static const char slow[] =
        "{\"generateAudio\":{\"text\":\"Good morning: everyone, [1]; it's \\\\n fine\",\"provider\":\"local\"}}";
    static const char fast[] = "{\"generateAudio\":{\"text\":\"Good morning: everyone, [1]; it's \\\\n "
                               "fine\",\"provider\":\"local\",\"speed\":2}}";
    const Callsheet__V1__MediaFacts *facts = studio_must(&studio, slow, "a.wav", (const char *[]){NULL});
    assert_string_equal(facts->audio->codec, "pcm_s16le");
    int64_t slow_us = facts->duration_us;
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "a.wav", &samples);
    assert_true(studio_loudest(sound, 0, samples) > 0.1);
    facts = studio_must(&studio, fast, "a.mp3", (const char *[]){NULL});
    assert_string_equal(facts->audio->codec, "mp3");
    assert_in_range(facts->duration_us, slow_us * 45 / 100, slow_us * 55 / 100);
    assert_fails(studio_run(&studio,
                            "{\"generateAudio\":{\"text\":\"x\",\"provider\":\"local\",\"voice\":\"/etc/passwd\"}}",
                            "a.wav", (const char *[]){NULL}),
                 &studio.err, CS_INVALID_ARGUMENT, "unknown_voice");
}

/* ---- inputs as they come ---- */

TEST(variable_rates_become_steady_and_keep_their_time) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    /* 25 fps whose second half keeps every fifth picture */
    const char *vfr =
        studio_make(&studio, "v.mkv",
                    "-f lavfi -i testsrc=s=64x64:r=25:d=4 -vf \"select='lt(t,2)+not(mod(n,5))'\" -vsync vfr "
                    "-c:v libx264 -preset ultrafast -pix_fmt yuv420p");
    assert_ok(studio_probe(&studio, vfr), &studio.err);
    assert_true(studio.done->outputs[0]->video->variable_frame_rate);
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}],\"frameRate\":\"30\"}}", "out.mp4", INPUTS(vfr));
    assert_in_range(facts->video->frame_count, 114, 121);
}

TEST(turned_and_wide_pixels_are_shown_upright_and_square) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *flat = studio_make(
        &studio, "flat.mp4", "-f lavfi -i testsrc=s=160x90:r=10:d=0.5 -c:v libx264 -preset ultrafast -pix_fmt yuv420p");
    const char *turned = studio_make(&studio, "turned.mp4",
                                     cs_arena_sprintf(studio.arena, "-i %s -c copy -metadata:s:v rotate=90", flat));
    const char *wide = studio_make(
        &studio, "wide.mp4", "-f lavfi -i testsrc=s=160x120:r=10:d=0.5 -vf setsar=4/3 -c:v libx264 -pix_fmt yuv420p");
    assert_ok(studio_probe(&studio, turned), &studio.err);
    const Callsheet__V1__VideoFacts *video = studio.done->outputs[0]->video;
    assert_int_equal(video->width, 90);
    assert_int_equal(video->height, 160);
    assert_true(video->rotation == 90 || video->rotation == 270);
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}}", "out.mp4", INPUTS(turned));
    assert_int_equal(facts->video->width, 90);
    assert_int_equal(facts->video->rotation, 0);
    facts = studio_must(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}}", "out.mp4", INPUTS(wide));
    assert_int_equal(facts->video->width, 212); /* 160 * 4/3, even */
    assert_int_equal(facts->video->height, 120);
}

/* How much neighbouring rows differ more than rows two apart: combs. */
static double combing(const uint8_t *grey, int width, int height) {
    double near = 0;
    double far = 0;
    for (int y = 0; y + 2 < height; y++) {
        for (int x = 0; x < width; x++) {
            near += abs(grey[y * width + x] - grey[(y + 1) * width + x]);
            far += abs(grey[y * width + x] - grey[(y + 2) * width + x]);
        }
    }
    return near / (far + 1);
}

TEST(combed_footage_is_made_whole) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *combed = studio_make(
        &studio, "i.mp4",
        "-f lavfi -i color=black:s=160x120:r=50:d=1 "
        "-vf \"geq=lum='if(lt(mod(X-N*7,64),20),235,16)':cb=128:cr=128,tinterlace=interleave_top\" -flags +ildct+ilme "
        "-c:v libx264 -crf 5 -pix_fmt yuv420p");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}}", "out.mp4", INPUTS(combed));
    assert_int_equal(facts->video->frame_count, 25);
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *before = studio_grey(&studio, "i.mp4", 160, 120, &frames);
    CS_AUTO_FREE uint8_t *after = studio_grey(&studio, "out.mp4", 160, 120, &frames);
    assert_int_equal(frames, 25);
    assert_true(combing(before + 160 * 120 * 10, 160, 120) > 10);
    assert_true(combing(after + 160 * 120 * 10, 160, 120) < 2);
}

TEST(a_probe_tells_kinds_by_content) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    static const char json[] = " [{\"word\":\"a\",\"start\":0,\"end\":1}]";
    const struct {
        const char *path;
        Callsheet__V1__MediaType type;
    } cases[] = {
        {studio_make(&studio, "x.mp4.png", "-f lavfi -i testsrc=s=32x32 -frames:v 1"),
         CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE},
        {studio_make(&studio, "y.flac", "-f lavfi -i sine=d=0.2"), CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO},
        {studio_make(&studio, "z.gif", "-f lavfi -i testsrc=s=32x32:r=10:d=0.5"),
         CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO},
        {studio_write(&studio, "words.mp4", json, sizeof(json) - 1), CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        assert_ok(studio_probe(&studio, cases[i].path), &studio.err);
        assert_int_equal(studio.done->outputs[0]->type, cases[i].type);
    }
}

TEST(files_that_name_other_files_are_refused) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *victim =
        studio_make(&studio, "victim.ts", "-f lavfi -i testsrc=s=32x32:r=10:d=0.5 -c:v libx264 -pix_fmt yuv420p");
    const char *attacks[] = {
        cs_arena_sprintf(studio.arena, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n%s\n#EXT-X-ENDLIST\n", victim),
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
        cs_arena_sprintf(studio.arena, "ffconcat version 1.0\nfile '%s'\n", victim),
        cs_arena_sprintf(
            studio.arena,
            "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "
            "mediaPresentationDuration=\"PT1S\"><Period><AdaptationSet mimeType=\"video/mp4\"><Representation "
            "id=\"0\" bandwidth=\"1\"><BaseURL>%s</BaseURL></Representation></AdaptationSet></Period></MPD>",
            victim),
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 "
        "H264/90000\n",
        "# VobSub index file, v7 (do not modify this line!)\nsize: 720x576\nid: en, index: 0\ntimestamp: 00:00:00:000, "
        "filepos: 000000000\n",
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"file:///etc/passwd\"/></svg>",
        "",
    };
    for (size_t i = 0; i < CS_COUNT(attacks); i++) {
        const char *path = studio_write(&studio, "attack.mp4", attacks[i], strlen(attacks[i]));
        assert_fails(studio_probe(&studio, path), &studio.err, CS_INVALID_ARGUMENT, "not_media");
        assert_int_equal(
            studio_run(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}}", "out.mp4", INPUTS(path)),
            CS_INVALID_ARGUMENT);
        assert_string_equal(studio.err.path, "items[0].media");
    }
}

TEST(a_file_cut_in_half_is_corrupt_and_limits_hold) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *whole =
        studio_make(&studio, "w.mp4",
                    "-f lavfi -i testsrc2=s=320x240:r=30:d=3 -c:v libx264 -preset ultrafast -pix_fmt yuv420p "
                    "-movflags +faststart");
    assert_int_equal(system(cs_arena_sprintf(studio.arena, "head -c $(($(stat -c %%s %s) / 2)) %s > %s/half.mp4", whole,
                                             whole, studio.dir)),
                     0);
    static const char plan[] = "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"1:1\"}}";
    assert_fails(studio_run(&studio, plan, "out.mp4", INPUTS(studio_path(&studio, "half.mp4"))), &studio.err,
                 CS_DATA_LOSS, "corrupt_input");
    studio.output_bytes_max = 20000;
    assert_fails(studio_run(&studio, plan, "out.mp4", INPUTS(whole)), &studio.err, CS_OUT_OF_RANGE, "output_too_big");
}

/* ---- real media ---- */

TEST(real_clips_of_every_kind_merge) {
    static const char *const names[] = {
        "video/bbb_320x240_sar4x3_h264_aac_10s.mp4",    "video/phone_sideways_640x480_vfr_rot90.mov",
        "video/bbb_960x540_60fps_vp9_vorbis51_1s.webm", "video/vp9_odd_161x121.webm",
        "video/hlg_1080p_hevc10_aac_color_test.mp4",    "video/bbb_1080p24_mpeg2_mp2_2s.ts",
        "images/exif_orientation_6_landscape.jpg",      "video/mpeg4_960x400p23976_mp3_4s.avi",
        "video/vfr_128x128_h264_yuv444p_15s.mp4",       "audio/guitar_mono_44k_23s.ogg"};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *inputs[CS_COUNT(names) + 1] = {NULL};
    CS_AUTO_BUF plan = {0};
    cs_buf_puts(&plan, "{\"merge\":{\"transition\":{\"type\":\"fade\",\"duration\":0.2},\"items\":[");
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        inputs[i] = studio_real(&studio, names[i]);
        if (inputs[i] == NULL) {
            return;
        }
        cs_buf_printf(&plan, "%s{\"media\":{\"input\":%zu},\"duration\":0.9}", i > 0 ? "," : "", i + 1);
    }
    cs_buf_puts(&plan, "]}}");
    const Callsheet__V1__MediaFacts *facts = studio_must(&studio, plan.data, "out.mp4", inputs);
    assert_int_equal(facts->video->width, 426);
    /* eight of 0.9 s are 22 frames at 24, one lasts 0.3 s; eight joins of 5 frames, two of them shorter beside that one
     */
    double planned = 8 * 22 / 24.0 + 0.3 - 6 * 5 / 24.0 - 2 * 3 / 24.0;
    assert_true(fabs((double)facts->video->frame_count / 24 - planned) <= 1 / 24.0 + 1e-9);
    assert_int_equal(facts->audio->sample_count, facts->video->frame_count * 2000);
}

TEST(broken_and_hostile_files_fail_with_a_word) {
    static const struct {
        const char *name;
        const char *reason;
    } cases[] = {
        {"broken/truncated_no_moov.mp4", "corrupt_input"},
        {"broken/empty_header_only.flv", "not_media"},
        {"broken/chunk_out_of_range.mp4", "corrupt_input"},
        {"broken/invalid_bitstream_vp9.webm", "corrupt_input"},
        {"broken/fuzz_invalid_timescale.mp4", "corrupt_input"},
        {"broken/fuzz_bad_fmt.wav", "not_media"},
        {"broken/garbage_prefix_100kb.mp3", "not_media"},
        {"broken/absurd_sample_rate.wav", "sound_out_of_range"},
        {"broken/truncated_1080p_first_100kb.mp4", "corrupt_input"},
        {"hostile/zero_byte.mp4", "not_media"},
        {"hostile/zip_renamed.mp4", "not_media"},
        {"hostile/hls_file_reference.m3u8", "not_media"},
        {"hostile/hls_playlist_renamed.mp4", "not_media"},
        {"hostile/concat_script_file_reference.ffconcat", "not_media"},
        {"hostile/mp4_absurd_box_size.mp4", "not_media"},
        {"hostile/png_bomb_20000x20000.png", "too_many_pixels"},
        {"hostile/svg_external_entity.svg", "not_media"},
        {"hostile/truncated_bbb_moov_first_50pct.mp4", "corrupt_input"},
        {"images/photo_iphone.heic", "format_unsupported"},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *path = studio_real(&studio, cases[i].name);
        if (path == NULL) {
            return;
        }
        if (studio_run(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}}", "out.mp4", INPUTS(path)) ==
                CS_OK ||
            strcmp(studio.err.reason, cases[i].reason) != 0) {
            fail_msg("%s: %s, not %s", cases[i].name, studio.err.reason, cases[i].reason);
        }
    }
}

TEST_MAIN(CS_TEST(merge_of_unlike_clips_keeps_picture_and_sound_together),
          CS_TEST(thirty_seven_clips_of_75_frames_are_2775_frames),
          CS_TEST(merge_with_a_fade_overlaps_picture_and_sound),
          CS_TEST(merge_lays_sound_over_and_shows_pictures_for_their_time), CS_TEST(merge_refuses_what_it_cannot_show),
          CS_TEST(reframe_has_the_size_of_its_ratio_from_a_small_source_too),
          CS_TEST(reframe_anchors_choose_the_region), CS_TEST(lip_sync_ends_with_the_shorter_and_zero_mutes),
          CS_TEST(captions_change_their_region_and_nothing_else), CS_TEST(captions_come_from_text_and_from_transcripts),
          CS_TEST(generated_video_has_the_wanted_length_and_size_and_repeats),
          CS_TEST(generated_video_moves_over_a_given_picture_with_a_given_sound),
          CS_TEST(generated_pictures_come_in_three_formats), CS_TEST(generated_speech_is_heard_and_faster_when_asked),
          CS_TEST(variable_rates_become_steady_and_keep_their_time),
          CS_TEST(turned_and_wide_pixels_are_shown_upright_and_square), CS_TEST(combed_footage_is_made_whole),
          CS_TEST(a_probe_tells_kinds_by_content), CS_TEST(files_that_name_other_files_are_refused),
          CS_TEST(a_file_cut_in_half_is_corrupt_and_limits_hold), CS_TEST(real_clips_of_every_kind_merge),
          CS_TEST(broken_and_hostile_files_fail_with_a_word))
