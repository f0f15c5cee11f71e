/*
 * webhook_wire: the body of the webhook that tells a terminal state; made once, at the terminal commit, then frozen.
 *
 *     {"executionId", "status", "result": {"url", "status"} | null, "outputs": {job: {"url", "operation"}},
 *      "rootUrl", "error", "createdAt", "completedAt" (and "failedAt" when it did not complete)}
 *
 * Links to artifacts are signed and live ORC_WEBHOOK_LINK_LIFE_S.
 *
 * Limits   ORC_WEBHOOK_BODY_BYTES_MAX: beyond, the outputs of single jobs are left out and "outputsTruncated" is true.
 * Threads  pure.
 */
#ifndef ORC_WIRE_WEBHOOK_WIRE_H
#define ORC_WIRE_WEBHOOK_WIRE_H

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"

enum {
    ORC_WEBHOOK_BODY_BYTES_MAX = 256 * 1024,
    ORC_WEBHOOK_LINK_LIFE_S = 7 * 24 * 60 * 60,
};

struct orc_webhook_context {
    const char *public_url;
    const char *link_secret;
    int64_t now_ms; /* Unix time; the links' life starts here */
};

/* ret_body lives in the arena. DATA_LOSS "bad_result" when a stored result does not unpack. */
enum cs_status orc_webhook_body(const struct orc_execution *execution, const struct orc_webhook_context *context,
                                struct cs_arena *arena, const char **ret_body, size_t *ret_size,
                                struct cs_err *err) CS_MUST_USE;

#endif
