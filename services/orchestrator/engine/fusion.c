/* Jobs that are done in one run: a chain is chosen when its first job goes to a worker. */
#include "cs/base/log.h"
#include "cs/catalog.h"
#include "engine/internal.h"
#include "wire/fusion_wire.h"

/* ---- choosing ---- */

static size_t inputs_of(const struct orc_plan *plan, uint32_t job) {
    return plan->jobs[job].input_count;
}

/* The worker does this too, and no limit says no. */
static bool may_join(struct orc_engine *engine, struct orc_seat *seat, const struct orc_peer *peer,
                     struct orc_pass *pass) {
    size_t index = orc_station_of_seat(&engine->dispatch, seat);
    return peer->offers[index] && orc_gates_join(engine, &engine->dispatch.stations[index], seat, pass);
}

void orc_fusion_choose(struct orc_engine *engine, struct orc_seat *seat, const struct orc_peer *peer,
                       struct orc_pass *pass, struct orc_chain *ret_chain) {
    const struct orc_plan *plan = seat->entry->execution->plan;
    struct orc_chain found;
    *ret_chain = (struct orc_chain){.count = 1, .jobs = {seat->job}};
    if (peer->fused_jobs <= 1 || !plan->jobs[seat->job].discards) {
        return; /* most are done by themselves */
    }
    orc_chain_find(seat->entry->execution, seat->job, &found);
    size_t inputs = inputs_of(plan, seat->job);
    for (uint32_t i = 1; i < found.count && i < peer->fused_jobs; i++) {
        inputs += inputs_of(plan, found.jobs[i]);
        if (inputs > CS_JOB_INPUTS_MAX || !may_join(engine, orc_entry_seat(seat->entry, found.jobs[i]), peer, pass)) {
            return;
        }
        ret_chain->jobs[ret_chain->count++] = found.jobs[i];
    }
}

/* ---- the end of a run ---- */

bool orc_fusion_runs(const struct orc_entry *entry, uint32_t job) {
    if (job == ORC_SEAT_OF_DELIVERY) {
        return false;
    }
    const struct orc_job *state = &entry->execution->jobs[job];
    return state->fused_next >= 0 || state->fused_prev >= 0;
}

uint32_t orc_fusion_first(const struct orc_entry *entry, uint32_t job) {
    struct orc_chain chain;
    orc_chain_of(entry->execution, job, &chain);
    return chain.jobs[0];
}

enum orc_event_kind orc_fusion_failure(struct orc_engine *engine, const struct orc_entry *entry, uint32_t job) {
    if (!orc_fusion_runs(entry, job)) {
        return ORC_EVENT_FAILED;
    }
    struct orc_chain chain;
    orc_chain_of(entry->execution, job, &chain);
    atomic_fetch_add(&engine->counters.runs_split, 1);
    cs_log_warn("run of several jobs failed, doing them one by one", CS_KV("execution", entry->execution->id),
                CS_KV("job", entry->execution->plan->jobs[chain.jobs[0]].id), CS_KVI("jobs", chain.count),
                CS_KV("trace", entry->trace_id));
    return ORC_EVENT_SPLIT;
}

enum orc_event_kind orc_fusion_loss(struct orc_engine *engine, const struct orc_entry *entry, uint32_t job) {
    bool often = entry->execution->jobs[job].losses + 1 >= ORC_FUSED_LOSSES_MAX;
    return orc_fusion_runs(entry, job) && often ? orc_fusion_failure(engine, entry, job) : ORC_EVENT_LOST;
}

/* All but the last, which has the result. */
static void complete_steps(struct orc_engine *engine, struct orc_entry *entry, const struct orc_chain *chain,
                           const struct orc_packed *results) {
    for (uint32_t i = 0; i + 1 < chain->count; i++) {
        struct orc_event event = {.kind = ORC_EVENT_FUSED,
                                  .job = chain->jobs[i],
                                  .attempt = entry->execution->jobs[chain->jobs[i]].attempt,
                                  .chain = {.count = 1, .jobs = {chain->jobs[chain->count - 1]}},
                                  .payload = results[i].bytes,
                                  .payload_size = results[i].size_bytes};
        orc_engine_must_step(engine, entry, &event);
    }
    atomic_fetch_add(&engine->counters.runs_fused, 1);
    atomic_fetch_add(&engine->counters.jobs_fused, chain->count);
    atomic_fetch_add(&engine->counters.jobs_ended, chain->count - 1);
}

void orc_fusion_succeeded(struct orc_engine *engine, struct orc_entry *entry, struct orc_event *event) {
    struct orc_chain chain;
    struct orc_packed results[ORC_FUSED_MAX];
    struct cs_err err = {0};
    orc_chain_of(entry->execution, event->job, &chain);
    if (orc_chain_results(event->payload, event->payload_size, chain.count, engine->scratch, results, &err) != CS_OK) {
        struct orc_event failed = {.kind = orc_fusion_failure(engine, entry, event->job),
                                   .job = event->job,
                                   .attempt = event->attempt,
                                   .failure_class = ORC_FAILURE_INTERNAL,
                                   .code = err.reason,
                                   .message = err.message};
        orc_engine_must_step(engine, entry, &failed);
        return;
    }
    complete_steps(engine, entry, &chain, results);
    event->job = chain.jobs[chain.count - 1];
    event->attempt = entry->execution->jobs[event->job].attempt;
    event->payload = results[chain.count - 1].bytes;
    event->payload_size = results[chain.count - 1].size_bytes;
    orc_engine_must_step(engine, entry, event);
}
