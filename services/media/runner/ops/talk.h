/*
 * talk: what the operations on talks share: transcripts and plans in, text out.
 */
#ifndef MED_OPS_TALK_H
#define MED_OPS_TALK_H

#include "edit/cut_plan.h"
#include "edit/retime.h"
#include "ops/ops.h"
#include "subtitles/subtitles.h"

/* A transcript or a subtitle file; what was forgiven is a metric. apart: no two cues at the same time. */
enum cs_status med_job_subtitles(struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path, bool apart,
                                 struct med_subtitles *ret_subtitles, struct cs_err *err) CS_MUST_USE;
/* As SRT, WebVTT and ASS, into output number `first` and those behind it. */
enum cs_status med_job_write_subtitles(struct med_job *job, size_t first, const struct med_words *words,
                                       const struct med_cues *cues, struct cs_err *err) CS_MUST_USE;
enum cs_status med_job_cut_plan(struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                                int64_t duration_cs, struct med_cut_plan *ret_plan, struct cs_err *err) CS_MUST_USE;

/* The whole of a small file; reason is of the failure when it is not one. */
enum cs_status med_job_read_text(struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                                 const char *reason, int64_t bytes_max, struct cs_buf *out,
                                 struct cs_err *err) CS_MUST_USE;
/* Writes a text into output number `index` and reports it. */
enum cs_status med_job_write_text(struct med_job *job, size_t index, const struct cs_buf *text,
                                  Callsheet__V1__MediaType type, struct cs_err *err) CS_MUST_USE;
/* The same, for the caller to report. */
enum cs_status med_job_put_text(struct med_job *job, size_t index, const struct cs_buf *text,
                                Callsheet__V1__MediaType type, Callsheet__V1__MediaFacts **ret_facts,
                                struct cs_err *err) CS_MUST_USE;

#endif
