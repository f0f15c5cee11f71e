/* What can be known of a template without a run. */
#include <stdlib.h>
#include <string.h>

#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "pipeline/condition.h"
#include "pipeline/internal.h"
#include "pipeline/params.h"

static const char opening[] = "{{params.";

bool gw_placeholder_next(const char *text, struct gw_placeholder *ret_place) {
    const char *begin = strstr(text, opening);
    if (begin == NULL) {
        return false;
    }
    const char *name = begin + sizeof(opening) - 1;
    const char *end = strstr(name, "}}");
    *ret_place = (struct gw_placeholder){
        .begin = begin,
        .name = name,
        .name_size = end != NULL ? (size_t)(end - name) : 0,
        .end = end != NULL ? end + 2 : name + strlen(name),
    };
    return true;
}

const char *gw_param_reference(const json_t *value) {
    return json_object_size(value) == 1 ? json_string_value(json_object_get(value, "$param")) : NULL;
}

bool gw_pipeline_name_valid(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= GW_PIPELINE_NAME_BYTES_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

const char *gw_place_path(const struct gw_place *place, struct cs_arena *arena) {
    if (place->above == NULL) {
        return place->name;
    }
    const char *above = gw_place_path(place->above, arena);
    return place->name != NULL ? path_member(arena, above, place->name) : path_element(arena, above, place->index);
}

/* ---- parameters that a value mentions ---- */

static enum cs_status check_text(const char *text, const json_t *declared, const struct gw_place *at,
                                 struct cs_arena *arena, struct cs_err *err) {
    struct gw_placeholder place;
    while (gw_placeholder_next(text, &place)) {
        const json_t *found = gw_pipeline_param_find(declared, cs_arena_strndup(arena, place.name, place.name_size));
        const char *type = json_string_value(json_object_get(found, "type"));
        if (found == NULL) {
            const char *path = gw_place_path(at, arena);
            return cs_fail_at(err, path, "unknown_param", "%s mentions a parameter that is not declared", path);
        }
        if (cs_str_eq(type, "array") || cs_str_eq(type, "object") || cs_str_eq(type, "media")) {
            const char *path = gw_place_path(at, arena);
            return cs_fail_at(err, path, "wrong_type", "%s puts a parameter of the type %s into text", path, type);
        }
        text = place.end;
    }
    return CS_OK;
}

static enum cs_status check_value(const json_t *value, const json_t *declared, const struct gw_place *at,
                                  struct cs_arena *arena, struct cs_err *err) {
    const char *name = NULL;
    json_t *part = NULL;
    if (json_object_get(value, "$param") != NULL) {
        const char *param = gw_param_reference(value);
        if (param == NULL || gw_pipeline_param_find(declared, param) == NULL) {
            const char *path = gw_place_path(at, arena);
            return cs_fail_at(err, path_member(arena, path, "$param"), "unknown_param",
                              "%s is {\"$param\": the name of a declared parameter}", path);
        }
        return CS_OK;
    }
    if (json_is_string(value)) {
        return check_text(json_string_value(value), declared, at, arena, err);
    }
    json_object_foreach((json_t *)value, name, part) {
        const struct gw_place below = {.above = at, .name = name};
        CS_TRY(check_value(part, declared, &below, arena, err));
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const struct gw_place below = {.above = at, .index = i};
        CS_TRY(check_value(json_array_get(value, i), declared, &below, arena, err));
    }
    return CS_OK;
}

/* ---- jobs ---- */

static enum cs_status check_id(const json_t *job, const char *path, json_t *ids, size_t index, struct cs_arena *arena,
                               struct cs_err *err) {
    const char *at = path_member(arena, path, "id");
    const char *id = json_string_value(json_object_get(job, "id"));
    if (id == NULL || !cs_id_valid(id, CS_JOB_ID_MAX)) {
        return cs_fail_at(err, at, "bad_id", "%s must be 1 to %d of A-Z a-z 0-9 _ . : -", at, CS_JOB_ID_MAX);
    }
    if (json_object_get(ids, id) != NULL) {
        return cs_fail_at(err, at, "duplicate_id", "two jobs have the id \"%s\"", id);
    }
    (void)json_object_set_new(ids, id, json_integer((json_int_t)index));
    return CS_OK;
}

static enum cs_status check_otherwise(const json_t *jobs, const json_t *ids, size_t index, const char *path,
                                      struct cs_arena *arena, struct cs_err *err) {
    const char *at = path_member(arena, path, "otherwise");
    const json_t *otherwise = member(json_array_get(jobs, index), "otherwise");
    for (size_t steps = 0; otherwise != NULL; steps++) {
        const char *id = json_string_value(otherwise);
        const json_t *next = id != NULL ? json_object_get(ids, id) : NULL;
        if (next == NULL) {
            return cs_fail_at(err, at, "unknown_job", "%s must be the id of another job", at);
        }
        if (steps == json_array_size(jobs)) {
            return cs_fail_at(err, at, "cycle", "%s leads back to itself", at);
        }
        otherwise = member(json_array_get(jobs, (size_t)json_integer_value(next)), "otherwise");
    }
    return CS_OK;
}

static enum cs_status check_jobs(const json_t *jobs, const json_t *declared, struct cs_arena *arena,
                                 struct cs_err *err) {
    CS_AUTO_JSON *ids = json_object();
    if (!json_is_array(jobs) || json_array_size(jobs) == 0 || json_array_size(jobs) > CS_PLAN_JOBS_MAX) {
        return cs_fail_at(err, "plan.jobs", "no_jobs", "plan.jobs must be an array of 1 to %d jobs", CS_PLAN_JOBS_MAX);
    }
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const char *path = path_element(arena, "plan.jobs", i);
        const json_t *job = json_array_get(jobs, i);
        CS_TRY(need_object(job, path, err));
        CS_TRY(check_id(job, path, ids, i, arena, err));
        if (member(job, "when") != NULL) {
            CS_TRY(gw_condition_check(member(job, "when"), declared, path_member(arena, path, "when"), arena, err));
        }
    }
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        CS_TRY(check_otherwise(jobs, ids, i, path_element(arena, "plan.jobs", i), arena, err));
    }
    return CS_OK;
}

/* ---- the whole ---- */

/* A run with defaults and examples, if there is one for everything that must be given. */
static enum cs_status try_run(const json_t *template, const json_t *declared, struct cs_arena *arena,
                              struct cs_err *err) {
    CS_AUTO_JSON *sample = gw_pipeline_params_sample(declared);
    CS_AUTO_JSON *values = NULL;
    CS_AUTO_JSON *body = NULL;
    struct gw_paths *paths = gw_paths_create(arena);
    struct gw_submission submission;
    if (sample == NULL) {
        return CS_OK;
    }
    CS_TRY(gw_pipeline_params_read(declared, sample, "params", arena, &values, err));
    if (gw_pipeline_expand(template, values, NULL, arena, paths, &body, err) != CS_OK ||
        gw_dialect_read(body, arena, &submission, err) != CS_OK) {
        (void)gw_paths_translate_err(paths, err);
        if (cs_str_starts(err->path, "pipeline.")) {
            memmove(err->path, err->path + strlen("pipeline."), strlen(err->path + strlen("pipeline.")) + 1);
        }
        return err->status;
    }
    return CS_OK;
}

enum cs_status gw_pipeline_check(const json_t *template, struct cs_arena *arena, struct cs_err *err) {
    static const char *const known[] = {"description", "params", "plan", "timeoutMs", "labels", NULL};
    const json_t *declared = member(template, "params");
    const json_t *plan = member(template, "plan");
    char *description = NULL;
    CS_TRY(need_object(template, "", err));
    CS_TRY(need_only(template, "", known, arena, err));
    CS_TRY(read_text(member(template, "description"), "description", arena, &description, err));
    CS_TRY(gw_pipeline_params_check(declared, "params", arena, err));
    CS_TRY(need_object(plan, "plan", err));
    CS_TRY(check_jobs(member(plan, "jobs"), declared, arena, err));
    CS_TRY(check_value(plan, declared, &(struct gw_place){.name = "plan"}, arena, err));
    if (member(template, "labels") != NULL) {
        CS_TRY(check_value(member(template, "labels"), declared, &(struct gw_place){.name = "labels"}, arena, err));
    }
    return try_run(template, declared, arena, err);
}
