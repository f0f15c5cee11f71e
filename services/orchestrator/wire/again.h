/*
 * again: an execution that has ended, once more — as a new one, without what it need not run again.
 *
 * The plan is that of the old one as it was at its end (wire/grown.h), with its base resolved as it was then; what the
 * base gave is asked of it again.
 *
 * Fails    FAILED_PRECONDITION "not_ended", "not_failed". INVALID_ARGUMENT at "from[i].jobId" and "from[i].params":
 *          "no_jobs", "too_many_jobs", "unknown_job", "duplicate_job", "other_operation" and whatever is wrong with
 *          parameters.
 * Threads  pure.
 */
#ifndef ORC_WIRE_AGAIN_H
#define ORC_WIRE_AGAIN_H

#include "domain/execution.h"
#include "wire/plan_wire.h"

enum { ORC_RERUN_JOBS_MAX = 1000, ORC_AGAIN_KEY_SIZE = 48 };

/* The old execution as its row tells. */
struct orc_earlier {
    const char *id;
    enum orc_execution_state state;
    const void *request;
    size_t request_size;
    const void *summary; /* or NULL */
    size_t summary_size;
    const struct orc_event *events; /* of its log: those that changed its plan are looked at */
    size_t event_count;
};

/* The idempotency key that makes one retry of an execution; no client can give it. */
void orc_retry_key(const char *execution, char ret_key[ORC_AGAIN_KEY_SIZE]);
/* key: the client's, or NULL for that one. */
enum cs_status orc_retry_from(const struct orc_earlier *earlier, const char *key, const struct cs_trace *trace,
                              struct orc_submission **ret_submission, struct cs_err *err) CS_MUST_USE;
enum cs_status orc_rerun_from(const struct orc_earlier *earlier, const Callsheet__V1__RerunExecutionRequest *request,
                              const struct cs_trace *trace, struct orc_submission **ret_submission,
                              struct cs_err *err) CS_MUST_USE;

#endif
