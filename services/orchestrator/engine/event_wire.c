#include "engine/event_wire.h"

#include "callsheet/v1/event_log.pb-c.h"
#include "cs/rpc.h"
#include "wire/change_wire.h"

static char *text(const char *maybe) {
    return maybe != NULL ? (char *)maybe : (char *)protobuf_c_empty_string;
}

static bool of_no_job(enum orc_event_kind kind) {
    return kind == ORC_EVENT_DELIVERED || kind == ORC_EVENT_DELIVERY_FAILED;
}

/* ---- up-casters: [n] makes of an event of version n one of version n + 1 ---- */

static void from_1(struct orc_event *event) {
    if (of_no_job(event->kind)) {
        event->job = 0;
    }
}

/* Only had no such jobs. */
static void from_2(__attribute__((unused)) struct orc_event *event) {
}

static void (*const upcasters[ORC_LOG_VERSION])(struct orc_event *event) = {[1] = from_1, [2] = from_2};

static void upcast(int version, struct orc_event *event) {
    for (; version < ORC_LOG_VERSION; version++) {
        upcasters[version](event);
    }
}

/* ---- both ways ---- */

void orc_event_to_row(const struct orc_event *event, const char *execution, uint64_t seq, struct cs_arena *arena,
                      struct orc_row_event *ret_row) {
    Callsheet__V1__EventPayload payload = CALLSHEET__V1__EVENT_PAYLOAD__INIT;
    payload.data.data = (uint8_t *)event->payload;
    payload.data.len = event->payload_size;
    payload.failure_class = (Callsheet__V1__FailureClass)event->failure_class;
    payload.code = text(event->code);
    payload.message = text(event->message);
    payload.retry_after_ms = event->retry_after_ms;
    payload.next_at_ms = event->next_at_ms;
    payload.started_at_ms = event->started_at_ms;
    payload.final = event->final;
    payload.unassigned = event->unassigned;
    payload.execution_started_at_ms = event->execution_started_at_ms;
    payload.cache_miss = event->cache_miss;
    payload.source_execution = text(event->source_execution);
    payload.source_job = text(event->source_job);
    payload.reason = text(event->reason);
    payload.by = text(event->by);
    payload.whole = event->whole;
    bool keeps_chain =
        event->kind == ORC_EVENT_FUSED || event->kind == ORC_EVENT_SPLIT || event->kind == ORC_EVENT_REUSED;
    payload.n_chain = keeps_chain ? event->chain.count : 0;
    payload.chain = (uint32_t *)event->chain.jobs;
    size_t size = protobuf_c_message_get_packed_size(&payload.base);
    uint8_t *bytes = cs_arena_alloc(arena, size);
    (void)protobuf_c_message_pack(&payload.base, bytes);
    *ret_row = (struct orc_row_event){
        .execution = execution,
        .seq = seq,
        .kind = (int)event->kind,
        .version = ORC_LOG_VERSION,
        .job = of_no_job(event->kind) ? 0 : event->job,
        .attempt = event->attempt,
        .at_ms = event->at_ms,
        .payload = bytes,
        .payload_size = size,
    };
}

enum cs_status orc_event_from_row(const struct orc_row_event *row, struct cs_arena *arena, struct orc_event *ret_event,
                                  struct cs_err *err) {
    ProtobufCMessage *message = NULL;
    struct cs_err cause = {0};
    if (row->version > ORC_LOG_VERSION) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "log_newer",
                       "execution %s has an event of version %d, this program knows %d", row->execution, row->version,
                       ORC_LOG_VERSION);
    }
    if (row->version < 1) {
        return cs_fail(err, CS_DATA_LOSS, "bad_event_row", "an event of execution %s has version %d", row->execution,
                       row->version);
    }
    if (cs_rpc_message_unpack_arena(&callsheet__v1__event_payload__descriptor, row->payload, row->payload_size, arena,
                                    &message, &cause) != CS_OK) {
        return cs_fail(err, CS_DATA_LOSS, "bad_event_row", "an event of execution %s does not unpack: %s",
                       row->execution, cause.message);
    }
    const Callsheet__V1__EventPayload *payload = (const Callsheet__V1__EventPayload *)message;
    *ret_event = (struct orc_event){
        .kind = (enum orc_event_kind)row->kind,
        .job = row->job,
        .attempt = row->attempt,
        .at_ms = row->at_ms,
        .failure_class = (enum orc_failure_class)payload->failure_class,
        .retry_after_ms = payload->retry_after_ms,
        .final = payload->final,
        .unassigned = payload->unassigned,
        .execution_started_at_ms = payload->execution_started_at_ms,
        .cache_miss =
            payload->cache_miss < ORC_CACHE_MISSES ? (enum orc_cache_miss)payload->cache_miss : ORC_CACHE_NO_MISS,
        .code = payload->code,
        .message = payload->message,
        .source_execution = payload->source_execution,
        .source_job = payload->source_job,
        .reason = payload->reason,
        .by = payload->by,
        .whole = payload->whole,
        .payload = payload->data.data,
        .payload_size = payload->data.len,
        .next_at_ms = payload->next_at_ms,
        .started_at_ms = payload->started_at_ms,
    };
    for (size_t i = 0; i < payload->n_chain && i < ORC_FUSED_MAX; i++) {
        ret_event->chain.jobs[ret_event->chain.count++] = payload->chain[i];
    }
    upcast(row->version, ret_event);
    if (ret_event->kind == ORC_EVENT_APPENDED || ret_event->kind == ORC_EVENT_EDITED) {
        return orc_addition_from_log(ret_event->kind, ret_event->payload, ret_event->payload_size, arena,
                                     &ret_event->addition, err);
    }
    return CS_OK;
}
