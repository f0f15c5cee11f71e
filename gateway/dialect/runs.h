/*
 * runs: the bodies of tracked runs -> requests of callsheet.v1.Runs.
 *
 *     start      {jobType, clientId, initialData, specificRunId | runId | parentRunId, options: {specificRunId},
 *                 leaseMs, timeoutMs, note}
 *     heartbeat  {jobType, clientId, metrics, note}
 *     complete   {jobType, clientId, status, finalMetrics, error, note}
 *
 * Metrics are {NAME: VALUE} or {NAME: {value, rule}}. A value that is none is not refused: it goes on without one, and
 * the orchestrator answers with a warning.
 *
 * Fails    INVALID_ARGUMENT with the path as the client wrote it: "wrong_type", "unknown_field", "unknown_word",
 *          "out_of_range".
 * Owns     everything lives in the arena.
 * Threads  pure.
 * Trust    as in dialect/dialect.h.
 */
#ifndef GW_DIALECT_RUNS_H
#define GW_DIALECT_RUNS_H

#include <jansson.h>

#include "callsheet/v1/runs.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"

/* query_id: the run id of the query, or NULL. Of several ids the first in this order counts: specificRunId, the
 * query's, runId, parentRunId. *ret_id_path: which one it was. */
enum cs_status gw_run_start_read(const json_t *body, const char *query_id, struct cs_arena *arena,
                                 Callsheet__V1__StartRunRequest *ret_request, const char **ret_id_path,
                                 struct cs_err *err) CS_MUST_USE;
enum cs_status gw_run_heartbeat_read(const json_t *body, struct cs_arena *arena,
                                     Callsheet__V1__HeartbeatRunRequest *ret_request, struct cs_err *err) CS_MUST_USE;
enum cs_status gw_run_complete_read(const json_t *body, struct cs_arena *arena,
                                    Callsheet__V1__CompleteRunRequest *ret_request, struct cs_err *err) CS_MUST_USE;

#endif
