#include "engine/report.h"

#include <string.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "wire/plan_wire.h"

/* ---- sizes ---- */

static size_t chunks_of(const Callsheet__V1__Spread *spread) {
    return spread->n_chunks < ORC_SPREAD_CHUNKS_MAX ? spread->n_chunks : ORC_SPREAD_CHUNKS_MAX;
}

static size_t payload_size_of(const Callsheet__V1__Report *report) {
    if (report->report_case == CALLSHEET__V1__REPORT__REPORT_SUCCEEDED) {
        return protobuf_c_message_get_packed_size(&report->succeeded->base);
    }
    if (report->report_case == CALLSHEET__V1__REPORT__REPORT_SPREAD) {
        return ORC_SPREAD_PLAN_BYTES + chunks_of(report->spread) * sizeof(uint32_t);
    }
    return report->report_case == CALLSHEET__V1__REPORT__REPORT_CHECKPOINT ? report->checkpoint->data.len : 0;
}

/* More than the domain takes, so that it says no itself. */
static size_t payload_limit_of(const Callsheet__V1__Report *report) {
    return report->report_case == CALLSHEET__V1__REPORT__REPORT_CHECKPOINT ? ORC_CHECKPOINT_BYTES_MAX + 1
                                                                           : ORC_RESULT_BYTES_MAX;
}

/* ---- one report ---- */

static double within(double value, double max) {
    return value >= 0 && value <= max ? value : 0; /* also for what is not a number */
}

void orc_progress_copy(const Callsheet__V1__Progress *from, struct orc_progress *to) {
    cs_str_copy(to->stage, sizeof(to->stage), from->stage);
    to->fraction = within(from->fraction, 1);
    to->media_time_us = from->media_time_us > 0 ? from->media_time_us : 0;
    to->media_duration_us = from->media_duration_us > 0 ? from->media_duration_us : 0;
    to->speed = within(from->speed, 1e6);
}

static void copy_failed(const Callsheet__V1__Failed *from, struct orc_report *to) {
    to->kind = ORC_REPORT_FAILED;
    to->failed.failure_class = (unsigned)from->failure_class < ORC_FAILURE_CLASSES
                                   ? (enum orc_failure_class)from->failure_class
                                   : ORC_FAILURE_UNSPECIFIED;
    cs_str_copy(to->failed.code, sizeof(to->failed.code), from->code);
    cs_str_copy(to->failed.message, sizeof(to->failed.message), from->message);
    to->failed.retry_after_ms = from->retry_after_ms > 0 ? from->retry_after_ms : 0;
}

static void refuse_result(struct orc_report *to) {
    to->kind = ORC_REPORT_FAILED;
    to->failed.failure_class = ORC_FAILURE_INTERNAL;
    cs_str_copy(to->failed.code, sizeof(to->failed.code), "result_too_big");
    cs_str_copy(to->failed.message, sizeof(to->failed.message), "the worker's result is too big to keep");
}

/* Copies the payload to `room`; returns how much of it was used. */
static size_t copy_payload(const Callsheet__V1__Report *from, struct orc_report *to, unsigned char *room) {
    size_t size = payload_size_of(from);
    if (from->report_case == CALLSHEET__V1__REPORT__REPORT_SUCCEEDED) {
        to->kind = ORC_REPORT_SUCCEEDED;
        if (size > payload_limit_of(from)) {
            refuse_result(to);
            return 0;
        }
        (void)protobuf_c_message_pack(&from->succeeded->base, room);
    } else {
        to->kind = ORC_REPORT_CHECKPOINT;
        to->checkpoint.sequence = from->checkpoint->sequence;
        to->checkpoint.ack_required = from->checkpoint->ack_required;
        size = size < payload_limit_of(from) ? size : payload_limit_of(from);
        if (size != 0) {
            memcpy(room, from->checkpoint->data.data, size);
        }
    }
    to->payload = room;
    to->payload_size = size;
    return size;
}

/* Returns how much of the room was used. */
static size_t copy_spread(const Callsheet__V1__Spread *from, struct orc_report *to, unsigned char *room) {
    size_t count = chunks_of(from);
    to->kind = ORC_REPORT_SPREAD;
    memcpy(room, from->plan.data, ORC_SPREAD_PLAN_BYTES);
    if (count != 0) {
        memcpy(room + ORC_SPREAD_PLAN_BYTES, from->chunks, count * sizeof(uint32_t));
    }
    to->payload = room;
    to->payload_size = ORC_SPREAD_PLAN_BYTES + count * sizeof(uint32_t);
    return to->payload_size;
}

/* False when there is nothing in it for us. */
static bool copy_report(const Callsheet__V1__Report *from, struct orc_report *to, unsigned char *room,
                        size_t *ret_used) {
    *ret_used = 0;
    *to = (struct orc_report){0};
    if (from->report_case == CALLSHEET__V1__REPORT__REPORT_CREDITS) {
        to->kind = ORC_REPORT_CREDITS;
        to->limit = from->credits->limit;
        return true;
    }
    if (from->fence.len != ORC_FENCE_BYTES) {
        return false;
    }
    memcpy(to->fence, from->fence.data, ORC_FENCE_BYTES);
    switch (from->report_case) {
    case CALLSHEET__V1__REPORT__REPORT_ACCEPTED:
        to->kind = ORC_REPORT_ACCEPTED;
        return true;
    case CALLSHEET__V1__REPORT__REPORT_HEARTBEAT:
        to->kind = ORC_REPORT_HEARTBEAT;
        return true;
    case CALLSHEET__V1__REPORT__REPORT_PROGRESS:
        to->kind = ORC_REPORT_PROGRESS;
        orc_progress_copy(from->progress, &to->progress);
        return true;
    case CALLSHEET__V1__REPORT__REPORT_LOG:
        to->kind = ORC_REPORT_LOG;
        cs_str_copy(to->failed.code, sizeof(to->failed.code), from->log->level);
        cs_str_copy(to->failed.message, sizeof(to->failed.message), from->log->message);
        return true;
    case CALLSHEET__V1__REPORT__REPORT_FAILED:
        copy_failed(from->failed, to);
        return true;
    case CALLSHEET__V1__REPORT__REPORT_SUCCEEDED:
    case CALLSHEET__V1__REPORT__REPORT_CHECKPOINT:
        *ret_used = copy_payload(from, to, room);
        return true;
    case CALLSHEET__V1__REPORT__REPORT_SPREAD:
        if (from->spread->plan.len != ORC_SPREAD_PLAN_BYTES) {
            return false;
        }
        *ret_used = copy_spread(from->spread, to, room);
        return true;
    default:
        return false;
    }
}

struct orc_reports *orc_reports_copy(const Callsheet__V1__WorkReport *message) {
    size_t payloads = 0;
    for (size_t i = 0; i < message->n_reports; i++) {
        size_t size = payload_size_of(message->reports[i]);
        size_t limit = payload_limit_of(message->reports[i]);
        payloads += size < limit ? size : limit;
    }
    struct orc_reports *reports =
        cs_alloc(sizeof(*reports) + message->n_reports * sizeof(reports->items[0]) + payloads);
    unsigned char *room = (unsigned char *)&reports->items[message->n_reports];
    for (size_t i = 0; i < message->n_reports; i++) {
        size_t used = 0;
        reports->count += copy_report(message->reports[i], &reports->items[reports->count], room, &used);
        room += used;
    }
    return reports;
}

struct orc_hello *orc_hello_copy(const Callsheet__V1__Hello *message) {
    size_t count =
        message->n_operations < ORC_WORKER_OPERATIONS_MAX ? message->n_operations : ORC_WORKER_OPERATIONS_MAX;
    struct orc_hello *hello = cs_alloc(sizeof(*hello) + count * sizeof(const struct orc_operation *));
    cs_str_copy(hello->worker, sizeof(hello->worker), message->worker);
    hello->heartbeat_ms = message->heartbeat_ms < ORC_HEARTBEAT_MS_MAX ? message->heartbeat_ms : ORC_HEARTBEAT_MS_MAX;
    hello->fused_jobs = message->fused_jobs < ORC_FUSED_MAX ? message->fused_jobs : ORC_FUSED_MAX;
    hello->shares = message->shares;
    for (size_t i = 0; i < count; i++) {
        const struct orc_operation *operation = orc_operation_by_name(message->operations[i]);
        if (operation != NULL) {
            hello->operations[hello->operation_count++] = operation;
        }
    }
    return hello;
}
