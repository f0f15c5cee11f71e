/* COVERS render.c ops/ graph/ generate/ captions/draw.c captions/blend.c: whole jobs, in process. */
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

TEST(sy_081_merge_of_unlike_clips_keeps_picture_and_sound_together) {
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

TEST(sy_076_sy_077_m1_merge_with_a_fade_overlaps_picture_and_sound) {
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

TEST(sy_079_sy_080_sy_083_sy_084_merge_lays_sound_over_and_shows_pictures_for_their_time) {
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
                    "{\"media\":{\"input\":3},\"offset\":1.95},{\"media\":{\"input\":3},\"offset\":7}]}}",
                    "out.mp4", INPUTS(picture, video, tone));
    assert_int_equal(facts->audio->sample_count, 96000); /* what would be longer ends with the video */
    assert_int_equal(facts->video->width, 100);          /* even */
    assert_int_equal(facts->video->height, 74);
    assert_int_equal(facts->video->frame_count, 60); /* a picture without a duration: 1 s */
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "out.mp4", &samples);
    assert_true(studio_loudest(sound, 0, 23000) < 0.003);
    double loud = studio_loudest(sound, 30000, 20000);

    assert_true(loud > 0.04 && loud < 0.08); /* sine: 1/8, halved */
    assert_true(studio_loudest(sound, 61500, 30000) < 0.003);
    assert_true(studio_metric(&studio, "itemCount") == 5 && studio_metric(&studio, "audioCount") == 3);
}

TEST(sy_082_a_clip_without_sound_is_silent_and_the_next_one_is_in_time) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *mute = studio_make(&studio, "m.mp4",
                                   "-f lavfi -i color=red:s=64x64:r=30:d=1 -c:v libx264 -preset ultrafast "
                                   "-pix_fmt yuv420p");
    const char *loud = studio_make(&studio, "l.mp4",
                                   "-f lavfi -i color=blue:s=64x64:r=30:d=1 -f lavfi -i sine=300:r=48000:d=1 -c:v "
                                   "libx264 -preset ultrafast -pix_fmt yuv420p");
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio,
        "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}},{\"media\":{\"input\":1}}]}}",
        "out.mp4", INPUTS(mute, loud));
    assert_int_equal(facts->video->frame_count, 90);
    assert_int_equal(facts->audio->sample_count, 144000);
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "out.mp4", &samples);
    assert_true(studio_loudest(sound, 0, 46500) < 0.003);
    assert_true(studio_loudest(sound, 48100, 400) > 0.05 && studio_loudest(sound, 95500, 400) > 0.05);
    assert_true(studio_loudest(sound, 97500, 40000) < 0.003);
}

TEST(sy_078_merge_refuses_what_it_cannot_show) {
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

TEST(sy_085_m2_reframe_has_the_size_of_its_ratio_from_a_small_source_too) {
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

TEST(sy_086_reframe_anchors_choose_the_region) {
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

TEST(sy_087_m3_lip_sync_ends_with_the_shorter_and_zero_mutes) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *video = studio_make(&studio, "v.mp4",
                                    "-f lavfi -i testsrc=s=64x64:r=25:d=2 -f lavfi -i sine=300:d=2 -c:v libx264 "
                                    "-preset ultrafast -pix_fmt yuv420p");
    const char *tone = studio_make(&studio, "t.mp3", "-f lavfi -i sine=1000:d=1:r=44100");
    const char *long_tone = studio_make(&studio, "l.wav", "-f lavfi -i sine=1000:d=3");
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio, "{\"lipSync\":{\"video\":{\"input\":1},\"audio\":{\"input\":2}}}", "out.mp4", INPUTS(video, tone));
    assert_int_equal(facts->video->frame_count, 25);
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

TEST(sy_088_captions_come_from_text_and_from_transcripts) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "g.mp4",
                                   "-f lavfi -i color=gray:s=320x180:r=10:d=1 -c:v libx264 -preset ultrafast "
                                   "-pix_fmt yuv420p");
    assert_ok(studio_run(&studio,
                         "{\"addSubtitles\":{\"video\":{\"input\":1},\"text\":\"one two\",\"subtitleFiles\":true}}",
                         "out.mp4", INPUTS(clip)),
              &studio.err); /* without times: from the beginning to the end, in English */
    const char *said = studio_read(&studio, "transcript.json", NULL);
    assert_non_null(strstr(said, "\"language\": \"en\""));
    assert_non_null(strstr(said, "\"word\": \"one\",\n          \"start\": 0.0,\n          \"end\": 0.5\n"));
    assert_non_null(strstr(said, "\"word\": \"two\",\n          \"start\": 0.5,\n          \"end\": 1.0\n"));
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
    assert_fails(
        studio_run(&studio, "{\"addSubtitles\":{\"video\":{\"input\":1},\"text\":\" \\n \"}}", "out.mp4", INPUTS(clip)),
        &studio.err, CS_INVALID_ARGUMENT, "out_of_range");
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

TEST(sy_073_generated_pictures_come_in_three_formats) {
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

TEST_MAIN(CS_TEST(sy_081_merge_of_unlike_clips_keeps_picture_and_sound_together),
          CS_TEST(thirty_seven_clips_of_75_frames_are_2775_frames),
          CS_TEST(sy_076_sy_077_m1_merge_with_a_fade_overlaps_picture_and_sound),
          CS_TEST(sy_079_sy_080_sy_083_sy_084_merge_lays_sound_over_and_shows_pictures_for_their_time),
          CS_TEST(sy_078_merge_refuses_what_it_cannot_show),
          CS_TEST(sy_082_a_clip_without_sound_is_silent_and_the_next_one_is_in_time),
          CS_TEST(sy_085_m2_reframe_has_the_size_of_its_ratio_from_a_small_source_too),
          CS_TEST(sy_086_reframe_anchors_choose_the_region),
          CS_TEST(sy_087_m3_lip_sync_ends_with_the_shorter_and_zero_mutes),
          CS_TEST(captions_change_their_region_and_nothing_else),
          CS_TEST(sy_088_captions_come_from_text_and_from_transcripts),
          CS_TEST(generated_video_has_the_wanted_length_and_size_and_repeats),
          CS_TEST(generated_video_moves_over_a_given_picture_with_a_given_sound),
          CS_TEST(sy_073_generated_pictures_come_in_three_formats),
          CS_TEST(generated_speech_is_heard_and_faster_when_asked))
