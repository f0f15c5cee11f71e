/*
 * failure: why a generation did not come about, in the words of the worker contract.
 */
#ifndef PRV_FAILURE_H
#define PRV_FAILURE_H

#include <stdint.h>

#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/err.h"

#define PRV_CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

enum { PRV_CODE_SIZE = 64, PRV_SENTENCE_SIZE = 400 };

struct prv_failure {
    Callsheet__V1__FailureClass failure_class; /* UNSPECIFIED: none */
    char code[PRV_CODE_SIZE];                  /* stable word */
    char sentence[PRV_SENTENCE_SIZE];          /* for people; a provider's own words are cut and cleaned */
    int64_t retry_after_ms;
};

struct prv_failure prv_failure_make(Callsheet__V1__FailureClass failure_class, const char *code, const char *fmt, ...)
    CS_PRINTF(3, 4);
/* Of something of ours: bad input stays bad input, the rest may go better next time. */
struct prv_failure prv_failure_from_err(const struct cs_err *err);

#endif
