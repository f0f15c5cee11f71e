/*
 * external_wire: external jobs on the wire: their parameters, what is shown of them, what may be reported.
 *
 * Reasons  "bad_json" at "data"; of results: "required", "bad_url", "type_mismatch", "too_many", "too_long".
 * Threads  pure.
 * Trust    parameters and reports come from clients.
 */
#ifndef ORC_WIRE_EXTERNAL_WIRE_H
#define ORC_WIRE_EXTERNAL_WIRE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"

enum {
    ORC_EXTERNAL_OUTPUTS_MAX = 100,
    ORC_EXTERNAL_METRICS_MAX = 100,
    ORC_EXTERNAL_NAME_BYTES_MAX = 128,
    ORC_EXTERNAL_CODE_BYTES_MAX = 64,
    ORC_EXTERNAL_MESSAGE_BYTES_MAX = 512,
};

#define ORC_EXTERNAL_CODE_DEFAULT "failed" /* of a failure without one */

/* After the catalogue's check; other operations are fine. */
enum cs_status orc_external_check(const Callsheet__V1__Operation *operation, struct cs_err *err) CS_MUST_USE;

/* The parameters of an external job; *ret_params is NULL for others. */
enum cs_status orc_external_params(const struct orc_plan_job *planned, struct cs_arena *arena,
                                   const Callsheet__V1__External **ret_params, struct cs_err *err) CS_MUST_USE;
/* Without token. *ret_status is NULL for other jobs. */
enum cs_status orc_external_status(const struct orc_execution *execution, uint32_t job, struct cs_arena *arena,
                                   Callsheet__V1__ExternalStatus **ret_status, struct cs_err *err) CS_MUST_USE;

/* What can be said of a report without its job. */
enum cs_status orc_external_report_check(const Callsheet__V1__ReportExternalRequest *request,
                                         struct cs_err *err) CS_MUST_USE;
/* Whether a report about an attempt that has ended says what ended it: CS_OK, or FAILED_PRECONDITION "already_ended".
 */
enum cs_status orc_external_repeats(const Callsheet__V1__JobStatus *job,
                                    const Callsheet__V1__ReportExternalRequest *request, struct cs_arena *arena,
                                    struct cs_err *err) CS_MUST_USE;
/* A result for a job that gives outputs of this type (callsheet.v1.MediaType). Reduced to what a result may have, and
 * packed in the arena: the same report gives the same bytes. */
enum cs_status orc_external_result(const Callsheet__V1__Succeeded *succeeded, int output, struct cs_arena *arena,
                                   const void **ret_bytes, size_t *ret_size_bytes, struct cs_err *err) CS_MUST_USE;

#endif
