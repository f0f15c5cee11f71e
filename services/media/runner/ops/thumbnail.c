/* Pictures of a video: one at a time, the best one, many on a sheet, or as a storyboard that players show. */
#include <assert.h>
#include <math.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "graph/av.h"
#include "graph/keyframe.h"
#include "graph/pick.h"
#include "graph/still.h"
#include "graph/tiles.h"
#include "ops/talk.h"

enum {
    TILES_PER_SIDE = 5,
    TILES_MAX = 400,
    TILE_WIDTH = 320,
    CANDIDATES = 16,
    CANDIDATE_WIDTH = 160,
};

/* ---- where ---- */

struct moment_picker {
    struct med_clip clip;
    struct med_picture_format format;
    int64_t frames;
};

static struct med_video *picture_at(struct med_graph *graph, const struct moment_picker *from, int64_t frame,
                                    int64_t frames) {
    struct med_clip clip = from->clip;
    frame = frame < 0 ? 0 : frame + frames > from->frames ? from->frames - frames : frame;
    frame = frame < 0 ? 0 : frame;
    clip.from_ticks = med_ticks_at_frame(frame, from->format.rate);
    return med_clip_video(graph, &clip, &from->format, frames, MED_FIT_CROP, MED_ANCHOR_CENTER);
}

static struct med_video *key_at(struct med_graph *graph, const struct moment_picker *from, int64_t frame) {
    struct med_clip clip = from->clip;
    clip.from_ticks = med_ticks_at_frame(frame, from->format.rate);
    return med_keyframe(graph, &clip, &from->format, MED_FIT_CROP, MED_ANCHOR_CENTER);
}

/* The middle of part i of `count` equal ones. */
static int64_t frame_of_part(const struct moment_picker *from, size_t i, size_t count) {
    return from->frames * (2 * (int64_t)i + 1) / (2 * (int64_t)count);
}

/* ---- the best one ---- */

/* Many edges and not dark; what moves a lot by the next frame is blurred or between two shots. */
static double score(const AVFrame *frame, const AVFrame *next) {
    double edges = 0;
    double moved = 0;
    double light = 0;
    for (int y = 0; y + 1 < frame->height; y++) {
        const uint8_t *row = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        const uint8_t *below = row + frame->linesize[0];
        const uint8_t *later = next->data[0] + (ptrdiff_t)y * next->linesize[0];
        for (int x = 0; x + 1 < frame->width; x++) {
            edges += abs(row[x] - row[x + 1]) + abs(row[x] - below[x]);
            moved += abs(row[x] - later[x]);
            light += row[x];
        }
    }
    double pixels = (double)(frame->width - 1) * (frame->height - 1);
    double darkness = fmax(0, 40 - light / pixels) / 24;
    return edges / pixels - moved / pixels - 20 * darkness;
}

static enum cs_status score_at(const struct med_job *job, const struct moment_picker *from, int64_t frame,
                               double *ret_score, struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, NULL);
    MED_AUTO_FRAME *first = NULL;
    MED_AUTO_FRAME *second = NULL;
    struct med_video *pair = picture_at(graph, from, frame, from->frames > 1 ? 2 : 1);
    CS_TRY(pair->pull(pair, &first, err));
    if (pair->frames > 1) {
        CS_TRY(pair->pull(pair, &second, err));
    }
    *ret_score = score(first, second != NULL ? second : first);
    return CS_OK;
}

static enum cs_status find_best(const struct med_job *job, const struct moment_picker *from, int64_t *ret_frame,
                                struct cs_err *err) {
    struct moment_picker small = *from;
    double best = -HUGE_VAL;
    small.format = med_format_within(small.format, CANDIDATE_WIDTH, CANDIDATE_WIDTH);
    for (size_t i = 0; i < CANDIDATES; i++) {
        double found = 0;
        CS_TRY(score_at(job, &small, frame_of_part(from, i, CANDIDATES), &found, err));
        if (found > best) {
            best = found;
            *ret_frame = frame_of_part(from, i, CANDIDATES);
        }
    }
    return CS_OK;
}

/* ---- sheets ---- */

static enum cs_status read_grid(const Callsheet__V1__Thumbnail *params, size_t *ret_columns, size_t *ret_count,
                                struct cs_err *err) {
    size_t columns = params->columns != NULL ? params->columns->value : TILES_PER_SIDE;
    size_t rows = params->rows != NULL ? params->rows->value : TILES_PER_SIDE;
    if (columns < 1 || rows < 1 || columns > TILES_MAX || rows > TILES_MAX || columns * rows > TILES_MAX) {
        return cs_fail_at(err, "columns", "out_of_range", "a sheet has 1 to %d pictures", TILES_MAX);
    }
    *ret_columns = columns;
    *ret_count = columns * rows;
    return CS_OK;
}

static void put_time(struct cs_buf *out, double seconds) {
    int64_t ms = llround(seconds * 1000);
    cs_buf_printf(out, "%02lld:%02lld:%02lld.%03lld", (long long)(ms / 3600000), (long long)(ms / 60000 % 60),
                  (long long)(ms / 1000 % 60), (long long)(ms % 1000));
}

/* Which part of the picture is shown when. */
static enum cs_status write_storyboard(struct med_job *job, const struct moment_picker *from, size_t columns,
                                       size_t count, struct cs_err *err) {
    CS_AUTO_BUF vtt = {0};
    double length = med_ticks_to_seconds(med_ticks_at_frame(from->frames, from->format.rate));
    cs_buf_puts(&vtt, "WEBVTT\n");
    for (size_t i = 0; i < count; i++) {
        cs_buf_puts(&vtt, "\n");
        put_time(&vtt, length * (double)i / (double)count);
        cs_buf_puts(&vtt, " --> ");
        put_time(&vtt, length * (double)(i + 1) / (double)count);
        cs_buf_printf(&vtt, "\n%s#xywh=%zu,%zu,%d,%d\n", job->wire->outputs[0],
                      i % columns * (size_t)from->format.width, i / columns * (size_t)from->format.height,
                      from->format.width, from->format.height);
    }
    return med_job_write_text(job, 1, &vtt, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED, err);
}

/* How the tiles of a sheet are had: a key frame each where those are near enough that it is of the tile's own stretch
 * of time; else exactly, each by itself, or when that would decode more than there is, in one go. */
static void tiles_of(struct med_job *job, struct med_graph *graph, const struct moment_picker *from, size_t count,
                     struct med_video **pads) {
    int64_t reach_ticks = med_keyframe_reach(&from->clip);
    int64_t reach = med_frames_at(reach_ticks, from->format.rate);
    int64_t *frames = cs_arena_array(job->arena, count, sizeof(*frames));
    for (size_t i = 0; i < count; i++) {
        frames[i] = frame_of_part(from, i, count);
    }
    if (reach == 0 || (int64_t)count > from->frames || (int64_t)count * reach / 2 <= from->frames) {
        bool near = reach > 0 && 2 * reach * (int64_t)count <= from->frames;
        for (size_t i = 0; i < count; i++) {
            pads[i] = near ? key_at(graph, from, frames[i]) : picture_at(graph, from, frames[i], 1);
        }
        return;
    }
    med_pick(graph, picture_at(graph, from, 0, from->frames), frames, count, pads);
}

static struct med_video *sheet(struct med_job *job, struct med_graph *graph, const struct moment_picker *from,
                               size_t columns, size_t count) {
    struct med_video **pads = cs_arena_array(job->arena, count, sizeof(void *));
    tiles_of(job, graph, from, count, pads);
    return med_tiles(graph, pads, count, (int)columns);
}

/* ---- the operation ---- */

static enum med_still_format format_of(const char *word) {
    return cs_str_eq(word, "png") ? MED_PNG : cs_str_eq(word, "webp") ? MED_WEBP : MED_JPG;
}

static enum cs_status write_picture(struct med_job *job, const Callsheet__V1__Thumbnail *params,
                                    struct med_graph *graph, struct med_video *picture, struct cs_err *err) {
    Callsheet__V1__MediaFacts *facts = NULL;
    int fd = -1;
    CS_TRY(med_job_output_fd(job, &fd, err));
    CS_TRY(med_check_output(&picture->format, 1, err));
    CS_TRY(med_still_write(graph, picture, format_of(params->format), fd, job->arena, &facts, err));
    med_job_add_output(job, facts);
    return CS_OK;
}

static enum cs_status one_picture(struct med_job *job, const Callsheet__V1__Thumbnail *params,
                                  const struct moment_picker *from, struct cs_err *err) {
    double length = med_ticks_to_seconds(med_ticks_at_frame(from->frames, from->format.rate));
    double seconds = 0;
    if (!cs_moment_read(params->time, length, &seconds)) {
        return cs_fail_at(err, "time", "bad_time", "a time is seconds, h:mm:ss or a percentage");
    }
    int64_t frame = med_frames_at(med_ticks_from_seconds(fmin(seconds, length)), from->format.rate);
    if (cs_str_eq(params->mode, "best")) {
        CS_TRY(find_best(job, from, &frame, err));
    }
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    CS_TRY(write_picture(job, params, graph, picture_at(graph, from, frame, 1), err));
    med_job_add_metric(job, "time",
                       (double)(frame < from->frames ? frame : from->frames - 1) / av_q2d(from->format.rate));
    return CS_OK;
}

enum cs_status med_op_thumbnail(struct med_job *job, const Callsheet__V1__Thumbnail *params, struct cs_err *err) {
    bool sprite = cs_str_eq(params->mode, "sprite");
    bool tiled = sprite || cs_str_eq(params->mode, "contactSheet");
    struct moment_picker from;
    size_t columns = 0;
    size_t count = 0;
    CS_TRY(med_job_video_input(job, params->video, "video", &from.clip, err));
    struct med_made like = med_made_like(&from.clip);
    int width = params->width != NULL ? (int)params->width->value : tiled ? TILE_WIDTH : 0;
    from.frames = like.frames;
    from.format = med_format_within(like.format, width, params->height != NULL ? (int)params->height->value : 0);
    if (!tiled) {
        return one_picture(job, params, &from, err);
    }
    CS_TRY(read_grid(params, &columns, &count, err));
    assert(columns > 0);
    struct med_picture_format whole = from.format;
    whole.width *= (int)columns;
    whole.height *= (int)(count / columns);
    CS_TRY(med_check_output(&whole, 1, err));
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    CS_TRY(write_picture(job, params, graph, sheet(job, graph, &from, columns, count), err));
    return sprite ? write_storyboard(job, &from, columns, count, err) : CS_OK;
}
