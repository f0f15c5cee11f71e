#include <string.h>

#include "cs/base/text.h"
#include "dialect/reader.h"

static const struct {
    const char *client_name;
    const char *native_name;
} names[] = {
    {"font", "fontFamily"},  {"font_size", "fontSize"}, {"fade_in", "fadeIn"},           {"fade_out", "fadeOut"},
    {"start_time", "start"}, {"startTime", "start"},    {"backgroundColor", "boxColor"}, {"endTime", "end"},
};

static const char *native_name(const char *name, const json_t *value) {
    if (strcmp(name, "position") == 0 && json_is_object(value)) {
        return "at";
    }
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        if (strcmp(names[i].client_name, name) == 0) {
            return names[i].native_name;
        }
    }
    return name;
}

/* A place's sums may be plain numbers. */
static json_t *value_of(struct job_reader *job, const char *native, json_t *value) {
    static const char *const sides[] = {"x", "y"};
    if (strcmp(native, "at") != 0 || !json_is_object(value)) {
        return json_incref(value);
    }
    json_t *place = json_copy(value);
    for (size_t i = 0; i < CS_COUNT(sides); i++) {
        json_t *side = json_object_get(place, sides[i]);
        if (json_is_number(side)) {
            (void)json_object_set_new(place, sides[i],
                                      json_string(cs_arena_sprintf(job->arena, "%.6f", json_number_value(side))));
        }
    }
    return place;
}

/* The text itself, or an object. */
static enum cs_status read_one(struct job_reader *job, const json_t *value, const char *client, const char *native,
                               json_t **ret_text, struct cs_err *err) {
    const char *name = NULL;
    json_t *each = NULL;
    if (json_is_string(value)) {
        gw_paths_add(job->paths, path_member(job->arena, native, "text"), client);
        *ret_text = json_pack("{s:O}", "text", value);
        return CS_OK;
    }
    CS_TRY(need_object(value, client, err));
    CS_AUTO_JSON *text = json_object();
    json_object_foreach((json_t *)value, name, each) {
        const char *to = native_name(name, each);
        const char *path = path_member(job->arena, client, name);
        if (json_is_null(each)) {
            continue;
        }
        if (json_object_get(text, to) != NULL) {
            return cs_fail_at(err, path, "one_of", "%s was given under another name already", to);
        }
        if (strcmp(to, name) != 0) {
            gw_paths_add(job->paths, path_member(job->arena, native, to), path);
        }
        (void)json_object_set_new(text, to, value_of(job, to, each));
    }
    *ret_text = json_incref(text);
    return CS_OK;
}

enum cs_status text_list(struct job_reader *job, const json_t *value, struct cs_err *err) {
    const char *path = job_client_param(job, "texts");
    CS_AUTO_JSON *texts = json_array();
    if (!json_is_array(value)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be an array", path);
    }
    CS_TRY(check_inputs(json_array_size(value), path, err));
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *text = NULL;
        CS_TRY(read_one(job, json_array_get(value, i), path_element(job->arena, path, i),
                        path_element(job->arena, job_native_param(job, "texts"), i), &text, err));
        (void)json_array_append_new(texts, text);
    }
    return job_put(job, "texts", "texts", json_incref(texts), err);
}

/* One alone. */
enum cs_status text_alone(struct job_reader *job, const json_t *value, struct cs_err *err) {
    json_t *text = NULL;
    const char *client = job_client_param(job, "text");
    const char *native = path_element(job->arena, job_native_param(job, "texts"), 0);
    gw_paths_add(job->paths, native, client);
    CS_TRY(read_one(job, value, client, native, &text, err));
    return job_put(job, "texts", "text", json_pack("[o]", text), err);
}
