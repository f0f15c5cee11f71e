/* A stretch of a video as a picture that moves by itself. */
#include "cs/base/text.h"
#include "graph/animation.h"
#include "graph/av.h"
#include "ops/number.h"
#include "ops/ops.h"

enum { WIDTH = 480, WIDTH_MAX = 1280, FRAMES_MAX = 1000, COLORS = 256, FPS_SCALE = 1000 };

static const double duration_default_s = 10;
static const double duration_max_s = 60;
static const double fps_default = 12;
static const double fps_max = 50;

struct gif {
    struct med_clip clip;
    struct med_picture_format format;
    int64_t frames;
};

static enum cs_status read_stretch(const Callsheet__V1__Gif *params, struct gif *gif, struct cs_err *err) {
    double length = med_ticks_to_seconds(gif->clip.facts->video.length_ticks);
    double start = med_number_or(params->start, 0);
    double duration = med_number_or(params->duration, duration_default_s);
    double fps = med_number_or(params->fps, fps_default);
    if (!(start >= 0 && start < length)) {
        return cs_fail_at(err, "start", "out_of_range", "the video is over before the start");
    }
    if (!(duration > 0 && duration <= duration_max_s)) {
        return cs_fail_at(err, "duration", "out_of_range", "a duration is 0.1 to %g seconds", duration_max_s);
    }
    if (!(fps >= 1 && fps <= fps_max)) {
        return cs_fail_at(err, "fps", "out_of_range", "there are 1 to %g pictures a second", fps_max);
    }
    duration = duration < length - start ? duration : length - start;
    gif->format.rate = av_make_q((int)(fps * FPS_SCALE + 0.5), FPS_SCALE);
    gif->frames = med_frames_at(med_ticks_from_seconds(duration), gif->format.rate);
    gif->frames = gif->frames < 1 ? 1 : gif->frames;
    gif->clip.from_ticks =
        med_ticks_at_frame(med_frames_at(med_ticks_from_seconds(start), gif->format.rate), gif->format.rate);
    return gif->frames <= FRAMES_MAX
               ? CS_OK
               : cs_fail_at(err, "duration", "too_long", "%lld pictures are more than the %d that it may have",
                            (long long)gif->frames, FRAMES_MAX);
}

static struct med_video *frames_of(struct med_graph *graph, const struct gif *gif) {
    return med_clip_video(graph, &gif->clip, &gif->format, gif->frames, MED_FIT_CROP, MED_ANCHOR_CENTER);
}

static enum cs_status find_palette(struct med_job *job, const struct gif *gif, int colors, AVFrame **ret_palette,
                                   struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, NULL);
    return med_palette_find(frames_of(graph, gif), colors, ret_palette, err);
}

enum cs_status med_op_gif(struct med_job *job, const Callsheet__V1__Gif *params, struct cs_err *err) {
    struct gif gif = {0};
    MED_AUTO_FRAME *palette = NULL;
    Callsheet__V1__MediaFacts *facts = NULL;
    int width = params->width != NULL && params->width->value <= WIDTH_MAX ? (int)params->width->value : WIDTH;
    int colors = params->colors != NULL && params->colors->value >= 4 && params->colors->value <= COLORS
                     ? (int)params->colors->value
                     : COLORS;
    int loop = params->loop != NULL ? (int)(params->loop->value & UINT16_MAX) : 0;
    int fd = -1;
    CS_TRY(med_job_output_fd(job, &fd, err));
    CS_TRY(med_job_video_input(job, params->video, "video", &gif.clip, err));
    gif.format = med_format_within(med_format_of(gif.clip.facts), width, 0);
    CS_TRY(read_stretch(params, &gif, err));
    CS_TRY(med_check_output(&gif.format, gif.frames, err));
    if (!cs_str_eq(params->format, "webp")) {
        CS_TRY(find_palette(job, &gif, colors, &palette, err));
    }
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    CS_TRY(med_animation_write(graph, frames_of(graph, &gif), palette, loop, fd, job->arena, &facts, err));
    med_job_add_output(job, facts);
    return CS_OK;
}
