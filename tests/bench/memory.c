/* What an open job costs the orchestrator. */
#include "bench.h"

enum { FIRST_JOBS = 12000 /* what buffers and caches grow for; not counted */ };

/* Growth from some open jobs to options.open of them. */
static enum cs_status measure(struct bench *bench, const struct shape *shape, double *ret_bytes, struct cs_err *err) {
    uint32_t first = FIRST_JOBS / shape->jobs;
    uint32_t rest = (uint32_t)bench->options.open / shape->jobs - first;
    CS_TRY(stack_restart(&bench->stack, STACK_ALONE, err)); /* without workers everything stays open */
    CS_TRY(bench_connect(bench, err));
    CS_TRY(bench_fill(bench, shape, first, err));
    int64_t before = stack_rss_bytes(&bench->stack);
    CS_TRY(bench_fill(bench, shape, rest, err));
    *ret_bytes = (double)(stack_rss_bytes(&bench->stack) - before) / ((double)rest * shape->jobs);
    stamps_reset(&bench->stack.stamps);
    CS_TRY(stack_restart(&bench->stack, STACK_WITH_WORKERS, err));
    CS_TRY(bench_connect(bench, err));
    return bench_drain(bench, (uint64_t)(first + rest) * shape->jobs, err);
}

enum cs_status bench_memory(struct bench *bench, struct cs_err *err) {
    static const struct {
        const struct shape *shape;
        const char *name;
        const char *words;
    } kinds[] = {
        {&shape_dag6, "bytes_per_open_job", "memory of an open job, in 6-job DAGs"},
        {&shape_layered, "bytes_per_open_job_10k", "memory of an open job, in plans of 10,000"},
        {&shape_single, "bytes_per_open_execution", "memory of an open execution of one job"},
    };
    for (size_t i = 0; i < CS_COUNT(kinds); i++) {
        double bytes = 0;
        CS_TRY(measure(bench, kinds[i].shape, &bytes, err));
        figure(&bench->figures, kinds[i].name, bytes, "bytes", kinds[i].words);
    }
    return CS_OK;
}
