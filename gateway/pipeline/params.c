#include "pipeline/params.h"

#include <math.h>
#include <string.h>

#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "dialect/reader.h"

enum { NAME_BYTES_MAX = 64 };

enum type { STRING, INTEGER, NUMBER, BOOLEAN, MEDIA, ARRAY, OBJECT, TYPES };

/* What a declaration of a type may have besides what all may. */
static const struct {
    const char *word;
    const char *const members[5];
} types[TYPES] = {
    [STRING] = {"string", {"minLength", "maxLength", "enum", NULL}},
    [INTEGER] = {"integer", {"minimum", "maximum", "enum", NULL}},
    [NUMBER] = {"number", {"minimum", "maximum", "enum", NULL}},
    [BOOLEAN] = {"boolean", {NULL}},
    [MEDIA] = {"media", {NULL}},
    [ARRAY] = {"array", {"items", "minItems", "maxItems", NULL}},
    [OBJECT] = {"object", {"properties", NULL}},
};

static enum type type_of(const json_t *declaration) {
    const char *word = json_string_value(json_object_get(declaration, "type"));
    enum type type = STRING;
    while (type < TYPES && !cs_str_eq(types[type].word, word)) {
        type++;
    }
    return type;
}

static bool is_required(const json_t *declaration) {
    return member(declaration, "default") == NULL && !json_is_false(member(declaration, "required"));
}

static int64_t bound(const json_t *declaration, const char *name, int64_t otherwise) {
    const json_t *value = member(declaration, name);
    return value != NULL ? json_integer_value(value) : otherwise;
}

/* ---- values ---- */

/* All that is read at once: defaults of what is in arrays multiply. */
struct reading {
    struct cs_arena *arena;
    size_t values;
};

static enum cs_status read_value(const json_t *declaration, const json_t *given, const char *path,
                                 struct reading *reading, json_t **ret_value, struct cs_err *err);
static enum cs_status read_members_of(const json_t *declared, const json_t *given, const char *path,
                                      struct reading *reading, json_t **ret_values, struct cs_err *err);

static enum cs_status check_size(size_t size, const json_t *declaration, const char *least, const char *most,
                                 int64_t otherwise, const char *path, const char *unit, struct cs_err *err) {
    int64_t low = bound(declaration, least, 0);
    int64_t high = bound(declaration, most, otherwise);
    if ((int64_t)size < low || (int64_t)size > high) {
        return cs_fail_at(err, path, "out_of_range", "%s must have %lld to %lld %s", path, (long long)low,
                          (long long)high, unit);
    }
    return CS_OK;
}

static enum cs_status check_number(const json_t *declaration, double value, const char *path, struct cs_err *err) {
    const json_t *least = member(declaration, "minimum");
    const json_t *most = member(declaration, "maximum");
    if (least != NULL && value < json_number_value(least)) {
        return cs_fail_at(err, path, "out_of_range", "%s must be at least %.15g", path, json_number_value(least));
    }
    if (most != NULL && value > json_number_value(most)) {
        return cs_fail_at(err, path, "out_of_range", "%s must be at most %.15g", path, json_number_value(most));
    }
    return CS_OK;
}

static enum cs_status check_word(const json_t *declaration, const json_t *value, const char *path,
                                 struct reading *reading, struct cs_err *err) {
    const json_t *words = member(declaration, "enum");
    for (size_t i = 0; i < json_array_size(words); i++) {
        if (json_equal(json_array_get(words, i), value)) {
            return CS_OK;
        }
    }
    if (words == NULL) {
        return CS_OK;
    }
    char *text = json_dumps(words, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *shown = cs_arena_strndup(reading->arena, text != NULL ? text : "", 400);
    free(text);
    return cs_fail_at(err, path, "unknown_word", "%s must be one of %s", path, shown);
}

/* A URL, {url} or {upload}; always an object afterwards. */
static enum cs_status read_media_value(const json_t *given, const char *path, json_t **ret_value, struct cs_err *err) {
    const json_t *url = json_is_string(given) ? given : json_object_get(given, "url");
    const json_t *upload = json_object_get(given, "upload");
    if (json_is_string(url) && cs_web_url_valid(json_string_value(url)) && upload == NULL &&
        (json_is_string(given) || json_object_size(given) == 1)) {
        *ret_value = json_pack("{s:O}", "url", url);
        return CS_OK;
    }
    if (json_is_string(upload) && url == NULL && json_object_size(given) == 1) {
        *ret_value = json_pack("{s:O}", "upload", upload);
        return CS_OK;
    }
    return cs_fail_at(err, path, "bad_media", "%s must be an http or https URL, or an object {url} or {upload}", path);
}

static enum cs_status read_items(const json_t *declaration, const json_t *given, const char *path,
                                 struct reading *reading, json_t **ret_value, struct cs_err *err) {
    CS_TRY(check_size(json_array_size(given), declaration, "minItems", "maxItems", GW_PIPELINE_ITEMS_MAX, path, "items",
                      err));
    CS_AUTO_JSON *values = json_array();
    for (size_t i = 0; i < json_array_size(given); i++) {
        json_t *value = NULL;
        CS_TRY(read_value(member(declaration, "items"), json_array_get(given, i), path_element(reading->arena, path, i),
                          reading, &value, err));
        (void)json_array_append_new(values, value);
    }
    *ret_value = cs_steal(&values);
    return CS_OK;
}

static enum cs_status read_scalar(enum type type, const json_t *declaration, const json_t *given, const char *path,
                                  struct reading *reading, json_t **ret_value, struct cs_err *err) {
    if (type == STRING) {
        CS_TRY(check_size(json_string_length(given), declaration, "minLength", "maxLength", GW_PIPELINE_TEXT_BYTES_MAX,
                          path, "bytes", err));
    } else if (type == INTEGER || type == NUMBER) {
        CS_TRY(check_number(declaration, json_number_value(given), path, err));
    }
    CS_TRY(check_word(declaration, given, path, reading, err));
    *ret_value = json_incref((json_t *)given);
    return CS_OK;
}

static bool has_type(enum type type, const json_t *value) {
    switch (type) {
    case STRING:
        return json_is_string(value);
    case INTEGER:
        return json_is_integer(value);
    case NUMBER:
        return json_is_number(value) && isfinite(json_number_value(value));
    case BOOLEAN:
        return json_is_boolean(value);
    case MEDIA:
        return json_is_string(value) || json_is_object(value);
    case ARRAY:
        return json_is_array(value);
    case OBJECT:
        return json_is_object(value);
    case TYPES:
        break;
    }
    return false;
}

static enum cs_status read_value(const json_t *declaration, const json_t *given, const char *path,
                                 struct reading *reading, json_t **ret_value, struct cs_err *err) {
    enum type type = type_of(declaration);
    if (++reading->values > GW_PIPELINE_VALUES_MAX) {
        return cs_fail_at(err, path, "too_many", "all parameters together have at most %d values",
                          GW_PIPELINE_VALUES_MAX);
    }
    if (!has_type(type, given)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be of the type %s", path,
                          type < TYPES ? types[type].word : "");
    }
    switch (type) {
    case MEDIA:
        return read_media_value(given, path, ret_value, err);
    case ARRAY:
        return read_items(declaration, given, path, reading, ret_value, err);
    case OBJECT:
        return read_members_of(member(declaration, "properties"), given, path, reading, ret_value, err);
    default:
        return read_scalar(type, declaration, given, path, reading, ret_value, err);
    }
}

static enum cs_status refuse_unknown(const json_t *declared, const json_t *given, const char *path,
                                     struct reading *reading, struct cs_err *err) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)given, name, value) {
        if (json_object_get(declared, name) == NULL) {
            return cs_fail_at(err, path_member(reading->arena, path, name), "unknown_field",
                              "there is no such parameter");
        }
    }
    return CS_OK;
}

static enum cs_status read_members_of(const json_t *declared, const json_t *given, const char *path,
                                      struct reading *reading, json_t **ret_values, struct cs_err *err) {
    CS_AUTO_JSON *values = json_object();
    const char *name = NULL;
    json_t *declaration = NULL;
    if (given != NULL) {
        CS_TRY(need_object(given, path, err));
    }
    CS_TRY(refuse_unknown(declared, given, path, reading, err));
    json_object_foreach((json_t *)declared, name, declaration) {
        const char *at = path_member(reading->arena, path, name);
        const json_t *value = member(given, name);
        json_t *read = NULL;
        if (value == NULL) {
            value = member(declaration, "default");
        }
        if (value == NULL && is_required(declaration)) {
            return cs_fail_at(err, at, "required", "%s is required", at);
        }
        if (value != NULL) {
            CS_TRY(read_value(declaration, value, at, reading, &read, err));
            (void)json_object_set_new(values, name, read);
        }
    }
    *ret_values = cs_steal(&values);
    return CS_OK;
}

enum cs_status gw_pipeline_params_read(const json_t *declared, const json_t *given, const char *path,
                                       struct cs_arena *arena, json_t **ret_values, struct cs_err *err) {
    struct reading reading = {.arena = arena};
    return read_members_of(declared, given, path, &reading, ret_values, err);
}

/* ---- declarations ---- */

static enum cs_status check_declarations(const json_t *declared, const char *path, int depth, struct reading *reading,
                                         struct cs_err *err);

static bool is_listed(const char *const *words, const char *name) {
    for (; *words != NULL; words++) {
        if (strcmp(*words, name) == 0) {
            return true;
        }
    }
    return false;
}

static enum cs_status check_members(enum type type, const json_t *declaration, const char *path,
                                    struct reading *reading, struct cs_err *err) {
    static const char *const all[] = {"type", "description", "default", "example", "required", NULL};
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)declaration, name, value) {
        const char *at = path_member(reading->arena, path, name);
        if (!is_listed(all, name) && !is_listed(types[type].members, name)) {
            return cs_fail_at(err, at, "unknown_field", "a parameter of the type %s has no %s", types[type].word, at);
        }
        bool number = strcmp(name, "minimum") == 0 || strcmp(name, "maximum") == 0;
        bool count = strncmp(name, "min", 3) == 0 || strncmp(name, "max", 3) == 0;
        bool fits = number                             ? json_is_number(value)
                    : count                            ? json_is_integer(value) && json_integer_value(value) >= 0
                    : strcmp(name, "enum") == 0        ? json_array_size(value) > 0
                    : strcmp(name, "required") == 0    ? json_is_boolean(value)
                    : strcmp(name, "description") == 0 ? json_is_string(value)
                                                       : true;
        if (!fits) {
            return cs_fail_at(err, at, "wrong_type", "%s is not what it should be", at);
        }
    }
    return CS_OK;
}

/* Defaults and examples obey the declaration. */
static enum cs_status check_samples(const json_t *declaration, const char *path, struct reading *reading,
                                    struct cs_err *err) {
    static const char *const names[] = {"default", "example"};
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        const json_t *value = member(declaration, names[i]);
        CS_AUTO_JSON *read = NULL;
        if (value != NULL) {
            CS_TRY(read_value(declaration, value, path_member(reading->arena, path, names[i]), reading, &read, err));
        }
    }
    return CS_OK;
}

static enum cs_status check_declaration(const json_t *declaration, const char *path, int depth, struct reading *reading,
                                        struct cs_err *err) {
    CS_TRY(need_object(declaration, path, err));
    enum type type = type_of(declaration);
    if (type == TYPES) {
        return cs_fail_at(err, path_member(reading->arena, path, "type"), "unknown_word",
                          "a parameter's type is string, integer, number, boolean, media, array or object");
    }
    if (depth > GW_PIPELINE_PARAM_DEPTH_MAX) {
        return cs_fail_at(err, path, "too_deep", "parameters are nested at most %d deep", GW_PIPELINE_PARAM_DEPTH_MAX);
    }
    CS_TRY(check_members(type, declaration, path, reading, err));
    if (type == ARRAY) {
        CS_TRY(check_declaration(member(declaration, "items"), path_member(reading->arena, path, "items"), depth + 1,
                                 reading, err));
    } else if (type == OBJECT) {
        CS_TRY(check_declarations(member(declaration, "properties"), path_member(reading->arena, path, "properties"),
                                  depth + 1, reading, err));
    }
    return check_samples(declaration, path, reading, err);
}

static enum cs_status check_declarations(const json_t *declared, const char *path, int depth, struct reading *reading,
                                         struct cs_err *err) {
    const char *name = NULL;
    json_t *declaration = NULL;
    if (declared == NULL) {
        return CS_OK;
    }
    CS_TRY(need_object(declared, path, err));
    if (json_object_size(declared) > GW_PIPELINE_PARAMS_MAX) {
        return cs_fail_at(err, path, "too_many", "%s has at most %d members", path, GW_PIPELINE_PARAMS_MAX);
    }
    json_object_foreach((json_t *)declared, name, declaration) {
        const char *at = path_member(reading->arena, path, name);
        if (!cs_id_valid(name, NAME_BYTES_MAX) || strpbrk(name, ".:-") != NULL) {
            return cs_fail_at(err, at, "bad_name", "a parameter's name is 1 to %d of A-Z a-z 0-9 _", NAME_BYTES_MAX);
        }
        CS_TRY(check_declaration(declaration, at, depth, reading, err));
    }
    return CS_OK;
}

enum cs_status gw_pipeline_params_check(const json_t *declared, const char *path, struct cs_arena *arena,
                                        struct cs_err *err) {
    struct reading reading = {.arena = arena};
    return check_declarations(declared, path, 1, &reading, err);
}

json_t *gw_pipeline_params_sample(const json_t *declared) {
    CS_AUTO_JSON *values = json_object();
    const char *name = NULL;
    json_t *declaration = NULL;
    json_object_foreach((json_t *)declared, name, declaration) {
        json_t *example = json_object_get(declaration, "example");
        if (example != NULL) {
            (void)json_object_set(values, name, example);
        } else if (is_required(declaration)) {
            return NULL;
        }
    }
    return cs_steal(&values);
}

/* ---- by name ---- */

/* The first part of a dotted name; *ret_rest is what follows, or NULL. */
static const json_t *first_part(const json_t *object, const char *name, const char **ret_rest) {
    char part[NAME_BYTES_MAX + 1];
    const char *dot = strchr(name, '.');
    size_t length = dot != NULL ? (size_t)(dot - name) : strlen(name);
    *ret_rest = dot != NULL ? dot + 1 : NULL;
    if (length >= sizeof(part)) {
        return NULL;
    }
    memcpy(part, name, length);
    part[length] = '\0';
    return member(object, part);
}

const json_t *gw_pipeline_param_find(const json_t *declared, const char *name) {
    const char *rest = NULL;
    const json_t *found = first_part(declared, name, &rest);
    while (found != NULL && rest != NULL) {
        found = first_part(member(found, "properties"), rest, &rest);
    }
    return found;
}

const json_t *gw_pipeline_value_find(const json_t *values, const char *name) {
    const char *rest = NULL;
    const json_t *found = first_part(values, name, &rest);
    while (found != NULL && rest != NULL) {
        found = first_part(found, rest, &rest);
    }
    return found;
}
