/*
 * schema: JSON Schemas of messages, from their descriptors, as cs_json reads and writes them.
 *
 * Threads  pure.
 */
#ifndef GW_OPENAPI_SCHEMA_H
#define GW_OPENAPI_SCHEMA_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "cs/base/mem.h"

struct gw_schemas {
    json_t *into;    /* the document's components.schemas */
    json_t *members; /* {message: {member: schema}}: over what the descriptors say, and beside it */
    struct cs_arena *arena;
};

/* Puts in the schema of the message, and of all that it is made of, under their names. */
void gw_schemas_add(const struct gw_schemas *schemas, const ProtobufCMessageDescriptor *message);

/* {"$ref": …}, a new reference. */
json_t *gw_schema_ref(const char *name);

#endif
