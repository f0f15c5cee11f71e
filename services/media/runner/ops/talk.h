/*
 * talk: what the operations on talks share: transcripts and plans in, text out.
 */
#ifndef MED_OPS_TALK_H
#define MED_OPS_TALK_H

#include "edit/cut_plan.h"
#include "ops/ops.h"

/* A transcript's words. */
enum cs_status med_job_words(struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                             struct med_words *ret_words, struct cs_err *err) CS_MUST_USE;
enum cs_status med_job_cut_plan(struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                                int64_t duration_cs, struct med_cut_plan *ret_plan, struct cs_err *err) CS_MUST_USE;

/* Writes a text into output number `index` and reports it. */
enum cs_status med_job_write_text(struct med_job *job, size_t index, const struct cs_buf *text,
                                  Callsheet__V1__MediaType type, struct cs_err *err) CS_MUST_USE;

#endif
