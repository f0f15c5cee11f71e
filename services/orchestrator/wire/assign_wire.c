#include "wire/assign_wire.h"

#include "cs/crypto.h"
#include "cs/rpc.h"
#include "wire/execution_wire.h"

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

static enum cs_status resolve(const struct orc_execution *execution, const struct orc_plan_job *planned,
                              const struct orc_input *input, struct cs_arena *arena, Callsheet__V1__ResolvedInput *out,
                              struct cs_err *err) {
    callsheet__v1__resolved_input__init(out);
    if (input->job < 0) {
        out->source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_URL;
        out->url = (char *)input->url;
        return CS_OK;
    }
    const Callsheet__V1__Succeeded *result = NULL;
    CS_TRY(orc_job_result(&execution->jobs[input->job], arena, &result, err));
    const Callsheet__V1__Artifact *artifact = result != NULL ? orc_output_of_type(result, input->accepts) : NULL;
    if (artifact == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "input_missing",
                       "job \"%s\" needs an output of job \"%s\", which gave none of a fitting type", planned->id,
                       execution->plan->jobs[input->job].id);
    }
    out->source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_ARTIFACT;
    out->artifact = (Callsheet__V1__Artifact *)artifact;
    return CS_OK;
}

static enum cs_status resolve_all(const struct orc_execution *execution, const struct orc_plan_job *planned,
                                  struct cs_arena *arena, Callsheet__V1__Assign *assign, struct cs_err *err) {
    Callsheet__V1__ResolvedInput *inputs = cs_arena_array(arena, planned->input_count, sizeof(*inputs));
    assign->inputs = cs_arena_array(arena, planned->input_count, sizeof(Callsheet__V1__ResolvedInput *));
    for (uint32_t i = 0; i < planned->input_count; i++) {
        assign->inputs[i] = &inputs[i];
        CS_TRY(resolve(execution, planned, &planned->inputs[i], arena, &inputs[i], err));
    }
    assign->n_inputs = planned->input_count;
    return CS_OK;
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

enum cs_status orc_assign_job(const struct orc_execution *execution, uint32_t job,
                              const struct orc_assign_context *context, struct cs_arena *arena,
                              Callsheet__V1__WorkCommand **ret_command, struct cs_err *err) {
    const struct orc_plan_job *planned = &execution->plan->jobs[job];
    const struct orc_job *state = &execution->jobs[job];
    Callsheet__V1__WorkCommand *command = new_assign(execution, state->fence, context, arena);
    Callsheet__V1__Assign *assign = command->assign;
    ProtobufCMessage *operation = NULL;
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__operation__descriptor, planned->params, planned->params_size,
                                       arena, &operation, err));
    assign->operation = (Callsheet__V1__Operation *)operation;
    CS_TRY(resolve_all(execution, planned, arena, assign, err));
    assign->job = (char *)planned->id;
    assign->attempt = state->attempt;
    assign->deadline_ms = state->deadline_ms;
    assign->checkpoint.data = state->checkpoint;
    assign->checkpoint.len = state->checkpoint != NULL ? state->checkpoint_size : 0;
    assign->output_prefix = output_prefix(execution, job, context->environment, arena);
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
