/* COVERS graph/timeline.c graph/fit.c (geometry): where clips lie in time, and windows in pictures. */
#include "cs/test.h"
#include "graph/fit.h"
#include "graph/timeline.h"

static const AVRational ntsc = {30000, 1001};

TEST(thirty_seven_named_clips_of_two_and_a_half_seconds_are_75_frames_each) {
    struct med_segment segments[37];
    for (int i = 0; i < 37; i++) {
        segments[i] = (struct med_segment){.length_ticks = med_ticks_from_seconds(2.5), .named = true};
    }
    assert_int_equal(med_timeline_lay(segments, 37, ntsc, 0), 37 * 75);
    for (int i = 0; i < 37; i++) {
        assert_int_equal(segments[i].frames, 75);
        assert_int_equal(segments[i].start_frame, 75 * i);
    }
}

TEST(thirty_seven_files_of_75_frames_are_75_frames_each) {
    struct med_segment segments[37];
    for (int i = 0; i < 37; i++) {
        segments[i] = (struct med_segment){.length_ticks = med_ticks_at_frame(75, ntsc)};
    }
    assert_int_equal(med_timeline_lay(segments, 37, ntsc, 0), 37 * 75);
    assert_int_equal(segments[36].frames, 75);
    assert_int_equal(med_samples_at_frame(37 * 75, ntsc), 4444440); /* 92.5925 s */
}

TEST(natural_lengths_never_drift_from_their_sum) {
    struct med_segment segments[200];
    int64_t sum = 0;
    for (int i = 0; i < 200; i++) { /* 2.012 s at 24: 48.288 frames */
        segments[i] = (struct med_segment){.length_ticks = med_ticks_from(2012, (AVRational){1, 1000})};
        sum += segments[i].length_ticks;
    }
    const AVRational rate = {24, 1};
    int64_t total = med_timeline_lay(segments, 200, rate, 0);
    assert_int_equal(total, med_frames_at(sum, rate));
    for (int i = 0; i < 200; i++) {
        assert_in_range(segments[i].frames, 48, 49);
    }
}

TEST(transitions_shorten_by_their_overlap) {
    struct med_segment segments[2] = {{.length_ticks = 3 * MED_TICKS_PER_S}, {.length_ticks = 4 * MED_TICKS_PER_S}};
    assert_int_equal(med_timeline_lay(segments, 2, (AVRational){30, 1}, 15), 195); /* 6.5 s */
    assert_int_equal(segments[0].overlap, 15);
    assert_int_equal(segments[1].start_frame, 75);
    assert_int_equal(segments[1].overlap, 0);
}

TEST(an_overlap_takes_at_most_half_of_a_short_clip) {
    struct med_segment segments[3] = {{.length_ticks = 3 * MED_TICKS_PER_S},
                                      {.length_ticks = MED_TICKS_PER_S},
                                      {.length_ticks = 3 * MED_TICKS_PER_S}};
    assert_int_equal(med_timeline_lay(segments, 3, (AVRational){30, 1}, 30), 210 - 15 - 15);
    assert_int_equal(segments[0].overlap, 15);
    assert_int_equal(segments[1].overlap, 15);
}

TEST(a_clip_shorter_than_a_frame_still_shows_one) {
    struct med_segment segments[2] = {{.length_ticks = 1}, {.length_ticks = 1, .named = true}};
    assert_int_equal(med_timeline_lay(segments, 2, (AVRational){25, 1}, 5), 2);
}

TEST(ticks_divide_the_usual_clocks_exactly) {
    static const AVRational units[] = {{1001, 24000}, {1001, 30000}, {1001, 60000}, {1, 25}, {1, 90000},
                                       {1, 44100},    {1, 48000},    {1, 1000},     {1, 120}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        int64_t ticks = med_ticks_from(1, units[i]);
        assert_int_equal(ticks * units[i].den, MED_TICKS_PER_S * units[i].num);
    }
}

TEST(times_beyond_a_century_are_not_sane) {
    assert_true(med_ticks_are_sane(med_ticks_from(1800000000, (AVRational){1, 1}))); /* a camera's wall clock */
    assert_false(med_ticks_are_sane(med_ticks_from(INT64_MAX, (AVRational){1, 1000})));
    assert_false(med_ticks_are_sane(med_ticks_from(INT64_MIN + 1, (AVRational){1, 1000})));
    assert_false(med_ticks_are_sane(INT64_C(1) << 61));
}

TEST(rates_are_read_as_numbers_and_fractions) {
    AVRational rate;
    assert_true(med_rate_parse("30000/1001", &rate));
    assert_int_equal(rate.num, 30000);
    assert_true(med_rate_parse("29.97", &rate));
    assert_int_equal(rate.den, 1001);
    assert_true(med_rate_parse("60/2", &rate));
    assert_int_equal(rate.num, 30);
    static const char *const bad[] = {"", "0", "-5", "121", "1/0", "30/", "/1", "30fps", "1e9", "nan", "1/2", "30/1/1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(med_rate_parse(bad[i], &rate));
    }
}

static void expect_window(struct med_window window, int x, int y, int width, int height) {
    assert_int_equal(window.x, x);
    assert_int_equal(window.y, y);
    assert_int_equal(window.width, width);
    assert_int_equal(window.height, height);
}

TEST(crop_takes_the_largest_window_at_its_anchor) {
    const AVRational square = {1, 1};
    expect_window(med_crop_window(1920, 1080, square, 1080, 1920, MED_ANCHOR_CENTER), 656, 0, 608, 1080);
    expect_window(med_crop_window(1920, 1080, square, 1080, 1920, MED_ANCHOR_LEFT), 0, 0, 608, 1080);
    expect_window(med_crop_window(1920, 1080, square, 1080, 1920, MED_ANCHOR_RIGHT), 1312, 0, 608, 1080);
    expect_window(med_crop_window(100, 400, square, 1080, 1080, MED_ANCHOR_TOP), 0, 0, 100, 100);
    expect_window(med_crop_window(100, 400, square, 1080, 1080, MED_ANCHOR_BOTTOM), 0, 300, 100, 100);
    expect_window(med_crop_window(1, 1, square, 1920, 1080, MED_ANCHOR_CENTER), 0, 0, 1, 1);
    expect_window(med_crop_window(2, 100, square, 1920, 1080, MED_ANCHOR_TOP), 0, 0, 2, 4); /* whole chroma samples */
    expect_window(med_crop_window(2, 2, square, 1920, 1080, MED_ANCHOR_CENTER), 0, 0, 2, 2);
}

TEST(crop_counts_wide_pixels_by_how_they_look) {
    /* 320x240 of pixels 4:3 looks 427x240; a square of it is 180 of the stored columns */
    expect_window(med_crop_window(320, 240, (AVRational){4, 3}, 1080, 1080, MED_ANCHOR_CENTER), 70, 0, 180, 240);
}

TEST(pad_keeps_the_whole_picture_centred_and_even) {
    expect_window(med_pad_window(640, 480, (AVRational){1, 1}, 1920, 1080), 240, 0, 1440, 1080);
    expect_window(med_pad_window(161, 121, (AVRational){1, 1}, 320, 240), 0, 0, 320, 240);
    expect_window(med_pad_window(320, 240, (AVRational){4, 3}, 1920, 1080), 0, 0, 1920, 1080);
}

TEST_MAIN(CS_TEST(thirty_seven_named_clips_of_two_and_a_half_seconds_are_75_frames_each),
          CS_TEST(thirty_seven_files_of_75_frames_are_75_frames_each),
          CS_TEST(natural_lengths_never_drift_from_their_sum), CS_TEST(transitions_shorten_by_their_overlap),
          CS_TEST(an_overlap_takes_at_most_half_of_a_short_clip), CS_TEST(a_clip_shorter_than_a_frame_still_shows_one),
          CS_TEST(ticks_divide_the_usual_clocks_exactly), CS_TEST(times_beyond_a_century_are_not_sane),
          CS_TEST(rates_are_read_as_numbers_and_fractions), CS_TEST(crop_takes_the_largest_window_at_its_anchor),
          CS_TEST(crop_counts_wide_pixels_by_how_they_look), CS_TEST(pad_keeps_the_whole_picture_centred_and_even))
