#include "domain/execution_id.h"

#include <string.h>

#include "cs/base/auto.h"
#include "cs/test.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static int32_t day_of(int64_t unix_ms) {
    char id[CS_ID_SIZE];
    cs_id_make(id);
    orc_execution_id_date(id, unix_ms);
    assert_int_equal(strlen(id), CS_ID_LENGTH);
    assert_true(cs_id_valid(id, CS_ID_LENGTH));
    return orc_execution_id_day(id);
}

TEST(an_id_says_its_day) {
    assert_int_equal(day_of(0), 0);
    assert_int_equal(day_of(DAY_MS - 1), 0);
    assert_int_equal(day_of(DAY_MS), 1);
    assert_int_equal(day_of(20782 * DAY_MS + 12345678), 20782);
    assert_int_equal(day_of(INT64_C(56800235583999)), 657410); /* the last one, in the year 3769 */
    assert_int_equal(day_of(INT64_MAX), 657410);
    assert_int_equal(day_of(-5), 0);
}

TEST(later_ids_compare_greater) {
    char before[CS_ID_SIZE];
    for (int64_t at_s = 1700000000; at_s < 1700000000 + 200; at_s++) {
        char id[CS_ID_SIZE];
        cs_id_make(id);
        orc_execution_id_date(id, at_s * 1000);
        assert_true(at_s == 1700000000 || strcmp(before, id) < 0);
        memcpy(before, id, sizeof(id));
    }
}

TEST(ids_without_a_time_have_day_zero) {
    static const char *const ids[] = {"", "e1", "1xDM4q", "1xDM4qAk3Jw0aZpQ81LmX", "_", "1xDM4-_k3Jw0aZpQ81LmX", "..."};
    for (size_t i = 0; i < CS_COUNT(ids); i++) {
        assert_int_equal(orc_execution_id_day(ids[i]), 0);
    }
    char id[CS_ID_SIZE];
    cs_id_make(id);
    assert_int_equal(orc_execution_id_day(id), 0);
}

TEST_MAIN(CS_TEST(an_id_says_its_day), CS_TEST(later_ids_compare_greater), CS_TEST(ids_without_a_time_have_day_zero))
