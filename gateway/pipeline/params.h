/*
 * params: the typed parameters that a pipeline declares, and the values that a run gives.
 *
 *     "params": {
 *       "title":  {"type": "string", "maxLength": 80},
 *       "ratio":  {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"},
 *       "scenes": {"type": "array", "minItems": 1, "items": {"type": "object", "properties": {"prompt": {"type":
 * "string"}}}}
 *     }
 *
 * Types  string (minLength, maxLength in bytes, enum), integer and number (minimum, maximum, enum), boolean, media (a
 *        URL, or {url} or {upload}), array (items, minItems, maxItems), object (properties; others are refused). Each
 *        may have description, default, example and "required": false; without default a parameter is required.
 * Owns   values are the caller's, with a reference of their own.
 * Fails  INVALID_ARGUMENT with the path of the member: "unknown_field", "wrong_type", "out_of_range", "unknown_word",
 *        "required", "too_many" …
 */
#ifndef GW_PIPELINE_PARAMS_H
#define GW_PIPELINE_PARAMS_H

#include <jansson.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"

enum {
    GW_PIPELINE_PARAMS_MAX = 64, /* in one declaration or object */
    GW_PIPELINE_PARAM_DEPTH_MAX = 4,
    GW_PIPELINE_TEXT_BYTES_MAX = 40000, /* without maxLength */
    GW_PIPELINE_ITEMS_MAX = 1000,       /* without maxItems */
    GW_PIPELINE_VALUES_MAX = 100000,    /* of a run, or of all defaults and examples, those in others too */
};

/* Declarations (an object by name; NULL is fine) at path; their defaults and examples must fit themselves. */
enum cs_status gw_pipeline_params_check(const json_t *declared, const char *path, struct cs_arena *arena,
                                        struct cs_err *err) CS_MUST_USE;

/* What a run gave (an object or NULL) with defaults filled in; path is that of the values. */
enum cs_status gw_pipeline_params_read(const json_t *declared, const json_t *given, const char *path,
                                       struct cs_arena *arena, json_t **ret_values, struct cs_err *err) CS_MUST_USE;

/* Values from defaults and examples; NULL when a required parameter has neither. */
json_t *gw_pipeline_params_sample(const json_t *declared);

/* The declaration that "name" or "name.member.member" means; NULL when there is none. */
const json_t *gw_pipeline_param_find(const json_t *declared, const char *name);
/* Its value; NULL when it has none. */
const json_t *gw_pipeline_value_find(const json_t *values, const char *name);

#endif
