/* Merges of what a map gave. */
#include "cs/catalog.h"
#include "wire/execution_wire.h"
#include "wire/map_wire.h"

/* A list that grows up to what a job may have. */
struct spread {
    Callsheet__V1__MergeItem **items;
    struct orc_input *inputs;
    uint32_t count;
};

static enum cs_status add_item(struct spread *spread, const Callsheet__V1__MergeItem *item,
                               const struct orc_input *input, uint32_t output, struct cs_arena *arena,
                               struct cs_err *err) {
    if (spread->count == CS_JOB_INPUTS_MAX) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "too_many_inputs", "a job has at most %d inputs", CS_JOB_INPUTS_MAX);
    }
    Callsheet__V1__MergeItem *copy = cs_arena_copy(arena, item, sizeof(*item));
    copy->media = cs_arena_copy(arena, item->media, sizeof(*item->media));
    copy->media->input = spread->count + 1;
    spread->items[spread->count] = copy;
    spread->inputs[spread->count] = *input;
    spread->inputs[spread->count++].output = output;
    return CS_OK;
}

/* One item for each output of the map; one that will be missing when it gave none. */
static enum cs_status add_outputs(const struct orc_execution *execution, const Callsheet__V1__MergeItem *item,
                                  const struct orc_input *input, struct spread *spread, struct cs_arena *arena,
                                  struct cs_err *err) {
    const Callsheet__V1__Succeeded *result = NULL;
    CS_TRY(orc_job_result(&execution->jobs[input->job], arena, &result, err));
    if (result == NULL || result->n_outputs == 0) {
        return add_item(spread, item, input, 0, arena, err);
    }
    for (uint32_t i = 0; i < result->n_outputs; i++) {
        CS_TRY(add_item(spread, item, input, i + 1, arena, err));
    }
    return CS_OK;
}

static bool is_whole_map(const struct orc_execution *execution, const struct orc_input *input) {
    return input->job >= 0 && input->output == 0 && execution->plan->jobs[input->job].map != ORC_MAP_NONE;
}

static bool has_whole_map(const struct orc_execution *execution, const struct orc_plan_job *planned) {
    for (uint32_t i = 0; i < planned->input_count; i++) {
        if (is_whole_map(execution, &planned->inputs[i])) {
            return true;
        }
    }
    return false;
}

/* The inputs of a merge are in the order of its items. */
enum cs_status orc_map_spread(const struct orc_execution *execution, struct orc_plan_job *planned,
                              Callsheet__V1__Operation *operation, struct cs_arena *arena, struct cs_err *err) {
    if (operation->params_case != CALLSHEET__V1__OPERATION__PARAMS_MERGE || !has_whole_map(execution, planned)) {
        return CS_OK;
    }
    Callsheet__V1__Merge *merge = operation->merge;
    struct spread spread = {.items = cs_arena_array(arena, CS_JOB_INPUTS_MAX, sizeof(Callsheet__V1__MergeItem *)),
                            .inputs = cs_arena_array(arena, CS_JOB_INPUTS_MAX, sizeof(struct orc_input))};
    for (size_t i = 0; i < merge->n_items && i < planned->input_count; i++) {
        const struct orc_input *input = &planned->inputs[i];
        if (is_whole_map(execution, input)) {
            CS_TRY(add_outputs(execution, merge->items[i], input, &spread, arena, err));
        } else {
            CS_TRY(add_item(&spread, merge->items[i], input, input->output, arena, err));
        }
    }
    merge->items = spread.items;
    merge->n_items = spread.count;
    planned->inputs = spread.inputs;
    planned->input_count = spread.count;
    return CS_OK;
}
