/*
 * staging: the inputs of a job as descriptors. Objects of storage are opened where they are; URLs are fetched through
 * the guard into scratch files, a few at a time. The same source twice is the same descriptor.
 *
 * Fails    as the failure that the job reports: INVALID_ARGUMENT "input_not_found" "input_forbidden" "input_too_big"
 *          "target_not_allowed" "bad_url" "http_4xx"; UNAVAILABLE "input_timeout" "http_5xx" "connect_failed" …;
 *          RESOURCE_EXHAUSTED "http_429" with a wish; CANCELLED, DEADLINE_EXCEEDED as told by stop.
 */
#ifndef MED_STAGING_H
#define MED_STAGING_H

#include "callsheet/v1/worker.pb-c.h"
#include "stop.h"
#include "studio.h"

struct med_inputs {
    int *fds; /* one per input */
    size_t count;
    bool *shared; /* the descriptor is that of an earlier input */
};

/* How far it has got, 0 … 1; any thread. */
typedef void med_staging_progress_fn(double fraction, void *user);

enum cs_status med_stage(const struct med_studio *studio, Callsheet__V1__ResolvedInput *const *inputs, size_t count,
                         struct med_stop *stop, med_staging_progress_fn *progress, void *user,
                         struct med_inputs *ret_inputs, struct cs_err *err) CS_MUST_USE;
void med_inputs_fini(struct med_inputs *inputs);

#endif
