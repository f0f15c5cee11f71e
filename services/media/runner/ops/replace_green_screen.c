/* A video without its green over backgrounds that share its time. */
#include "ops/compose.h"

static Callsheet__V1__LayerItem *new_layer(struct cs_arena *arena) {
    Callsheet__V1__LayerItem *layer = cs_arena_alloc(arena, sizeof(*layer));
    callsheet__v1__layer_item__init(layer);
    return layer;
}

static Callsheet__V1__LayerItem *behind(const Callsheet__V1__ReplaceGreenScreen *params, struct cs_arena *arena) {
    Callsheet__V1__LayerItem *layer = new_layer(arena);
    layer->loop = cs_arena_alloc(arena, sizeof(*layer->loop));
    google__protobuf__bool_value__init(layer->loop);
    layer->loop->value = true;
    layer->timeline = cs_arena_array(arena, params->n_background, sizeof(Callsheet__V1__LayerPart *));
    layer->n_timeline = params->n_background;
    for (size_t i = 0; i < params->n_background; i++) {
        layer->timeline[i] = cs_arena_alloc(arena, sizeof(Callsheet__V1__LayerPart));
        callsheet__v1__layer_part__init(layer->timeline[i]);
        layer->timeline[i]->media = params->background[i];
    }
    return layer;
}

static Callsheet__V1__LayerItem *in_front(const Callsheet__V1__ReplaceGreenScreen *params, struct cs_arena *arena) {
    Callsheet__V1__LayerItem *layer = new_layer(arena);
    layer->media = params->video;
    layer->chroma_key = true;
    layer->chroma_key_color = params->chroma_key_color;
    layer->similarity = params->similarity;
    layer->blend = params->blend;
    return layer;
}

enum cs_status med_op_replace_green_screen(struct med_job *job, const Callsheet__V1__ReplaceGreenScreen *params,
                                           struct med_made *ret_made, struct cs_err *err) {
    if (params->n_background == 0) {
        return cs_fail_at(err, "background", "required", "background names at least one video or image");
    }
    struct med_layer_wire *layers = cs_arena_array(job->arena, 2, sizeof(*layers));
    layers[0] = (struct med_layer_wire){.item = behind(params, job->arena),
                                        .path = "",
                                        .media_path = "background",
                                        .parts_path = "background",
                                        .part_member = ""};
    layers[1] = (struct med_layer_wire){.item = in_front(params, job->arena),
                                        .path = "",
                                        .media_path = "video",
                                        .parts_path = "video",
                                        .part_member = ""};
    const struct med_compose_wish wish = {.layers = layers, .count = 2, .main = 1};
    struct med_clip clip;
    CS_TRY(med_job_video_input(job, params->video, "video", &clip, err));
    return med_compose(job, &wish, ret_made, err);
}
