#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/crypto.h"
#include "cs/json.h"
#include "names.h"

/* Where we are in the document; turned into text only when something is wrong. */
struct place {
    const struct place *up;
    const char *name; /* NULL: an element */
    size_t index;
    size_t depth;
};

/* As much of a client's word as fits in an error. */
struct shown {
    char text[65];
};

static struct shown shown(const char *word) {
    struct shown shown;
    cs_str_copy(shown.text, sizeof(shown.text), word);
    return shown;
}

static void place_format(const struct place *place, struct cs_buf *out) {
    if (place->up != NULL) {
        place_format(place->up, out);
    }
    if (place->name == NULL) {
        cs_buf_printf(out, "[%zu]", place->index);
    } else if (place->up == NULL) {
        cs_buf_puts(out, place->name);
    } else {
        cs_buf_printf(out, "%s%s", out->size != 0 ? "." : "", shown(place->name).text);
    }
}

#define FAIL_AT(place, reason, ...)                                                                                    \
    do {                                                                                                               \
        CS_AUTO_BUF path_ = {0};                                                                                       \
        cs_buf_puts(&path_, "");                                                                                       \
        place_format(place, &path_);                                                                                   \
        return cs_fail_at(err, path_.data, reason, __VA_ARGS__);                                                       \
    } while (0)

static const char *type_name(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        break;
    }
    return "null";
}

/* A real that is whole and exactly representable counts as an integer, as proto3 JSON says. */
static bool whole_number(const json_t *value, int64_t *ret_number) {
    if (json_is_integer(value)) {
        *ret_number = json_integer_value(value);
        return true;
    }
    double real = json_real_value(value);
    if (!json_is_real(value) || fabs(real) > 9007199254740992.0 || real != floor(real)) {
        return false;
    }
    *ret_number = (int64_t)real;
    return true;
}

static enum cs_status read_signed(const json_t *value, bool text_allowed, int64_t min, int64_t max,
                                  const struct place *place, int64_t *ret_number, struct cs_err *err) {
    int64_t number = 0;
    if (json_is_string(value) && text_allowed) {
        if (!cs_parse_i64(json_string_value(value), min, max, ret_number)) {
            FAIL_AT(place, "out_of_range", "must be a whole number from %lld to %lld", (long long)min, (long long)max);
        }
        return CS_OK;
    }
    if (!json_is_number(value)) {
        FAIL_AT(place, "wrong_type", "must be a number, not %s", type_name(value));
    }
    if (!whole_number(value, &number) || number < min || number > max) {
        FAIL_AT(place, "out_of_range", "must be a whole number from %lld to %lld", (long long)min, (long long)max);
    }
    *ret_number = number;
    return CS_OK;
}

static bool parse_u64(const char *text, uint64_t *ret_number) {
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0') {
        return false;
    }
    *ret_number = number;
    return true;
}

static enum cs_status read_u64(const json_t *value, const struct place *place, uint64_t *ret_number,
                               struct cs_err *err) {
    if (json_is_string(value)) {
        if (!parse_u64(json_string_value(value), ret_number)) {
            FAIL_AT(place, "out_of_range", "must be a whole number from 0 to 2^64 - 1");
        }
        return CS_OK;
    }
    int64_t number = 0;
    CS_TRY(read_signed(value, false, 0, INT64_MAX, place, &number, err));
    *ret_number = (uint64_t)number;
    return CS_OK;
}

static enum cs_status read_real(const json_t *value, double max, const struct place *place, double *ret_number,
                                struct cs_err *err) {
    if (!json_is_number(value)) {
        FAIL_AT(place, "wrong_type", "must be a number, not %s", type_name(value));
    }
    double number = json_number_value(value);
    if (!isfinite(number) || fabs(number) > max) {
        FAIL_AT(place, "out_of_range", "the number is too large");
    }
    *ret_number = number;
    return CS_OK;
}

static enum cs_status read_string(const json_t *value, const struct place *place, struct cs_arena *arena,
                                  char **ret_text, struct cs_err *err) {
    if (!json_is_string(value)) {
        FAIL_AT(place, "wrong_type", "must be a string, not %s", type_name(value));
    }
    if (!cs_utf8_valid(json_string_value(value), json_string_length(value))) {
        FAIL_AT(place, "bad_utf8", "must be text in UTF-8 without NUL");
    }
    *ret_text = cs_arena_strdup(arena, json_string_value(value));
    return CS_OK;
}

static enum cs_status read_bytes(const json_t *value, const struct place *place, struct cs_arena *arena,
                                 ProtobufCBinaryData *ret_bytes, struct cs_err *err) {
    CS_AUTO_BUF bytes = {0};
    if (!json_is_string(value)) {
        FAIL_AT(place, "wrong_type", "must be a base64 string, not %s", type_name(value));
    }
    if (strlen(json_string_value(value)) != json_string_length(value) ||
        !cs_base64_parse(json_string_value(value), &bytes)) {
        FAIL_AT(place, "bad_base64", "must be base64 with padding");
    }
    ret_bytes->data = cs_arena_copy(arena, bytes.data, bytes.size);
    ret_bytes->len = bytes.size;
    return CS_OK;
}

static enum cs_status read_enum(const json_t *value, const ProtobufCEnumDescriptor *descriptor,
                                const struct place *place, int *ret_number, struct cs_err *err) {
    if (!json_is_string(value)) {
        FAIL_AT(place, "wrong_type", "must be a string, not %s", type_name(value));
    }
    const ProtobufCEnumValue *found = json_enum_find(descriptor, json_string_value(value));
    if (found == NULL) {
        CS_AUTO_BUF words = {0};
        for (unsigned i = 0; i < descriptor->n_values; i++) {
            char word[JSON_NAME_MAX];
            json_enum_word(descriptor, descriptor->values[i].name, word);
            if (strcmp(word, "unspecified") != 0) {
                cs_buf_printf(&words, "%s%s", words.size != 0 ? ", " : "", word);
            }
        }
        FAIL_AT(place, "unknown_word", "\"%s\" is not one of %s", shown(json_string_value(value)).text, words.data);
    }
    *ret_number = found->value;
    return CS_OK;
}

static enum cs_status read_message(const json_t *value, const ProtobufCMessageDescriptor *descriptor,
                                   const struct place *place, struct cs_arena *arena, ProtobufCMessage **ret_message,
                                   struct cs_err *err);

static enum cs_status read_int32(const json_t *value, int64_t min, int64_t max, const struct place *place, void *at,
                                 struct cs_err *err) {
    int64_t number = 0;
    CS_TRY(read_signed(value, false, min, max, place, &number, err));
    *(uint32_t *)at = (uint32_t)number;
    return CS_OK;
}

/* One value into the memory that the field's C type has at `at`. */
static enum cs_status read_value(const json_t *value, const ProtobufCFieldDescriptor *field, const struct place *place,
                                 struct cs_arena *arena, void *at, struct cs_err *err) {
    double real = 0;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return read_int32(value, INT32_MIN, INT32_MAX, place, at, err);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return read_int32(value, 0, UINT32_MAX, place, at, err);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return read_signed(value, true, INT64_MIN, INT64_MAX, place, at, err);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_u64(value, place, at, err);
    case PROTOBUF_C_TYPE_FLOAT:
        CS_TRY(read_real(value, FLT_MAX, place, &real, err));
        *(float *)at = (float)real;
        return CS_OK;
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_real(value, DBL_MAX, place, at, err);
    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(value)) {
            FAIL_AT(place, "wrong_type", "must be a boolean, not %s", type_name(value));
        }
        *(protobuf_c_boolean *)at = json_is_true(value);
        return CS_OK;
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(value, field->descriptor, place, at, err);
    case PROTOBUF_C_TYPE_STRING:
        return read_string(value, place, arena, at, err);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(value, place, arena, at, err);
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    return read_message(value, field->descriptor, place, arena, at, err);
}

static enum cs_status read_repeated(const json_t *value, const ProtobufCFieldDescriptor *field,
                                    const struct place *place, struct cs_arena *arena, char *base, struct cs_err *err) {
    if (!json_is_array(value)) {
        FAIL_AT(place, "wrong_type", "must be an array, not %s", type_name(value));
    }
    size_t count = json_array_size(value);
    size_t size = json_element_size(field->type);
    char *elements = cs_arena_array(arena, count, size);
    for (size_t i = 0; i < count; i++) {
        struct place element = {place, NULL, i, place->depth + 1};
        CS_TRY(read_value(json_array_get(value, i), field, &element, arena, elements + i * size, err));
    }
    *(size_t *)(base + field->quantifier_offset) = count;
    *(void **)(base + field->offset) = count != 0 ? elements : NULL;
    return CS_OK;
}

static enum cs_status read_field(const json_t *value, const ProtobufCFieldDescriptor *field, const struct place *place,
                                 struct cs_arena *arena, char *base, struct cs_err *err) {
    if (json_is_null(value)) {
        return CS_OK; /* as if it were absent */
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return read_repeated(value, field, place, arena, base, err);
    }
    if (json_in_oneof(field)) {
        uint32_t *which = (uint32_t *)(base + field->quantifier_offset);
        if (*which != 0) {
            FAIL_AT(place, "one_of", "only one of the alternatives may be given");
        }
        *which = field->id;
    }
    return read_value(value, field, place, arena, base + field->offset, err);
}

static enum cs_status read_message(const json_t *value, const ProtobufCMessageDescriptor *descriptor,
                                   const struct place *place, struct cs_arena *arena, ProtobufCMessage **ret_message,
                                   struct cs_err *err) {
    if (place->depth > CS_JSON_DEPTH_MAX) {
        FAIL_AT(place, "too_deep", "nested deeper than %d levels", CS_JSON_DEPTH_MAX);
    }
    ProtobufCMessage *message = cs_arena_alloc(arena, descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, message);
    const ProtobufCFieldDescriptor *wrapped = json_wrapped(descriptor);
    if (wrapped != NULL) {
        CS_TRY(read_value(value, wrapped, place, arena, (char *)message + wrapped->offset, err));
        *ret_message = message;
        return CS_OK;
    }
    if (!json_is_object(value)) {
        FAIL_AT(place, "wrong_type", "must be an object, not %s", type_name(value));
    }
    const char *name = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)value, name, member) {
        struct place at = {place, name, 0, place->depth + 1};
        const ProtobufCFieldDescriptor *field = json_field_find(descriptor, name);
        if (field == NULL) {
            FAIL_AT(&at, "unknown_field", "\"%s\" is not known here", shown(name).text);
        }
        CS_TRY(read_field(member, field, &at, arena, (char *)message, err));
    }
    *ret_message = message;
    return CS_OK;
}

enum cs_status cs_json_to_message(const json_t *value, const ProtobufCMessageDescriptor *descriptor, const char *path,
                                  struct cs_arena *arena, ProtobufCMessage **ret_message, struct cs_err *err) {
    struct place root = {NULL, path, 0, 1};
    return read_message(value, descriptor, &root, arena, ret_message, err);
}
