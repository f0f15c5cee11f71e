#include <math.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/crypto.h"
#include "cs/json.h"
#include "names.h"

static json_t *write_signed(int64_t value, unsigned flags) {
    if ((flags & CS_JSON_STRICT64) != 0) {
        char text[24];
        (void)snprintf(text, sizeof(text), "%lld", (long long)value);
        return json_string(text);
    }
    return json_integer(value);
}

static json_t *write_unsigned(uint64_t value, unsigned flags) {
    if ((flags & CS_JSON_STRICT64) != 0 || value > INT64_MAX) {
        char text[24];
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
        return json_string(text);
    }
    return json_integer((json_int_t)value);
}

static json_t *write_real(double value) {
    if (isnan(value)) {
        return json_string("NaN");
    }
    if (isinf(value)) {
        return json_string(value > 0 ? "Infinity" : "-Infinity");
    }
    return json_real(value);
}

static json_t *write_bytes(const ProtobufCBinaryData *bytes) {
    CS_AUTO_BUF text = {0};
    cs_base64_format(bytes->data, bytes->len, &text);
    return json_stringn(text.data != NULL ? text.data : "", text.size);
}

static json_t *write_enum(const ProtobufCEnumDescriptor *descriptor, int value) {
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);
    if (found == NULL) {
        return json_integer(value); /* of a newer peer */
    }
    char word[JSON_NAME_MAX];
    json_enum_word(descriptor, found->name, word);
    return json_string(word);
}

/* A string that is not UTF-8 can only come from our own memory; show that much of it rather than nothing. */
static json_t *write_string(const char *text) {
    json_t *value = json_string(text != NULL ? text : "");
    return value != NULL ? value : json_string("(not UTF-8)");
}

static json_t *write_value(const ProtobufCFieldDescriptor *field, const void *at, unsigned flags) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return json_integer(*(const int32_t *)at);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return json_integer(*(const uint32_t *)at);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return write_signed(*(const int64_t *)at, flags);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return write_unsigned(*(const uint64_t *)at, flags);
    case PROTOBUF_C_TYPE_FLOAT:
        return write_real(*(const float *)at);
    case PROTOBUF_C_TYPE_DOUBLE:
        return write_real(*(const double *)at);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)at);
    case PROTOBUF_C_TYPE_ENUM:
        return write_enum(field->descriptor, *(const int *)at);
    case PROTOBUF_C_TYPE_STRING:
        return write_string(*(const char *const *)at);
    case PROTOBUF_C_TYPE_BYTES:
        return write_bytes(at);
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    return cs_json_from_message(*(const ProtobufCMessage *const *)at, flags);
}

static bool is_default(const ProtobufCFieldDescriptor *field, const void *at) {
    static const char zeros[sizeof(ProtobufCBinaryData)];
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return cs_str_empty(*(const char *const *)at);
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)at)->len == 0;
    default:
        return memcmp(at, zeros, json_element_size(field->type)) == 0;
    }
}

static json_t *write_repeated(const ProtobufCFieldDescriptor *field, const char *base, unsigned flags) {
    size_t count = *(const size_t *)(base + field->quantifier_offset);
    if (count == 0 && (flags & CS_JSON_DEFAULTS) == 0) {
        return NULL;
    }
    const char *elements = *(const char *const *)(base + field->offset);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(array, write_value(field, elements + i * json_element_size(field->type), flags));
    }
    return array;
}

/* NULL when the field is left out. */
static json_t *write_field(const ProtobufCFieldDescriptor *field, const char *base, unsigned flags) {
    const void *at = base + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return write_repeated(field, base, flags);
    }
    if (json_in_oneof(field)) {
        bool set = *(const uint32_t *)(base + field->quantifier_offset) == field->id;
        return set ? write_value(field, at, flags) : NULL;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return *(void *const *)at != NULL ? write_value(field, at, flags) : NULL;
    }
    return (flags & CS_JSON_DEFAULTS) != 0 || !is_default(field, at) ? write_value(field, at, flags) : NULL;
}

json_t *cs_json_from_message(const ProtobufCMessage *message, unsigned flags) {
    if (message == NULL) {
        return json_null();
    }
    const char *base = (const char *)message;
    const ProtobufCFieldDescriptor *wrapped = json_wrapped(message->descriptor);
    if (wrapped != NULL) {
        return write_value(wrapped, base + wrapped->offset, flags);
    }
    json_t *object = json_object();
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        json_t *value = write_field(field, base, flags);
        if (value != NULL) {
            char name[JSON_NAME_MAX];
            json_field_name(field, name);
            (void)json_object_set_new(object, name, value);
        }
    }
    return object;
}
