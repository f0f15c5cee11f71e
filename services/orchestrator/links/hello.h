/*
 * hello: what a worker must say first.
 */
#ifndef ORC_LINKS_HELLO_H
#define ORC_LINKS_HELLO_H

#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/err.h"

enum {
    ORC_WORKER_ID_BYTES_MAX = 128,
    ORC_WORKER_OPERATIONS_MAX = 256,
    ORC_WORKER_OPERATION_BYTES_MAX = 64,
    ORC_WORKER_SLOTS_MAX = 1 << 16,
    ORC_WORKER_REPORTS_MAX = 1 << 17, /* in one message: each is kept in hundreds of bytes */
};

/* The Hello that a stream's first message begins with. FAILED_PRECONDITION "no_hello" when it begins with something
 * else, INVALID_ARGUMENT "bad_hello" beyond the limits above. */
enum cs_status orc_hello_from(const Callsheet__V1__WorkReport *first, const Callsheet__V1__Hello **ret_hello,
                              struct cs_err *err) CS_MUST_USE;
/* Whether another Hello is among the reports from `start` on: a stream has one. */
bool orc_hello_again(const Callsheet__V1__WorkReport *reports, size_t start);

#endif
