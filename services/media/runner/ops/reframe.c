/* A video in another shape. */
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "ops/fit_words.h"
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

enum { SIDE_MIN = 16, SIDE_MAX = 4096 };

struct reframe {
    struct med_clip clip;
    struct med_fit fit;
};

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct reframe *reframe = made->self;
    (void)err;
    *ret_video = med_clip_fitted(graph, &reframe->clip, &made->format, made->frames, &reframe->fit);
    return CS_OK;
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct reframe *reframe = made->self;
    (void)err;
    *ret_audio = med_clip_audio(graph, &reframe->clip, made->samples, 1);
    return CS_OK;
}

/* ---- parameters ---- */

static enum cs_status read_region(const Callsheet__V1__Reframe *params, struct reframe *reframe, struct cs_err *err) {
    const Callsheet__V1__CropRect *rect = params->rect;
    const struct med_video_facts *video = &reframe->clip.facts->video;
    if (rect == NULL) {
        return CS_OK;
    }
    if (rect->width < SIDE_MIN || rect->height < SIDE_MIN || (uint64_t)rect->x + rect->width > (uint64_t)video->width ||
        (uint64_t)rect->y + rect->height > (uint64_t)video->height) {
        return cs_fail_at(err, "rect", "out_of_range", "the rect leaves the picture, which is %dx%d", video->width,
                          video->height);
    }
    reframe->fit.region = (struct med_window){(int)rect->x, (int)rect->y, (int)rect->width, (int)rect->height};
    return CS_OK;
}

static bool is_side(uint32_t side) {
    return side >= SIDE_MIN && side <= SIDE_MAX && side % 2 == 0;
}

static enum cs_status read_size(const Callsheet__V1__Reframe *params, const struct reframe *reframe,
                                struct med_picture_format *format, struct cs_err *err) {
    uint32_t width = (uint32_t)reframe->fit.region.width & ~1U;
    uint32_t height = (uint32_t)reframe->fit.region.height & ~1U;
    if (params->width != NULL && params->height != NULL) {
        width = params->width->value;
        height = params->height->value;
        if (!is_side(width) || !is_side(height)) {
            return cs_fail_at(err, is_side(width) ? "height" : "width", "out_of_range",
                              "width and height are even, from %d to %d", SIDE_MIN, SIDE_MAX);
        }
    } else if ((params->rect == NULL || !cs_str_empty(params->aspect_ratio)) &&
               !cs_reframe_size(params->aspect_ratio, &width, &height)) {
        return cs_fail_at(err, "aspectRatio", "unknown_ratio", "this aspect ratio is unknown");
    }
    format->width = (int)width;
    format->height = (int)height;
    return CS_OK;
}

enum cs_status med_op_reframe(struct med_job *job, const Callsheet__V1__Reframe *params, struct med_made *ret_made,
                              struct cs_err *err) {
    struct reframe *reframe = cs_arena_alloc(job->arena, sizeof(*reframe));
    const char *mode = cs_str_empty(params->mode) ? "crop" : params->mode;
    CS_TRY(med_fit_read(mode, "mode", params->pad_color, &reframe->fit, err));
    CS_TRY(med_job_video_input(job, params->video, "video", &reframe->clip, err));
    struct med_made made = med_made_like(&reframe->clip);
    CS_TRY(read_region(params, reframe, err));
    CS_TRY(read_size(params, reframe, &made.format, err));
    reframe->fit.anchor = anchor_of(params->crop);
    made.self = reframe;
    made.picture = build_picture;
    made.sound = build_sound;
    *ret_made = made;
    return CS_OK;
}
