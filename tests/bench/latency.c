/* How long one takes: at idle, and beside a load that leaves half of what there is. */
#include <pthread.h>

#include "bench.h"
#include "cs/base/clock.h"

enum {
    JOBS_PER_S = 25000 /* unless it was measured */,
    WARM_UP = 100,
    CHAINS_A_SAMPLE = 4 /* samples for one chain: it has many hops */
};

/* Names and words of a set of figures. */
struct set {
    const char *infix; /* in the JSON: "" or "half_" */
    const char *words;
};

static const struct set idle = {"", "idle"};
static const struct set half = {"half_", "half load"};

static void figures_of(struct bench *bench, const struct set *set, const char *name, const char *words,
                       struct samples *samples) {
    static const int percents[] = {50, 99};
    for (size_t i = 0; i < CS_COUNT(percents); i++) {
        CS_AUTO_FREE char *key = cs_sprintf("%s_%sp%d_ms", name, set->infix, percents[i]);
        CS_AUTO_FREE char *line = cs_sprintf("%s, p%d, %s", words, percents[i], set->words);
        figure(&bench->figures, key, samples_ms(samples, percents[i]), "ms", line);
    }
    samples_fini(samples);
}

static enum cs_status warm_up(struct bench *bench, struct cs_err *err) {
    const Callsheet__V1__CreateExecutionRequest *request = shape_plan(&shape_dag6, 'p', BENCH_TENANT, bench->arena);
    for (int i = 0; i < WARM_UP; i++) {
        int64_t begin_ns = 0;
        int64_t end_ns = 0;
        CS_TRY(bench_play(bench, request, &begin_ns, &end_ns, err));
    }
    return CS_OK;
}

static enum cs_status measure_dispatch(struct bench *bench, const struct set *set, struct cs_err *err) {
    const Callsheet__V1__CreateExecutionRequest *request = shape_plan(&shape_single, 'p', BENCH_TENANT, bench->arena);
    struct samples dispatch = {0};
    for (int64_t i = 0; i < bench->options.samples; i++) {
        int64_t begin_ns = 0;
        int64_t end_ns = 0;
        CS_TRY(bench_play(bench, request, &begin_ns, &end_ns, err));
        samples_add(&dispatch, bench->stack.stamps.shared->started_ns[0] - begin_ns);
    }
    figures_of(bench, set, "dispatch", "submit -> root job on a worker", &dispatch);
    return CS_OK;
}

static enum cs_status measure_chain(struct bench *bench, const struct set *set, struct cs_err *err) {
    const Callsheet__V1__CreateExecutionRequest *request = shape_plan(&shape_chain, 'p', BENCH_TENANT, bench->arena);
    const struct stamps *stamps = bench->stack.stamps.shared;
    struct samples hop = {0};
    struct samples chain = {0};
    for (int64_t i = 0; i < bench->options.samples / CHAINS_A_SAMPLE; i++) {
        int64_t begin_ns = 0;
        int64_t end_ns = 0;
        CS_TRY(bench_play(bench, request, &begin_ns, &end_ns, err));
        samples_add(&chain, end_ns - begin_ns);
        for (uint32_t job = 0; job + 1 < shape_chain.jobs; job++) {
            samples_add(&hop, stamps->started_ns[job + 1] - stamps->reported_ns[job]);
        }
    }
    figures_of(bench, set, "hop", "parent's result -> child on a worker", &hop);
    CS_AUTO_FREE char *key = cs_sprintf("chain20_%sms", set->infix);
    CS_AUTO_FREE char *line = cs_sprintf("chain of 20, submit -> complete, p50, %s", set->words);
    figure(&bench->figures, key, samples_ms(&chain, 50), "ms", line);
    samples_fini(&chain);
    return CS_OK;
}

static enum cs_status measure_dag6(struct bench *bench, const struct set *set, struct cs_err *err) {
    const Callsheet__V1__CreateExecutionRequest *request = shape_plan(&shape_dag6, 'p', BENCH_TENANT, bench->arena);
    struct samples dag = {0};
    for (int64_t i = 0; i < bench->options.samples; i++) {
        int64_t begin_ns = 0;
        int64_t end_ns = 0;
        CS_TRY(bench_play(bench, request, &begin_ns, &end_ns, err));
        samples_add(&dag, end_ns - begin_ns);
    }
    figures_of(bench, set, "dag6", "6-job DAG, submit -> complete", &dag);
    return CS_OK;
}

enum cs_status bench_idle(struct bench *bench, struct cs_err *err) {
    CS_TRY(warm_up(bench, err));
    CS_TRY(measure_dispatch(bench, &idle, err));
    CS_TRY(measure_chain(bench, &idle, err));
    return measure_dag6(bench, &idle, err);
}

enum cs_status bench_submit(struct bench *bench, struct cs_err *err) {
    enum { TIMES = 5 };
    const Callsheet__V1__CreateExecutionRequest *request = shape_plan(&shape_layered, 'j', BENCH_TENANT, bench->arena);
    struct samples submit = {0};
    stamps_reset(&bench->stack.stamps);
    for (uint64_t i = 1; i <= TIMES; i++) {
        char id[CLIENT_ID_SIZE];
        int64_t begin_ns = cs_clock_mono_ns();
        CS_TRY(client_submit(bench->client, request, id, err));
        samples_add(&submit, cs_clock_mono_ns() - begin_ns);
        CS_TRY(bench_drain(bench, i * shape_layered.jobs, err));
    }
    figure(&bench->figures, "submit_10k_ms", samples_ms(&submit, 50), "ms", "plan of 10,000 jobs accepted, p50");
    samples_fini(&submit);
    return CS_OK;
}

/* ---- half load ---- */

struct load {
    pthread_t thread;
    struct client *client;
    const Callsheet__V1__CreateExecutionRequest *request;
    double per_second;
    uint32_t window;
    _Atomic bool stop;
    uint64_t count;
    struct cs_err err;
};

static void *run_load(void *arg) {
    struct load *load = arg;
    (void)!client_pace(load->client, load->request, load->per_second, load->window, &load->stop, &load->count,
                       &load->err);
    return NULL;
}

static enum cs_status measure_beside(struct bench *bench, struct load *load, struct cs_err *err) {
    if (pthread_create(&load->thread, NULL, run_load, load) != 0) {
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for the load");
    }
    enum cs_status status = measure_dispatch(bench, &half, err);
    if (status == CS_OK) {
        status = measure_chain(bench, &half, err);
    }
    load->stop = true;
    (void)pthread_join(load->thread, NULL);
    if (status == CS_OK && load->err.status != CS_OK) {
        *err = load->err;
        status = err->status;
    }
    return status;
}

enum cs_status bench_half_load(struct bench *bench, struct cs_err *err) {
    CS_AUTO(client) *client = NULL;
    CS_TRY(client_create(bench->rpc, bench->stack.orchestrator.address, &client, err));
    struct load load = {
        .client = client,
        .request = shape_plan(&shape_dag6, 'j', BENCH_TENANT, bench->arena),
        .per_second = (bench->dag6_jobs_per_s > 0 ? bench->dag6_jobs_per_s : JOBS_PER_S) / 2 / shape_dag6.jobs,
        .window = (uint32_t)bench->options.window,
    };
    stamps_reset(&bench->stack.stamps);
    CS_TRY(measure_beside(bench, &load, err));
    return bench_drain(bench, load.count * shape_dag6.jobs, err);
}
