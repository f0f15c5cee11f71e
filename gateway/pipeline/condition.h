/*
 * condition: the `when` of a pipeline's job, over the parameters of a run.
 *
 * Threads  pure.
 */
#ifndef GW_PIPELINE_CONDITION_H
#define GW_PIPELINE_CONDITION_H

#include <jansson.h>
#include <stdbool.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"

enum cs_status gw_condition_check(const json_t *condition, const json_t *declared, const char *path,
                                  struct cs_arena *arena, struct cs_err *err) CS_MUST_USE;
/* The condition was checked. */
bool gw_condition_holds(const json_t *condition, const json_t *values);

#endif
