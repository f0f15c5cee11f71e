/* COVERS ops/cut.c plan_cuts.c retime_subtitles.c extract_audio.c talk.c, graph/clip.c: talks, cut by plans. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "studio.h"

enum { SIDE = 32, RATE = 25, SECONDS = 8 };

/* The halves of picture n are as bright as its two digits to the base of 16; a click at each whole second. */
static const char counting[] =
    "-f lavfi -i \"color=black:s=32x32:r=25:d=8,geq=lum='24+12*if(lt(X,16),mod(N,16),floor(N/16))':cb=128:cr=128\" "
    "-f lavfi -i \"aevalsrc='if(lt(mod(t,1),0.01),0.8,0)':s=48000:d=8\" "
    "-c:v libx264 -qp 0 -g 100 -bf 3 -pix_fmt yuv420p -c:a aac -b:a 256k";

static const char plan_json[] = "{\"cuts\":[{\"start\":0,\"end\":2,\"type\":\"keep\"},"
                                "{\"start\":2,\"end\":\"3.00\",\"type\":\"cut\"},"
                                "{\"start\":3,\"end\":4,\"type\":\"keep\"},{\"start\":4,\"end\":5,\"type\":\"keep\"},"
                                "{\"start\":5,\"end\":\"6.52\",\"type\":\"cut\"},"
                                "{\"start\":\"6.52\",\"end\":8,\"type\":\"keep\"}]}";

static const char *write_plan(struct studio *studio) {
    return studio_write(studio, "plan.json", plan_json, sizeof(plan_json) - 1);
}

/* The number of a picture, as shown. */
static int number_of(const uint8_t *frames, size_t index) {
    double sums[2] = {0};
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        sums[i % SIDE >= SIDE / 2] += frames[index * SIDE * SIDE + i];
    }
    double digits[2];
    for (int i = 0; i < 2; i++) { /* limited range, as the decoder shows it */
        double bright = sums[i] / (SIDE * SIDE / 2) * 219 / 255 + 16;
        digits[i] = (bright - 24) / 12;
    }
    return (int)lround(digits[0]) + 16 * (int)lround(digits[1]);
}

/* Where the sound is loud, in seconds: the begin of each click. */
static size_t clicks(const float *sound, size_t samples, double *ret_times, size_t room) {
    size_t count = 0;
    for (size_t i = 0; i < samples && count < room; i++) {
        if (fabsf(sound[i]) > 0.25F) {
            ret_times[count++] = (double)i / 48000;
            i += 4800;
        }
    }
    return count;
}

TEST(ta_040_ta_054_a_cut_keeps_exactly_what_the_plan_says_in_picture_and_sound) {
    static const int kept[][2] = {{0, 50}, {75, 125}, {163, 200}};
    static const double heard[] = {0, 1, 2, 3, 4 + 0.48};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", counting);
    const char *plan = write_plan(&studio);
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2}}}", "cut.mp4",
                    (const char *[]){clip, plan, NULL});
    assert_int_equal(facts->video->frame_count, 50 + 50 + 37);
    size_t before = 0;
    size_t after = 0;
    CS_AUTO_FREE uint8_t *source = studio_grey(&studio, "talk.mp4", SIDE, SIDE, &before);
    CS_AUTO_FREE uint8_t *result = studio_grey(&studio, "cut.mp4", SIDE, SIDE, &after);
    assert_int_equal(before, RATE * SECONDS);
    assert_int_equal(after, 137);
    size_t at = 0;
    for (size_t span = 0; span < 3; span++) {
        for (int n = kept[span][0]; n < kept[span][1]; n++, at++) {
            assert_int_equal(number_of(source, (size_t)n), n);
            assert_int_equal(number_of(result, at), n);
        }
    }
    size_t samples = 0;
    double times[16];
    CS_AUTO_FREE float *sound = studio_sound(&studio, "cut.mp4", &samples);
    assert_in_range(samples, (size_t)(137 * 1920 - 100), (size_t)(137 * 1920 + 2100));
    assert_int_equal(clicks(sound, samples, times, 16), CS_COUNT(heard));
    for (size_t i = 0; i < CS_COUNT(heard); i++) {
        assert_true(fabs(times[i] - heard[i]) < 0.003);
    }
}

TEST(ta_042_ta_043_transitions_shorten_by_what_they_share) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", counting);
    const char *plan = write_plan(&studio);
    const Callsheet__V1__MediaFacts *facts = studio_must(&studio,
                                                         "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2},"
                                                         "\"transition\":{\"type\":\"fade\",\"duration\":0.4}}}",
                                                         "cut.mp4", (const char *[]){clip, plan, NULL});
    assert_int_equal(facts->video->frame_count, 137 - 2 * 10);
    facts = studio_must(&studio,
                        "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2},\"transition\":{\"type\":\"fade\"}}}",
                        "cut.mp4", (const char *[]){clip, plan, NULL});
    assert_int_equal(facts->video->frame_count, 137 - 2 * 8); /* 0.3 s, to the nearest frame */
    assert_fails(studio_run(&studio,
                            "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2},"
                            "\"transition\":{\"type\":\"fade\",\"duration\":1.6}}}",
                            "cut.mp4", (const char *[]){clip, plan, NULL}),
                 &studio.err, CS_INVALID_ARGUMENT, "segment_too_short");
}

TEST(ta_044_one_span_needs_no_transition) {
    static const char one[] = "{\"cuts\":[{\"start\":1,\"end\":2,\"type\":\"keep\"}]}";
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", counting);
    const char *plan = studio_write(&studio, "plan.json", one, sizeof(one) - 1);
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio,
        "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2},\"transition\":{\"type\":\"fade\",\"duration\":5}}}",
        "cut.mp4", (const char *[]){clip, plan, NULL});
    assert_int_equal(facts->video->frame_count, 25);
}

TEST(ta_041_a_plan_that_is_none_is_refused_with_its_path) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", counting);
    const char *plan = studio_write(&studio, "plan.json", "{\"cuts\":[]}", 11);
    assert_fails(studio_run(&studio, "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2}}}", "cut.mp4",
                            (const char *[]){clip, plan, NULL}),
                 &studio.err, CS_INVALID_ARGUMENT, "bad_cut_plan");
    assert_string_equal(studio.err.path, "plan");
}

TEST(ta_040_a_recording_in_another_container_is_cut_too) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mkv", counting);
    const char *plan = write_plan(&studio);
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2}}}", "cut.mp4",
                    (const char *[]){clip, plan, NULL});
    assert_int_equal(facts->video->frame_count, 137);
}

TEST(ta_025_the_sound_of_a_video_is_as_long_as_the_video) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", counting);
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, "{\"extractAudio\":{\"media\":{\"input\":1}}}", "audio.mp3", (const char *[]){clip, NULL});
    assert_string_equal(facts->audio->codec, "mp3");
    assert_in_range(facts->duration_us, 7900000, 8100000);
    size_t samples = 0;
    double times[16];
    CS_AUTO_FREE float *sound = studio_sound(&studio, "audio.mp3", &samples);
    assert_int_equal(clicks(sound, samples, times, 16), 8);
    assert_true(fabs(times[7] - times[0] - 7) < 0.003);
    const char *silent = studio_make(&studio, "silent.mp4", "-f lavfi -i color=red:s=32x32:d=1");
    assert_fails(studio_run(&studio, "{\"extractAudio\":{\"media\":{\"input\":1}}}", "audio.mp3",
                            (const char *[]){silent, NULL}),
                 &studio.err, CS_INVALID_ARGUMENT, "no_audio");
}

static const char transcript[] =
    "{\"segments\":[{\"words\":[{\"word\":\"one\",\"start\":0.1,\"end\":1.9},{\"word\":\"two\",\"start\":3.6,\"end\":4."
    "0},"
    "{\"word\":\"um\",\"start\":4.3,\"end\":4.5},{\"word\":\"three\",\"start\":4.9,\"end\":7.9}]}]}";

TEST(ta_036_a_plan_is_made_from_a_transcript_and_covers_the_media) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", counting);
    const char *words = studio_write(&studio, "words.json", transcript, sizeof(transcript) - 1);
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio, "{\"planCuts\":{\"transcript\":{\"input\":1},\"media\":{\"input\":2},\"minSegmentDuration\":0.3}}",
        "plan.json", (const char *[]){words, clip, NULL});
    assert_int_equal(facts->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_CUT_PLAN);
    char *plan = studio_read(&studio, "plan.json", NULL);
    assert_non_null(strstr(plan, "silence_1700ms"));
    assert_non_null(strstr(plan, "filler_word_um"));
    assert_non_null(strstr(plan, "\"end\": \"8.00\""));
    studio_must(&studio,
                "{\"planCuts\":{\"transcript\":{\"input\":1},\"media\":{\"input\":2},\"minSegmentDuration\":0.3,"
                "\"keepFillers\":true}}",
                "kept.json", (const char *[]){words, clip, NULL});
    assert_null(strstr(studio_read(&studio, "kept.json", NULL), "filler_word"));
}

/* A tone where somebody speaks: 25 s with pauses at 5.5 … 7, 12 … 14 and 18.5 … 20. */
static const char golden_talk[] =
    "-f lavfi -i "
    "\"aevalsrc='if(between(t,5.5,7)+between(t,12,14)+between(t,18.5,20),0,0.3*sin(2*PI*300*t))':s=48000:d=25\" "
    "-c:a pcm_s16le";

static const char golden_plan[] = "{\n  \"schemaVersion\": \"1.0.0\",\n  \"cuts\": [\n"
#define SPAN(start, end, type, reason, more)                                                                           \
    "    {\n      \"start\": \"" start "\",\n      \"end\": \"" end "\",\n      \"type\": \"" type                     \
    "\",\n      \"reason\": \"" reason "\",\n      \"confidence\": 1.0" more "\n    }"
#define CUT(text) ",\n      \"text\": \"" text "\",\n      \"spliceDb\": [\n        -16.5,\n        -16.5\n      ]"
    SPAN("0.00", "5.50", "keep", "content", "") ",\n" SPAN("5.50", "7.00", "cut", "silence_1500ms", CUT("w w w w [] w w w w")) ",\n" SPAN(
        "7.00", "12.00", "keep", "content",
        "") ",\n" SPAN("12.00", "14.00", "cut", "silence_2000ms",
                       CUT("w w w w [] w w w w")) ",\n" SPAN("14.00", "18.50", "keep", "content",
                                                             "") ",\n" SPAN("18.50", "20.00", "cut", "silence_1500ms",
                                                                            CUT("w w w w [] w w w w")) ",\n" SPAN("20."
                                                                                                                  "00",
                                                                                                                  "25."
                                                                                                                  "00",
                                                                                                                  "kee"
                                                                                                                  "p",
                                                                                                                  "cont"
                                                                                                                  "ent",
                                                                                                                  "") "\n  ],\n"
                                                                                                                      "  \"metadata\": {\n    \"parameters\": {\n      \"minPauseMs\": 1500,\n      \"fillerWords\": [\n        \"um\",\n"
                                                                                                                      "        \"uh\",\n        \"like\",\n        \"you know\",\n        \"so\",\n        \"actually\"\n      ],\n"
                                                                                                                      "      \"minCutDurationSec\": 0.5,\n      \"minSegmentDurationSec\": 3.0,\n      \"maxSegmentDurationSec\": 300.0,\n"
                                                                                                                      "      \"mergeThresholdMs\": 500,\n      \"detect\": \"transcript\",\n      \"snapMs\": 80,\n"
                                                                                                                      "      \"deterministic\": true\n    }\n  }\n}\n";

static const char *write_golden_words(struct studio *studio) {
    static const int said[][2] = {{0, 55}, {70, 120}, {140, 185}, {200, 250}};
    CS_AUTO_BUF json = {0};
    for (size_t i = 0; i < CS_COUNT(said); i++) {
        for (int at = said[i][0]; at < said[i][1]; at += 5) {
            cs_buf_printf(&json, "%s{\"word\":\"w\",\"start\":%d.%d,\"end\":%d.%d}", json.size > 0 ? "," : "[", at / 10,
                          at % 10, (at + 5) / 10, (at + 5) % 10);
        }
    }
    cs_buf_puts(&json, "]");
    return studio_write(studio, "golden.json", json.data, json.size);
}

TEST(ta_037_ta_038_ta_054_the_golden_talk_gives_the_golden_plan_byte_for_byte) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *sound = studio_make(&studio, "golden.wav", golden_talk);
    const char *said = write_golden_words(&studio);
    for (int i = 0; i < 2; i++) {
        (void)studio_must(&studio, "{\"planCuts\":{\"transcript\":{\"input\":1},\"media\":{\"input\":2}}}", "plan.json",
                          (const char *[]){said, sound, NULL});
        assert_string_equal(studio_read(&studio, "plan.json", NULL), golden_plan);
    }
    (void)studio_must(&studio, "{\"planCuts\":{\"transcript\":{\"input\":1},\"media\":{\"input\":2},\"snapMs\":0}}",
                      "plan.json", (const char *[]){said, sound, NULL});
    char *exact = studio_read(&studio, "plan.json", NULL);
    assert_non_null(strstr(exact, "\"start\": \"5.50\",\n      \"end\": \"7.00\",\n      \"type\": \"cut\""));
    assert_non_null(strstr(exact, "\"start\": \"12.00\",\n      \"end\": \"14.00\",\n      \"type\": \"cut\""));
    assert_non_null(strstr(exact, "\"start\": \"18.50\",\n      \"end\": \"20.00\",\n      \"type\": \"cut\""));
    assert_null(strstr(exact, "spliceDb"));
}

TEST(ta_030_silence_is_cut_without_a_transcript) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *sound = studio_make(&studio, "golden.wav", golden_talk);
    (void)studio_must(&studio, "{\"planCuts\":{\"media\":{\"input\":1},\"detect\":\"silence\"}}", "plan.json",
                      (const char *[]){sound, NULL});
    char *plan = studio_read(&studio, "plan.json", NULL);
    assert_non_null(
        strstr(plan, "\"start\": \"5.70\",\n      \"end\": \"6.80\",\n      \"type\": \"cut\",\n      \"reason\": "
                     "\"silence_1100ms\",\n      \"confidence\": 1.0"));
    assert_non_null(strstr(plan, "\"start\": \"12.20\",\n      \"end\": \"13.80\""));
    assert_non_null(strstr(plan, "\"detect\": \"silence\",\n      \"marginMs\": 200"));
    const char *mute = studio_make(&studio, "mute.mp4", "-f lavfi -i color=red:s=32x32:d=1");
    assert_fails(studio_run(&studio, "{\"planCuts\":{\"media\":{\"input\":1},\"detect\":\"silence\"}}", "plan.json",
                            (const char *[]){mute, NULL}),
                 &studio.err, CS_INVALID_ARGUMENT, "no_audio");
}

TEST(a_real_talk_is_planned_by_its_sound) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *talk = studio_real(&studio, "video/talk_with_pauses_720p30_h264_aac_42s.mp4");
    if (talk == NULL) {
        return;
    }
    (void)studio_must(
        &studio,
        "{\"planCuts\":{\"media\":{\"input\":1},\"detect\":\"silence\",\"minPauseMs\":700,\"minSegmentDuration\":0.5}}",
        "plan.json", (const char *[]){talk, NULL});
    for (size_t i = 0; i < studio.done->n_metrics; i++) {
        print_message("%s %g\n", studio.done->metrics[i]->name, studio.done->metrics[i]->value);
    }
    print_message("%s", studio_read(&studio, "plan.json", NULL));
    assert_non_null(strstr(studio_read(&studio, "plan.json", NULL), "\"type\": \"cut\""));
}

TEST(ta_045_a_transcript_follows_the_cut_as_json_srt_vtt_and_ass) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *words = studio_write(&studio, "words.json", transcript, sizeof(transcript) - 1);
    const char *plan = write_plan(&studio);
    assert_ok(studio_run(&studio, "{\"retimeSubtitles\":{\"transcript\":{\"input\":1},\"plan\":{\"input\":2}}}",
                         "words_after.json", (const char *[]){words, plan, NULL}),
              &studio.err);
    assert_int_equal(studio.done->n_outputs, 4);
    char *srt = studio_read(&studio, "subtitles.srt", NULL);
    assert_string_equal(srt, "1\n00:00:00,100 --> 00:00:03,500\none two um\n\n");
    assert_non_null(strstr(studio_read(&studio, "subtitles.vtt", NULL), "00:00:00.100 --> 00:00:03.500\n"));
    assert_non_null(strstr(studio_read(&studio, "subtitles.ass", NULL),
                           "Dialogue: 0,0:00:00.10,0:00:03.50,Default,,0,0,0,,one two um\n"));
    assert_non_null(strstr(studio_read(&studio, "words_after.json", NULL), "\"wordCount\": 3"));
}

TEST(ta_045_subtitle_files_of_all_kinds_follow_the_cut) {
    static const char *const files[] = {
        "1\n00:00:00,500 --> 00:00:01,500\nfirst\nline\n\n2\n00:00:07,000 --> 00:00:07,900\nlast\n",
        "WEBVTT\n\n00:00.500 --> 00:01.500\nfirst\nline\n\n00:07.000 --> 00:07.900\nlast\n",
        ("[Events]\nFormat: Start, End, Text\nDialogue: 0:00:00.50,0:00:01.50,first\\Nline\n"
         "Dialogue: 0:00:07.00,0:00:07.90,last\n"),
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *plan = write_plan(&studio);
    for (size_t i = 0; i < CS_COUNT(files); i++) {
        const char *said = studio_write(&studio, "said", files[i], strlen(files[i]));
        assert_ok(studio_run(&studio, "{\"retimeSubtitles\":{\"transcript\":{\"input\":1},\"plan\":{\"input\":2}}}",
                             "after.json", (const char *[]){said, plan, NULL}),
                  &studio.err);
        assert_string_equal(studio_read(&studio, "subtitles.srt", NULL),
                            "1\n00:00:00,500 --> 00:00:01,500\nfirst\nline\n\n"
                            "2\n00:00:04,467 --> 00:00:05,367\nlast\n\n");
    }
}

/* How many of the words are there, in order. */
static size_t found_in_order(const char *text, const char *const *words, size_t count) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const char *at = strstr(text, words[i]);
        if (at != NULL) {
            text = at + strlen(words[i]);
            found++;
        }
    }
    return found;
}

TEST(sy_075_ta_026_ta_027_speech_becomes_words_with_times) {
    static const char *const said[] = {"weather", "today", "very", "good", "morning", "people", "happy"};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4",
                                   "-f lavfi -i \"flite=voice=rms:text='the weather today is very good. this morning "
                                   "people are happy',apad=pad_dur=2\" -f lavfi -i color=blue:s=32x32:r=5 -shortest");
    assert_ok(
        studio_run(&studio, "{\"transcribe\":{\"media\":{\"input\":1}}}", "words.json", (const char *[]){clip, NULL}),
        &studio.err);
    char *json = studio_read(&studio, "words.json", NULL);
    assert_non_null(strstr(json, "\"quality\": \"draft\""));
    assert_non_null(strstr(json, "\"model\": \"pocketsphinx-en-us\""));
    assert_non_null(strstr(json, "\"averageConfidence\""));
    assert_non_null(strstr(json, "\"confidence\""));
    assert_non_null(strstr(json, "\"limits\": \"US English only"));
    assert_true(found_in_order(json, said, CS_COUNT(said)) >= 4); /* it errs, but not always */
    assert_non_null(strstr(studio_read(&studio, "subtitles.srt", NULL), " --> 00:00:0"));
    assert_true(studio.progress_calls > 0 && !studio.progress_fell);
}

/* Words to change, leave out or add, of those that were said. */
static size_t word_errors(const char *const *said, size_t said_count, char *const *heard, size_t heard_count) {
    size_t row[128];
    assert_true(heard_count < CS_COUNT(row));
    for (size_t k = 0; k <= heard_count; k++) {
        row[k] = k;
    }
    for (size_t i = 1; i <= said_count; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t k = 1; k <= heard_count; k++) {
            size_t best = corner + (strcmp(said[i - 1], heard[k - 1]) != 0);
            corner = row[k];
            best = row[k] + 1 < best ? row[k] + 1 : best;
            row[k] = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
        }
    }
    return row[heard_count];
}

TEST(ta_026_a_real_speech_is_heard_as_well_as_is_said) {
    static const char *const said[] = {"and",  "so",      "my",  "fellow", "americans", "ask",    "not", "what",
                                       "your", "country", "can", "do",     "for",       "you",    "ask", "what",
                                       "you",  "can",     "do",  "for",    "your",      "country"};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *speech = studio_real(&studio, "speech/jfk_inaugural_16k_mono_11s.wav");
    if (speech == NULL) {
        return;
    }
    assert_ok(
        studio_run(&studio, "{\"transcribe\":{\"media\":{\"input\":1}}}", "words.json", (const char *[]){speech, NULL}),
        &studio.err);
    char *json = studio_read(&studio, "words.json", NULL);
    char *text = strstr(json, "\"text\": \"") + 9;
    *strchr(text, '"') = '\0';
    char *heard[127];
    size_t count = 0;
    print_message("heard: %s\n", text);
    for (char *rest = NULL, *word = strtok_r(text, " ", &rest); word != NULL && count < CS_COUNT(heard);
         word = strtok_r(NULL, " ", &rest)) {
        heard[count++] = word;
    }
    size_t errors = word_errors(said, CS_COUNT(said), heard, count);
    print_message("word error rate: %zu of %zu, %.0f %%\n", errors, CS_COUNT(said),
                  100.0 * (double)errors / CS_COUNT(said));
    assert_true(errors <= CS_COUNT(said) * 2 / 5);
}

/* Cut at 25 frames a second with transitions of 0.3 s, which are 8 frames there: 0.32 s. */
TEST(ta_045_t12_subtitles_follow_the_frames_of_the_video_that_was_cut) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "talk.mp4", counting);
    const char *words = studio_write(&studio, "words.json", transcript, sizeof(transcript) - 1);
    const char *plan = write_plan(&studio);
    studio_must(&studio,
                "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2},\"transition\":{\"type\":\"fade\"}}}",
                "cut.mp4", (const char *[]){clip, plan, NULL});
    static const char retime[] =
        "{\"retimeSubtitles\":{\"transcript\":{\"input\":1},\"plan\":{\"input\":2},\"video\":{\"input\":3}}}";
    assert_ok(studio_run(&studio, retime, "words_after.json",
                         (const char *[]){words, plan, studio_path(&studio, "cut.mp4"), NULL}),
              &studio.err);
    /* "two" was at 3.6 … 4.0: one second was cut before it, and 0.32 s are shared */
    char *json = studio_read(&studio, "words_after.json", NULL);
    assert_non_null(strstr(json, "\"word\": \"two\",\n          \"start\": 2.28,\n          \"end\": 2.68\n"));
    assert_fails(studio_run(&studio, retime, "words_after.json", (const char *[]){words, plan, clip, NULL}),
                 &studio.err, CS_INVALID_ARGUMENT, "timing_mismatch");
    assert_string_equal(studio.err.path, "video");
}

TEST_MAIN(CS_TEST(ta_045_t12_subtitles_follow_the_frames_of_the_video_that_was_cut),
          CS_TEST(ta_040_ta_054_a_cut_keeps_exactly_what_the_plan_says_in_picture_and_sound),
          CS_TEST(ta_042_ta_043_transitions_shorten_by_what_they_share), CS_TEST(ta_044_one_span_needs_no_transition),
          CS_TEST(ta_041_a_plan_that_is_none_is_refused_with_its_path),
          CS_TEST(ta_040_a_recording_in_another_container_is_cut_too),
          CS_TEST(ta_025_the_sound_of_a_video_is_as_long_as_the_video),
          CS_TEST(ta_036_a_plan_is_made_from_a_transcript_and_covers_the_media),
          CS_TEST(ta_037_ta_038_ta_054_the_golden_talk_gives_the_golden_plan_byte_for_byte),
          CS_TEST(ta_030_silence_is_cut_without_a_transcript), CS_TEST(a_real_talk_is_planned_by_its_sound),
          CS_TEST(ta_045_a_transcript_follows_the_cut_as_json_srt_vtt_and_ass),
          CS_TEST(ta_045_subtitle_files_of_all_kinds_follow_the_cut),
          CS_TEST(ta_026_a_real_speech_is_heard_as_well_as_is_said),
          CS_TEST(sy_075_ta_026_ta_027_speech_becomes_words_with_times))
