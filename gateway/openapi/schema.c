#include "openapi/schema.h"

#include <stdint.h>
#include <string.h>

#include "callsheet/v1/operations.pb-c.h"
#include "cs/base/auto.h"
#include "cs/json.h"

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))

/* Members that only the orchestrator sets are in no client's JSON; a MediaRef is a schema written by hand. */
static const ProtobufCMessageDescriptor *const media_ref = &callsheet__v1__media_ref__descriptor;

static const struct {
    const char *message;
    const char *field; /* "": of the message itself */
    const char *text;
} comments[] = {
#include "comments_table.h"
};

static void describe(json_t *schema, const char *message, const char *field) {
    for (size_t i = 0; i < CS_COUNT(comments); i++) {
        if (strcmp(comments[i].message, message) == 0 && strcmp(comments[i].field, field) == 0) {
            SET(schema, "description", json_string(comments[i].text));
        }
    }
}

json_t *gw_schema_ref(const char *name) {
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", name));
}

/* A value whose absence is not a word is left out of the vocabulary. */
static json_t *of_enum(const ProtobufCEnumDescriptor *descriptor, struct cs_arena *arena) {
    json_t *words = json_array();
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        const char *word = cs_json_enum_word(descriptor, descriptor->values[i].value, arena);
        if (strcmp(word, "unspecified") != 0) {
            (void)json_array_append_new(words, json_string(word));
        }
    }
    return json_pack("{s:s, s:o}", "type", "string", "enum", words);
}

static json_t *of_integer(json_int_t min, json_int_t max) {
    return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", min, "maximum", max);
}

static json_t *of_message(const struct gw_schemas *schemas, const ProtobufCMessageDescriptor *message);

/* Of one value of the field. */
static json_t *of_value(const struct gw_schemas *schemas, const ProtobufCFieldDescriptor *field) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return of_integer(INT32_MIN, INT32_MAX);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return of_integer(0, UINT32_MAX);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return json_pack("{s:s}", "type", "integer");
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return json_pack("{s:s, s:i}", "type", "integer", "minimum", 0);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return json_pack("{s:s}", "type", "number");
    case PROTOBUF_C_TYPE_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case PROTOBUF_C_TYPE_ENUM:
        return of_enum(field->descriptor, schemas->arena);
    case PROTOBUF_C_TYPE_STRING:
        return json_pack("{s:s}", "type", "string");
    case PROTOBUF_C_TYPE_BYTES:
        return json_pack("{s:s, s:s}", "type", "string", "contentEncoding", "base64");
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    return of_message(schemas, field->descriptor);
}

static json_t *of_message(const struct gw_schemas *schemas, const ProtobufCMessageDescriptor *message) {
    const ProtobufCFieldDescriptor *wrapped = cs_json_wrapped(message);
    if (wrapped != NULL) {
        return of_value(schemas, wrapped);
    }
    if (message == media_ref) {
        return gw_schema_ref("Media");
    }
    gw_schemas_add(schemas, message);
    return gw_schema_ref(message->short_name);
}

static json_t *of_field(const struct gw_schemas *schemas, const ProtobufCMessageDescriptor *message,
                        const ProtobufCFieldDescriptor *field) {
    json_t *value = of_value(schemas, field);
    bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
    json_t *schema = list ? json_pack("{s:s, s:o}", "type", "array", "items", value) : value;
    describe(schema, message->short_name, field->name);
    return schema;
}

/* What is said by hand takes over the comment. */
static void put_members(const struct gw_schemas *schemas, const ProtobufCMessageDescriptor *message, json_t *into) {
    const char *name = NULL;
    json_t *schema = NULL;
    json_object_foreach(json_object_get(schemas->members, message->short_name), name, schema) {
        json_t *said = json_object_get(json_object_get(into, name), "description");
        json_t *copy = json_deep_copy(schema);
        if (said != NULL && json_object_get(copy, "description") == NULL) {
            (void)json_object_set(copy, "description", said);
        }
        SET(into, name, copy);
    }
}

void gw_schemas_add(const struct gw_schemas *schemas, const ProtobufCMessageDescriptor *message) {
    if (json_object_get(schemas->into, message->short_name) != NULL) {
        return;
    }
    json_t *properties = json_object();
    json_t *schema =
        json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);
    describe(schema, message->short_name, "");
    SET(schemas->into, message->short_name, schema); /* first: a message may be part of what it is made of */
    for (unsigned i = 0; i < message->n_fields; i++) {
        SET(properties, cs_json_field_name(&message->fields[i], schemas->arena),
            of_field(schemas, message, &message->fields[i]));
    }
    put_members(schemas, message, properties);
}
