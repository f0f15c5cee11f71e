/* A video faster or slower, whole or a part of it. */
#include <math.h>

#include "ops/arrange.h"

enum { THOUSANDTHS = 1000, SPEED_MIN = 100, SPEED_MAX = 10000 };

/* The time as a frame of the video. */
static enum cs_status read_frame(const Google__Protobuf__DoubleValue *seconds, int64_t absent, const char *path,
                                 const struct med_made *video, int64_t *ret_frame, struct cs_err *err) {
    int64_t frame = absent;
    if (seconds != NULL) {
        double length = med_ticks_to_seconds(med_ticks_at_frame(video->frames, video->format.rate));
        if (!(seconds->value >= 0)) {
            return cs_fail_at(err, path, "out_of_range", "%s is a time of the video, in seconds", path);
        }
        frame = med_frames_at(med_ticks_from_seconds(fmin(seconds->value, length)), video->format.rate);
    }
    *ret_frame = frame;
    return CS_OK;
}

enum cs_status med_op_speed(struct med_job *job, const Callsheet__V1__Speed *params, struct med_made *ret_made,
                            struct cs_err *err) {
    struct med_arrangement arrangement = {0};
    int64_t from = 0;
    int64_t until = 0;
    CS_TRY(med_job_video_input(job, params->video, "video", &arrangement.clip, err));
    const struct med_made whole = med_made_like(&arrangement.clip);
    if (!(params->factor * THOUSANDTHS >= SPEED_MIN && params->factor * THOUSANDTHS <= SPEED_MAX)) {
        return cs_fail_at(err, "factor", "out_of_range", "factor must be 0.1 to 10");
    }
    CS_TRY(read_frame(params->start, 0, "start", &whole, &from, err));
    CS_TRY(read_frame(params->end, whole.frames, "end", &whole, &until, err));
    if (until <= from) {
        return cs_fail_at(err, params->end != NULL ? "end" : "start", "empty_range",
                          "the part of the video from start to end has no frame");
    }
    int64_t frames = av_rescale(until - from, THOUSANDTHS, llround(params->factor * THOUSANDTHS));
    struct med_run *run = cs_arena_alloc(job->arena, sizeof(*run));
    run->stretches = cs_arena_array(job->arena, 3, sizeof(*run->stretches));
    med_run_add(run, (struct med_stretch){.source_frames = from, .frames = from});
    med_run_add(run,
                (struct med_stretch){.first = from, .source_frames = until - from, .frames = frames > 0 ? frames : 1});
    med_run_add(run, (struct med_stretch){
                         .first = until, .source_frames = whole.frames - until, .frames = whole.frames - until});
    arrangement.runs = (struct med_runs){run, 1};
    arrangement.tape = params->keep_pitch != NULL && !params->keep_pitch->value;
    return med_arrange(job, &arrangement, ret_made, err);
}
