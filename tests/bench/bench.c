/*
 * callsheet-bench: what the orchestrator takes, through the real parts: its program, a durable PostgreSQL (fsync on),
 * workers over the real contract that do nothing. Everything shares this machine; compare figures of one run with each
 * other.
 *
 *     callsheet-bench [--scratch DIR] [--out FILE.json] [--executions N] [--samples N] [--window N] [--open N]
 */
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/conf.h"
#include "figures.h"
#include "noop_worker.h"
#include "stack.h"

enum { CHAIN = 20, DAG6 = 6, DRAIN_MS = 120 * 1000 };

/* Two sources, a join, two steps, and a sixth job after all five. */
static const uint32_t dag6_edges[][2] = {{2, 0}, {2, 1}, {3, 2}, {4, 3}, {5, 0}, {5, 1}, {5, 2}, {5, 3}, {5, 4}};

struct options {
    const char *scratch;
    const char *out;
    int64_t executions;
    int64_t samples;
    int64_t window;
    int64_t open;
};

#define AT(field) offsetof(struct options, field)
static const struct cs_conf_option option_table[] = {
    {"scratch", "BENCH_SCRATCH", CS_CONF_STRING, AT(scratch), "build/bench", .metavar = "DIR",
     .help = "where the database lives meanwhile; on the disk that is to be measured"},
    {"out", "BENCH_OUT", CS_CONF_STRING, AT(out), "build/bench/engine.json", .metavar = "FILE",
     .help = "the figures as JSON"},
    {"executions", "BENCH_EXECUTIONS", CS_CONF_INT, AT(executions), "1000", 1, 1000000,
     .help = "DAGs of the throughput run"},
    {"samples", "BENCH_SAMPLES", CS_CONF_INT, AT(samples), "300", 10, 100000, .help = "of each latency"},
    {"window", "BENCH_WINDOW", CS_CONF_INT, AT(window), "256", 1, 2048, .help = "submissions under way at once"},
    {"open", "BENCH_OPEN", CS_CONF_INT, AT(open), "100000", 6, 1000000, .help = "jobs that are open at the restart"},
};
static const struct cs_conf_spec option_spec = {
    .program = "callsheet-bench",
    .summary = "Measures the orchestrator through its real parts.",
    .options = option_table,
    .count = CS_COUNT(option_table),
};

struct bench {
    struct options options;
    struct cs_arena *arena;
    struct cs_rpc *rpc;
    struct stack stack;
    struct client *client;
    struct figures figures;
};

/* ---- idle: one execution at a time ---- */

static enum cs_status play(struct bench *bench, const Callsheet__V1__CreateExecutionRequest *request,
                           int64_t *ret_begin_ns, int64_t *ret_end_ns, struct cs_err *err) {
    char id[CLIENT_ID_SIZE];
    noop_reset();
    *ret_begin_ns = cs_clock_mono_ns();
    CS_TRY(client_submit(bench->client, request, id, err));
    return client_await(bench->client, id, ret_end_ns, err);
}

static enum cs_status warm_up(struct bench *bench, struct cs_err *err) {
    const Callsheet__V1__CreateExecutionRequest *request =
        client_plan(DAG6, dag6_edges, CS_COUNT(dag6_edges), bench->arena);
    for (int i = 0; i < 50; i++) {
        int64_t begin_ns = 0;
        int64_t end_ns = 0;
        CS_TRY(play(bench, request, &begin_ns, &end_ns, err));
    }
    return CS_OK;
}

static enum cs_status measure_dispatch(struct bench *bench, struct cs_err *err) {
    const Callsheet__V1__CreateExecutionRequest *request = client_plan(1, NULL, 0, bench->arena);
    struct samples dispatch = {0};
    for (int64_t i = 0; i < bench->options.samples; i++) {
        int64_t begin_ns = 0;
        int64_t end_ns = 0;
        CS_TRY(play(bench, request, &begin_ns, &end_ns, err));
        samples_add(&dispatch, noop_started_ns(0) - begin_ns);
    }
    figure(&bench->figures, "dispatch_p50_ms", samples_ms(&dispatch, 50), "ms", "submit -> root job on a worker, p50");
    figure(&bench->figures, "dispatch_p99_ms", samples_ms(&dispatch, 99), "ms", "submit -> root job on a worker, p99");
    samples_fini(&dispatch);
    return CS_OK;
}

static enum cs_status measure_chain(struct bench *bench, struct cs_err *err) {
    uint32_t edges[CHAIN - 1][2];
    for (uint32_t i = 0; i + 1 < CHAIN; i++) {
        edges[i][0] = i + 1;
        edges[i][1] = i;
    }
    const Callsheet__V1__CreateExecutionRequest *request = client_plan(CHAIN, edges, CHAIN - 1, bench->arena);
    struct samples hop = {0};
    struct samples chain = {0};
    for (int64_t i = 0; i < bench->options.samples / 4; i++) {
        int64_t begin_ns = 0;
        int64_t end_ns = 0;
        CS_TRY(play(bench, request, &begin_ns, &end_ns, err));
        samples_add(&chain, end_ns - begin_ns);
        for (uint32_t job = 0; job + 1 < CHAIN; job++) {
            samples_add(&hop, noop_started_ns(job + 1) - noop_reported_ns(job));
        }
    }
    figure(&bench->figures, "hop_p50_ms", samples_ms(&hop, 50), "ms", "parent's result -> child on a worker, p50");
    figure(&bench->figures, "hop_p99_ms", samples_ms(&hop, 99), "ms", "parent's result -> child on a worker, p99");
    figure(&bench->figures, "chain20_ms", samples_ms(&chain, 50), "ms", "chain of 20, submit -> complete, p50");
    samples_fini(&hop);
    samples_fini(&chain);
    return CS_OK;
}

static enum cs_status measure_dag6(struct bench *bench, struct cs_err *err) {
    const Callsheet__V1__CreateExecutionRequest *request =
        client_plan(DAG6, dag6_edges, CS_COUNT(dag6_edges), bench->arena);
    struct samples dag = {0};
    for (int64_t i = 0; i < bench->options.samples; i++) {
        int64_t begin_ns = 0;
        int64_t end_ns = 0;
        CS_TRY(play(bench, request, &begin_ns, &end_ns, err));
        samples_add(&dag, end_ns - begin_ns);
    }
    figure(&bench->figures, "dag6_p50_ms", samples_ms(&dag, 50), "ms", "6-job DAG at idle, submit -> complete, p50");
    figure(&bench->figures, "dag6_p99_ms", samples_ms(&dag, 99), "ms", "6-job DAG at idle, submit -> complete, p99");
    samples_fini(&dag);
    return CS_OK;
}

/* ---- busy: as many as it takes ---- */

static enum cs_status drain(struct bench *bench, uint64_t jobs, struct cs_err *err) {
    CS_TRY(noop_await(jobs, DRAIN_MS, err));
    int64_t until_ms = cs_clock_mono_ms() + DRAIN_MS;
    bool any = true;
    while (any && cs_clock_mono_ms() < until_ms) {
        CS_TRY(client_any_active(bench->client, &any, err));
    }
    return any ? cs_fail(err, CS_DEADLINE_EXCEEDED, "timeout", "some executions do not end") : CS_OK;
}

static enum cs_status measure_throughput(struct bench *bench, struct cs_err *err) {
    const struct options *options = &bench->options;
    const Callsheet__V1__CreateExecutionRequest *request =
        client_plan(DAG6, dag6_edges, CS_COUNT(dag6_edges), bench->arena);
    double jobs = (double)options->executions * DAG6;
    int64_t before = 0;
    int64_t after = 0;
    CS_TRY(stack_transactions(&bench->stack, &before, err));
    double cpu_s = stack_cpu_s(&bench->stack.orchestrator);
    noop_reset();
    int64_t begin_ns = cs_clock_mono_ns();
    CS_TRY(client_flood(bench->client, request, (uint32_t)options->executions, (uint32_t)options->window, err));
    CS_TRY(drain(bench, (uint64_t)options->executions * DAG6, err));
    double took_s = (double)(cs_clock_mono_ns() - begin_ns) / 1e9;
    cpu_s = stack_cpu_s(&bench->stack.orchestrator) - cpu_s;
    CS_TRY(stack_transactions(&bench->stack, &after, err));
    figure(&bench->figures, "dag6_jobs_per_s", jobs / took_s, "jobs/s", "6-job DAGs, durable, drained");
    figure(&bench->figures, "commits_per_job", (double)(after - before) / jobs, "", "commits per job");
    figure(&bench->figures, "orchestrator_cpu_us_per_job", cpu_s * 1e6 / jobs, "us", "CPU of the orchestrator per job");
    return CS_OK;
}

/* ---- kill -9 with much to do ---- */

static enum cs_status connect_client(struct bench *bench, struct cs_err *err) {
    client_destroy(cs_steal(&bench->client));
    return client_create(bench->rpc, bench->stack.address, &bench->client, err);
}

static enum cs_status measure_restart(struct bench *bench, struct cs_err *err) {
    const struct options *options = &bench->options;
    const Callsheet__V1__CreateExecutionRequest *request =
        client_plan(DAG6, dag6_edges, CS_COUNT(dag6_edges), bench->arena);
    uint32_t executions = (uint32_t)(options->open / DAG6);
    CS_TRY(stack_restart(&bench->stack, "", err)); /* without workers everything stays open */
    CS_TRY(connect_client(bench, err));
    CS_TRY(client_flood(bench->client, request, executions, (uint32_t)options->window, err));
    noop_reset();
    int64_t begin_ns = cs_clock_mono_ns();
    CS_TRY(stack_restart(&bench->stack, noop_workers_addresses(), err));
    int64_t ready_ns = cs_clock_mono_ns();
    CS_TRY(connect_client(bench, err));
    CS_TRY(drain(bench, (uint64_t)executions * DAG6, err));
    figure(&bench->figures, "restart_ready_ms", (double)(ready_ns - begin_ns) / 1e6, "ms",
           "kill -9 with many open jobs -> serving");
    figure(&bench->figures, "restart_dispatch_ms", (double)(noop_first_ns() - begin_ns) / 1e6, "ms",
           "kill -9 with many open jobs -> dispatching");
    return CS_OK;
}

/* ---- the run ---- */

static enum cs_status measure(struct bench *bench, struct cs_err *err) {
    CS_TRY(warm_up(bench, err));
    CS_TRY(measure_dispatch(bench, err));
    CS_TRY(measure_chain(bench, err));
    CS_TRY(measure_dag6(bench, err));
    CS_TRY(measure_throughput(bench, err));
    CS_TRY(measure_restart(bench, err));
    return figures_write(&bench->figures, bench->options.out, err);
}

static enum cs_status run(struct bench *bench, struct cs_err *err) {
    CS_AUTO(cs_rpc) *rpc = NULL;
    CS_TRY(cs_rpc_create(NULL, &rpc, err));
    bench->rpc = rpc;
    enum cs_status status = noop_workers_start(rpc, err);
    if (status == CS_OK) {
        status = stack_start(&bench->stack, bench->options.scratch, noop_workers_addresses(), err);
    }
    if (status == CS_OK) {
        status = connect_client(bench, err);
    }
    if (status == CS_OK) {
        status = measure(bench, err);
    }
    client_destroy(bench->client);
    stack_stop(&bench->stack);
    noop_workers_stop();
    return status;
}

int main(int argc, char **argv) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct bench bench = {.arena = arena};
    enum cs_conf_outcome outcome = CS_CONF_RUN;
    struct cs_err err = {0};
    cs_log_setup("bench", CS_LOG_WARN);
    enum cs_status status = cs_conf_load(&option_spec, argc, argv, arena, &bench.options, &outcome, NULL, &err);
    if (status == CS_OK && outcome == CS_CONF_RUN) {
        status = run(&bench, &err);
    }
    figures_fini(&bench.figures);
    if (status != CS_OK) {
        (void)fprintf(stderr, "callsheet-bench: %s\n", err.message);
        return 1;
    }
    return 0;
}
