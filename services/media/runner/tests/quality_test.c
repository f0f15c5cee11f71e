/* COVERS graph/quality.c watch.c decode_check.c imprint.c true_peak.c, loudness.c's meter: what is known of an output,
 * and that no broken one is handed on. */
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
#include "graph/true_peak.h"
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

/* A quarter of the sample rate, whose samples lie beside its peaks: 3 dB below them. */
TEST(peaks_between_samples_are_found_wherever_they_are) {
    enum { COUNT = 3000, LOUD_FROM = 1501 };
    static float stereo[2 * COUNT];
    struct med_true_peak peak;
    for (int i = 0; i < COUNT; i++) {
        double level = i < LOUD_FROM ? 0.1 : i < LOUD_FROM + 200 ? 0.8 : 0.3;
        stereo[2 * i + 1] = (float)(level * sin(M_PI / 2 * i + M_PI / 4));
    }
    med_true_peak_init(&peak);
    med_true_peak_add(&peak, stereo, LOUD_FROM - 1);
    assert_true(fabsf(peak.peak - 0.1F) < 0.002F);
    for (int i = LOUD_FROM - 1; i < COUNT; i += 100) { /* in pieces of any size */
        med_true_peak_add(&peak, stereo + 2 * (ptrdiff_t)i, (size_t)(COUNT - i < 100 ? COUNT - i : 100));
    }
    assert_true(peak.peak > 0.79F && peak.peak < 0.9F); /* it overshoots where the level jumps */
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
static enum cs_status judge_to(struct studio *studio, const char *path, int64_t frames, int64_t samples,
                               Callsheet__V1__Quality **ret_report) {
    const struct med_quality quality = {.frames = frames, .rate = {25, 1}, .samples = samples};
    struct med_facts facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_ok(med_facts_read(fd, &facts, &studio->err), &studio->err);
    studio->err = (struct cs_err){0};
    enum cs_status status = med_quality_judge(&quality, fd, &facts, studio->arena, ret_report, &studio->err);
    close(fd);
    return status;
}

static enum cs_status judge(struct studio *studio, const char *path, int64_t frames, int64_t samples) {
    Callsheet__V1__Quality *report = NULL;
    return judge_to(studio, path, frames, samples, &report);
}

TEST(t10_by_how_much_the_sound_is_longer_is_measured) {
    static const double seconds[] = {3.75, 4, 4.5};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(seconds); i++) {
        Callsheet__V1__Quality *report = NULL;
        const char *path = studio_make(
            &studio, "x.mov",
            cs_arena_sprintf(studio.arena,
                             "-f lavfi -i testsrc2=s=64x64:r=25:d=4 -f lavfi -i sine=d=%g:sample_rate=48000 "
                             "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s16le",
                             seconds[i]));
        assert_ok(judge_to(&studio, path, 100, (int64_t)(seconds[i] * 48000), &report), &studio.err);
        assert_true(fabs(report->av_drift_ms - (seconds[i] - 4) * 1000) < 1);
        assert_true(fabs(report->av_offset_ms) < 1);
    }
}

TEST(t11_what_is_not_as_planned_fails) {
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

static struct med_imprint imprint_of(struct studio *studio, const char *path) {
    struct med_facts facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_ok(med_facts_read_made(fd, &facts, &studio->err), &studio->err);
    studio->err = (struct cs_err){0};
    close(fd);
    return facts.video.imprint;
}

/* x264 writes start codes, MP4 and Matroska lengths. */
TEST(pictures_leave_the_same_imprint_in_every_container_and_another_one_when_a_bit_differs) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *path = studio_make(&studio, "x.mp4",
                                   "-f lavfi -i testsrc2=s=320x180:r=25:d=4 -c:v libx264 -preset veryfast -movflags "
                                   "+faststart -pix_fmt yuv420p");
    const char *copied =
        studio_make(&studio, "y.mkv", cs_arena_sprintf(studio.arena, "-i '%s' -c copy -bitexact", path));
    struct med_imprint imprint = imprint_of(&studio, path);
    struct med_imprint other = imprint_of(&studio, copied);
    assert_int_equal(imprint.packets, 100);
    assert_true(med_imprint_equal(&imprint, &other));
    damage(path, 0.5);
    other = imprint_of(&studio, path);
    assert_int_equal(other.packets, 100);
    assert_false(med_imprint_equal(&imprint, &other));
}

TEST(big_pictures_are_tried_in_places_and_found_out_by_their_imprint) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *path = studio_make(&studio, "big.mp4",
                                   "-f lavfi -i testsrc2=s=1280x720:r=25:d=4 -c:v libx264 -preset ultrafast -pix_fmt "
                                   "yuv420p");
    struct med_quality quality = {.frames = 100, .rate = {25, 1}, .imprint = imprint_of(&studio, path)};
    struct med_facts facts;
    Callsheet__V1__Quality *report = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_ok(med_facts_read_made(fd, &facts, &studio.err), &studio.err);
    assert_ok(med_quality_judge(&quality, fd, &facts, studio.arena, &report, &studio.err), &studio.err);
    assert_false(report->decoded_all);
    assert_in_range(report->decoded_frames, 16, 60);
    quality.imprint.sum++;
    assert_fails(med_quality_judge(&quality, fd, &facts, studio.arena, &report, &studio.err), &studio.err, CS_INTERNAL,
                 "verify_failed");
    close(fd);
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

TEST(spans_of_parts_become_one_where_they_touch_and_none_where_they_stay_short) {
    struct med_spans spans = {.shortest = 5, .since = -1};
    static const int64_t parts[][2] = {{0, 3}, {3, 6}, {9, 12}, {20, 26}, {22, 24}, {26, 27}, {40, 42}};
    for (size_t i = 0; i < CS_COUNT(parts); i++) {
        med_spans_join(&spans, parts[i][0], parts[i][1]);
    }
    med_spans_joined(&spans);
    assert_int_equal(spans.count, 2);
    assert_int_equal(spans.items[0].start, 0);
    assert_int_equal(spans.items[0].end, 6);
    assert_int_equal(spans.items[1].start, 20);
    assert_int_equal(spans.items[1].end, 27);
}

TEST(spans_of_a_part_count_however_short_where_it_begins_and_ends) {
    struct med_spans spans = {.shortest = 5, .since = -1, .parted = true};
    static const char so[] = "x..xx....xxxxxx..xx";
    for (size_t i = 0; i < sizeof(so) - 1; i++) {
        med_spans_note(&spans, (int64_t)i, so[i] == 'x');
    }
    med_spans_end(&spans, sizeof(so) - 1);
    assert_int_equal(spans.count, 3);
    assert_int_equal(spans.items[0].end, 1);
    assert_int_equal(spans.items[1].start, 9);
    assert_int_equal(spans.items[2].start, 17);
    assert_int_equal(spans.items[2].end, 19);
}

TEST_MAIN(CS_TEST(an_output_reports_its_lengths_loudness_and_that_it_decodes),
          CS_TEST(black_frozen_and_silent_stretches_are_found_where_they_are),
          CS_TEST(sound_alone_has_a_report_and_silence_has_no_loudness),
          CS_TEST(peaks_between_samples_are_found_wherever_they_are),
          CS_TEST(a_file_with_a_broken_middle_or_end_is_found_out),
          CS_TEST(long_files_are_tried_in_places_and_whole_ones_pass), CS_TEST(t11_what_is_not_as_planned_fails),
          CS_TEST(pictures_leave_the_same_imprint_in_every_container_and_another_one_when_a_bit_differs),
          CS_TEST(big_pictures_are_tried_in_places_and_found_out_by_their_imprint),
          CS_TEST(t10_by_how_much_the_sound_is_longer_is_measured),
          CS_TEST(spans_need_their_length_and_end_with_what_they_are_in),
          CS_TEST(spans_of_parts_become_one_where_they_touch_and_none_where_they_stay_short),
          CS_TEST(spans_of_a_part_count_however_short_where_it_begins_and_ends))
