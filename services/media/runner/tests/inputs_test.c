/* COVERS graph/scan.c facts.c input.c stream.c deinterlace.c clip_video.c clip_audio.c: files as they come, real, odd,
 * broken and hostile. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

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

/* ---- streams that are entered in the middle ---- */

static double worst_difference(const uint8_t *a, const uint8_t *b, size_t pictures, size_t picture_bytes) {
    double worst = 0;
    for (size_t i = 0; i < pictures; i++) {
        double sum = 0;
        for (size_t k = i * picture_bytes; k < (i + 1) * picture_bytes; k++) {
            sum += abs(a[k] - b[k]);
        }
        worst = fmax(worst, sum / (double)picture_bytes);
    }
    return worst;
}

TEST(pictures_behind_a_far_key_frame_are_whole) {
    enum { WIDTH = 160, HEIGHT = 90, FRAMES = 50 };
    static const char *const encoders[] = {
        "libx264 -preset veryfast -g 1000 -bf 3",
        "libx265 -preset ultrafast -x265-params log-level=none:keyint=1000:bframes=3",
        "mpeg2video -g 100 -q:v 2",
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(encoders); i++) {
        size_t wanted = 0;
        size_t got = 0;
        const char *stream = studio_make(&studio, "far.ts",
                                         cs_arena_sprintf(studio.arena,
                                                          "-f lavfi -i testsrc2=s=%dx%d:r=25:d=5 -vf hue=s=0 -c:v %s "
                                                          "-pix_fmt yuv420p",
                                                          (int)WIDTH, (int)HEIGHT, encoders[i]));
        (void)studio_make(&studio, "part.mkv",
                          cs_arena_sprintf(studio.arena,
                                           "-i '%s' -vf trim=start_frame=75:end_frame=%d,setpts=PTS-STARTPTS "
                                           "-c:v ffv1",
                                           stream, 75 + (int)FRAMES));
        (void)studio_must(&studio, "{\"trim\":{\"video\":{\"input\":1},\"start\":3,\"duration\":2}}", "out.mp4",
                          INPUTS(stream));
        CS_AUTO_FREE uint8_t *want = studio_grey(&studio, "part.mkv", WIDTH, HEIGHT, &wanted);
        CS_AUTO_FREE uint8_t *have = studio_grey(&studio, "out.mp4", WIDTH, HEIGHT, &got);
        assert_int_equal(wanted, FRAMES);
        assert_int_equal(got, FRAMES);
        double worst = worst_difference(want, have, FRAMES, (size_t)WIDTH * HEIGHT);
        if (worst > 4) {
            fail_msg("%s: a picture is off by %.1f", encoders[i], worst);
        }
    }
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

TEST(m10_a_probe_tells_kinds_by_content) {
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

/* ---- odd, but whole ---- */

TEST(pictures_that_stay_long_are_not_a_missing_end) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *slow = studio_make(
        &studio, "slow.mp4", "-f lavfi -i testsrc=s=64x64:r=1/2:d=4 -c:v libx264 -preset ultrafast -pix_fmt yuv420p");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}}", "out.mp4", INPUTS(slow));
    assert_int_equal(facts->video->frame_count, 120);
}

TEST(empty_slots_of_avi_are_not_a_missing_end) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *mp4 = studio_make(
        &studio, "b.mp4", "-f lavfi -i testsrc=s=64x64:r=25:d=2 -c:v libx264 -bf 2 -b_strategy 0 -pix_fmt yuv420p");
    const char *avi = studio_make(&studio, "b.avi", cs_arena_sprintf(studio.arena, "-i %s -c copy", mp4));
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}}", "out.mp4", INPUTS(avi));
    assert_int_equal(facts->video->frame_count, 50);
}

TEST(windows_of_tiny_pictures_hold_a_chroma_sample) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *tiny = studio_make(&studio, "tiny.mkv", "-f lavfi -i testsrc2=s=2x2:r=25:d=0.2 -c:v ffv1");
    (void)studio_must(&studio, "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"16:9\"}}", "out.mp4",
                      INPUTS(tiny));
}

TEST(sound_alone_starts_with_its_first_sample) {
    static const char *const encoders[][2] = {
        {"c.mp3", "-c:a libmp3lame"}, {"c.opus", "-c:a libopus"}, {"c.ogg", "-c:a libvorbis"}, {"c.m4a", "-c:a aac"}};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *picture = studio_make(&studio, "p.png", "-f lavfi -i color=s=64x64 -frames:v 1");
    for (size_t i = 0; i < CS_COUNT(encoders); i++) {
        const char *click = studio_make(
            &studio, encoders[i][0],
            cs_arena_sprintf(studio.arena,
                             "-f lavfi -i \"aevalsrc='if(gte(t,0.5),0.8*sin(2*PI*1000*t),0)':s=48000:d=1:c=stereo\" %s",
                             encoders[i][1]));
        (void)studio_must(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}]}}",
                          "out.mp4", INPUTS(picture, click));
        size_t samples = 0;
        CS_AUTO_FREE float *sound = studio_sound(&studio, "out.mp4", &samples);
        size_t at = 0;
        while (at < samples && fabsf(sound[at]) < 0.3F) {
            at++;
        }
        assert_in_range(at, 24000 - 48, 24000 + 60); /* within about a millisecond */
        assert_ok(studio_probe(&studio, click), &studio.err);
        assert_in_range(studio.done->outputs[0]->duration_us, 997000, 1003000);
    }
}

#ifdef CS_SANITIZED /* they keep what was freed */
enum { GROWTH_KIB_MAX = INT_MAX };
#else
enum { GROWTH_KIB_MAX = 128 * 1024 };
#endif

/* Of this process since the last call, in KiB; 0: the kernel does not tell. */
static long peak_memory_kib(void) {
    long peak = 0;
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && peak == 0 && fgets(line, sizeof(line), status) != NULL) {
        (void)sscanf(line, "VmHWM: %ld", &peak);
    }
    if (status != NULL) {
        fclose(status);
    }
    FILE *forget = fopen("/proc/self/clear_refs", "w");
    if (forget == NULL) {
        return 0;
    }
    (void)fputs("5", forget);
    return fclose(forget) == 0 ? peak : 0;
}

TEST(a_long_gap_in_sound_takes_no_memory) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *picture = studio_make(&studio, "p.png", "-f lavfi -i color=s=64x64 -frames:v 1");
    const char *gap = studio_make(&studio, "gap.mka",
                                  "-f lavfi -i sine=1000:r=8000:d=2 -af "
                                  "\"asetnsamples=800,asetpts='if(gte(N,8000),PTS+600*8000,PTS)'\" -c:a pcm_s16le");
    (void)peak_memory_kib();
    long before = peak_memory_kib();
    (void)studio_must(&studio,
                      "{\"merge\":{\"items\":[{\"media\":{\"input\":1},\"duration\":602},"
                      "{\"media\":{\"input\":2}}],\"frameRate\":\"1\"}}",
                      "out.mp4", INPUTS(picture, gap));
    long grown = peak_memory_kib() - before;
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "out.mp4", &samples);
    assert_true(studio_loudest(sound, 48000 / 2, 4800) > 0.02);
    assert_true(studio_loudest(sound, 300 * 48000, 48000) < 0.0001);
    assert_true(studio_loudest(sound, 6015 * 4800, 4800) > 0.02);
    assert_true(before == 0 || grown < GROWTH_KIB_MAX);
}

TEST(samples_that_are_no_number_are_silent) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *picture = studio_make(&studio, "p.png", "-f lavfi -i color=s=64x64 -frames:v 1");
    const char *bad =
        studio_make(&studio, "nan.wav", "-f lavfi -i \"aevalsrc='if(mod(n,100),0.3,0/0)':s=48000:d=1\" -c:a pcm_f32le");
    (void)studio_must(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}]}}",
                      "out.mp4", INPUTS(picture, bad));
}

TEST(what_is_wrong_with_an_input_is_named) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *photo = studio_make(&studio, "big.jpg", "-f lavfi -i color=s=9000x9000 -frames:v 1");
    assert_int_equal(studio_probe(&studio, photo), CS_OUT_OF_RANGE);
    assert_string_equal(studio.err.reason, "too_many_pixels");
    const char *wide =
        studio_make(&studio, "w.mkv", "-f lavfi -i color=s=8000x40:r=25:d=0.2 -vf setsar=15/1 -c:v ffv1");
    assert_int_equal(
        studio_run(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}}", "out.mp4", INPUTS(wide)),
        CS_OUT_OF_RANGE);
    assert_string_equal(studio.err.reason, "too_many_pixels");
    assert_int_equal(studio_probe(&studio, studio.dir), CS_UNAVAILABLE); /* cannot be read at all */
    assert_string_equal(studio.err.reason, "read_failed");
}

/* ---- how far pictures are out of order ---- */

struct bits {
    uint8_t *bytes;
    size_t at;
};

static bool take_bit(struct bits *bits) {
    bool bit = (bits->bytes[bits->at / 8] >> (7 - bits->at % 8) & 1) != 0;
    bits->at++;
    return bit;
}

static void put_bit(struct bits *bits, bool bit) {
    uint8_t mask = (uint8_t)(1 << (7 - bits->at % 8));
    bits->bytes[bits->at / 8] = (uint8_t)((bits->bytes[bits->at / 8] & ~mask) | (bit ? mask : 0));
    bits->at++;
}

static unsigned take_golomb(struct bits *bits) {
    unsigned zeros = 0;
    unsigned value = 1;
    while (!take_bit(bits)) {
        zeros++;
    }
    for (; zeros > 0; zeros--) {
        value = value << 1 | take_bit(bits);
    }
    return value - 1;
}

/* The parameters of the H.264 Main profile end where they would say more of the stream, as those of some encoders do.
 */
static void say_less(char *film, size_t size) {
    enum { SET_AT = 12 /* behind the type of the box */, FIELDS_AT = 4 /* behind profile and level */ };
    uint8_t *box = memmem(film, size, "avcC", 4);
    assert_non_null(box);
    uint8_t *set = box + SET_AT;
    size_t set_size = (size_t)box[10] << 8 | box[11];
    struct bits bits = {.bytes = set, .at = (size_t)8 * FIELDS_AT};
    assert_int_equal(set[1], 77);
    for (int i = 0; i < 5; i++) { /* id, frame numbers, order counts, references */
        (void)take_golomb(&bits);
    }
    (void)take_bit(&bits);
    (void)take_golomb(&bits);
    (void)take_golomb(&bits);
    assert_true(take_bit(&bits)); /* no fields */
    (void)take_bit(&bits);
    assert_false(take_bit(&bits)); /* not cropped */
    put_bit(&bits, false);
    for (put_bit(&bits, true); bits.at < set_size * 8;) {
        put_bit(&bits, false);
    }
}

TEST(films_in_fragments_lose_no_picture_at_their_begin) {
    CS_AUTO_STUDIO studio;
    size_t size = 0;
    size_t count = 0;
    studio_open(&studio);
    (void)studio_make(&studio, "said.mp4",
                      "-f lavfi -i color=black:s=160x96:r=25:d=1 -vf geq=lum=16+N*8:cb=128:cr=128 -c:v libx264 "
                      "-profile:v main -x264-params bframes=3:b-pyramid=normal:b-adapt=0:ref=4 -pix_fmt yuv420p "
                      "-movflags frag_keyframe+empty_moov");
    char *film = studio_read(&studio, "said.mp4", &size);
    say_less(film, size);
    const char *input = studio_write(&studio, "unsaid.mp4", film, size);
    (void)studio_must(&studio, "{\"reverse\":{\"video\":{\"input\":1}}}", "out.mp4", INPUTS(input));
    CS_AUTO_FREE uint8_t *brightness = studio_brightness(&studio, "out.mp4", &count);
    assert_int_equal(count, 25);
    for (size_t i = 1; i < count; i++) {
        assert_true(brightness[i] < brightness[i - 1]);
    }
}

TEST_MAIN(CS_TEST(variable_rates_become_steady_and_keep_their_time),
          CS_TEST(pictures_that_stay_long_are_not_a_missing_end), CS_TEST(empty_slots_of_avi_are_not_a_missing_end),
          CS_TEST(windows_of_tiny_pictures_hold_a_chroma_sample), CS_TEST(sound_alone_starts_with_its_first_sample),
          CS_TEST(a_long_gap_in_sound_takes_no_memory), CS_TEST(samples_that_are_no_number_are_silent),
          CS_TEST(what_is_wrong_with_an_input_is_named), CS_TEST(pictures_behind_a_far_key_frame_are_whole),
          CS_TEST(turned_and_wide_pixels_are_shown_upright_and_square), CS_TEST(combed_footage_is_made_whole),
          CS_TEST(m10_a_probe_tells_kinds_by_content), CS_TEST(files_that_name_other_files_are_refused),
          CS_TEST(a_file_cut_in_half_is_corrupt_and_limits_hold), CS_TEST(real_clips_of_every_kind_merge),
          CS_TEST(broken_and_hostile_files_fail_with_a_word),
          CS_TEST(films_in_fragments_lose_no_picture_at_their_begin))
