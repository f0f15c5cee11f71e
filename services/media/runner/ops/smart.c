#include "ops/smart.h"

#include <math.h>
#include <string.h>

#include "graph/draft.h"
#include "reframe/camera.h"
#include "reframe/saliency.h"
#include "reframe/shots.h"

static const double sights_per_s = 6;
static const double flash_s = 0.2;

struct look {
    struct med_shots shots;
    struct med_saliency saliency;
    struct cs_buf sights; /* struct med_sight */
    uint8_t *now;
    uint8_t *before; /* the picture last looked at closely */
    bool fresh;      /* there is none of this shot */
    int64_t next;    /* frame to look at closely */
    double rate;
};

struct med_path med_smart_like(const struct med_clip *clip, const struct med_made *made) {
    int width = clip->facts->video.width;
    int height = clip->facts->video.height;
    struct med_window window =
        med_crop_window(width, height, (AVRational){1, 1}, made->format.width, made->format.height, MED_ANCHOR_CENTER);
    return (struct med_path){
        .width = width,
        .height = height,
        .window_width = window.width,
        .window_height = window.height,
        .rate_num = made->format.rate.num,
        .rate_den = made->format.rate.den,
        .frames = made->frames,
    };
}

/* ---- looking ---- */

static int small_side(int side, int longer) {
    int small = (int)lround((double)side * MED_MAP_SIDE_MAX / longer);
    return small < 8 ? 8 : small;
}

static void open_look(struct look *look, const struct med_path *path, struct cs_arena *arena) {
    int longer = path->width > path->height ? path->width : path->height;
    int width = small_side(path->width, longer);
    int height = small_side(path->height, longer);
    look->rate = (double)path->rate_num / path->rate_den;
    look->fresh = true;
    look->now = cs_arena_alloc(arena, (size_t)width * (size_t)height);
    look->before = cs_arena_alloc(arena, (size_t)width * (size_t)height);
    med_shots_init(&look->shots, width, height, (int64_t)ceil(flash_s * look->rate));
    look->saliency.width = width;
    look->saliency.height = height;
    look->saliency.down = path->window_height < path->height;
    look->saliency.share =
        look->saliency.down ? (double)path->window_height / path->height : (double)path->window_width / path->width;
}

static void look_at(struct look *look, int64_t frame) {
    bool cut = med_shots_look(&look->shots, look->now, frame);
    if (!cut && frame < look->next) {
        return;
    }
    look->fresh = look->fresh || cut;
    struct med_sight sight = med_saliency_look(&look->saliency, look->now, look->fresh ? NULL : look->before, frame);
    cs_buf_put(&look->sights, &sight, sizeof(sight));
    memcpy(look->before, look->now, (size_t)look->saliency.width * (size_t)look->saliency.height);
    look->fresh = false;
    look->next = frame + (int64_t)ceil(look->rate / sights_per_s);
}

static struct med_draft_wish wish_of(const struct look *look, const struct med_clip *clip,
                                     const struct med_made *made) {
    return (struct med_draft_wish){
        .format = med_format_of(clip->facts),
        .frames = made->frames,
        .width = look->saliency.width,
        .height = look->saliency.height,
    };
}

static enum cs_status look_through(struct look *look, struct med_job *job, const struct med_clip *clip,
                                   const struct med_made *made, struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    CS_AUTO(med_draft) *draft = NULL;
    const struct med_draft_wish wish = wish_of(look, clip, made);
    int64_t frame = 0;
    CS_TRY(med_draft_open(graph, clip, &wish, &draft, err));
    while (frame >= 0) {
        CS_TRY(med_draft_next(draft, look->now, &frame, err));
        if (frame >= 0) {
            look_at(look, frame);
        }
    }
    return CS_OK;
}

/* ---- cuts, to the frame ---- */

/* Pictures between were left out: the cut is where the greatest change is. */
static enum cs_status find_frame(struct look *look, struct med_job *job, const struct med_clip *clip,
                                 const struct med_made *made, struct med_cut *cut, struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    CS_AUTO(med_draft) *draft = NULL;
    struct med_draft_wish wish = wish_of(look, clip, made);
    size_t size = (size_t)wish.width * (size_t)wish.height;
    double most = -1;
    int64_t frame = 0;
    wish.from = cut->before;
    wish.frames = cut->at + 1;
    wish.every = true;
    CS_TRY(med_draft_open(graph, clip, &wish, &draft, err));
    for (bool first = true; frame >= 0; first = false) {
        CS_TRY(med_draft_next(draft, look->now, &frame, err));
        double change = first || frame < 0 ? -1 : med_shots_difference(look->before, look->now, size);
        if (change > most) {
            most = change;
            cut->at = frame;
        }
        memcpy(look->before, look->now, size);
    }
    return CS_OK;
}

static enum cs_status find_frames(struct look *look, struct med_job *job, const struct med_clip *clip,
                                  const struct med_made *made, struct med_cut *cuts, size_t count, struct cs_err *err) {
    for (size_t i = 0; i < count; i++) {
        if (cuts[i].before >= 0 && cuts[i].at - cuts[i].before > 1) {
            CS_TRY(find_frame(look, job, clip, made, &cuts[i], err));
        }
    }
    return CS_OK;
}

static enum cs_status find(struct look *look, struct med_job *job, const struct med_clip *clip,
                           const struct med_made *made, struct med_path *path, struct cs_err *err) {
    size_t count = 0;
    CS_TRY(look_through(look, job, clip, made, err));
    const struct med_cut *seen = med_shots_end(&look->shots, &count);
    struct med_cut *cuts = cs_arena_copy(job->arena, seen, count * sizeof(*seen));
    CS_TRY(find_frames(look, job, clip, made, cuts, count, err));
    const struct med_sight *sights = (const struct med_sight *)(const void *)look->sights.data;
    med_camera_shoot(path, sights, look->sights.size / sizeof(*sights), cuts, count, job->arena);
    return CS_OK;
}

enum cs_status med_smart_find(struct med_job *job, const struct med_clip *clip, const struct med_made *made,
                              struct med_path *ret_path, struct cs_err *err) {
    struct look look = {0};
    struct med_path path = med_smart_like(clip, made);
    open_look(&look, &path, job->arena);
    enum cs_status status = find(&look, job, clip, made, &path, err);
    med_shots_fini(&look.shots);
    cs_buf_fini(&look.sights);
    if (status == CS_OK) {
        *ret_path = path;
    }
    return status;
}
