/* COVERS graph/quality.c watch.c decode_check.c, loudness.c's meter: what is known of an output, and that no broken one
 * is handed on. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cs/test.h"
#include "graph/decode_check.h"
#include "graph/facts.h"
#include "graph/quality.h"
#include "graph/watch.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

static const char merge_one[] = "{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}}";

static const Callsheet__V1__Quality *quality_of(const struct studio *studio) {
    assert_int_equal(studio->done->n_qualities, 1);
    assert_int_equal(studio->done->qualities[0]->output, 0);
    return studio->done->qualities[0]->quality;
}

static void assert_span(Callsheet__V1__MediaSpan *const *spans, size_t count, double start, double end, double slack) {
    if (count != 1 || fabs(spans[0]->start - start) > slack || fabs(spans[0]->end - end) > slack) {
        fail_msg("%zu spans, the first %.3f to %.3f, instead of %.3f to %.3f", count, count > 0 ? spans[0]->start : 0,
                 count > 0 ? spans[0]->end : 0, start, end);
    }
}

TEST(an_output_reports_its_lengths_loudness_and_that_it_decodes) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip =
        studio_make(&studio, "in.mp4",
                    "-f lavfi -i testsrc2=s=160x90:r=30000/1001:d=4 -f lavfi -i "
                    "\"sine=f=997:d=4,volume=-6dB,aformat=channel_layouts=stereo\" -c:a aac -pix_fmt yuv420p");
    const Callsheet__V1__MediaFacts *facts = studio_must(&studio, merge_one, "out.mp4", INPUTS(clip));
    const Callsheet__V1__Quality *quality = quality_of(&studio);
    assert_int_equal(quality->planned_frame_count, facts->video->frame_count);
    assert_int_equal(quality->frame_count, quality->planned_frame_count);
    assert_int_equal(quality->decoded_frames, quality->frame_count);
    assert_true(quality->decoded_all);
    assert_true(llabs(quality->sample_count - quality->planned_sample_count) <= 2048);
    assert_true(llabs(quality->duration_us - quality->planned_duration_us) <= 33367);
    assert_true(fabs(quality->av_offset_ms) < 1);
    assert_true(fabs(quality->av_drift_ms) < 34);
    assert_false(quality->loudness->silent);
    assert_true(fabs(quality->loudness->integrated - studio_level(&studio, "out.mp4", "I:")) < 0.2);
    assert_true(fabs(quality->loudness->true_peak - studio_level(&studio, "out.mp4", "Peak:")) < 1);
    assert_int_equal(quality->n_black + quality->n_frozen + quality->n_silent, 0);
    assert_true(quality->copied_share > 0.99); /* nothing was to be done to the picture */
    assert_string_equal(quality->copy_reason, "");
}

TEST(black_frozen_and_silent_stretches_are_found_where_they_are) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    /* 2 s of life, 1 s of black, 1 s of life, 3 s of one picture; sound is silent from 2.5 s to 5 s */
    const char *clip = studio_make(
        &studio, "in.mp4",
        "-f lavfi -i \"testsrc2=s=160x90:r=25:d=7,format=yuv420p,drawbox=c=black:t=fill:enable='between(t,2,2.999)',"
        "loop=loop=75:size=1:start=100,trim=end_frame=175\" -f lavfi -i "
        "\"sine=f=440:d=7,volume='if(between(t,2.5,5),0,1)':eval=frame,aformat=channel_layouts=stereo\" "
        "-c:v mpeg4 -q:v 2 -c:a pcm_s16le -f mov");
    studio_must(&studio, merge_one, "out.mp4", INPUTS(clip));
    const Callsheet__V1__Quality *quality = quality_of(&studio);
    assert_true(quality->copied_share == 0);
    assert_string_equal(quality->copy_reason, "codec");
    assert_span(quality->black, quality->n_black, 2, 3, 0.041);
    assert_span(quality->frozen, quality->n_frozen, 4, 7, 0.081);
    assert_span(quality->silent, quality->n_silent, 2.5, 5, 0.06);
}

TEST(sound_alone_has_a_report_and_silence_has_no_loudness) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "in.wav", "-f lavfi -i anullsrc=r=48000:cl=stereo:d=3 -c:a pcm_s16le");
    studio_must(&studio, "{\"extractAudio\":{\"media\":{\"input\":1}}}", "audio.mp3", INPUTS(clip));
    const Callsheet__V1__Quality *quality = quality_of(&studio);
    assert_true(quality->loudness->silent);
    assert_int_equal(quality->planned_frame_count, 0);
    assert_int_equal(quality->planned_duration_us, 3000000);
    assert_span(quality->silent, quality->n_silent, 0, 3, 0.001);
}

/* ---- broken outputs ---- */

/* Overwrites bytes in the middle of the pictures' data. */
static void damage(const char *path, double place) {
    uint8_t noise[600];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    off_t size = lseek(fd, 0, SEEK_END);
    for (size_t i = 0; i < sizeof(noise); i++) {
        noise[i] = (uint8_t)(i * 89 + 17);
    }
    assert_int_equal(pwrite(fd, noise, sizeof(noise), (off_t)((double)size * place)), sizeof(noise));
    close(fd);
}

static enum cs_status check(struct studio *studio, const char *path, struct med_decode_check *ret_check) {
    struct med_facts facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_ok(med_facts_read(fd, &facts, &studio->err), &studio->err);
    studio->err = (struct cs_err){0};
    enum cs_status status = med_decode_check(fd, &facts, ret_check, &studio->err);
    close(fd);
    return status;
}

TEST(a_file_with_a_broken_middle_or_end_is_found_out) {
    static const double places[] = {0.5, 0.97};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    struct med_decode_check seen;
    for (size_t i = 0; i < CS_COUNT(places); i++) {
        const char *path = studio_make(&studio, "x.mp4",
                                       "-f lavfi -i testsrc2=s=320x180:r=25:d=4 -c:v libx264 -preset veryfast "
                                       "-movflags +faststart -pix_fmt yuv420p");
        assert_ok(check(&studio, path, &seen), &studio.err);
        assert_int_equal(seen.frames, 100);
        damage(path, places[i]);
        assert_fails(check(&studio, path, &seen), &studio.err, CS_INTERNAL, "verify_failed");
    }
}

TEST(long_files_are_tried_in_places_and_whole_ones_pass) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *path = studio_make(&studio, "long.mp4",
                                   "-f lavfi -i testsrc2=s=160x90:r=25:d=40 -f lavfi -i sine=d=40 -c:v libx264 -preset "
                                   "ultrafast -g 50 -pix_fmt yuv420p -c:a aac");
    struct med_decode_check seen;
    assert_ok(check(&studio, path, &seen), &studio.err);
    assert_false(seen.all);
    assert_in_range(seen.frames, 150, 300);
    assert_in_range(seen.samples, 44100 * 4, 44100 * 12);
}

/* A video of 100 frames, judged against another plan. */
static enum cs_status judge(struct studio *studio, const char *path, int64_t frames, int64_t samples) {
    const struct med_quality quality = {.frames = frames, .rate = {25, 1}, .samples = samples};
    Callsheet__V1__Quality *report = NULL;
    struct med_facts facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_ok(med_facts_read(fd, &facts, &studio->err), &studio->err);
    studio->err = (struct cs_err){0};
    enum cs_status status = med_quality_judge(&quality, fd, &facts, studio->arena, &report, &studio->err);
    close(fd);
    return status;
}

TEST(what_is_not_as_planned_fails) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *path = studio_make(&studio, "x.mp4",
                                   "-f lavfi -i testsrc2=s=320x180:r=25:d=4 -f lavfi -i sine=d=4:sample_rate=48000 "
                                   "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac");
    const char *late =
        studio_make(&studio, "late.mp4",
                    "-f lavfi -i testsrc2=s=320x180:r=25:d=4 -itsoffset 0.5 -f lavfi -i "
                    "sine=d=3.5:sample_rate=48000 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac");
    assert_ok(judge(&studio, path, 100, 192000), &studio.err);
    assert_fails(judge(&studio, path, 101, 192000), &studio.err, CS_INTERNAL, "verify_failed");
    assert_fails(judge(&studio, path, 99, 192000), &studio.err, CS_INTERNAL, "verify_failed");
    assert_fails(judge(&studio, path, 100, 192000 + 4800), &studio.err, CS_INTERNAL, "verify_failed");
    assert_fails(judge(&studio, late, 100, 168000), &studio.err, CS_INTERNAL, "verify_failed");
}

/* ---- spans ---- */

TEST(spans_need_their_length_and_end_with_what_they_are_in) {
    struct med_spans spans = {.shortest = 3, .since = -1};
    static const char so[] = "..xx.xxx..xxxxx";
    for (int64_t i = 0; so[i] != '\0'; i++) {
        med_spans_note(&spans, i, so[i] == 'x');
    }
    med_spans_note(&spans, 15, false);
    assert_int_equal(spans.count, 2);
    assert_int_equal(spans.items[0].start, 5);
    assert_int_equal(spans.items[0].end, 8);
    assert_int_equal(spans.items[1].start, 10);
    assert_int_equal(spans.items[1].end, 15);
    for (int64_t i = 16; i < 2000; i += 4) {
        med_spans_note(&spans, i, true);
        med_spans_note(&spans, i + 3, false);
    }
    assert_int_equal(spans.count, MED_SPANS_MAX);
}

TEST_MAIN(CS_TEST(an_output_reports_its_lengths_loudness_and_that_it_decodes),
          CS_TEST(black_frozen_and_silent_stretches_are_found_where_they_are),
          CS_TEST(sound_alone_has_a_report_and_silence_has_no_loudness),
          CS_TEST(a_file_with_a_broken_middle_or_end_is_found_out),
          CS_TEST(long_files_are_tried_in_places_and_whole_ones_pass), CS_TEST(what_is_not_as_planned_fails),
          CS_TEST(spans_need_their_length_and_end_with_what_they_are_in))
