/* COVERS graph/facts_wire.c streams.c gop.c, ops/job.c: what a probe tells, of files made here and of real ones. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"

static const Callsheet__V1__MediaFacts *probe(struct studio *studio, const char *path) {
    if (studio_probe(studio, path) != CS_OK) {
        fail_msg("%s: %s %s", path, studio->err.reason, studio->err.message);
    }
    return studio->done->outputs[0];
}

/* ---- how pictures depend on each other ---- */

static const char pictures[] = "-f lavfi -i testsrc2=s=96x64:r=25:d=4 -pix_fmt yuv420p -threads 1";

TEST(gops_tell_key_frames_lengths_and_order) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *plain =
        cs_arena_sprintf(studio.arena, "%s -c:v libx264 -preset ultrafast -g 30 -keyint_min 30 -bf 0", pictures);
    const Callsheet__V1__GopFacts *gop = probe(&studio, studio_make(&studio, "plain.mp4", plain))->video->gop;
    assert_int_equal(gop->keyframe_count, 4); /* at 0, 30, 60 and 90 of 100 */
    assert_int_equal(gop->longest, 30);
    assert_true(fabs(gop->average - 25) < 1e-9);
    assert_true(gop->closed);
    assert_false(gop->reordered);
}

TEST(open_gops_are_told_from_closed_ones_in_every_codec_that_has_them) {
    static const struct {
        const char *name;
        const char *codec;
        bool closed;
    } cases[] = {
        {"a.mp4", "-c:v libx264 -preset veryfast -bf 2 -b_strategy 0 -g 20 -sc_threshold 0", true},
        {"b.mp4",
         "-c:v libx264 -preset veryfast -bf 2 -b_strategy 0 -g 20 -sc_threshold 0 -flags -cgop -x264-params "
         "open-gop=1",
         false},
        {"b.ts", "-c:v libx264 -preset veryfast -bf 2 -b_strategy 0 -g 20 -sc_threshold 0 -x264-params open-gop=1",
         false},
        {"c.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=20:bframes=2:open-gop=0", true},
        {"d.mp4",
         "-c:v libx265 -preset ultrafast -x265-params "
         "log-level=none:keyint=20:min-keyint=20:scenecut=0:bframes=2:b-adapt=0:open-gop=1",
         false},
        {"e.ts", "-c:v mpeg2video -bf 2 -g 12", false},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *made =
            studio_make(&studio, cases[i].name, cs_arena_sprintf(studio.arena, "%s %s", pictures, cases[i].codec));
        const Callsheet__V1__GopFacts *gop = probe(&studio, made)->video->gop;
        if (gop->closed != cases[i].closed || !gop->reordered || gop->keyframe_count < 4) {
            fail_msg("%s: closed %d, reordered %d, %lld key frames", cases[i].codec, gop->closed, gop->reordered,
                     (long long)gop->keyframe_count);
        }
    }
}

/* ---- sound ---- */

TEST(what_encoders_add_around_the_sound_is_counted_and_not_part_of_it) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *made =
        studio_make(&studio, "a.mp3", "-f lavfi -i sine=sample_rate=44100:d=2 -c:a libmp3lame -b:a 128k");
    const Callsheet__V1__AudioFacts *audio = probe(&studio, made)->audio;
    assert_int_equal(audio->sample_count, 88200);
    assert_int_equal(audio->priming_samples, 1105);
    assert_true(audio->padding_samples > 0);
    assert_string_equal(audio->channel_layout, "mono");
    made = studio_make(&studio, "a.m4a", "-f lavfi -i sine=sample_rate=48000:d=2 -ac 6 -c:a aac -b:a 256k");
    audio = probe(&studio, made)->audio;
    assert_int_equal(audio->priming_samples, 1024);
    assert_string_equal(audio->channel_layout, "5.1");
    made = studio_make(&studio, "a.wav", "-f lavfi -i sine=sample_rate=8000:d=2 -c:a pcm_s16le");
    audio = probe(&studio, made)->audio;
    assert_int_equal(audio->bit_rate, 128000);
    assert_int_equal(audio->priming_samples, 0);
}

/* ---- all streams ---- */

TEST(sy_106_m5_the_video_stream_is_read_wherever_it_stands) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *made = studio_make(&studio, "behind.mp4",
                                   "-f lavfi -i testsrc=s=64x48:r=25:d=2 -f lavfi -i sine=d=2 -map 1:a -map 0:v "
                                   "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac");
    const Callsheet__V1__MediaFacts *facts = probe(&studio, made);
    assert_string_equal(facts->streams[0]->kind, "audio");
    assert_int_equal(facts->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO);
    assert_true(facts->video->width == 64 && facts->video->height == 48);
    assert_string_equal(facts->video->codec, "h264");
    assert_in_range(facts->duration_us, 1990000, 2060000);
}

TEST(every_stream_is_listed_with_its_own_length_and_chapters_are_counted) {
    static const char words[] = "1\n00:00:00,500 --> 00:00:01,500\nhello\n\n2\n00:00:02,000 --> 00:00:02,750\nyou\n";
    static const char chapters[] =
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND="
        "3000\n";
    static const struct {
        const char *kind, *codec, *language;
        double seconds;
        bool used;
    } wanted[] = {{"video", "h264", "", 3, true},
                  {"audio", "vorbis", "eng", 3, true},
                  {"audio", "vorbis", "deu", 1, false},
                  {"subtitle", "subrip", "fra", 2.25, false}};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *srt = studio_write(&studio, "s.srt", words, sizeof(words) - 1);
    const char *meta = studio_write(&studio, "c.txt", chapters, sizeof(chapters) - 1);
    const char *made = studio_make(
        &studio, "all.mkv",
        cs_arena_sprintf(studio.arena,
                         "-f lavfi -i testsrc=s=64x64:r=25:d=3 -f lavfi -i sine=d=3 -f lavfi -i sine=d=1 -i %s -i %s "
                         "-map 0 -map 1 -map 2 -map 3 -map_metadata 4 -c:v libx264 -preset ultrafast -pix_fmt yuv420p "
                         "-c:a libvorbis -c:s srt -metadata:s:a:0 language=eng -metadata:s:a:1 language=deu "
                         "-metadata:s:s:0 language=fra -disposition:a:0 default",
                         srt, meta));
    const Callsheet__V1__MediaFacts *facts = probe(&studio, made);
    assert_int_equal(facts->chapter_count, 2);
    assert_int_equal(facts->n_streams, CS_COUNT(wanted));
    for (size_t i = 0; i < CS_COUNT(wanted); i++) {
        const Callsheet__V1__StreamFacts *stream = facts->streams[i];
        assert_string_equal(stream->kind, wanted[i].kind);
        assert_string_equal(stream->codec, wanted[i].codec);
        assert_string_equal(stream->language, wanted[i].language);
        assert_int_equal(stream->used, wanted[i].used);
        if (fabs((double)stream->duration_us / 1e6 - wanted[i].seconds) > 0.06) {
            fail_msg("stream %zu lasts %lld us", i, (long long)stream->duration_us);
        }
    }
}

TEST(a_damaged_transport_stream_says_how_many_packets_are) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *whole =
        studio_make(&studio, "w.ts", cs_arena_sprintf(studio.arena, "%s -c:v libx264 -preset ultrafast", pictures));
    assert_false(probe(&studio, whole)->corrupt);
    /* 188-byte packets go missing from its middle: their counters jump */
    assert_int_equal(
        system(cs_arena_sprintf(studio.arena,
                                "cd %s && head -c $((188*300)) w.ts > d.ts && tail -c +$((188*309+1)) w.ts "
                                ">> d.ts",
                                studio.dir)),
        0);
    const Callsheet__V1__MediaFacts *facts = probe(&studio, studio_path(&studio, "d.ts"));
    assert_true(facts->corrupt);
    assert_true(facts->corrupt_packets >= 1 && facts->corrupt_packets <= 3);
}

/* ---- real files ---- */

struct real {
    const char *name;
    const char *kind; /* or the reason why it is refused: then nothing follows */
    const char *video;
    int width, height; /* as shown */
    double rate;
    double seconds;
    const char *audio;
    int sample_rate, channels;
    size_t streams;
    const char *flags;
};

static const struct real reals[] = {
    {"audio/alac_16k_mono_speech_7s.m4a", "audio", NULL, 0, 0, 0, 6.62, "alac", 16000, 1, 1, ""},
    {"audio/amr_nb_8k_mono_3s.3gp", "audio", NULL, 0, 0, 0, 3.00, "amr_nb", 8000, 1, 1, ""},
    {"audio/bear_48k_stereo.flac", "audio", NULL, 0, 0, 0, 2.74, "flac", 48000, 2, 1, ""},
    {"audio/bear_48k_stereo.opus", "audio", NULL, 0, 0, 0, 2.74, "opus", 48000, 2, 1, ""},
    {"audio/bear_48k_stereo_picture.flac", "audio", NULL, 0, 0, 0, 2.74, "flac", 48000, 2, 2, ""},
    {"audio/eac3_51_1.7s.mp4", "audio", NULL, 0, 0, 0, 1.70, "eac3", 48000, 6, 1, ""},
    {"audio/guitar_mono_44k_23s.ogg", "audio", NULL, 0, 0, 0, 22.83, "vorbis", 44100, 1, 1, ""},
    {"audio/opus_51_3s.mka", "audio", NULL, 0, 0, 0, 2.74, "opus", 48000, 6, 1, ""},
    {"audio/pcm_24le_44k_mono_sine_1s.wav", "audio", NULL, 0, 0, 0, 1.00, "pcm_s24le", 44100, 1, 1, ""},
    {"audio/pcm_f32_51_extensible.wav", "audio", NULL, 0, 0, 0, 0.51, "pcm_f32le", 48000, 6, 1, ""},
    {"audio/rain_stereo_60s.mp3", "audio", NULL, 0, 0, 0, 60.46, "mp3", 44100, 2, 1, ""},
    {"audio/voices_around_fire_stereo_30s.mp3", "audio", NULL, 0, 0, 0, 30.37, "mp3", 48000, 2, 1, ""},
    {"broken/audio_stsd_missing.mp4", "video", "h264", 1080, 720, 29.97, 1.00, NULL, 0, 0, 2, ""},
    {"broken/mdat_longer_than_file.mp4", "video", "h264", 1080, 720, 29.97, 1.04, "aac", 44100, 1, 2, ""},
    {"broken/truncated_1080p_first_100kb.mp4", "video", "h264", 1920, 1080, 10.799, 0.50, NULL, 0, 0, 1, "vfr corrupt"},
    {"hostile/truncated_bbb_moov_first_50pct.mp4", "video", "h264", 1280, 720, 25, 2.15, "aac", 48000, 6, 2, "corrupt"},
    {"images/animation_circle.gif", "video", "gif", 128, 128, 14.286, 2.10, NULL, 0, 0, 1, "alpha"},
    {"images/exif_orientation_1_landscape.jpg", "image", "mjpeg", 1800, 1200, 0, 0.00, NULL, 0, 0, 1, "full"},
    {"images/exif_orientation_3_landscape.jpg", "image", "mjpeg", 1800, 1200, 0, 0.00, NULL, 0, 0, 1, "turned180 full"},
    {"images/exif_orientation_6_landscape.jpg", "image", "mjpeg", 1800, 1200, 0, 0.00, NULL, 0, 0, 1, "turned90 full"},
    {"images/exif_orientation_6_portrait_photo.jpg", "image", "mjpeg", 840, 700, 0, 0.00, NULL, 0, 0, 1, "turned90"},
    {"images/exif_orientation_8_landscape.jpg", "image", "mjpeg", 1800, 1200, 0, 0.00, NULL, 0, 0, 1, "turned270 full"},
    {"images/logo_alpha_256.png", "image", "png", 256, 256, 0, 0.00, NULL, 0, 0, 1, "alpha full"},
    {"images/logo_text_version_alpha_256.png", "image", "png", 788, 256, 0, 0.00, NULL, 0, 0, 1, "alpha full"},
    {"images/photo_denali.webp", "image", "webp", 600, 315, 0, 0.00, NULL, 0, 0, 1, ""},
    {"images/white_1x1.jpg", "image", "mjpeg", 1, 1, 0, 0.00, NULL, 0, 0, 1, "full"},
    {"speech/english_one_two_three_44k.wav", "audio", NULL, 0, 0, 0, 2.74, "pcm_s16le", 44100, 1, 1, ""},
    {"speech/friday_dialogue_640x480p30_h264_aac_6s.mp4", "video", "h264", 640, 480, 30, 6.17, "aac", 44100, 2, 2, ""},
    {"speech/jfk_inaugural_16k_mono_11s.mp3", "audio", NULL, 0, 0, 0, 11.00, "mp3", 16000, 1, 1, ""},
    {"speech/jfk_inaugural_16k_mono_11s.wav", "audio", NULL, 0, 0, 0, 11.00, "pcm_s16le", 16000, 1, 1, ""},
    {"speech/librivox_austen_0870_16k_mono.wav", "audio", NULL, 0, 0, 0, 7.10, "pcm_s16le", 16000, 1, 1, ""},
    {"speech/librivox_austen_0880_16k_mono.wav", "audio", NULL, 0, 0, 0, 2.99, "pcm_s16le", 16000, 1, 1, ""},
    {"speech/mandarin_48k.flac", "audio", NULL, 0, 0, 0, 0.96, "flac", 48000, 1, 1, ""},
    {"video/action_camera_848x480p2997_gpmf_10s.mp4", "video", "h264", 848, 480, 29.97, 10.52, "aac", 48000, 2, 5,
     "full"},
    {"video/ass_and_srt_tracks_720p25.mkv", "video", "h264", 1280, 720, 25, 10.03, "aac", 48000, 2, 4, ""},
    {"video/av1_1080x720_aac_mono_1s.mp4", "video", "av1", 1080, 720, 29.97, 1.04, "aac", 44100, 1, 2, ""},
    {"video/av1_640x360p25_noaudio_5s.mkv", "video", "av1", 640, 360, 25, 5.00, NULL, 0, 0, 1, ""},
    {"video/bbb_1080p24_h264_aac51_rot90.mp4", "video", "h264", 1080, 1920, 24, 2.01, "aac", 48000, 6, 2, "turned90"},
    {"video/bbb_1080p24_hevc_aac51_5s.ts", "video", "hevc", 1920, 1080, 24, 5.01, "aac", 48000, 6, 2, ""},
    {"video/bbb_1080p24_mpeg2_mp2_2s.ts", "video", "mpeg2video", 1920, 1080, 24, 2.51, "mp2", 44100, 2, 2, "vfr"},
    {"video/bbb_320x240_sar4x3_h264_aac_10s.mp4", "video", "h264", 427, 240, 24, 9.92, "aac", 44100, 2, 2, ""},
    {"video/bbb_642x642_square_vp9_noaudio_3s.webm", "video", "vp9", 642, 642, 30, 3.00, NULL, 0, 0, 1, ""},
    {"video/bbb_720p24_vp8_vorbis_30s.webm", "video", "vp8", 1280, 720, 24, 30.02, "vorbis", 44100, 2, 2, ""},
    {"video/bbb_720p25_h264_aac51_5s.mp4", "video", "h264", 1280, 720, 25, 5.31, "aac", 48000, 6, 2, ""},
    {"video/bbb_800x640_sar64x45_h264_noaudio_4s.mp4", "video", "h264", 1138, 640, 30, 4.00, NULL, 0, 0, 1, ""},
    {"video/bbb_960x540_60fps_vp9_vorbis51_1s.webm", "video", "vp9", 960, 540, 60, 1.01, "vorbis", 48000, 6, 2, ""},
    {"video/bug_640x360p30_h264_noaudio_7s.mp4", "video", "h264", 640, 360, 30, 6.77, NULL, 0, 0, 1, ""},
    {"video/flower_960x540p2997_h264_aac_5s.mp4", "video", "h264", 960, 540, 29.97, 5.05, "aac", 48000, 2, 2, ""},
    {"video/flower_960x540p2997_h264_aac_5s_fragmented.mp4", "video", "h264", 960, 540, 29.97, 5.12, "aac", 48000, 2, 2,
     ""},
    {"video/hdr10_1080p_hevc10_aac_1s.mp4", "video", "hevc", 1920, 1080, 30, 1.02, "aac", 48000, 2, 2,
     "vfr hdr10 10bit"},
    {"video/hlg_1080p_hevc10_aac_color_test.mp4", "video", "hevc", 1920, 1080, 30, 0.30, "aac", 48000, 2, 2,
     "hlg 10bit"},
    {"video/interlaced_flag_160x120p25_h264_aac_15s.mp4", "video", "h264", 213, 120, 25, 15.02, "aac", 48000, 2, 2,
     "interlaced"},
    {"video/intra_1080p50_h264_pcm_2s.mov", "video", "h264", 1920, 1080, 50, 2.00, "pcm_s16le", 48000, 2, 2, ""},
    {"video/long_362s_1080p30_h264_aac_static.mp4", "video", "h264", 1920, 1080, 30, 362.77, "aac", 48000, 2, 2, ""},
    {"video/man_green_screen_720p30_h264_aac_24s.mp4", "video", "h264", 1280, 720, 30, 24.43, "aac", 44100, 2, 2, ""},
    {"video/mpeg4_960x400p23976_mp3_4s.avi", "video", "mpeg4", 960, 400, 23.976, 4.09, "mp3", 48000, 2, 2, "vfr"},
    {"video/nasa_two_video_streams_h264_aac8k_movtext.mp4", "video", "h264", 480, 270, 29.97, 13.06, "aac", 8000, 2, 6,
     ""},
    {"video/no_duration_header_720p15_vp9_opus.webm", "video", "vp9", 1280, 720, 15, 4.93, "opus", 48000, 2, 2,
     "alpha"},
    {"video/phone_dolby_vision_hlg_hevc10_rot90_5frames.mov", "video", "hevc", 720, 1280, 30, 0.13, "aac", 44100, 2, 5,
     "turned90 hlg dolby 10bit"},
    {"video/phone_iphone_ios9_720p30_rot90.mov", "video", "h264", 720, 1280, 30, 0.47, "aac", 44100, 1, 4, "turned90"},
    {"video/phone_iphone_portrait_h264_aac_mono_rot90.mov", "video", "h264", 320, 568, 29.97, 2.07, "aac", 44100, 1, 2,
     "turned90"},
    {"video/phone_portrait_4k60_h264_rot90_0.3s.mp4", "video", "h264", 2160, 3840, 60, 0.31, "aac", 48000, 2, 2,
     "turned90 full"},
    {"video/phone_sideways_640x480_vfr_rot90.mov", "video", "h264", 480, 640, 24.083, 1.02, "aac", 44100, 1, 2,
     "turned90"},
    {"video/talk_with_pauses_720p30_h264_aac_42s.mp4", "video", "h264", 1280, 720, 30, 42.40, "aac", 48000, 2, 2, ""},
    {"video/tears_of_steel_800x332_24fps_vp8_vorbis_70s.webm", "video", "vp8", 798, 332, 24, 70.55, "vorbis", 44100, 2,
     2, ""},
    {"video/testcard_1080p25_h264_aac_10s_counter.mp4", "video", "h264", 1920, 1080, 25, 10.05, "aac", 48000, 2, 2, ""},
    {"video/testcard_1080p30_hevc_fullrange_aac_10s.mp4", "video", "hevc", 1920, 1080, 30, 10.00, "aac", 48000, 2, 2,
     "full open"},
    {"video/two_aac51_tracks_audio_only_5s.mp4", "audio", NULL, 0, 0, 0, 5.01, "aac", 48000, 6, 2, ""},
    {"video/two_mov_text_tracks_640x480_vfr_7s.m4v", "video", "h264", 640, 480, 16.762, 7.48, "aac", 44100, 2, 4,
     "vfr"},
    {"video/vertical_720x1280_hdr10_av1_aac_4s.mp4", "video", "av1", 720, 1280, 29.97, 4.24, "aac", 48000, 2, 2,
     "pq 10bit"},
    {"video/vfr_128x128_h264_yuv444p_15s.mp4", "video", "h264", 128, 128, 20.022, 14.97, NULL, 0, 0, 1, "vfr"},
    {"video/vfr_3026x1386_screen_h264_63frames.mp4", "video", "h264", 3026, 1386, 8.665, 8.73, NULL, 0, 0, 1, "vfr"},
    {"video/vp9_10bit_426x240_23976_roadtrip_3s.webm", "video", "vp9", 426, 240, 23.976, 3.00, NULL, 0, 0, 1, "10bit"},
    {"video/vp9_alpha_200x200_5s.webm", "video", "vp9", 200, 200, 30, 5.00, "vorbis", 48000, 2, 2, "alpha"},
    {"video/vp9_odd_161x121.webm", "video", "vp9", 161, 121, 29.97, 1.00, NULL, 0, 0, 1, ""},
    /* refused */
    {"broken/absurd_sample_rate.wav", "sound_out_of_range"},
    {"broken/bad_free_box.mp4", "corrupt_input"},
    {"broken/chunk_out_of_range.mp4", "corrupt_input"},
    {"broken/empty_header_only.flv", "not_media"},
    {"broken/fuzz_bad_fmt.wav", "not_media"},
    {"broken/fuzz_invalid_timescale.mp4", "corrupt_input"},
    {"broken/garbage_prefix_100kb.mp3", "not_media"},
    {"broken/invalid_bitstream_vp9.webm", "corrupt_input"},
    {"broken/text_renamed.mp4", "corrupt_input"},
    {"broken/truncated_no_moov.mp4", "corrupt_input"},
    {"hostile/concat_script_file_reference.ffconcat", "not_media"},
    {"hostile/hls_file_reference.m3u8", "not_media"},
    {"hostile/hls_playlist_renamed.mp4", "not_media"},
    {"hostile/mp4_absurd_box_size.mp4", "not_media"},
    {"hostile/png_bomb_20000x20000.png", "too_many_pixels"},
    {"hostile/subtitle_markup_injection.srt", "not_media"},
    {"hostile/svg_external_entity.svg", "not_media"},
    {"hostile/zero_byte.mp4", "not_media"},
    {"hostile/zip_renamed.mp4", "not_media"},
    {"images/photo_iphone.heic", "format_unsupported"},
};

static const char *kind_of(const Callsheet__V1__MediaFacts *facts) {
    switch (facts->type) {
    case CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO:
        return "video";
    case CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE:
        return "image";
    default:
        return "audio";
    }
}

static const char *flags_of(struct studio *studio, const Callsheet__V1__MediaFacts *facts) {
    const Callsheet__V1__VideoFacts *video = facts->video;
    CS_AUTO_BUF words = {0};
    if (video != NULL) {
        cs_buf_puts(&words, video->variable_frame_rate ? " vfr" : "");
        if (video->rotation != 0) {
            cs_buf_printf(&words, " turned%d", video->rotation);
        }
        if (video->hdr[0] != '\0') {
            cs_buf_printf(&words, " %s", video->hdr);
        }
        cs_buf_puts(&words, video->dolby_vision ? " dolby" : "");
        cs_buf_puts(&words, video->alpha ? " alpha" : "");
        cs_buf_puts(&words, video->interlaced ? " interlaced" : "");
        cs_buf_puts(&words, video->bit_depth == 10 ? " 10bit" : "");
        cs_buf_puts(&words, strcmp(video->color_range, "pc") == 0 ? " full" : "");
        cs_buf_puts(&words, video->gop != NULL && !video->gop->closed ? " open" : "");
    }
    cs_buf_puts(&words, facts->corrupt ? " corrupt" : "");
    return words.size == 0 ? "" : cs_arena_strdup(studio->arena, words.data + 1);
}

static void check_real(struct studio *studio, const struct real *real, const Callsheet__V1__MediaFacts *facts) {
    const Callsheet__V1__VideoFacts *video = facts->video;
    const Callsheet__V1__AudioFacts *audio = facts->audio;
    const char *flags = flags_of(studio, facts);
    bool same = strcmp(kind_of(facts), real->kind) == 0 && (video != NULL) == (real->video != NULL) &&
                (audio != NULL) == (real->audio != NULL) && facts->n_streams == real->streams &&
                strcmp(flags, real->flags) == 0 && fabs((double)facts->duration_us / 1e6 - real->seconds) < 0.01;
    if (same && video != NULL) {
        double rate = video->frame_rate->num == 0 ? 0 : (double)video->frame_rate->num / (double)video->frame_rate->den;
        same = strcmp(video->codec, real->video) == 0 && (int)video->width == real->width &&
               (int)video->height == real->height && fabs(rate - real->rate) < 0.001;
    }
    if (same && audio != NULL) {
        same = strcmp(audio->codec, real->audio) == 0 && (int)audio->sample_rate == real->sample_rate &&
               (int)audio->channels == real->channels;
    }
    if (!same) {
        fail_msg("%s: %s, %zu streams, %.3f s, %s, %ux%u, %u Hz", real->name, kind_of(facts), facts->n_streams,
                 (double)facts->duration_us / 1e6, flags, video != NULL ? video->width : 0,
                 video != NULL ? video->height : 0, audio != NULL ? audio->sample_rate : 0);
    }
}

TEST(every_real_file_is_told_as_it_is_or_refused_with_a_word) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(reals); i++) {
        const struct real *real = &reals[i];
        const char *path = studio_real(&studio, real->name);
        if (path == NULL) {
            return;
        }
        if (real->flags != NULL) {
            check_real(&studio, real, probe(&studio, path));
        } else if (studio_probe(&studio, path) == CS_OK || strcmp(studio.err.reason, real->kind) != 0) {
            fail_msg("%s: %s, not %s", real->name, studio.err.reason, real->kind);
        }
    }
}

TEST_MAIN(CS_TEST(gops_tell_key_frames_lengths_and_order),
          CS_TEST(open_gops_are_told_from_closed_ones_in_every_codec_that_has_them),
          CS_TEST(what_encoders_add_around_the_sound_is_counted_and_not_part_of_it),
          CS_TEST(sy_106_m5_the_video_stream_is_read_wherever_it_stands),
          CS_TEST(every_stream_is_listed_with_its_own_length_and_chapters_are_counted),
          CS_TEST(a_damaged_transport_stream_says_how_many_packets_are),
          CS_TEST(every_real_file_is_told_as_it_is_or_refused_with_a_word))
