#include "metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { BUCKETS = 10, ROWS_MAX = 256, METHOD_SIZE = 12 };

static const double bucket_s[BUCKETS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5, 30};
static const double NS_PER_S = 1e9;

struct row {
    const char *route;
    char method[METHOD_SIZE];
    unsigned status;
    uint64_t count;
    uint64_t buckets[BUCKETS];
    double sum_s;
};

struct gw_metrics {
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct row rows[ROWS_MAX];
    size_t row_count;
};

struct gw_metrics *gw_metrics_create(void) {
    struct gw_metrics *metrics = cs_alloc(sizeof(*metrics));
    (void)pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

void gw_metrics_destroy(struct gw_metrics *metrics) {
    if (metrics != NULL) {
        (void)pthread_mutex_destroy(&metrics->lock);
        free(metrics);
    }
}

/* Methods that clients invent share one row. */
static const char *known_method(const char *method) {
    static const char *const known[] = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"};
    for (size_t i = 0; i < CS_COUNT(known); i++) {
        if (strcmp(known[i], method) == 0) {
            return known[i];
        }
    }
    return "other";
}

/* Lock held. NULL when the table is full. */
static struct row *find_row(struct gw_metrics *metrics, const char *route, const char *method, unsigned status) {
    for (size_t i = 0; i < metrics->row_count; i++) {
        struct row *row = &metrics->rows[i];
        if (row->status == status && strcmp(row->route, route) == 0 && strcmp(row->method, method) == 0) {
            return row;
        }
    }
    if (metrics->row_count == ROWS_MAX) {
        return NULL;
    }
    struct row *row = &metrics->rows[metrics->row_count++];
    row->route = route;
    row->status = status;
    (void)strncpy(row->method, method, METHOD_SIZE - 1);
    return row;
}

void gw_metrics_request(struct gw_metrics *metrics, const char *route, const char *method, unsigned status,
                        int64_t duration_ns) {
    const double seconds = (double)duration_ns / NS_PER_S;
    (void)pthread_mutex_lock(&metrics->lock);
    struct row *row = find_row(metrics, route, known_method(method), status);
    if (row != NULL) {
        row->count++;
        row->sum_s += seconds;
        for (size_t i = 0; i < BUCKETS; i++) {
            row->buckets[i] += seconds <= bucket_s[i];
        }
    }
    (void)pthread_mutex_unlock(&metrics->lock);
}

static void write_row(const struct row *row, struct cs_buf *out) {
    static const char name[] = "callsheet_http_request_duration_seconds";
    char labels[160];
    (void)snprintf(labels, sizeof(labels), "route=\"%s\",method=\"%s\",status=\"%u\"", row->route, row->method,
                   row->status);
    for (size_t i = 0; i < BUCKETS; i++) {
        cs_buf_printf(out, "%s_bucket{%s,le=\"%g\"} %llu\n", name, labels, bucket_s[i],
                      (unsigned long long)row->buckets[i]);
    }
    cs_buf_printf(out, "%s_bucket{%s,le=\"+Inf\"} %llu\n", name, labels, (unsigned long long)row->count);
    cs_buf_printf(out, "%s_sum{%s} %.6f\n", name, labels, row->sum_s);
    cs_buf_printf(out, "%s_count{%s} %llu\n", name, labels, (unsigned long long)row->count);
}

void gw_metrics_write(struct gw_metrics *metrics, struct cs_buf *out) {
    cs_buf_puts(out, "# HELP callsheet_http_request_duration_seconds HTTP requests by route, method and status (0: the "
                     "client went away)\n# TYPE callsheet_http_request_duration_seconds histogram\n");
    (void)pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->row_count; i++) {
        write_row(&metrics->rows[i], out);
    }
    (void)pthread_mutex_unlock(&metrics->lock);
}
