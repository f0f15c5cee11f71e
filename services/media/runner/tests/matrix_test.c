/* COVERS ops/job.c, graph/facts.c scan.c: every file of the shared set through the operations that people use first,
 * against what ffprobe says of it. CALLSHEET_MATRIX=all takes clips whole, else long ones lend their first seconds;
 * CALLSHEET_CLIP=WORD takes only those that have the word in their name. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"
#include "sync.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

enum { PART_S = 1, CUMULATED = 3, CUMULATED_S = 35 };

/* As ffprobe has its pictures; width and height upright and with square pixels. */
struct clip {
    const char *name;
    int width;
    int height;
    double rate; /* of the slowest stretch, when it varies */
    double seconds;
    bool sound;
};

static const struct clip clips[] = {
    {"video/action_camera_848x480p2997_gpmf_10s.mp4", 848, 480, 29.97, 10.5105, true},
    {"video/ass_and_srt_tracks_720p25.mkv", 1280, 720, 25, 10.0, true},
    {"video/av1_1080x720_aac_mono_1s.mp4", 1080, 720, 29.97, 1.001, true},
    {"video/av1_640x360p25_noaudio_5s.mkv", 640, 360, 25, 5.0, false},
    {"video/bbb_1080p24_h264_aac51_rot90.mp4", 1080, 1920, 24, 1.875, true},
    {"video/bbb_1080p24_hevc_aac51_5s.ts", 1920, 1080, 24, 5.0, true},
    {"video/bbb_1080p24_mpeg2_mp2_2s.ts", 1920, 1080, 24, 2.5, true},
    {"video/bbb_320x240_sar4x3_h264_aac_10s.mp4", 427, 240, 24, 9.9167, true},
    {"video/bbb_642x642_square_vp9_noaudio_3s.webm", 642, 642, 30, 3.0, false},
    {"video/bbb_720p24_vp8_vorbis_30s.webm", 1280, 720, 24, 30.0, true},
    {"video/bbb_720p25_h264_aac51_5s.mp4", 1280, 720, 25, 5.28, true},
    {"video/bbb_800x640_sar64x45_h264_noaudio_4s.mp4", 1138, 640, 30, 4.0, false},
    {"video/bbb_960x540_60fps_vp9_vorbis51_1s.webm", 960, 540, 60, 1.0, true},
    {"video/bug_640x360p30_h264_noaudio_7s.mp4", 640, 360, 30, 6.7667, false},
    {"video/flower_960x540p2997_h264_aac_5s.mp4", 960, 540, 29.97, 5.005, true},
    {"video/flower_960x540p2997_h264_aac_5s_fragmented.mp4", 960, 540, 29.97, 5.005, true},
    {"video/hdr10_1080p_hevc10_aac_1s.mp4", 1920, 1080, 27.5, 1.0174, true},
    {"video/hlg_1080p_hevc10_aac_color_test.mp4", 1920, 1080, 29.99, 0.3001, true},
    {"video/interlaced_flag_160x120p25_h264_aac_15s.mp4", 213, 120, 25, 15.0, true},
    {"video/intra_1080p50_h264_pcm_2s.mov", 1920, 1080, 50, 2.0, true},
    {"video/long_362s_1080p30_h264_aac_static.mp4", 1920, 1080, 30, 362.7667, true},
    {"video/man_green_screen_720p30_h264_aac_24s.mp4", 1280, 720, 30, 24.4, true},
    {"video/mpeg4_960x400p23976_mp3_4s.avi", 960, 400, 23.976, 4.0874, true},
    {"video/nasa_two_video_streams_h264_aac8k_movtext.mp4", 480, 270, 29.97, 13.013, true},
    {"video/no_duration_header_720p15_vp9_opus.webm", 1280, 720, 14.985, 4.938, true},
    {"video/phone_dolby_vision_hlg_hevc10_rot90_5frames.mov", 720, 1280, 30, 0.1067, true},
    {"video/phone_iphone_ios9_720p30_rot90.mov", 720, 1280, 30, 0.4667, true},
    {"video/phone_iphone_portrait_h264_aac_mono_rot90.mov", 320, 568, 29.97, 2.0683, true},
    {"video/phone_portrait_4k60_h264_rot90_0.3s.mp4", 2160, 3840, 60, 0.2997, true},
    {"video/phone_sideways_640x480_vfr_rot90.mov", 480, 640, 24, 1.0167, true},
    {"video/talk_with_pauses_720p30_h264_aac_42s.mp4", 1280, 720, 30, 42.4, true},
    {"video/tears_of_steel_800x332_24fps_vp8_vorbis_70s.webm", 798, 332, 24, 70.458, true},
    {"video/testcard_1080p25_h264_aac_10s_counter.mp4", 1920, 1080, 25, 10.04, true},
    {"video/testcard_1080p30_hevc_fullrange_aac_10s.mp4", 1920, 1080, 30, 10.0, true},
    {"video/two_mov_text_tracks_640x480_vfr_7s.m4v", 640, 480, 16.7, 7.28, true},
    {"video/vertical_720x1280_hdr10_av1_aac_4s.mp4", 720, 1280, 29.97, 4.2376, true},
    {"video/vfr_128x128_h264_yuv444p_15s.mp4", 128, 128, 20, 14.9667, false},
    {"video/vfr_3026x1386_screen_h264_63frames.mp4", 3026, 1386, 7.22, 8.7255, false},
    {"video/vp9_10bit_426x240_23976_roadtrip_3s.webm", 426, 240, 23.976, 3.002, false},
    {"video/vp9_alpha_200x200_5s.webm", 200, 200, 30, 5.0, true},
    {"video/vp9_odd_161x121.webm", 161, 121, 29.97, 1.001, false},
    {"speech/friday_dialogue_640x480p30_h264_aac_6s.mp4", 640, 480, 30, 6.1667, true},
    {"images/animation_circle.gif", 128, 128, 14.25, 2.1, false},
    {"broken/mdat_longer_than_file.mp4", 1080, 720, 29.97, 1.001, true},
    {"broken/audio_stsd_missing.mp4", 1080, 720, 29.97, 1.001, false},
};

struct sound {
    const char *name;
    double seconds;
};

static const struct sound sounds[] = {
    {"audio/alac_16k_mono_speech_7s.m4a", 6.625},
    {"audio/amr_nb_8k_mono_3s.3gp", 3.02},
    {"audio/bear_48k_stereo.flac", 2.741},
    {"audio/bear_48k_stereo.opus", 2.741},
    {"audio/bear_48k_stereo_picture.flac", 2.741},
    {"audio/eac3_51_1.7s.mp4", 1.728},
    {"audio/guitar_mono_44k_23s.ogg", 22.831},
    {"audio/opus_51_3s.mka", 2.741},
    {"audio/pcm_24le_44k_mono_sine_1s.wav", 1.0},
    {"audio/pcm_f32_51_extensible.wav", 0.512},
    {"audio/rain_stereo_60s.mp3", 60.45},
    {"audio/voices_around_fire_stereo_30s.mp3", 30.36},
    {"speech/english_one_two_three_44k.wav", 2.745},
    {"speech/jfk_inaugural_16k_mono_11s.mp3", 11.0},
    {"speech/jfk_inaugural_16k_mono_11s.wav", 11.0},
    {"speech/librivox_austen_0870_16k_mono.wav", 7.1},
    {"speech/librivox_austen_0880_16k_mono.wav", 2.99},
    {"speech/mandarin_48k.flac", 0.9565},
    {"video/two_aac51_tracks_audio_only_5s.mp4", 5.0133},
};

struct still {
    const char *name;
    int width;
    int height;
};

static const struct still stills[] = {
    {"images/exif_orientation_1_landscape.jpg", 1800, 1200},
    {"images/exif_orientation_3_landscape.jpg", 1800, 1200},
    {"images/exif_orientation_6_landscape.jpg", 1800, 1200},
    {"images/exif_orientation_8_landscape.jpg", 1800, 1200},
    {"images/exif_orientation_6_portrait_photo.jpg", 840, 700},
    {"images/logo_alpha_256.png", 256, 256},
    {"images/logo_text_version_alpha_256.png", 788, 256},
    {"images/photo_denali.webp", 600, 315},
    {"images/white_1x1.jpg", 1, 1},
};

static const char *const subtitles[] = {
    "subtitles/friday_en.vtt",
    "subtitles/elephants_dream_en.vtt",
    "subtitles/elephants_dream_ar.vtt",
    "subtitles/elephants_dream_ja.vtt",
    "subtitles/elephants_dream_ru.vtt",
    "subtitles/elephants_dream_ar_rtl.srt",
    "subtitles/elephants_dream_ja_cjk.ass",
    "subtitles/elephants_dream_ru_windows1251.srt",
    "subtitles/sintel_en.vtt",
    "subtitles/sintel_de.vtt",
    "subtitles/sintel_es.vtt",
    "subtitles/styled_embedded_font_and_graphic.ass",
    "subtitles/positions_and_layers.ssa",
    "subtitles/typical_utf16le.srt",
    "subtitles/typical_tags.srt",
    "subtitles/bad_timestamps.srt",
    "subtitles/css_styles.vtt",
    "hostile/subtitle_markup_injection.srt",
};

static const char *const refused[] = {
    "broken/absurd_sample_rate.wav",   "broken/bad_free_box.mp4",
    "broken/chunk_out_of_range.mp4",   "broken/empty_header_only.flv",
    "broken/fuzz_bad_fmt.wav",         "broken/fuzz_invalid_timescale.mp4",
    "broken/garbage_prefix_100kb.mp3", "broken/invalid_bitstream_vp9.webm",
    "broken/text_renamed.mp4",         "broken/truncated_1080p_first_100kb.mp4",
    "broken/truncated_no_moov.mp4",    "hostile/concat_script_file_reference.ffconcat",
    "hostile/hls_file_reference.m3u8", "hostile/hls_playlist_renamed.mp4",
    "hostile/mp4_absurd_box_size.mp4", "hostile/png_bomb_20000x20000.png",
    "hostile/svg_external_entity.svg", "hostile/truncated_bbb_moov_first_50pct.mp4",
    "hostile/zero_byte.mp4",           "hostile/zip_renamed.mp4",
    "images/photo_iphone.heic",
};

/* ---- what is wrong, all of it ---- */

static int wrongs;

static void wrong(const char *name, const char *what, const char *text) {
    print_message("WRONG %s: %s: %s\n", name, what, text);
    wrongs++;
}

static bool whole(void) {
    const char *wish = getenv("CALLSHEET_MATRIX");
    return wish != NULL && strcmp(wish, "all") == 0;
}

static bool wanted(const char *name) {
    const char *word = getenv("CALLSHEET_CLIP");
    return word == NULL || strstr(name, word) != NULL;
}

static bool near(double a, double b, double by) {
    return fabs(a - b) <= by + 1e-6;
}

static bool runs(struct studio *studio, const char *name, const char *what, const char *json, const char *output,
                 const char *const *inputs) {
    if (studio_run(studio, json, output, inputs) == CS_OK) {
        return true;
    }
    wrong(name, what,
          cs_arena_sprintf(studio->arena, "%s at %s: %s", studio->err.reason, studio->err.path, studio->err.message));
    return false;
}

/* ---- looking ---- */

/* The first picture, upright, in a few grey squares. */
static bool small_picture(struct studio *studio, const char *path, uint8_t *ret_grey) {
    const char *command = cs_arena_sprintf(studio->arena,
                                           "ffmpeg -nostdin -v quiet -i '%s' -frames:v 1 -vf "
                                           "scale=%d:%d:flags=area,format=gray -f rawvideo -",
                                           path, (int)SYNC_SIDE, (int)SYNC_SIDE);
    FILE *pipe = popen(command, "r");
    size_t got = pipe != NULL ? fread(ret_grey, 1, SYNC_SQUARES, pipe) : 0;
    return pipe != NULL && pclose(pipe) == 0 && got == SYNC_SQUARES;
}

static void check_upright(struct studio *studio, const struct clip *clip, const char *source, const char *output) {
    uint8_t before[SYNC_SQUARES];
    uint8_t after[SYNC_SQUARES];
    if (!small_picture(studio, source, before) || !small_picture(studio, studio_path(studio, output), after)) {
        wrong(clip->name, output, "the first picture cannot be read");
        return;
    }
    double like = sync_likeness(before, after);
    if (!isnan(like) && like < 0.9) {
        wrong(clip->name, output, cs_arena_sprintf(studio->arena, "its picture is another (%.2f)", like));
    }
}

/* Picture and sound of an output, its own facts and what the ffmpeg program finds in it. */
static void check_output(struct studio *studio, const struct clip *clip, const char *what, double seconds, int width,
                         int height) {
    const Callsheet__V1__VideoFacts *video = studio->done->outputs[0]->video;
    double rate = (double)video->frame_rate->num / (double)video->frame_rate->den;
    double frame = 1 / fmin(rate, clip->rate);
    double pictures = (double)video->frame_count / rate;
    if (!near(pictures, seconds, frame)) {
        wrong(clip->name, what, cs_arena_sprintf(studio->arena, "lasts %.3f s, not %.3f", pictures, seconds));
    }
    if ((int)video->width != width || (int)video->height != height || video->rotation != 0) {
        wrong(clip->name, what, cs_arena_sprintf(studio->arena, "is %ux%u", video->width, video->height));
    }
    const Callsheet__V1__AudioFacts *audio = studio->done->outputs[0]->audio;
    if (clip->sound && audio == NULL) {
        wrong(clip->name, what, "has no sound");
    } else if (clip->sound) {
        size_t samples = 0;
        CS_AUTO_FREE float *heard = studio_sound(studio, "out.mp4", &samples);
        /* the last packet of a sound may be longer than the sound */
        if (!near((double)samples / 48000, pictures, 1 / rate + 1024.0 / 48000) ||
            !near((double)audio->sample_count / audio->sample_rate, pictures, 1 / rate)) {
            wrong(clip->name, what, cs_arena_sprintf(studio->arena, "sound of %zu samples drifts", samples));
        }
    }
}

/* ---- picture and sound of the output where the source has them ---- */

static struct {
    size_t films;
    size_t heard; /* ends of parts whose sound could be told */
    double picture;
    double sound;
    char picture_of[160];
    char sound_of[160];
} worst;

struct source {
    const struct clip *clip;
    struct sync_film film;
};

static void check_lag(struct studio *studio, const struct clip *clip, const char *what, double late_s, double frame) {
    if (isnan(late_s)) {
        return;
    }
    worst.heard++;
    if (fabs(late_s) / frame > worst.sound) {
        worst.sound = fabs(late_s) / frame;
        (void)snprintf(worst.sound_of, sizeof(worst.sound_of), "%s of %s", what, clip->name);
    }
    if (!near(late_s, 0, frame)) {
        wrong(clip->name, what, cs_arena_sprintf(studio->arena, "sound is late by %.1f ms", late_s * 1000));
    }
}

static void check_part(struct studio *studio, const struct source *source, const struct sync_film *output,
                       const char *what, struct sync_part part) {
    const Callsheet__V1__VideoFacts *video = studio->done->outputs[0]->video;
    double frame = 1 / fmin((double)video->frame_rate->num / (double)video->frame_rate->den, source->clip->rate);
    double away = sync_pictures(output, &source->film, part);
    double begin = NAN;
    double end = NAN;
    if (away / frame > worst.picture) {
        worst.picture = away / frame;
        (void)snprintf(worst.picture_of, sizeof(worst.picture_of), "%s of %s", what, source->clip->name);
    }
    if (!near(away, 0, frame + 0.001)) { /* WebM and Matroska tell whole milliseconds */
        wrong(source->clip->name, what, cs_arena_sprintf(studio->arena, "a picture is off by %.1f ms", away * 1000));
    }
    sync_sound(output, &source->film, part, &begin, &end);
    check_lag(studio, source->clip, what, begin, frame);
    check_lag(studio, source->clip, what, end, frame);
    if (!isnan(begin) && !isnan(end) && !near(begin, end, frame)) {
        wrong(source->clip->name, what, "sound and picture drift apart");
    }
}

/* All of the last output, which begins at so many seconds of the source. */
static void check_sync(struct studio *studio, const struct source *source, const char *what, double from) {
    struct sync_film output = sync_read(studio, studio_path(studio, "out.mp4"), INFINITY, "");
    worst.films++;
    check_part(studio, source, &output, what, (struct sync_part){.from = from, .seconds = output.times[output.count]});
}

static int even(int side) {
    return side > 1 ? side & ~1 : 2;
}

/* ---- clips ---- */

static const char *chain(struct studio *studio, const char *operation, double seconds) {
    return cs_arena_sprintf(studio->arena, "[{\"trim\":{\"video\":{\"input\":1},\"duration\":%.6f}},%s]", seconds,
                            operation);
}

static struct source read_source(struct studio *studio, const struct clip *clip, const char *path, const char *filter) {
    return (struct source){clip, sync_read(studio, path, whole() ? INFINITY : clip->seconds / 4 + PART_S + 1, filter)};
}

/* One after the other: what one is off by would add up. */
static void merge_often(struct studio *studio, const struct source *source, const char *path, const char *item,
                        double length) {
    const char *json = cs_arena_sprintf(studio->arena, "{\"merge\":{\"items\":[%s,%s,%s]}}", item, item, item);
    if (!runs(studio, source->clip->name, "merge of three", json, "out.mp4", INPUTS(path))) {
        return;
    }
    struct sync_film output = sync_read(studio, studio_path(studio, "out.mp4"), INFINITY, "");
    worst.films++;
    const Callsheet__V1__Rational *rate = studio->done->outputs[0]->video->frame_rate;
    double frame = (double)rate->den / (double)rate->num;
    double pictures =
        whole() ? length / frame : round(length / frame); /* a length that a plan names is whole pictures */
    for (int i = 0; i < CUMULATED; i++) {
        double at = round(i * pictures) * frame; /* each begins at the picture next to its time */
        check_part(studio, source, &output, "merge of three",
                   (struct sync_part){.at = at, .seconds = round((i + 1) * pictures) * frame - at});
    }
}

static void go_through(struct studio *studio, const struct clip *clip, const char *path) {
    double seconds = whole() ? clip->seconds : fmin(clip->seconds, PART_S);
    const char *input = whole() ? "input" : "step";
    struct source source = read_source(studio, clip, path, "");
    char operation[256];
    double start = seconds / 4;

    const char *item = cs_arena_sprintf(studio->arena, "{\"media\":{\"input\":1},\"duration\":%.6f}",
                                        whole() ? clip->seconds + 1 : seconds);
    if (runs(studio, clip->name, "merge", cs_arena_sprintf(studio->arena, "{\"merge\":{\"items\":[%s]}}", item),
             "out.mp4", INPUTS(path))) {
        check_output(studio, clip, "merge", seconds, even(clip->width), even(clip->height));
        check_upright(studio, clip, path, "out.mp4");
        check_sync(studio, &source, "merge", 0);
        if (seconds < CUMULATED_S) {
            merge_often(studio, &source, path, item, seconds);
        }
    }
    (void)snprintf(operation, sizeof(operation), "{\"addSubtitles\":{\"video\":{\"%s\":1},\"text\":\"Matrix\"}}",
                   input);
    if (runs(studio, clip->name, "addSubtitles", whole() ? operation : chain(studio, operation, seconds), "out.mp4",
             INPUTS(path))) {
        check_output(studio, clip, "addSubtitles", seconds, even(clip->width), even(clip->height));
        check_sync(studio, &source, "addSubtitles", 0);
    }
    (void)snprintf(operation, sizeof(operation), "{\"trim\":{\"video\":{\"input\":1},\"start\":%.6f,\"end\":%.6f}}",
                   start, seconds);
    if (runs(studio, clip->name, "trim", operation, "out.mp4", INPUTS(path))) {
        check_output(studio, clip, "trim", seconds - start, even(clip->width), even(clip->height));
        check_sync(studio, &source, "trim", start);
    }
    (void)snprintf(operation, sizeof(operation),
                   "{\"reframe\":{\"video\":{\"%s\":1},\"aspectRatio\":\"1:1\",\"width\":240,\"height\":240}}", input);
    if (runs(studio, clip->name, "reframe", whole() ? operation : chain(studio, operation, seconds), "out.mp4",
             INPUTS(path))) {
        check_output(studio, clip, "reframe", seconds, 240, 240);
        source = read_source(studio, clip, path, "scale=iw*sar:ih,setsar=1,crop='min(iw,ih)':'min(iw,ih)',");
        check_sync(studio, &source, "reframe", 0);
    }
    if (runs(studio, clip->name, "thumbnail",
             "{\"thumbnail\":{\"video\":{\"input\":1},\"time\":\"0\",\"format\":\"png\"}}", "out.png", INPUTS(path))) {
        const Callsheet__V1__VideoFacts *picture = studio->done->outputs[0]->video;
        if (!near(picture->width, clip->width, 1) || !near(picture->height, clip->height, 1)) {
            wrong(clip->name, "thumbnail",
                  cs_arena_sprintf(studio->arena, "is %ux%u", picture->width, picture->height));
        }
        check_upright(studio, clip, path, "out.png");
    }
}

TEST(every_clip_keeps_its_length_shape_and_sound) {
    wrongs = 0;
    for (size_t i = 0; i < CS_COUNT(clips); i++) {
        CS_AUTO_STUDIO studio;
        studio_open(&studio);
        const char *path = wanted(clips[i].name) ? studio_real(&studio, clips[i].name) : NULL;
        if (path == NULL) {
            continue;
        }
        int before = wrongs;
        go_through(&studio, &clips[i], path);
        print_message("%s: %s\n", clips[i].name, wrongs == before ? "right" : "wrong");
    }
    print_message("%zu films; worst picture %.3f frames (%s); worst of %zu sounds %.3f frames (%s)\n", worst.films,
                  worst.picture, worst.picture_of, worst.heard, worst.sound, worst.sound_of);
    assert_int_equal(wrongs, 0);
}

/* ---- what is no moving picture ---- */

TEST(every_sound_lasts_as_long_under_a_picture_and_has_none_to_show) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *card = studio_make(&studio, "card.png", "-f lavfi -i color=gray:s=64x64 -frames:v 1");
    wrongs = 0;
    for (size_t i = 0; i < CS_COUNT(sounds); i++) {
        const char *name = sounds[i].name;
        const char *path = studio_real(&studio, name);
        if (path == NULL) {
            return;
        }
        double seconds = whole() ? sounds[i].seconds : fmin(sounds[i].seconds, PART_S);
        const struct clip clip = {name, 64, 64, 30, ceil(seconds * 30) / 30, true};
        const char *json = cs_arena_sprintf(studio.arena,
                                            "{\"merge\":{\"frameRate\":\"30\",\"items\":[{\"media\":{\"input\":1},"
                                            "\"duration\":%.6f},{\"media\":{\"input\":2}}]}}",
                                            clip.seconds);
        if (runs(&studio, name, "merge", json, "out.mp4", INPUTS(card, path))) {
            check_output(&studio, &clip, "merge", clip.seconds, 64, 64);
        }
        if (studio_probe(&studio, path) != CS_OK ||
            !near((double)studio.done->outputs[0]->duration_us / 1e6, sounds[i].seconds, 0.03)) {
            wrong(name, "probe",
                  studio.done == NULL
                      ? studio.err.reason
                      : cs_arena_sprintf(studio.arena, "%.3f s", (double)studio.done->outputs[0]->duration_us / 1e6));
        }
        static const char *const shows[] = {
            "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"1:1\"}}",
            "{\"addSubtitles\":{\"video\":{\"input\":1},\"text\":\"Matrix\"}}",
            "{\"thumbnail\":{\"video\":{\"input\":1}}}",
        };
        for (size_t show = 0; show < CS_COUNT(shows); show++) {
            if (studio_run(&studio, shows[show], "out", INPUTS(path)) != CS_INVALID_ARGUMENT ||
                strcmp(studio.err.reason, "no_video") != 0) {
                wrong(name, shows[show], studio.err.reason);
            }
        }
    }
    assert_int_equal(wrongs, 0);
}

TEST(every_still_is_shown_upright_for_as_long_as_planned) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    wrongs = 0;
    for (size_t i = 0; i < CS_COUNT(stills); i++) {
        const struct still *still = &stills[i];
        const char *path = studio_real(&studio, still->name);
        if (path == NULL) {
            return;
        }
        const struct clip clip = {still->name, still->width, still->height, 30, 0.5, false};
        if (runs(&studio, still->name, "merge", "{\"merge\":{\"items\":[{\"media\":{\"input\":1},\"duration\":0.5}]}}",
                 "out.mp4", INPUTS(path))) {
            check_output(&studio, &clip, "merge", 0.5, even(still->width), even(still->height));
        }
    }
    assert_int_equal(wrongs, 0);
}

TEST(every_subtitle_file_is_burned_in) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(
        &studio, "c.mp4", "-f lavfi -i color=gray:s=160x90:r=10:d=6 -c:v libx264 -preset ultrafast -pix_fmt yuv420p");
    wrongs = 0;
    for (size_t i = 0; i < CS_COUNT(subtitles); i++) {
        const char *path = studio_real(&studio, subtitles[i]);
        if (path == NULL) {
            return;
        }
        if (runs(&studio, subtitles[i], "addSubtitles",
                 "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":2}}}", "out.mp4",
                 INPUTS(clip, path)) &&
            studio.done->outputs[0]->video->frame_count != 60) {
            wrong(subtitles[i], "addSubtitles", "has another length");
        }
    }
    assert_int_equal(wrongs, 0);
}

TEST(every_broken_or_hostile_file_is_refused_with_a_type_and_a_word) {
    static const char *const operations[] = {
        "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}}",
        "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"1:1\"}}",
        "{\"addSubtitles\":{\"video\":{\"input\":1},\"text\":\"Matrix\"}}",
        "{\"trim\":{\"video\":{\"input\":1},\"start\":0.1}}",
        "{\"thumbnail\":{\"video\":{\"input\":1},\"time\":\"100%\"}}",
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    wrongs = 0;
    for (size_t i = 0; i < CS_COUNT(refused); i++) {
        const char *path = studio_real(&studio, refused[i]);
        if (path == NULL) {
            return;
        }
        for (size_t j = 0; j < CS_COUNT(operations); j++) {
            enum cs_status status = studio_run(&studio, operations[j], "out", INPUTS(path));
            bool typed = status == CS_INVALID_ARGUMENT || status == CS_DATA_LOSS || status == CS_UNIMPLEMENTED ||
                         status == CS_OUT_OF_RANGE;
            if (!typed || studio.err.reason[0] == '\0' || studio.err.message[0] == '\0') {
                wrong(refused[i], operations[j], cs_status_name(status));
            }
        }
        print_message("%s: %s\n", refused[i], studio.err.reason);
    }
    assert_int_equal(wrongs, 0);
}

TEST_MAIN(CS_TEST(every_clip_keeps_its_length_shape_and_sound),
          CS_TEST(every_sound_lasts_as_long_under_a_picture_and_has_none_to_show),
          CS_TEST(every_still_is_shown_upright_for_as_long_as_planned), CS_TEST(every_subtitle_file_is_burned_in),
          CS_TEST(every_broken_or_hostile_file_is_refused_with_a_type_and_a_word))
