/*
 * run_wire: requests of callsheet.v1.Runs -> checked structs of the domain, and runs -> replies.
 *
 * Reasons  "bad_tenant", "bad_job_type", "bad_client", "client_mismatch", "bad_run_id", "bad_lease", "bad_timeout",
 *          "bad_note", "bad_status", "bad_page_size", "bad_page_token", each with the path of the field. Metrics are
 *          not checked here: a bad one is the domain's, and only a warning.
 * Owns     results live in the arena and in the request.
 * Threads  pure.
 */
#ifndef ORC_WIRE_RUN_WIRE_H
#define ORC_WIRE_RUN_WIRE_H

#include "callsheet/v1/runs.pb-c.h"
#include "domain/run.h"
#include "wire/page_token.h"

enum { ORC_JOB_TYPE_BYTES_MAX = 64 };

/* A run that a request names; text is "" when it names none. */
enum cs_status orc_run_target_from(const char *tenant, const char *run_id, const char *client,
                                   struct orc_run_id *ret_id, struct cs_err *err) CS_MUST_USE;

/* id of the start stays empty but for the client; the id that is named, with the client, is ret_named. */
enum cs_status orc_run_start_from(const Callsheet__V1__StartRunRequest *request, struct cs_arena *arena,
                                  struct orc_run_start *ret_start, struct orc_run_id *ret_named,
                                  struct cs_err *err) CS_MUST_USE;
enum cs_status orc_run_heartbeat_from(const Callsheet__V1__HeartbeatRunRequest *request, struct cs_arena *arena,
                                      struct orc_run_id *ret_id, struct orc_run_news *ret_news,
                                      struct cs_err *err) CS_MUST_USE;
enum cs_status orc_run_complete_from(const Callsheet__V1__CompleteRunRequest *request, struct cs_arena *arena,
                                     struct orc_run_id *ret_id, struct orc_run_news *ret_news,
                                     struct cs_err *err) CS_MUST_USE;
enum cs_status orc_run_list_check(const Callsheet__V1__ListRunsRequest *request, struct orc_page_start *ret_start,
                                  struct cs_err *err) CS_MUST_USE;

/* totals may be NULL. */
Callsheet__V1__Run *orc_run_to(const struct orc_run *run, const struct orc_run_metrics *totals, struct cs_arena *arena);

#endif
