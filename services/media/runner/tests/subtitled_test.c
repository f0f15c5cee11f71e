/* COVERS ops/add_subtitles.c, captions/: subtitles of all kinds, in the picture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"

enum { WIDTH = 320, HEIGHT = 180, PIXELS = WIDTH * HEIGHT, RATE = 10 };

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

static const char *make_grey(struct studio *studio) {
    return studio_make(studio, "grey.mp4",
                       "-f lavfi -i color=0x606060:s=320x180:r=10:d=4 -f lavfi -i sine=440:d=4 -c:v libx264 "
                       "-preset ultrafast -pix_fmt yuv420p -colorspace bt709");
}

static const char *write_text(struct studio *studio, const char *name, const char *text) {
    return studio_write(studio, name, text, strlen(text));
}

/* Where a frame differs from the first one, which shows nothing. */
struct extent {
    size_t pixels;
    int left, right, top, bottom;
};

static struct extent drawn(const uint8_t *grey, size_t frame) {
    struct extent extent = {.left = WIDTH, .top = HEIGHT, .right = -1, .bottom = -1};
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            size_t at = (size_t)(y * WIDTH + x);
            if (abs(grey[frame * PIXELS + at] - grey[at]) > 24) {
                extent.pixels++;
                extent.left = x < extent.left ? x : extent.left;
                extent.right = x > extent.right ? x : extent.right;
                extent.top = y < extent.top ? y : extent.top;
                extent.bottom = y > extent.bottom ? y : extent.bottom;
            }
        }
    }
    return extent;
}

static uint8_t *subtitled(struct studio *studio, const char *file, const char *params) {
    size_t frames = 0;
    const char *clip = make_grey(studio);
    const char *plan = cs_arena_sprintf(
        studio->arena, "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":2}%s}}", params);
    (void)studio_must(studio, plan, "out.mp4", INPUTS(clip, file));
    uint8_t *grey = studio_grey(studio, "out.mp4", WIDTH, HEIGHT, &frames);
    assert_int_equal(frames, 40);
    return grey;
}

static const char two_cues[] = "1\n00:00:01,000 --> 00:00:02,000\nHi\n\n"
                               "2\n00:00:02,500 --> 00:00:03,500\nTwo lines of\n<i>this subtitle</i> here\n";

TEST(cues_of_a_file_are_shown_when_and_as_they_are) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    CS_AUTO_FREE uint8_t *grey = subtitled(&studio, write_text(&studio, "two.srt", two_cues), "");
    struct extent one = drawn(grey, 15);
    struct extent two = drawn(grey, 30);
    assert_int_equal(drawn(grey, 5).pixels, 0);
    assert_int_equal(drawn(grey, 22).pixels, 0);
    assert_int_equal(drawn(grey, 38).pixels, 0);
    assert_true(one.pixels > 20 && one.top > HEIGHT / 2);
    assert_true(two.bottom - two.top > 3 * (one.bottom - one.top) / 2); /* two lines */
    assert_true(two.right - two.left > 2 * (one.right - one.left));
    assert_true(studio_metric(&studio, "droppedCues") == 0 && studio_metric(&studio, "malformedTimes") == 0);
}

TEST(the_plan_may_group_the_words_of_a_file_anew) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    CS_AUTO_FREE uint8_t *grey =
        subtitled(&studio, write_text(&studio, "two.srt", two_cues), ",\"style\":{\"wordsPerCaption\":1}");
    struct extent early = drawn(grey, 26);
    struct extent late = drawn(grey, 34);
    assert_true(early.pixels > 20 && late.pixels > 20);
    assert_true(early.right - early.left < WIDTH / 3 && late.right - late.left < WIDTH / 3);
}

TEST(subtitles_are_given_as_files_of_all_kinds_when_asked_for) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_grey(&studio);
    const char *file = write_text(&studio, "two.srt", two_cues);
    assert_ok(studio_run(&studio,
                         "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":2},\"subtitleFiles\":"
                         "true,\"language\":\"de\"}}",
                         "out.mp4", INPUTS(clip, file)),
              &studio.err);
    assert_int_equal(studio.done->n_outputs, 5);
    assert_int_equal(studio.done->outputs[1]->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT);
    assert_string_equal(studio_read(&studio, "subtitles.srt", NULL),
                        "1\n00:00:01,000 --> 00:00:02,000\nHi\n\n"
                        "2\n00:00:02,500 --> 00:00:03,500\nTwo lines of\n<i>this subtitle</i> here\n\n");
    assert_non_null(
        strstr(studio_read(&studio, "subtitles.vtt", NULL), "00:00:02.500 --> 00:00:03.500\nTwo lines of\n<i>this"));
    assert_non_null(
        strstr(studio_read(&studio, "subtitles.ass", NULL),
               "Dialogue: 0,0:00:02.50,0:00:03.50,Default,,0,0,0,,Two lines of\\N{\\i1}this subtitle{\\i0} "));
    assert_non_null(strstr(studio_read(&studio, "transcript.json", NULL), "\"language\": \"de\""));
}

/* ---- looks ---- */

static const char words[] = "\"words\":[{\"word\":\"one\",\"start\":1,\"end\":1.5},{\"word\":\"two\",\"start\":1.5,"
                            "\"end\":2},{\"word\":\"three\",\"start\":2,\"end\":3}]";

static uint8_t *worded(struct studio *studio, const char *style) {
    size_t frames = 0;
    const char *clip = make_grey(studio);
    const char *plan =
        cs_arena_sprintf(studio->arena, "{\"addSubtitles\":{\"video\":{\"input\":1},%s,\"style\":%s}}", words, style);
    (void)studio_must(studio, plan, "out.mp4", INPUTS(clip));
    uint8_t *rgb = studio_rgb(studio, "out.mp4", WIDTH, HEIGHT, &frames);
    assert_int_equal(frames, 40);
    return rgb;
}

/* Pixels of a frame that are near to a colour. */
static size_t colored(const uint8_t *rgb, size_t frame, int r, int g, int b) {
    size_t count = 0;
    for (size_t i = frame * PIXELS; i < (frame + 1) * PIXELS; i++) {
        count += abs(rgb[3 * i] - r) + abs(rgb[3 * i + 1] - g) + abs(rgb[3 * i + 2] - b) < 120;
    }
    return count;
}

/* Pixels of a frame that differ from the first one. */
static struct extent changed(const uint8_t *rgb, size_t frame) {
    struct extent extent = {.left = WIDTH, .top = HEIGHT, .right = -1, .bottom = -1};
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            size_t at = 3 * (size_t)(y * WIDTH + x);
            const uint8_t *now = rgb + 3 * frame * PIXELS + at;
            if (abs(now[0] - rgb[at]) + abs(now[1] - rgb[at + 1]) + abs(now[2] - rgb[at + 2]) > 60) {
                extent.pixels++;
                extent.left = x < extent.left ? x : extent.left;
                extent.right = x > extent.right ? x : extent.right;
                extent.top = y < extent.top ? y : extent.top;
                extent.bottom = y > extent.bottom ? y : extent.bottom;
            }
        }
    }
    return extent;
}

TEST(every_preset_shows_its_words_in_its_place_and_nothing_elsewhere) {
    static const struct {
        const char *name;
        int top, bottom; /* what is drawn lies between */
    } presets[] = {{"tiktok", 120, 172},    {"youtube", 130, 175}, {"story", 60, 120}, {"minimal", 140, 178},
                   {"cinematic", 130, 178}, {"default", 130, 178}, {"bold", 120, 178}};
    for (size_t i = 0; i < CS_COUNT(presets); i++) {
        CS_AUTO_STUDIO studio;
        studio_open(&studio);
        CS_AUTO_FREE uint8_t *rgb =
            worded(&studio, cs_arena_sprintf(studio.arena, "{\"preset\":\"%s\"}", presets[i].name));
        struct extent during = changed(rgb, 17);
        print_message("%s: %zu pixels from line %d to %d\n", presets[i].name, during.pixels, during.top, during.bottom);
        assert_true(during.pixels > 40);
        assert_true(during.top >= presets[i].top && during.bottom <= presets[i].bottom);
        assert_int_equal(changed(rgb, 8).pixels, 0);
        assert_int_equal(changed(rgb, 36).pixels, 0);
    }
}

#define LOOK(animation)                                                                                                \
    "{\"preset\":\"default\",\"fontSize\":120,\"position\":\"center\",\"color\":\"#ffffff\",\"activeWordColor\":"      \
    "\"#ff0000\",\"inactiveWordColor\":\"#ffffff\",\"maxCaptionDuration\":5,\"animation\":\"" animation "\"}"

TEST(an_active_word_has_its_color) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    CS_AUTO_FREE uint8_t *rgb = worded(&studio, LOOK("color"));
    assert_true(colored(rgb, 12, 255, 0, 0) > 40 && colored(rgb, 12, 255, 255, 255) > 80);
}

TEST(karaoke_fills_words_from_the_left) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    CS_AUTO_FREE uint8_t *rgb = worded(&studio, LOOK("karaoke_fill"));
    size_t before = 0;
    for (size_t frame = 11; frame < 30; frame += 3) {
        size_t filled = colored(rgb, frame, 255, 0, 0);
        assert_true(filled > before || filled + 20 > before);
        assert_true(frame < 14 || filled > 20);
        before = filled;
    }
    assert_true(colored(rgb, 11, 255, 255, 255) > 4 * colored(rgb, 29, 255, 255, 255));
    assert_true(colored(rgb, 29, 255, 0, 0) > 4 * colored(rgb, 12, 255, 0, 0));
}

TEST(a_box_stands_behind_the_active_word_only) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    CS_AUTO_FREE uint8_t *rgb = worded(&studio, LOOK("karaoke_word_box"));
    CS_AUTO_FREE uint8_t *plain = worded(&studio, LOOK("color"));
    size_t one = colored(rgb, 12, 255, 0, 0);
    size_t three = colored(rgb, 25, 255, 0, 0);
    assert_true(one > 3 * colored(plain, 12, 255, 0, 0)); /* a box, no letters */
    assert_true(three > one);                             /* a longer word */
    assert_true(colored(rgb, 12, 255, 255, 255) > 80);
}

TEST(boxes_may_have_round_corners) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    CS_AUTO_FREE uint8_t *square = worded(&studio, "{\"preset\":\"youtube\",\"fontSize\":120,\"padding\":40}");
    CS_AUTO_FREE uint8_t *rounded =
        worded(&studio, "{\"preset\":\"youtube\",\"fontSize\":120,\"padding\":40,\"borderRadius\":40}");
    struct extent box = changed(square, 15);
    struct extent same = changed(rounded, 15);
    assert_true(box.left == same.left && box.right == same.right && box.top == same.top && box.bottom == same.bottom);
    size_t corner = 3 * ((size_t)15 * PIXELS + (size_t)(box.top + 1) * WIDTH + (size_t)box.left + 1);
    size_t bare = corner - 3 * 15 * (size_t)PIXELS;
    assert_true(abs(rounded[corner] - rounded[bare]) < 12 && abs(square[corner] - square[bare]) > 20);
    assert_in_range(box.pixels - same.pixels, 10, 60); /* four corners of 6 or 7 pixels, and no letters */
}

TEST(a_caption_pops_up_and_settles) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    CS_AUTO_FREE uint8_t *rgb = worded(&studio, LOOK("pop"));
    struct extent first = changed(rgb, 10);
    struct extent over = changed(rgb, 11);
    struct extent settled = changed(rgb, 14);
    assert_true(first.right - first.left < 9 * (settled.right - settled.left) / 10);
    assert_true(over.right - over.left > settled.right - settled.left);
    assert_int_equal(changed(rgb, 20).pixels, settled.pixels);
}

TEST(a_typewriter_adds_letters) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    CS_AUTO_FREE uint8_t *rgb = worded(&studio, LOOK("typewriter"));
    struct extent some = changed(rgb, 14);
    struct extent all = changed(rgb, 29);
    assert_true(some.pixels > 20 && all.pixels > 2 * some.pixels);
    assert_true(abs(some.left - all.left) <= 1); /* in their places from the beginning */
}

TEST(captions_fade_and_slide_in) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    CS_AUTO_FREE uint8_t *fade = worded(&studio, LOOK("fade"));
    CS_AUTO_FREE uint8_t *slide = worded(&studio, LOOK("slide"));
    assert_true(changed(fade, 10).pixels < changed(fade, 14).pixels / 2);
    assert_true(changed(slide, 11).top > changed(slide, 14).top);
}

/* ---- ASS in its own styles ---- */

static const char styled[] =
    "[Script Info]\nScriptType: v4.00+\nPlayResX: 320\nPlayResY: 180\n\n[V4+ Styles]\n"
    "Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, "
    "ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n"
    "Style: Top,No Such Font,20,&H0000FF00,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,0,0,8,5,5,5,1\n\n"
    "[Events]\nFormat: Layer, Start, End, Style, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:02.00,Top,{comment}green \xe5\xad\x97\xe5\xad\x97\n"
    "Dialogue: 0,0:00:02.00,0:00:03.00,Top,{\\pos(160,170)\\an2\\c&H0000FF&\\fnCourier New}red\n"
    "Dialogue: 0,0:00:03.00,0:00:04.00,Top,{\\an7\\pos(100,80)\\bord0\\p1}m 0 0 l 40 0 40 20 0 20{\\p0}\n"
    "[Fonts]\nfontname: x.ttf\n!!!!\n[Graphics]\nfilename: y.png\n!!!!\n";

TEST(an_ass_file_keeps_its_styles_positions_and_drawings) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_grey(&studio);
    const char *file = write_text(&studio, "s.ass", styled);
    (void)studio_must(&studio, "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":2}}}", "out.mp4",
                      INPUTS(clip, file));
    size_t frames = 0;
    CS_AUTO_FREE uint8_t *rgb = studio_rgb(&studio, "out.mp4", WIDTH, HEIGHT, &frames);
    struct extent green = changed(rgb, 15);
    struct extent red = changed(rgb, 25);
    struct extent box = changed(rgb, 35);
    assert_true(colored(rgb, 15, 0, 255, 0) > 40 && green.bottom < 40);
    assert_true(colored(rgb, 25, 255, 0, 0) > 20 && red.top > 140);
    assert_true(box.pixels > 700 && box.pixels < 1000 && box.left >= 98 && box.right <= 141 && box.top >= 78 &&
                box.bottom <= 101);
    (void)studio_must(&studio,
                      "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":2},\"style\":{\"preset\":"
                      "\"minimal\"}}}",
                      "restyled.mp4", INPUTS(clip, file)); /* the plan's style, when it names one */
    CS_AUTO_FREE uint8_t *restyled = studio_rgb(&studio, "restyled.mp4", WIDTH, HEIGHT, &frames);
    assert_true(changed(restyled, 15).top > 100);
    assert_int_equal(changed(restyled, 35).pixels, 0);
}

/* ---- soft ---- */

static char *told(struct studio *studio, const char *command) {
    char text[8192];
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t size = fread(text, 1, sizeof(text) - 1, pipe);
    text[size] = '\0';
    assert_int_equal(pclose(pipe), 0);
    return cs_arena_strdup(studio->arena, text);
}

static char *packets_of(struct studio *studio, const char *path, const char *map) {
    return told(studio, cs_arena_sprintf(studio->arena, "ffmpeg -v error -i '%s' -map %s -c copy -f md5 -", path, map));
}

/* Decoded, without their times. */
static char *pictures_of(struct studio *studio, const char *path) {
    return told(studio,
                cs_arena_sprintf(
                    studio->arena,
                    "ffmpeg -v error -noautorotate -i '%s' -map 0:v:0 -t 1 -vsync passthrough -f md5 - 2>&1", path));
}

static const char soft[] = "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":2},\"mode\":\"soft\","
                           "\"language\":\"%s\"}}";

TEST(soft_subtitles_are_a_track_and_picture_and_sound_stay_as_they_are) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_grey(&studio);
    const char *file = write_text(&studio, "two.srt", two_cues);
    (void)studio_must(&studio, cs_arena_sprintf(studio.arena, soft, "de-AT"), "one.mp4", INPUTS(clip, file));
    assert_true(studio_metric(&studio, "textTracks") == 1 && studio_metric(&studio, "cueCount") == 2);
    const char *one = studio_path(&studio, "one.mp4");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, cs_arena_sprintf(studio.arena, soft, "ja"), "both.mp4", INPUTS(one, file));
    assert_int_equal(facts->video->frame_count, 40);
    assert_true(studio_metric(&studio, "textTracks") == 2);
    assert_int_equal(studio.done->n_qualities, 1);
    const Callsheet__V1__Quality *quality = studio.done->qualities[0]->quality;
    assert_int_equal(quality->planned_frame_count, 40);
    assert_int_equal(quality->frame_count, 40);
    assert_true(quality->decoded_frames > 0 && quality->decoded_samples > 0);
    assert_int_equal(quality->sample_count, quality->planned_sample_count);
    assert_int_equal(quality->duration_us, quality->planned_duration_us);
    assert_true(quality->copied_share == 1);
    assert_null(quality->loudness);
    const char *both = studio_path(&studio, "both.mp4");
    assert_string_equal(packets_of(&studio, both, "0:v"), packets_of(&studio, clip, "0:v"));
    assert_string_equal(packets_of(&studio, both, "0:a"), packets_of(&studio, clip, "0:a"));
    assert_string_equal(told(&studio, cs_arena_sprintf(studio.arena,
                                                       "ffprobe -v error -select_streams s -show_entries "
                                                       "stream=codec_name:stream_tags=language -of csv=p=0 '%s'",
                                                       both)),
                        "mov_text,deu\nmov_text,jpn\n");
    for (int i = 0; i < 2; i++) {
        const char *vtt =
            told(&studio, cs_arena_sprintf(studio.arena, "ffmpeg -v error -i '%s' -map 0:s:%d -f webvtt -", both, i));
        assert_string_equal(vtt, "WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n\n00:02.500 --> 00:03.500\n"
                                 "Two lines of\n<i>this subtitle</i> here\n");
    }
}

TEST(soft_subtitles_end_with_the_video) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_grey(&studio);
    const char *file =
        write_text(&studio, "late.vtt", "WEBVTT\n\n00:03.500 --> 00:09.000\nlast\n\n00:10.000 --> 00:11.000\nnever\n");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, cs_arena_sprintf(studio.arena, soft, "en"), "out.mp4", INPUTS(clip, file));
    assert_in_range(facts->duration_us, 3900000, 4100000);
    assert_true(studio_metric(&studio, "cueCount") == 1);
    const char *vtt = told(&studio, cs_arena_sprintf(studio.arena, "ffmpeg -v error -i '%s' -map 0:s -f webvtt -",
                                                     studio_path(&studio, "out.mp4")));
    assert_string_equal(vtt, "WEBVTT\n\n00:03.500 --> 00:04.000\nlast\n");
}

TEST(a_video_that_mp4_cannot_hold_gets_no_soft_subtitles) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "vp8.webm", "-f lavfi -i color=red:s=32x32:d=1 -c:v libvpx");
    const char *file = write_text(&studio, "two.srt", two_cues);
    assert_fails(studio_run(&studio, cs_arena_sprintf(studio.arena, soft, "en"), "out.mp4", INPUTS(clip, file)),
                 &studio.err, CS_UNIMPLEMENTED, "codec_unsupported");
    assert_string_equal(studio.err.path, "video");
}

TEST(soft_subtitles_go_into_what_people_have) {
    static const char *const videos[] = {
        "video/bbb_1080p24_hevc_aac51_5s.ts", "video/two_mov_text_tracks_640x480_vfr_7s.m4v",
        "video/phone_iphone_portrait_h264_aac_mono_rot90.mov", "video/flower_960x540p2997_h264_aac_5s_fragmented.mp4"};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *file = write_text(&studio, "two.srt", two_cues);
    for (size_t i = 0; i < CS_COUNT(videos); i++) {
        const char *video = studio_real(&studio, videos[i]);
        if (video != NULL) {
            (void)studio_must(&studio, cs_arena_sprintf(studio.arena, soft, "en"), "out.mp4", INPUTS(video, file));
            print_message("%s: %g text tracks\n", videos[i], studio_metric(&studio, "textTracks"));
            assert_string_equal(pictures_of(&studio, studio_path(&studio, "out.mp4")), pictures_of(&studio, video));
        }
    }
}

/* ---- files that people have ---- */

TEST(real_subtitles_are_drawn_whatever_they_are_in) {
    static const char *const files[] = {
        "bad_timestamps.srt",
        "css_styles.vtt",
        "elephants_dream_ar_rtl.srt",
        "elephants_dream_ja_cjk.ass",
        "elephants_dream_ru_windows1251.srt",
        "friday_en.vtt",
        "positions_and_layers.ssa",
        "sintel_en.vtt",
        "styled_embedded_font_and_graphic.ass",
        "typical_tags.srt",
        "typical_utf16le.srt",
        "../hostile/subtitle_markup_injection.srt",
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "long.mp4",
                                   "-f lavfi -i color=0x606060:s=320x180:r=10:d=19 -c:v libx264 "
                                   "-preset ultrafast -pix_fmt yuv420p");
    for (size_t i = 0; i < CS_COUNT(files); i++) {
        const char *file = studio_real(&studio, cs_arena_sprintf(studio.arena, "subtitles/%s", files[i]));
        if (file == NULL) {
            continue;
        }
        size_t frames = 0;
        (void)studio_must(&studio, "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":2}}}",
                          "out.mp4", INPUTS(clip, file));
        CS_AUTO_FREE uint8_t *grey = studio_grey(&studio, "out.mp4", WIDTH, HEIGHT, &frames);
        CS_AUTO_FREE uint8_t *bare = studio_grey(&studio, "long.mp4", WIDTH, HEIGHT, &frames);
        size_t most = 0;
        for (size_t frame = 0; frame < frames; frame++) {
            size_t pixels = 0;
            for (size_t k = 0; k < PIXELS; k++) {
                pixels += abs(grey[frame * PIXELS + k] - bare[frame * PIXELS + k]) > 24;
            }
            most = pixels > most ? pixels : most;
        }
        print_message("%s: at most %zu pixels\n", files[i], most);
        assert_in_range(most, 40, PIXELS / 4); /* a text, and no drawing over everything */
    }
}

TEST_MAIN(CS_TEST(cues_of_a_file_are_shown_when_and_as_they_are), CS_TEST(the_plan_may_group_the_words_of_a_file_anew),
          CS_TEST(subtitles_are_given_as_files_of_all_kinds_when_asked_for),
          CS_TEST(every_preset_shows_its_words_in_its_place_and_nothing_elsewhere),
          CS_TEST(an_active_word_has_its_color), CS_TEST(karaoke_fills_words_from_the_left),
          CS_TEST(a_box_stands_behind_the_active_word_only), CS_TEST(boxes_may_have_round_corners),
          CS_TEST(a_caption_pops_up_and_settles), CS_TEST(a_typewriter_adds_letters),
          CS_TEST(captions_fade_and_slide_in), CS_TEST(an_ass_file_keeps_its_styles_positions_and_drawings),
          CS_TEST(soft_subtitles_are_a_track_and_picture_and_sound_stay_as_they_are),
          CS_TEST(soft_subtitles_end_with_the_video), CS_TEST(a_video_that_mp4_cannot_hold_gets_no_soft_subtitles),
          CS_TEST(soft_subtitles_go_into_what_people_have), CS_TEST(real_subtitles_are_drawn_whatever_they_are_in))
