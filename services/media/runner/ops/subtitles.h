/*
 * subtitles: what burnt and soft ones share.
 */
#ifndef MED_OPS_SUBTITLES_H
#define MED_OPS_SUBTITLES_H

#include "ops/talk.h"

/* From the text, the words or the file of the parameters. apart: no two cues at the same time. */
enum cs_status med_subtitles_of(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                const struct med_clip *clip, bool apart, struct med_subtitles *ret_said,
                                struct cs_err *err) CS_MUST_USE;
/* The transcript and the files of subtitles behind the video. */
enum cs_status med_subtitles_write_files(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                         const struct med_words *words, struct cs_err *err) CS_MUST_USE;

#endif
