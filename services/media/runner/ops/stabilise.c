/* A video whose camera shakes less: looked at once to see how it moved, then moved back, picture by picture. */
#include <math.h>
#include <string.h>

#include "cs/base/text.h"
#include "graph/draft.h"
#include "graph/warp.h"
#include "ops/ops.h"
#include "steady/steady.h"

static const struct {
    const char *word;
    double smooth_s;
} strengths[] = {{"low", 0.15}, {"medium", 0.3}, {"high", 0.6}};

struct stabilise {
    struct med_clip clip;
    struct med_warp *warps;
    double zoom;
};

/* ---- how it moved ---- */

struct shaken {
    struct med_steady_step *steps; /* one per frame */
    int width;
    int height;
    uint8_t *now;
    uint8_t *before;
    int64_t last; /* frame of `before`; -1 none */
};

static int small_side(int side, int longer) {
    int small = longer <= MED_MOTION_SIDE_MAX ? side : (int)lround((double)side * MED_MOTION_SIDE_MAX / longer);
    return small < MED_MOTION_SIDE_MIN ? MED_MOTION_SIDE_MIN : small;
}

/* Frames that show the same picture did not move. */
static void compare(struct shaken *shaken, int64_t frame) {
    struct med_steady_step *step = &shaken->steps[frame];
    step->begins = shaken->last < 0 ||
                   !med_motion_between(shaken->before, shaken->now, shaken->width, shaken->height, &step->motion);
    memcpy(shaken->before, shaken->now, (size_t)shaken->width * (size_t)shaken->height);
    shaken->last = frame;
}

static enum cs_status look(struct med_job *job, const struct med_clip *clip, const struct med_made *made,
                           struct shaken *shaken, struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    CS_AUTO(med_draft) *draft = NULL;
    const struct med_draft_wish wish = {.format = made->format,
                                        .frames = made->frames,
                                        .width = shaken->width,
                                        .height = shaken->height,
                                        .every = true};
    int64_t frame = 0;
    CS_TRY(med_draft_open(graph, clip, &wish, &draft, err));
    while (frame >= 0) {
        CS_TRY(med_draft_next(draft, shaken->now, &frame, err));
        if (frame >= 0) {
            compare(shaken, frame);
        }
    }
    return CS_OK;
}

/* ---- how it is moved back ---- */

static void take_warps(const struct shaken *shaken, const struct med_made *made, struct stabilise *stabilise) {
    double across = (double)made->format.width / shaken->width;
    double down = (double)made->format.height / shaken->height;
    for (int64_t i = 0; i < made->frames; i++) {
        const struct med_motion *off = &shaken->steps[i].motion;
        stabilise->warps[i] = (struct med_warp){(float)(off->x * across), (float)(off->y * down), (float)off->angle};
    }
}

static enum cs_status plan(struct med_job *job, const struct med_made *made, double smooth_s,
                           struct stabilise *stabilise, struct cs_err *err) {
    int longer = made->format.width > made->format.height ? made->format.width : made->format.height;
    struct shaken shaken = {
        .width = small_side(made->format.width, longer), .height = small_side(made->format.height, longer), .last = -1};
    size_t size = (size_t)shaken.width * (size_t)shaken.height;
    CS_TRY(med_check_output(&made->format, made->frames, err));
    shaken.steps = cs_arena_array(job->arena, (size_t)made->frames, sizeof(*shaken.steps));
    stabilise->warps = cs_arena_array(job->arena, (size_t)made->frames, sizeof(*stabilise->warps));
    shaken.now = cs_arena_alloc(job->arena, size);
    shaken.before = cs_arena_alloc(job->arena, size);
    CS_TRY(look(job, &stabilise->clip, made, &shaken, err));
    stabilise->zoom = med_steady_plan(shaken.steps, (size_t)made->frames, shaken.width, shaken.height,
                                      smooth_s * av_q2d(made->format.rate));
    take_warps(&shaken, made, stabilise);
    med_job_add_metric(job, "zoom", stabilise->zoom);
    return CS_OK;
}

/* ---- the operation ---- */

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct stabilise *stabilise = made->self;
    struct med_video *picture =
        med_clip_video(graph, &stabilise->clip, &made->format, made->frames, MED_FIT_PAD, MED_ANCHOR_CENTER);
    (void)err;
    *ret_video = med_warp(graph, picture, stabilise->warps, stabilise->zoom);
    return CS_OK;
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct stabilise *stabilise = made->self;
    (void)err;
    *ret_audio = med_clip_audio(graph, &stabilise->clip, made->samples, 1);
    return CS_OK;
}

enum cs_status med_op_stabilise(struct med_job *job, const Callsheet__V1__Stabilise *params, struct med_made *ret_made,
                                struct cs_err *err) {
    struct stabilise *stabilise = cs_arena_alloc(job->arena, sizeof(*stabilise));
    const char *strength = cs_str_empty(params->strength) ? "medium" : params->strength;
    double smooth_s = 0;
    for (size_t i = 0; i < CS_COUNT(strengths); i++) {
        smooth_s = cs_str_eq(strengths[i].word, strength) ? strengths[i].smooth_s : smooth_s;
    }
    if (smooth_s == 0) {
        return cs_fail_at(err, "strength", "unknown_word", "strength is low, medium or high");
    }
    CS_TRY(med_job_video_input(job, params->video, "video", &stabilise->clip, err));
    struct med_made made = med_made_like(&stabilise->clip);
    made.divisible = false;
    if (!med_job_is_survey(job)) {
        CS_TRY(plan(job, &made, smooth_s, stabilise, err));
    }
    made.self = stabilise;
    made.picture = build_picture;
    made.sound = build_sound;
    *ret_made = made;
    return CS_OK;
}
