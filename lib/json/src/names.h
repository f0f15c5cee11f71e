/*
 * names: how fields, enum values and wrapper messages are called in JSON.
 */
#ifndef CS_JSON_NAMES_H
#define CS_JSON_NAMES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

enum { JSON_NAME_MAX = 128 };

/* "words_per_caption" -> "wordsPerCaption". */
void json_field_name(const ProtobufCFieldDescriptor *field, char ret_name[JSON_NAME_MAX]);
/* NULL when the message has no such field. */
const ProtobufCFieldDescriptor *json_field_find(const ProtobufCMessageDescriptor *descriptor, const char *name);

/* "CropAnchor" and "CROP_ANCHOR_CENTER" -> "center". */
void json_enum_word(const ProtobufCEnumDescriptor *descriptor, const char *value_name, char ret_word[JSON_NAME_MAX]);
/* By word or by the proto's own name; NULL unknown. */
const ProtobufCEnumValue *json_enum_find(const ProtobufCEnumDescriptor *descriptor, const char *word);

/* The "value" field of a google.protobuf wrapper; NULL for any other message. */
const ProtobufCFieldDescriptor *json_wrapped(const ProtobufCMessageDescriptor *descriptor);

/* Bytes that one element of the field takes in a C struct. */
size_t json_element_size(ProtobufCType type);

static inline bool json_in_oneof(const ProtobufCFieldDescriptor *field) {
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

#endif
