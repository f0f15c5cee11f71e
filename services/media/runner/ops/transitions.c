/* Transitions between the spans of a recording that a plan keeps, or between videos: each takes exactly its length. */
#include "cs/base/text.h"
#include "ops/arrange.h"
#include "ops/fit_words.h"
#include "ops/sequence.h"
#include "ops/talk.h"

static const double transition_duration_s = 0.3;

/* "fade" unless something else is asked for. */
static enum cs_status read_joining(const Callsheet__V1__Transitions *params, AVRational rate,
                                   struct med_joining *ret_joining, struct cs_err *err) {
    Callsheet__V1__Transition own = CALLSHEET__V1__TRANSITION__INIT;
    if (params->transition != NULL) {
        own = *params->transition;
    }
    own.type = (char *)(uintptr_t)(cs_str_empty(own.type) ? "fade" : own.type);
    return med_joining_read(&own, transition_duration_s, rate, ret_joining, err);
}

/* How long sounds are cross-faded: as the pictures, or less. */
static enum cs_status read_fade(const Callsheet__V1__Transitions *params, const struct med_joining *joining,
                                AVRational rate, int64_t *ret_samples, struct cs_err *err) {
    const Google__Protobuf__DoubleValue *fade = params->audio_fade_duration;
    int64_t samples =
        fade == NULL ? 0 : med_frames_at(med_ticks_from_seconds(fade->value), (AVRational){MED_SAMPLE_RATE, 1});
    if (fade != NULL && !(fade->value > 0 && samples <= med_samples_at_frame(joining->frames + 1, rate))) {
        return cs_fail_at(err, "audioFadeDuration", "out_of_range", "sound is cross-faded within its transition");
    }
    *ret_samples = fade != NULL && samples < 1 ? 1 : samples;
    return CS_OK;
}

static enum cs_status join_spans(struct med_job *job, const Callsheet__V1__Transitions *params,
                                 struct med_made *ret_made, struct cs_err *err) {
    struct med_arrangement arrangement = {0};
    struct med_cut_plan plan = {0};
    if (params->n_items != 1) {
        return cs_fail_at(err, "items", "one_of", "a plan is of one video");
    }
    CS_TRY(med_job_video_input(job, params->items[0]->media, "items[0].media", &arrangement.clip, err));
    AVRational rate = med_format_of(arrangement.clip.facts).rate;
    int64_t duration_cs = av_rescale(arrangement.clip.facts->video.length_ticks, 100, MED_TICKS_PER_S);
    CS_TRY(med_job_cut_plan(job, params->plan, "plan", duration_cs, &plan, err));
    arrangement.runs = med_runs_of_plan(&plan, rate, job->arena);
    if (arrangement.runs.count == 0) {
        return cs_fail_at(err, "plan", "bad_cut_plan", "nothing of the video stays");
    }
    CS_TRY(read_joining(params, rate, &arrangement.joining, err));
    CS_TRY(read_fade(params, &arrangement.joining, rate, &arrangement.audio_fade_samples, err));
    med_job_add_metric(job, "transitionCount", (double)(arrangement.runs.count - 1));
    return med_arrange(job, &arrangement, ret_made, err);
}

static enum cs_status join_videos(struct med_job *job, const Callsheet__V1__Transitions *params,
                                  struct med_made *ret_made, struct cs_err *err) {
    struct med_sequence sequence = {.visual_count = params->n_items, .exact = true};
    sequence.visuals = cs_arena_array(job->arena, params->n_items, sizeof(*sequence.visuals));
    for (size_t i = 0; i < params->n_items; i++) {
        const char *path = cs_arena_sprintf(job->arena, "items[%zu].media", i);
        sequence.visuals[i].volume = 1;
        CS_TRY(med_job_video_input(job, params->items[i]->media, path, &sequence.visuals[i].clip, err));
    }
    CS_TRY(med_sequence_format(&sequence, "", "", err));
    CS_TRY(med_fit_read("pad", "fit", "", &sequence.fit, err));
    CS_TRY(read_joining(params, sequence.format.rate, &sequence.joining, err));
    CS_TRY(read_fade(params, &sequence.joining, sequence.format.rate, &sequence.audio_fade_samples, err));
    med_job_add_metric(job, "transitionCount", (double)(params->n_items - 1));
    return med_sequence_make(job, &sequence, ret_made, err);
}

enum cs_status med_op_transitions(struct med_job *job, const Callsheet__V1__Transitions *params,
                                  struct med_made *ret_made, struct cs_err *err) {
    if (params->n_items == 0) {
        return cs_fail_at(err, "items", "required", "at least one video is needed");
    }
    return params->plan != NULL ? join_spans(job, params, ret_made, err) : join_videos(job, params, ret_made, err);
}
