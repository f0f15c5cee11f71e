/* The largest window of the target ratio, placed by the anchor, scaled to the target size. */
#include "cs/catalog.h"
#include "graph/sink.h"
#include "ops/ops.h"

static enum med_anchor anchor_of(Callsheet__V1__CropAnchor crop) {
    switch (crop) {
    case CALLSHEET__V1__CROP_ANCHOR__CROP_ANCHOR_TOP:
        return MED_ANCHOR_TOP;
    case CALLSHEET__V1__CROP_ANCHOR__CROP_ANCHOR_BOTTOM:
        return MED_ANCHOR_BOTTOM;
    case CALLSHEET__V1__CROP_ANCHOR__CROP_ANCHOR_LEFT:
        return MED_ANCHOR_LEFT;
    case CALLSHEET__V1__CROP_ANCHOR__CROP_ANCHOR_RIGHT:
        return MED_ANCHOR_RIGHT;
    default:
        return MED_ANCHOR_CENTER;
    }
}

enum cs_status med_op_reframe(struct med_job *job, const Callsheet__V1__Reframe *params, struct cs_err *err) {
    struct med_clip clip;
    uint32_t width = 0;
    uint32_t height = 0;
    int fd = -1;
    CS_TRY(med_job_output_fd(job, &fd, err));
    if (!cs_reframe_size(params->aspect_ratio, &width, &height)) {
        return cs_fail_at(err, "aspectRatio", "unknown_ratio", "this aspect ratio is unknown");
    }
    CS_TRY(med_job_video_input(job, params->video, "video", &clip, err));
    struct med_picture_format format = med_format_of(clip.facts);
    format.width = (int)width;
    format.height = (int)height;
    struct med_length length = med_length_of(clip.facts, format.rate);
    CS_TRY(med_check_output(&format, length.frames, err));

    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    struct med_video *picture =
        med_clip_video(graph, &clip, &format, length.frames, MED_FIT_CROP, anchor_of(params->crop));
    struct med_audio *sound = clip.facts->audio.stream < 0 ? NULL : med_clip_audio(graph, &clip, length.samples, 1);
    Callsheet__V1__MediaFacts *facts = NULL;
    CS_TRY(med_sink_run(graph, MED_MP4, picture, sound, fd, job->arena, &facts, err));
    med_job_add_output(job, facts);
    return CS_OK;
}
