/*
 * later: ends assignments after a time, on a thread of its own.
 *
 * Threads  any.
 */
#ifndef FAULT_LATER_H
#define FAULT_LATER_H

#include "cs/base/err.h"
#include "cs/worker.h"

struct later;

enum cs_status later_create(void (*end)(struct cs_assignment *assignment), struct later **ret_later,
                            struct cs_err *err) CS_MUST_USE;
/* When nothing waits any more. */
void later_destroy(struct later *later);

void later_add(struct later *later, struct cs_assignment *assignment, int64_t delay_ms);
/* What waits no more is left alone. */
void later_now(struct later *later, const struct cs_assignment *assignment);

#endif
