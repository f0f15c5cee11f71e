/* A video that stands still for a while: its time too, or only its picture. */
#include "cs/base/text.h"
#include "ops/arrange.h"

static const double duration_s_max = 3600;

enum cs_status med_op_freeze(struct med_job *job, const Callsheet__V1__Freeze *params, struct med_made *ret_made,
                             struct cs_err *err) {
    struct med_arrangement arrangement = {0};
    bool goes_on = cs_str_eq(params->sound, "continuing");
    CS_TRY(med_job_video_input(job, params->video, "video", &arrangement.clip, err));
    const struct med_made whole = med_made_like(&arrangement.clip);
    AVRational rate = whole.format.rate;
    double length = med_ticks_to_seconds(med_ticks_at_frame(whole.frames, rate));
    if (!goes_on && !cs_str_empty(params->sound) && !cs_str_eq(params->sound, "silent")) {
        return cs_fail_at(err, "sound", "unknown_word", "sound is silent or continuing");
    }
    if (!(params->at >= 0 && params->at <= length)) {
        return cs_fail_at(err, "at", "out_of_range", "the video lasts from 0 to %g seconds", length);
    }
    if (!(params->duration > 0 && params->duration <= duration_s_max)) {
        return cs_fail_at(err, "duration", "out_of_range", "a picture stands still for at most %g seconds",
                          duration_s_max);
    }
    int64_t at = med_frames_at(med_ticks_from_seconds(params->at), rate);
    int64_t frames = med_frames_at(med_ticks_from_seconds(params->duration), rate);
    at = at < whole.frames ? at : whole.frames - 1;
    frames = frames > 0 ? frames : 1;
    frames = goes_on && frames > whole.frames - at ? whole.frames - at : frames;
    int64_t back = goes_on ? at + frames : at;

    struct med_run *run = cs_arena_alloc(job->arena, sizeof(*run));
    run->stretches = cs_arena_array(job->arena, 3, sizeof(*run->stretches));
    med_run_add(run, (struct med_stretch){.source_frames = at, .frames = at});
    med_run_add(run, (struct med_stretch){.first = at,
                                          .source_frames = goes_on ? frames : 0,
                                          .frames = frames,
                                          .still = true,
                                          .sound = goes_on ? MED_SPAN_HEARD : MED_SPAN_MUTED});
    med_run_add(
        run, (struct med_stretch){.first = back, .source_frames = whole.frames - back, .frames = whole.frames - back});
    arrangement.runs = (struct med_runs){run, 1};
    return med_arrange(job, &arrangement, ret_made, err);
}
