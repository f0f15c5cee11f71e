#include "names.h"

#include <ctype.h>
#include <string.h>

#include "cs/base/auto.h"
#include "cs/base/text.h"
#include "cs/json.h"

void json_field_name(const ProtobufCFieldDescriptor *field, char ret_name[JSON_NAME_MAX]) {
    size_t length = 0;
    bool upper = false;
    for (const char *c = field->name; *c != '\0' && length + 1 < JSON_NAME_MAX; c++) {
        if (*c == '_') {
            upper = true;
            continue;
        }
        ret_name[length++] = (char)(upper ? toupper((unsigned char)*c) : *c);
        upper = false;
    }
    ret_name[length] = '\0';
}

const ProtobufCFieldDescriptor *json_field_find(const ProtobufCMessageDescriptor *descriptor, const char *name) {
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        char own[JSON_NAME_MAX];
        json_field_name(&descriptor->fields[i], own);
        if (strcmp(own, name) == 0) {
            return &descriptor->fields[i];
        }
    }
    return NULL;
}

/* Length of "CROP_ANCHOR_" in a value's name; 0 when the value does not carry its enum's name. */
static size_t prefix_length(const char *enum_name, const char *value_name) {
    size_t at = 0;
    for (const char *c = enum_name; *c != '\0'; c++) {
        if (isupper((unsigned char)*c) && c != enum_name) {
            if (value_name[at++] != '_') {
                return 0;
            }
        }
        if (value_name[at++] != toupper((unsigned char)*c)) {
            return 0;
        }
    }
    return value_name[at] == '_' ? at + 1 : 0;
}

void json_enum_word(const ProtobufCEnumDescriptor *descriptor, const char *value_name, char ret_word[JSON_NAME_MAX]) {
    cs_str_copy(ret_word, JSON_NAME_MAX, value_name + prefix_length(descriptor->short_name, value_name));
    for (char *c = ret_word; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
}

const ProtobufCEnumValue *json_enum_find(const ProtobufCEnumDescriptor *descriptor, const char *word) {
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        const ProtobufCEnumValue *value = &descriptor->values[i];
        char own[JSON_NAME_MAX];
        json_enum_word(descriptor, value->name, own);
        if (strcmp(own, word) == 0 || strcmp(value->name, word) == 0) {
            return value;
        }
    }
    return NULL;
}

const char *cs_json_enum_word(const ProtobufCEnumDescriptor *descriptor, int value, struct cs_arena *arena) {
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);
    if (found == NULL) {
        return NULL;
    }
    char word[JSON_NAME_MAX];
    json_enum_word(descriptor, found->name, word);
    return cs_arena_strdup(arena, word);
}

const char *cs_json_field_name(const ProtobufCFieldDescriptor *field, struct cs_arena *arena) {
    char name[JSON_NAME_MAX];
    json_field_name(field, name);
    return cs_arena_strdup(arena, name);
}

const ProtobufCFieldDescriptor *cs_json_wrapped(const ProtobufCMessageDescriptor *descriptor) {
    return json_wrapped(descriptor);
}

const ProtobufCFieldDescriptor *json_wrapped(const ProtobufCMessageDescriptor *descriptor) {
    static const char *const wrappers[] = {"DoubleValue", "FloatValue", "Int64Value",  "UInt64Value", "Int32Value",
                                           "UInt32Value", "BoolValue",  "StringValue", "BytesValue"};
    if (strcmp(descriptor->package_name, "google.protobuf") != 0) {
        return NULL;
    }
    for (size_t i = 0; i < CS_COUNT(wrappers); i++) {
        if (strcmp(descriptor->short_name, wrappers[i]) == 0) {
            return &descriptor->fields[0];
        }
    }
    return NULL;
}

size_t json_element_size(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return sizeof(int64_t);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        break;
    }
    return sizeof(int32_t);
}
