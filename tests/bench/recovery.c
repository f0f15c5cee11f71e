/* kill -9 of the orchestrator with much to do. */
#include <time.h>

#include "bench.h"
#include "cs/base/clock.h"

enum { LOOK_EVERY_MS = 10 };

static const struct {
    const struct shape *shape;
    const char *suffix; /* of names */
    const char *words;
} kinds[] = {
    {&shape_dag6, "100k", "100,000 open jobs in 6-job DAGs"},
    {&shape_single, "100k_executions", "100,000 open executions"},
};

static double since_ms(int64_t begin_ns, int64_t end_ns) {
    return (double)(end_ns - begin_ns) / 1e6;
}

static void tell(struct bench *bench, const char *prefix, size_t kind, const char *what, double ms) {
    CS_AUTO_FREE char *key = cs_sprintf("%s_%s_ms", prefix, kinds[kind].suffix);
    CS_AUTO_FREE char *line = cs_sprintf("kill -9, %s -> %s", kinds[kind].words, what);
    figure(&bench->figures, key, ms, "ms", line);
}

/* An orchestrator without workers has much to do. */
static enum cs_status fill(struct bench *bench, const struct shape *shape, uint64_t *ret_jobs, struct cs_err *err) {
    uint32_t executions = (uint32_t)bench->options.open / shape->jobs;
    *ret_jobs = (uint64_t)executions * shape->jobs;
    CS_TRY(stack_restart(&bench->stack, STACK_ALONE, err));
    CS_TRY(bench_connect(bench, err));
    stamps_reset(&bench->stack.stamps);
    return bench_fill(bench, shape, executions, err);
}

enum cs_status bench_restart(struct bench *bench, struct cs_err *err) {
    for (size_t i = 0; i < CS_COUNT(kinds); i++) {
        uint64_t jobs = 0;
        CS_TRY(fill(bench, kinds[i].shape, &jobs, err));
        int64_t begin_ns = cs_clock_mono_ns();
        CS_TRY(stack_restart(&bench->stack, STACK_WITH_WORKERS, err));
        int64_t serving_ns = cs_clock_mono_ns();
        CS_TRY(bench_connect(bench, err));
        CS_TRY(bench_drain(bench, jobs, err));
        tell(bench, "restart", i, "the same again dispatches",
             since_ms(begin_ns, bench->stack.stamps.shared->first_ns));
        tell(bench, "restart_serving", i, "… serves", since_ms(begin_ns, serving_ns));
    }
    return CS_OK;
}

/* ---- a standby ---- */

static void wait_a_moment(void) {
    struct timespec moment = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
    (void)nanosleep(&moment, NULL);
}

/* When nothing belongs to the dead one any more. */
static enum cs_status await_claimed(struct bench *bench, int64_t *ret_ns, struct cs_err *err) {
    int64_t until_ms = cs_clock_mono_ms() + BENCH_DRAIN_MS;
    bool left = true;
    while (left && cs_clock_mono_ms() < until_ms) {
        wait_a_moment();
        CS_TRY(stack_is_left(&bench->stack, &left, err));
    }
    *ret_ns = cs_clock_mono_ns();
    return left ? cs_fail(err, CS_DEADLINE_EXCEEDED, "timeout", "the standby does not take over everything") : CS_OK;
}

static enum cs_status take_over(struct bench *bench, size_t kind, struct cs_err *err) {
    uint64_t jobs = 0;
    int64_t claimed_ns = 0;
    CS_TRY(fill(bench, kinds[kind].shape, &jobs, err));
    CS_TRY(stack_start_standby(&bench->stack, STACK_WITH_WORKERS, err));
    int64_t begin_ns = cs_clock_mono_ns();
    stack_kill_orchestrator(&bench->stack);
    stack_promote_standby(&bench->stack);
    CS_TRY(await_claimed(bench, &claimed_ns, err));
    CS_TRY(bench_connect(bench, err));
    CS_TRY(bench_drain(bench, jobs, err));
    int64_t first_ns = bench->stack.stamps.shared->first_ns;
    tell(bench, "takeover", kind, "a standby dispatches", since_ms(begin_ns, first_ns));
    tell(bench, "takeover_all", kind, "… has taken over all", since_ms(begin_ns, claimed_ns));
    return CS_OK;
}

enum cs_status bench_takeover(struct bench *bench, struct cs_err *err) {
    for (size_t i = 0; i < CS_COUNT(kinds); i++) {
        CS_TRY(take_over(bench, i, err));
    }
    return CS_OK;
}
