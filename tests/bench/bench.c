/* callsheet-bench: what the orchestrator takes, through the real parts; see bench.h. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/conf.h"

#define AT(field) offsetof(struct bench_options, field)
static const struct cs_conf_option option_table[] = {
    {"scratch", "BENCH_SCRATCH", CS_CONF_STRING, AT(scratch), "build/bench", .metavar = "DIR",
     .help = "where the database lives meanwhile; on the disk that is to be measured"},
    {"out", "BENCH_OUT", CS_CONF_STRING, AT(out), "build/bench/engine.json", .metavar = "FILE",
     .help = "the figures as JSON"},
    {"samples", "BENCH_SAMPLES", CS_CONF_INT, AT(samples), "400", 20, 100000, .help = "of each latency"},
    {"window", "BENCH_WINDOW", CS_CONF_INT, AT(window), "512", 1, 8192, .help = "submissions under way at once"},
    {"slots", "BENCH_SLOTS", CS_CONF_INT, AT(slots), "256", 1, 4096, .help = "of each of the two workers"},
    {"open", "BENCH_OPEN", CS_CONF_INT, AT(open), "100000", 20000, 1000000,
     .help = "jobs that are open at kills and queued before another tenant"},
    {"only", "BENCH_ONLY", CS_CONF_STRING, AT(only), "", .metavar = "NAME",
     .help = "idle, submit, throughput, half_load, fairness, memory, restart, worker, postgres or takeover"},
    {"endurance", "BENCH_ENDURANCE", CS_CONF_BOOL, AT(endurance), "false",
     .help = "only this: millions of jobs, and how fast the last are against the first"},
    {"endurance-jobs", "BENCH_ENDURANCE_JOBS", CS_CONF_INT, AT(endurance_jobs), "5000000", 20000, INT64_C(1) << 32,
     .help = "how many"},
};
static const struct cs_conf_spec option_spec = {
    .program = "callsheet-bench",
    .summary = "Measures the orchestrator through its real parts.",
    .options = option_table,
    .count = CS_COUNT(option_table),
};

/* In this order: half_load goes by throughput's figure, and after takeover the orchestrator has another name. */
static const struct {
    const char *name;
    enum cs_status (*measure)(struct bench *bench, struct cs_err *err);
} measurements[] = {
    {"idle", bench_idle},           {"submit", bench_submit},      {"throughput", bench_throughput},
    {"half_load", bench_half_load}, {"fairness", bench_fairness},  {"memory", bench_memory},
    {"restart", bench_restart},     {"worker", bench_worker_loss}, {"postgres", bench_postgres_restart},
    {"takeover", bench_takeover},
};

static enum cs_status measure(struct bench *bench, struct cs_err *err) {
    const char *only = bench->options.endurance ? "endurance" : bench->options.only;
    bool any = false;
    for (size_t i = 0; i < CS_COUNT(measurements); i++) {
        if (only[0] == '\0' || cs_str_eq(only, measurements[i].name)) {
            CS_TRY(measurements[i].measure(bench, err));
            any = true;
        }
    }
    if (bench->options.endurance) {
        return bench_endurance(bench, err);
    }
    return any ? CS_OK : cs_fail_at(err, "only", "bad_setting", "there is no measurement \"%s\"", only);
}

static enum cs_status run(struct bench *bench, struct cs_err *err) {
    CS_AUTO(cs_rpc) *rpc = NULL;
    CS_TRY(cs_rpc_create(NULL, &rpc, err));
    bench->rpc = rpc;
    enum cs_status status = stack_start(&bench->stack, bench->options.scratch, (uint32_t)bench->options.slots, err);
    if (status == CS_OK) {
        status = bench_connect(bench, err);
    }
    if (status == CS_OK) {
        status = measure(bench, err);
    }
    client_destroy(bench->client);
    stack_stop(&bench->stack);
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
    if (status == CS_OK && outcome == CS_CONF_RUN) {
        status = figures_write(&bench.figures, bench.options.out, &err);
    }
    figures_fini(&bench.figures);
    if (status != CS_OK) {
        (void)fprintf(stderr, "callsheet-bench: %s; see the logs in %s\n", err.message,
                      bench.options.scratch != NULL ? bench.options.scratch : "its scratch directory");
        return 1;
    }
    return 0;
}
