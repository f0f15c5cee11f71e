/* How many, shape by shape, and whose CPU it takes. */
#include <stdio.h>

#include "bench.h"
#include "cs/base/clock.h"

static const struct shape *const shapes[] = {&shape_dag6, &shape_single,  &shape_chain,  &shape_diamond,
                                             &shape_flat, &shape_fan_out, &shape_fan_in, &shape_layered};

struct result {
    double jobs_per_s;
    double commits_per_job;
    struct stack_cpu us; /* a job */
};

static double us_per_job(double before_s, double after_s, double jobs) {
    return (after_s - before_s) * 1e6 / jobs;
}

static enum cs_status measure(struct bench *bench, const struct shape *shape, struct result *ret_result,
                              struct cs_err *err) {
    double jobs = (double)shape->executions * shape->jobs;
    int64_t before = 0;
    int64_t after = 0;
    CS_TRY(stack_transactions(&bench->stack, &before, err));
    struct stack_cpu from = stack_cpu(&bench->stack);
    int64_t begin_ns = cs_clock_mono_ns();
    CS_TRY(bench_complete(bench, shape, shape->executions, err));
    double took_s = (double)(cs_clock_mono_ns() - begin_ns) / 1e9;
    struct stack_cpu to = stack_cpu(&bench->stack);
    CS_TRY(stack_transactions(&bench->stack, &after, err));
    *ret_result = (struct result){
        .jobs_per_s = jobs / took_s,
        .commits_per_job = (double)(after - before) / jobs,
        .us = {us_per_job(from.engine, to.engine, jobs), us_per_job(from.postgres, to.postgres, jobs),
               us_per_job(from.workers, to.workers, jobs), us_per_job(from.client, to.client, jobs)},
    };
    return CS_OK;
}

static void quiet(struct bench *bench, const struct shape *shape, const char *what, double value) {
    CS_AUTO_FREE char *key = cs_sprintf("%s_%s", shape->name, what);
    figure_quiet(&bench->figures, key, value);
}

static void tell(struct bench *bench, const struct shape *shape, const struct result *result) {
    (void)printf("  %-28s %10.0f %9.1f %9.1f %9.1f %9.1f %9.4f\n", shape->words, result->jobs_per_s, result->us.engine,
                 result->us.postgres, result->us.workers, result->us.client, result->commits_per_job);
    (void)fflush(stdout);
    quiet(bench, shape, "jobs_per_s", result->jobs_per_s);
    quiet(bench, shape, "engine_us_per_job", result->us.engine);
    quiet(bench, shape, "postgres_us_per_job", result->us.postgres);
    quiet(bench, shape, "workers_us_per_job", result->us.workers);
    quiet(bench, shape, "client_us_per_job", result->us.client);
    quiet(bench, shape, "commits_per_job", result->commits_per_job);
}

enum cs_status bench_throughput(struct bench *bench, struct cs_err *err) {
    (void)printf("\n  %-28s %10s %9s %9s %9s %9s %9s\n  %-28s %10s %9s %9s %9s %9s %9s\n", "", "", "CPU us",
                 "a job:", "", "", "commits", "drained, durable", "jobs/s", "engine", "postgres", "workers", "client",
                 "a job");
    for (size_t i = 0; i < CS_COUNT(shapes); i++) {
        struct result result = {0};
        CS_TRY(measure(bench, shapes[i], &result, err));
        tell(bench, shapes[i], &result);
        if (shapes[i] == &shape_dag6) {
            bench->dag6_jobs_per_s = result.jobs_per_s;
            figure_quiet(&bench->figures, "commits_per_job", result.commits_per_job);
        }
    }
    (void)printf("\n");
    return CS_OK;
}
