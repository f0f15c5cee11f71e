/*
 * dialect: the bodies that SDKs send, read into one CreateExecutionRequest.
 *
 *     plan     {executionPlan: {jobs, rootJobIds}, options, webhook}      Synthome v1 and v2, their fields in one
 *     flat     {jobs, webhook, options}                                   v0
 *     native   {plan: {jobs}, baseExecutionId, webhook, timeoutMs, labels, idempotencyKey} our own
 *
 * Jobs are read alike in all of them: `operation` or `type`, `dependsOn` or `dependencies`; media as a job's id, a URL,
 * a marker
 * ("_videoJobDependency:ID"), an object {job} or {url}, or implied by the dependencies. See gateway/README.md.
 *
 * Fails    INVALID_ARGUMENT with the path as the client wrote it. Nothing is ignored: what the engine cannot do is
 *          "unsupported", what nobody knows "unknown_field". Graph and limits of the whole plan are the orchestrator's.
 * Threads  pure.
 * Trust    bodies come from clients; text, depth and size were checked by cs_json_parse.
 */
#ifndef GW_DIALECT_H
#define GW_DIALECT_H

#include <jansson.h>

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "dialect/paths.h"

enum {
    GW_WEBHOOK_SECRET_BYTES_MAX = 512,
    GW_LABELS_BYTES_MAX = 16 * 1024,
    GW_IDEMPOTENCY_KEY_BYTES_MAX = 128,
};

enum gw_dialect {
    GW_DIALECT_PLAN,
    GW_DIALECT_FLAT,
    GW_DIALECT_NATIVE,
};

struct gw_submission {
    enum gw_dialect dialect;
    Callsheet__V1__CreateExecutionRequest *request; /* without tenant */
    struct gw_paths *paths;                         /* for errors of the orchestrator */
};

/* {jobs: [{id, params?}], idempotencyKey?}: where to begin in an execution again; its jobs say what operations they
 * are. into has neither tenant nor id. */
enum cs_status gw_dialect_read_rerun(const json_t *body, const Callsheet__V1__Execution *execution,
                                     struct cs_arena *arena, Callsheet__V1__RerunExecutionRequest *into,
                                     struct gw_paths *paths, struct cs_err *err) CS_MUST_USE;

/* Everything lives in the arena. */
enum cs_status gw_dialect_read(const json_t *body, struct cs_arena *arena, struct gw_submission *ret_submission,
                               struct cs_err *err) CS_MUST_USE;

/* {jobs: […]} of plans that grow: into `request`, without tenant and id. */
enum cs_status gw_dialect_read_append(const json_t *body, struct cs_arena *arena,
                                      Callsheet__V1__AppendJobsRequest *request, struct gw_paths **ret_paths,
                                      struct cs_err *err) CS_MUST_USE;
/* {params: {…}} of a job whose operation is known. */
enum cs_status gw_dialect_read_params(const json_t *body, const char *operation, struct cs_arena *arena,
                                      Callsheet__V1__Operation **ret_operation, struct gw_paths **ret_paths,
                                      struct cs_err *err) CS_MUST_USE;

#endif
