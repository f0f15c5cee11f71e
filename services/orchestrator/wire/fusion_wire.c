#include "wire/fusion_wire.h"

#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/rpc.h"
#include "wire/assign_wire.h"

/* ---- plans ---- */

enum cs_status orc_intermediates_check(const Callsheet__V1__Plan *plan, struct cs_err *err) {
    if ((unsigned)plan->intermediates > (unsigned)CALLSHEET__V1__INTERMEDIATES__INTERMEDIATES_DISCARD) {
        return cs_fail_at(err, "intermediates", "bad_intermediates", "intermediates are kept or discarded");
    }
    return CS_OK;
}

bool orc_plan_discards(const Callsheet__V1__Plan *plan) {
    return plan->intermediates == CALLSHEET__V1__INTERMEDIATES__INTERMEDIATES_DISCARD;
}

static int compare_ids(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void orc_fusion_read(const Callsheet__V1__Plan *plan, struct cs_arena *scratch, struct orc_job_draft *drafts) {
    bool discards = orc_plan_discards(plan);
    const char **roots = NULL;
    if (discards && plan->n_root_job_ids != 0) {
        roots = cs_arena_copy(scratch, plan->root_job_ids, plan->n_root_job_ids * sizeof(*roots));
        qsort(roots, plan->n_root_job_ids, sizeof(*roots), compare_ids);
    }
    for (size_t i = 0; i < plan->n_jobs; i++) {
        const Callsheet__V1__Job *job = plan->jobs[i];
        bool is_root =
            roots != NULL && bsearch(&job->id, roots, plan->n_root_job_ids, sizeof(*roots), compare_ids) != NULL;
        drafts[i].fusible = cs_catalog_fusible(job->operation);
        drafts[i].ends_run = cs_catalog_ends_run(job->operation);
        drafts[i].discards = discards && !job->keep_output && cs_str_empty(job->output) && !is_root;
    }
}

/* ---- assignments ---- */

/* The inputs of one job of the run, behind those that are there; `before` is the job whose output it goes on with,
 * which is step number `step`, or -1. */
static enum cs_status add_inputs(const Callsheet__V1__Assign *alone, const bool *is_step, uint32_t step,
                                 struct cs_arena *arena, Callsheet__V1__Assign *assign, struct cs_err *err) {
    struct cs_media_slot *slots = NULL;
    size_t slot_count = 0;
    uint32_t *places = cs_arena_array(arena, alone->n_inputs + 1, sizeof(*places)); /* by the input's number, from 1 */
    CS_TRY(cs_catalog_media_slots(alone->operation, arena, &slots, &slot_count, err));
    for (size_t i = 0; i < alone->n_inputs; i++) {
        if (!is_step[i]) {
            assign->inputs[assign->n_inputs++] = alone->inputs[i];
            places[i + 1] = (uint32_t)assign->n_inputs;
        }
    }
    for (size_t i = 0; i < slot_count; i++) {
        uint32_t number = slots[i].ref->input <= alone->n_inputs ? slots[i].ref->input : 0;
        slots[i].ref->step = number != 0 && is_step[number - 1] ? step : 0;
        slots[i].ref->input = places[number];
    }
    return CS_OK;
}

static bool *mark_steps(const Callsheet__V1__Assign *alone, struct cs_arena *arena) {
    bool *is_step = cs_arena_array(arena, alone->n_inputs, sizeof(*is_step));
    for (size_t i = 0; i < alone->n_inputs; i++) {
        is_step[i] = alone->inputs[i]->source_case == CALLSHEET__V1__RESOLVED_INPUT__SOURCE__NOT_SET;
    }
    return is_step;
}

static size_t count_inputs(const struct orc_execution *execution, const struct orc_chain *chain) {
    size_t count = 0;
    for (uint32_t i = 0; i < chain->count; i++) {
        count += execution->plan->jobs[chain->jobs[i]].input_count;
    }
    return count;
}

static Callsheet__V1__FusedStep *step_of(const struct orc_execution *execution, uint32_t job,
                                         Callsheet__V1__Operation *operation, struct cs_arena *arena) {
    Callsheet__V1__FusedStep *step = cs_arena_alloc(arena, sizeof(*step));
    callsheet__v1__fused_step__init(step);
    step->job = (char *)execution->plan->jobs[job].id;
    step->attempt = execution->jobs[job].attempt;
    step->operation = operation;
    return step;
}

enum cs_status orc_assign_chain(const struct orc_execution *execution, const struct orc_chain *chain,
                                struct cs_arena *arena, Callsheet__V1__Assign *assign, struct cs_err *err) {
    assign->inputs = cs_arena_array(arena, count_inputs(execution, chain), sizeof(Callsheet__V1__ResolvedInput *));
    assign->steps_before = cs_arena_array(arena, chain->count, sizeof(Callsheet__V1__FusedStep *));
    for (uint32_t i = 0; i < chain->count; i++) {
        Callsheet__V1__Assign alone = CALLSHEET__V1__ASSIGN__INIT;
        CS_TRY(orc_assign_work(execution, chain->jobs[i], arena, &alone, err));
        CS_TRY(add_inputs(&alone, mark_steps(&alone, arena), i, arena, assign, err));
        if (i + 1 < chain->count) {
            assign->steps_before[assign->n_steps_before++] = step_of(execution, chain->jobs[i], alone.operation, arena);
        } else {
            assign->operation = alone.operation;
        }
    }
    return CS_OK;
}

/* ---- results ---- */

static struct orc_packed pack(const Callsheet__V1__Succeeded *succeeded, struct cs_arena *arena) {
    size_t size = protobuf_c_message_get_packed_size(&succeeded->base);
    uint8_t *bytes = cs_arena_alloc(arena, size + 1);
    (void)protobuf_c_message_pack(&succeeded->base, bytes);
    return (struct orc_packed){bytes, size};
}

enum cs_status orc_chain_results(const void *succeeded, size_t size_bytes, uint32_t count, struct cs_arena *arena,
                                 struct orc_packed *ret_results, struct cs_err *err) {
    ProtobufCMessage *message = NULL;
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__succeeded__descriptor, succeeded, size_bytes, arena, &message,
                                       err));
    Callsheet__V1__Succeeded last = *(const Callsheet__V1__Succeeded *)message;
    for (uint32_t i = 0; i + 1 < count; i++) {
        Callsheet__V1__Succeeded step = CALLSHEET__V1__SUCCEEDED__INIT;
        if (i < last.n_steps_before) {
            step.metrics = last.steps_before[i]->metrics;
            step.n_metrics = last.steps_before[i]->n_metrics;
        }
        ret_results[i] = pack(&step, arena);
    }
    last.n_steps_before = 0;
    ret_results[count - 1] = pack(&last, arena);
    return CS_OK;
}
