#include <string.h>

#include "cs/base/text.h"
#include "dialect/reader.h"

enum { INPUTS_MIN = 2 };

static const char *native_media(struct job_reader *job, const char *list, size_t index) {
    return cs_arena_sprintf(job->arena, "%s.params.%s[%zu].media", job->native, list, index);
}

/* {media: ref} with the type that a marker gave away. */
static json_t *item_of(json_t *ref, const char *type_word) {
    json_t *item = json_object();
    (void)json_object_set_new(item, "media", ref);
    if (type_word != NULL) {
        (void)json_object_set_new(item, "type", json_string(type_word));
    }
    return item;
}

/* v1: ids of jobs, in order. */
enum cs_status merge_inputs(struct job_reader *job, const json_t *value, struct cs_err *err) {
    const char *path = job_client_param(job, "inputs");
    if (!json_is_array(value)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be an array", path);
    }
    if (json_array_size(value) < INPUTS_MIN) {
        return cs_fail_at(err, path, "too_few", "At least 2 videos required for merging");
    }
    CS_TRY(check_inputs(json_array_size(value), path, err));
    CS_AUTO_JSON *items = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *ref = NULL;
        const char *type_word = NULL;
        const char *at = path_element(job->arena, path, i);
        CS_TRY(read_media(json_array_get(value, i), MEDIA_TEXT_ANY, at, job->arena, &ref, &type_word, err));
        (void)json_array_append_new(items, item_of(ref, type_word));
        gw_paths_add(job->paths, native_media(job, "items", i), at);
    }
    return job_put(job, "items", "inputs", json_incref(items), err);
}

/* typed: an item may say what it is. */
static enum cs_status read_item(struct job_reader *job, const json_t *value, const char *list, size_t index, bool typed,
                                json_t **ret_item, struct cs_err *err) {
    const char *path = path_element(job->arena, job_client_param(job, list), index);
    json_t *ref = NULL;
    const char *type_word = NULL;
    if (json_is_string(value)) {
        CS_TRY(read_media(value, MEDIA_TEXT_ANY, path, job->arena, &ref, &type_word, err));
        gw_paths_add(job->paths, native_media(job, list, index), path);
        *ret_item = item_of(ref, typed ? type_word : NULL);
        return CS_OK;
    }
    CS_TRY(need_object(value, path, err));
    const char *name = member(value, "url") != NULL ? "url" : "media";
    if (member(value, "url") != NULL && member(value, "media") != NULL) {
        return cs_fail_at(err, path, "one_of", "%s has both url and media", path);
    }
    CS_AUTO_JSON *item = json_copy((json_t *)value);
    (void)json_object_del(item, name);
    if (member(value, name) != NULL) {
        const char *at = path_member(job->arena, path, name);
        enum media_text text = strcmp(name, "url") == 0 ? MEDIA_TEXT_URL : MEDIA_TEXT_ANY;
        CS_TRY(read_media(member(value, name), text, at, job->arena, &ref, &type_word, err));
        (void)json_object_set_new(item, "media", ref);
        if (strcmp(name, "url") == 0) {
            gw_paths_add(job->paths, native_media(job, list, index), at);
        }
    }
    if (typed && type_word != NULL && member(value, "type") == NULL) {
        (void)json_object_set_new(item, "type", json_string(type_word));
    }
    *ret_item = json_incref(item);
    return CS_OK;
}

static enum cs_status read_list(struct job_reader *job, const json_t *value, const char *list, bool typed,
                                struct cs_err *err) {
    const char *path = job_client_param(job, list);
    if (!json_is_array(value)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be an array", path);
    }
    CS_TRY(check_inputs(json_array_size(value), path, err));
    CS_AUTO_JSON *items = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *item = NULL;
        CS_TRY(read_item(job, json_array_get(value, i), list, i, typed, &item, err));
        (void)json_array_append_new(items, item);
    }
    return job_put(job, list, list, json_incref(items), err);
}

/* v2 and native. */
enum cs_status merge_items(struct job_reader *job, const json_t *value, struct cs_err *err) {
    return read_list(job, value, "items", true, err);
}

enum cs_status transitions_items(struct job_reader *job, const json_t *value, struct cs_err *err) {
    return read_list(job, value, "items", false, err);
}

enum cs_status stitch_scenes(struct job_reader *job, const json_t *value, struct cs_err *err) {
    return read_list(job, value, "scenes", false, err);
}

/* A bare word, or {type, duration}. */
enum cs_status merge_transition(struct job_reader *job, const json_t *value, struct cs_err *err) {
    if (!json_is_string(value)) {
        return job_put(job, "transition", "transition", json_incref((json_t *)value), err);
    }
    gw_paths_add(job->paths, job_native_param(job, "transition.type"), job_client_param(job, "transition"));
    return job_put(job, "transition", "transition", json_pack("{s:O}", "type", value), err);
}

/* A number, or text as in the proto. */
enum cs_status merge_frame_rate(struct job_reader *job, const json_t *value, struct cs_err *err) {
    json_t *rate = json_is_integer(value)
                       ? json_string(cs_arena_sprintf(job->arena, "%lld", (long long)json_integer_value(value)))
                       : json_incref((json_t *)value);
    return job_put(job, "frameRate", "frameRate", rate, err);
}

/* Without inputs and items: all dependencies that no other parameter names, in order. */
enum cs_status list_implied(struct job_reader *job, const char *list, struct cs_err *err) {
    if (json_object_get(job->out, list) != NULL || job->depends_count == 0) {
        return CS_OK;
    }
    CS_TRY(check_inputs(job->depends_count, path_member(job->arena, job->client, job->depends_name), err));
    json_t *items = json_array();
    for (size_t i = 0; i < job->depends_count; i++) {
        if (!names_job(job, job->depends[i])) {
            gw_paths_add(job->paths, native_media(job, list, json_array_size(items)),
                         cs_arena_sprintf(job->arena, "%s.%s[%zu]", job->client, job->depends_name, i));
            (void)json_array_append_new(items, item_of(json_pack("{s:s}", "job", job->depends[i]), NULL));
        }
    }
    return job_put(job, list, list, items, err);
}
