/*
 * codec: protobuf-c messages to and from the core's byte buffers.
 *
 * Limits   CS_RPC_MESSAGE_BYTES_MAX, checked before anything is allocated: RESOURCE_EXHAUSTED "message_too_large".
 * Fails    what a peer sent: as guard.h says.
 */
#ifndef RPC_CODEC_H
#define RPC_CODEC_H

#include <grpc/byte_buffer.h>

#include "cs/rpc.h"

/* One slice, one copy. The caller destroys the buffer. */
enum cs_status rpc_pack(const ProtobufCMessage *message, grpc_byte_buffer **ret_buffer, size_t *ret_size,
                        struct cs_err *err) CS_MUST_USE;
/* The same for what is packed already. */
enum cs_status rpc_pack_bytes(const void *bytes, size_t size_bytes, grpc_byte_buffer **ret_buffer,
                              struct cs_err *err) CS_MUST_USE;
/* Into the arena, or when it is NULL on the heap (cs_rpc_message_free). The buffer stays the caller's. */
enum cs_status rpc_unpack(const ProtobufCMessageDescriptor *descriptor, grpc_byte_buffer *buffer,
                          struct cs_arena *arena, ProtobufCMessage **ret_message, struct cs_err *err) CS_MUST_USE;

#endif
