#include "domain/verdict.h"

#include <stdio.h>

#include "cs/base/text.h"

#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

static struct whk_verdict failed(Callsheet__V1__FailureClass failure_class, const char *code, const char *sentence) {
    struct whk_verdict verdict = {.failure_class = failure_class};
    cs_str_copy(verdict.code, sizeof(verdict.code), code);
    cs_str_copy(verdict.sentence, sizeof(verdict.sentence), sentence);
    return verdict;
}

struct whk_verdict whk_verdict_of_answer(int status, int64_t retry_after_ms) {
    char code[32];
    char sentence[64];
    if (status >= 200 && status <= 299) {
        return (struct whk_verdict){.delivered = true};
    }
    if (status == 410) {
        return failed(CLASS(INVALID_INPUT), "gone", "the receiver answered 410: it wants no more deliveries");
    }
    if (status >= 300 && status <= 399) {
        return failed(CLASS(TRANSIENT), "redirect", "the receiver answered with a redirect, which is not followed");
    }
    (void)snprintf(code, sizeof(code), "http_%d", status);
    (void)snprintf(sentence, sizeof(sentence), "the receiver answered %d", status);
    struct whk_verdict verdict = failed(status == 429 ? CLASS(RATE_LIMITED) : CLASS(TRANSIENT), code, sentence);
    verdict.retry_after_ms = retry_after_ms;
    return verdict;
}

struct whk_verdict whk_verdict_of_error(const struct cs_err *err) {
    switch (err->status) {
    case CS_CANCELLED:
        return failed(CLASS(CANCELLED), "cancelled", "the delivery was cancelled");
    case CS_PERMISSION_DENIED:
    case CS_INVALID_ARGUMENT:
        return failed(CLASS(INVALID_INPUT), err->reason, err->message);
    case CS_OUT_OF_RANGE:
        return failed(CLASS(TRANSIENT), "bad_answer", "the receiver's answer is beyond the limits");
    default:
        return failed(CLASS(TRANSIENT), err->reason, err->message);
    }
}
