/* Which results may be kept, and what tells one result from another. */
#include <string.h>

#include "cs/catalog.h"

enum cs_cacheability cs_catalog_cacheability(const struct cs_operation *operation) {
    switch (operation->worker) {
    case CS_WORKER_PROVIDERS:
        return CS_CACHE_BY_DEFAULT;
    case CS_WORKER_MEDIA:
    case CS_WORKER_TEST:
        return CS_CACHE_WHEN_ASKED;
    case CS_WORKER_WEBHOOKS:
    case CS_WORKER_ORCHESTRATOR:
    case CS_WORKER_OUTSIDE:
        break;
    }
    return CS_CACHE_NEVER;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text);
    size_t tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool is_secret(const char *field) {
    static const char *const ends[] = {"secret", "api_key", "api_keys", "token", "password", "authorization"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (ends_with(field, ends[i])) {
            return true;
        }
    }
    return false;
}

static void unset(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    char *value = (char *)message + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *(size_t *)((char *)message + field->quantifier_offset) = 0;
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        *(ProtobufCBinaryData *)value = (ProtobufCBinaryData){0};
    } else if (field->type == PROTOBUF_C_TYPE_STRING) {
        *(char **)value = (char *)protobuf_c_empty_string;
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        *(ProtobufCMessage **)value = NULL;
    }
}

static void reduce(ProtobufCMessage *message);

static void reduce_messages(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    const char *value = (const char *)message + field->offset;
    bool in_oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        ProtobufCMessage *const *items = *(ProtobufCMessage *const *const *)value;
        size_t count = *(const size_t *)((const char *)message + field->quantifier_offset);
        for (size_t i = 0; i < count; i++) {
            reduce(items[i]);
        }
    } else if ((!in_oneof || *(const uint32_t *)((const char *)message + field->quantifier_offset) == field->id) &&
               *(ProtobufCMessage *const *)value != NULL) {
        reduce(*(ProtobufCMessage *const *)value);
    }
}

/* Messages contain each other, never themselves. NOLINTNEXTLINE(misc-no-recursion) */
static void reduce(ProtobufCMessage *message) {
    message->n_unknown_fields = 0;
    if (message->descriptor == &callsheet__v1__media_ref__descriptor) {
        ((Callsheet__V1__MediaRef *)message)->source_case = CALLSHEET__V1__MEDIA_REF__SOURCE__NOT_SET;
        return;
    }
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (is_secret(field->name)) {
            unset(message, field);
        } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            reduce_messages(message, field);
        }
    }
}

void cs_catalog_reduce(Callsheet__V1__Operation *operation) {
    reduce(&operation->base);
}
