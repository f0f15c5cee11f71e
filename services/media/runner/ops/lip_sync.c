/* Replaces the sound of a video; ends with the shorter of the two. The lips are not touched. */
#include "graph/sink.h"
#include "ops/ops.h"

enum cs_status med_op_lip_sync(struct med_job *job, const Callsheet__V1__LipSync *params, struct cs_err *err) {
    struct med_clip video;
    struct med_clip audio;
    int fd = -1;
    CS_TRY(med_job_output_fd(job, &fd, err));
    CS_TRY(med_job_video_input(job, params->video, "video", &video, err));
    CS_TRY(med_job_input(job, params->audio, "audio", &audio, err));
    if (audio.facts->audio.stream < 0) {
        return cs_fail_at(err, "audio", "no_audio", "the input has no sound");
    }
    double volume = params->volume == NULL ? 1 : params->volume->value;
    if (!(volume >= 0 && volume <= 1)) {
        return cs_fail_at(err, "volume", "out_of_range", "a volume is 0 to 1");
    }
    struct med_picture_format format = med_format_of(video.facts);
    struct med_length length = med_length_of(video.facts, format.rate);
    int64_t sound_frames = med_frames_at(audio.facts->audio.length_ticks, format.rate);
    if (sound_frames < length.frames) {
        length.frames = sound_frames < 1 ? 1 : sound_frames;
        length.samples = med_samples_at_frame(length.frames, format.rate);
    }
    CS_TRY(med_check_output(&format, length.frames, err));

    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    struct med_video *picture = med_clip_video(graph, &video, &format, length.frames, MED_FIT_PAD, MED_ANCHOR_CENTER);
    struct med_audio *sound = med_clip_audio(graph, &audio, length.samples, volume);
    Callsheet__V1__MediaFacts *facts = NULL;
    CS_TRY(med_sink_run(graph, MED_MP4, picture, sound, fd, job->arena, &facts, err));
    med_job_add_output(job, facts);
    return CS_OK;
}
