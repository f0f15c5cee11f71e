/*
 * internal: how parameters are written in a template, for those who check and those who fill.
 */
#ifndef GW_PIPELINE_INTERNAL_H
#define GW_PIPELINE_INTERNAL_H

#include "dialect/reader.h"
#include "pipeline/pipeline.h"

/* Where a value stands in a template. Only an error needs it as text: a template has up to 100,000 values, each up to
 * CS_JSON_DEPTH_MAX names deep. */
struct gw_place {
    const struct gw_place *above; /* NULL: name is a whole path */
    const char *name;             /* of a member; NULL: an element */
    size_t index;
};
/* "plan.jobs[2].params.items[3]", in the arena. */
const char *gw_place_path(const struct gw_place *place, struct cs_arena *arena);

/* One {{params.NAME}} of a text. */
struct gw_placeholder {
    const char *begin; /* of "{{" */
    const char *end;   /* behind "}}" */
    const char *name;
    size_t name_size;
};
/* The first one from text on; false when there is none. One without an end has name_size 0 and ends the text. */
bool gw_placeholder_next(const char *text, struct gw_placeholder *ret_place);

/* "NAME" of {"$param": "NAME"}, else NULL. */
const char *gw_param_reference(const json_t *value);

#endif
