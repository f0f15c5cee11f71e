/* What is checked of layers and of green screens. */
#include "check.h"

#include <stdio.h>

#include "cs/placement.h"

enum { OUTPUT_SIDE_MIN = 16, OUTPUT_SIDE_MAX = 4096, OUTPUT_SECONDS_MAX = 6 * 3600 };

static enum cs_status check_key(const char *color, const Google__Protobuf__DoubleValue *similarity,
                                const Google__Protobuf__DoubleValue *blend, struct cs_err *err) {
    uint32_t rgb = 0;
    if (color[0] != '\0' && !cs_key_color(color, &rgb)) {
        return cs_fail_at(err, "chromaKeyColor", "bad_color", "a colour to make transparent is written 0x00FF00");
    }
    CS_TRY(check_opt_real("similarity", similarity, 0.01, 1, err));
    return check_opt_real("blend", blend, 0, 1, err);
}

static enum cs_status check_parts(const Callsheet__V1__LayerItem *layer, struct cs_err *err) {
    if (layer->n_timeline > LAYER_PARTS_MAX) {
        return cs_fail_at(err, "timeline", "too_many", "at most %d media follow one another in a layer",
                          LAYER_PARTS_MAX);
    }
    if (layer->n_timeline > 0 && layer->media != NULL) {
        return cs_fail_at(err, "timeline", "one_of", "a layer has either media or a timeline");
    }
    for (size_t i = 0; i < layer->n_timeline; i++) {
        CS_TRY(check_ref(check_at("timeline", i, ".media").text, layer->timeline[i]->media, true, err));
        CS_TRY(check_opt_real(check_at("timeline", i, ".duration").text, layer->timeline[i]->duration, 0.01,
                              MEDIA_SECONDS_MAX, err));
    }
    return layer->n_timeline > 0 ? CS_OK : check_ref("media", layer->media, true, err);
}

static enum cs_status check_item(const Callsheet__V1__LayerItem *layer, struct cs_err *err) {
    CS_TRY(check_parts(layer, err));
    if (cs_placement_check(layer->placement, err) != CS_OK) {
        return cs_err_at(err, "placement");
    }
    CS_TRY(check_enum("fit", &callsheet__v1__layer_fit__descriptor, (int)layer->fit, err));
    CS_TRY(check_key(layer->chroma_key_color, layer->similarity, layer->blend, err));
    CS_TRY(check_opt_real("opacity", layer->opacity, 0, 1, err));
    CS_TRY(check_opt_real("start", layer->start, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real("duration", layer->duration, 0.01, MEDIA_SECONDS_MAX, err));
    return check_opt_real("volume", layer->volume, 0, 1, err);
}

static enum cs_status check_main(const Callsheet__V1__Layer *params, struct cs_err *err) {
    size_t flagged = 0;
    size_t with_media = 0;
    for (size_t i = 0; i < params->n_layers; i++) {
        flagged += params->layers[i]->main;
        with_media += params->layers[i]->n_timeline == 0;
    }
    if (params->main_layer != NULL && params->main_layer->value >= params->n_layers) {
        return cs_fail_at(err, "mainLayer", "out_of_range", "mainLayer is the index of a layer, from 0");
    }
    if (flagged > 1 || (flagged == 1 && params->main_layer != NULL)) {
        return cs_fail_at(err, params->main_layer != NULL ? "mainLayer" : "layers", "one_of",
                          "one layer is the main one");
    }
    if (flagged == 0 && with_media == 0 && params->main_layer == NULL) {
        return cs_fail_at(err, "layers", "no_main_layer",
                          "No main layer found: one layer must have media or be marked as main");
    }
    return CS_OK;
}

enum cs_status check_layer(const Callsheet__V1__Layer *params, struct cs_err *err) {
    if (params->n_layers == 0) {
        return cs_fail_at(err, "layers", "required", "At least 1 layer is required");
    }
    if (params->n_layers > LAYERS_MAX) {
        return cs_fail_at(err, "layers", "too_many", "at most %d layers are allowed", LAYERS_MAX);
    }
    for (size_t i = 0; i < params->n_layers; i++) {
        if (check_item(params->layers[i], err) != CS_OK) {
            return cs_err_at(err, check_at("layers", i, "").text);
        }
    }
    CS_TRY(check_opt_real("outputDuration", params->output_duration, 0.01, OUTPUT_SECONDS_MAX, err));
    CS_TRY(check_opt_u32("outputWidth", params->output_width, OUTPUT_SIDE_MIN, OUTPUT_SIDE_MAX, err));
    CS_TRY(check_opt_u32("outputHeight", params->output_height, OUTPUT_SIDE_MIN, OUTPUT_SIDE_MAX, err));
    return check_main(params, err);
}

enum cs_status check_replace_green_screen(const Callsheet__V1__ReplaceGreenScreen *params, struct cs_err *err) {
    CS_TRY(check_ref("video", params->video, true, err));
    if (params->n_background == 0) {
        return cs_fail_at(err, "background", "required", "background names at least one video or image");
    }
    if (params->n_background > BACKGROUNDS_MAX) {
        return cs_fail_at(err, "background", "too_many", "at most %d backgrounds are allowed", BACKGROUNDS_MAX);
    }
    for (size_t i = 0; i < params->n_background; i++) {
        CS_TRY(check_ref(check_at("background", i, "").text, params->background[i], true, err));
    }
    return check_key(params->chroma_key_color, params->similarity, params->blend, err);
}
