#include "metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "cs/base/clock.h"
#include "runtime.h"

enum { STATUS_COUNT = CS_UNAUTHENTICATED + 1, NS_PER_US = 1000 };

static const int64_t bucket_us[] = {250,    500,    1000,   2500,    5000,    10000,    25000,   50000,
                                    100000, 250000, 500000, 1000000, 2500000, 10000000, 60000000};
enum { BUCKET_COUNT = CS_COUNT(bucket_us) };

/* The calls of one method that ended with one status. */
struct cell {
    _Atomic uint64_t buckets[BUCKET_COUNT + 1]; /* not cumulative; the last is beyond all bounds */
    _Atomic uint64_t sum_us;
};

struct meter {
    struct cell *_Atomic cells[STATUS_COUNT]; /* made when first needed */
    _Atomic int64_t open;
    _Atomic uint64_t messages[RPC_DIRECTIONS];
};

struct rpc_metrics {
    size_t meter_count; /* of a side: the methods, and one for unknown ones */
    struct meter *meters[RPC_SIDES];
    _Atomic int64_t waiting;
};

static const char *const side_names[] = {"server", "client"};
static const char *const direction_names[] = {"sent", "received"};

struct rpc_metrics *rpc_metrics_create(void) {
    struct rpc_metrics *metrics = cs_alloc(sizeof(*metrics));
    metrics->meter_count = rpc_method_count() + 1;
    for (int side = 0; side < RPC_SIDES; side++) {
        metrics->meters[side] = cs_alloc_array(metrics->meter_count, sizeof(struct meter));
    }
    return metrics;
}

void rpc_metrics_destroy(struct rpc_metrics *metrics) {
    if (metrics == NULL) {
        return;
    }
    for (int side = 0; side < RPC_SIDES; side++) {
        for (size_t i = 0; i < metrics->meter_count; i++) {
            for (int status = 0; status < STATUS_COUNT; status++) {
                free(atomic_load(&metrics->meters[side][i].cells[status]));
            }
        }
        free(metrics->meters[side]);
    }
    free(metrics);
}

static struct meter *meter_of(struct rpc_metrics *metrics, enum rpc_side side, const struct rpc_method *method) {
    return &metrics->meters[side][method != NULL ? method->index : metrics->meter_count - 1];
}

static struct cell *cell_of(struct meter *meter, enum cs_status status) {
    struct cell *_Atomic *slot = &meter->cells[status];
    struct cell *cell = atomic_load_explicit(slot, memory_order_acquire);
    if (cell == NULL) {
        struct cell *made = cs_alloc(sizeof(*made));
        if (atomic_compare_exchange_strong(slot, &cell, made)) {
            return made;
        }
        free(made);
    }
    return cell;
}

static void add(_Atomic uint64_t *counter, uint64_t amount) {
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

void rpc_metrics_open(struct rpc_metrics *metrics, enum rpc_side side, const struct rpc_method *method) {
    atomic_fetch_add_explicit(&meter_of(metrics, side, method)->open, 1, memory_order_relaxed);
}

void rpc_metrics_done(struct rpc_metrics *metrics, enum rpc_side side, const struct rpc_method *method,
                      enum cs_status status, int64_t started_ns) {
    struct meter *meter = meter_of(metrics, side, method);
    int64_t took_us = (cs_clock_mono_ns() - started_ns) / NS_PER_US;
    size_t bucket = 0;
    while (bucket < BUCKET_COUNT && took_us > bucket_us[bucket]) {
        bucket++;
    }
    struct cell *cell = cell_of(meter, (unsigned)status <= CS_UNAUTHENTICATED ? status : CS_UNKNOWN);
    add(&cell->buckets[bucket], 1);
    add(&cell->sum_us, (uint64_t)took_us);
    atomic_fetch_sub_explicit(&meter->open, 1, memory_order_relaxed);
}

void rpc_metrics_message(struct rpc_metrics *metrics, enum rpc_side side, const struct rpc_method *method,
                         enum rpc_direction direction) {
    add(&meter_of(metrics, side, method)->messages[direction], 1);
}

void rpc_metrics_waiting(struct rpc_metrics *metrics, int change) {
    atomic_fetch_add_explicit(&metrics->waiting, change, memory_order_relaxed);
}

/* ---- text ---- */

static const char *path_at(const struct rpc_metrics *metrics, size_t index) {
    return index + 1 < metrics->meter_count ? rpc_method_at(index)->path : "unknown";
}

static uint64_t value_of(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#define DURATION "callsheet_rpc_duration_seconds"

static void put_cell(struct cs_buf *out, const struct cell *cell, const char *labels) {
    uint64_t total = 0;
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        total += value_of(&cell->buckets[i]);
        cs_buf_printf(out, DURATION "_bucket{%s,le=\"%g\"} %llu\n", labels, (double)bucket_us[i] / 1e6,
                      (unsigned long long)total);
    }
    total += value_of(&cell->buckets[BUCKET_COUNT]);
    cs_buf_printf(out, DURATION "_bucket{%s,le=\"+Inf\"} %llu\n", labels, (unsigned long long)total);
    cs_buf_printf(out, DURATION "_sum{%s} %.6f\n", labels, (double)value_of(&cell->sum_us) / 1e6);
    cs_buf_printf(out, DURATION "_count{%s} %llu\n", labels, (unsigned long long)total);
}

static void put_durations(struct cs_buf *out, struct rpc_metrics *metrics, enum rpc_side side) {
    for (size_t i = 0; i < metrics->meter_count; i++) {
        for (int status = 0; status < STATUS_COUNT; status++) {
            const struct cell *cell =
                atomic_load_explicit(&metrics->meters[side][i].cells[status], memory_order_acquire);
            if (cell == NULL) {
                continue;
            }
            CS_AUTO_FREE char *labels = cs_sprintf("side=\"%s\",method=\"%s\",status=\"%s\"", side_names[side],
                                                   path_at(metrics, i), cs_status_name((enum cs_status)status));
            put_cell(out, cell, labels);
        }
    }
}

static void put_open(struct cs_buf *out, struct rpc_metrics *metrics, enum rpc_side side) {
    for (size_t i = 0; i < metrics->meter_count; i++) {
        int64_t open = atomic_load_explicit(&metrics->meters[side][i].open, memory_order_relaxed);
        if (open != 0) {
            cs_buf_printf(out, "callsheet_rpc_open_calls{side=\"%s\",method=\"%s\"} %lld\n", side_names[side],
                          path_at(metrics, i), (long long)open);
        }
    }
}

static void put_messages(struct cs_buf *out, struct rpc_metrics *metrics, enum rpc_side side) {
    for (size_t i = 0; i < metrics->meter_count; i++) {
        for (int direction = 0; direction < RPC_DIRECTIONS; direction++) {
            uint64_t count = value_of(&metrics->meters[side][i].messages[direction]);
            if (count != 0) {
                cs_buf_printf(
                    out, "callsheet_rpc_stream_messages_total{side=\"%s\",method=\"%s\",direction=\"%s\"} %llu\n",
                    side_names[side], path_at(metrics, i), direction_names[direction], (unsigned long long)count);
            }
        }
    }
}

static void put_family(struct cs_buf *out, struct rpc_metrics *metrics, const char *name, const char *type,
                       const char *help, void (*put)(struct cs_buf *, struct rpc_metrics *, enum rpc_side)) {
    cs_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    for (int side = 0; side < RPC_SIDES; side++) {
        put(out, metrics, (enum rpc_side)side);
    }
}

void cs_rpc_metrics(struct cs_rpc *rpc, struct cs_buf *out) {
    struct rpc_metrics *metrics = rpc->metrics;
    put_family(out, metrics, DURATION, "histogram", "Time from the start of a call to its end.", put_durations);
    put_family(out, metrics, "callsheet_rpc_open_calls", "gauge", "Calls and streams that have not ended.", put_open);
    put_family(out, metrics, "callsheet_rpc_stream_messages_total", "counter", "Messages on streams.", put_messages);
    cs_buf_printf(out,
                  "# HELP callsheet_rpc_waiting_handlers Calls that wait for a handler thread.\n"
                  "# TYPE callsheet_rpc_waiting_handlers gauge\n"
                  "callsheet_rpc_waiting_handlers %lld\n",
                  (long long)atomic_load_explicit(&metrics->waiting, memory_order_relaxed));
}
