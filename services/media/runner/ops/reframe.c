/* A video in another shape. */
#include "bounds.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "ops/fit_words.h"
#include "ops/ops.h"
#include "ops/smart.h"
#include "ops/talk.h"

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
    struct med_path path; /* of mode smart */
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

/* ---- smart ---- */

static enum cs_status read_path(struct med_job *job, const Callsheet__V1__Reframe *params, const struct med_made *made,
                                struct reframe *reframe, struct cs_err *err) {
    CS_AUTO_BUF json = {0};
    struct med_path like = med_smart_like(&reframe->clip, made);
    CS_TRY(med_job_read_text(job, params->path, "path", "bad_reframe_path", MED_PATH_BYTES_MAX, &json, err));
    const char *text = json.data != NULL ? json.data : "";
    return med_path_read(text, json.size, &like, job->arena, &reframe->path, err) == CS_OK ? CS_OK
                                                                                           : cs_err_at(err, "path");
}

static void count_shots(struct med_job *job, const struct med_path *path) {
    size_t moving = 0;
    for (size_t i = 0; i < path->shot_count; i++) {
        moving += path->shots[i].camera != MED_CAMERA_STATIONARY;
    }
    med_job_add_metric(job, "shots", (double)path->shot_count);
    med_job_add_metric(job, "movingShots", (double)moving);
}

static enum cs_status write_path(const struct med_made *made, struct med_job *job, int fd, struct cs_err *err) {
    const struct reframe *reframe = made->self;
    CS_AUTO_BUF json = {0};
    (void)fd;
    med_path_write(&reframe->path, &json);
    return med_job_write_text(job, 1, &json, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_REFRAME_PATH, err);
}

static enum cs_status plan_smart(struct med_job *job, const Callsheet__V1__Reframe *params, struct med_made *made,
                                 struct reframe *reframe, struct cs_err *err) {
    if (params->rect != NULL) {
        return cs_fail_at(err, "rect", "one_of", "the mode smart looks at the whole picture; it has no rect");
    }
    CS_TRY(med_check_output(&made->format, made->frames, err));
    if (params->path == NULL) {
        made->divisible = false;
        if (med_job_is_survey(job)) {
            return CS_OK;
        }
    }
    CS_TRY(params->path != NULL ? read_path(job, params, made, reframe, err)
                                : med_smart_find(job, &reframe->clip, made, &reframe->path, err));
    count_shots(job, &reframe->path);
    reframe->fit.path = &reframe->path;
    made->finish = write_path;
    return CS_OK;
}

enum cs_status med_op_reframe(struct med_job *job, const Callsheet__V1__Reframe *params, struct med_made *ret_made,
                              struct cs_err *err) {
    struct reframe *reframe = cs_arena_alloc(job->arena, sizeof(*reframe));
    const char *mode = cs_str_empty(params->mode) ? "crop" : params->mode;
    bool smart = cs_str_eq(mode, "smart");
    CS_TRY(med_fit_read(smart ? "crop" : mode, "mode", params->pad_color, &reframe->fit, err));
    CS_TRY(med_job_video_input(job, params->video, "video", &reframe->clip, err));
    struct med_made made = med_made_like(&reframe->clip);
    CS_TRY(read_region(params, reframe, err));
    CS_TRY(read_size(params, reframe, &made.format, err));
    reframe->fit.anchor = anchor_of(params->crop);
    made.self = reframe;
    made.picture = build_picture;
    made.sound = build_sound;
    if (smart) {
        CS_TRY(plan_smart(job, params, &made, reframe, err));
    }
    *ret_made = made;
    return CS_OK;
}
