#include "cs/catalog.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS };

#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

static const struct cs_retry_policy never = {1, 0, 0};

/* What may help, by kind of worker; deliveries of webhooks are no jobs and have a schedule of their own in the
 * orchestrator. Other classes are final: the same input fails the same way (INVALID_INPUT,
 * CODEC_UNSUPPORTED, CONTENT_REJECTED), only a person can help (AUTH, BILLING), it was wanted (CANCELLED), or a repeat
 * could be paid twice (OUTCOME_UNKNOWN). */
struct row {
    enum cs_worker_kind worker;
    Callsheet__V1__FailureClass failure_class;
    struct cs_retry_policy policy;
};

static const struct row rows[] = {
    {CS_WORKER_MEDIA, CLASS(TRANSIENT), {5, 2 * SECOND_MS, MINUTE_MS}},
    {CS_WORKER_MEDIA, CLASS(RATE_LIMITED), {5, 2 * SECOND_MS, MINUTE_MS}},
    {CS_WORKER_MEDIA, CLASS(TIMEOUT), {3, 2 * SECOND_MS, MINUTE_MS}},
    {CS_WORKER_MEDIA, CLASS(INTERNAL), {2, 2 * SECOND_MS, MINUTE_MS}},
    {CS_WORKER_PROVIDERS, CLASS(TRANSIENT), {4, 5 * SECOND_MS, MINUTE_MS}},
    {CS_WORKER_PROVIDERS, CLASS(RATE_LIMITED), {10, 5 * SECOND_MS, 10 * MINUTE_MS}},
    {CS_WORKER_PROVIDERS, CLASS(TIMEOUT), {2, 5 * SECOND_MS, MINUTE_MS}},
    {CS_WORKER_PROVIDERS, CLASS(INTERNAL), {2, 5 * SECOND_MS, MINUTE_MS}},
    {CS_WORKER_OUTSIDE, CLASS(TRANSIENT), {3, SECOND_MS, MINUTE_MS}},
    {CS_WORKER_OUTSIDE, CLASS(RATE_LIMITED), {3, SECOND_MS, MINUTE_MS}},
    {CS_WORKER_OUTSIDE, CLASS(TIMEOUT), {3, SECOND_MS, MINUTE_MS}},
    {CS_WORKER_OUTSIDE, CLASS(INTERNAL), {2, SECOND_MS, MINUTE_MS}},
    {CS_WORKER_TEST, CLASS(TRANSIENT), {5, SECOND_MS, MINUTE_MS}},
    {CS_WORKER_TEST, CLASS(RATE_LIMITED), {5, SECOND_MS, MINUTE_MS}},
    {CS_WORKER_TEST, CLASS(TIMEOUT), {3, SECOND_MS, MINUTE_MS}},
    {CS_WORKER_TEST, CLASS(INTERNAL), {2, SECOND_MS, MINUTE_MS}},
};

struct cs_retry_policy cs_catalog_retry(const struct cs_operation *operation,
                                        Callsheet__V1__FailureClass failure_class) {
    if (operation == NULL) {
        return never;
    }
    if (failure_class == CLASS(UNSPECIFIED)) {
        failure_class = CLASS(INTERNAL); /* a worker that does not say */
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].worker == operation->worker && rows[i].failure_class == failure_class) {
            return rows[i].policy;
        }
    }
    return never;
}
