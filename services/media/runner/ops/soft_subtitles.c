/* Subtitles as a text track beside picture and sound, which are copied as they are. */
#include <math.h>

#include "cs/base/text.h"
#include "graph/quality.h"
#include "graph/text_track.h"
#include "ops/subtitles.h"

/* The copy is as long as what it was made from. */
static enum cs_status verify(const struct med_facts *before, const struct med_facts *after, struct cs_err *err) {
    if (after->video.frames != before->video.frames || after->video.codec != before->video.codec) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output has %lld of %lld pictures",
                       (long long)after->video.frames, (long long)before->video.frames);
    }
    if ((after->audio.stream < 0) != (before->audio.stream < 0)) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output has lost its sound");
    }
    return CS_OK;
}

enum cs_status med_op_soft_subtitles(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                     struct cs_err *err) {
    struct med_clip clip;
    struct med_subtitles said = {0};
    struct med_facts facts;
    struct med_text_track track = {0};
    char language[4];
    int tracks = 0;
    int fd = -1;
    CS_TRY(med_job_output_fd(job, &fd, err));
    CS_TRY(med_job_video_input(job, params->video, "video", &clip, err));
    CS_TRY(med_subtitles_of(job, params, &clip, true, &said, err));
    struct med_cues cues = med_cues_of(&said.words, MED_CUES_AS_SAID, job->arena);
    int64_t length_ms = med_ticks_to_us(clip.facts->video.length_ticks) / 1000;
    track.text = med_timed_text_of(&said.words, &cues, length_ms, job->arena);
    med_language_code(cs_str_empty(params->language) ? "en" : params->language, language);
    track.language = language;
    int64_t bytes_max = job->wire->limits != NULL ? (int64_t)job->wire->limits->output_bytes : 0;
    CS_TRY(med_text_track_add(&clip, &track, fd, bytes_max > 0 ? bytes_max : INT64_MAX, job->events, &tracks, err));
    if (med_facts_read(fd, &facts, err) != CS_OK) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output cannot be read back");
    }
    CS_TRY(verify(clip.facts, &facts, err));
    Callsheet__V1__MediaFacts *wire = NULL;
    med_facts_to_wire(&facts, job->arena, &wire);
    med_job_add_output(job, wire);
    med_job_add_quality(job, med_quality_of_copy(fd, clip.facts, &facts, job->arena));
    med_job_add_metric(job, "wordCount", (double)said.words.count);
    med_job_add_metric(job, "cueCount", (double)track.text.cues);
    med_job_add_metric(job, "textTracks", tracks);
    return params->subtitle_files ? med_subtitles_write_files(job, params, &said.words, err) : CS_OK;
}
