/*
 * descriptors: what the embedded FileDescriptorSet says. protobuf-c leaves out which methods stream.
 *
 * Owns     decoded once per process, never freed.
 * Threads  read-only after rpc_descriptors_load.
 */
#ifndef RPC_DESCRIPTORS_H
#define RPC_DESCRIPTORS_H

#include "cs/rpc.h"

struct rpc_method {
    const char *path;    /* "/callsheet.v1.Worker/Work" */
    const char *service; /* "callsheet.v1.Worker" */
    const char *name;    /* "Work" */
    bool client_streams;
    bool server_streams;
    size_t index; /* below rpc_method_count() */
};

struct rpc_file {
    const char *name;
    const void *bytes; /* its FileDescriptorProto */
    size_t size_bytes;
    const size_t *dependencies; /* indices of files */
    size_t dependency_count;
};

enum cs_status rpc_descriptors_load(struct cs_err *err) CS_MUST_USE;

size_t rpc_method_count(void);
const struct rpc_method *rpc_method_at(size_t index);
/* NULL when the set has no such method. */
const struct rpc_method *rpc_method_find(const char *service, const char *name);

size_t rpc_file_count(void);
const struct rpc_file *rpc_file_at(size_t index);
/* Index of a file; false when there is none. */
bool rpc_file_find(const char *name, size_t *ret_index);
/* Index of the file that defines a message, enum, service or method, by its full name. */
bool rpc_symbol_find(const char *symbol, size_t *ret_file_index);

#endif
