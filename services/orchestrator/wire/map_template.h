/*
 * map_template: placeholders in JSON values.
 *
 * Threads  pure.
 * Trust    template and item come from clients.
 */
#ifndef ORC_WIRE_MAP_TEMPLATE_H
#define ORC_WIRE_MAP_TEMPLATE_H

#include <jansson.h>
#include <stdint.h>

#include "cs/base/err.h"

struct orc_map_item {
    const json_t *value;
    uint32_t index;
    const char *job; /* whose output the item is, or NULL */
};

/* The template with its placeholders filled in; the caller's. "bad_placeholder", "no_such_member". */
enum cs_status orc_map_fill(const json_t *template, const struct orc_map_item *item, json_t **ret_filled,
                            struct cs_err *err) CS_MUST_USE;

#endif
