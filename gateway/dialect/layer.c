#include <string.h>

#include "cs/base/text.h"
#include "dialect/reader.h"

/* A layer while it is read. */
struct layer_reader {
    struct job_reader *job;
    const char *client; /* "…params.layers[0]" */
    const char *native;
    json_t *out;
};

static enum cs_status need_array(const json_t *value, const char *path, struct cs_err *err) {
    return json_is_array(value) ? check_inputs(json_array_size(value), path, err)
                                : cs_fail_at(err, path, "wrong_type", "%s must be an array", path);
}

/* Sums may be plain numbers. */
static json_t *sum_of(struct job_reader *job, const json_t *value) {
    if (json_is_integer(value)) {
        return json_string(cs_arena_sprintf(job->arena, "%lld", (long long)json_integer_value(value)));
    }
    return json_is_real(value) ? json_string(cs_arena_sprintf(job->arena, "%.6f", json_real_value(value)))
                               : json_incref((json_t *)value);
}

/* {x, y}, of numbers or texts. */
static json_t *read_position(struct job_reader *job, const json_t *value) {
    const char *name = NULL;
    json_t *each = NULL;
    json_t *position = json_object();
    json_object_foreach((json_t *)value, name, each) {
        (void)json_object_set_new(position, name, sum_of(job, each));
    }
    return position;
}

/* Words, or {width, height, position, padding, aspectRatio}; a position may be a word too. */
static json_t *read_placement(const struct layer_reader *layer, const json_t *value) {
    const char *name = NULL;
    json_t *each = NULL;
    if (json_is_string(value)) {
        gw_paths_add(layer->job->paths, path_member(layer->job->arena, layer->native, "placement.words"),
                     path_member(layer->job->arena, layer->client, "placement"));
        return json_pack("{s:O}", "words", value);
    }
    if (!json_is_object(value)) {
        return json_incref((json_t *)value);
    }
    json_t *placement = json_object();
    json_object_foreach((json_t *)value, name, each) {
        bool side = strcmp(name, "width") == 0 || strcmp(name, "height") == 0;
        bool position = strcmp(name, "position") == 0;
        if (position && json_is_string(each)) {
            gw_paths_add(layer->job->paths, path_member(layer->job->arena, layer->native, "placement.words"),
                         path_member(layer->job->arena, layer->client, "placement.position"));
            (void)json_object_set(placement, "words", each);
        } else {
            (void)json_object_set_new(placement, name,
                                      side                               ? sum_of(layer->job, each)
                                      : position && json_is_object(each) ? read_position(layer->job, each)
                                                                         : json_incref(each));
        }
    }
    return placement;
}

static enum cs_status put(const struct layer_reader *layer, const char *name, const char *client_name, json_t *value,
                          struct cs_err *err) {
    if (json_object_get(layer->out, name) != NULL) {
        json_decref(value);
        return cs_fail_at(err, path_member(layer->job->arena, layer->client, client_name), "one_of",
                          "%s was given under another name already", name);
    }
    if (strcmp(name, client_name) != 0) {
        gw_paths_add(layer->job->paths, path_member(layer->job->arena, layer->native, name),
                     path_member(layer->job->arena, layer->client, client_name));
    }
    (void)json_object_set_new(layer->out, name, value);
    return CS_OK;
}

/* ---- media ---- */

static enum cs_status read_ref(const struct layer_reader *layer, const json_t *value, const char *path,
                               json_t **ret_ref, struct cs_err *err) {
    return read_media(value, MEDIA_TEXT_ANY, path, layer->job->arena, ret_ref, NULL, err);
}

/* Several media are a timeline of equal shares. */
static enum cs_status read_media_list(const struct layer_reader *layer, const json_t *value, struct cs_err *err) {
    struct cs_arena *arena = layer->job->arena;
    const char *path = path_member(arena, layer->client, "media");
    const char *native = path_member(arena, layer->native, "timeline");
    CS_AUTO_JSON *timeline = json_array();
    CS_TRY(need_array(value, path, err));
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *ref = NULL;
        const char *at = path_element(arena, path, i);
        CS_TRY(read_ref(layer, json_array_get(value, i), at, &ref, err));
        (void)json_array_append_new(timeline, json_pack("{s:o}", "media", ref));
        gw_paths_add(layer->job->paths, path_member(arena, path_element(arena, native, i), "media"), at);
    }
    return put(layer, "timeline", "media", json_incref(timeline), err);
}

static enum cs_status read_part(const struct layer_reader *layer, const json_t *value, const char *path,
                                json_t **ret_part, struct cs_err *err) {
    /* what the first of a timeline says of them, all of them have */
    static const char *const known[] = {"media",          "duration",   "placement", "chromaKey",
                                        "chromaKeyColor", "similarity", "blend",     NULL};
    json_t *ref = NULL;
    CS_TRY(need_object(value, path, err));
    CS_TRY(need_only(value, path, known, layer->job->arena, err));
    CS_AUTO_JSON *part = json_object();
    if (member(value, "media") != NULL) {
        CS_TRY(read_ref(layer, member(value, "media"), path_member(layer->job->arena, path, "media"), &ref, err));
        (void)json_object_set_new(part, "media", ref);
    }
    if (member(value, "duration") != NULL) {
        (void)json_object_set(part, "duration", (json_t *)member(value, "duration"));
    }
    *ret_part = json_incref(part);
    return CS_OK;
}

static enum cs_status read_timeline(const struct layer_reader *layer, const json_t *value, struct cs_err *err) {
    const char *path = path_member(layer->job->arena, layer->client, "timeline");
    CS_AUTO_JSON *timeline = json_array();
    CS_TRY(need_array(value, path, err));
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *part = NULL;
        CS_TRY(read_part(layer, json_array_get(value, i), path_element(layer->job->arena, path, i), &part, err));
        (void)json_array_append_new(timeline, part);
    }
    return put(layer, "timeline", "timeline", json_incref(timeline), err);
}

/* ---- one layer ---- */

static enum cs_status read_member(const struct layer_reader *layer, const char *name, json_t *value,
                                  struct cs_err *err) {
    /* what the client worked out for itself from the rest */
    static const char *const derived[] = {"isTimeline", "needsAutoDuration", "explicitDuration"};
    json_t *ref = NULL;
    for (size_t i = 0; i < CS_COUNT(derived); i++) {
        if (strcmp(name, derived[i]) == 0) {
            return CS_OK;
        }
    }
    if (strcmp(name, "timeline") == 0) {
        return read_timeline(layer, value, err);
    }
    if (strcmp(name, "media") == 0 && json_is_array(value)) {
        return read_media_list(layer, value, err);
    }
    if (strcmp(name, "media") == 0) {
        CS_TRY(read_ref(layer, value, path_member(layer->job->arena, layer->client, name), &ref, err));
        return put(layer, "media", "media", ref, err);
    }
    if (strcmp(name, "placement") == 0) {
        return put(layer, "placement", "placement", read_placement(layer, value), err);
    }
    return put(layer, strcmp(name, "totalDuration") == 0 ? "duration" : name, name, json_incref(value), err);
}

/* The first of a timeline speaks for all of it, where the layer says nothing. */
static enum cs_status take_from_first(const struct layer_reader *layer, const json_t *value, struct cs_err *err) {
    static const char *const shared[] = {"placement", "chromaKey", "chromaKeyColor", "similarity", "blend"};
    const json_t *first = json_array_get(member(value, "timeline"), 0);
    for (size_t i = 0; i < CS_COUNT(shared); i++) {
        const json_t *each = member(first, shared[i]);
        if (each != NULL && member(value, shared[i]) == NULL) {
            CS_TRY(read_member(layer, shared[i], (json_t *)each, err));
        }
    }
    return CS_OK;
}

static enum cs_status read_layer(struct job_reader *job, const json_t *value, size_t index, json_t **ret_layer,
                                 struct cs_err *err) {
    CS_AUTO_JSON *out = json_object();
    const struct layer_reader layer = {
        .job = job,
        .client = path_element(job->arena, job_client_param(job, "layers"), index),
        .native = path_element(job->arena, job_native_param(job, "layers"), index),
        .out = out,
    };
    const char *name = NULL;
    json_t *each = NULL;
    CS_TRY(need_object(value, layer.client, err));
    json_object_foreach((json_t *)value, name, each) {
        if (!json_is_null(each)) {
            CS_TRY(read_member(&layer, name, each, err));
        }
    }
    CS_TRY(take_from_first(&layer, value, err));
    *ret_layer = json_incref(out);
    return CS_OK;
}

enum cs_status layer_layers(struct job_reader *job, const json_t *value, struct cs_err *err) {
    const char *path = job_client_param(job, "layers");
    CS_AUTO_JSON *layers = json_array();
    CS_TRY(need_array(value, path, err));
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *layer = NULL;
        CS_TRY(read_layer(job, json_array_get(value, i), i, &layer, err));
        (void)json_array_append_new(layers, layer);
    }
    return job_put(job, "layers", "layers", json_incref(layers), err);
}
