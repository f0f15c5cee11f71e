/* Metrics of tracked runs: reports and totals. */
#include <math.h>
#include <string.h>

#include "cs/test.h"
#include "domain/run_metrics.h"

#define NUMBER(name_, value) ((struct orc_run_report){.name = (name_), .has_number = true, .number = (value)})
#define RULED(name_, rule_, value)                                                                                     \
    ((struct orc_run_report){.name = (name_), .rule = (rule_), .has_number = true, .number = (value)})
#define TEXT(name_, rule_, value) ((struct orc_run_report){.name = (name_), .rule = (rule_), .text = (value)})

static const struct orc_run_metric *get(const struct orc_run_metrics *metrics, const char *name) {
    for (size_t i = 0; i < metrics->count; i++) {
        if (strcmp(metrics->items[i].name, name) == 0) {
            return &metrics->items[i];
        }
    }
    fail_msg("there is no metric %s", name);
    return NULL;
}

TEST(pb_017_numeric_text_becomes_a_number) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_run_metrics metrics = {0};
    struct orc_run_warnings warnings = {0};
    const struct orc_run_report reports[] = {TEXT("posts", ORC_RUN_SUM, "12"),
                                             TEXT("cost", ORC_RUN_RULE_DEFAULT, "0.5"),
                                             TEXT("stage", ORC_RUN_RULE_DEFAULT, "scoring")};
    orc_run_metrics_report(&metrics, reports, 3, arena, &warnings);
    assert_int_equal(warnings.count, 0);
    assert_null(get(&metrics, "posts")->text);
    assert_true(get(&metrics, "posts")->number == 12);
    assert_true(get(&metrics, "cost")->number == 0.5);
    assert_int_equal(get(&metrics, "cost")->rule, ORC_RUN_SUM);
    assert_string_equal(get(&metrics, "stage")->text, "scoring");
    assert_int_equal(get(&metrics, "stage")->rule, ORC_RUN_LAST);
}

TEST(pb_017_an_invalid_value_becomes_the_default_with_a_warning) {
    const struct orc_run_report bad[] = {
        TEXT("m", ORC_RUN_SUM, "many"),
        TEXT("m", ORC_RUN_MAX, ""),
        NUMBER("m", NAN),
        NUMBER("m", INFINITY),
        NUMBER("m", 1e19),
        {.name = "m"},
        RULED("m", 99, 1),
        RULED("m", -1, 1),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct orc_run_metrics metrics = {0};
        struct orc_run_warnings warnings = {0};
        orc_run_metrics_report(&metrics, &bad[i], 1, arena, &warnings);
        assert_int_equal(warnings.count, 1);
        assert_non_null(strstr(warnings.items[0], "\"m\""));
        assert_true(get(&metrics, "m")->number == 0);
        const struct orc_run_report good = NUMBER("m", 7);
        orc_run_metrics_report(&metrics, &good, 1, arena, &warnings);
        orc_run_metrics_report(&metrics, &bad[i], 1, arena, &warnings);
        assert_int_equal(warnings.count, 2);
        assert_true(get(&metrics, "m")->number == 7); /* what is there stays */
    }
}

TEST(pb_017_bad_names_and_computed_fields_are_left_out_with_a_warning) {
    static const char *const names[] = {
        "",       "a\nb",       "Clients Processed",
        "Status", "Start Time", "12345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct orc_run_metrics metrics = {0};
        struct orc_run_warnings warnings = {0};
        const struct orc_run_report report = NUMBER(names[i], 1);
        orc_run_metrics_report(&metrics, &report, 1, arena, &warnings);
        assert_int_equal(metrics.count, 0);
        assert_int_equal(warnings.count, 1);
    }
}

TEST(pb_018_too_many_metrics_are_left_out_and_warnings_are_bounded) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_run_metrics metrics = {0};
    struct orc_run_warnings warnings = {0};
    struct orc_run_report reports[ORC_RUN_REPORTS_MAX + 5];
    const size_t count = sizeof(reports) / sizeof(reports[0]);
    for (size_t i = 0; i < count; i++) {
        reports[i] = NUMBER(cs_arena_sprintf(arena, "m%zu", i), (double)i);
    }
    orc_run_metrics_report(&metrics, reports, count, arena, &warnings);
    assert_int_equal(metrics.count, ORC_RUN_METRICS_MAX);
    assert_int_equal(warnings.count, ORC_RUN_WARNINGS_MAX);
    assert_true(get(&metrics, "m63")->number == 63);
    const struct orc_run_report known = NUMBER("m0", 5); /* one that is there can still be reported */
    orc_run_metrics_report(&metrics, &known, 1, arena, &warnings);
    assert_true(get(&metrics, "m0")->number == 5);
}

TEST(a_report_that_arrives_twice_counts_once_and_changes_no_earlier_copy) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_run_metrics metrics = {0};
    struct orc_run_warnings warnings = {0};
    const struct orc_run_report first = NUMBER("posts", 5);
    const struct orc_run_report second = NUMBER("posts", 8);
    orc_run_metrics_report(&metrics, &first, 1, arena, &warnings);
    const struct orc_run_metrics before = metrics;
    orc_run_metrics_report(&metrics, &second, 1, arena, &warnings);
    orc_run_metrics_report(&metrics, &second, 1, arena, &warnings);
    assert_int_equal(metrics.count, 1);
    assert_true(get(&metrics, "posts")->number == 8);
    assert_true(get(&before, "posts")->number == 5);
}

TEST(pb_016_totals_are_sum_min_max_and_last_by_field) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_run_metrics runs[3] = {{0}};
    struct orc_run_warnings warnings = {0};
    static const double values[] = {4, 1, 9};
    static const char *const stages[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++) {
        const struct orc_run_report reports[] = {NUMBER("posts", values[i]), RULED("fastest", ORC_RUN_MIN, values[i]),
                                                 RULED("slowest", ORC_RUN_MAX, values[i]),
                                                 RULED("level", ORC_RUN_LAST, values[i]),
                                                 TEXT("stage", ORC_RUN_RULE_DEFAULT, stages[i])};
        orc_run_metrics_report(&runs[i], reports, 5, arena, &warnings);
    }
    const struct orc_run_metrics *const all[] = {&runs[0], &runs[1], &runs[2]};
    struct orc_run_metrics total = orc_run_metrics_total(all, 3, arena);
    assert_int_equal(total.count, 5);
    assert_true(get(&total, "posts")->number == 14);
    assert_true(get(&total, "fastest")->number == 1);
    assert_true(get(&total, "slowest")->number == 9);
    assert_true(get(&total, "level")->number == 9);
    assert_string_equal(get(&total, "stage")->text, "c");
    assert_true(get(&runs[0], "posts")->number == 4); /* the runs keep theirs */
}

TEST_MAIN(CS_TEST(pb_017_numeric_text_becomes_a_number),
          CS_TEST(pb_017_an_invalid_value_becomes_the_default_with_a_warning),
          CS_TEST(pb_017_bad_names_and_computed_fields_are_left_out_with_a_warning),
          CS_TEST(pb_018_too_many_metrics_are_left_out_and_warnings_are_bounded),
          CS_TEST(a_report_that_arrives_twice_counts_once_and_changes_no_earlier_copy),
          CS_TEST(pb_016_totals_are_sum_min_max_and_last_by_field))
