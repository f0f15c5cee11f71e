/*
 * json: strict proto3 JSON by descriptor, on jansson.
 *
 * Reading refuses unknown members, wrong types, numbers out of range, duplicate members, invalid UTF-8 and nesting
 * beyond CS_JSON_DEPTH_MAX; each error has the path of the field ("plan.jobs[2].dependsOn[0]"). Writing is canonical:
 * lowerCamel names, 64-bit numbers as strings only with CS_JSON_STRICT64, bytes in base64, wrappers as bare values,
 * defaults left out. Enums use the word without the enum's prefix in lower case ("center" for CROP_ANCHOR_CENTER); the
 * proto's own name is read too.
 *
 * Threads  pure.
 */
#ifndef CS_JSON_H
#define CS_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"

enum {
    CS_JSON_DEPTH_MAX = 32,
    CS_JSON_BYTES_MAX = 4 << 20,
    CS_JSON_CONTAINERS_MAX = 200 * 1000, /* objects and arrays: an empty one takes 2 bytes of text, 300 of memory */
};

__attribute__((unused)) static inline void cs_json_unref_(json_t **value) {
    json_decref(*value);
}
#define CS_AUTO_JSON __attribute__((cleanup(cs_json_unref_))) json_t

/* Parses text with the limits above. INVALID_ARGUMENT "bad_json", "duplicate_member" or "bad_utf8" with line and column
 * in the message (which quotes nothing of the text), "too_deep"; OUT_OF_RANGE "too_big". */
enum cs_status cs_json_parse(const char *text, size_t size_bytes, json_t **ret_value, struct cs_err *err) CS_MUST_USE;

/* JSON -> message, in the arena. path is put before the paths of errors ("" for none). INVALID_ARGUMENT with reason
 * "unknown_field", "wrong_type", "out_of_range", "unknown_word", "one_of" (two members of a oneof), "bad_base64",
 * "bad_utf8" or "too_deep". A null member counts as absent. */
enum cs_status cs_json_to_message(const json_t *value, const ProtobufCMessageDescriptor *descriptor, const char *path,
                                  struct cs_arena *arena, ProtobufCMessage **ret_message,
                                  struct cs_err *err) CS_MUST_USE;

enum {
    CS_JSON_STRICT64 = 1, /* 64-bit numbers as strings (proto3 JSON), else as numbers */
    CS_JSON_DEFAULTS = 2, /* write fields that hold their default */
};
json_t *cs_json_from_message(const ProtobufCMessage *message, unsigned flags);

/* The JSON word of an enum value, in the arena; NULL for an unknown number. */
const char *cs_json_enum_word(const ProtobufCEnumDescriptor *descriptor, int value, struct cs_arena *arena);
/* What the field is called in JSON, in the arena. */
const char *cs_json_field_name(const ProtobufCFieldDescriptor *field, struct cs_arena *arena);
/* The field that JSON shows in place of the message, if that is a google.protobuf wrapper; NULL for any other. */
const ProtobufCFieldDescriptor *cs_json_wrapped(const ProtobufCMessageDescriptor *descriptor);

#endif
