/*
 * plan_wire: a CreateExecutionRequest -> a checked submission with its graph.
 *
 * Paths of errors are JSON names relative to the request, with `plan.` left out: "jobs[2].dependsOn[0]", and
 * "jobs[2].params.items[0].volume" for what lib/catalog finds in the typed parameters.
 *
 * Reasons  besides those of orc_plan_build and cs_catalog_check: "bad_tenant", "bad_idempotency_key", "missing_plan",
 *          "too_many_jobs", "bad_id", "unknown_operation", "operation_not_allowed", "params_too_big", "type_mismatch",
 *          "upload_not_found", "unknown_root_job", "internal_field", those of wire/failure_rules.h and
 * wire/queue_wire.h, "bad_webhook_url", "bad_webhook_secret", "bad_timeout", "bad_label", "labels_too_big",
 * "request_too_big".
 * Limits   ORC_REQUEST_BYTES_MAX and the ORC_*_MAX below; jobs and edges as in domain/plan.h, the rest in cs/catalog.h.
 * Threads  pure.
 * Trust    requests come from clients, already unpacked (UTF-8 and nesting were checked by lib/rpc).
 */
#ifndef ORC_WIRE_PLAN_WIRE_H
#define ORC_WIRE_PLAN_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "cs/trace.h"
#include "domain/plan.h"
#include "wire/results.h"

enum {
    ORC_REQUEST_BYTES_MAX = 4 << 20,
    ORC_TENANT_BYTES_MAX = 64,
    ORC_IDEMPOTENCY_KEY_BYTES_MAX = 128,
    ORC_JOB_ID_BYTES_MAX = 128,
    ORC_OUTPUT_LABEL_BYTES_MAX = 256,
    ORC_CONCURRENCY_KEY_BYTES_MAX = 128,
    ORC_CONCURRENCY_LIMIT_MAX = 10000,
    ORC_WEBHOOK_SECRET_BYTES_MAX = 512,
    ORC_LABELS_BYTES_MAX = 16 * 1024,
    ORC_CANCEL_REASON_BYTES_MAX = 256,
    ORC_PIPELINE_NAME_BYTES_MAX = 64,
};
#define ORC_TIMEOUT_MS_DEFAULT (INT64_C(24) * 60 * 60 * 1000)
#define ORC_TIMEOUT_MS_MAX (INT64_C(30) * 24 * 60 * 60 * 1000)

/* ---- operations: built once from lib/catalog; NULL unknown ---- */
const struct orc_operation *orc_operation_by_case(Callsheet__V1__Operation__ParamsCase which);
const struct orc_operation *orc_operation_by_name(const char *name);

/* ---- submissions ---- */

/* A checked submission. */
struct orc_submission {
    struct cs_arena *arena; /* holds everything below but request */
    const char *tenant;
    const char *idempotency_key; /* "" none */
    unsigned char request_sha256[32];
    void *request; /* packed CreateExecutionRequest with MediaRef.input set; malloc'ed, so that it can go after the
                      commit */
    size_t request_size;
    const Callsheet__V1__CreateExecutionRequest *envelope; /* the request without its plan: webhook, labels … */
    struct orc_plan *plan;
    int64_t timeout_ms;
    bool has_webhook;
    struct cs_trace trace;
    const char *origin;       /* the execution that this one is a retry or a rerun of, or NULL */
    struct orc_reuses reuses; /* jobs that are complete from the beginning */
};
void orc_submission_destroy(struct orc_submission *submission); /* NULL is fine */
CS_DEFINE_AUTO(orc_submission, orc_submission_destroy)

/* Checks everything. MediaRef.input of the request is overwritten; nothing in the result points into it. */
enum cs_status orc_submission_from(Callsheet__V1__CreateExecutionRequest *request, const struct cs_trace *trace,
                                   struct orc_submission **ret_submission, struct cs_err *err) CS_MUST_USE;

/* The same for a request that we have changed ourselves (its base was resolved, it repeats an earlier one): what is
 * internal may be there. request_sha256: of what the client sent, 32 bytes. */
enum cs_status orc_submission_resolved(Callsheet__V1__CreateExecutionRequest *request,
                                       const unsigned char *request_sha256, const struct cs_trace *trace,
                                       struct orc_submission **ret_submission, struct cs_err *err) CS_MUST_USE;
/* Refuses what is internal: "internal_field", "operation_not_allowed". orc_submission_from does that too. */
enum cs_status orc_request_check_internal(const Callsheet__V1__CreateExecutionRequest *request,
                                          struct cs_err *err) CS_MUST_USE;

/* The name of an internal field that is set, or NULL. */
const char *orc_job_internal_field(const Callsheet__V1__Job *job);

/* Jobs that come later -> drafts for orc_plan_append, in the arena and pointing into the message, whose MediaRef.input
 * is overwritten. checked: they were accepted before. Paths begin with "jobs[N]". */
enum cs_status orc_drafts_from(const Callsheet__V1__Plan *message, bool checked, struct cs_arena *arena,
                               struct orc_job_draft **ret_drafts, struct cs_err *err) CS_MUST_USE;

/* For recovery: bytes of an accepted request -> envelope and plan, in the arena. DATA_LOSS "bad_request_row" when they
 * do not make a plan any more. */
enum cs_status orc_plan_from_request(const void *bytes, size_t size_bytes, struct cs_arena *arena,
                                     const Callsheet__V1__CreateExecutionRequest **ret_envelope,
                                     struct orc_plan **ret_plan, struct cs_err *err) CS_MUST_USE;

/* 1 … 64 bytes of [a-z0-9_-]; "bad_tenant" at "tenant". */
enum cs_status orc_tenant_check(const char *tenant, struct cs_err *err) CS_MUST_USE;
/* 1 … ORC_PIPELINE_NAME_BYTES_MAX of [a-z0-9-]. */
bool orc_pipeline_name_valid(const char *name);

#endif
