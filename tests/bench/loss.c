/* kill -9 of a worker; a restart of the database under running jobs. */
#include "bench.h"
#include "cs/base/clock.h"

enum { WITHIN_MS = 30 * 1000 };

/* A plan's jobs are on the workers and stay there. */
static enum cs_status occupy(struct bench *bench, const struct shape *shape, uint64_t started, struct cs_err *err) {
    stamps_reset(&bench->stack.stamps);
    atomic_store(&bench->stack.stamps.shared->hold_us, STAMPS_HOLD_ON);
    CS_TRY(bench_fill(bench, shape, 1, err));
    return stamps_await_started(&bench->stack.stamps, started, WITHIN_MS, err);
}

enum cs_status bench_worker_loss(struct bench *bench, struct cs_err *err) {
    struct stack *stack = &bench->stack;
    struct shape shape = shape_flat; /* the other worker has room for all, and slots to spare */
    shape.jobs = STACK_WORKERS * stack->slots * 3 / 8;
    CS_TRY(occupy(bench, &shape, shape.jobs, err));
    uint64_t lost = stack->stamps.shared->held[0];
    int64_t begin_ns = cs_clock_mono_ns();
    cs_process_kill(&stack->workers[0].process);
    CS_TRY(stamps_await_started(&stack->stamps, shape.jobs + lost, WITHIN_MS, err));
    figure(&bench->figures, "worker_loss_ms", (double)(cs_clock_mono_ns() - begin_ns) / 1e6, "ms",
           "kill -9 of a worker -> its jobs run elsewhere");
    cs_process_fini(&stack->workers[0].process);
    atomic_store(&stack->stamps.shared->hold_us, STAMPS_HOLD_NOT);
    CS_TRY(bench_drain(bench, shape.jobs, err));
    CS_TRY(stack_start_worker(stack, 0, err));
    CS_TRY(stack_restart(stack, STACK_WITH_WORKERS, err)); /* its address is another one */
    return bench_connect(bench, err);
}

/* The first job of a chain ends while the database is away; the second one can run only after that is committed. */
enum cs_status bench_postgres_restart(struct bench *bench, struct cs_err *err) {
    struct stack *stack = &bench->stack;
    CS_TRY(occupy(bench, &shape_chain, 1, err));
    stack_stop_postgres(stack);
    atomic_store(&stack->stamps.shared->hold_us, STAMPS_HOLD_NOT);
    CS_TRY(stamps_await_ended(&stack->stamps, 1, WITHIN_MS, err));
    CS_TRY(stack_start_postgres(stack, err));
    int64_t begin_ns = cs_clock_mono_ns();
    CS_TRY(stamps_await_started(&stack->stamps, 2, WITHIN_MS, err));
    figure(&bench->figures, "pg_restart_ms", (double)(cs_clock_mono_ns() - begin_ns) / 1e6, "ms",
           "PostgreSQL accepts again -> dispatching");
    return bench_drain(bench, shape_chain.jobs, err);
}
