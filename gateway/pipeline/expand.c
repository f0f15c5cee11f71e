/* A checked template and the values of a run -> a body. */
#include <string.h>

#include "cs/base/text.h"
#include "cs/json.h"
#include "pipeline/condition.h"
#include "pipeline/internal.h"
#include "pipeline/params.h"

enum { UNKNOWN = -2, EDGE_BYTES = 8 }; /* of a dependency, beside its name */

/* One run. */
struct expansion {
    struct cs_arena *arena;
    const json_t *jobs; /* of the template */
    const json_t *values;
    json_t *index_of;   /* job id -> place in the template */
    bool *present;      /* for each job */
    int64_t *stand_ins; /* for each job */
    size_t inserted_bytes;
};

/* ---- room ---- */

static enum cs_status take_room(struct expansion *expansion, size_t bytes, const struct gw_place *at,
                                struct cs_err *err) {
    expansion->inserted_bytes += bytes;
    if (expansion->inserted_bytes > GW_PIPELINE_BODY_BYTES_MAX) {
        return cs_fail_at(err, gw_place_path(at, expansion->arena), "too_big",
                          "with these parameters the plan has more than %d bytes", GW_PIPELINE_BODY_BYTES_MAX);
    }
    return CS_OK;
}

/* ---- which jobs are there ---- */

static const json_t *job_at(const struct expansion *expansion, size_t index) {
    return json_array_get(expansion->jobs, index);
}

static const char *id_at(const struct expansion *expansion, size_t index) {
    return json_string_value(json_object_get(job_at(expansion, index), "id"));
}

/* Its place, or -1. */
static int64_t find_job(const struct expansion *expansion, const char *id) {
    const json_t *index = id != NULL ? json_object_get(expansion->index_of, id) : NULL;
    return index != NULL ? json_integer_value(index) : -1;
}

static enum cs_status read_skip(struct expansion *expansion, const json_t *skip, struct cs_err *err) {
    if (skip != NULL && !json_is_array(skip)) {
        return cs_fail_at(err, "skip", "wrong_type", "skip must be an array of job ids");
    }
    for (size_t i = 0; i < json_array_size(skip); i++) {
        const char *path = path_element(expansion->arena, "skip", i);
        int64_t index = find_job(expansion, json_string_value(json_array_get(skip, i)));
        if (index < 0) {
            return cs_fail_at(err, path, "unknown_job", "the pipeline has no job of this id");
        }
        const json_t *job = job_at(expansion, (size_t)index);
        if (member(job, "when") == NULL && member(job, "otherwise") == NULL) {
            return cs_fail_at(err, path, "not_optional", "the pipeline cannot do without this job");
        }
        expansion->present[index] = false;
    }
    return CS_OK;
}

/* Walks a chain to the first job that is there or known, or behind its end: -1. Chains have an end. */
static int64_t end_of_chain(const struct expansion *expansion, int64_t index) {
    while (index >= 0 && !expansion->present[index] && expansion->stand_ins[index] == UNKNOWN) {
        index = find_job(expansion, json_string_value(member(job_at(expansion, (size_t)index), "otherwise")));
    }
    return index;
}

/* A chain is walked once, however many jobs are in it and whoever depends on them. */
static void find_stand_ins(struct expansion *expansion, size_t count) {
    expansion->stand_ins = cs_arena_array(expansion->arena, count, sizeof(int64_t));
    for (size_t i = 0; i < count; i++) {
        expansion->stand_ins[i] = expansion->present[i] ? (int64_t)i : UNKNOWN;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t end = end_of_chain(expansion, (int64_t)i);
        int64_t found = end >= 0 ? expansion->stand_ins[end] : -1;
        for (int64_t at = (int64_t)i; at >= 0 && expansion->stand_ins[at] == UNKNOWN;) {
            expansion->stand_ins[at] = found;
            at = find_job(expansion, json_string_value(member(job_at(expansion, (size_t)at), "otherwise")));
        }
    }
}

static enum cs_status decide(struct expansion *expansion, const json_t *skip, struct cs_err *err) {
    size_t count = json_array_size(expansion->jobs);
    expansion->present = cs_arena_array(expansion->arena, count, sizeof(bool));
    for (size_t i = 0; i < count; i++) {
        const json_t *when = member(job_at(expansion, i), "when");
        expansion->present[i] = when == NULL || gw_condition_holds(when, expansion->values);
    }
    CS_TRY(read_skip(expansion, skip, err));
    find_stand_ins(expansion, count);
    return CS_OK;
}

/* The job that gives what this one would have given: itself when it is there; -1 none. */
static int64_t stand_in(const struct expansion *expansion, int64_t index) {
    return index >= 0 ? expansion->stand_ins[index] : -1;
}

/* ---- dependencies ---- */

/* Adds what depending on a job of the template means now; each job is looked at once. */
static void add_dependency(struct expansion *expansion, const char *id, json_t *seen, json_t *into) {
    if (expansion->inserted_bytes > GW_PIPELINE_BODY_BYTES_MAX) {
        return; /* what is inherited multiplies; whoever asked sees that there is no room */
    }
    int64_t index = find_job(expansion, id);
    int64_t source = index >= 0 ? stand_in(expansion, index) : -1;
    const char *name = source >= 0 ? id_at(expansion, (size_t)source) : id;
    expansion->inserted_bytes += EDGE_BYTES + strlen(name);
    if (json_object_get(seen, name) != NULL) {
        return;
    }
    (void)json_object_set_new(seen, name, json_true());
    if (index < 0 || source >= 0) {
        (void)json_array_append_new(into, json_string(name)); /* unknown ids are the submission's to refuse */
        return;
    }
    const json_t *inherited = member(job_at(expansion, (size_t)index), "dependsOn");
    for (size_t i = 0; i < json_array_size(inherited); i++) {
        const char *parent = json_string_value(json_array_get(inherited, i));
        if (parent != NULL) {
            add_dependency(expansion, parent, seen, into);
        }
    }
}

static json_t *dependencies(struct expansion *expansion, const json_t *written) {
    CS_AUTO_JSON *seen = json_object();
    json_t *into = json_array();
    for (size_t i = 0; i < json_array_size(written); i++) {
        const json_t *id = json_array_get(written, i);
        if (json_is_string(id)) {
            add_dependency(expansion, json_string_value(id), seen, into);
        } else {
            (void)json_array_append(into, (json_t *)id);
        }
    }
    return into;
}

/* ---- values ---- */

enum outcome { FILLED, NO_VALUE, NO_JOB, FAILED };

/* About as many bytes as it has as text. */
static size_t weight(const json_t *value) {
    size_t sum = 8 + json_string_length(value);
    const char *name = NULL;
    json_t *part = NULL;
    json_object_foreach((json_t *)value, name, part) {
        sum += strlen(name) + weight(part);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        sum += weight(json_array_get(value, i));
    }
    return sum;
}

static void put_text(struct cs_buf *text, const json_t *value) {
    char number[40];
    if (json_is_string(value)) {
        cs_buf_put(text, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        (void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        cs_buf_puts(text, number);
    } else if (json_is_real(value)) {
        (void)snprintf(number, sizeof(number), "%.15g", json_real_value(value));
        cs_buf_puts(text, number);
    } else if (json_is_boolean(value)) {
        cs_buf_puts(text, json_is_true(value) ? "true" : "false");
    }
}

static enum outcome fill_text(struct expansion *expansion, const json_t *written, const struct gw_place *at,
                              json_t **ret_value, struct cs_err *err) {
    CS_AUTO_BUF text = {0};
    const char *rest = json_string_value(written);
    struct gw_placeholder place;
    while (gw_placeholder_next(rest, &place)) {
        const char *name = cs_arena_strndup(expansion->arena, place.name, place.name_size);
        size_t before = text.size;
        cs_buf_put(&text, rest, (size_t)(place.begin - rest));
        put_text(&text, gw_pipeline_value_find(expansion->values, name));
        rest = place.end;
        if (take_room(expansion, text.size - before, at, err) != CS_OK) {
            return FAILED;
        }
    }
    cs_buf_puts(&text, rest);
    *ret_value = json_stringn(text.data != NULL ? text.data : "", text.size);
    return FILLED;
}

static enum outcome fill(struct expansion *expansion, const json_t *written, const struct gw_place *at,
                         json_t **ret_value, struct cs_err *err);

static enum outcome fill_array(struct expansion *expansion, const json_t *written, const struct gw_place *at,
                               json_t **ret_value, struct cs_err *err) {
    CS_AUTO_JSON *values = json_array();
    for (size_t i = 0; i < json_array_size(written); i++) {
        const struct gw_place below = {.above = at, .index = i};
        json_t *value = NULL;
        switch (fill(expansion, json_array_get(written, i), &below, &value, err)) {
        case FILLED:
            (void)json_array_append_new(values, value);
            break;
        case FAILED:
            return FAILED;
        case NO_VALUE:
        case NO_JOB:
            break;
        }
    }
    *ret_value = cs_steal(&values);
    return FILLED;
}

static enum outcome fill_members(struct expansion *expansion, const json_t *written, const struct gw_place *at,
                                 json_t **ret_value, struct cs_err *err) {
    CS_AUTO_JSON *values = json_object();
    const char *name = NULL;
    json_t *part = NULL;
    json_object_foreach((json_t *)written, name, part) {
        const struct gw_place below = {.above = at, .name = name};
        json_t *value = NULL;
        enum outcome outcome = fill(expansion, part, &below, &value, err);
        if (outcome == FILLED) {
            (void)json_object_set_new(values, name, value);
        } else if (outcome != NO_VALUE) {
            return outcome;
        }
    }
    *ret_value = cs_steal(&values);
    return FILLED;
}

static enum outcome fill_param(struct expansion *expansion, const char *name, const struct gw_place *at,
                               json_t **ret_value, struct cs_err *err) {
    const json_t *value = gw_pipeline_value_find(expansion->values, name);
    if (value == NULL) {
        return NO_VALUE;
    }
    if (take_room(expansion, weight(value), at, err) != CS_OK) {
        return FAILED;
    }
    *ret_value = json_incref((json_t *)value);
    return FILLED;
}

static enum outcome fill(struct expansion *expansion, const json_t *written, const struct gw_place *at,
                         json_t **ret_value, struct cs_err *err) {
    const char *param = gw_param_reference(written);
    int64_t job = json_object_size(written) == 1 ? find_job(expansion, json_string_value(member(written, "job"))) : -1;
    if (param != NULL) {
        return fill_param(expansion, param, at, ret_value, err);
    }
    if (job >= 0) {
        job = stand_in(expansion, job);
        *ret_value = job >= 0 ? json_pack("{s:s}", "job", id_at(expansion, (size_t)job)) : NULL;
        return job >= 0 ? FILLED : NO_JOB;
    }
    if (json_is_string(written)) {
        return fill_text(expansion, written, at, ret_value, err);
    }
    if (json_is_array(written)) {
        return fill_array(expansion, written, at, ret_value, err);
    }
    if (json_is_object(written)) {
        return fill_members(expansion, written, at, ret_value, err);
    }
    *ret_value = json_incref((json_t *)written);
    return FILLED;
}

/* ---- jobs ---- */

static enum cs_status fill_whole(struct expansion *expansion, const json_t *written, const char *path,
                                 json_t **ret_value, struct cs_err *err) {
    switch (fill(expansion, written, &(struct gw_place){.name = path}, ret_value, err)) {
    case FILLED:
        return CS_OK;
    case FAILED:
        return err->status;
    case NO_VALUE:
    case NO_JOB:
        break;
    }
    return cs_fail_at(err, path, "needs_job", "%s needs a job that is not there, and nothing stands in for it", path);
}

static enum cs_status fill_job(struct expansion *expansion, size_t index, const char *path, json_t **ret_job,
                               struct cs_err *err) {
    CS_AUTO_JSON *job = json_object();
    const char *name = NULL;
    json_t *written = NULL;
    json_object_foreach((json_t *)job_at(expansion, index), name, written) {
        json_t *value = NULL;
        if (strcmp(name, "when") == 0 || strcmp(name, "otherwise") == 0) {
            continue;
        }
        if ((strcmp(name, "dependsOn") == 0 || strcmp(name, "optionalDependencies") == 0) && json_is_array(written)) {
            value = dependencies(expansion, written);
            (void)json_object_set_new(job, name, value);
            CS_TRY(take_room(expansion, 0, &(struct gw_place){.name = path_member(expansion->arena, path, name)}, err));
            continue;
        }
        if (gw_param_reference(written) != NULL &&
            gw_pipeline_value_find(expansion->values, gw_param_reference(written)) == NULL) {
            continue;
        }
        CS_TRY(fill_whole(expansion, written, path_member(expansion->arena, path, name), &value, err));
        (void)json_object_set_new(job, name, value);
    }
    *ret_job = cs_steal(&job);
    return CS_OK;
}

static enum cs_status fill_jobs(struct expansion *expansion, struct gw_paths *paths, json_t **ret_jobs,
                                struct cs_err *err) {
    CS_AUTO_JSON *jobs = json_array();
    for (size_t i = 0; i < json_array_size(expansion->jobs); i++) {
        const char *path = path_element(expansion->arena, "pipeline.plan.jobs", i);
        json_t *job = NULL;
        if (expansion->present[i]) {
            gw_paths_add(paths, path_element(expansion->arena, "plan.jobs", json_array_size(jobs)), path);
            CS_TRY(fill_job(expansion, i, path, &job, err));
            (void)json_array_append_new(jobs, job);
        }
    }
    *ret_jobs = cs_steal(&jobs);
    return CS_OK;
}

/* The plan's other members, as they are but for parameters. */
static enum cs_status fill_plan(struct expansion *expansion, const json_t *written, struct gw_paths *paths,
                                json_t **ret_plan, struct cs_err *err) {
    CS_AUTO_JSON *plan = json_object();
    json_t *jobs = NULL;
    const char *name = NULL;
    json_t *value = NULL;
    CS_TRY(fill_jobs(expansion, paths, &jobs, err));
    (void)json_object_set_new(plan, "jobs", jobs);
    json_object_foreach((json_t *)written, name, value) {
        json_t *filled = NULL;
        const char *param = gw_param_reference(value);
        if (strcmp(name, "jobs") == 0 || (param != NULL && gw_pipeline_value_find(expansion->values, param) == NULL)) {
            continue;
        }
        CS_TRY(fill_whole(expansion, value, path_member(expansion->arena, "pipeline.plan", name), &filled, err));
        (void)json_object_set_new(plan, name, filled);
    }
    *ret_plan = cs_steal(&plan);
    return CS_OK;
}

enum cs_status gw_pipeline_expand(const json_t *template, const json_t *values, const json_t *skip,
                                  struct cs_arena *arena, struct gw_paths *paths, json_t **ret_body,
                                  struct cs_err *err) {
    const json_t *plan = json_object_get(template, "plan");
    CS_AUTO_JSON *index_of = json_object();
    CS_AUTO_JSON *body = json_object();
    struct expansion expansion = {
        .arena = arena, .jobs = json_object_get(plan, "jobs"), .values = values, .index_of = index_of};
    json_t *filled = NULL;
    for (size_t i = 0; i < json_array_size(expansion.jobs); i++) {
        (void)json_object_set_new(index_of, id_at(&expansion, i), json_integer((json_int_t)i));
    }
    CS_TRY(decide(&expansion, skip, err));
    CS_TRY(fill_plan(&expansion, plan, paths, &filled, err));
    (void)json_object_set_new(body, "plan", filled);
    const json_t *labels = member(template, "labels");
    if (labels != NULL) {
        CS_TRY(fill_whole(&expansion, labels, "pipeline.labels", &filled, err));
        (void)json_object_set_new(body, "labels", filled);
    }
    if (member(template, "timeoutMs") != NULL) {
        (void)json_object_set(body, "timeoutMs", json_object_get(template, "timeoutMs"));
    }
    *ret_body = cs_steal(&body);
    return CS_OK;
}
