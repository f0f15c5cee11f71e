/*
 * guard: looks at the bytes of a message before protobuf-c does.
 *
 * protobuf-c recurses without a limit, does not check UTF-8, cuts strings at an embedded NUL, and merges repeated
 * occurrences of one submessage in quadratic time. What passes here is safe to unpack and needs a bounded amount of
 * memory.
 *
 * Fails    INVALID_ARGUMENT "malformed_message".
 * Limits   CS_RPC_NESTING_MAX; RPC_UNPACKED_BYTES_MAX of memory; RPC_MERGES_MAX repeated submessages.
 */
#ifndef RPC_GUARD_H
#define RPC_GUARD_H

#include "cs/rpc.h"

enum {
    RPC_UNPACKED_BYTES_MAX = 256 << 20,
    RPC_MERGES_MAX = 16,
};

enum cs_status rpc_guard(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t size_bytes,
                         struct cs_err *err) CS_MUST_USE;

#endif
