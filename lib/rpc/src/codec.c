#include "codec.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>

#include "guard.h"

enum cs_status rpc_pack(const ProtobufCMessage *message, grpc_byte_buffer **ret_buffer, size_t *ret_size,
                        struct cs_err *err) {
    size_t size = protobuf_c_message_get_packed_size(message);
    if (size > CS_RPC_MESSAGE_BYTES_MAX) {
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "message_too_large", "%s of %zu bytes, at most %d",
                       message->descriptor->name, size, CS_RPC_MESSAGE_BYTES_MAX);
    }
    grpc_slice slice = grpc_slice_malloc(size);
    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    *ret_buffer = grpc_raw_byte_buffer_create(&slice, 1);
    *ret_size = size;
    grpc_slice_unref(slice);
    return CS_OK;
}

enum cs_status rpc_pack_bytes(const void *bytes, size_t size_bytes, grpc_byte_buffer **ret_buffer, struct cs_err *err) {
    if (size_bytes > CS_RPC_MESSAGE_BYTES_MAX) {
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "message_too_large", "a message of %zu bytes, at most %d",
                       size_bytes, CS_RPC_MESSAGE_BYTES_MAX);
    }
    grpc_slice slice = grpc_slice_from_copied_buffer(bytes, size_bytes);
    *ret_buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return CS_OK;
}

/* ---- unpack ---- */

static void *alloc_in_arena(void *arena, size_t size) {
    return cs_arena_alloc(arena, size);
}

static void free_in_arena(void *arena, void *memory) {
    (void)arena;
    (void)memory;
}

static enum cs_status unpack(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t size_bytes,
                             struct cs_arena *arena, ProtobufCMessage **ret_message, struct cs_err *err) {
    CS_TRY(rpc_guard(descriptor, bytes, size_bytes, err));
    ProtobufCAllocator allocator = {.alloc = alloc_in_arena, .free = free_in_arena, .allocator_data = arena};
    static const uint8_t nothing[1];
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, arena != NULL ? &allocator : NULL, size_bytes,
                                                          size_bytes != 0 ? bytes : nothing);
    if (message == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "malformed_message", "%s: does not decode", descriptor->name);
    }
    *ret_message = message;
    return CS_OK;
}

enum cs_status rpc_unpack(const ProtobufCMessageDescriptor *descriptor, grpc_byte_buffer *buffer,
                          struct cs_arena *arena, ProtobufCMessage **ret_message, struct cs_err *err) {
    if (buffer->data.raw.compression == GRPC_COMPRESS_NONE && buffer->data.raw.slice_buffer.count == 1) {
        const grpc_slice *slice = &buffer->data.raw.slice_buffer.slices[0];
        return unpack(descriptor, GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice), arena, ret_message, err);
    }
    grpc_byte_buffer_reader reader;
    if (!grpc_byte_buffer_reader_init(&reader, buffer)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "malformed_message", "%s: unreadable", descriptor->name);
    }
    grpc_slice all = grpc_byte_buffer_reader_readall(&reader);
    enum cs_status status =
        unpack(descriptor, GRPC_SLICE_START_PTR(all), GRPC_SLICE_LENGTH(all), arena, ret_message, err);
    grpc_slice_unref(all);
    grpc_byte_buffer_reader_destroy(&reader);
    return status;
}

/* ---- for everybody ---- */

void cs_rpc_message_free(ProtobufCMessage *message) {
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

enum cs_status cs_rpc_message_unpack(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t size_bytes,
                                     ProtobufCMessage **ret_message, struct cs_err *err) {
    return unpack(descriptor, bytes, size_bytes, NULL, ret_message, err);
}

enum cs_status cs_rpc_message_unpack_arena(const ProtobufCMessageDescriptor *descriptor, const void *bytes,
                                           size_t size_bytes, struct cs_arena *arena, ProtobufCMessage **ret_message,
                                           struct cs_err *err) {
    return unpack(descriptor, bytes, size_bytes, arena, ret_message, err);
}
