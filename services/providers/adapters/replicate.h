/*
 * replicate: what the adapter's two files share.
 */
#ifndef PRV_REPLICATE_H
#define PRV_REPLICATE_H

#include "adapters/adapter.h"
#include "cs/json.h"

enum { PRV_REPLICATE_MODELS = 7 };
extern const struct prv_model prv_replicate_models[PRV_REPLICATE_MODELS];

/* The "input" object of a prediction; the same job always gives the same object. INVALID_ARGUMENT with the path of a
 * parameter that the model does not have: nothing is dropped silently. */
enum cs_status prv_replicate_input(const struct prv_job *job, json_t **ret_input, struct cs_err *err) CS_MUST_USE;

#endif
