/*
 * pipeline: a stored template of a plan + the parameters of a run -> the body of a native submission.
 *
 *     {"description": "…",
 *      "params": {…},                                      declared, see params.h
 *      "plan": {"jobs": [{"id": "clips", "operation": …, "params": {…}, "when": …, "otherwise": …}, …], …},
 *      "timeoutMs": 0, "labels": {…}}                      as in a native submission
 *
 * Anywhere in plan and labels
 *     {"$param": "scenes"}, {"$param": "voice.id"}   the value; a member or element without a value is left out
 *     "Hello {{params.name}}"                        the value's text, "" without one; other {{…}} stay as they are
 * Of a job
 *     when        the job is there only if the condition holds: {"param": "music"} (given, and not false, 0 or empty),
 *                 {"param": "ratio", "equals": "9:16"}, {"param": "ratio", "in": [...]}, {"not": …}, {"all": [...]},
 *                 {"any": [...]}
 *     otherwise   the job whose output stands in for that of this one when it is not there
 * A run may also skip, by id, jobs that have a `when` or an `otherwise`. Who depended on a job that is not there
 * depends on its stand-in, or without one on what it depended on. A media reference {"job": id} to it becomes one to
 * the stand-in; without one the element of an array that holds the reference is left out, and anywhere else it is an
 * error. Nothing that a parameter brings is looked at again: values are data.
 *
 * Threads  pure.
 * Trust    templates and parameters come from clients; text, depth and size were checked by cs_json_parse.
 * Fails    INVALID_ARGUMENT with a path in the template ("plan.jobs[2].when.param") or in the run ("params.title").
 */
#ifndef GW_PIPELINE_H
#define GW_PIPELINE_H

#include <jansson.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "dialect/paths.h"

enum {
    GW_PIPELINE_TEMPLATE_BYTES_MAX = 256 * 1024,
    GW_PIPELINE_NAME_BYTES_MAX = 64,
    GW_PIPELINE_BODY_BYTES_MAX = 4 << 20, /* of what it expands to */
};

/* 1 … GW_PIPELINE_NAME_BYTES_MAX of [a-z0-9-]. */
bool gw_pipeline_name_valid(const char *name);

/* Everything that can be known without a run. With an example or default for every parameter that has to be given the
 * jobs are checked as those of a submission too. */
enum cs_status gw_pipeline_check(const json_t *template, struct cs_arena *arena, struct cs_err *err) CS_MUST_USE;

/* values: of gw_pipeline_params_read. skip: an array of job ids or NULL, at the path "skip". Paths in the body are
 * entered in `paths` as those of the template: "plan.jobs[1]" -> "pipeline.plan.jobs[3]". The template was checked. */
enum cs_status gw_pipeline_expand(const json_t *template, const json_t *values, const json_t *skip,
                                  struct cs_arena *arena, struct gw_paths *paths, json_t **ret_body,
                                  struct cs_err *err) CS_MUST_USE;

/* ---- the ones that come with the gateway; their names are not for tenants ---- */

/* A row is a file gateway/pipelines/NAME.VERSION.json; a change is a new file. */
struct gw_builtin_pipeline {
    const char *name;
    unsigned version;
    const char *template; /* JSON */
};
extern const struct gw_builtin_pipeline gw_builtin_pipelines[];
extern const size_t gw_builtin_pipeline_count;
/* version 0: the newest. NULL: there is none. */
const struct gw_builtin_pipeline *gw_builtin_pipeline_find(const char *name, unsigned version);

#endif
