#include "guard.h"

#include "cs/base/text.h"

enum {
    WIRE_VARINT = 0,
    WIRE_64BIT = 1,
    WIRE_BYTES = 2,
    WIRE_32BIT = 5,
    VARINT_BYTES_MAX = 10,
    FIELD_NUMBER_MAX = (1 << 29) - 1,
    SEEN_FIELDS = 256,     /* fields of one message whose repetition is watched */
    FIELD_COST_BYTES = 64, /* protobuf-c's note of one field, and its place in an array */
};

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

struct guard {
    size_t memory_bytes; /* what unpacking will need, about */
    unsigned merges;
    struct cs_err *err;
};

static enum cs_status malformed(struct guard *guard, const ProtobufCMessageDescriptor *descriptor, const char *what) {
    return cs_fail(guard->err, CS_INVALID_ARGUMENT, "malformed_message", "%s: %s", descriptor->name, what);
}

static bool read_varint(struct cursor *in, uint64_t *ret_value) {
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX && in->at < in->end; i++) {
        uint8_t byte = *in->at++;
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool skip(struct cursor *in, size_t size_bytes) {
    if ((size_t)(in->end - in->at) < size_bytes) {
        return false;
    }
    in->at += size_bytes;
    return true;
}

/* Moves behind the value of a field; its bytes (of a length-delimited one) are in ret_value. */
static bool read_value(struct cursor *in, unsigned wire, struct cursor *ret_value) {
    uint64_t number = 0;
    switch (wire) {
    case WIRE_VARINT:
        return read_varint(in, &number);
    case WIRE_64BIT:
        return skip(in, 8);
    case WIRE_32BIT:
        return skip(in, 4);
    case WIRE_BYTES:
        if (!read_varint(in, &number) || number > (uint64_t)(in->end - in->at)) {
            return false;
        }
        *ret_value = (struct cursor){in->at, in->at + number};
        in->at += number;
        return true;
    default:
        return false; /* groups, and numbers that mean nothing */
    }
}

/* Whether this field came before in the same message; sets its bit. */
static bool seen_before(uint64_t seen[SEEN_FIELDS / 64], size_t index) {
    if (index >= SEEN_FIELDS) {
        return false;
    }
    uint64_t bit = UINT64_C(1) << (index % 64);
    bool before = (seen[index / 64] & bit) != 0;
    seen[index / 64] |= bit;
    return before;
}

/* The bytes of one packed element, at least; for the estimate of memory. */
static size_t packed_element_bytes(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return 4;
    default:
        return 1;
    }
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by CS_RPC_NESTING_MAX
static enum cs_status check_message(struct guard *guard, const ProtobufCMessageDescriptor *descriptor, struct cursor in,
                                    unsigned depth) {
    if (depth > CS_RPC_NESTING_MAX) {
        return malformed(guard, descriptor, "nested too deeply");
    }
    guard->memory_bytes += descriptor->sizeof_message;
    uint64_t seen[SEEN_FIELDS / 64] = {0};
    while (in.at < in.end) {
        uint64_t key = 0;
        struct cursor value = {0};
        if (!read_varint(&in, &key) || key >> 3 == 0 || key >> 3 > FIELD_NUMBER_MAX) {
            return malformed(guard, descriptor, "not a field number");
        }
        if (!read_value(&in, key & 7, &value)) {
            return malformed(guard, descriptor, "cut off or of an unknown wire type");
        }
        size_t size = (size_t)(value.end - value.at);
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(descriptor, key >> 3);
        guard->memory_bytes += FIELD_COST_BYTES + size;
        if (guard->memory_bytes > RPC_UNPACKED_BYTES_MAX) {
            return malformed(guard, descriptor, "needs too much memory");
        }
        if (field == NULL) {
            continue;
        }
        bool delimited = (key & 7) == WIRE_BYTES;
        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING:
            if (!delimited || !cs_utf8_valid((const char *)value.at, size)) {
                return malformed(guard, descriptor, "a string is not UTF-8 or contains NUL");
            }
            break;
        case PROTOBUF_C_TYPE_BYTES:
            if (!delimited) {
                return malformed(guard, descriptor, "a field has the wrong wire type");
            }
            break;
        case PROTOBUF_C_TYPE_MESSAGE:
            if (!delimited) {
                return malformed(guard, descriptor, "a field has the wrong wire type");
            }
            if (field->label != PROTOBUF_C_LABEL_REPEATED && seen_before(seen, (size_t)(field - descriptor->fields)) &&
                ++guard->merges > RPC_MERGES_MAX) {
                return malformed(guard, descriptor, "a field that is not repeated repeats");
            }
            CS_TRY(check_message(guard, field->descriptor, value, depth + 1));
            break;
        default:
            if (delimited && field->label == PROTOBUF_C_LABEL_REPEATED) {
                guard->memory_bytes += size / packed_element_bytes(field->type) * 8;
            } else if (delimited) {
                return malformed(guard, descriptor, "a field has the wrong wire type");
            }
            break;
        }
    }
    return CS_OK;
}

enum cs_status rpc_guard(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t size_bytes,
                         struct cs_err *err) {
    struct guard guard = {.err = err};
    const uint8_t *start = bytes;
    if (size_bytes == 0) {
        return CS_OK;
    }
    return check_message(&guard, descriptor, (struct cursor){start, start + size_bytes}, 1);
}
