/* Replaces the sound of a video; ends with the shorter of the two. The lips are not touched. */
#include "ops/ops.h"

struct lip_sync {
    struct med_clip video;
    struct med_clip audio;
    double volume;
};

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct lip_sync *sync = made->self;
    (void)err;
    *ret_video = med_clip_video(graph, &sync->video, &made->format, made->frames, MED_FIT_PAD, MED_ANCHOR_CENTER);
    return CS_OK;
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct lip_sync *sync = made->self;
    (void)err;
    *ret_audio = med_clip_audio(graph, &sync->audio, made->samples, sync->volume);
    return CS_OK;
}

enum cs_status med_op_lip_sync(struct med_job *job, const Callsheet__V1__LipSync *params, struct med_made *ret_made,
                               struct cs_err *err) {
    struct lip_sync *sync = cs_arena_alloc(job->arena, sizeof(*sync));
    CS_TRY(med_job_video_input(job, params->video, "video", &sync->video, err));
    CS_TRY(med_job_input(job, params->audio, "audio", &sync->audio, err));
    if (sync->audio.facts->audio.stream < 0) {
        return cs_fail_at(err, "audio", "no_audio", "the input has no sound");
    }
    sync->volume = params->volume == NULL ? 1 : params->volume->value;
    if (!(sync->volume >= 0 && sync->volume <= 1)) {
        return cs_fail_at(err, "volume", "out_of_range", "a volume is 0 to 1");
    }
    struct med_made made = med_made_like(&sync->video);
    int64_t sound_frames = med_frames_at(sync->audio.facts->audio.length_ticks, made.format.rate);
    if (sound_frames < made.frames) {
        made.frames = sound_frames < 1 ? 1 : sound_frames;
    }
    made.samples = med_samples_at_frame(made.frames, made.format.rate);
    made.self = sync;
    made.picture = build_picture;
    made.sound = build_sound;
    *ret_made = made;
    return CS_OK;
}
