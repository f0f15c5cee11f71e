/*
 * chunk: a long picture, made in chunks by as many processes as there are, and put together by one.
 *
 * A chunk begins with a key frame and refers to nothing outside of itself. Where chunks begin depends on the output
 * alone, so the whole is the same, byte for byte, whoever made them and in whatever order. Sound is made once, whole.
 */
#ifndef MED_OPS_CHUNK_H
#define MED_OPS_CHUNK_H

#include "ops/ops.h"

void med_chunk_survey(struct med_job *job, const struct med_made *made);
/* The frames of job->wire->chunk, as a file of its own. "bad_chunk" */
enum cs_status med_chunk_make(struct med_job *job, const struct med_made *made, int fd, struct cs_err *err) CS_MUST_USE;
/* The whole, of job->wire->chunks files at the end of the inputs. "bad_chunk" when they are not what was planned. */
enum cs_status med_chunk_join(struct med_job *job, const struct med_made *made, int fd, struct cs_err *err) CS_MUST_USE;

#endif
