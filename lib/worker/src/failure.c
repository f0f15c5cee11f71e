#include "failure.h"

#include "cs/base/auto.h"

#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

/* The one table from status to class. */
static const Callsheet__V1__FailureClass classes[] = {
    [CS_OK] = CLASS(INTERNAL), /* a failure without a status */
    [CS_CANCELLED] = CLASS(CANCELLED),
    [CS_UNKNOWN] = CLASS(INTERNAL),
    [CS_INVALID_ARGUMENT] = CLASS(INVALID_INPUT),
    [CS_DEADLINE_EXCEEDED] = CLASS(TIMEOUT),
    [CS_NOT_FOUND] = CLASS(INVALID_INPUT),
    [CS_ALREADY_EXISTS] = CLASS(INTERNAL),
    [CS_PERMISSION_DENIED] = CLASS(AUTH),
    [CS_RESOURCE_EXHAUSTED] = CLASS(RATE_LIMITED),
    [CS_FAILED_PRECONDITION] = CLASS(INVALID_INPUT),
    [CS_ABORTED] = CLASS(TRANSIENT),
    [CS_OUT_OF_RANGE] = CLASS(INVALID_INPUT),
    [CS_UNIMPLEMENTED] = CLASS(CODEC_UNSUPPORTED),
    [CS_INTERNAL] = CLASS(INTERNAL),
    [CS_UNAVAILABLE] = CLASS(TRANSIENT),
    [CS_DATA_LOSS] = CLASS(INTERNAL),
    [CS_UNAUTHENTICATED] = CLASS(AUTH),
};

Callsheet__V1__FailureClass failure_class_of(const struct cs_err *err) {
    Callsheet__V1__FailureClass class =
        (unsigned)err->status < CS_COUNT(classes) ? classes[err->status] : CLASS(INTERNAL);
    bool nobody_asked_to_wait = class == CLASS(RATE_LIMITED) && err->retry_after_ms == 0;
    return nobody_asked_to_wait ? CLASS(TRANSIENT) : class;
}
