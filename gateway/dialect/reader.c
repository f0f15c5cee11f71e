#include "dialect/reader.h"

#include <string.h>

#include "cs/base/text.h"

enum { SHOWN_NAME_SIZE = 65 };

const char *path_member(struct cs_arena *arena, const char *base, const char *name) {
    char shown[SHOWN_NAME_SIZE];
    cs_str_copy(shown, sizeof(shown), name);
    return cs_arena_sprintf(arena, "%s%s%s", base, base[0] != '\0' ? "." : "", shown);
}

const char *path_element(struct cs_arena *arena, const char *base, size_t index) {
    return cs_arena_sprintf(arena, "%s[%zu]", base, index);
}

const json_t *member(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

enum cs_status need_object(const json_t *value, const char *path, struct cs_err *err) {
    if (!json_is_object(value)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be an object", path[0] != '\0' ? path : "the body");
    }
    return CS_OK;
}

static bool is_listed(const char *name, const char *const *words) {
    for (const char *const *word = words; *word != NULL; word++) {
        if (strcmp(name, *word) == 0) {
            return true;
        }
    }
    return false;
}

enum cs_status need_only(const json_t *object, const char *path, const char *const *allowed, struct cs_arena *arena,
                         struct cs_err *err) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)object, name, value) {
        if (!is_listed(name, allowed)) {
            const char *at = path_member(arena, path, name);
            return cs_fail_at(err, at, "unknown_field", "%s is not known here", at);
        }
    }
    return CS_OK;
}

enum cs_status read_text(const json_t *value, const char *path, struct cs_arena *arena, char **ret_text,
                         struct cs_err *err) {
    if (value == NULL) {
        *ret_text = NULL;
        return CS_OK;
    }
    if (!json_is_string(value)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be a string", path);
    }
    *ret_text = cs_arena_strdup(arena, json_string_value(value));
    return CS_OK;
}

enum cs_status read_count(const json_t *value, const char *path, uint32_t *ret_number, struct cs_err *err) {
    if (value != NULL && !json_is_number(value)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be a whole number", path);
    }
    if (value != NULL &&
        (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > UINT32_MAX)) {
        return cs_fail_at(err, path, "out_of_range", "%s must be a whole number from 0 on", path);
    }
    *ret_number = (uint32_t)json_integer_value(value); /* 0 for none */
    return CS_OK;
}

enum cs_status read_priority(const json_t *object, const char *at, struct cs_arena *arena,
                             Google__Protobuf__UInt32Value **ret_priority, struct cs_err *err) {
    const json_t *value = member(object, "priority");
    uint32_t number = 0;
    CS_TRY(read_count(value, path_member(arena, at, "priority"), &number, err));
    if (value != NULL) {
        *ret_priority = cs_arena_alloc(arena, sizeof(**ret_priority));
        google__protobuf__uint32_value__init(*ret_priority);
        (*ret_priority)->value = number;
    }
    return CS_OK;
}

enum cs_status read_texts(const json_t *value, const char *path, struct cs_arena *arena, char ***ret_texts,
                          size_t *ret_count, struct cs_err *err) {
    *ret_texts = NULL;
    *ret_count = 0;
    if (value == NULL) {
        return CS_OK;
    }
    if (!json_is_array(value)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be an array of strings", path);
    }
    size_t count = json_array_size(value);
    char **texts = cs_arena_array(arena, count, sizeof(*texts));
    for (size_t i = 0; i < count; i++) {
        const json_t *element = json_array_get(value, i);
        if (!json_is_string(element)) {
            const char *at = path_element(arena, path, i);
            return cs_fail_at(err, at, "wrong_type", "%s must be a string", at);
        }
        texts[i] = cs_arena_strdup(arena, json_string_value(element));
    }
    *ret_texts = texts;
    *ret_count = count;
    return CS_OK;
}

/* ---- media ---- */

struct marker {
    const char *prefix;
    const char *type_word;
};

static const struct marker markers[] = {
    {"_imageJobDependency:", "image"},   {"_videoJobDependency:", "video"}, {"_audioJobDependency:", "audio"},
    {"_transcriptJobDependency:", NULL}, {"_jobDependency:", NULL},
};

static enum cs_status read_media_text(const char *text, enum media_text kind, const char *path, json_t **ret_ref,
                                      const char **type_word, struct cs_err *err) {
    for (size_t i = 0; i < CS_COUNT(markers); i++) {
        if (cs_str_starts(text, markers[i].prefix)) {
            if (type_word != NULL) {
                *type_word = markers[i].type_word;
            }
            *ret_ref = json_pack("{s:s}", "job", text + strlen(markers[i].prefix));
            return CS_OK;
        }
    }
    if (strstr(text, "{{") != NULL) { /* only an item tells what it is; elsewhere it is neither id nor URL */
        *ret_ref = json_pack("{s:s}", "ref", text);
        return CS_OK;
    }
    bool is_url = kind == MEDIA_TEXT_URL || strchr(text, '/') != NULL;
    if (is_url && !cs_web_url_valid(text)) {
        return cs_fail_at(err, path, "bad_url", "%s must be an http or https URL%s", path,
                          kind == MEDIA_TEXT_URL ? " or name a job as _jobDependency:ID" : " or a job's id");
    }
    *ret_ref = json_pack("{s:s}", is_url ? "url" : "job", text);
    return CS_OK;
}

enum cs_status read_media(const json_t *value, enum media_text text, const char *path, struct cs_arena *arena,
                          json_t **ret_ref, const char **type_word, struct cs_err *err) {
    static const char *const sources[] = {"job", "url", "upload", NULL};
    if (json_is_string(value)) {
        return read_media_text(json_string_value(value), text, path, ret_ref, type_word, err);
    }
    if (!json_is_object(value)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be a string or an object {job} or {url}", path);
    }
    CS_TRY(need_only(value, path, sources, arena, err));
    if (member(value, "upload") != NULL) {
        return fail_unsupported(path_member(arena, path, "upload"), err, "uploads are not supported yet; give a URL");
    }
    *ret_ref = json_incref((json_t *)value);
    return CS_OK;
}
