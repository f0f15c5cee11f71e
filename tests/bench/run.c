#include "bench.h"
#include "cs/base/clock.h"

enum cs_status bench_connect(struct bench *bench, struct cs_err *err) {
    client_destroy(cs_steal(&bench->client));
    return client_create(bench->rpc, bench->stack.orchestrator.address, &bench->client, err);
}

enum cs_status bench_play(struct bench *bench, const Callsheet__V1__CreateExecutionRequest *request,
                          int64_t *ret_begin_ns, int64_t *ret_end_ns, struct cs_err *err) {
    char id[CLIENT_ID_SIZE];
    *ret_begin_ns = cs_clock_mono_ns();
    CS_TRY(client_submit(bench->client, request, id, err));
    return client_await(bench->client, request->tenant, id, ret_end_ns, err);
}

enum cs_status bench_drain(struct bench *bench, uint64_t jobs, struct cs_err *err) {
    CS_TRY(stamps_await_ended(&bench->stack.stamps, jobs, BENCH_DRAIN_MS, err));
    int64_t until_ms = cs_clock_mono_ms() + BENCH_DRAIN_MS;
    bool any = true;
    while (any && cs_clock_mono_ms() < until_ms) {
        CS_TRY(client_any_active(bench->client, BENCH_TENANT, &any, err));
    }
    return any ? cs_fail(err, CS_DEADLINE_EXCEEDED, "timeout", "some executions do not end") : CS_OK;
}

enum cs_status bench_complete(struct bench *bench, const struct shape *shape, uint32_t executions, struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    stamps_reset(&bench->stack.stamps);
    CS_TRY(client_flood(bench->client, shape_plan(shape, 'j', BENCH_TENANT, arena), executions,
                        (uint32_t)bench->options.window, err));
    return bench_drain(bench, (uint64_t)executions * shape->jobs, err);
}

enum cs_status bench_fill(struct bench *bench, const struct shape *shape, uint32_t executions, struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    CS_TRY(client_flood(bench->client, shape_plan(shape, 'j', BENCH_TENANT, arena), executions,
                        (uint32_t)bench->options.window, err));
    return CS_OK;
}
