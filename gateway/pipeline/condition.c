#include "pipeline/condition.h"

#include "dialect/reader.h"
#include "pipeline/params.h"

static enum cs_status check_list(const json_t *list, const json_t *declared, const char *path, struct cs_arena *arena,
                                 struct cs_err *err) {
    if (json_array_size(list) == 0) {
        return cs_fail_at(err, path, "wrong_type", "%s must be an array of conditions", path);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        CS_TRY(gw_condition_check(json_array_get(list, i), declared, path_element(arena, path, i), arena, err));
    }
    return CS_OK;
}

static enum cs_status check_param(const json_t *condition, const json_t *declared, const char *path,
                                  struct cs_arena *arena, struct cs_err *err) {
    static const char *const known[] = {"param", "equals", "in", NULL};
    const char *at = path_member(arena, path, "param");
    const char *name = json_string_value(member(condition, "param"));
    const json_t *in = json_object_get(condition, "in");
    CS_TRY(need_only(condition, path, known, arena, err));
    if (name == NULL || gw_pipeline_param_find(declared, name) == NULL) {
        return cs_fail_at(err, at, "unknown_param", "%s names no parameter of this pipeline", at);
    }
    if (in != NULL && (!json_is_array(in) || json_object_get(condition, "equals") != NULL)) {
        return cs_fail_at(err, path_member(arena, path, "in"), "wrong_type",
                          "a condition has `equals` or an array `in`");
    }
    return CS_OK;
}

enum cs_status gw_condition_check(const json_t *condition, const json_t *declared, const char *path,
                                  struct cs_arena *arena, struct cs_err *err) {
    static const char *const lists[] = {"all", "any"};
    CS_TRY(need_object(condition, path, err));
    if (json_object_get(condition, "param") != NULL) {
        return check_param(condition, declared, path, arena, err);
    }
    if (json_object_size(condition) == 1) {
        const json_t *inner = json_object_get(condition, "not");
        if (inner != NULL) {
            return gw_condition_check(inner, declared, path_member(arena, path, "not"), arena, err);
        }
        for (size_t i = 0; i < CS_COUNT(lists); i++) {
            const json_t *list = json_object_get(condition, lists[i]);
            if (list != NULL) {
                return check_list(list, declared, path_member(arena, path, lists[i]), arena, err);
            }
        }
    }
    return cs_fail_at(err, path, "bad_condition", "a condition is {param}, {not}, {all} or {any}");
}

/* Given, and not false, 0 or empty. */
static bool is_something(const json_t *value) {
    return value != NULL && !json_is_false(value) && !(json_is_number(value) && json_number_value(value) == 0) &&
           !(json_is_string(value) && json_string_length(value) == 0) &&
           !(json_is_array(value) && json_array_size(value) == 0);
}

static bool is_among(const json_t *value, const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_equal(value, json_array_get(list, i))) {
            return true;
        }
    }
    return false;
}

static bool param_holds(const json_t *condition, const json_t *values) {
    const json_t *value = gw_pipeline_value_find(values, json_string_value(json_object_get(condition, "param")));
    const json_t *equals = json_object_get(condition, "equals");
    const json_t *in = json_object_get(condition, "in");
    if (in != NULL) {
        return value != NULL && is_among(value, in);
    }
    return equals != NULL ? value != NULL && json_equal(value, equals) : is_something(value);
}

bool gw_condition_holds(const json_t *condition, const json_t *values) {
    const json_t *inner = json_object_get(condition, "not");
    const json_t *all = json_object_get(condition, "all");
    const json_t *list = all != NULL ? all : json_object_get(condition, "any");
    if (json_object_get(condition, "param") != NULL) {
        return param_holds(condition, values);
    }
    if (inner != NULL) {
        return !gw_condition_holds(inner, values);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (gw_condition_holds(json_array_get(list, i), values) != (all != NULL)) {
            return all == NULL;
        }
    }
    return all != NULL;
}
