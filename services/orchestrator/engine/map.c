/* Maps: jobs whose work is to make jobs, one for each item of a list, and to wait for them. */
#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/rpc.h"
#include "engine/internal.h"
#include "wire/change_wire.h"
#include "wire/execution_wire.h"
#include "wire/map_wire.h"

static void fail(struct orc_engine *engine, struct orc_entry *entry, uint32_t job, enum orc_failure_class failure_class,
                 const char *code, const char *message) {
    struct orc_event event = {
        .kind = ORC_EVENT_FAILED,
        .job = job,
        .attempt = entry->execution->jobs[job].attempt,
        .failure_class = failure_class,
        .code = code,
        .message = message,
    };
    orc_engine_must_step(engine, entry, &event);
}

static void succeed(struct orc_engine *engine, struct orc_entry *entry, uint32_t job,
                    const Callsheet__V1__Succeeded *result) {
    size_t size = protobuf_c_message_get_packed_size(&result->base);
    uint8_t *bytes = cs_arena_alloc(engine->scratch, size);
    (void)protobuf_c_message_pack(&result->base, bytes);
    struct orc_event event = {
        .kind = ORC_EVENT_SUCCEEDED,
        .job = job,
        .attempt = entry->execution->jobs[job].attempt,
        .payload = bytes,
        .payload_size = size,
    };
    orc_engine_must_step(engine, entry, &event);
}

/* ---- the beginning ---- */

/* Where the items come from: the map itself, or the result of a job. */
static enum cs_status find_source(const struct orc_entry *entry, uint32_t job, const Callsheet__V1__Map *map,
                                  struct cs_arena *arena, struct orc_map_source *ret_source, struct cs_err *err) {
    const struct orc_execution *execution = entry->execution;
    *ret_source = (struct orc_map_source){0};
    if (map->items_from == NULL) {
        return CS_OK;
    }
    int32_t from = execution->plan->jobs[job].inputs[0].job; /* the only input that a map has */
    CS_TRY(orc_job_result(&execution->jobs[from], arena, &ret_source->result, err));
    if (ret_source->result == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "input_missing", "job \"%s\" gave no outputs to take as items",
                       execution->plan->jobs[from].id);
    }
    ret_source->job = execution->plan->jobs[from].id;
    return CS_OK;
}

static enum cs_status make_items(struct orc_engine *engine, const struct orc_entry *entry, uint32_t job,
                                 struct orc_change **ret_change, struct cs_err *err) {
    const struct orc_plan_job *node = &entry->execution->plan->jobs[job];
    ProtobufCMessage *message = NULL;
    Callsheet__V1__Plan *items = NULL;
    struct orc_map_source source;
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__operation__descriptor, node->params, node->params_size,
                                       engine->scratch, &message, err));
    const Callsheet__V1__Map *map = ((const Callsheet__V1__Operation *)message)->map;
    CS_TRY(find_source(entry, job, map, engine->scratch, &source, err));
    CS_TRY(orc_map_expand(map, node->id, &source, engine->scratch, &items, err));
    Google__Protobuf__UInt32Value priority = GOOGLE__PROTOBUF__UINT32_VALUE__INIT;
    priority.value = node->priority;
    items->priority = &priority; /* of those that give none: the map's */
    CS_TRY(orc_change_from_items(items, ret_change, err));
    return orc_change_fit(*ret_change, entry->execution->plan, err);
}

static enum cs_status expand(struct orc_engine *engine, struct orc_entry *entry, uint32_t job, struct cs_err *err) {
    CS_AUTO(orc_change) *change = NULL;
    CS_TRY(make_items(engine, entry, job, &change, err));
    if (change->done) { /* a list without items */
        return CS_OK;
    }
    struct orc_event event = {
        .kind = ORC_EVENT_APPENDED,
        .job = job,
        .addition = &change->addition,
        .payload = change->payload,
        .payload_size = change->payload_size,
    };
    return orc_engine_step(engine, entry, &event, err);
}

void orc_map_begin(struct orc_engine *engine, struct orc_entry *entry, uint32_t job) {
    struct orc_event event = {.kind = ORC_EVENT_ASSIGNED, .job = job};
    struct cs_err err = {0};
    cs_random_bytes(event.fence, sizeof(event.fence));
    orc_engine_must_step(engine, entry, &event);
    if (!entry->execution->plan->jobs[job].expanded && expand(engine, entry, job, &err) != CS_OK) {
        cs_log_warn("a map's items make no jobs", CS_KV("execution", entry->execution->id),
                    CS_KV("job", entry->execution->plan->jobs[job].id), CS_KVE(&err));
        fail(engine, entry, job, ORC_FAILURE_INVALID_INPUT, err.reason, err.message);
        return;
    }
    orc_map_gather(engine, entry, job);
}

/* ---- the end ---- */

void orc_map_gather(struct orc_engine *engine, struct orc_entry *entry, uint32_t job) {
    struct orc_map_outcome outcome = {0};
    struct cs_err err = {0};
    if (entry->execution->jobs[job].state != ORC_JOB_RUNNING) {
        return; /* it has ended meanwhile */
    }
    if (orc_map_outcome(entry->execution, job, engine->scratch, &outcome, &err) != CS_OK) {
        fail(engine, entry, job, ORC_FAILURE_INTERNAL, err.reason, err.message);
    } else if (outcome.result != NULL) {
        succeed(engine, entry, job, outcome.result);
    } else if (outcome.due) {
        fail(engine, entry, job, outcome.failure_class, outcome.code, outcome.message);
    }
}

static void leave(struct orc_engine *engine, struct orc_seat *seat) {
    if (seat->lane != NULL) {
        orc_seat_dequeue(engine, seat);
    }
    if (seat->flight != NULL) {
        orc_cache_leave(engine, seat); /* others may wait for its work */
    }
}

void orc_map_leave(struct orc_engine *engine, struct orc_entry *entry, uint32_t job) {
    const struct orc_execution *execution = entry->execution;
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        if (execution->jobs[i].state == ORC_JOB_CANCELLED && execution->plan->jobs[i].owner == (int32_t)job) {
            leave(engine, orc_entry_seat(entry, i));
        }
    }
}
