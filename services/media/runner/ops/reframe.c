/* The largest window of the target ratio, placed by the anchor, scaled to the target size. */
#include "cs/catalog.h"
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

struct reframe {
    struct med_clip clip;
    enum med_anchor anchor;
};

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct reframe *reframe = made->self;
    (void)err;
    *ret_video = med_clip_video(graph, &reframe->clip, &made->format, made->frames, MED_FIT_CROP, reframe->anchor);
    return CS_OK;
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct reframe *reframe = made->self;
    (void)err;
    *ret_audio = med_clip_audio(graph, &reframe->clip, made->samples, 1);
    return CS_OK;
}

enum cs_status med_op_reframe(struct med_job *job, const Callsheet__V1__Reframe *params, struct med_made *ret_made,
                              struct cs_err *err) {
    struct reframe *reframe = cs_arena_alloc(job->arena, sizeof(*reframe));
    uint32_t width = 0;
    uint32_t height = 0;
    if (!cs_reframe_size(params->aspect_ratio, &width, &height)) {
        return cs_fail_at(err, "aspectRatio", "unknown_ratio", "this aspect ratio is unknown");
    }
    CS_TRY(med_job_video_input(job, params->video, "video", &reframe->clip, err));
    reframe->anchor = anchor_of(params->crop);
    *ret_made = med_made_like(&reframe->clip);
    ret_made->format.width = (int)width;
    ret_made->format.height = (int)height;
    ret_made->self = reframe;
    ret_made->picture = build_picture;
    ret_made->sound = build_sound;
    return CS_OK;
}
