#include "failure_wire.h"

#include <stddef.h>

#include "cs/base/auto.h"

#define CLASS(name) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##name

static const struct {
    Callsheet__V1__FailureClass failure_class;
    enum cs_status status;
} rows[] = {
    {CLASS(INVALID_INPUT), CS_INVALID_ARGUMENT},
    {CLASS(CODEC_UNSUPPORTED), CS_UNIMPLEMENTED},
    {CLASS(TRANSIENT), CS_UNAVAILABLE},
    {CLASS(TIMEOUT), CS_DEADLINE_EXCEEDED},
    {CLASS(CANCELLED), CS_CANCELLED},
    {CLASS(INTERNAL), CS_INTERNAL},
};

enum cs_status med_failure_from_wire(const Callsheet__V1__Failed *failed, struct cs_err *ret_err) {
    enum cs_status status = CS_INTERNAL;
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        if (rows[i].failure_class == failed->failure_class) {
            status = rows[i].status;
        }
    }
    (void)cs_fail(ret_err, status, failed->code, "%s", failed->message);
    ret_err->retry_after_ms = failed->retry_after_ms;
    return status;
}

enum cs_status med_failure_of_storage(struct cs_err *err) {
    if (err->status != CS_RESOURCE_EXHAUSTED && err->status != CS_OUT_OF_RANGE) {
        err->status = CS_UNAVAILABLE;
    }
    return err->status;
}
