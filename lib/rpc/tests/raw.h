/*
 * raw: a client without manners, for bytes and sizes that our own client would not send.
 */
#ifndef RPC_TEST_RAW_H
#define RPC_TEST_RAW_H

#include <stddef.h>

struct raw_result {
    int status; /* of gRPC; -1 when nothing came */
    char reason[64];
    char message[512];
};

/* One call with these bytes as its one message; bytes NULL sends none. */
struct raw_result raw_call(const char *address, const char *path, const void *bytes, size_t size_bytes);

#endif
