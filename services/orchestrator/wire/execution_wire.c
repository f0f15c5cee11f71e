#include "wire/execution_wire.h"

#include <stdio.h>

#include "cs/base/text.h"
#include "cs/rpc.h"
#include "wire/approval_wire.h"
#include "wire/assign_wire.h"
#include "wire/cache_wire.h"
#include "wire/external_wire.h"
#include "wire/map_wire.h"

_Static_assert(ORC_JOB_AWAITING_APPROVAL == (int)CALLSHEET__V1__JOB_STATE__JOB_STATE_AWAITING_APPROVAL, "same numbers");
_Static_assert(ORC_EXECUTION_CANCELLED == (int)CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_CANCELLED,
               "same numbers");
_Static_assert(ORC_DELIVERY_ABANDONED == (int)CALLSHEET__V1__DELIVERY_STATE__DELIVERY_STATE_ABANDONED, "same numbers");

static char *text(const char *maybe) {
    return maybe != NULL ? (char *)maybe : (char *)protobuf_c_empty_string;
}

bool orc_media_fits(int output, int accepts) {
    if (accepts != (int)CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED) {
        return output == accepts;
    }
    return output == (int)CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO ||
           output == (int)CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE ||
           output == (int)CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO;
}

bool orc_job_gives(const struct orc_plan_job *job, int accepts) {
    return orc_media_fits(job->output_type, accepts) ||
           (job->more_type != 0 && orc_media_fits(job->more_type, accepts));
}

const Callsheet__V1__Artifact *orc_output_of_type(const Callsheet__V1__Succeeded *succeeded, int accepts) {
    for (size_t i = 0; i < succeeded->n_outputs; i++) {
        if (orc_media_fits((int)succeeded->outputs[i]->type, accepts)) {
            return succeeded->outputs[i];
        }
    }
    return NULL;
}

enum cs_status orc_job_result(const struct orc_job *job, struct cs_arena *arena,
                              const Callsheet__V1__Succeeded **ret_succeeded, struct cs_err *err) {
    if (job->result == NULL) {
        *ret_succeeded = NULL;
        return CS_OK;
    }
    ProtobufCMessage *message = NULL;
    struct cs_err cause = {0};
    if (cs_rpc_message_unpack_arena(&callsheet__v1__succeeded__descriptor, job->result, job->result_size, arena,
                                    &message, &cause) != CS_OK) {
        return cs_fail(err, CS_DATA_LOSS, "bad_result", "a stored result does not unpack: %s", cause.message);
    }
    *ret_succeeded = (const Callsheet__V1__Succeeded *)message;
    return CS_OK;
}

/* ---- one job ---- */

static void put_dependencies(const struct orc_plan *plan, const struct orc_plan_job *planned, struct cs_arena *arena,
                             Callsheet__V1__JobStatus *status) {
    status->n_depends_on = planned->parent_count;
    status->depends_on = cs_arena_array(arena, planned->parent_count, sizeof(char *));
    for (uint32_t i = 0; i < planned->parent_count; i++) {
        status->depends_on[i] = (char *)plan->jobs[planned->parents[i]].id;
    }
}

static void put_error(const struct orc_job *job, struct cs_arena *arena, Callsheet__V1__JobStatus *status) {
    if (job->error_code == NULL && job->error_message == NULL) {
        return;
    }
    Callsheet__V1__JobError *error = cs_arena_alloc(arena, sizeof(*error));
    callsheet__v1__job_error__init(error);
    error->failure_class = (Callsheet__V1__FailureClass)job->failure_class;
    error->code = text(job->error_code);
    error->message = text(job->error_message);
    status->error = error;
}

static void put_reused(const struct orc_job *job, struct cs_arena *arena, Callsheet__V1__JobStatus *status) {
    if (job->reused == NULL) {
        return;
    }
    status->reused = cs_arena_alloc(arena, sizeof(*status->reused));
    callsheet__v1__reused__init(status->reused);
    status->reused->execution_id = job->reused->execution;
    status->reused->job_id = job->reused->job;
    status->reused->reason = job->reused->reason;
}

/* The later job whose run it is, or was, done in. */
static void put_fused(const struct orc_execution *execution, uint32_t index, Callsheet__V1__JobStatus *status) {
    int32_t into = execution->jobs[index].fused_into;
    if (execution->jobs[index].fused_next >= 0) {
        struct orc_chain chain;
        orc_chain_of(execution, index, &chain);
        into = (int32_t)chain.jobs[chain.count - 1];
    }
    if (into >= 0) {
        status->fused_into = (char *)execution->plan->jobs[into].id;
    }
}

/* Those of a list are known before they are jobs. */
static void put_items(const struct orc_plan_job *planned, struct cs_arena *arena, Callsheet__V1__JobStatus *status) {
    ProtobufCMessage *message = NULL;
    struct cs_err err = {0};
    if (cs_rpc_message_unpack_arena(&callsheet__v1__operation__descriptor, planned->params, planned->params_size, arena,
                                    &message, &err) != CS_OK) {
        return; /* its expansion will say so */
    }
    const Callsheet__V1__Map *map = ((const Callsheet__V1__Operation *)message)->map;
    status->items = cs_arena_array(arena, map->n_items, sizeof(*status->items));
    for (size_t i = 0; i < map->n_items; i++) {
        if (!orc_map_leaves_out(map, i)) {
            status->items[status->n_items++] = (uint32_t)i;
        }
    }
}

static enum cs_status put_job(const struct orc_execution_view *view, uint32_t index, struct cs_arena *arena,
                              Callsheet__V1__JobStatus *status, struct cs_err *err) {
    const struct orc_plan *plan = view->execution->plan;
    const struct orc_plan_job *planned = &plan->jobs[index];
    const struct orc_job *job = &view->execution->jobs[index];
    callsheet__v1__job_status__init(status);
    status->id = (char *)planned->id;
    status->operation = (char *)planned->operation->name;
    status->output = text(planned->output);
    if (planned->map != ORC_MAP_NONE && !planned->expanded && !orc_job_terminal(job)) {
        put_items(planned, arena, status);
    }
    if (planned->owner >= 0) {
        status->parent = (char *)plan->jobs[planned->owner].id;
        status->index = planned->item;
    }
    status->state = (Callsheet__V1__JobState)job->state;
    status->attempt = job->attempt;
    status->started_at_ms = job->started_at_ms;
    status->completed_at_ms = job->completed_at_ms;
    status->wake_at_ms = job->state == ORC_JOB_RETRYING ? job->wake_at_ms : 0;
    put_dependencies(plan, planned, arena, status);
    put_error(job, arena, status);
    put_reused(job, arena, status);
    put_fused(view->execution, index, status);
    status->approval = orc_approval_of_job(view->execution, index, arena);
    CS_TRY(orc_external_status(view->execution, index, arena, &status->external, err));
    status->cache = orc_cache_status(planned, job, arena);
    if (job->state == ORC_JOB_RUNNING && view->progress != NULL) {
        status->progress = (Callsheet__V1__Progress *)view->progress(view->execution, index, view->progress_ctx);
    }
    const Callsheet__V1__Succeeded *result = NULL;
    CS_TRY(orc_job_result(job, arena, &result, err));
    if (result != NULL) {
        if (status->external != NULL) {
            status->external->result = result->data;
        }
        status->n_outputs = result->n_outputs;
        status->outputs = result->outputs;
        status->n_metrics = result->n_metrics;
        status->metrics = result->metrics;
    }
    return CS_OK;
}

/* ---- the whole ---- */

void orc_event_id(const struct orc_execution *execution, char ret_id[ORC_EVENT_ID_SIZE]) {
    (void)snprintf(ret_id, ORC_EVENT_ID_SIZE, "evt_%s", execution->id);
}

static void put_delivery(const struct orc_execution *execution, struct cs_arena *arena, Callsheet__V1__Execution *out) {
    if (!execution->has_webhook) {
        return;
    }
    const struct orc_delivery *delivery = &execution->delivery;
    Callsheet__V1__DeliveryStatus *status = cs_arena_alloc(arena, sizeof(*status));
    callsheet__v1__delivery_status__init(status);
    status->event_id = cs_arena_alloc(arena, ORC_EVENT_ID_SIZE);
    orc_event_id(execution, status->event_id);
    status->state = (Callsheet__V1__DeliveryState)delivery->state;
    status->tries = delivery->tries;
    status->next_try_at_ms = delivery->state == ORC_DELIVERY_PENDING ? delivery->next_try_at_ms : 0;
    status->last_error = text(delivery->last_error);
    status->delivered_at_ms = delivery->delivered_at_ms;
    out->delivery = status;
}

static void put_links(const Callsheet__V1__CreateExecutionRequest *envelope, struct cs_arena *arena,
                      Callsheet__V1__Execution *out) {
    if (cs_str_empty(envelope->base_execution_id) && cs_str_empty(envelope->retry_of) &&
        cs_str_empty(envelope->rerun_of)) {
        return;
    }
    out->links = cs_arena_alloc(arena, sizeof(*out->links));
    callsheet__v1__execution_links__init(out->links);
    out->links->base_execution_id = envelope->base_execution_id;
    out->links->retry_of = envelope->retry_of;
    out->links->rerun_of = envelope->rerun_of;
}

static void put_head(const struct orc_execution_view *view, struct cs_arena *arena, Callsheet__V1__Execution *out) {
    const struct orc_execution *execution = view->execution;
    out->id = (char *)execution->id;
    out->tenant = execution->tenant;
    out->state = (Callsheet__V1__ExecutionState)execution->state;
    out->error = text(execution->error);
    out->created_at_ms = execution->created_at_ms;
    out->started_at_ms = execution->started_at_ms;
    out->completed_at_ms = execution->completed_at_ms;
    out->revision = execution->seq;
    if (execution->result_job >= 0) {
        out->result_job_id = (char *)execution->plan->jobs[execution->result_job].id;
    }
    put_delivery(execution, arena, out);
    out->approval = orc_approval_of_whole(execution, arena);
    if (view->envelope != NULL) {
        put_links(view->envelope, arena, out);
        out->n_labels = view->envelope->n_labels;
        out->labels = view->envelope->labels;
        out->pipeline = view->envelope->pipeline;
    }
}

enum cs_status orc_execution_to_wire(const struct orc_execution_view *view, struct cs_arena *arena,
                                     Callsheet__V1__Execution **ret_execution, struct cs_err *err) {
    Callsheet__V1__Execution *out = cs_arena_alloc(arena, sizeof(*out));
    callsheet__v1__execution__init(out);
    put_head(view, arena, out);
    size_t count = view->all_jobs ? view->execution->plan->job_count : view->job_count;
    Callsheet__V1__JobStatus *statuses = cs_arena_array(arena, count, sizeof(*statuses));
    out->jobs = cs_arena_array(arena, count, sizeof(Callsheet__V1__JobStatus *));
    for (size_t i = 0; i < count; i++) {
        uint32_t index = view->all_jobs ? (uint32_t)i : view->jobs[i];
        if (view->execution->plan->jobs[index].hidden) {
            continue;
        }
        out->jobs[out->n_jobs] = &statuses[out->n_jobs];
        CS_TRY(put_job(view, index, arena, out->jobs[out->n_jobs++], err));
    }
    *ret_execution = out;
    return CS_OK;
}
