#include "failure_wire.h"

#include <stddef.h>

#include "cs/base/auto.h"

#define CLASS(name) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##name

struct row {
    enum cs_status status;
    Callsheet__V1__FailureClass failure_class;
};

/* The first row of a class is the one that it becomes; the first row of a status likewise. */
static const struct row rows[] = {
    {CS_INVALID_ARGUMENT, CLASS(INVALID_INPUT)},
    {CS_OUT_OF_RANGE, CLASS(INVALID_INPUT)},
    {CS_UNIMPLEMENTED, CLASS(CODEC_UNSUPPORTED)},
    {CS_UNAVAILABLE, CLASS(TRANSIENT)},
    {CS_ABORTED, CLASS(TRANSIENT)},
    {CS_RESOURCE_EXHAUSTED, CLASS(RATE_LIMITED)},
    {CS_DEADLINE_EXCEEDED, CLASS(TIMEOUT)},
    {CS_CANCELLED, CLASS(CANCELLED)},
    {CS_INTERNAL, CLASS(INTERNAL)},
};

enum cs_status med_failure_from_wire(const Callsheet__V1__Failed *failed, struct cs_err *ret_err) {
    enum cs_status status = CS_INTERNAL;
    for (size_t i = CS_COUNT(rows); i-- > 0;) {
        if (rows[i].failure_class == failed->failure_class) {
            status = rows[i].status;
        }
    }
    (void)cs_fail(ret_err, status, failed->code, "%s", failed->message);
    ret_err->retry_after_ms = failed->retry_after_ms;
    return status;
}

Callsheet__V1__FailureClass med_failure_class(const struct cs_err *err) {
    /* Something of ours is used up (files, disk); only a peer's wish makes it a rate limit. */
    if (err->status == CS_RESOURCE_EXHAUSTED && err->retry_after_ms == 0) {
        return CLASS(TRANSIENT);
    }
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        if (rows[i].status == err->status) {
            return rows[i].failure_class;
        }
    }
    return CLASS(INTERNAL);
}
