#include "engine/limits.h"

#include <string.h>

#include "cs/base/mem.h"
#include "cs/test.h"

static struct orc_limits accept(const char *limits, const char *weights) {
    struct orc_limits read = {0};
    struct cs_err err = {0};
    assert_ok(orc_limits_parse(limits, weights, &read, &err), &err);
    return read;
}

TEST(nothing_is_limited_unless_it_is_said) {
    struct orc_limits limits = accept(NULL, "");
    assert_null(orc_limits_find(&limits, ORC_LIMIT_TENANT, "acme"));
    assert_int_equal(orc_limits_weight(&limits, "acme"), 1);
    orc_limits_fini(&limits);
}

TEST(a_limit_of_its_own_counts_before_that_of_each) {
    struct orc_limits limits =
        accept("tenant:*=50,tenant:acme=100,operation:merge=4,provider:replicate=20,rate:provider:replicate=50/min",
               "acme=3,b=1");
    assert_int_equal(orc_limits_find(&limits, ORC_LIMIT_TENANT, "acme")->max, 100);
    assert_int_equal(orc_limits_find(&limits, ORC_LIMIT_TENANT, "globex")->max, 50);
    assert_int_equal(orc_limits_find(&limits, ORC_LIMIT_OPERATION, "merge")->max, 4);
    assert_null(orc_limits_find(&limits, ORC_LIMIT_OPERATION, "noop"));
    assert_int_equal(orc_limits_find(&limits, ORC_LIMIT_PROVIDER, "replicate")->max, 20);
    const struct orc_limit *rate = orc_limits_find(&limits, ORC_LIMIT_PROVIDER_RATE, "replicate");
    assert_int_equal(rate->max, 50);
    assert_int_equal(rate->period_ms, 60000);
    assert_int_equal(orc_limits_weight(&limits, "acme"), 3);
    assert_int_equal(orc_limits_weight(&limits, "c"), 1);
    orc_limits_fini(&limits);
}

TEST(periods_are_seconds_minutes_and_hours) {
    struct orc_limits limits = accept("rate:provider:a=1/s,rate:provider:b=2/min,rate:provider:*=3/h", NULL);
    assert_int_equal(orc_limits_find(&limits, ORC_LIMIT_PROVIDER_RATE, "a")->period_ms, 1000);
    assert_int_equal(orc_limits_find(&limits, ORC_LIMIT_PROVIDER_RATE, "b")->period_ms, 60000);
    assert_int_equal(orc_limits_find(&limits, ORC_LIMIT_PROVIDER_RATE, "c")->period_ms, 3600000);
    orc_limits_fini(&limits);
}

TEST(what_is_no_limit_is_refused_with_its_text) {
    static const char *const bad[] = {
        ",",
        "tenant:acme",
        "tenant:acme=0",
        "tenant:acme=-1",
        "tenant:acme=1000001",
        "tenant:acme=5x",
        "tenant:Acme=5",
        "tenant:=5",
        "planet:mars=5",
        "key:acme=5",
        "operation:fly=5",
        "provider:a b=5",
        "rate:provider:a=5",
        "rate:provider:a=5/day",
        "rate:provider:a=/s",
        "rate:tenant:a=5/s",
        "tenant:a=1,tenant:a=2",
        "tenant:a=1,",
        "provider:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=5",
    };
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct orc_limits limits = {0};
        struct cs_err err = {0};
        if (orc_limits_parse(bad[i], NULL, &limits, &err) != CS_INVALID_ARGUMENT) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
        assert_string_equal(err.reason, "bad_setting");
        assert_string_equal(err.path, "limits");
        assert_null(limits.items);
    }
}

TEST(what_is_no_weight_is_refused) {
    static const char *const bad[] = {"acme", "acme=0", "acme=101", "A=1", "acme=1,acme=2", "acme=1,", "=1"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct orc_limits limits = {0};
        struct cs_err err = {0};
        if (orc_limits_parse("tenant:a=1", bad[i], &limits, &err) != CS_INVALID_ARGUMENT) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
        assert_string_equal(err.path, "tenant-weights");
    }
}

TEST(there_are_not_too_many) {
    CS_AUTO_BUF text = {0};
    for (int i = 0; i <= ORC_LIMITS_MAX; i++) {
        cs_buf_printf(&text, "%stenant:t%d=1", i != 0 ? "," : "", i);
    }
    struct orc_limits limits = {0};
    struct cs_err err = {0};
    assert_fails(orc_limits_parse(text.data, NULL, &limits, &err), &err, CS_INVALID_ARGUMENT, "bad_setting");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_limited_unless_it_is_said),
        cmocka_unit_test(a_limit_of_its_own_counts_before_that_of_each),
        cmocka_unit_test(periods_are_seconds_minutes_and_hours),
        cmocka_unit_test(what_is_no_limit_is_refused_with_its_text),
        cmocka_unit_test(what_is_no_weight_is_refused),
        cmocka_unit_test(there_are_not_too_many),
    };
    return cmocka_run_group_tests_name("engine: limits", tests, NULL, NULL);
}
