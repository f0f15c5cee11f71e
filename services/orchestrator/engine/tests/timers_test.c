#include "engine/timers.h"

#include <stdlib.h>

#include "cs/test.h"

enum { COUNT = 1000 };

TEST(timers_come_out_in_order_of_time) {
    struct orc_timers timers = {0};
    static struct orc_timer all[COUNT];
    uint32_t seed = 12345;
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525 + 1013904223;
        orc_timer_init(&all[i]);
        orc_timer_set(&timers, &all[i], seed >> 20);
    }
    for (int i = 0; i < COUNT; i += 3) { /* moved both ways */
        orc_timer_set(&timers, &all[i], all[i].at_ms / 2 + (i % 2) * 3000);
    }
    for (int i = 1; i < COUNT; i += 3) {
        orc_timer_set(&timers, &all[i], INT64_MAX);
        orc_timer_set(&timers, &all[i], INT64_MAX); /* twice is once */
    }
    int64_t before = -1;
    int count = 0;
    struct orc_timer *first = NULL;
    while ((first = orc_timers_first(&timers)) != NULL) {
        assert_true(first->at_ms >= before);
        before = first->at_ms;
        orc_timer_set(&timers, first, INT64_MAX);
        count++;
    }
    assert_int_equal(count, COUNT - (COUNT + 1) / 3);
    orc_timers_fini(&timers);
}

TEST_MAIN(CS_TEST(timers_come_out_in_order_of_time))
