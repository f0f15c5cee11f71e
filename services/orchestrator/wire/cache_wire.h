/*
 * cache_wire: what a plan says about results that are kept, and what the work of a job is, as a digest.
 *
 * The subject is the SHA-256 of the tenant, the operation, its parameters and its inputs. Parameters are the typed
 * message packed anew, so that neither the order of members in a client's JSON nor ids of jobs matter: a reference is
 * the position of its input, secrets are left out. An input that another job made is the digest of its bytes; a URL is
 * its text, what stands there now is not looked at. The version that does the work is kept beside the subject, not in
 * it.
 *
 * Reasons  "bad_cache_mode", "not_cacheable".
 * Threads  pure.
 */
#ifndef ORC_WIRE_CACHE_WIRE_H
#define ORC_WIRE_CACHE_WIRE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"

struct cs_operation;

/* For what clients send; paths are relative to the plan, or to the job. */
enum cs_status orc_plan_cache_check(const Callsheet__V1__Plan *plan, struct cs_err *err) CS_MUST_USE;
enum cs_status orc_job_cache_check(const Callsheet__V1__Job *job, const struct cs_operation *row,
                                   struct cs_err *err) CS_MUST_USE;
enum orc_cache_mode orc_job_cache(const Callsheet__V1__Plan *plan, const Callsheet__V1__Job *job,
                                  const struct cs_operation *row);

/* A job that may take a kept result shall be done anew. */
void orc_job_cache_refresh(const Callsheet__V1__Plan *plan, Callsheet__V1__Job *job);

/* Of a job whose inputs are there; INVALID_ARGUMENT "input_missing" when one is not. */
enum cs_status orc_cache_subject(const struct orc_execution *execution, uint32_t job, struct cs_arena *arena,
                                 unsigned char ret_subject[ORC_CACHE_SUBJECT_BYTES], struct cs_err *err) CS_MUST_USE;

/* NULL for a job whose mode is off. */
Callsheet__V1__CacheStatus *orc_cache_status(const struct orc_plan_job *planned, const struct orc_job *job,
                                             struct cs_arena *arena);

#endif
