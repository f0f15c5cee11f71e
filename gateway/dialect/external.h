/*
 * external: what is reported about external jobs, as JSON -> ReportExternalRequest without its token.
 *
 * Owns     messages live in the arena.
 * Threads  pure.
 * Trust    bodies come from whoever does the work. Errors have the path of the member.
 */
#ifndef GW_DIALECT_EXTERNAL_H
#define GW_DIALECT_EXTERNAL_H

#include <jansson.h>

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "dialect/paths.h"

/* The members of a result; outputs, output and url exclude each other. */
extern const char *const gw_external_members[];

/* {outputs: [{url, type, name}], data, metrics: {name: number}}; of a single output {output: {…}} or {url} will do. */
enum cs_status gw_external_complete_read(const json_t *body, struct cs_arena *arena,
                                         Callsheet__V1__ReportExternalRequest *report, struct cs_err *err) CS_MUST_USE;
/* Where a result has its output when not in outputs, for errors about these. */
void gw_external_complete_paths(const json_t *body, struct gw_paths *paths);
/* {class, code, message, retryAfterMs}; without a class it is not tried again. */
enum cs_status gw_external_fail_read(const json_t *body, struct cs_arena *arena,
                                     Callsheet__V1__ReportExternalRequest *report, struct cs_err *err) CS_MUST_USE;
/* {stage, fraction} */
enum cs_status gw_external_heartbeat_read(const json_t *body, struct cs_arena *arena,
                                          Callsheet__V1__ReportExternalRequest *report, struct cs_err *err) CS_MUST_USE;

#endif
