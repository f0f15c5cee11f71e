/* Two tenants: what one waits because of the other. */
#include <stdio.h>

#include "bench.h"
#include "cs/base/clock.h"

enum {
    SETTLE_ROUNDS = 3,
    ROUNDS_MAX = 8, /* of a load that ends before there are enough samples */
    HEADROOM = 32,  /* one of so many slots stays free: the default of the orchestrator */
};

#define OTHER_TENANT "other"

/* What the first tenant does. */
struct load {
    const char *infix; /* in the JSON */
    const char *words;
    int64_t hold_us; /* how long its jobs last */
};

static const struct load loads[] = {
    {"", "A's jobs last 1 s", 1000 * 1000},                      /* media work lasts longer */
    {"short_", "… 0.1 s: 5,000 end each second", 100 * 1000},    /* of the slots that the bench has */
    {"saturated_", "… 0: they take both CPUs", STAMPS_HOLD_NOT}, /* no limit but the machine */
};

/* Of the second tenant. */
struct result {
    struct samples accepted; /* submit -> answer, which comes after the commit */
    struct samples dispatch; /* submit -> on a worker */
    struct stack_cpu cpu;    /* seconds meanwhile */
    double took_s;
};

static void result_fini(struct result *result) {
    samples_fini(&result->accepted);
    samples_fini(&result->dispatch);
}

static enum cs_status probe_once(struct bench *bench, const Callsheet__V1__CreateExecutionRequest *request,
                                 struct result *result, struct cs_err *err) {
    char id[CLIENT_ID_SIZE];
    int64_t end_ns = 0;
    int64_t begin_ns = cs_clock_mono_ns();
    CS_TRY(client_submit(bench->client, request, id, err));
    samples_add(&result->accepted, cs_clock_mono_ns() - begin_ns);
    CS_TRY(client_await(bench->client, request->tenant, id, &end_ns, err));
    samples_add(&result->dispatch, bench->stack.stamps.shared->started_ns[0] - begin_ns);
    return CS_OK;
}

/* One job at a time, while the first tenant has jobs left; `count` more of them at most. */
static enum cs_status probe(struct bench *bench, uint64_t until_ended, size_t count, struct result *result,
                            struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const Callsheet__V1__CreateExecutionRequest *request = shape_plan(&shape_single, 'p', OTHER_TENANT, arena);
    const struct stamps *stamps = bench->stack.stamps.shared;
    struct stack_cpu before = stack_cpu(&bench->stack);
    int64_t begin_ns = cs_clock_mono_ns();
    for (size_t i = 0; i < count && stamps->ended < until_ended; i++) {
        CS_TRY(probe_once(bench, request, result, err));
    }
    struct stack_cpu after = stack_cpu(&bench->stack);
    result->took_s += (double)(cs_clock_mono_ns() - begin_ns) / 1e9;
    result->cpu.engine += after.engine - before.engine;
    result->cpu.postgres += after.postgres - before.postgres;
    result->cpu.workers += after.workers - before.workers;
    result->cpu.client += after.client - before.client;
    return CS_OK;
}

/* ---- the first tenant ---- */

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

/* Until all its jobs have ended, or there are so many samples. */
static enum cs_status round_of(struct bench *bench, const struct load *load, size_t count, struct result *result,
                               struct cs_err *err) {
    uint32_t executions = (uint32_t)bench->options.open / shape_flat.jobs;
    uint64_t jobs = (uint64_t)executions * shape_flat.jobs;
    size_t before = result->dispatch.count;
    CS_TRY(queue_up(bench, executions, err));
    atomic_store(&bench->stack.stamps.shared->hold_us, load->hold_us);
    CS_TRY(settle(bench, err));
    CS_TRY(probe(bench, jobs - slots_of(bench), count - before, result, err));
    atomic_store(&bench->stack.stamps.shared->hold_us, STAMPS_HOLD_NOT);
    return bench_drain(bench, jobs + result->dispatch.count - before, err);
}

static enum cs_status measure(struct bench *bench, const struct load *load, struct result *result, struct cs_err *err) {
    size_t count = (size_t)bench->options.samples;
    for (int i = 0; i < ROUNDS_MAX && result->dispatch.count < count; i++) {
        CS_TRY(round_of(bench, load, count, result, err));
    }
    return CS_OK;
}

/* ---- what is told ---- */

static void quiet(struct bench *bench, const char *infix, const char *what, double value) {
    CS_AUTO_FREE char *key = cs_sprintf("tenant_b_%s%s", infix, what);
    figure_quiet(&bench->figures, key, value);
}

/* Ends the result. */
static void tell(struct bench *bench, const char *infix, const char *words, struct result *result,
                 struct result *alone) {
    double p50_ms = samples_ms(&result->dispatch, 50);
    double p99_ms = samples_ms(&result->dispatch, 99);
    double p50_ratio = p50_ms / samples_ms(&alone->dispatch, 50);
    double p99_ratio = p99_ms / samples_ms(&alone->dispatch, 99);
    double accepted_ms = samples_ms(&result->accepted, 99);
    const struct stack_cpu *cpu = &result->cpu;
    (void)printf("  %-31s %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f\n", words, p50_ms, p99_ms, p50_ratio,
                 p99_ratio, accepted_ms, cpu->engine / result->took_s, cpu->postgres / result->took_s,
                 cpu->workers / result->took_s, cpu->client / result->took_s);
    (void)fflush(stdout);
    quiet(bench, infix, "p50_ms", p50_ms);
    quiet(bench, infix, "p99_ms", p99_ms);
    quiet(bench, infix, "p50_ratio", p50_ratio);
    quiet(bench, infix, "p99_ratio", p99_ratio);
    quiet(bench, infix, "accepted_p99_ms", accepted_ms);
    result_fini(result);
}

static void tell_head(void) {
    (void)printf("\n  %-31s %7s %7s %7s %7s %7s %7s\n  %-31s %7s %7s %7s %7s %7s %7s %7s %7s %7s\n",
                 "dispatch of tenant B while A has", "ms:", "", "x alone", "", "answer", "CPUs:", "100,000 jobs queued",
                 "p50", "p99", "p50", "p99", "p99", "engine", "pg", "workers", "client");
}

/* Alone before and after: the machine may not be the same all the time. */
enum cs_status bench_fairness(struct bench *bench, struct cs_err *err) {
    struct result results[CS_COUNT(loads)] = {0};
    struct result alone = {0};
    size_t half = (size_t)bench->options.samples / 2;
    CS_TRY(probe(bench, UINT64_MAX, half, &alone, err));
    for (size_t i = 0; i < CS_COUNT(loads); i++) {
        CS_TRY(measure(bench, &loads[i], &results[i], err));
    }
    CS_TRY(probe(bench, UINT64_MAX, half, &alone, err));
    tell_head();
    for (size_t i = 0; i < CS_COUNT(loads); i++) {
        tell(bench, loads[i].infix, loads[i].words, &results[i], &alone);
    }
    tell(bench, "alone_", "alone", &alone, &alone);
    (void)printf("\n");
    return CS_OK;
}
