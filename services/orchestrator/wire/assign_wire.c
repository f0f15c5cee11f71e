#include "wire/assign_wire.h"

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/crypto.h"
#include "cs/rpc.h"
#include "wire/execution_wire.h"
#include "wire/fusion_wire.h"
#include "wire/map_wire.h"

enum { FENCE_IN_KEY_BYTES = 4 };

static Callsheet__V1__WorkCommand *new_assign(const struct orc_execution *execution, const unsigned char *fence,
                                              const struct orc_assign_context *context, struct cs_arena *arena) {
    Callsheet__V1__WorkCommand *command = cs_arena_alloc(arena, sizeof(*command));
    callsheet__v1__work_command__init(command);
    command->fence.data = cs_arena_copy(arena, fence, ORC_FENCE_BYTES);
    command->fence.len = ORC_FENCE_BYTES;
    command->command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_ASSIGN;
    command->assign = cs_arena_alloc(arena, sizeof(*command->assign));
    callsheet__v1__assign__init(command->assign);
    command->assign->tenant = execution->tenant;
    command->assign->execution = (char *)execution->id;
    command->assign->traceparent = (char *)context->traceparent;
    return command;
}

/* ---- inputs ---- */

static const Callsheet__V1__Artifact *output_at(const Callsheet__V1__Succeeded *result, const struct orc_input *input) {
    if (input->output > result->n_outputs) {
        return NULL;
    }
    const Callsheet__V1__Artifact *output = result->outputs[input->output - 1];
    return orc_media_fits((int)output->type, input->accepts) ? output : NULL;
}

/* The parent's output that an input asks for, or NULL. */
static enum cs_status artifact_of(const struct orc_execution *execution, const struct orc_input *input,
                                  struct cs_arena *arena, const Callsheet__V1__Artifact **ret_artifact,
                                  struct cs_err *err) {
    const Callsheet__V1__Succeeded *result = NULL;
    CS_TRY(orc_job_result(&execution->jobs[input->job], arena, &result, err));
    *ret_artifact = result == NULL       ? NULL
                    : input->output == 0 ? orc_output_of_type(result, input->accepts)
                                         : output_at(result, input);
    return CS_OK;
}

static bool may_miss(const struct orc_plan_job *planned, const struct orc_input *input) {
    if (planned->policy != ORC_DEPENDENCY_ALL) {
        return true;
    }
    for (uint32_t i = 0; i < planned->parent_count; i++) {
        if (planned->parents[i] == (uint32_t)input->job) {
            return planned->optional[i];
        }
    }
    return false;
}

static enum cs_status fail_missing(const struct orc_execution *execution, const struct orc_plan_job *planned,
                                   const struct orc_input *input, struct cs_err *err) {
    return cs_fail(err, CS_INVALID_ARGUMENT, "input_missing",
                   "job \"%s\" needs an output of job \"%s\", which gave none of a fitting type", planned->id,
                   execution->plan->jobs[input->job].id);
}

/* The job is done in one run with the one before it. */
static bool goes_on_with(const struct orc_execution *execution, const struct orc_plan_job *planned,
                         const struct orc_input *input) {
    int32_t next = execution->jobs[input->job].fused_next;
    return next >= 0 && execution->plan->jobs[next].id == planned->id;
}

/* *ret_missing: there is none, and the job's policy allows for that. */
static enum cs_status resolve(const struct orc_execution *execution, const struct orc_plan_job *planned,
                              const struct orc_input *input, struct cs_arena *arena, Callsheet__V1__ResolvedInput *out,
                              bool *ret_missing, struct cs_err *err) {
    callsheet__v1__resolved_input__init(out);
    *ret_missing = false;
    if (input->job < 0) {
        out->source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_URL;
        out->url = (char *)input->url;
        return CS_OK;
    }
    if (goes_on_with(execution, planned, input)) {
        return CS_OK; /* no source: a step of the same run */
    }
    const Callsheet__V1__Artifact *artifact = NULL;
    CS_TRY(artifact_of(execution, input, arena, &artifact, err));
    if (artifact == NULL) {
        *ret_missing = may_miss(planned, input);
        return *ret_missing ? CS_OK : fail_missing(execution, planned, input, err);
    }
    if (!cs_str_empty(artifact->url)) { /* given from outside: fetched now, through the guard */
        out->source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_URL;
        out->url = artifact->url;
        return CS_OK;
    }
    out->source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_ARTIFACT;
    out->artifact = (Callsheet__V1__Artifact *)artifact;
    return CS_OK;
}

/* The operation without the inputs that are not there; the others are numbered anew: slots are in the order of inputs.
 */
static enum cs_status leave_out(const struct orc_execution *execution, const struct orc_plan_job *planned,
                                const bool *missing, struct cs_arena *arena, Callsheet__V1__Assign *assign,
                                struct cs_err *err) {
    struct cs_media_slot *slots = NULL;
    size_t count = 0;
    CS_TRY(cs_catalog_media_slots(assign->operation, arena, &slots, &count, err));
    uint32_t first = 0;
    uint32_t kept = 0;
    for (uint32_t i = planned->input_count; i-- > 0;) {
        first = missing[i] ? i : first;
    }
    for (uint32_t i = 0; i < planned->input_count && i < count; i++) {
        slots[i].ref->input = missing[i] ? 0 : kept + 1;
        if (!missing[i]) {
            assign->inputs[kept++] = assign->inputs[i];
        }
    }
    assign->n_inputs = kept;
    cs_catalog_drop_unresolved(assign->operation);
    struct cs_err why = {0};
    return cs_catalog_check(assign->operation, &why) == CS_OK
               ? CS_OK
               : fail_missing(execution, planned, &planned->inputs[first], err);
}

static enum cs_status resolve_all(const struct orc_execution *execution, const struct orc_plan_job *planned,
                                  struct cs_arena *arena, Callsheet__V1__Assign *assign, struct cs_err *err) {
    Callsheet__V1__ResolvedInput *inputs = cs_arena_array(arena, planned->input_count, sizeof(*inputs));
    bool *missing = cs_arena_array(arena, planned->input_count, sizeof(*missing));
    bool any_missing = false;
    assign->inputs = cs_arena_array(arena, planned->input_count, sizeof(Callsheet__V1__ResolvedInput *));
    for (uint32_t i = 0; i < planned->input_count; i++) {
        assign->inputs[i] = &inputs[i];
        CS_TRY(resolve(execution, planned, &planned->inputs[i], arena, &inputs[i], &missing[i], err));
        any_missing |= missing[i];
    }
    assign->n_inputs = planned->input_count;
    return any_missing ? leave_out(execution, planned, missing, arena, assign, err) : CS_OK;
}

/* ---- a job ---- */

static char *output_prefix(const struct orc_execution *execution, uint32_t index, const char *environment,
                           struct cs_arena *arena) {
    const struct orc_job *job = &execution->jobs[index];
    char fence[2 * FENCE_IN_KEY_BYTES + 1];
    cs_hex_format(job->fence, FENCE_IN_KEY_BYTES, fence);
    return cs_arena_sprintf(arena, "%s/%s/%s/%s/%u-%s/", environment, execution->tenant, execution->id,
                            execution->plan->jobs[index].id, job->attempt, fence);
}

enum cs_status orc_assign_work(const struct orc_execution *execution, uint32_t job, struct cs_arena *arena,
                               Callsheet__V1__Assign *assign, struct cs_err *err) {
    struct orc_plan_job planned = execution->plan->jobs[job];
    ProtobufCMessage *operation = NULL;
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__operation__descriptor, planned.params, planned.params_size,
                                       arena, &operation, err));
    assign->operation = (Callsheet__V1__Operation *)operation;
    CS_TRY(orc_map_spread(execution, &planned, assign->operation, arena, err));
    return resolve_all(execution, &planned, arena, assign, err);
}

enum cs_status orc_assign_job(const struct orc_execution *execution, uint32_t job,
                              const struct orc_assign_context *context, struct cs_arena *arena,
                              Callsheet__V1__WorkCommand **ret_command, struct cs_err *err) {
    struct orc_chain chain;
    orc_chain_of(execution, job, &chain);
    uint32_t last = chain.jobs[chain.count - 1];
    const struct orc_job *state = &execution->jobs[last];
    Callsheet__V1__WorkCommand *command = new_assign(execution, state->fence, context, arena);
    Callsheet__V1__Assign *assign = command->assign;
    CS_TRY(chain.count > 1 ? orc_assign_chain(execution, &chain, arena, assign, err)
                           : orc_assign_work(execution, job, arena, assign, err));
    assign->job = (char *)execution->plan->jobs[last].id;
    assign->attempt = state->attempt;
    assign->deadline_ms = state->deadline_ms;
    assign->checkpoint.data = state->checkpoint;
    assign->checkpoint.len = state->checkpoint != NULL ? state->checkpoint_size : 0;
    assign->output_prefix = output_prefix(execution, last, context->environment, arena);
    *ret_command = command;
    return CS_OK;
}

/* ---- a delivery ---- */

static Callsheet__V1__Operation *delivery_operation(const struct orc_execution *execution,
                                                    const Callsheet__V1__WebhookTarget *webhook, const void *body,
                                                    size_t body_size, struct cs_arena *arena) {
    Callsheet__V1__DeliverWebhook *deliver = cs_arena_alloc(arena, sizeof(*deliver));
    callsheet__v1__deliver_webhook__init(deliver);
    deliver->url = webhook->url;
    deliver->secret = webhook->secret;
    deliver->event_id = cs_arena_alloc(arena, ORC_EVENT_ID_SIZE);
    orc_event_id(execution, deliver->event_id);
    deliver->body.data = (uint8_t *)body;
    deliver->body.len = body_size;
    deliver->tries = execution->delivery.tries + 1;
    Callsheet__V1__Operation *operation = cs_arena_alloc(arena, sizeof(*operation));
    callsheet__v1__operation__init(operation);
    operation->params_case = CALLSHEET__V1__OPERATION__PARAMS_DELIVER_WEBHOOK;
    operation->deliver_webhook = deliver;
    return operation;
}

Callsheet__V1__WorkCommand *orc_assign_delivery(const struct orc_execution *execution,
                                                const Callsheet__V1__WebhookTarget *webhook, const void *body,
                                                size_t body_size, const struct orc_assign_context *context,
                                                struct cs_arena *arena) {
    const struct orc_delivery *delivery = &execution->delivery;
    Callsheet__V1__WorkCommand *command = new_assign(execution, delivery->fence, context, arena);
    command->assign->job = (char *)ORC_DELIVERY_JOB;
    command->assign->attempt = delivery->tries + 1;
    command->assign->deadline_ms = delivery->deadline_ms;
    command->assign->operation = delivery_operation(execution, webhook, body, body_size, arena);
    return command;
}
