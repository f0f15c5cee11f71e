/* Millions of jobs on one stack: does it stay as fast as it began? */
#include <stdio.h>

#include "bench.h"
#include "cs/base/clock.h"

enum { SLICES = 10 };

struct slice {
    double jobs_per_s;
    double cpu_us; /* of engine and database, a job: others on the machine do not change that much */
    double rss_mib;
};

static enum cs_status run_slice(struct bench *bench, uint32_t executions, struct slice *ret_slice, struct cs_err *err) {
    double jobs = (double)executions * shape_dag6.jobs;
    struct stack_cpu from = stack_cpu(&bench->stack);
    int64_t begin_ns = cs_clock_mono_ns();
    CS_TRY(bench_complete(bench, &shape_dag6, executions, err));
    double took_s = (double)(cs_clock_mono_ns() - begin_ns) / 1e9;
    struct stack_cpu to = stack_cpu(&bench->stack);
    ret_slice->jobs_per_s = jobs / took_s;
    ret_slice->cpu_us = (to.engine + to.postgres - from.engine - from.postgres) * 1e6 / jobs;
    ret_slice->rss_mib = (double)stack_rss_bytes(&bench->stack) / (1 << 20);
    return CS_OK;
}

enum cs_status bench_endurance(struct bench *bench, struct cs_err *err) {
    uint32_t executions = (uint32_t)(bench->options.endurance_jobs / SLICES / shape_dag6.jobs);
    struct slice slices[SLICES] = {0};
    (void)printf("  %12s %12s %26s %12s\n", "jobs so far", "jobs/s", "engine+postgres CPU us/job", "RSS MiB");
    for (uint32_t i = 0; i < SLICES; i++) {
        CS_TRY(run_slice(bench, executions, &slices[i], err));
        (void)printf("  %12lu %12.0f %26.1f %12.1f\n", (unsigned long)(i + 1) * executions * shape_dag6.jobs,
                     slices[i].jobs_per_s, slices[i].cpu_us, slices[i].rss_mib);
        (void)fflush(stdout);
        CS_AUTO_FREE char *key = cs_sprintf("endurance_%u_jobs_per_s", i);
        figure_quiet(&bench->figures, key, slices[i].jobs_per_s);
    }
    const struct slice *first = &slices[0];
    const struct slice *last = &slices[SLICES - 1];
    figure(&bench->figures, "endurance_rate_ratio", last->jobs_per_s / first->jobs_per_s, "x",
           "jobs/s of the last slice against the first");
    figure(&bench->figures, "endurance_cpu_ratio", last->cpu_us / first->cpu_us, "x",
           "CPU a job of the last slice against the first");
    figure(&bench->figures, "endurance_rss_mib", last->rss_mib, "MiB", "memory of the orchestrator at the end");
    return CS_OK;
}
