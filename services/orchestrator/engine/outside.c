/* External jobs: no worker does them; who does reports with the token of the attempt. */
#include "engine/outside.h"

#include <string.h>

#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/internal.h"
#include "wire/external_token.h"
#include "wire/external_wire.h"

/* ---- attempts ---- */

static void listen(struct orc_engine *engine, struct orc_entry *entry, uint32_t job) {
    struct orc_seat *seat = orc_entry_seat(entry, job);
    const Callsheet__V1__External *params = NULL;
    struct cs_err err = {0};
    if (orc_external_params(&entry->execution->plan->jobs[job], engine->scratch, &params, &err) != CS_OK) {
        cs_log_error("parameters of ours do not unpack", CS_KV("execution", entry->execution->id), CS_KVE(&err));
    }
    seat->outside = cs_alloc(sizeof(*seat->outside));
    seat->outside->heard_ms = engine->now_ms;
    seat->outside->silence_ms = params != NULL ? params->heartbeat_timeout_ms : 0;
    atomic_fetch_add(&engine->counters.outside, 1);
    int64_t silent_ms = orc_outside_silent_at(seat->outside);
    if (silent_ms < entry->guard_at_ms) {
        entry->guard_at_ms = silent_ms;
        orc_engine_set_timer(engine, entry);
    }
}

/* Both at once: the start is in the log before anybody can know the token. */
static void start(struct orc_engine *engine, struct orc_entry *entry, uint32_t job) {
    struct orc_event event = {.kind = ORC_EVENT_ASSIGNED, .job = job};
    cs_random_bytes(event.fence, sizeof(event.fence));
    orc_engine_must_step(engine, entry, &event);
    struct orc_event started = {
        .kind = ORC_EVENT_STARTED,
        .job = job,
        .attempt = entry->execution->jobs[job].attempt,
        .payload = event.fence,
        .payload_size = sizeof(event.fence),
    };
    orc_engine_must_step(engine, entry, &started);
}

void orc_outside_take(struct orc_engine *engine, struct orc_entry *entry, uint32_t job) {
    if (entry->execution->jobs[job].state == ORC_JOB_READY) {
        start(engine, entry, job);
    }
    if (entry->execution->jobs[job].state == ORC_JOB_RUNNING && orc_entry_seat(entry, job)->outside == NULL) {
        listen(engine, entry, job);
    }
}

void orc_outside_leave(struct orc_engine *engine, struct orc_seat *seat) {
    if (seat->outside != NULL) {
        free(cs_steal(&seat->outside));
        atomic_fetch_sub(&engine->counters.outside, 1);
    }
}

int64_t orc_outside_silent_at(const struct orc_outside *outside) {
    return outside->silence_ms != 0 ? outside->heard_ms + outside->silence_ms : INT64_MAX;
}

/* ---- what is shown ---- */

static Callsheet__V1__Waiting *waiting_of(const Callsheet__V1__ExternalStatus *external, struct cs_arena *arena) {
    Callsheet__V1__Waiting *waiting = cs_arena_alloc(arena, sizeof(*waiting));
    callsheet__v1__waiting__init(waiting);
    waiting->reason = cs_arena_strdup(arena, "external");
    waiting->message = cs_arena_sprintf(arena, "is being done outside: \"%s\"", external->name);
    waiting->until_ms = external->silent_at_ms != 0 ? external->silent_at_ms : external->deadline_ms;
    return waiting;
}

void orc_outside_explain(const struct orc_engine *engine, const struct orc_entry *entry, uint32_t job,
                         Callsheet__V1__JobStatus *status, struct cs_arena *arena) {
    const struct orc_execution *execution = entry->execution;
    const struct orc_outside *outside = orc_entry_seat(entry, job)->outside;
    if (status->external == NULL || outside == NULL) {
        return;
    }
    struct orc_external_token token = {.attempt = execution->jobs[job].attempt};
    cs_str_copy(token.tenant, sizeof(token.tenant), execution->tenant);
    cs_str_copy(token.execution, sizeof(token.execution), execution->id);
    cs_str_copy(token.job, sizeof(token.job), execution->plan->jobs[job].id);
    int64_t silent_ms = orc_outside_silent_at(outside);
    status->external->silent_at_ms = silent_ms != INT64_MAX ? silent_ms : 0;
    status->external->token = orc_external_token_format(engine->link_secret, &token, arena);
    status->waiting = waiting_of(status->external, arena);
}

/* ---- reports ---- */

struct orc_outside_report {
    struct cs_arena *arena; /* holds all of it */
    struct orc_external_token token;
    const Callsheet__V1__ReportExternalRequest *request;
};

enum cs_status orc_engine_read_token(const struct orc_engine *engine, const char *text,
                                     struct orc_external_token *ret_token, struct cs_err *err) {
    return orc_external_token_parse(engine->link_secret, text, ret_token, err);
}

void orc_engine_report(struct orc_engine *engine, const Callsheet__V1__ReportExternalRequest *request,
                       const struct orc_external_token *token, orc_read_fn *done, void *ctx) {
    struct cs_arena *arena = cs_arena_create();
    struct orc_outside_report *report = cs_arena_alloc(arena, sizeof(*report));
    ProtobufCMessage *copy = NULL;
    struct cs_err err = {0};
    size_t size = protobuf_c_message_get_packed_size(&request->base);
    uint8_t *bytes = cs_arena_alloc(arena, size + 1);
    (void)protobuf_c_message_pack(&request->base, bytes);
    if (cs_rpc_message_unpack_arena(request->base.descriptor, bytes, size, arena, &copy, &err) != CS_OK ||
        orc_engine_enter_with(engine, size, &err) != CS_OK) {
        cs_arena_destroy(arena);
        done(NULL, &err, ctx);
        return;
    }
    struct orc_item *item = orc_engine_named_item(ORC_ITEM_OUTSIDE, token->tenant, token->execution);
    item->size_bytes = size;
    report->arena = arena;
    report->token = *token;
    report->request = (const Callsheet__V1__ReportExternalRequest *)copy;
    item->read.report = report;
    item->read.done = done;
    item->read.ctx = ctx;
    orc_engine_put(engine, item);
}

void orc_outside_report_destroy(struct orc_outside_report *report) {
    if (report != NULL) {
        cs_arena_destroy(report->arena);
    }
}

static enum cs_status repeat(const Callsheet__V1__JobStatus *job, const struct orc_outside_report *report,
                             struct cs_err *err) {
    if (job->attempt != report->token.attempt || job->external == NULL) {
        return orc_external_unknown(err);
    }
    return orc_external_repeats(job, report->request, report->arena, err);
}

enum cs_status orc_outside_repeated(const struct orc_outside_report *report, Callsheet__V1__Execution *execution,
                                    struct cs_err *err) {
    for (size_t i = 0; i < execution->n_jobs; i++) {
        if (cs_str_eq(execution->jobs[i]->id, report->token.job)) {
            execution->jobs[0] = execution->jobs[i];
            execution->n_jobs = 1;
            return repeat(execution->jobs[0], report, err);
        }
    }
    return orc_external_unknown(err);
}

static enum cs_status succeed(struct orc_engine *engine, struct orc_entry *entry, uint32_t job,
                              const struct orc_outside_report *report, struct cs_err *err) {
    struct orc_event event = {.kind = ORC_EVENT_SUCCEEDED, .job = job, .attempt = report->token.attempt};
    CS_TRY(orc_external_result(report->request->succeeded, entry->execution->plan->jobs[job].output_type, report->arena,
                               &event.payload, &event.payload_size, err));
    CS_TRY(orc_engine_step(engine, entry, &event, err));
    atomic_fetch_add(&engine->counters.jobs_ended, 1);
    return CS_OK;
}

static enum cs_status fail(struct orc_engine *engine, struct orc_entry *entry, uint32_t job,
                           const struct orc_outside_report *report, struct cs_err *err) {
    const Callsheet__V1__Failed *failed = report->request->failed;
    struct orc_event event = {
        .kind = ORC_EVENT_FAILED,
        .job = job,
        .attempt = report->token.attempt,
        .failure_class = (enum orc_failure_class)failed->failure_class,
        .code = failed->code[0] != '\0' ? failed->code : ORC_EXTERNAL_CODE_DEFAULT,
        .message = failed->message,
        .retry_after_ms = failed->retry_after_ms > 0 ? failed->retry_after_ms : 0,
        .chance = (uint32_t)cs_random_u64(),
    };
    return orc_engine_step(engine, entry, &event, err);
}

static void hear(struct orc_engine *engine, struct orc_entry *entry, uint32_t job,
                 const Callsheet__V1__Progress *progress) {
    struct orc_outside *outside = orc_entry_seat(entry, job)->outside;
    outside->heard_ms = engine->now_ms;
    if (progress->stage[0] == '\0' && progress->fraction == 0) {
        return; /* a mere sign of life */
    }
    double before = outside->progress.fraction;
    orc_progress_copy(progress, &outside->progress);
    outside->progress.fraction = outside->progress.fraction > before ? outside->progress.fraction : before;
    outside->has_progress = true;
    orc_watch_note(engine, entry, true);
}

static enum cs_status apply(struct orc_engine *engine, struct orc_entry *entry, int32_t job,
                            const struct orc_outside_report *report, struct cs_err *err) {
    const struct orc_execution *execution = entry->execution;
    if (job < 0 || !execution->plan->jobs[job].operation->external ||
        execution->jobs[job].attempt != report->token.attempt) {
        return orc_external_unknown(err);
    }
    orc_outside_take(engine, entry, (uint32_t)job); /* if a recovery has not yet */
    if (orc_entry_seat(entry, (uint32_t)job)->outside == NULL) {
        return orc_outside_repeated(report, orc_engine_view(entry, (uint32_t *)&job, 1, report->arena), err);
    }
    switch (report->request->report_case) {
    case CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_SUCCEEDED:
        return succeed(engine, entry, (uint32_t)job, report, err);
    case CALLSHEET__V1__REPORT_EXTERNAL_REQUEST__REPORT_FAILED:
        return fail(engine, entry, (uint32_t)job, report, err);
    default:
        hear(engine, entry, (uint32_t)job, report->request->progress);
        return CS_OK;
    }
}

/* The head and the job, after the commit. */
static void answer(struct orc_engine *engine, struct orc_entry *entry, const struct orc_item *item, uint32_t job) {
    const struct orc_batch *batch = orc_engine_batch_of(entry);
    struct cs_arena *arena = batch != NULL ? batch->arena : engine->scratch;
    Callsheet__V1__Execution *execution =
        batch != NULL ? orc_engine_snapshot(entry, &job, 1, arena) : orc_engine_view(entry, &job, 1, arena);
    execution->n_labels = 0;
    execution->delivery = NULL;
    const struct orc_effect effect = {
        .kind = ORC_EFFECT_READ,
        .entry = entry,
        .read = {.execution = execution, .done = item->read.done, .ctx = item->read.ctx},
    };
    orc_engine_after_commit(engine, &effect);
}

void orc_engine_take_report(struct orc_engine *engine, struct orc_item *item) {
    struct orc_outside_report *report = item->read.report;
    struct orc_entry *entry = orc_engine_find_for(engine, item);
    struct cs_err err = {0};
    if (entry == NULL) {
        orc_outside_report_destroy(item->read.report); /* unless its row answers, and has it now */
        return;
    }
    int32_t job = orc_plan_find(entry->execution->plan, report->token.job);
    if (apply(engine, entry, job, report, &err) == CS_OK) {
        answer(engine, entry, item, (uint32_t)job);
    } else {
        orc_engine_answer_from(engine, entry, item, &err);
    }
    orc_outside_report_destroy(report);
}
