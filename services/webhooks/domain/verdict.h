/*
 * verdict: what one try means for the delivery. The schedule of tries is the orchestrator's.
 *
 *     2xx              delivered
 *     410              given up: the receiver wants no more
 *     3xx              a failure (redirects are not followed)
 *     429, 5xx, …      try again, not before Retry-After
 *
 * Threads  pure.
 */
#ifndef WHK_VERDICT_H
#define WHK_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/err.h"

struct whk_verdict {
    bool delivered;
    Callsheet__V1__FailureClass failure_class;
    char code[64];      /* "http_404", "timeout" … */
    char sentence[256]; /* for people */
    int64_t retry_after_ms;
};

struct whk_verdict whk_verdict_of_answer(int status, int64_t retry_after_ms);
/* Of a request that got no answer; err is cs_http's. */
struct whk_verdict whk_verdict_of_error(const struct cs_err *err);

#endif
