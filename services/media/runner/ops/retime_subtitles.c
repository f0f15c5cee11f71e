/* A transcript or subtitles for the recording after a cut, behind an intro, or both: as JSON, SRT, WebVTT and ASS. */
#include <math.h>

#include "cs/base/text.h"
#include "edit/retime.h"
#include "graph/timeline.h"
#include "ops/frame_part.h"
#include "ops/number.h"
#include "ops/talk.h"

enum { RECORDING_CS_MAX = 24 * 3600 * 100 };

struct retiming {
    struct med_cut_plan plan;
    struct med_cut_clock clock;
    struct med_clip video; /* what the cut gave; without facts: it is not known */
};

/* As the video that the cut gave says, or else as the parameters do. */
static enum cs_status read_clock(struct med_job *job, const Callsheet__V1__RetimeSubtitles *params,
                                 struct retiming *retiming, struct cs_err *err) {
    struct med_cut_clock *clock = &retiming->clock;
    double overlap = 0;
    CS_TRY(med_number_read(params->transition_duration, 0, 0, 10, "transitionDuration", &overlap, err));
    *clock = (struct med_cut_clock){.rate = {100, 1}, .overlap_frames = llround(overlap * 100)};
    if (params->video == NULL) {
        return CS_OK;
    }
    CS_TRY(med_job_video_input(job, params->video, "video", &retiming->video, err));
    clock->rate = med_facts_output_rate(retiming->video.facts);
    return CS_OK;
}

/* Onto the timeline of what the cut gave. */
static enum cs_status follow_cut(struct med_job *job, const Callsheet__V1__RetimeSubtitles *params,
                                 struct retiming *retiming, struct med_words *words, struct cs_err *err) {
    struct med_words after = {0};
    if (params->plan == NULL) {
        return CS_OK;
    }
    CS_TRY(med_job_cut_plan(job, params->plan, "plan", RECORDING_CS_MAX, &retiming->plan, err));
    if (retiming->video.facts != NULL) {
        int64_t frames = med_length_of(retiming->video.facts, retiming->clock.rate).frames;
        CS_TRY(med_cut_overlap(&retiming->plan, retiming->clock.rate, frames, job->arena,
                               &retiming->clock.overlap_frames, err));
    }
    (void)med_retime(words, &retiming->plan, &retiming->clock, job->arena, &after);
    *words = after;
    return CS_OK;
}

/* Behind an intro, which shares its end with the video's begin as a Brand lays them. */
static enum cs_status follow_intro(struct med_job *job, const Callsheet__V1__RetimeSubtitles *params,
                                   const struct retiming *retiming, struct med_words *words, struct cs_err *err) {
    static const struct med_frame_part_names names = {"intro", "introDuration"};
    struct med_segment segments[2] = {0};
    struct med_clip intro;
    int64_t fade_frames = 0;
    if (params->intro == NULL) {
        return CS_OK;
    }
    if (retiming->video.facts == NULL) {
        return cs_fail_at(err, "video", "required", "an intro is in front of a video");
    }
    AVRational rate = med_format_of(retiming->video.facts).rate;
    CS_TRY(med_frame_part_read(job, params->intro, params->intro_duration, &names, &intro, &segments[0], err));
    CS_TRY(med_frame_fade_read(params->fade_duration, rate, &fade_frames, err));
    segments[1].length_ticks = retiming->video.facts->video.length_ticks;
    (void)med_timeline_lay(segments, 2, rate, fade_frames);
    int64_t later_cs = med_frames_at(med_ticks_at_frame(segments[1].start_frame, rate), (AVRational){100, 1});
    for (size_t i = 0; i < words->count; i++) {
        words->items[i].start_cs += later_cs;
        words->items[i].end_cs += later_cs;
    }
    return CS_OK;
}

enum cs_status med_op_retime_subtitles(struct med_job *job, const Callsheet__V1__RetimeSubtitles *params,
                                       struct cs_err *err) {
    struct med_subtitles said = {0};
    struct retiming retiming = {0};
    CS_AUTO_BUF json = {0};
    if (params->plan == NULL && params->intro == NULL) {
        return cs_fail_at(err, "plan", "required", "times change by a plan or an intro");
    }
    CS_TRY(med_job_subtitles(job, params->transcript, "transcript", true, &said, err));
    CS_TRY(read_clock(job, params, &retiming, err));
    CS_TRY(follow_cut(job, params, &retiming, &said.words, err));
    CS_TRY(follow_intro(job, params, &retiming, &said.words, err));
    struct med_cues cues = med_cues_of(&said.words, MED_CUES_ON_FRAMES, job->arena);
    const struct med_transcript_about about = {.language = cs_str_empty(params->language) ? "en" : params->language};
    med_transcript_write(&said.words, &cues, &about, &json);
    CS_TRY(med_job_write_text(job, 0, &json, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT, err));
    CS_TRY(med_job_write_subtitles(job, 1, &said.words, &cues, err));
    med_job_add_metric(job, "wordCount", (double)said.words.count);
    med_job_add_metric(job, "cueCount", (double)cues.count);
    return CS_OK;
}
