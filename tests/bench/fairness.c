/* Two tenants: what one waits because of the other. */
#include "bench.h"

enum {
    HOLD_US = 1000 * 1000, /* media work lasts longer */
    SHORT_HOLD_US = 100 * 1000,
    SETTLE_ROUNDS = 3,
    HEADROOM = 32, /* one of so many slots stays free: the default of the orchestrator */
};

#define OTHER_TENANT "other"

/* Dispatch of the other tenant, one job at a time, while the first has jobs left; at most `samples` of them. */
static enum cs_status probe(struct bench *bench, uint64_t until_ended, int64_t count, struct samples *samples,
                            struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const Callsheet__V1__CreateExecutionRequest *request = shape_plan(&shape_single, 'p', OTHER_TENANT, arena);
    const struct stamps *stamps = bench->stack.stamps.shared;
    while ((int64_t)samples->count < count && stamps->ended < until_ended) {
        int64_t begin_ns = 0;
        int64_t end_ns = 0;
        CS_TRY(bench_play(bench, request, &begin_ns, &end_ns, err));
        samples_add(samples, stamps->started_ns[0] - begin_ns);
    }
    return CS_OK;
}

/* That one tenant can take. */
static uint64_t slots_of(const struct bench *bench) {
    uint64_t slots = (uint64_t)STACK_WORKERS * bench->stack.slots;
    return slots - slots / HEADROOM;
}

/* All slots are taken by the first tenant, and the rest of its jobs waits for them. */
static enum cs_status queue_up(struct bench *bench, uint32_t executions, struct cs_err *err) {
    stamps_reset(&bench->stack.stamps);
    atomic_store(&bench->stack.stamps.shared->hold_us, STAMPS_HOLD_ON);
    CS_TRY(bench_fill(bench, &shape_flat, executions, err));
    return stamps_await_started(&bench->stack.stamps, slots_of(bench), BENCH_DRAIN_MS, err);
}

/* Until its jobs come and go evenly. */
static enum cs_status settle(struct bench *bench, struct cs_err *err) {
    return stamps_await_started(&bench->stack.stamps, SETTLE_ROUNDS * slots_of(bench), BENCH_DRAIN_MS, err);
}

static enum cs_status measure(struct bench *bench, int64_t hold_us, struct samples *samples, struct cs_err *err) {
    uint32_t executions = (uint32_t)bench->options.open / shape_flat.jobs;
    uint64_t jobs = (uint64_t)executions * shape_flat.jobs;
    CS_TRY(queue_up(bench, executions, err));
    atomic_store(&bench->stack.stamps.shared->hold_us, hold_us);
    CS_TRY(settle(bench, err));
    CS_TRY(probe(bench, jobs - slots_of(bench), bench->options.samples, samples, err));
    atomic_store(&bench->stack.stamps.shared->hold_us, STAMPS_HOLD_NOT);
    return bench_drain(bench, jobs + samples->count, err);
}

enum cs_status bench_fairness(struct bench *bench, struct cs_err *err) {
    struct samples alone = {0};
    struct samples queued = {0};
    struct samples saturated = {0};
    struct samples short_jobs = {0};
    CS_TRY(probe(bench, UINT64_MAX, bench->options.samples, &alone, err));
    CS_TRY(measure(bench, HOLD_US, &queued, err));
    CS_TRY(measure(bench, SHORT_HOLD_US, &short_jobs, err));
    CS_TRY(measure(bench, STAMPS_HOLD_NOT, &saturated, err));
    double p99_ms = samples_ms(&alone, 99);
    figure(&bench->figures, "tenant_b_alone_p99_ms", p99_ms, "ms", "dispatch of tenant B, alone, p99");
    figure(&bench->figures, "tenant_b_p99_ms", samples_ms(&queued, 99), "ms",
           "… A's jobs of 1 s hold its slots, 100,000 queued, p99");
    figure(&bench->figures, "tenant_b_p99_ratio", samples_ms(&queued, 99) / p99_ms, "x", "… against alone");
    figure(&bench->figures, "tenant_b_short_p99_ms", samples_ms(&short_jobs, 99), "ms",
           "… A's jobs last 0.1 s: 5,000 end each second, p99");
    figure(&bench->figures, "tenant_b_short_p99_ratio", samples_ms(&short_jobs, 99) / p99_ms, "x", "… against alone");
    figure(&bench->figures, "tenant_b_saturated_p99_ms", samples_ms(&saturated, 99), "ms",
           "… A's 100,000 no-ops take the whole machine, p99");
    figure(&bench->figures, "tenant_b_saturated_p99_ratio", samples_ms(&saturated, 99) / p99_ms, "x",
           "… against alone");
    samples_fini(&alone);
    samples_fini(&queued);
    samples_fini(&saturated);
    samples_fini(&short_jobs);
    return CS_OK;
}
