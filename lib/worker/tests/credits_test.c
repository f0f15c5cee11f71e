#include "credits.h"

#include "cs/test.h"

static void check(uint32_t slots, uint32_t rotation, uint32_t orphans, const uint32_t *open, size_t count,
                  const uint32_t *wanted) {
    uint32_t limits[8] = {0};
    credits_compute(slots, rotation, orphans, open, count, limits);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(limits[i], wanted[i]);
    }
}
#define LIST(...) ((const uint32_t[]){__VA_ARGS__})

TEST(one_stream_gets_all_slots) {
    check(4, 0, 0, LIST(0), 1, LIST(4));
    check(4, 7, 0, LIST(4), 1, LIST(4));
    check(0, 0, 0, LIST(0), 1, LIST(0));
}

TEST(streams_share_equally_and_the_rest_goes_round) {
    check(5, 0, 0, LIST(0, 0), 2, LIST(3, 2));
    check(5, 1, 0, LIST(0, 0), 2, LIST(2, 3));
    check(1, 0, 0, LIST(0, 0, 0), 3, LIST(1, 0, 0));
    check(1, 2, 0, LIST(0, 0, 0), 3, LIST(0, 1, 0));
}

TEST(newcomer_waits_for_what_runs_above_the_share) {
    check(4, 0, 0, LIST(4, 0), 2, LIST(2, 0));
    check(4, 0, 0, LIST(3, 0), 2, LIST(2, 1));
    check(4, 0, 0, LIST(2, 0), 2, LIST(2, 2));
    check(6, 0, 0, LIST(5, 1, 0), 3, LIST(2, 1, 0));
}

TEST(what_runs_for_nobody_is_taken_off) {
    check(4, 0, 4, LIST(0), 1, LIST(0));
    check(4, 0, 1, LIST(0, 0), 2, LIST(1, 2));
}

TEST(never_more_is_promised_than_there_is) {
    for (uint32_t slots = 0; slots < 9; slots++) {
        for (uint32_t mix = 0; mix < 1000; mix++) {
            uint32_t open[3] = {mix % 10, mix / 10 % 10, mix / 100};
            uint32_t limits[3];
            uint32_t running = open[0] + open[1] + open[2];
            if (running > slots) {
                continue; /* cannot be */
            }
            credits_compute(slots, mix, 0, open, 3, limits);
            uint32_t promised = 0;
            for (int i = 0; i < 3; i++) {
                promised += limits[i] > open[i] ? limits[i] : open[i];
            }
            assert_in_range(promised, 0, slots);
        }
    }
}

TEST_MAIN(CS_TEST(one_stream_gets_all_slots), CS_TEST(streams_share_equally_and_the_rest_goes_round),
          CS_TEST(newcomer_waits_for_what_runs_above_the_share), CS_TEST(what_runs_for_nobody_is_taken_off),
          CS_TEST(never_more_is_promised_than_there_is))
