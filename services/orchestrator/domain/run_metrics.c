#include "domain/run_metrics.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "cs/base/text.h"

/* Fields that are worked out here and never written. */
static const char *const computed[] = {"Start Time", "End Time", "Status", "Clients Processed", "Clients With Errors"};

static const double number_max = 1e18; /* sums of all client runs stay finite */

void orc_run_warn(struct orc_run_warnings *warnings, struct cs_arena *arena, const char *fmt, ...) {
    if (warnings->count == ORC_RUN_WARNINGS_MAX) {
        return;
    }
    CS_AUTO_BUF text = {0};
    va_list args;
    va_start(args, fmt);
    cs_buf_vprintf(&text, fmt, args);
    va_end(args);
    warnings->items[warnings->count++] = cs_arena_strdup(arena, text.data);
}

static struct orc_run_metric *find(const struct orc_run_metrics *metrics, const char *name) {
    for (size_t i = 0; i < metrics->count; i++) {
        if (strcmp(metrics->items[i].name, name) == 0) {
            return &metrics->items[i];
        }
    }
    return NULL;
}

static bool name_valid(const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F) {
            return false;
        }
    }
    return length != 0 && length <= ORC_RUN_METRIC_NAME_BYTES_MAX;
}

static bool is_computed(const char *name) {
    for (size_t i = 0; i < CS_COUNT(computed); i++) {
        if (strcmp(computed[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool number_of(const struct orc_run_report *report, double *ret_number) {
    if (report->has_number) {
        *ret_number = report->number;
        return isfinite(report->number) && fabs(report->number) <= number_max;
    }
    return report->text != NULL && cs_parse_f64(report->text, -number_max, number_max, ret_number);
}

/* The metric that a report says; false when its value is of no use. */
static bool read_value(const struct orc_run_report *report, struct orc_run_metric *metric) {
    bool may_be_text = report->rule == ORC_RUN_RULE_DEFAULT || report->rule == ORC_RUN_LAST;
    bool rule_known = report->rule > ORC_RUN_RULE_DEFAULT && report->rule < ORC_RUN_RULES;
    metric->rule = rule_known ? (enum orc_run_rule)report->rule : ORC_RUN_SUM;
    if (report->rule < 0 || report->rule >= ORC_RUN_RULES) {
        return false;
    }
    if (number_of(report, &metric->number)) {
        return true;
    }
    metric->number = 0;
    if (may_be_text && report->text != NULL && strlen(report->text) <= ORC_RUN_METRIC_TEXT_BYTES_MAX) {
        metric->rule = ORC_RUN_LAST;
        metric->text = report->text;
        return true;
    }
    return false;
}

/* Room for one more; NULL when there are too many. */
static struct orc_run_metric *append(struct orc_run_metrics *metrics, const char *name, struct cs_arena *arena) {
    if (metrics->count >= ORC_RUN_METRICS_MAX) {
        return NULL;
    }
    struct orc_run_metric *items = cs_arena_array(arena, metrics->count + 1, sizeof(*items));
    if (metrics->count > 0) {
        memcpy(items, metrics->items, metrics->count * sizeof(*items));
    }
    metrics->items = items;
    struct orc_run_metric *added = &items[metrics->count++];
    added->name = cs_arena_strdup(arena, name);
    return added;
}

static void put(struct orc_run_metrics *metrics, const struct orc_run_report *report, struct cs_arena *arena,
                struct orc_run_warnings *warnings) {
    struct orc_run_metric value = {0};
    struct orc_run_metric *place = find(metrics, report->name);
    bool good = read_value(report, &value);
    if (!good) {
        orc_run_warn(warnings, arena, "metric \"%s\" has no value of its kind; %s", report->name,
                     place != NULL ? "what is there stays" : "0 is taken instead");
        if (place != NULL) {
            return;
        }
    }
    place = place != NULL ? place : append(metrics, report->name, arena);
    if (place == NULL) {
        orc_run_warn(warnings, arena, "metric \"%s\" is left out: a run has at most %d", report->name,
                     ORC_RUN_METRICS_MAX);
        return;
    }
    place->rule = value.rule;
    place->number = value.number;
    place->text = value.text != NULL ? cs_arena_strdup(arena, value.text) : NULL;
}

void orc_run_metrics_report(struct orc_run_metrics *metrics, const struct orc_run_report *reports, size_t count,
                            struct cs_arena *arena, struct orc_run_warnings *warnings) {
    /* What was there is shared with the caller's copy of the run: write into a copy. */
    struct orc_run_metric *items = cs_arena_array(arena, metrics->count + 1, sizeof(*items));
    if (metrics->count > 0) {
        memcpy(items, metrics->items, metrics->count * sizeof(*items));
    }
    metrics->items = items;
    if (count > ORC_RUN_REPORTS_MAX) {
        orc_run_warn(warnings, arena, "metrics beyond the first %d of a report are left out", ORC_RUN_REPORTS_MAX);
        count = ORC_RUN_REPORTS_MAX;
    }
    for (size_t i = 0; i < count; i++) {
        if (!name_valid(reports[i].name)) {
            orc_run_warn(warnings, arena, "metric %zu is left out: a name has 1 to %d bytes without control characters",
                         i, ORC_RUN_METRIC_NAME_BYTES_MAX);
        } else if (is_computed(reports[i].name)) {
            orc_run_warn(warnings, arena, "metric \"%s\" is left out: it is worked out here", reports[i].name);
        } else {
            put(metrics, &reports[i], arena, warnings);
        }
    }
}

/* ---- totals ---- */

static double combine(enum orc_run_rule rule, double a, double b) {
    switch (rule) {
    case ORC_RUN_SUM:
        return a + b;
    case ORC_RUN_MIN:
        return a < b ? a : b;
    case ORC_RUN_MAX:
        return a > b ? a : b;
    default:
        return b;
    }
}

static void add(struct orc_run_metrics *total, const struct orc_run_metric *metric, struct cs_arena *arena) {
    struct orc_run_metric *sum = find(total, metric->name);
    if (sum == NULL) {
        sum = append(total, metric->name, arena);
        if (sum != NULL) {
            *sum = *metric;
        }
    } else if (metric->text != NULL || sum->text != NULL || metric->rule != sum->rule) {
        *sum = *metric;
    } else {
        sum->number = combine(metric->rule, sum->number, metric->number);
    }
}

struct orc_run_metrics orc_run_metrics_total(const struct orc_run_metrics *const *runs, size_t count,
                                             struct cs_arena *arena) {
    struct orc_run_metrics total = {0};
    for (size_t i = 0; i < count; i++) {
        for (size_t m = 0; m < runs[i]->count; m++) {
            add(&total, &runs[i]->items[m], arena);
        }
    }
    return total;
}
