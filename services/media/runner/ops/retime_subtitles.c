/* A transcript or subtitles for the recording after a cut: as JSON, SRT, WebVTT and ASS. */
#include <math.h>

#include "cs/base/text.h"
#include "edit/retime.h"
#include "ops/talk.h"

enum { RECORDING_CS_MAX = 24 * 3600 * 100 };

/* As the video that the cut gave says, or else as the parameters do. */
static enum cs_status read_clock(struct med_job *job, const Callsheet__V1__RetimeSubtitles *params,
                                 const struct med_cut_plan *plan, struct med_cut_clock *ret_clock, struct cs_err *err) {
    double overlap = params->transition_duration != NULL ? params->transition_duration->value : 0;
    if (!(overlap >= 0 && overlap <= 10)) {
        return cs_fail_at(err, "transitionDuration", "out_of_range", "a transition lasts at most 10 seconds");
    }
    *ret_clock = (struct med_cut_clock){.rate = {100, 1}, .overlap_frames = llround(overlap * 100)};
    if (params->video == NULL) {
        return CS_OK;
    }
    struct med_clip clip;
    CS_TRY(med_job_video_input(job, params->video, "video", &clip, err));
    ret_clock->rate = med_facts_output_rate(clip.facts);
    int64_t frames = med_length_of(clip.facts, ret_clock->rate).frames;
    return med_cut_overlap(plan, ret_clock->rate, frames, job->arena, &ret_clock->overlap_frames, err);
}

enum cs_status med_op_retime_subtitles(struct med_job *job, const Callsheet__V1__RetimeSubtitles *params,
                                       struct cs_err *err) {
    struct med_subtitles said = {0};
    struct med_words after = {0};
    struct med_cut_plan plan = {0};
    CS_AUTO_BUF json = {0};
    struct med_cut_clock clock;
    CS_TRY(med_job_subtitles(job, params->transcript, "transcript", true, &said, err));
    CS_TRY(med_job_cut_plan(job, params->plan, "plan", RECORDING_CS_MAX, &plan, err));
    CS_TRY(read_clock(job, params, &plan, &clock, err));
    (void)med_retime(&said.words, &plan, &clock, job->arena, &after);
    struct med_cues cues = med_cues_of(&after, MED_CUES_ON_FRAMES, job->arena);
    const struct med_transcript_about about = {.language = cs_str_empty(params->language) ? "en" : params->language};
    med_transcript_write(&after, &cues, &about, &json);
    CS_TRY(med_job_write_text(job, 0, &json, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT, err));
    CS_TRY(med_job_write_subtitles(job, 1, &after, &cues, err));
    med_job_add_metric(job, "wordCount", (double)after.count);
    med_job_add_metric(job, "cueCount", (double)cues.count);
    return CS_OK;
}
