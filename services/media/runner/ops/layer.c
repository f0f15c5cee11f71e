/* Pictures over one another. */
#include "ops/compose.h"

static size_t main_of(const Callsheet__V1__Layer *params) {
    if (params->main_layer != NULL) {
        return params->main_layer->value;
    }
    for (size_t i = 0; i < params->n_layers; i++) {
        if (params->layers[i]->main) {
            return i;
        }
    }
    for (size_t i = 0; i < params->n_layers; i++) {
        if (params->layers[i]->n_timeline == 0) {
            return i;
        }
    }
    return params->n_layers;
}

static double seconds_of(const Callsheet__V1__Layer *params) {
    return params->output_duration != NULL ? params->output_duration->value : 0;
}

enum cs_status med_op_layer(struct med_job *job, const Callsheet__V1__Layer *params, struct med_made *ret_made,
                            struct cs_err *err) {
    struct med_layer_wire *layers = cs_arena_array(job->arena, params->n_layers, sizeof(*layers));
    for (size_t i = 0; i < params->n_layers; i++) {
        const char *path = cs_arena_sprintf(job->arena, "layers[%zu]", i);
        layers[i] = (struct med_layer_wire){
            .item = params->layers[i],
            .path = path,
            .media_path = cs_arena_sprintf(job->arena, "%s.media", path),
            .parts_path = cs_arena_sprintf(job->arena, "%s.timeline", path),
            .part_member = ".media",
        };
    }
    if (!(seconds_of(params) >= 0 && seconds_of(params) < 1e5)) {
        return cs_fail_at(err, "outputDuration", "out_of_range", "outputDuration is out of range");
    }
    const struct med_compose_wish wish = {
        .layers = layers,
        .count = params->n_layers,
        .main = main_of(params),
        .seconds = seconds_of(params),
        .width = params->output_width != NULL ? params->output_width->value : 0,
        .height = params->output_height != NULL ? params->output_height->value : 0,
    };
    return med_compose(job, &wish, ret_made, err);
}
