/* COVERS ops/loudness.c leveling.c mix_audio.c main_sound.c extract_audio.c lip_sync.c, graph/bed.c resample.c trial.c
 * level.c: what is done with sound. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

/* Speech as bursts of a tone: 1 s on, 1 s off. */
static const char bursts[] = "-f lavfi -i \"sine=f=300:sample_rate=48000:d=8,volume='4*lt(mod(t,2),1)':eval=frame,"
                             "aformat=channel_layouts=stereo\"";
static const char music[] =
    "-f lavfi -i \"sine=f=3000:sample_rate=48000:d=3,volume=6dB,aformat=channel_layouts=stereo\" -c:a pcm_s16le";
/* Steady noise with a loud click each second: much has to be limited. */
static const char clicks[] = "-f lavfi -i \"anoisesrc=a=0.05:seed=7:r=44100:d=6,aformat=channel_layouts=stereo,"
                             "volume='if(lt(mod(t,1),0.004),18,1)':eval=frame:precision=float\" -c:a pcm_s16le";

/* ---- loudness ---- */

static void assert_level(struct studio *studio, const char *output, double target, double peak_max) {
    double integrated = studio_level(studio, output, "I:");
    double peak = studio_level(studio, output, "Peak:");
    if (fabs(integrated - target) > 0.25 || peak > peak_max + 0.1) { /* ffmpeg prints one decimal */
        fail_msg("%s: %.1f LUFS, %.1f dBTP instead of %.1f and %.1f", output, integrated, peak, target, peak_max);
    }
    assert_true(fabs(studio_metric(studio, "outputLoudness") - target) <= 0.2);
    assert_true(studio_metric(studio, "outputTruePeak") <= peak_max);
}

TEST(a_gain_that_keeps_peaks_below_the_limit_is_linear) {
    static const struct {
        const char *wish;
        double target, peak_max;
    } cases[] = {
        {"\"preset\":\"ebuR128\"", -23, -1},
        {"\"preset\":\"atscA85\"", -24, -2},
        {"\"target\":-30.5,\"truePeakMax\":-3", -30.5, -3},
        {"\"preset\":\"streaming\"", -14, -1},
        {"\"format\":\"wav\"", -16, -1},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *in = studio_make(&studio, "in.wav",
                                 "-f lavfi -i \"sine=f=440:sample_rate=44100:d=5,aformat=channel_layouts=stereo\" "
                                 "-c:a pcm_s16le");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *output = i == 4 ? "leveled.wav" : "leveled.mp3";
        const Callsheet__V1__MediaFacts *facts = studio_must(
            &studio, cs_arena_sprintf(studio.arena, "{\"loudness\":{\"audio\":{\"input\":1},%s}}", cases[i].wish),
            output, INPUTS(in));
        assert_int_equal(facts->audio->sample_rate, 44100);
        assert_string_equal(studio_word(&studio, "mode"), "linear");
        assert_true(studio_metric(&studio, "limitedMs") == 0);
        assert_true(fabs(studio_metric(&studio, "inputLoudness") + studio_metric(&studio, "loudnessGain") -
                         cases[i].target) <= 0.5); /* encoders take a little */
        assert_level(&studio, output, cases[i].target, cases[i].peak_max);
    }
}

TEST(peaks_beyond_the_limit_are_limited_and_nothing_is_levelled_dynamically) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *in = studio_make(&studio, "in.wav", clicks);
    static const char *const outputs[] = {"leveled.mp3", "leveled.wav", "leveled.m4a"};
    static const char *const formats[] = {"mp3", "wav", "m4a"};
    for (size_t i = 0; i < CS_COUNT(outputs); i++) {
        studio_must(&studio,
                    cs_arena_sprintf(studio.arena,
                                     "{\"loudness\":{\"audio\":{\"input\":1},\"target\":-18,\"format\":\"%s\"}}",
                                     formats[i]),
                    outputs[i], INPUTS(in));
        assert_string_equal(studio_word(&studio, "mode"), "limited");
        assert_in_range((long)studio_metric(&studio, "limitedMs"), 20, 3000);
        assert_level(&studio, outputs[i], -18, -1);
    }
}

TEST(a_video_keeps_its_picture_and_its_sounds_rate) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *in = studio_make(&studio, "in.mp4",
                                 "-f lavfi -i testsrc2=s=160x90:r=25:d=6 -f lavfi -i "
                                 "\"anoisesrc=a=0.05:seed=3:r=44100:d=6,aformat=channel_layouts=stereo\" -c:v libx264 "
                                 "-preset ultrafast -g 25 -pix_fmt yuv420p -c:a aac");
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"loudness\":{\"video\":{\"input\":1}}}", "leveled.mp4", INPUTS(in));
    assert_int_equal(facts->video->frame_count, 150);
    assert_int_equal(facts->audio->sample_rate, 44100);
    assert_true(studio_metric(&studio, "copiedShare") > 0.99);
    assert_level(&studio, "leveled.mp4", -16, -1);
}

TEST(silence_stays_silence_and_what_cannot_be_reached_is_refused) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *quiet = studio_make(&studio, "q.wav", "-f lavfi -i anullsrc=r=48000:cl=stereo:d=2 -c:a pcm_s16le");
    studio_must(&studio, "{\"loudness\":{\"audio\":{\"input\":1}}}", "leveled.mp3", INPUTS(quiet));
    assert_string_equal(studio_word(&studio, "mode"), "silent");
    /* a sine has its peaks 3 dB above its loudness */
    const char *sine = studio_make(&studio, "s.wav", "-f lavfi -i sine=f=997:sample_rate=48000:d=3 -c:a pcm_s16le");
    assert_fails(studio_run(&studio, "{\"loudness\":{\"audio\":{\"input\":1},\"target\":-6,\"truePeakMax\":-12}}",
                            "leveled.mp3", INPUTS(sine)),
                 &studio.err, CS_FAILED_PRECONDITION, "loudness_unreachable");
}

/* ---- mixes ---- */

/* Amplitude of a tone, by correlation over a stretch in seconds. */
static double tone(const float *samples, double hertz, double from_s, double to_s) {
    double re = 0;
    double im = 0;
    size_t from = (size_t)(from_s * 48000);
    size_t to = (size_t)(to_s * 48000);
    for (size_t i = from; i < to; i++) {
        double phase = 2 * M_PI * hertz * (double)i / 48000;
        re += (double)samples[i] * cos(phase);
        im += (double)samples[i] * sin(phase);
    }
    return 2 * hypot(re, im) / (double)(to - from);
}

TEST(a_bed_is_looped_to_the_end_and_makes_room_for_speech) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *speech =
        studio_make(&studio, "speech.wav", cs_arena_sprintf(studio.arena, "%s -c:a pcm_s16le", bursts));
    const char *bed = studio_make(&studio, "bed.wav", music);
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio,
        "{\"mixAudio\":{\"audio\":{\"input\":1},\"format\":\"wav\",\"tracks\":[{\"audio\":{\"input\":2},\"loop\":true,"
        "\"duck\":true}],\"ducking\":{\"thresholdDb\":-30,\"ratio\":20,\"attackMs\":10,\"releaseMs\":100,"
        "\"reductionMaxDb\":12}}}",
        "mixed.wav", INPUTS(speech, bed));
    assert_int_equal(facts->audio->sample_count, 8 * 48000);
    size_t count = 0;
    CS_AUTO_FREE float *mixed = studio_sound(&studio, "mixed.wav", &count);
    assert_int_equal(count, 8 * 48000);
    double free_level = tone(mixed, 3000, 1.7, 1.95);
    double ducked = tone(mixed, 3000, 0.3, 0.9);
    assert_true(fabs(20 * log10(ducked / free_level) + 12) < 1);
    assert_true(fabs(20 * log10(tone(mixed, 3000, 7.7, 7.95) / free_level)) < 0.5); /* the third time round */
    double spoken = tone(mixed, 300, 0.3, 0.9);
    assert_true(fabs(20 * log10(spoken / tone(mixed, 300, 6.3, 6.9))) < 0.1);
}

TEST(tracks_start_fade_and_end_on_their_sample) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *quiet = studio_make(&studio, "q.wav", "-f lavfi -i anullsrc=r=48000:cl=stereo:d=4 -c:a pcm_s16le");
    /* a constant: what is left of it shows each gain */
    const char *flat = studio_make(&studio, "flat.wav", "-f lavfi -i \"aevalsrc=0.5|0.5:s=48000:d=3\" -c:a pcm_s16le");
    studio_must(&studio,
                "{\"mixAudio\":{\"audio\":{\"input\":1},\"format\":\"wav\",\"tracks\":[{\"audio\":{\"input\":2},"
                "\"start\":0.5,\"duration\":2,\"gainDb\":-6.0206,\"fadeIn\":0.5,\"fadeOut\":0.25}]}}",
                "mixed.wav", INPUTS(quiet, flat));
    size_t count = 0;
    CS_AUTO_FREE float *mixed = studio_sound(&studio, "mixed.wav", &count);
    assert_int_equal(count, 4 * 48000);
    assert_true(studio_loudest(mixed, 0, 24000) == 0);
    assert_true(studio_loudest(mixed, 24000, 48) > 0);
    assert_true(fabs((double)mixed[24000 + 12000] - 0.125) < 0.001);
    assert_true(fabs((double)mixed[24000 + 30000] - 0.25) < 0.001);
    assert_true(fabs((double)mixed[120000 - 6000] - 0.125) < 0.001);
    assert_true(studio_loudest(mixed, 120000, 72000) == 0);
}

TEST(a_video_gets_music_and_the_master_fades_out) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *video = studio_make(&studio, "v.mp4",
                                    "-f lavfi -i testsrc2=s=160x90:r=25:d=4 -c:v libx264 -preset ultrafast -g 25 "
                                    "-pix_fmt yuv420p");
    const char *bed = studio_make(&studio, "bed.wav", music);
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio,
                    "{\"mixAudio\":{\"video\":{\"input\":1},\"fadeOut\":1,\"tracks\":[{\"audio\":{\"input\":2},"
                    "\"loop\":true,\"volume\":0.5}]}}",
                    "mixed.mp4", INPUTS(video, bed));
    assert_int_equal(facts->video->frame_count, 100);
    assert_true(studio_metric(&studio, "copiedShare") > 0.99);
    size_t count = 0;
    CS_AUTO_FREE float *mixed = studio_sound(&studio, "mixed.mp4", &count);
    double whole = tone(mixed, 3000, 1, 2);
    assert_true(fabs(tone(mixed, 3000, 3.45, 3.55) / whole - 0.5) < 0.05);
    assert_true(tone(mixed, 3000, 3.95, 4) / whole < 0.1);
}

TEST(mixes_that_cannot_be_are_refused_with_their_path) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *sound = studio_make(&studio, "s.wav", "-f lavfi -i sine=d=1 -c:a pcm_s16le");
    const char *mute = studio_make(&studio, "m.mp4", "-f lavfi -i testsrc=s=64x64:r=10:d=1 -pix_fmt yuv420p");
    assert_fails(studio_run(&studio, "{\"mixAudio\":{\"audio\":{\"input\":1},\"tracks\":[{\"audio\":{\"input\":2}}]}}",
                            "mixed.mp3", INPUTS(sound, mute)),
                 &studio.err, CS_INVALID_ARGUMENT, "no_audio");
    assert_string_equal(studio.err.path, "tracks[0].audio");
    assert_fails(studio_run(&studio,
                            "{\"mixAudio\":{\"audio\":{\"input\":1},\"tracks\":[{\"audio\":{\"input\":1},"
                            "\"trimStart\":2}]}}",
                            "mixed.mp3", INPUTS(sound)),
                 &studio.err, CS_INVALID_ARGUMENT, "out_of_range");
    assert_string_equal(studio.err.path, "tracks[0].trimStart");
}

/* ---- extraction ---- */

TEST(ta_025_sound_is_extracted_in_every_format_rate_and_number_of_channels) {
    static const struct {
        const char *params, *output, *codec;
        uint32_t rate, channels;
    } cases[] = {
        {"", "audio.mp3", "mp3", 48000, 2},
        {",\"format\":\"wav\"", "audio.wav", "pcm_s16le", 48000, 2},
        {",\"format\":\"wav\",\"sampleRate\":16000,\"channels\":1", "audio.wav", "pcm_s16le", 16000, 1},
        {",\"format\":\"m4a\",\"sampleRate\":44100", "audio.m4a", "aac", 44100, 2},
        {",\"format\":\"flac\",\"sampleRate\":96000", "audio.flac", "flac", 96000, 2},
        {",\"format\":\"opus\",\"bitrateKbps\":64", "audio.opus", "opus", 48000, 2},
        {",\"format\":\"ogg\",\"channels\":1", "audio.ogg", "opus", 48000, 1},
        {",\"sampleRate\":22050,\"channels\":1,\"bitrateKbps\":64", "audio.mp3", "mp3", 22050, 1},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *in = studio_make(&studio, "in.mp4",
                                 "-f lavfi -i testsrc=s=64x64:r=25:d=3 -f lavfi -i "
                                 "\"sine=f=440:sample_rate=48000:d=3,aformat=channel_layouts=stereo\" -pix_fmt yuv420p "
                                 "-c:a aac -b:a 192k");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        studio_must(&studio,
                    cs_arena_sprintf(studio.arena, "{\"extractAudio\":{\"media\":{\"input\":1}%s}}", cases[i].params),
                    cases[i].output, INPUTS(in));
        assert_ok(studio_probe(&studio, studio_path(&studio, cases[i].output)), &studio.err);
        const Callsheet__V1__AudioFacts *audio = studio.done->outputs[0]->audio;
        assert_string_equal(audio->codec, cases[i].codec);
        assert_int_equal(audio->sample_rate, cases[i].rate);
        assert_int_equal(audio->channels, cases[i].channels);
        assert_true(fabs((double)audio->duration_us / 1e6 - 3) <= 0.1);
        if (strcmp(cases[i].codec, "pcm_s16le") == 0) {
            assert_int_equal(audio->sample_count, 3 * cases[i].rate);
        }
        size_t count = 0;
        CS_AUTO_FREE float *sound = studio_sound(&studio, cases[i].output, &count);
        assert_true(tone(sound, 440, 0.5, 2.5) > 0.03); /* the right pitch: no rate was mixed up */
    }
}

TEST(ta_025_sound_is_extracted_at_its_own_rate_where_the_format_has_it) {
    static const struct {
        uint32_t own;
        const char *output;
        uint32_t rate;
    } cases[] = {
        {44100, "audio.wav", 44100},  {22050, "audio.mp3", 22050}, {44100, "audio.m4a", 44100},
        {96000, "audio.flac", 96000}, {48000, "audio.mp3", 48000}, {96000, "audio.mp3", 44100},
        {44100, "audio.opus", 48000}, {37800, "audio.wav", 48000},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *in = studio_make(
            &studio, "in.wav",
            cs_arena_sprintf(studio.arena, "-f lavfi -i sine=f=440:sample_rate=%u:d=1 -c:a pcm_s16le", cases[i].own));
        const char *format = strrchr(cases[i].output, '.') + 1;
        studio_must(
            &studio,
            cs_arena_sprintf(studio.arena, "{\"extractAudio\":{\"media\":{\"input\":1},\"format\":\"%s\"}}", format),
            cases[i].output, INPUTS(in));
        assert_ok(studio_probe(&studio, studio_path(&studio, cases[i].output)), &studio.err);
        assert_int_equal(studio.done->outputs[0]->audio->sample_rate, cases[i].rate);
        size_t count = 0;
        CS_AUTO_FREE float *sound = studio_sound(&studio, cases[i].output, &count);
        assert_true(tone(sound, 440, 0.2, 0.8) > 0.03);
    }
}

/* ---- other sound for a video ---- */

TEST(sy_087_ex_036_a_new_sound_is_fitted_as_asked_for) {
    static const struct {
        const char *fit;
        double audio_s;
        long frames;
    } cases[] = {{"", 2, 50},      {"shortest", 6, 100}, {"video", 2, 100}, {"video", 6, 100},
                 {"audio", 2, 50}, {"audio", 6, 150},    {"tempo", 5, 100}, {"tempo", 2, 100}};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *video = studio_make(&studio, "v.mp4",
                                    "-f lavfi -i testsrc2=s=160x90:r=25:d=4 -c:v libx264 -preset ultrafast -g 25 "
                                    "-pix_fmt yuv420p");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *sound =
            studio_make(&studio, "s.wav",
                        cs_arena_sprintf(studio.arena, "-f lavfi -i sine=f=440:sample_rate=48000:d=%g -c:a pcm_s16le",
                                         cases[i].audio_s));
        const Callsheet__V1__MediaFacts *facts = studio_must(
            &studio,
            cs_arena_sprintf(studio.arena,
                             "{\"lipSync\":{\"video\":{\"input\":1},\"audio\":{\"input\":2},\"fit\":\"%s\"}}",
                             cases[i].fit),
            "synced.mp4", INPUTS(video, sound));
        assert_int_equal(facts->video->frame_count, cases[i].frames);
        assert_int_equal(facts->audio->sample_count, cases[i].frames * 1920);
        assert_string_equal(studio_word(&studio, "method"), "audioReplacement");
        bool copied = studio_metric(&studio, "copiedShare") > 0.4;
        assert_int_equal(copied, cases[i].frames <= 100);
        size_t count = 0;
        CS_AUTO_FREE float *heard = studio_sound(&studio, "synced.mp4", &count);
        assert_true(tone(heard, 440, 0.5, 1.5) > 0.03);
    }
    const char *much = studio_make(&studio, "s.wav", "-f lavfi -i sine=f=440:d=9 -c:a pcm_s16le");
    assert_fails(studio_run(&studio,
                            "{\"lipSync\":{\"video\":{\"input\":1},\"audio\":{\"input\":2},\"fit\":\"tempo\"}}",
                            "synced.mp4", INPUTS(video, much)),
                 &studio.err, CS_INVALID_ARGUMENT, "not_applicable");
    assert_string_equal(studio.err.path, "fit");
}

TEST_MAIN(CS_TEST(a_gain_that_keeps_peaks_below_the_limit_is_linear),
          CS_TEST(peaks_beyond_the_limit_are_limited_and_nothing_is_levelled_dynamically),
          CS_TEST(a_video_keeps_its_picture_and_its_sounds_rate),
          CS_TEST(silence_stays_silence_and_what_cannot_be_reached_is_refused),
          CS_TEST(a_bed_is_looped_to_the_end_and_makes_room_for_speech),
          CS_TEST(tracks_start_fade_and_end_on_their_sample), CS_TEST(a_video_gets_music_and_the_master_fades_out),
          CS_TEST(mixes_that_cannot_be_are_refused_with_their_path),
          CS_TEST(ta_025_sound_is_extracted_in_every_format_rate_and_number_of_channels),
          CS_TEST(ta_025_sound_is_extracted_at_its_own_rate_where_the_format_has_it),
          CS_TEST(sy_087_ex_036_a_new_sound_is_fitted_as_asked_for))
