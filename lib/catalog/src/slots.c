/* Where media go in, read off the descriptors: an operation only declares its message.
 *
 * A field's name says what it takes ("image", "plan" …); beside a MediaRef, a field `type` of the same message says it.
 */
#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"

#define TYPE(word) CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_##word
#define MEDIA_REF (&callsheet__v1__media_ref__descriptor)

enum { PATH_BYTES_MAX = 256 };

/* ---- members of messages ---- */

/* The messages of a field: one, or those of a list. */
struct members {
    ProtobufCMessage **items;
    size_t *count; /* NULL: not a list */
};

static bool is_message(const ProtobufCFieldDescriptor *field) {
    return field->type == PROTOBUF_C_TYPE_MESSAGE;
}

static struct members members_of(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    char *base = (char *)message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return (struct members){*(ProtobufCMessage ***)(void *)(base + field->offset),
                                (size_t *)(void *)(base + field->quantifier_offset)};
    }
    return (struct members){(ProtobufCMessage **)(void *)(base + field->offset), NULL};
}

static size_t count_of(const struct members *members) {
    return members->count != NULL ? *members->count : *members->items != NULL ? 1 : 0;
}

/* Other members of the same `oneof` share the field's memory. */
static bool is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    bool one_of = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    return !one_of || *(const uint32_t *)(const void *)((const char *)message + field->quantifier_offset) == field->id;
}

/* ---- what a slot takes ---- */

static Callsheet__V1__MediaType type_by_name(const char *name) {
    static const struct {
        const char *name;
        Callsheet__V1__MediaType type;
    } names[] = {
        {"video", TYPE(VIDEO)},       {"audio", TYPE(AUDIO)},     {"image", TYPE(IMAGE)},
        {"start_image", TYPE(IMAGE)}, {"end_image", TYPE(IMAGE)}, {"transcript", TYPE(TRANSCRIPT)},
        {"plan", TYPE(CUT_PLAN)},     {"logo", TYPE(IMAGE)},      {"path", TYPE(REFRAME_PATH)},
    };
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        if (strcmp(names[i].name, name) == 0) {
            return names[i].type;
        }
    }
    return TYPE(UNSPECIFIED);
}

static Callsheet__V1__MediaType accepts(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    const ProtobufCFieldDescriptor *type = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "type");
    if (type != NULL && type->type == PROTOBUF_C_TYPE_ENUM &&
        type->descriptor == &callsheet__v1__media_type__descriptor) {
        return *(const Callsheet__V1__MediaType *)(const void *)((const char *)message + type->offset);
    }
    return type_by_name(field->name);
}

/* "start_image" is "startImage" in JSON. */
static void put_json_name(const char *name, char *out) {
    for (; *name != '\0'; name++) {
        if (*name == '_' && name[1] >= 'a' && name[1] <= 'z') {
            name++;
            *out++ = (char)(*name - 'a' + 'A');
        } else {
            *out++ = *name;
        }
    }
    *out = '\0';
}

/* ---- listing ---- */

struct list {
    struct cs_arena *arena;
    struct cs_media_slot *slots;
    size_t count;
    size_t capacity;
};

static enum cs_status add(struct list *list, const struct cs_media_slot *slot, struct cs_err *err) {
    if (list->count == CS_JOB_INPUTS_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_inputs", "a job has at most %d inputs", CS_JOB_INPUTS_MAX);
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity != 0 ? list->capacity * 2 : 8;
        struct cs_media_slot *grown = cs_arena_array(list->arena, capacity, sizeof(*grown));
        for (size_t i = 0; i < list->count; i++) {
            grown[i] = list->slots[i];
        }
        list->slots = grown;
        list->capacity = capacity;
    }
    list->slots[list->count++] = *slot;
    return CS_OK;
}

static enum cs_status add_all(struct list *list, ProtobufCMessage *message, const char *prefix, struct cs_err *err);

static enum cs_status add_field(struct list *list, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                                const char *prefix, struct cs_err *err) {
    struct members members = members_of(message, field);
    char name[PATH_BYTES_MAX];
    size_t count = count_of(&members);
    put_json_name(field->name, name);
    for (size_t i = 0; i < count; i++) {
        const char *path = members.count != NULL ? cs_arena_sprintf(list->arena, "%s%s[%zu]", prefix, name, i)
                                                 : cs_arena_sprintf(list->arena, "%s%s", prefix, name);
        if (field->descriptor == MEDIA_REF) {
            Callsheet__V1__MediaRef *ref = (Callsheet__V1__MediaRef *)members.items[i];
            CS_TRY(add(list, &(struct cs_media_slot){ref, path, accepts(message, field)}, err));
        } else {
            CS_TRY(add_all(list, members.items[i], cs_arena_sprintf(list->arena, "%s.", path), err));
        }
    }
    return CS_OK;
}

static bool holds_media(const ProtobufCMessageDescriptor *message) {
    for (unsigned i = 0; i < message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        if (is_message(field) && (field->descriptor == MEDIA_REF || holds_media(field->descriptor))) {
            return true;
        }
    }
    return false;
}

static bool leads_to_media(const ProtobufCFieldDescriptor *field) {
    return is_message(field) && (field->descriptor == MEDIA_REF || holds_media(field->descriptor));
}

/* Recursion ends where messages do: no message of an operation contains itself. */
static enum cs_status add_all(struct list *list, ProtobufCMessage *message, const char *prefix, struct cs_err *err) {
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (leads_to_media(field) && is_set(message, field)) {
            CS_TRY(add_field(list, message, field, prefix, err));
        }
    }
    return CS_OK;
}

enum cs_status cs_catalog_media_slots(Callsheet__V1__Operation *operation, struct cs_arena *arena,
                                      struct cs_media_slot **ret_slots, size_t *ret_count, struct cs_err *err) {
    struct list list = {.arena = arena};
    ProtobufCMessage *params = cs_operation_params(operation);
    if (params != NULL) {
        CS_TRY(add_all(&list, params, "", err));
    }
    *ret_slots = list.slots;
    *ret_count = list.count;
    return CS_OK;
}

/* ---- filling in ---- */

static ProtobufCMessage *ref_to(const char *job, struct cs_arena *arena) {
    Callsheet__V1__MediaRef *ref = cs_arena_alloc(arena, sizeof(*ref));
    callsheet__v1__media_ref__init(ref);
    ref->source_case = CALLSHEET__V1__MEDIA_REF__SOURCE_JOB;
    ref->job = (char *)job;
    return &ref->base;
}

/* The first field, when it is the main input: `video`, `media`, or a list of things that have a `media`. */
static bool is_main_input(const ProtobufCFieldDescriptor *field, const ProtobufCFieldDescriptor **ret_media) {
    *ret_media = NULL;
    if (field->descriptor == MEDIA_REF) {
        return strcmp(field->name, "video") == 0 || strcmp(field->name, "media") == 0;
    }
    *ret_media = protobuf_c_message_descriptor_get_field_by_name(field->descriptor, "media");
    return field->label == PROTOBUF_C_LABEL_REPEATED && *ret_media != NULL && (*ret_media)->descriptor == MEDIA_REF &&
           (*ret_media)->label != PROTOBUF_C_LABEL_REPEATED;
}

static void imply_item(struct members *members, const ProtobufCFieldDescriptor *field,
                       const ProtobufCFieldDescriptor *media, ProtobufCMessage *ref, ProtobufCMessage ***list,
                       struct cs_arena *arena) {
    const ProtobufCMessageDescriptor *kind = field->descriptor;
    ProtobufCMessage *item = cs_arena_alloc(arena, kind->sizeof_message);
    kind->message_init(item);
    *members_of(item, media).items = ref;
    *list = cs_arena_copy(arena, (const void *)&item, sizeof(ProtobufCMessage *));
    *members->count = 1;
}

void cs_catalog_imply(Callsheet__V1__Operation *operation, const char *job, struct cs_arena *arena) {
    ProtobufCMessage *params = cs_operation_params(operation);
    const ProtobufCFieldDescriptor *media = NULL;
    if (params == NULL || params->descriptor->n_fields == 0) {
        return;
    }
    const ProtobufCFieldDescriptor *field = &params->descriptor->fields[0];
    if (field->id != 1 || !is_message(field) || !is_main_input(field, &media)) {
        return;
    }
    struct members members = members_of(params, field);
    if (count_of(&members) > 0) {
        return;
    }
    if (media == NULL) {
        *members.items = ref_to(job, arena);
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
            *(uint32_t *)(void *)((char *)params + field->quantifier_offset) = field->id;
        }
    } else {
        imply_item(&members, field, media, ref_to(job, arena),
                   (ProtobufCMessage ***)(void *)((char *)params + field->offset), arena);
    }
}

/* ---- leaving out ---- */

static bool is_gone(const ProtobufCMessage *message) {
    const Callsheet__V1__MediaRef *ref = (const Callsheet__V1__MediaRef *)message;
    return ref->input == 0 && ref->step == 0;
}

/* An item of a list goes with any of its media. */
static bool lacks_media(ProtobufCMessage *item) {
    if (item->descriptor == MEDIA_REF) {
        return is_gone(item);
    }
    for (unsigned i = 0; i < item->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &item->descriptor->fields[i];
        if (is_message(field) && field->descriptor == MEDIA_REF && field->label != PROTOBUF_C_LABEL_REPEATED) {
            struct members members = members_of(item, field);
            if (count_of(&members) > 0 && is_gone(*members.items)) {
                return true;
            }
        }
    }
    return false;
}

static void drop(ProtobufCMessage *message);

static void drop_items(const struct members *members) {
    size_t kept = 0;
    for (size_t i = 0; i < *members->count; i++) {
        if (!lacks_media(members->items[i])) {
            drop(members->items[i]);
            members->items[kept++] = members->items[i];
        }
    }
    *members->count = kept;
}

static void drop(ProtobufCMessage *message) {
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (!leads_to_media(field) || !is_set(message, field)) {
            continue;
        }
        struct members members = members_of(message, field);
        if (members.count != NULL) {
            drop_items(&members);
        } else if (*members.items != NULL && field->descriptor != MEDIA_REF) {
            drop(*members.items);
        } else if (*members.items != NULL && is_gone(*members.items)) {
            *members.items = NULL;
        }
    }
}

void cs_catalog_drop_unresolved(Callsheet__V1__Operation *operation) {
    ProtobufCMessage *params = cs_operation_params(operation);
    if (params != NULL) {
        drop(params);
    }
}
