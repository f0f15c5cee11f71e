/*
 * run_metrics: what a tracked run reports about itself, and how client runs add up.
 *
 * A metric is a number or a text under a name, with the rule by which client runs make a total. Reporting never fails:
 * what cannot be used becomes a default or is left out, with a warning.
 *
 * Owns     names, texts and arrays live in the arena that is passed.
 * Threads  pure.
 * Limits   ORC_RUN_METRICS_MAX names a run; ORC_RUN_WARNINGS_MAX warnings a report, the rest is dropped.
 */
#ifndef ORC_DOMAIN_RUN_METRICS_H
#define ORC_DOMAIN_RUN_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "cs/base/mem.h"

enum {
    ORC_RUN_METRICS_MAX = 64,
    ORC_RUN_METRIC_NAME_BYTES_MAX = 64,
    ORC_RUN_METRIC_TEXT_BYTES_MAX = 256,
    ORC_RUN_WARNINGS_MAX = 16,
    ORC_RUN_REPORTS_MAX = 256, /* looked at in one call */
};

/* Numbers are those of callsheet.v1.RunMetricRule and of SQL. */
enum orc_run_rule {
    ORC_RUN_RULE_DEFAULT, /* sum for numbers, last for texts */
    ORC_RUN_SUM,
    ORC_RUN_MIN,
    ORC_RUN_MAX,
    ORC_RUN_LAST,
    ORC_RUN_RULES,
};

struct orc_run_metric {
    const char *name;
    enum orc_run_rule rule; /* never ORC_RUN_RULE_DEFAULT once reported */
    double number;
    const char *text; /* NULL: it is a number */
};

struct orc_run_metrics {
    struct orc_run_metric *items;
    size_t count;
};

struct orc_run_warnings {
    char *items[ORC_RUN_WARNINGS_MAX];
    size_t count;
};

/* One value as it came: neither number nor text is a value of no use. */
struct orc_run_report {
    const char *name;
    int rule; /* any int */
    bool has_number;
    double number;
    const char *text; /* or NULL */
};

void orc_run_warn(struct orc_run_warnings *warnings, struct cs_arena *arena, const char *fmt, ...) CS_PRINTF(3, 4);

/* Puts reports over what is there: by name, the last one wins. */
void orc_run_metrics_report(struct orc_run_metrics *metrics, const struct orc_run_report *reports, size_t count,
                            struct cs_arena *arena, struct orc_run_warnings *warnings);

/* Combines by the rules; the later ones win where rules or kinds differ. */
struct orc_run_metrics orc_run_metrics_total(const struct orc_run_metrics *const *runs, size_t count,
                                             struct cs_arena *arena);

#endif
